"""``hyoka access``: who may use the server, written into the access file."""

from __future__ import annotations

import sys
from datetime import date, datetime
from getpass import getpass
from typing import Annotated

import typer

from assistant import console
from assistant.options import IndexDir, Json, settings_of
from corpus.errors import SettingsError

commands = typer.Typer(
    name="access", help="だれが使えるかを決める（共通パスワード、利用者、プログラムの鍵）。", no_args_is_help=True
)

Role = Annotated[str, typer.Option(metavar="ROLE", help="利用者 か 管理者", show_default="利用者")]
Towns = Annotated[list[str] | None, typer.Option(metavar="NAME", help="見せる自治体（くり返せる。なければすべて）")]
Folders = Annotated[
    list[str] | None, typer.Option(metavar="DIR", help="見せるフォルダー（くり返せる。なければすべて）")
]
Remove = Annotated[bool, typer.Option("--remove", help="消す（すぐに使えなくなる）")]


@commands.command()
def password(
    role: Role = "利用者",
    municipality: Towns = None,
    folder: Folders = None,
    remove: Remove = False,
    index_dir: IndexDir = None,
) -> None:
    """共通パスワードを決める（役割ごとに一つ）。"""
    from assistant.access.passwords import hashed
    from assistant.access.registerfile import drop, put

    file = settings_of(index_dir=index_dir).access
    match = {"role": _role(role)}
    if remove:
        _removed(drop(file, "passwords", match), f"{role}の共通パスワード")
        return
    put(file, "passwords", match, {"hash": hashed(_password()), "municipalities": municipality, "folders": folder})
    console.note(f"{role}の共通パスワードを {file} に書きました。")


@commands.command()
def user(
    name: Annotated[str, typer.Argument(metavar="NAME", help="名前（ログインに使う）")],
    role: Role = "利用者",
    municipality: Towns = None,
    folder: Folders = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="パスワードを決めない（名前はプロキシが伝える）")
    ] = False,
    remove: Remove = False,
    index_dir: IndexDir = None,
) -> None:
    """利用者を加える、または決め直す。"""
    from assistant.access.passwords import hashed
    from assistant.access.registerfile import drop, put

    file = settings_of(index_dir=index_dir).access
    if remove:
        _removed(drop(file, "users", {"name": name}), f"利用者「{name}」")
        return
    checked = _role(role)  # before anybody types a password
    kept = None if no_password else hashed(_password())
    values = {"role": checked, "hash": kept, "municipalities": municipality, "folders": folder}
    again = put(file, "users", {"name": name}, values)
    console.note(f"利用者「{name}」（{role}）を{'決め直し' if again else '加え'}ました。")


@commands.command()
def key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="何の鍵か")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE",
            help="できること（ask、read、feedback、metrics、admin。くり返せる）",
            show_default="ask, read",
        ),
    ] = None,
    municipality: Towns = None,
    folder: Folders = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="使える最後の日")] = None,
    remove: Remove = False,
    index_dir: IndexDir = None,
) -> None:
    """プログラムの鍵を作る（鍵は、このとき一度だけ表示する）。"""
    from assistant.access.registerfile import drop, put_key

    file = settings_of(index_dir=index_dir).access
    if remove:
        _removed(drop(file, "keys", {"name": name}), f"鍵「{name}」")
        return
    last: date | None = until.date() if until is not None else None
    values = {"scopes": scope or ["ask", "read"], "until": last, "municipalities": municipality, "folders": folder}
    made = put_key(file, name, values)
    console.note("鍵は、ほかのどこにも残りません。Authorization: Bearer に続けて送ります。")
    console.say(made)


@commands.command("list")
def list_command(index_dir: IndexDir = None, json_output: Json = False) -> None:
    """だれが使えるかの一覧。"""
    from assistant.access.register import read_register

    found = read_register(settings_of(index_dir=index_dir).access)
    rows: list[tuple[str, str, str, str, str]] = []
    for shared in found.passwords:
        rows.append(("共通パスワード", "", shared.role, _listed(shared.municipalities), _listed(shared.folders)))
    for one in found.users:
        kind = "利用者" if one.hash else "利用者（パスワードなし）"
        rows.append((kind, one.name, one.role, _listed(one.municipalities), _listed(one.folders)))
    for group in found.groups:
        rows.append(("グループ", group.name, group.role, _listed(group.municipalities), _listed(group.folders)))
    for program in found.keys:
        what = "、".join(program.scopes) + (f"（{program.until}まで）" if program.until else "")
        rows.append(("鍵", program.name, what, _listed(program.municipalities), _listed(program.folders)))
    names = ("kind", "name", "may", "municipalities", "folders")
    if json_output:
        console.say_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    console.say_table(("種類", "名前", "役割・できること", "自治体", "フォルダー"), rows)


def _role(role: str) -> str:
    if role not in ("利用者", "管理者"):
        raise SettingsError(f"役割「{role}」はありません。利用者 か 管理者 を指定してください。")
    return role


def _password() -> str:
    """Typed twice by a person; one line of a pipe where nobody sits there."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass("パスワード: ")
    if getpass("もう一度: ") != first:
        raise SettingsError("二つのパスワードが違います。もう一度実行してください。")
    return first


def _removed(done: bool, what: str) -> None:
    if not done:
        raise SettingsError(f"{what}はありません。hyoka access list で確かめてください。")
    console.note(f"{what}を消しました。")


def _listed(names: list[str] | None) -> str:
    return "すべて" if names is None else "、".join(names) or "なし"
