"""Two figures of a sentence that are held against each other: an earlier year and a later one, or plan and actual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.support.figurebinding import Bound
from corpus.documents import Fact


@dataclass(frozen=True, slots=True)
class Pair:
    """``change`` is by how much the second is more."""

    first: Fact
    second: Fact

    @property
    def change(self) -> float:
        """In the unit of the figures."""
        return (self.second.value or 0.0) - (self.first.value or 0.0)


def over_years(said: Sequence[Bound]) -> Pair | None:
    """The last two figures said of one row in two years, the earlier first."""
    for later, earlier in zip(said[:0:-1], said[-2::-1], strict=True):
        one, other = earlier.fact, later.fact
        if one.label == other.label and one.period and other.period and one.period.start != other.period.start:
            return Pair(one, other) if one.period.start < other.period.start else Pair(other, one)
    return None


def against_plan(said: Sequence[Bound]) -> Pair | None:
    """The last plan and actual said of one year, the plan first."""
    for at in range(len(said) - 1, -1, -1):
        for before in range(at - 1, -1, -1):
            one, other = said[at].fact, said[before].fact
            same = one.period is not None and other.period is not None and one.period.start == other.period.start
            if same and {one.kind, other.kind} == {"plan", "actual"}:
                return Pair(one, other) if one.kind == "plan" else Pair(other, one)
    return None


def in_the_row(said: Bound, plan: bool) -> Pair | None:
    """A figure and what its row has beside it: the plan of its year (``plan``), or the figure of the year before."""
    one = said.fact
    for other in said.source.facts:
        if other.label != one.label or other.value is None or other.period is None or one.period is None:
            continue
        if plan and (one.kind, other.kind) == ("actual", "plan") and other.period.start == one.period.start:
            return Pair(other, one)
        before = (other.period.fiscal_year or 0) + 1 == one.period.fiscal_year
        if not plan and other.kind == one.kind and before:
            return Pair(other, one)
    return None
