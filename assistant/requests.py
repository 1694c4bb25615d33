"""The shapes of the JSON that programs send over HTTP, as pydantic models; the answers' stand in ``schemas``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from assistant.refusals import clean_text
from assistant.schemas import FiltersJson, Text
from assistant.types import CarriedKind, Choices, ReadingChoice, Turn


class ChoicesJson(BaseModel):
    """What a person decided about how a question is read; all of it may be left out."""

    without: list[CarriedKind] = Field(
        default_factory=list,
        max_length=20,
        description="前の質問から引き継がないもの（interpretation.carried の kind）",
    )
    reading: ReadingChoice | None = Field(
        default=None, description="年の数え方: calendar（暦年だけ）、fiscal（年度だけ）、both（両方）"
    )
    sheet: Text | None = Field(
        default=None,
        max_length=200,
        description="同じ名前のシートのうち指すもの（interpretation.namesakes の sheet_id）",
    )

    def choices(self) -> Choices:
        """The same as the value the assistant takes."""
        return Choices(
            tuple(dict.fromkeys(self.without)), self.reading, None if self.sheet is None else clean_text(self.sheet)
        )


class TurnJson(ChoicesJson):
    """One earlier message; what was decided about an earlier question holds for what follows from it."""

    role: Literal["user", "assistant"]
    content: Text = Field(max_length=100_000)

    def turn(self) -> Turn:
        """The same as the value the assistant takes."""
        return Turn(self.role, clean_text(self.content), self.choices())


class AskJson(ChoicesJson):
    """The body of ``POST /api/v1/ask``; only ``question`` is required."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(description="質問（2,000字まで）", examples=["決算額が大きい事業を教えてください。"])
    history: list[TurnJson] | None = Field(default=None, max_length=200, description="これまでのやりとり（古い順）")
    filters: FiltersJson | None = Field(default=None, description="絞り込み")


class FeedbackJson(BaseModel):
    """The body of ``POST /api/v1/feedback``."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(min_length=1, max_length=10_000)
    answer: Text = Field(default="", max_length=100_000)
    rating: Literal["up", "down"]
    comment: Text = Field(default="", max_length=2_000)
    reason: Literal["", "evidence"] = Field(default="", description="down の理由: evidence（根拠が違う）")
    citations: list[StrictInt] = Field(default_factory=list, max_length=200, description="違うと思う引用の番号")
    index_version: Text = Field(default="", max_length=200)

    @model_validator(mode="after")
    def only_a_poor_answer_has_a_reason(self) -> FeedbackJson:
        """A reason or citations held to be wrong go with ``down``, the numbers once each and in order."""
        if self.rating == "up" and (self.reason or self.citations):
            raise ValueError("reason and citations go with rating down")
        self.citations = sorted({n for n in self.citations if 0 < n < 10_000})
        return self
