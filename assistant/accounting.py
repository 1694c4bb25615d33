"""``hyoka audit`` and ``hyoka history``: what administrators read of the trail, and what they delete for good."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import console
from assistant.options import Json, settings_of
from corpus.errors import DatabaseError, SettingsError

if TYPE_CHECKING:
    from assistant.audit import AuditTrail, Recorded
    from assistant.store import FeedbackStore

commands = typer.Typer()
audit_app = typer.Typer(help="監査の記録（だれが、いつ、何を聞き、どのシートを見たか）。", no_args_is_help=True)
history_app = typer.Typer(help="会話の履歴。", no_args_is_help=True)
commands.add_typer(audit_app, name="audit")
commands.add_typer(history_app, name="history")


@audit_app.command("export")
def audit_export(
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="この日から（UTC）")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="この日まで（UTC）")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="JSON Linesで出力する（なければCSV）")] = False,
) -> None:
    """監査の記録を標準出力に書き出す。"""
    store = _store()
    try:
        first, last = since.date() if since else None, until.date() if until else None
        for piece in json_lines(store.audit, first, last) if json_output else csv_pieces(store.audit, first, last):
            sys.stdout.write(piece)
        console.note(f"監査の記録は全部で{store.audit.count():,}件です。")
    finally:
        store.close()


@history_app.command("list")
def history_list(json_output: Json = False) -> None:
    """履歴のある利用者と、会話の数。"""
    store = _store()
    try:
        found = store.talks.owners()
    finally:
        store.close()
    if json_output:
        console.say_json([{"user": owner, "conversations": count} for owner, count in found])
    else:
        console.say_table(("利用者", "会話の数"), found)


@history_app.command("delete")
def history_delete(
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="この利用者の履歴を消す（名前か、list が示す利用者）")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="全員の履歴を消す")] = False,
) -> None:
    """会話の履歴を、数えた質問や評価とあわせて完全に消す（監査の記録は消えない）。"""
    if (user is None) == (not everybody):
        raise SettingsError("--user NAME か --all のどちらか一つを指定してください。")
    store = _store()
    try:
        if user is None:
            gone = store.talks.delete_everything()
            store.audit.record("delete history", outcome="all", who="hyoka history delete", address="")
        else:
            known = {owner for owner, _ in store.talks.owners()}
            owner = user if user in known else f"user:{user}"
            gone = store.talks.delete_all(owner)
            store.audit.record("delete history", outcome=owner, who="hyoka history delete", address="")
    finally:
        store.close()
    console.note(f"{gone}件の会話を消しました。")


def csv_pieces(trail: AuditTrail, since: date | None = None, until: date | None = None) -> Iterator[str]:
    """The trail as CSV, with a byte order mark so that Excel reads it, in pieces."""
    from assistant.audit import COLUMNS
    from assistant.spreadsheets import csv_cell

    yield "\ufeff" + _csv_line(list(COLUMNS))
    for line in trail.lines(since, until):
        yield _csv_line([str(csv_cell(cell)) for cell in line.cells()])


def json_lines(trail: AuditTrail, since: date | None = None, until: date | None = None) -> Iterator[str]:
    """The trail as JSON Lines, in pieces."""
    line: Recorded
    for line in trail.lines(since, until):
        yield line.json() + "\n"


def _csv_line(cells: list[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _store() -> FeedbackStore:
    from assistant.audit import Auditing
    from assistant.conversations import Keeping
    from assistant.store import FeedbackStore, default_path
    from index.database import SQLiteDatabase

    settings = settings_of()
    auditing = Auditing(settings.audit, settings.audit_days)
    # Kept as it is, whatever the settings say of it: what is to go is said by the command.
    keeping = Keeping(on=True, days=3_650, most=10_000)
    if settings.database is not None:
        from index.postgres import PostgresDatabase

        return FeedbackStore(PostgresDatabase(settings.database), keeping, auditing)
    file = settings.feedback_file or default_path()
    if not file.is_file():
        raise DatabaseError(
            f"保存先 {file} がありません。サーバーと同じ設定（HYOKA_FEEDBACK_FILE、hyoka.toml）で実行してください。"
        )
    return FeedbackStore(SQLiteDatabase(file), keeping, auditing)
