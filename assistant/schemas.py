"""The shapes of the JSON that goes over HTTP and out of ``--json``, as pydantic models.

The shapes are a contract (README, "HTTP"): a key is only added, never renamed. Offsets count code points of the
document's extracted text, and a ``quote`` is that text byte for byte.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from assistant.characters import clean_text
from assistant.types import CarriedKind, ReadingName
from corpus.documents import SheetKind
from index.types import Filters

Year = StrictInt
Text = StrictStr


class BoxJson(BaseModel):
    """A rectangle of a PDF's page in points, from the page's left and top edge."""

    page: int
    x0: float
    top: float
    x1: float
    bottom: float


class SourceJson(BaseModel):
    """Where a quote stands: characters ``start:end`` of ``GET /api/v1/sheets/{id}/source``; page None for text files.

    ``boxes`` are the lines and table cells of a PDF that hold the quote, ``cells`` the cells of a book (集計!B3); each
    holds the quote or a part of it, and may hold more. ``ocr_confidence`` (0 to 1) is the certainty of what OCR read of it,
    None where the characters stand in the file. ``masked`` says that characters of it are ＊ because they name staff: the
    quote and ``/source`` have the same ones, the file itself has others.
    """

    file: str
    page: int | None
    start: int
    end: int
    boxes: list[BoxJson]
    cells: list[str]
    ocr_confidence: float | None
    masked: bool = False


class CitationJson(BaseModel):
    """One numbered quote of an answer; ``where`` is its place in words (3ページ), empty where the file has none."""

    n: int
    municipality: str
    fiscal_year: int | None
    sheet: str
    sheet_id: str
    department: str
    section: str
    quote: str
    source: SourceJson
    where: str = ""


class TableJson(BaseModel):
    """Rows of an answer; ``citations[i]`` are the citation numbers behind row i."""

    columns: list[str]
    rows: list[list[str | int | float | None]]
    citations: list[list[int]]


class SeriesJson(BaseModel):
    """One named line or group of bars."""

    name: str
    values: list[int | float | None]


class ChartJson(BaseModel):
    """A line over periods or bars over sheets."""

    kind: Literal["line", "bar"]
    x: list[str]
    series: list[SeriesJson]
    unit: str


class PeriodJson(BaseModel):
    """A half-open interval of days with the way it was written."""

    label: str
    start: date
    end: date


class FiltersJson(BaseModel):
    """Any of the values of a field, all of the fields; an empty list filters nothing."""

    model_config = ConfigDict(extra="forbid")

    municipality: list[Text] = Field(default_factory=list, max_length=200, description="自治体名")
    fiscal_year: list[Year] = Field(default_factory=list, max_length=200, description="年度（西暦）")
    department: list[Text] = Field(default_factory=list, max_length=200, description="部課名")
    section: list[Text] = Field(default_factory=list, max_length=200, description="欄の名前（今後の計画 など）")
    rating: list[Text] = Field(default_factory=list, max_length=200, description="評価（総合評価：A、または A だけ）")
    budget: list[Text] = Field(default_factory=list, max_length=200, description="予算規模（1,000万〜1億円 など）")

    def filters(self) -> Filters:
        """The same as the value the index takes; a year that no calendar has can match nothing and is dropped late."""
        return Filters(
            municipality=tuple(map(clean_text, self.municipality)),
            fiscal_year=tuple(min(max(year, 0), 9999) for year in self.fiscal_year),
            department=tuple(map(clean_text, self.department)),
            section=tuple(map(clean_text, self.section)),
            rating=tuple(map(clean_text, self.rating)),
            budget=tuple(map(clean_text, self.budget)),
        )


class CarriedJson(BaseModel):
    """Something taken over from earlier turns; ``text`` is what it is, in words."""

    kind: CarriedKind
    text: str


class YearReadingJson(BaseModel):
    """One way of counting the years of a question, with its days."""

    name: ReadingName
    label: str
    used: bool


class NamesakeJson(BaseModel):
    """A sheet among several of one name that the question may mean; ``used``: looked at, ``cited``: quoted."""

    sheet_id: str
    label: str
    used: bool
    cited: bool


class InterpretationJson(BaseModel):
    """How the question was read."""

    intent: str
    period: PeriodJson | None
    filters: FiltersJson
    text: str
    told_by: str = "cue"
    sure: float | None = None
    carried: list[CarriedJson] = Field(default_factory=list, description="前の質問から引き継いだもの")
    readings: list[YearReadingJson] = Field(default_factory=list, description="年の数え方（言葉からは決まらないとき）")
    namesakes: list[NamesakeJson] = Field(
        default_factory=list, description="同じ名前のシート（言葉からは決まらないとき）"
    )


class WhyStepJson(BaseModel):
    """One step on the way to an answer, in Japanese."""

    what: str
    text: str


class ConsideredJson(BaseModel):
    """A passage that was weighed, with what its score (0 to 1) was made of."""

    sheet: str
    sheet_id: str
    section: str
    score: float
    chance: float
    words: float
    meaning: float


class WhyJson(BaseModel):
    """How an answer came about; nothing is ``considered`` where the question names its sheets."""

    steps: list[WhyStepJson]
    considered: list[ConsideredJson]


class HitJson(BaseModel):
    """A passage found by search; ``highlights`` are [start, end] within ``text``.

    ``score`` orders the hits of one search; ``chance`` (0 to 1) is how often a first hit of such a score is right.
    """

    sheet_id: str
    sheet: str
    municipality: str
    fiscal_year: int | None
    department: str
    section: str
    text: str
    source: SourceJson
    score: float
    chance: float
    highlights: list[tuple[int, int]]
    matched: list[Literal["name", "department", "label", "text"]] = Field(
        default_factory=list,
        description="言葉が一致した所（事業名、部課名、欄名、本文）。空なら意味だけで見つかったもの",
    )


class SearchedJson(BaseModel):
    """What was looked for, as understood, and what of it the sheets do not hold."""

    count: int = Field(description="探したシートの数")
    municipalities: list[str]
    sheets: list[str]
    departments: list[str]
    fields: list[str]
    periods: list[str]
    missing: str = Field(description="索引にないもの（あるとき）")


class DroppedJson(BaseModel):
    """Sentences of a language model that its citations do not bear out; they are counted, not shown."""

    why: str
    text: str
    count: int


class GeneratedJson(BaseModel):
    """AI生成: what a language model wrote about the answer, only the sentences that were borne out."""

    text: str
    citations: list[int]
    dropped: list[DroppedJson]
    model: str
    took_ms: float


class AnswerJson(BaseModel):
    """The answer to ``POST /api/v1/ask``."""

    answer: str
    abstained: bool
    state: Literal["根拠あり", "関連する記載のみ", "該当なし"]
    searched: SearchedJson
    citations: list[CitationJson]
    table: TableJson | None
    chart: ChartJson | None
    interpretation: InterpretationJson
    related: list[HitJson]
    suggestions: list[str]
    why: WhyJson
    index_version: str
    took_ms: float
    generated: GeneratedJson | None = Field(
        default=None, description="AI生成の要約（原文の引用ではありません。言語モデルを設定したときだけ）"
    )


class SearchJson(BaseModel):
    """The answer to ``GET /api/v1/search``."""

    total: int
    hits: list[HitJson]
    facets: dict[str, dict[str, int]]


class SheetJson(BaseModel):
    """One sheet's metadata."""

    sheet_id: str
    sheet: str
    kind: SheetKind
    municipality: str
    fiscal_year: int | None
    department: str
    file: str


class SheetListJson(BaseModel):
    """The answer to ``GET /api/v1/sheets``."""

    total: int
    sheets: list[SheetJson]


class SectionJson(BaseModel):
    """One labelled part of a sheet."""

    label: str
    field: str
    text: str
    source: SourceJson


class FactJson(BaseModel):
    """One figure; amounts are in 円. ``inferred`` says that no label beside the value proves the reading."""

    field: str
    label: str
    period: PeriodJson | None
    kind: Literal["plan", "actual"] | None
    value: int | float
    unit: str
    quote: str
    source: SourceJson
    inferred: bool


class RatingJson(BaseModel):
    """A rating or a choice (``A``, ``一部委託``)."""

    field: str
    label: str
    period: PeriodJson | None
    text: str
    quote: str
    source: SourceJson


class OtherYearJson(BaseModel):
    """The sheet of the same programme in another year."""

    sheet_id: str
    fiscal_year: int | None
    sheet: str
    department: str


class EventJson(BaseModel):
    """A dated statement; ``what`` is what happens then (導入, 更改, 契約満了 …), null when its words do not tell."""

    what: str | None
    period: PeriodJson
    quote: str
    source: SourceJson


class SheetDetailJson(SheetJson):
    """The answer to ``GET /api/v1/sheets/{id}``; ``other_years`` stand oldest first."""

    sections: list[SectionJson]
    facts: list[FactJson]
    ratings: list[RatingJson]
    other_years: list[OtherYearJson]
    events: list[EventJson]


class FeedbackStoredJson(BaseModel):
    """The answer to ``POST /api/v1/feedback``."""

    id: int


class ErrorBodyJson(BaseModel):
    """What went wrong, for a program (``code``) and for a person (``message``, Japanese)."""

    code: str
    message: str


class ErrorJson(BaseModel):
    """Every answer with a status of 400 or more."""

    error: ErrorBodyJson
