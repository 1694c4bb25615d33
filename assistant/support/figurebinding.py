"""Figures of a sentence held against typed facts: of which sheet, which row, which year, plan or actual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.support.evidence import Source
from assistant.support.quantities import Figure, Quantities, When, plain, quantities
from assistant.support.vocabulary import vocabulary
from assistant.support.wording import wording
from assistant.vocabulary import asked_fields, find_fields
from corpus.documents import Fact, FactKind
from corpus.normalize import squeeze

_AGAINST = re.compile(
    r"に対し|に対する|のところ|を(?:上|下)回|を超え|に(?:は)?(?:\S{0,8}[^\d])?(?:及ば|届か|足り)|及ばず"
)
_FROM = re.compile(r"\S{0,3}?から[^\d、。]{0,3}(?:約|およそ)?")
_NOTE = re.compile(r"※.*|^(?:活動|成果)指標[:：]", re.S)
_OF = re.compile(r"(?:の|は|に|が|、|,|約|およそ|\s){0,4}")
_COMING = re.compile(r"[^\d、。]{0,10}?(?:見込|予定|計画)")
_ITS_KIND = re.compile(r"\D{0,3}?(?:の|という)(?=([一-龥]{2}))")
_BEHIND = re.compile(r"\s?[(（]\s?$")


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure of a sentence with the fact that bears it out, and the source of that."""

    figure: Figure
    fact: Fact
    source: Source


@dataclass(frozen=True, slots=True)
class Binding:
    """The facts behind the figures of a clause, and behind those said before it in the sentence."""

    own: list[Bound]
    earlier: list[Bound]


def bind(text: str, begin: int, end: int, sources: Sequence[Source]) -> Binding | None:
    """The facts behind the figures that stand in ``text[begin:end]``; None where one of them is borne out by none.

    ``text`` is the whole plain sentence: what a figure belongs to (a year, a row, a sheet) may have been said before.
    """
    own: list[Bound] = []
    earlier: list[Bound] = []
    said = quantities(text, sources[0].year if sources else None)
    for figure in said.figures:
        if figure.start >= end:
            break
        bound = _fact(text, figure, said, sources)
        if bound is not None:
            (own if begin <= figure.start else earlier).append(bound)
        elif begin <= figure.start and not _in_a_label(figure, sources):
            return None
    return Binding(own, earlier)


def _fact(text: str, figure: Figure, said: Quantities, sources: Sequence[Source]) -> Bound | None:
    candidates = [
        Bound(figure, fact, source)
        for source in _subject(text, figure, sources)
        for fact in source.facts
        if fact.value is not None and _equal(figure, fact, source)
    ]
    if not candidates:
        return None
    previous = max((other.end for other in said.figures if other.end <= figure.start), default=0)
    when = _when(text, figure, said.dates, previous)
    anchored = _anchored(when, said.dates, text) if when is not None and when.relative else None
    kind = _kind(text, figure, previous)
    row = _row(text, figure, previous, sources)
    alone = _only_row(text, sources)
    return next(
        (
            one
            for one in candidates
            if (_in_year(one, when, candidates) or _of_year(one, anchored) or _before(one, text, said, sources))
            and _of_kind(one.fact, kind)
            and (_of_row(one.fact, row) or one.fact.label == alone)
        ),
        None,
    )


def _of_year(one: Bound, year: int | None) -> bool:
    period = one.fact.period
    return year is not None and period is not None and period.kind == "fiscal_year" and period.fiscal_year == year


def _before(one: Bound, text: str, said: Quantities, sources: Sequence[Source]) -> bool:
    """「3.5人から4.0人に増え」: the first figure is of the year before the one that the second is of."""
    after = next((figure for figure in said.figures if figure.start >= one.figure.end), None)
    if after is None or not _FROM.fullmatch(text[one.figure.end : after.start]):
        return False
    later = _fact(text, after, said, sources)
    if later is None or later.fact.label != one.fact.label or (one.fact.kind, later.fact.kind) == ("plan", "actual"):
        return False
    first, second = one.fact.period, later.fact.period
    return first is not None and second is not None and second.fiscal_year == (first.fiscal_year or 0) + 1


def _in_a_label(figure: Figure, sources: Sequence[Source]) -> bool:
    """「市民1人が1日に出すごみ」: of the name 市民1人1日当たりのごみ排出量, and no figure of it."""
    labels = {fact.label for source in sources for fact in source.facts}
    return any(figure.same(named) for label in labels for named in quantities(plain(label), None).figures)


def _only_row(text: str, sources: Sequence[Source]) -> str:
    """The row of all figures cited, where it is one and the sentence says a word of its name (待機児童 for 待機児童数)."""
    labels = {fact.label for source in sources for fact in source.facts if fact.value is not None}
    if len(labels) != 1:
        return ""
    label = next(iter(labels))
    generic = vocabulary().generic
    named = [
        w.surface
        for w in wording(_NOTE.sub("", label)).said
        if w.noun and w.lemma not in generic and len(w.surface) > 1
    ]
    return label if any(name in text for name in named) else ""


def _equal(figure: Figure, fact: Fact, source: Source) -> bool:
    if figure.bound == "を超":  # 計画の12回を超える14回: what was exceeded is the figure itself
        figure = replace(figure, bound="")
    if not fact.unit and figure.unit and figure.unit in plain(source.quote):  # printed in the row, in a cell of its own
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
    for date in dates:  # 前年度の1,652回から
        if date.at[1] <= figure.start and date.at[1] >= previous and _OF.fullmatch(text[date.at[1] : figure.start]):
            return date
    before = [date for date in dates if date.at[1] <= figure.start and not (date.compared and date.relative)]
    if before:
        return before[-1]
    return dates[0] if dates else None


def _anchored(when: When, dates: Sequence[When], text: str) -> int | None:
    """The fiscal year of 翌年度 and 前年度 behind a year that the sentence names."""
    step = {"翌": 1, "次": 1, "前": -1}.get(text[when.at[0]])
    named = [d for d in dates if d.kind == "fiscal_year" and not d.relative and d.at[1] <= when.at[0] and d.start]
    return named[-1].start.year + step if step and named and named[-1].start else None


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
    behind = _ITS_KIND.match(text, figure.end)
    own = _last_kind(behind[1]) if behind is not None else None  # 9.0kmの目標に対し
    own = own or _last_kind(text[previous : figure.start])
    if own is not None:
        return own
    earlier = _last_kind(text[:previous])
    if earlier is not None and _AGAINST.search(text[previous : figure.start]):
        return "actual" if earlier == "plan" else None
    return earlier or ("plan" if _COMING.match(text, figure.end) else None)


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
