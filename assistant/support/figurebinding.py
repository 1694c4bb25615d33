"""Figures of a sentence held against typed facts: of which sheet, which row, which year, plan or actual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.support.evidence import Source
from assistant.support.quantities import Figure, When, quantities
from assistant.support.vocabulary import vocabulary
from assistant.vocabulary import asked_fields, find_fields
from corpus.documents import Fact, FactKind
from corpus.normalize import squeeze

_AGAINST = re.compile(r"に対し|に対する|のところ|を(?:上|下)回")
_BEHIND = re.compile(r"\s?[(（]\s?$")


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure of a sentence with the fact that bears it out, and the source of that."""

    figure: Figure
    fact: Fact
    source: Source


def bind(text: str, begin: int, end: int, sources: Sequence[Source]) -> list[Bound] | None:
    """The facts behind the figures that stand in ``text[begin:end]``; None where one of them is borne out by none.

    ``text`` is the whole plain sentence: what a figure belongs to (a year, a row, a sheet) may have been said before.
    """
    found: list[Bound] = []
    year = sources[0].year if sources else None
    said = quantities(text, year)
    inside = [figure for figure in said.figures if begin <= figure.start < end]
    for figure in inside:
        candidates = [
            Bound(figure, fact, source)
            for source in _subject(text, figure, sources)
            for fact in source.facts
            if fact.value is not None and _equal(figure, fact, source)
        ]
        previous = max((other.end for other in said.figures if other.end <= figure.start), default=0)
        when = _when(text, figure, said.dates, previous)
        kind = _kind(text, figure, previous)
        row = _row(text, figure, previous, sources)
        fits = [
            one
            for one in candidates
            if _in_year(one, when, candidates) and _of_kind(one.fact, kind) and _of_row(one.fact, row)
        ]
        if not fits:
            return None
        found.append(fits[0])
    return found


def _equal(figure: Figure, fact: Fact, source: Source) -> bool:
    if not fact.unit and figure.unit and figure.unit in source.quote:  # printed in the row, in a cell of its own
        return figure.same(Figure(fact.value or 0.0, figure.unit, "", 0, 0))
    value = fact.value or 0.0
    printed = quantities(f"{value:.15g}{fact.unit}", None).figures  # 934 of 千件 are 934,000件
    return len(printed) == 1 and figure.same(printed[0])


def _subject(text: str, figure: Figure, sources: Sequence[Source]) -> list[Source]:
    """The sources that a figure can be of: those of the sheet named last before it, all where there is but one sheet."""
    sheets = list(dict.fromkeys(source.sheet for source in sources))
    if len(sheets) < 2:
        return list(sources)
    placed = [(at, sheet) for sheet in sheets for at in (text.rfind(_spelt(sheet, text), 0, figure.start),) if at >= 0]
    if not placed:
        return []
    nearest = max(placed)[1]
    return [source for source in sources if source.sheet == nearest]


def _spelt(sheet: str, text: str) -> str:
    key = "".join(sheet.split())
    return key if key in text else sheet


def _when(text: str, figure: Figure, dates: Sequence[When], previous: int) -> When | None:
    """The date a figure is of: the one in brackets behind it, else the last before it, else the first after it."""
    for date in dates:
        if figure.end <= date.at[0] and _BEHIND.fullmatch(text[figure.end : date.at[0]]):
            return date
    before = [date for date in dates if date.at[1] <= figure.start and not (date.compared and date.relative)]
    if before:
        return before[-1]
    return dates[0] if dates else None


def _in_year(one: Bound, when: When | None, candidates: Sequence[Bound]) -> bool:
    period = one.fact.period
    year = period.fiscal_year if period is not None else one.source.year
    if when is None:
        return year == one.source.year
    if when.start is None or when.end is None:
        return False
    if period is not None and (when.start, when.end) == (period.start, period.end):
        return True
    # R5 and 令和5年度 are fiscal years; 2023年 is not, where figures are of fiscal years.
    return when.kind == "fiscal_year" and when.start.year == year and (period is None or period.kind == "fiscal_year")


def _kind(text: str, figure: Figure, previous: int) -> FactKind | None:
    """Plan or actual, by the word nearest before a figure; 「目標190日に対し188日」: the other of the two."""
    own = _last_kind(text[previous : figure.start])
    if own is not None:
        return own
    earlier = _last_kind(text[:previous])
    if earlier is not None and _AGAINST.search(text[previous : figure.start]):
        return "actual" if earlier == "plan" else None
    return earlier


def _last_kind(text: str) -> FactKind | None:
    placed = [(text.rfind(word), kind) for word, kind in vocabulary().kinds if word in text]
    return max(placed)[1] if placed else None


def _of_kind(fact: Fact, kind: FactKind | None) -> bool:
    if fact.kind is None:
        return kind is None or kind == "actual"
    if kind is None:
        return fact.kind == "actual" or any(word in fact.label for word, k in vocabulary().kinds if k == "plan")
    return fact.kind == kind


def _row(text: str, figure: Figure, previous: int, sources: Sequence[Source]) -> str:
    """The name of the row a figure is of: the last label said before it, else the first behind it."""
    labels = {
        squeeze(name)
        for source in sources
        for fact in source.facts
        for name in (fact.label, fact.field)
        if len(name) > 1 and name not in ("指標", "活動指標", "成果指標")
    }
    labels |= {phrase for field in asked_fields() if field.type in ("amount", "number") for phrase in field.ask}
    key = text.lower()
    kinds = {word for word, _ in vocabulary().kinds}
    since = _placed(key[previous : figure.start], labels)
    own = [hit for hit in since if hit[2] not in kinds]  # その他特定財源の決算: a row, and of which kind
    before = own or [hit for hit in _placed(key[:previous], labels) if hit[2] not in kinds] or since
    if before or (before := _placed(key[:previous], labels)):
        return max(before, key=lambda hit: (hit[1], hit[1] - hit[0]))[2]
    behind = _placed(key[figure.end :], labels)
    return min(behind, key=lambda hit: (hit[0], hit[0] - hit[1]))[2] if behind else ""


def _placed(text: str, labels: set[str]) -> list[tuple[int, int, str]]:
    hits = [(at, at + len(label), label) for label in labels for at in (_found(label, text),) if at >= 0]
    return [h for h in hits if not any(o is not h and o[0] <= h[0] and h[1] <= o[1] and o[2] != h[2] for o in hits)]


def _found(label: str, text: str) -> int:
    """Where a label stands last: 年間延べ宿泊客数 also as 年間の延べ宿泊客数; -1 where it does not."""
    at = text.rfind(label)
    if at < 0 and 4 <= len(label) <= 30 and "の" in text:
        for found in re.finditer("の?".join(map(re.escape, label)), text):
            at = found.start()
    return at


def _of_row(fact: Fact, row: str) -> bool:
    label, field = squeeze(fact.label), squeeze(fact.field)
    if not row:
        return False
    if row in (label, field) or row == label.removesuffix("額") or label == row + "額" or field == row + "額":
        return True
    asked = [one for one, start, end in find_fields(row) if end - start == len(row)]
    return any(one.fits(fact.label, fact.field) for one in asked)
