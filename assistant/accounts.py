"""The parse report: what became of every file and of every sheet in it, for the command line, the screen and CSV."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.access.caller import caller
from assistant.readiness import Asker
from assistant.spreadsheets import csv_cell
from corpus.certainty import THRESHOLD
from corpus.documents import NO_NAME, Certainty, Fact, Section, Sheet
from corpus.forms.loader import kind_of
from corpus.whereabouts import Locator, Whereabouts
from index.types import Index, Judgement
from index.visibility import Visibility

LOOKED_FOR = ("名称", "自治体", "年度", "担当課", "目的", "金額", "指標", "評価")
"""What a reader expects of a programme's sheet; the report says which of them were found."""

HEAD = frozenset(LOOKED_FOR[:4])
"""The part of it that says whose sheet it is."""

_PURPOSE = ("目的", "意図")
_NONE = Judgement((), None)
_KEPT_ACCOUNTS = 3  # of other visibilities beside the one asked for

COLUMNS = (
    "ファイル", "シート", "種類", "ページ", "行", "セル", "自治体", "年度", "担当課", "様式", "欄", "数値", "見つかった項目",
    "見つからない項目", "確かさ", "要確認", "注意",
)  # fmt: skip
_KINDS = {"programme": "事業", "document": "文書の部分"}


@dataclass(frozen=True, slots=True)
class SheetAccount:
    """One sheet: where it begins, what of :data:`LOOKED_FOR` was found and what not, and what the reading said of itself."""

    sheet: Sheet
    where: Whereabouts
    sections: int
    facts: int
    found: tuple[str, ...]
    missing: tuple[str, ...]
    certainty: Certainty | None
    warnings: tuple[str, ...]

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at it: not sure enough, a part of the head missing, or a warning."""
        unsure = self.certainty is not None and self.certainty.score < THRESHOLD
        return unsure or bool(self.warnings) or not HEAD.isdisjoint(self.missing)


@dataclass(frozen=True, slots=True)
class FileAccount:
    """One file with its sheets; ``warnings`` are those of the file itself, ``refusal`` says why it was not read."""

    file: str
    sheets: tuple[SheetAccount, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def programmes(self) -> list[SheetAccount]:
        """The sheets of programmes, without the parts of a document that belong to none."""
        return [one for one in self.sheets if one.sheet.kind == "programme"]

    @property
    def certainty(self) -> float | None:
        """The least certainty of its sheets."""
        return min((one.certainty.score for one in self.sheets if one.certainty is not None), default=None)

    @property
    def notes(self) -> int:
        """How many warnings there are, of the file and of its sheets."""
        return len(self.warnings) + sum(len(one.warnings) for one in self.sheets)

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at it."""
        return bool(self.refusal or self.warnings or not self.sheets) or any(one.doubtful for one in self.sheets)


def file_accounts(index: Index, files: Collection[str] | None = None) -> list[FileAccount]:
    """The account of every indexed file and of those that could not be read, in the order of the index; or of some.

    Derived from the index; a sheet it keeps no judgement of has an account without certainty and warnings.
    """
    by_file: dict[str, list[Sheet]] = {file: [] for file in index.files() if files is None or file in files}
    for sheet in index.sheets():
        if files is None:
            by_file.setdefault(sheet.file, []).append(sheet)
        elif sheet.file in by_file:
            by_file[sheet.file].append(sheet)
    found = [_of_file(index, file, sheets) for file, sheets in by_file.items()]
    if files is not None:
        return found
    return [*found, *(FileAccount(file, refusal=why) for file, why in index.refused() if file not in by_file)]


def _of_file(index: Index, file: str, sheets: Sequence[Sheet]) -> FileAccount:
    document = index.document(file)
    locator = Locator(document)
    judged = index.judgements(file)
    ids = [sheet.sheet_id for sheet in sheets]
    sections: dict[str, list[Section]] = {one: [] for one in ids}
    facts: dict[str, list[Fact]] = {one: [] for one in ids}
    for section in index.sections(ids):
        sections[section.sheet.sheet_id].append(section.section)
    for fact in index.facts(ids):
        facts[fact.sheet.sheet_id].append(fact.fact)
    return FileAccount(
        file,
        tuple(
            _of_sheet(
                sheet,
                locator.at(sheet.spans[0].start),
                sections[sheet.sheet_id],
                facts[sheet.sheet_id],
                judged.get(sheet.sheet_id, _NONE),
            )
            for sheet in sheets
        ),
        document.warnings,
    )


def _of_sheet(
    sheet: Sheet, where: Whereabouts, sections: Sequence[Section], facts: Sequence[Fact], judged: Judgement
) -> SheetAccount:
    there = set(_found(sheet, sections, facts))
    looked_for = LOOKED_FOR if sheet.kind == "programme" else ()
    return SheetAccount(
        sheet,
        where,
        len(sections),
        len(facts),
        tuple(one for one in looked_for if one in there),
        tuple(one for one in looked_for if one not in there),
        judged.certainty,
        judged.warnings,
    )


def _found(sheet: Sheet, sections: Iterable[Section], facts: Iterable[Fact]) -> Iterator[str]:
    if sheet.name and sheet.name != NO_NAME:
        yield "名称"
    if sheet.municipality:
        yield "自治体"
    if sheet.fiscal_year is not None:
        yield "年度"
    if sheet.department:
        yield "担当課"
    for section in sections:
        if section.field in _PURPOSE:
            yield "目的"
    for fact in facts:
        kind = kind_of(fact.field)
        if kind == "amount" and fact.value is not None:
            yield "金額"
        elif kind == "indicator" and fact.value is not None:
            yield "指標"
        elif kind == "rating":
            yield "評価"


class AccountCache:
    """The accounts of the current index as the caller may see it, derived once and kept until the index changes."""

    def __init__(self, assistant: Asker) -> None:
        self._assistant = assistant
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, Visibility], list[FileAccount]] = {}

    def get(self) -> list[FileAccount]:
        """The accounts of the index as it is now."""
        with self._lock:
            index = self._assistant.index
            key = (index.version, caller().visibility)
            if key not in self._kept:
                new = {k: v for k, v in self._kept.items() if k[0] == index.version}
                self._kept = {**dict(list(new.items())[-_KEPT_ACCOUNTS:]), key: file_accounts(index)}
            return self._kept[key]


# ---- as JSON and CSV ------------------------------------------------------------------------------------------------


def account_json(account: FileAccount) -> dict[str, Any]:
    """What `hyoka index --json` adds to a file's row: its sheets, one by one."""
    return {
        "certainty": account.certainty,
        "needs_check": account.doubtful,
        "sheet_reports": [
            {
                "sheet_id": one.sheet.sheet_id,
                "sheet": one.sheet.name,
                "kind": one.sheet.kind,
                "form": one.sheet.form,
                "municipality": one.sheet.municipality,
                "fiscal_year": one.sheet.fiscal_year,
                "department": one.sheet.department,
                "where": {"page": one.where.page, "line": one.where.line, "cell": one.where.cell},
                "sections": one.sections,
                "facts": one.facts,
                "found": list(one.found),
                "missing": list(one.missing),
                "certainty": one.certainty.score if one.certainty is not None else None,
                "reasons": [r.text for r in one.certainty.reasons] if one.certainty is not None else [],
                "needs_check": one.doubtful,
                "warnings": [{"text": text, "where": str(one.where)} for text in one.warnings],
            }
            for one in account.sheets
        ],
    }


def report_csv(accounts: Iterable[FileAccount]) -> bytes:
    """The report as CSV with a byte order mark, so that Excel reads it: a row a sheet, and one for what is of the file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for account in accounts:
        for row in _rows(account):
            writer.writerow([csv_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def _rows(account: FileAccount) -> Iterator[list[object]]:
    notes = [*([account.refusal] if account.refusal else []), *account.warnings]
    if notes or not account.sheets:
        kind = "読めないファイル" if account.refusal else "ファイル"
        blank = [""] * (len(COLUMNS) - 5)
        yield [account.file, "", kind, *blank, "要確認", "\n".join(notes) or "評価シートの欄が見つかりません。"]
    for one in account.sheets:
        sheet = one.sheet
        score = f"{one.certainty.score:.2f}" if one.certainty is not None else ""
        yield [
            account.file, sheet.name, _KINDS[sheet.kind], one.where.page, one.where.line, one.where.cell,
            sheet.municipality, sheet.fiscal_year, sheet.department, sheet.form, one.sections, one.facts,
            "・".join(one.found), "・".join(one.missing), score, "要確認" if one.doubtful else "",
            "\n".join(one.warnings),
        ]  # fmt: skip
