"""How many sheets were given a mark: what the documents state, what counting gives, and whether the two agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant import selection
from assistant.context import Context
from assistant.drafts import Draft, readable, shorten, title
from assistant.listing import listed
from assistant.selection import GradeWish, Matches
from corpus.documents import Sheet, Span
from corpus.normalize import squeeze
from corpus.periods import find_periods

_COUNTED = re.compile(r"何(件|個|本|つ|システム|事業|シート)|件数|いくつ|合計で?何")
# 「Ａ評価が11件、Ｂ評価が3件」「A:49件、B:9件」 in a sentence; squeezed text, lower case.
_STATED = re.compile(r"(?<![a-z0-9])([a-es])(?:\([^()]{1,12}\))?(?:評価)?[はがも:=]?(\d+)(?:件|システム|事業)")
# A table's heading of marks and, under it, cells of a count with its share.
_HEADING = re.compile(r"[a-es]評価(?:[a-es]評価)+")
_CELL = re.compile(r"(\d{1,15})件\((\d{1,15}(?:\.\d+)?)%\)")
_OVERALL = re.compile(r"総括|最終的|目標達成|計画期間|策定期間")
_YEARLY = re.compile(r"取組状況|進捗状況|単年度")
# What stands so far before a table says what it counts; shares are printed in whole percent.
_BEFORE, _ROUNDED = 200, 1.0
_QUOTE = 120


@dataclass(frozen=True, slots=True)
class Stated:
    """A count that a document prints: how many got the mark, where it says so."""

    sheet: Sheet
    label: str
    count: int
    span: Span
    table: bool


def tallied(context: Context) -> Draft | None:
    """「Ｂ評価は何件」: the count with every sheet, beside what the documents state; None where no mark is counted."""
    query = context.query
    wishes = selection.grade_wishes(context)
    if not wishes or not _COUNTED.search(query.key) or len({wish.grade for wish in wishes}) > 1:
        return None
    if query.subset or query.conditions:
        return None
    wish = next((w for w in wishes if w.overall), wishes[0])
    scope = selection.titled(context, context.scope())
    stated = stated_counts(context, wish, scope)
    named = {name.sheet.sheet_id for name in query.named if name.exact}
    if named and not any(one.sheet.sheet_id in named for one in stated):
        return None
    if len({one.count for one in stated}) > 1:
        return _told_twice(context, wish, stated)
    files = {one.sheet.file for one in stated}
    sheets = [s for s in scope if s.kind == "programme" and (not files or s.file in files)]
    matches = selection.by_grade(context, wish, sheets) or selection.by_grade(context, replace(wish, fields=()), sheets)
    return _counted(context, wish, stated, sheets, matches) if matches else None


def stated_counts(context: Context, wish: GradeWish, scope: Sequence[Sheet]) -> list[Stated]:
    """Counts of the mark that sentences and tables of the sheets print, for the rating and the year asked for."""
    found: list[Stated] = []
    for statement in context.statements.of(scope):
        for hit in _STATED.finditer(statement.key):
            if hit[1] == wish.grade.lower() and _of_rating(wish, statement.key[: hit.start()], statement.key):
                if _of_year(context, wish, statement.text, statement.sheet):
                    found.append(Stated(statement.sheet, statement.label, int(hit[2]), statement.span, False))
                break
    for section in context.index.sections([s.sheet_id for s in scope]):
        key = squeeze(section.section.text)
        heading = _HEADING.search(key)
        if heading is None or wish.grade.lower() not in heading[0]:
            continue
        count = column_total(key[heading.start() :], wish.grade)
        text = context.index.document(section.sheet.file).text
        before = text[max(0, section.section.span.start - 3 * _BEFORE) : section.section.span.start]
        if count is None or not _of_rating(wish, squeeze(before)[-_BEFORE:], ""):
            continue
        if _of_year(context, wish, before[-_BEFORE:], section.sheet):
            found.append(Stated(section.sheet, section.section.label, count, section.section.span, True))
    return list({(one.sheet.sheet_id, one.span): one for one in found}.values())


def column_total(key: str, grade: str) -> int | None:
    """The sum of a mark's column in a table of counts with shares; None where the shares do not fit the counts.

    >>> column_total("a評価b評価18件(90%)2件(10%)3件(75%)1件(25%)", "B")
    3
    """
    heading = _HEADING.match(key)
    if heading is None:
        return None
    marks = re.findall(r"([a-es])評価", heading[0])
    cells = [(int(count), float(share)) for count, share in _CELL.findall(key[heading.end() :])]
    if not cells or len(cells) % len(marks) or grade.lower() not in marks:
        return None
    rows = [cells[i : i + len(marks)] for i in range(0, len(cells), len(marks))]
    for row in rows:
        whole = sum(count for count, _ in row)
        if not whole or any(abs(100 * count / whole - share) > _ROUNDED for count, share in row):
            return None
    place = marks.index(grade.lower())
    column = [row[place][0] for row in rows]
    if len(rows) > 2 and all(rows[-1][i][0] == sum(row[i][0] for row in rows[:-1]) for i in range(len(marks))):
        return column[-1]  # the last row is the table's own total
    return sum(column)


def _of_rating(wish: GradeWish, before: str, sentence: str) -> bool:
    """Whether a count is of the rating asked for: of the whole plan (総括) or of a year."""
    overall = bool(_OVERALL.search(before) or _OVERALL.search(sentence))
    yearly = bool(_YEARLY.search(before) or "年度" in before) and not overall
    return overall if wish.overall else not overall if wish.single or wish.periods else overall or yearly


def _of_year(context: Context, wish: GradeWish, text: str, sheet: Sheet) -> bool:
    """Whether what is stated may be of the asked year; a text without a date is of the year its sheet reports on."""
    asked = wish.periods or context.query.periods
    if not asked or wish.overall:
        return True
    dates = [found.period for found in find_periods(text, sheet.fiscal_year)]
    readings = [reading for one in asked for reading in one.readings]
    return not dates or any(reading.overlaps(date) for reading in readings for date in dates)


def _cited(draft: Draft, wish: GradeWish, one: Stated) -> str:
    n = draft.cite(one.sheet, one.label, one.span)
    where = f"{title(one.sheet)} {readable(one.label)}".strip()
    how = "（表の各行の合計）" if one.table else ""
    return f"- {shorten(where, _QUOTE)}：{wish.grade}評価は{one.count}件{how} [{n}]"


def _told_twice(context: Context, wish: GradeWish, stated: Sequence[Stated]) -> Draft:
    """Documents that state different counts: each with its quote."""
    draft = Draft(context.index, how="contradiction")
    draft.add(f"{wish.grade}評価の件数は、資料の中で一致していません。両方を示します。")
    for one in sorted(stated, key=lambda one: one.count):
        draft.add(_cited(draft, wish, one))
    return draft


def _counted(
    context: Context, wish: GradeWish, stated: Sequence[Stated], sheets: Sequence[Sheet], matches: Matches
) -> Draft:
    """The sheets with the mark, and what is stated about their number."""
    draft = listed(context, matches, sheets, "tally")
    count = sum(sheet.sheet_id in matches for sheet in sheets)
    draft.lines[0] = f"{wish.grade}評価のシートを数えると {count}件です（全{len(sheets)}件中{count}件）。"
    if stated and stated[0].count != count:
        draft.how = "contradiction"
        draft.lines.insert(1, f"資料に書かれた件数（{stated[0].count}件）とは一致していません。両方の根拠を示します。")
        for place, one in enumerate(stated, 2):
            draft.lines.insert(place, _cited(draft, wish, one))
    return draft
