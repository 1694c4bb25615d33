"""The access file (``access.toml``): shared passwords, people, groups of people, and keys of programs.

It holds no password and no key, only what tells whether a given one is right: Argon2id hashes of passwords, and SHA-256
of keys, which are random and long enough that nobody can try them out.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.access.caller import SCOPES, Caller, Role, Scope
from corpus.errors import SettingsError
from index.visibility import Visibility

logger = logging.getLogger(__name__)

KEY_PREFIX = "hyk_"  # so that a key that got into a file or a log is found and recognised
ANY_GROUP = "*"
_USER: frozenset[Scope] = frozenset({"ask", "read", "feedback"})
_ADMIN: frozenset[Scope] = frozenset(SCOPES)
BY_ROLE: dict[Role, frozenset[Scope]] = {"利用者": _USER, "管理者": _ADMIN}

Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    municipalities: list[str] | None = None
    folders: list[str] | None = None

    @property
    def visibility(self) -> Visibility:
        """Which sheets may be seen."""
        towns, folders = self.municipalities, self.folders
        return Visibility(None if towns is None else tuple(towns), None if folders is None else tuple(folders))


class SharedPassword(_Entry):
    """A password that many people know."""

    role: Role = "利用者"
    hash: str

    def caller(self) -> Caller:
        """Whoever knows it."""
        return Caller("", self.role, BY_ROLE[self.role], self.visibility)


class User(_Entry):
    """One person; without a ``hash`` only a proxy in front can say that it is this one."""

    name: Name
    role: Role = "利用者"
    hash: str = ""

    def caller(self) -> Caller:
        """The person."""
        return Caller(self.name, self.role, BY_ROLE[self.role], self.visibility)


class Group(_Entry):
    """People whom a proxy in front puts into a group; ``*`` are all that it lets through."""

    name: Name
    role: Role = "利用者"

    def caller(self, person: str) -> Caller:
        """A person of the group."""
        return Caller(person, self.role, BY_ROLE[self.role], self.visibility)


class Key(_Entry):
    """A program; ``digest`` is the SHA-256 of its key in hexadecimal digits, ``until`` the last day it is good for."""

    name: Name
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: list[Scope] = ["ask", "read"]
    until: date | None = None

    def caller(self) -> Caller:
        """The program."""
        role: Role = "管理者" if "admin" in self.scopes else "利用者"
        return Caller(f"key:{self.name}", role, frozenset(self.scopes), self.visibility)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    passwords: list[SharedPassword] = []
    users: list[User] = []
    groups: list[Group] = []
    keys: list[Key] = []


@dataclass(frozen=True)
class Register:
    """What an access file says."""

    passwords: tuple[SharedPassword, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    keys: tuple[Key, ...] = ()

    def user(self, name: str) -> User | None:
        """The person of that name."""
        return next((one for one in self.users if one.name == name), None)

    def key(self, given: str, today: date | None = None) -> Key | None:
        """The program that has a key; None for a key nobody has, or one that has run out."""
        if not given.startswith(KEY_PREFIX):
            return None
        digest = key_digest(given)
        found = next((one for one in self.keys if one.digest == digest), None)
        return None if found is None or (found.until and (today or date.today()) > found.until) else found

    def person(self, name: str, groups: Iterable[str]) -> Caller | None:
        """Whom a proxy in front lets through: by its name, else by the first group of the file that it is in."""
        if (user := self.user(name)) is not None:
            return user.caller()
        member = {*groups, ANY_GROUP}
        group = next((one for one in self.groups if one.name in member), None)
        return None if group is None else group.caller(name)


def key_digest(key: str) -> str:
    """What the file keeps of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_register(file: Path) -> Register:
    """What an access file says, nothing where there is none; SettingsError where it cannot be used."""
    try:
        with file.open("rb") as stream:
            told = tomllib.load(stream)
    except FileNotFoundError:
        return Register()
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} を読めません（{error}）。TOMLの書き方とファイルの権限を確かめてください。"
        ) from error
    try:
        read = _File.model_validate(told)
    except ValidationError as error:
        raise SettingsError(f"{file}: {_sentence(error.errors()[0])}") from error
    for kind, names in (("users", [one.name for one in read.users]), ("keys", [one.name for one in read.keys])):
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise SettingsError(f"{file}: {kind} の「{twice}」が二つあります。一つにしてください。")
    return Register(tuple(read.passwords), tuple(read.users), tuple(read.groups), tuple(read.keys))


def _sentence(problem: Any) -> str:
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{place} という項目はありません。書き方は docs/access.md にあります。"
    return f"{place} の値は使えません。書き方は docs/access.md にあります。"


class OpenRegister:
    """The access file as it is now: read again whenever it has changed, so that whom it drops is out at once.

    A file that cannot be used lets nobody in until it is mended; the reason is in the log.
    """

    def __init__(self, file: Path) -> None:
        """Raises SettingsError where the file cannot be used at the start."""
        self.file = file
        self._lock = threading.Lock()
        self._stamp = self._stamped()
        self._register = read_register(file)

    def now(self) -> Register:
        """What it says now."""
        stamp = self._stamped()
        with self._lock:
            if stamp != self._stamp:
                try:
                    self._register = read_register(self.file)
                except SettingsError as problem:
                    logger.error("アクセスのファイルが使えないため、直るまでだれも入れません: %s", problem.message)
                    self._register = Register()
                self._stamp = stamp
            return self._register

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
