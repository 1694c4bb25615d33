"""The address of a PostgreSQL server: how it is read, what is shown of it, and what is said where it does not let us in.

A password stands in the address and nowhere else: what is shown, raised or logged is made from :func:`named`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corpus.errors import DatabaseError, SettingsError

if TYPE_CHECKING:
    from psycopg import Connection

SHAPE = "postgresql://利用者:パスワード@ホスト:5432/データベース名"
_BEGINNINGS = ("postgresql://", "postgres://")

# For a server that vanishes without a word (a cable, a firewall): libpq would wait for minutes, or for ever.
_DEFAULTS = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "30",
    "client_encoding": "UTF8",
    "application_name": "hyoka",
}

# Parts of what servers say in English and in Japanese: they speak the language of their own settings.
_PASSWORD = ("password authentication failed", "no password supplied", "パスワード認証に失敗", "パスワードが指定されて")
_NO_ROLE = ('role "', "ロール", "Peer authentication", "peer認証", "Ident authentication", "ident認証")
_NO_DATABASE = ('database "', "データベース")
_MISSING = ("does not exist", "存在しません")
_FULL = ("too many clients", "too many connections", "クライアント数が多すぎ", "remaining connection slots", "接続枠")
_STARTING = ("starting up", "shutting down", "起動中", "シャットダウン中", "in recovery")


def has_shape(url: str) -> bool:
    """Whether it begins like the address of a PostgreSQL server."""
    return url.startswith(_BEGINNINGS)


def conninfo(url: str) -> str:
    """The address as libpq takes it, with sensible limits of time; SettingsError where it cannot be read."""
    return str(_psycopg().conninfo.make_conninfo("", **(_DEFAULTS | _parts(url))))


def named(url: str) -> str:
    """User, host, port and database, for people; never a password.

    >>> named("postgresql://hyoka:secret@db.example:5433/sheets")
    'PostgreSQL hyoka@db.example:5433/sheets'
    """
    parts = _parts(url)
    user, host = parts.get("user"), parts.get("host") or parts.get("hostaddr") or "localhost"
    port = f":{parts['port']}" if "port" in parts else ""
    return f"PostgreSQL {f'{user}@' if user else ''}{host}{port}/{parts.get('dbname') or user or ''}"


def connect(url: str) -> Connection:
    """One connection, each statement a transaction of its own.

    Raises SettingsError where the driver is missing or the address cannot be read, DatabaseError where the server does
    not answer, does not let us in, has no such database, or has one that is not in UTF-8.
    """
    psycopg = _psycopg()
    try:
        connection = psycopg.connect(conninfo(url), autocommit=True)
    except psycopg.OperationalError as error:
        # `from None`: what libpq says of an address may repeat parts of it.
        raise DatabaseError(_sentence(named(url), str(error))) from None
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise DatabaseError(
            f"{named(url)} の文字コードは {encoding} です。createdb --encoding=UTF8 --template=template0 で作った"
            "データベースを HYOKA_DATABASE_URL に指定してください。"
        )
    return connection  # type: ignore[no-any-return]


def _psycopg() -> Any:
    try:
        import psycopg
        import psycopg.conninfo
        import psycopg_pool  # noqa: F401  # both come with the extra
    except ImportError as error:
        raise SettingsError(
            "HYOKA_DATABASE_URL を使うための部品（psycopg）がありません。pip install 'hyoka[postgres]' で入れてください。"
        ) from error
    return psycopg


def _parts(url: str) -> dict[str, str]:
    psycopg = _psycopg()
    wrong = SettingsError(
        f"HYOKA_DATABASE_URL を読めません。{SHAPE} の形で指定してください"
        "（パスワードの中の記号は %40 のように書き換えます）。"
    )
    authority, _, path = url.partition("://")[2].partition("?")[0].partition("/")
    # A sign of the password that was not rewritten divides the address elsewhere, and its rest would be shown as a name.
    if not has_shape(url) or authority.count("@") > 1 or "@" in path or "/" in path:
        raise wrong
    try:
        found = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise wrong from None  # libpq repeats what it could not read: perhaps the password
    parts = {name: str(value) for name, value in found.items() if value is not None}
    if not all(port.isdecimal() for port in parts.get("port", "0").split(",") if port):
        raise wrong
    return parts


def _sentence(name: str, said: str) -> str:
    def has(*words: str) -> bool:
        return any(word in said for word in words)

    if has(*_PASSWORD):
        return f"{name} に入れません。利用者名とパスワードを確かめ、HYOKA_DATABASE_URL を直してください。"
    if has(*_NO_DATABASE) and has(*_MISSING) and not has(*_NO_ROLE[:2]):
        return f"{name} のデータベースがありません。createdb で作るか、HYOKA_DATABASE_URL の名前を直してください。"
    if has(*_NO_ROLE):
        return f"{name} の利用者では入れません。createuser で作るか、HYOKA_DATABASE_URL の利用者名を直してください。"
    if has(*_FULL):
        return (
            f"{name} の接続数がいっぱいです。サーバーの max_connections を増やすか、使っていない接続を閉じてください。"
        )
    if has(*_STARTING):
        return f"{name} は起動か停止の途中です。しばらく待ってから、もう一度試してください。"
    return f"{name} につながりません。サーバーが動いているか、HYOKA_DATABASE_URL のホストとポートを確かめてください。"
