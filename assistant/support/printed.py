"""Numbers and dates of a clause held against those that one statement prints."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.support.evidence import Source, Statement
from assistant.support.quantities import Figure, Quantities, When


def missing_figure(said: Quantities, text: str, statement: Statement) -> str:
    """The first figure that the statement does not print; of several of one unit the words beside them decide."""
    printed = statement.said.figures
    for figure in said.figures:
        places = [at for at, other in enumerate(printed) if figure.same(other)]
        if not places:
            return text[figure.start : figure.end]
        rivals = [at for at, o in enumerate(printed) if o.unit == figure.unit and not figure.same(o)]
        spans = [(one.start, one.end) for one in printed]
        own = (figure.start, figure.end)
        if rivals and not beside(text, own, statement.text, [spans[p] for p in places], [spans[r] for r in rivals]):
            return text[figure.start : figure.end]
    return ""


Stretch = tuple[int, int]


def beside(text: str, own: Stretch, printed: str, places: Sequence[Stretch], rivals: Sequence[Stretch]) -> bool:
    """Whether the words around a number or date are those around the same one of the passage rather than another."""

    def near(line: str, span: Stretch) -> set[str]:
        around = line[max(0, span[0] - 14) : span[0]] + "\0" + line[span[1] : span[1] + 8]
        return {around[i : i + 2] for i in range(len(around) - 1) if around[i : i + 2].strip("\0。、 ")}

    said = near(text, own)
    here = max(len(said & near(printed, span)) for span in places)
    there = max(len(said & near(printed, span)) for span in rivals)
    return here > there


def typed(figures: Sequence[Figure], source: Source) -> bool:
    """Whether any of the figures has the value of a fact that was read from the passage."""
    values = {round(fact.value, 6) for fact in source.facts if fact.value is not None}
    return any(round(figure.value, 6) in values for figure in figures)


def dated(date: When, text: str, said: Quantities, statement: Statement) -> bool:
    """Whether a date of the sentence is one of the statement, or the year its sheet reports on."""
    same: list[Stretch] = []
    rivals: list[Stretch] = []
    for printed in statement.said.dates:
        if printed.relative and not date.relative and printed.compared != date.compared:
            continue
        if date.relative and date.start is None:
            continue
        (same if date.within(printed) else rivals).append(printed.at)
    if same and (not rivals or beside(text, date.at, statement.text, same, rivals)):
        return True
    words = text[date.at[0] : date.at[1]]
    if date.relative and words in statement.head:
        return True
    if statement.year is None or date.kind != "fiscal_year" or date.start is None or date.compared:
        return False
    if date.start.year != statement.year:
        return False
    own = [d for d in statement.said.dates if not (d.relative and d.compared)]
    # A statement with dates of its own is about those: 「令和6年度に更新する」 is not said by 「令和8年8月に更新する」.
    return not own or any(d.within(p) for d in said.dates if d is not date for p in own)
