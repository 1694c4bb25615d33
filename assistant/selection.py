"""Which sheets meet the conditions of a question: grades, choices, departments, changes between years.

Each condition is a function from the sheets in scope to the facts (or sections) that prove it, so that a list can name
every match and cite each one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.context import Context
from assistant.timespans import AskedPeriod, periods_of
from assistant.vocabulary import AskedField, field, find_fields
from corpus.documents import Fact, Sheet, Span
from corpus.normalize import squeeze
from corpus.periods import Period

_GRADE = re.compile(r"(?<![a-z0-9])([sabcde])(?:評価|ランク|判定)?(?![a-z0-9])")
# A mark at the head of a cell (「Ａ：適切」).
_RATED = re.compile(r"^[A-ESＡ-ＥＳa-e](?![A-Za-z0-9])")
_NOT = re.compile(r"(評価|判定)?(でない|ではない|でなかった|ではなかった|じゃない|以外)")
_GRADE_WORDS = re.compile(r"評価|ランク|判定|総括|達成|取組(?:状況)?[はが]")
_GRADED = re.compile(r"だった|なのに|から|→|で、|、|の(?:システム|事業|もの)|という")
_RATING = re.compile(r"評価|判定|ランク|総括|達成|有効|効率|必要|妥当|進捗|公平|優先")
# A document is named by at least so many characters of its title in one stretch.
_TITLE = 6
_ANY_YEAR = re.compile(r"一度でも|いずれか|1度でも|どこかで|過去に")
_OVERALL = re.compile(r"総括|最終|通算|計画期間|全体の評価|3年間の")
_SINGLE = re.compile(r"単年度|取組状況|年度評価|進捗")


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that a sheet meets a condition: a stretch of it with the label it stands under.

    ``figure`` is the value that meets it, where the condition is on a figure.
    """

    sheet: Sheet
    label: str
    span: Span
    reading: str
    figure: str = ""


Matches = dict[str, list[Proof]]


@dataclass(frozen=True, slots=True)
class GradeWish:
    """A grade with the rating rows and the period it is asked of; ``other``: every grade but this one (Ａ評価以外)."""

    grade: str
    fields: tuple[AskedField, ...]
    periods: tuple[AskedPeriod, ...]
    overall: bool
    single: bool
    other: bool = False


def grade_wishes(context: Context) -> list[GradeWish]:
    """Each grade of the question with the rating it belongs to: 「R3はA評価なのに総括はB評価」 gives two."""
    key = context.query.key
    hits = [
        found
        for found in _GRADE.finditer(key)
        if _GRADE_WORDS.search(key[max(0, found.start() - 12) : found.end() + 3]) or _GRADED.match(key, found.end())
    ]
    wishes: list[GradeWish] = []
    begin = 0
    for found in hits:
        segment = key[begin : found.end()]
        fields = tuple(f for f, _, _ in find_fields(segment) if f.type == "rating" or is_rating(f.name))
        periods = periods_of(segment, context.catalogue.latest_year)
        overall, single = bool(_OVERALL.search(segment)), bool(_SINGLE.search(segment))
        other = _NOT.match(key, found.end()) is not None
        wishes.append(GradeWish(found[1].upper(), fields, periods, overall, single, other))
        begin = found.end()
    # 「Ａでない、Ｂ評価の」: what is said positively decides.
    return [wish for wish in wishes if not wish.other] or wishes


def by_grade(context: Context, wish: GradeWish, sheets: Sequence[Sheet]) -> Matches:
    """Sheets with the grade in the rating asked for.

    A summary table's row counts for the sheet of that name where any year is asked for, and where the sheets themselves
    print no rating of the asked year.
    """
    any_year = bool(_ANY_YEAR.search(context.query.key))
    names = {squeeze(s.name): s for s in sheets}
    ids = {s.sheet_id: s for s in sheets}
    matches: Matches = defaultdict(list)
    tabled: Matches = defaultdict(list)
    own_year = False
    for found in context.index.facts():
        fact = found.fact
        if fact.value is not None:
            continue
        if not own_year and found.sheet.sheet_id in ids and not is_overall(fact):
            own_year = fact.period is not None and is_mark(fact.text) and _fits_year(fact, wish, context)
        if is_grade(fact.text, wish.grade) == wish.other or (wish.other and not is_mark(fact.text)):
            continue
        if found.sheet.kind == "programme" and not _RATING.search(squeeze(fact.label + fact.field)):
            continue  # 「Ｃ 義務的事業」 is a class of business, not a grade
        sheet = ids.get(found.sheet.sheet_id)
        if sheet is None:
            dated = fact.period is not None and not wish.overall and bool(wish.periods or context.query.periods)
            if found.sheet.kind != "document" or not (any_year or dated):
                continue
            sheet = _named_row(squeeze(fact.label), names, found.sheet)
            if sheet is None or not _fits_year(fact, wish, context) or (not any_year and is_overall(fact)):
                continue
        elif not any_year and not _fits_rating(fact, wish, context):
            continue
        when = fact.period.label if fact.period else ""
        into = matches if any_year or found.sheet.kind != "document" else tabled
        into[sheet.sheet_id].append(
            Proof(found.sheet, fact.label, fact.quote, f"{when} {fact.label} {fact.text}".strip())
        )
    return matches if own_year or matches else tabled


def is_mark(text: str) -> bool:
    """Whether a cell begins with a mark (Ａ：適切) and is neither a word nor a dash."""
    return _RATED.search(text) is not None


def is_overall(fact: Fact) -> bool:
    """Whether a rating is of the whole plan (総括) and not of a year."""
    return bool(_OVERALL.search(squeeze(fact.label + fact.field))) or field("総括評価").fits(fact.label, fact.field)


def is_grade(text: str, grade: str) -> bool:
    """Whether a cell begins with that mark and not with a word that begins with its letter."""
    key = squeeze(text).upper()
    return key[:1] == grade and (len(key) == 1 or not key[1].isalnum() or not key[1].isascii())


def _named_row(key: str, names: dict[str, Sheet], document: Sheet) -> Sheet | None:
    if key in names and names[key].municipality == document.municipality:
        return names[key]
    return next((s for n, s in names.items() if s.municipality == document.municipality and n.startswith(key)), None)


def _fits_year(fact: Fact, wish: GradeWish, context: Context) -> bool:
    periods = wish.periods or context.query.periods
    if not periods or fact.period is None:
        return True
    return any(reading.overlaps(fact.period) for asked in periods for reading in asked.readings)


def _fits_rating(fact: Fact, wish: GradeWish, context: Context) -> bool:
    overall = is_overall(fact)
    if wish.overall:
        return overall
    if overall and (wish.single or wish.periods or context.query.periods):
        return False
    strong = [f for f in wish.fields if not f.weak]
    if strong and not any(f.fits(fact.label, fact.field) for f in strong):
        return False
    if not strong and not field("評価").fits(fact.label, fact.field):
        return False
    return _fits_year(fact, wish, context)


def by_department(context: Context, sheets: Sequence[Sheet]) -> Matches:
    """Sheets of the departments the question names, proved by the cell that prints the department."""
    wanted = set(context.query.departments)
    return {s.sheet_id: [department_proof(context, s)] for s in sheets if s.department in wanted}


def department_proof(context: Context, sheet: Sheet) -> Proof:
    """Where a sheet prints its department; the head of the sheet where no cell of its own was found for it."""
    for cell in context.index.facts([sheet.sheet_id], ["担当課"]):
        return Proof(sheet, cell.fact.label, cell.fact.quote, sheet.department)
    for found in context.index.sections([sheet.sheet_id], ["担当課", "担当部"]):
        return Proof(sheet, found.section.label, found.section.span, sheet.department)
    return name_proof(context, sheet)


def name_proof(context: Context, sheet: Sheet) -> Proof:
    """Where a sheet prints its name, or else its first section."""
    sections = context.index.sections([sheet.sheet_id])
    for found in (*(s for s in sections if s.section.field == "事務事業名"), *sections):
        return Proof(sheet, found.section.label, found.section.span, sheet.name)
    return Proof(sheet, "", sheet.spans[0], sheet.name)


def overlap(first: Matches, second: Matches) -> Matches:
    """Sheets that meet both, with both proofs."""
    return {sheet_id: first[sheet_id] + second[sheet_id] for sheet_id in first if sheet_id in second}


def inside(fact: Fact, periods: Sequence[Period]) -> bool:
    """Whether a fact's period lies in one of the given ones."""
    return fact.period is not None and any(p.covers(fact.period) for p in periods)


def titled(context: Context, scope: Sequence[Sheet]) -> list[Sheet]:
    """The sheets of the file whose title the question names (進捗状況報告書), or all where it names none or several."""
    files = {s.file for s in scope if s.kind == "document" and _shared(context.query.key, squeeze(s.name)) >= _TITLE}
    return [s for s in scope if s.file in files] if len(files) == 1 else list(scope)


def _shared(key: str, name: str) -> int:
    """The length of the longest stretch of the question that stands in a title and says more than the ratings do."""
    best = 0
    for start in range(len(name)):
        end = start + best + 1
        while end <= len(name) and name[start:end] in key:
            best, end = end - start, end + 1
    return best


def is_rating(label: str) -> bool:
    """Whether a row's label is that of a rating (総合評価, 有効性) and not of another choice."""
    return _RATING.search(label) is not None
