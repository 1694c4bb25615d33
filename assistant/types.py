"""What a question becomes and what an answer is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from corpus.documents import Sheet, Span
from corpus.periods import Period
from index.types import Filters, Passage

Cell = str | int | float | None
Role = Literal["user", "assistant"]
State = Literal["根拠あり", "関連する記載のみ", "該当なし"]
"""Whether the sheets answer, only say something near to it, or say nothing of it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered quote: ``quote`` equals the document's text from ``span.start`` to ``span.end``.

    ``where`` is its place in words (3ページ), empty where the file has no places.
    """

    n: int
    sheet: Sheet
    section: str
    quote: str
    span: Span
    where: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of an answer; ``citations[i]`` are the numbers of the citations behind row i."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    citations: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One named line or bar group; ``values`` stand over the chart's ``x``, None where there is no figure."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A line over periods or bars over sheets."""

    kind: Literal["line", "bar"]
    x: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How the question was read; ``text`` is the line shown (解釈: …).

    ``told_by`` says how the intent was told: ``cue``, ``model`` or ``default``; ``sure`` is the model's probability for
    its own guess (0 to 1), None where a cue stood and it was not asked.
    """

    intent: str
    period: Period | None
    filters: Filters
    text: str
    told_by: str = "cue"
    sure: float | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """What was looked for, as understood, in how many sheets; ``missing`` says in Japanese what is not there."""

    count: int
    municipalities: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class WhyStep:
    """One step on the way to an answer, in Japanese: what (期間) and with what result (令和7年度 …)."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Considered:
    """A passage that was weighed; ``words`` and ``meaning`` are the parts of ``score``, all between 0 and 1."""

    sheet: str
    sheet_id: str
    section: str
    score: float
    chance: float
    words: float
    meaning: float


@dataclass(frozen=True, slots=True)
class Why:
    """How an answer came about; ``considered`` is empty where the question named its sheets and nothing was searched."""

    steps: tuple[WhyStep, ...] = ()
    considered: tuple[Considered, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Markdown with [1] marks, its citations, and how it came about."""

    answer: str
    abstained: bool
    citations: tuple[Citation, ...]
    interpretation: Interpretation
    index_version: str
    took_ms: float
    table: Table | None = None
    chart: Chart | None = None
    related: tuple[Passage, ...] = ()
    suggestions: tuple[str, ...] = ()
    debug: dict[str, object] = field(default_factory=dict)
    state: State = "根拠あり"
    searched: Searched = Searched(0)
    why: Why = Why()


@dataclass(frozen=True, slots=True)
class DateSpan:
    """A period as the contract prints it."""

    label: str
    start: date
    end: date
