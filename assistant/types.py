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


CarriedKind = Literal["municipality", "sheet", "department", "period", "question", "topic", "subset"]
"""What a follow-up takes over from the question before it."""
ReadingName = Literal["calendar", "fiscal"]
ReadingChoice = Literal["calendar", "fiscal", "both"]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decided about the way a question is read, beside its words; nothing where all is left to the assistant.

    ``without`` must not be carried over from earlier turns; ``reading`` is how a year of either sense is counted;
    ``sheet`` is the ``sheet_id`` that is meant among sheets of one name.
    """

    without: tuple[CarriedKind, ...] = ()
    reading: ReadingChoice | None = None
    sheet: str | None = None

    @property
    def made(self) -> bool:
        """Whether anything was decided."""
        return bool(self.without or self.reading or self.sheet)


NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation; ``choices`` are those its question was answered under."""

    role: Role
    content: str
    choices: Choices = NO_CHOICES


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
class Carried:
    """Something taken over from earlier turns; ``text`` is what it is, in words (図書館システム運用)."""

    kind: CarriedKind
    text: str


@dataclass(frozen=True, slots=True)
class YearReading:
    """One way of counting the years of a question: ``label`` is its days (令和7年度（2025年4月〜2026年3月）)."""

    name: ReadingName
    label: str
    used: bool


@dataclass(frozen=True, slots=True)
class Namesake:
    """A sheet among several of one name that the question may mean; ``label`` tells it apart (みなと野市 財政課).

    ``used`` says that it was looked at, ``cited`` that the answer quotes it.
    """

    sheet_id: str
    label: str
    used: bool
    cited: bool


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How the question was read; ``text`` is the line shown (解釈: …).

    ``told_by`` says how the intent was told: ``cue``, ``model`` or ``default``; ``sure`` is the model's probability for
    its own guess (0 to 1), None where a cue stood and it was not asked. ``carried`` came from earlier turns. ``readings``
    are both ways of counting the years, where the words allow both; ``namesakes`` the sheets of one name, where the
    words do not say which. Each can be decided with :class:`Choices`.
    """

    intent: str
    period: Period | None
    filters: Filters
    text: str
    told_by: str = "cue"
    sure: float | None = None
    carried: tuple[Carried, ...] = ()
    readings: tuple[YearReading, ...] = ()
    namesakes: tuple[Namesake, ...] = ()


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
class Dropped:
    """Sentences of a language model that were not shown: ``why`` for programs, ``text`` in Japanese, and how many."""

    why: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Generated:
    """What a language model wrote about an answer, only the sentences that its citations bear out.

    ``text`` has [1] marks of the answer's own ``citations``; ``took_ms`` is the time the model took.
    """

    text: str
    citations: tuple[int, ...]
    dropped: tuple[Dropped, ...]
    model: str
    took_ms: float


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
    generated: Generated | None = None


@dataclass(frozen=True, slots=True)
class DateSpan:
    """A period as the contract prints it."""

    label: str
    start: date
    end: date
