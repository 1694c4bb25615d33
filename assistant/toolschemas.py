"""What the tools for language models take, and the one answer that the HTTP interface has not: figures of many sheets.

The descriptions are read by the models that call the tools.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from assistant.characters import clean_text
from assistant.schemas import CitationJson, PeriodJson
from index.types import Filters, Order

Operation = Literal["list", "sum", "rank", "compare"]
Word = Annotated[StrictStr, AfterValidator(clean_text)]
Names = list[Word]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _PlaceArguments(_Arguments):
    municipality: Names = Field(default_factory=list, max_length=200, description="自治体名（どれか）。空ならすべて")
    department: Names = Field(default_factory=list, max_length=200, description="部課名（どれか）。空ならすべて")


class _FilterArguments(_PlaceArguments):
    fiscal_year: list[StrictInt] = Field(
        default_factory=list, max_length=200, description="シートが報告する年度（西暦。令和6年度は 2024）"
    )
    rating: Names = Field(default_factory=list, max_length=200, description="評価（総合評価：A、または A だけ）")

    def filters(self, section: Names | None = None) -> Filters:
        """The same as the index takes them; a year that no calendar has can match nothing."""
        return Filters(
            municipality=tuple(self.municipality),
            fiscal_year=tuple(min(max(year, 0), 9999) for year in self.fiscal_year),
            department=tuple(self.department),
            section=tuple(section or ()),
            rating=tuple(self.rating),
        )


class AskArguments(_FilterArguments):
    """A question in everyday words."""

    question: Word = Field(
        description="質問（2,000字まで）。earlier がなければ、前の会話を知らなくても意味が通る一文で書く"
    )
    earlier: list[Annotated[Word, Field(max_length=2_000)]] = Field(
        default_factory=list,
        max_length=20,
        description="利用者のこれまでの質問（古い順）。「その予算は？」のような続きの質問をそのまま渡すときに添える",
    )
    reading: Literal["calendar", "fiscal", "both"] | None = Field(
        default=None, description="「2025年」のような年の数え方: calendar（暦年）、fiscal（年度）、both。普通は要らない"
    )
    sheet_id: Word | None = Field(
        default=None,
        max_length=200,
        description="同じ名前のシートが複数あるとき（interpretation.namesakes）、どれを指すか",
    )


class SearchArguments(_FilterArguments):
    """Words or a sentence to look for."""

    query: Word = Field(description="探す言葉か文（2,000字まで）")
    k: int = Field(default=10, ge=1, le=50, description="件数")
    offset: int = Field(default=0, ge=0, le=100_000, description="何件目から（続きを見るとき）")
    section: Names = Field(
        default_factory=list, max_length=200, description="欄の名前（今後の計画 など）。空ならすべて"
    )
    sort: Order = Field(
        default="relevance", description="relevance（近い順）、year（新しい順）、amount（決算額順）、name"
    )


class SheetArguments(_Arguments):
    """Which sheet."""

    sheet_id: Word = Field(max_length=200, description="シートの ID（ほかのツールの結果にある sheet_id）")


class ListArguments(_FilterArguments):
    """Which sheets."""

    limit: int = Field(default=50, ge=1, le=500, description="件数")
    offset: int = Field(default=0, ge=0, le=10_000_000, description="何件目から（続きを見るとき）")


class FactArguments(_PlaceArguments):
    """Which figures, and what to do with them."""

    field: Word = Field(
        min_length=1, max_length=100, description="項目の名前: 決算額、予算額、人件費、執行率、または指標の名前"
    )
    operation: Operation = Field(
        default="list",
        description="list: 印刷された数値を一つずつ、sum: 合計と平均、rank: 大きい順（小さい順）、compare: まとまりごとの合計",
    )
    fiscal_year: list[StrictInt] = Field(
        default_factory=list, max_length=50, description="数値の年度（西暦）。list のほかでは必ず指定する"
    )
    sheet: Word = Field(default="", max_length=200, description="事業名・システム名の一部。空ならすべて")
    kind: Literal["plan", "actual"] | None = Field(
        default=None, description="plan: 予算や目標、actual: 決算や実績。空なら実績を先に使う"
    )
    by: Literal["municipality", "fiscal_year", "department"] = Field(
        default="municipality", description="compare のまとまり"
    )
    order: Literal["desc", "asc"] | None = Field(default=None, description="値の大きい順か小さい順（rank は desc）")
    limit: int = Field(default=20, ge=1, le=200, description="返す数値の件数（合計はすべてについて計算する）")
    offset: int = Field(default=0, ge=0, le=1_000_000, description="何件目から（続きを見るとき）")


class FigureJson(BaseModel):
    """One figure; amounts are in 円. ``citations`` are the numbers of the quotes that print it.

    ``rank`` is given for rank alone, equal figures having the same. ``fiscal_year`` is the year that the sheet reports
    on, ``period`` the figure's own. ``inferred`` says that no label beside the value proves the reading.
    """

    rank: int | None
    sheet_id: str
    sheet: str
    municipality: str
    fiscal_year: int | None
    department: str
    field: str
    label: str
    period: PeriodJson | None
    kind: Literal["plan", "actual"] | None
    value: int | float
    unit: str
    inferred: bool
    citations: list[int]


class TotalJson(BaseModel):
    """What ``count`` figures of one unit make together; ``name`` is the group of compare, empty for all of them."""

    name: str
    unit: str
    count: int
    total: int | float
    mean: int | float


class FactsJson(BaseModel):
    """Figures of the sheets: ``total`` were found in ``sheets`` sheets, ``figures`` are those from an offset on.

    ``totals`` are over all that were found (none for list), ``citations`` prove the figures that are shown, and
    ``notes`` say in Japanese what to mind.
    """

    operation: Operation
    field: str
    fiscal_years: list[int]
    sheets: int
    total: int
    figures: list[FigureJson]
    totals: list[TotalJson]
    citations: list[CitationJson]
    notes: list[str]
    index_version: str
