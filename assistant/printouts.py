"""What the commands print: reports and answers for people, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant import console
from assistant.accounts import FileAccount, account_json
from assistant.datewords import length
from assistant.intake import Intake
from assistant.papers import GENERATED, GENERATED_NOTE, dropped_words
from assistant.payload import Sources
from assistant.types import Answer, Citation
from index.snapshot import Snapshot
from index.types import Passage
from index.update import Update, needs_compaction

FILES_SHOWN = 40
_SPEAKING = 10.0  # seconds after which a rate is worth a word


@dataclass(frozen=True, slots=True)
class Indexed:
    """What a run of ``hyoka index`` left: the counts of the whole index, and of an update what it did to the files.

    ``document_parts`` are the sheets that are no sheet of a programme: chapters, summary tables, glossaries.
    """

    version: str
    counts: Mapping[str, int]
    document_parts: int
    unchanged: int
    update: Update | None = None


def index_report(
    intake: Intake, done: Indexed, folder: Path, accounts: Sequence[FileAccount] = (), seconds: float = 0.0
) -> dict[str, Any]:
    """The account of a build as `--json` prints it; ``accounts`` say more of the files that were read, and ``seconds``
    is how long reading and indexing took.

    Of an update, ``files`` are those that it looked at.
    """
    more = {account.file: account_json(account) for account in accounts}
    update = done.update
    changes = None if update is None else {"added": update.added, "changed": update.changed, "removed": update.removed}
    return {
        **{what: done.counts[what] for what in ("documents", "sheets")},
        "document_parts": done.document_parts,
        **{what: done.counts[what] for what in ("sections", "facts")},
        "index_dir": str(folder),
        "index_version": done.version,
        "reused": done.unchanged,
        "resumed": intake.resumed,
        "update": changes,
        "seconds": round(seconds, 1),
        "sections_per_second": round(_written(intake, done) / seconds, 1) if seconds else None,
        "files": [{**asdict(report), **more.get(report.file, {})} for report in intake.read],
        "copies": [asdict(copy) for copy in intake.copies],
        "failed": [asdict(refused) for refused in intake.refused],
    }


def show_index_report(intake: Intake, done: Indexed, folder: Path, seconds: float = 0.0) -> None:
    """The account of a build: a row for each file, its warnings, and the sums."""
    shown = intake.read if len(intake.read) <= FILES_SHOWN else [file for file in intake.read if file.warnings]
    rows = [(file.file, file.sheets, file.sections, file.facts, len(file.warnings)) for file in shown]
    console.say_table(("ファイル", "シート", "欄", "数値", "注意"), rows)
    for file in shown:
        for warning in file.warnings:
            console.note(f"注意: {file.file}: {warning}")
    for copy in intake.copies:
        console.note(f"同じ内容: {copy.file} は {copy.same_as} と同じなので、1件として数えました。")
    if (update := done.update) is not None:
        what = (("追加", update.added), ("変更", update.changed), ("削除", update.removed))
        told = "、".join(f"{name} {count}" for name, count in what if count)
        console.note(
            f"変わったところだけを索引に反映しました（{told}）。" if told else "変わったファイルはありません。"
        )
        if needs_compaction(update.manifest):
            console.note("追加と削除が重なっています。hyoka index --compact で索引を整理できます。")
    reused = f"、前回から変わらないファイル {done.unchanged}" if done.unchanged else ""
    resumed = f"、中断した回から引き継いだファイル {intake.resumed}" if intake.resumed else ""
    failed = f"、読めなかったファイル {len(intake.refused)}" if intake.refused else ""
    parts, counts = done.document_parts, done.counts
    beside = f"（ほかに文書の部分 {parts}）" if parts else ""
    console.say(
        f"文書 {counts['documents']}、シート {counts['sheets'] - parts}{beside}、欄 {counts['sections']}、"
        f"数値 {counts['facts']}{reused}{resumed}{failed}"
        f"（索引: {folder}{_speed(_written(intake, done), seconds)}）"
    )


def _written(intake: Intake, done: Indexed) -> int:
    """The sections that the run wrote: all of the index, or those of the files that an update looked at."""
    return done.counts["sections"] if done.update is None else intake.sections


def _speed(sections: int, seconds: float) -> str:
    """How long it took, where that is long enough to say anything."""
    return f"、{length(seconds)}、毎秒{sections / seconds:,.0f}欄" if seconds >= _SPEAKING else ""


def compaction_report(done: Indexed, folder: Path) -> dict[str, Any]:
    """What `hyoka index --compact --json` prints: as :func:`index_report` of a run that found nothing changed."""
    counts = {what: done.counts[what] for what in ("documents", "sheets", "sections", "facts")}
    where = {"document_parts": done.document_parts, "index_dir": str(folder), "index_version": done.version}
    return {**counts, **where, "reused": done.unchanged, "update": None, "files": [], "copies": [], "failed": []}


def document_parts_of(snapshot: Snapshot) -> int:
    """How many of the index's sheets are no sheet of a programme."""
    return sum(sheet.kind == "document" for sheet in snapshot.sheets())


def show_answer(answer: Answer, sources: Sources) -> None:
    """An answer, its numbered sources, and how the question was read."""
    console.say(answer.answer)
    if answer.generated is not None:
        console.say(f"\n{GENERATED}の要約（{GENERATED_NOTE.rstrip('。')}）")
        console.say(answer.generated.text)
        if left_out := dropped_words([(one.text, one.count) for one in answer.generated.dropped]):
            console.say(left_out)
    if answer.citations:
        console.say("\n出典")
        for citation in answer.citations:
            console.say(_cited(citation))
    if answer.related:
        console.say("\n近い記述")
        for passage in answer.related:
            console.say(_found(passage, sources))
    console.say(f"\n{answer.interpretation.text}")


def _cited(citation: Citation) -> str:
    sheet = citation.sheet
    where = f" {citation.where}" if citation.where else ""
    head = _joined(sheet.municipality, _year(sheet.fiscal_year), sheet.name, citation.section)
    return f"[{citation.n}] {head}（{sheet.file}{where}）\n    「{short(citation.quote)}」"


def _found(passage: Passage, sources: Sources) -> str:
    sheet = passage.sheet
    head = _joined(sheet.municipality, _year(sheet.fiscal_year), sheet.name, passage.section.label)
    return f"- {head}: {short(passage.text)}（{sources.named(sheet.file, passage.span)}）"


def _joined(*parts: str) -> str:
    return " ".join(" ".join(part.split()) for part in parts if part)


def _year(year: int | None) -> str:
    return f"{year}年度" if year is not None else ""


def short(text: str, limit: int = 120) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
