"""The shapes of the JSON that programs send over HTTP, as pydantic models; the answers' stand in ``schemas``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.schemas import FiltersJson, Text
from assistant.types import Turn


class TurnJson(BaseModel):
    """One earlier message."""

    role: Literal["user", "assistant"]
    content: Text = Field(max_length=100_000)

    def turn(self) -> Turn:
        """The same as the value the assistant takes."""
        return Turn(role=self.role, content=self.content)


class AskJson(BaseModel):
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
    index_version: Text = Field(default="", max_length=200)
