"""The shapes of OpenAI's chat completions as far as hyoka speaks them, and what stands under its own key ``hyoka``.

Programs send much that hyoka has no use for (temperature, seed, user …): unknown keys are let be, and only what would make
an answer something else than what was asked for is refused (:mod:`assistant.completions`).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from assistant.refusals import clean_text
from assistant.requests import ChoicesJson
from assistant.schemas import AnswerJson, FiltersJson, Text
from assistant.types import Turn

MODEL = "hyoka"
"""The name of the one model."""

MOST_TURNS = 200
_READ = ("text", "refusal", "input_text", "output_text")  # parts of a message that are text


class PartJson(BaseModel):
    """One part of a message; only text can be read."""

    type: Text
    text: Text | None = None


class MessageJson(BaseModel):
    """One message. Those of system, developer and tools are taken and read for nothing: hyoka follows no instructions."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | list[PartJson] | None = None

    @property
    def text(self) -> str:
        """What of it is text."""
        if isinstance(self.content, list):
            return "\n".join(part.text or "" for part in self.content if part.type in _READ)
        return self.content or ""

    @property
    def others(self) -> list[str]:
        """The types of its parts that are no text."""
        return [part.type for part in self.content if part.type not in _READ] if isinstance(self.content, list) else []


class StreamOptionsJson(BaseModel):
    """What a stream tells beside the answer."""

    include_usage: StrictBool | None = None


class ExtraJson(ChoicesJson):
    """What ``POST /api/v1/ask`` takes and OpenAI does not know."""

    model_config = ConfigDict(extra="forbid")

    filters: FiltersJson | None = Field(default=None, description="絞り込み")


class CompletionAskJson(BaseModel):
    """The body of ``POST /v1/chat/completions``; keys that are not here are let be."""

    model: Text = Field(description="hyoka", examples=[MODEL])
    messages: list[MessageJson] = Field(
        min_length=1,
        max_length=2_000,
        description="会話（古い順）。最後の user が質問、その前の user と assistant が履歴",
    )
    stream: StrictBool | None = Field(default=None, description="true なら server-sent events で少しずつ返す")
    stream_options: StreamOptionsJson | None = None
    n: StrictInt | None = Field(default=None, description="1 だけ")
    tools: list[Any] | None = Field(default=None, description="受け取るだけで使わない")
    tool_choice: Any = Field(default=None, description="auto か none だけ")
    functions: list[Any] | None = Field(default=None, description="受け取るだけで使わない")
    function_call: Any = Field(default=None, description="auto か none だけ")
    response_format: dict[str, Any] | None = Field(default=None, description='{"type": "text"} だけ')
    logprobs: StrictBool | None = Field(default=None, description="false だけ")
    modalities: list[Text] | None = Field(default=None, description='["text"] だけ')
    hyoka: ExtraJson | None = Field(default=None, description="絞り込みと質問の読み方（POST /api/v1/ask と同じ）")

    @property
    def at(self) -> int | None:
        """Where the question stands among the messages: the last of a user."""
        return next((at for at in reversed(range(len(self.messages))) if self.messages[at].role == "user"), None)

    def history(self, before: int) -> list[Turn]:
        """What people and assistants said before that message, the latest :data:`MOST_TURNS` of it."""
        turns = [
            Turn("user" if one.role == "user" else "assistant", text)
            for one in self.messages[:before]
            if one.role in ("user", "assistant") and (text := clean_text(one.text))
        ]
        return turns[-MOST_TURNS:]


class UrlCitationJson(BaseModel):
    """Characters ``start_index:end_index`` (code points) of the content, and the page that proves what stands there."""

    start_index: int
    end_index: int
    title: str
    url: str


class AnnotationJson(BaseModel):
    """One mark ``[^1]`` in the text of an answer."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitationJson


class CompletionMessageJson(BaseModel):
    """The answer as Markdown with footnotes."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[AnnotationJson]


class CompletionChoiceJson(BaseModel):
    """The only one."""

    index: Literal[0] = 0
    message: CompletionMessageJson
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class UsageJson(BaseModel):
    """Characters (code points): there are no tokens where there is no language model."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionJson(BaseModel):
    """The answer to ``POST /v1/chat/completions``; ``hyoka`` is what ``POST /api/v1/ask`` says to the same question."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    system_fingerprint: str = Field(description="索引の版")
    choices: list[CompletionChoiceJson]
    usage: UsageJson
    hyoka: AnswerJson


class ModelJson(BaseModel):
    """One model; there is only one."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int
    owned_by: str = MODEL


class ModelListJson(BaseModel):
    """The answer to ``GET /v1/models``."""

    object: Literal["list"] = "list"
    data: list[ModelJson]


class CompletionErrorBodyJson(BaseModel):
    """What went wrong, as OpenAI's clients read it; ``message`` is Japanese."""

    message: str
    type: str
    param: str | None
    code: str


class CompletionErrorJson(BaseModel):
    """Every answer under ``/v1`` with a status of 400 or more."""

    error: CompletionErrorBodyJson
