"""Short printed values under a label: choices, ways of working, and which of them a question asks for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.context import Context
from assistant.selection import Matches, Proof
from assistant.vocabulary import AskedField, field
from corpus.documents import Sheet, Span
from corpus.normalize import squeeze

MARKS = frozenset("◎○△×")
"""Grades that are signs."""
_QUOTED = re.compile(r"[「『\"]([^」』\"]{2,30})[」』\"]")
_PARTS = re.compile(r"[、,・/ \s]+")
# A section this short is a cell with a choice in it (今後の方向性: 拡充).
_CELL = 24
# 情報管理係 under 担当係: a unit below the department, which a question names without the row.
_UNIT_ROW, _UNIT = re.compile(r"係|班|グループ|チーム|担当"), re.compile(r"(?:係|班|グループ|チーム)$")
_LEFT_OUT = re.compile(r"[」』\"]?(?:の(?:もの|事業|シート|システム))?(?:は|を)?(?:除|以外|でない|ではない)")
_YEAR = re.compile(r"(?:令和|平成|昭和|r|h)?(?:元|\d{1,4})年度?")
# 直営 and 全部委託 as a way of working; not 委託先, 委託料 and what 委託 is asked about otherwise.
_MANNER = re.compile(
    r"(直営|(?:全部|一部|業務|外部|民間|全部業務|一部業務)?委託)(?:事業|の(?!費|料)|で(?!は?な)|を?し|され|に(?:して|なって|出)|による|かつ|、|です|でしょう|でした)"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A printed value the question asks for, with the rows it may stand in; ``other``: every value but this one."""

    value: str
    labels: frozenset[str]
    other: bool = False


def choices(context: Context, sheets: Sequence[Sheet]) -> list[Choice]:
    """Values of choice cells that the question names, where it also names the row or quotes the value."""
    key = context.query.key
    quoted = {squeeze(found) for found in _QUOTED.findall(context.query.text)}
    asked = [f for f in context.query.fields if f.type in ("choice", "rating", "text")]
    rows: dict[str, set[str]] = defaultdict(set)
    for cell in _cells(context, sheets):
        label = squeeze(cell.label)
        row_named = label in key or any(f.fits(cell.label) for f in asked)
        unit = _UNIT_ROW.search(label) is not None
        for part in _values(cell.text) if cell.choice else [squeeze(cell.text)]:
            if (
                (len(part) < 2 and part not in MARKS)
                or part not in key
                or (_said(part, key) is None)
                or (_YEAR.fullmatch(part) and part not in quoted)
            ):
                continue
            if part in quoted or (unit and _UNIT.search(part)) or (row_named and not _inside_name(part, context)):
                rows[part].add(label)
    parts = sorted(rows, key=len, reverse=True)
    kept = [p for i, p in enumerate(parts) if not any(p in longer for longer in parts[:i])]
    found = [Choice(p, frozenset(_narrow(rows[p], context, asked)), _said(p, key) == "left out") for p in kept]
    # 「継続の事業、重点的に推進のものは除いて」: what is said positively decides.
    return [one for one in found if not one.other] or found


def _said(part: str, key: str) -> str | None:
    """How a value stands in the question: ``asked``, ``left out`` (以外), or None behind what turns it round (未達成)."""
    places = [
        found
        for found in re.finditer(re.escape(part), key)
        if not found.start() or key[found.start() - 1] not in "未不非"
    ]
    if not places:
        return None
    return "left out" if all(_LEFT_OUT.match(key, found.end()) for found in places) else "asked"


def _values(text: str) -> list[str]:
    whole = squeeze(text)
    parts = [*text.split("、"), *_PARTS.split(text)]  # 「直営、補助・助成」 holds 補助・助成 too
    return list(dict.fromkeys([whole, *(squeeze(p) for p in parts if p.strip())]))


def _narrow(labels: set[str], context: Context, asked: Sequence[AskedField]) -> set[str]:
    """Of the rows that hold the value those that the question names, if it names any."""
    named = {label for label in labels if label in context.query.key}
    if named:
        return named
    fitting = {label for label in labels if any(f.fits(label) for f in asked)}
    return fitting or labels


def _inside_name(part: str, context: Context) -> bool:
    names = (*context.query.municipalities, *context.query.departments)
    return any(part in squeeze(name) for name in names) and context.query.key.count(part) <= len(names)


def by_choice(context: Context, choice: Choice, sheets: Sequence[Sheet]) -> Matches:
    """Sheets in which one of the choice's rows holds the value, or where another is asked, none of them does."""
    matches: Matches = defaultdict(list)
    holding: set[str] = set()
    for cell in _cells(context, sheets):
        if squeeze(cell.label) not in choice.labels:
            continue
        if choice.value in _values(cell.text):
            holding.add(cell.sheet.sheet_id)
        if (choice.value in _values(cell.text)) != choice.other:
            matches[cell.sheet.sheet_id].append(Proof(cell.sheet, cell.label, cell.span, f"{cell.label} {cell.text}"))
    return {key: proofs for key, proofs in matches.items() if not (choice.other and key in holding)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A short printed value under a label: a choice, a rating, or a section of a few words."""

    sheet: Sheet
    label: str
    text: str
    span: Span
    choice: bool


def _cells(context: Context, sheets: Sequence[Sheet]) -> list[Cell]:
    ids = [s.sheet_id for s in sheets]
    cells = [
        Cell(found.sheet, found.fact.label, found.fact.text, found.fact.quote, True)
        for found in context.index.facts(ids)
        if found.fact.value is None
    ]
    known = {(cell.sheet.sheet_id, squeeze(cell.label)) for cell in cells}
    for found in context.index.sections(ids):
        section = found.section
        if len(section.text) <= _CELL and (found.sheet.sheet_id, squeeze(section.label)) not in known:
            cells.append(Cell(found.sheet, section.label, section.text, section.span, False))
    return cells


def asked_manner(bare: str) -> str:
    """The way of working that a squeezed question asks for (直営, 全部委託); "" for none."""
    found = _MANNER.search(bare)
    return found[1] if found is not None else ""


def by_manner(context: Context, sheets: Sequence[Sheet]) -> Matches | None:
    """「直営の」「委託している」: sheets whose cell for how the work is done holds the word; None where none is asked."""
    asked = asked_manner(context.query.bare)
    if not asked:
        return None
    row, matches = field("実施方法"), defaultdict(list)
    for cell in _cells(context, sheets):
        if asked in squeeze(cell.text) and row.fits(cell.label):
            matches[cell.sheet.sheet_id].append(Proof(cell.sheet, cell.label, cell.span, f"{cell.label} {cell.text}"))
    return matches
