"""How a server lets people in: the settings of access, put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

from assistant.access.caller import ANYBODY, Caller
from assistant.access.limits import Limits
from assistant.access.register import OpenRegister
from assistant.access.sessions import Session, Sessions, mark
from assistant.serving import loopback
from assistant.settings import Settings
from corpus.errors import SettingsError
from index.database import Database, SQLiteDatabase

Mode = Literal["off", "password", "users", "proxy"]


@dataclass(frozen=True)
class Policy:
    """What the door needs. Without a ``register`` everybody may come in, and nobody is known."""

    mode: Mode = "off"
    register: OpenRegister | None = None
    sessions: Sessions | None = None
    limits: Limits = field(default_factory=lambda: Limits(0))
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    user_header: str = "x-forwarded-user"
    groups_header: str = ""
    own_machine_only: bool = False
    """Whether it answers under names of the machine it runs on alone (a server that no other machine is to reach)."""

    @property
    def on(self) -> bool:
        """Whether callers have to be known."""
        return self.mode != "off"

    @property
    def by_password(self) -> bool:
        """Whether people log in here."""
        return self.mode in ("password", "users")

    def trusts(self, peer: str) -> bool:
        """Whether what the other end of a connection says about the caller is believed."""
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self.proxies)

    def logged_in(self, session: Session) -> Caller | None:
        """Whose session it is, as far as the access file still knows the password it began with."""
        if self.register is None:
            return None
        register = self.register.now()
        if self.mode == "users":
            user = register.user(session.name)
            return user.caller() if user is not None and user.hash and mark(user.hash) == session.mark else None
        shared = next((one for one in register.passwords if mark(one.hash) == session.mark), None)
        return None if shared is None or session.name else shared.caller()


OPEN = Policy()


def open_policy(settings: Settings, database: Database | None = None) -> Policy:
    """The policy of some settings, its sessions in ``database``; SettingsError where nobody could come in."""
    limits = Limits(settings.requests_per_minute)
    proxies = _networks(settings.proxies)
    if settings.auth == "off":
        own = loopback(settings.host) and not settings.without_login
        return Policy(limits=limits, proxies=proxies, own_machine_only=own)
    register = OpenRegister(settings.access)
    now = register.now()
    if settings.auth == "password" and not now.passwords:
        raise SettingsError("共通パスワードがまだありません。hyoka access password で決めてください。")
    if settings.auth == "users" and not any(user.hash for user in now.users):
        raise SettingsError("利用者がまだいません。hyoka access user 名前 で加えてください。")
    if settings.auth == "proxy" and not (now.users or now.groups):
        raise SettingsError(
            f"だれを通すかが決まっていません。{settings.access} に users か groups を書いてください（docs/access.md）。"
        )
    if settings.auth == "proxy" and not proxies:
        raise SettingsError("名前を伝えるプロキシのアドレスを、設定 proxies に書いてください。")
    return Policy(
        settings.auth,
        register,
        Sessions(database or SQLiteDatabase(), settings.session_hours),
        limits,
        proxies,
        settings.proxy_user_header.lower(),
        (settings.proxy_groups_header or "").lower(),
    )


def _networks(written: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(one, strict=False) for one in written.replace(",", " ").split())
    except ValueError as error:
        raise SettingsError(
            f"設定 proxies の値は使えません（{error}）。127.0.0.1 や 10.0.0.0/24 のように書いてください。"
        ) from error


def anybody(own_machine: bool) -> Caller:
    """Who comes in where nobody logs in; at the machine itself it is its administrator."""
    return Caller("", "管理者", ANYBODY.scopes | {"admin"}) if own_machine else ANYBODY
