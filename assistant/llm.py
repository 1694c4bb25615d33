"""A language model on any server that speaks OpenAI's chat protocol: one call, one text, never longer than its seconds.

Nothing is sent unless an address is set, and only to that address: redirects are not followed, and proxies of the
environment are not used. A server that fails again and again is left alone for a while (:class:`Breaker`).
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, Protocol

from corpus.errors import ModelUnavailable

if TYPE_CHECKING:
    import httpx

    from assistant.settings import Settings

logger = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024  # of a response; a summary has a few thousand
MOST_TOKENS = 900
AT_ONCE = 8  # calls; one that its caller has given up counts until its thread has ended


def said(text: str) -> str:
    """What a model wrote without what it thought, whose beginning some servers keep to themselves.

    >>> said("<think>a</think>b<think>c</think>d"), said("a</think>b")
    ('bd', 'b')
    """
    *thoughts, last = text.split("</think>")
    before = (thought.partition("<think>") for thought in thoughts)
    return "".join(words for words, mark, _ in before if mark) + last


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the chat protocol."""

    role: Literal["system", "user"]
    content: str


class ChatModel(Protocol):
    """Writes a text. ``name`` is the model's, as shown beside what it wrote."""

    name: str

    def write(self, messages: Sequence[Message], seconds: float) -> str:
        """The text; raises ModelUnavailable within ``seconds`` where there is none."""
        ...


class Breaker:
    """Whether a server is worth asking: after ``most`` failures in a row not for ``pause`` seconds, twice as long each time.

    When the pause is over one call may try; ``clock`` tells seconds.
    """

    def __init__(
        self, most: int = 3, pause: float = 15.0, longest: float = 300.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most, self._first, self._longest, self._clock = most, pause, longest, clock
        self._lock = threading.Lock()
        self._failures, self._pause, self._again = 0, pause, 0.0

    def allows(self) -> bool:
        """Whether a call may be made now; one that may after a pause keeps the others waiting."""
        with self._lock:
            if self._failures < self._most:
                return True
            if self._clock() < self._again:
                return False
            self._again = self._clock() + self._pause
            return True

    def succeeded(self) -> None:
        """A call came back well."""
        with self._lock:
            self._failures, self._pause = 0, self._first

    def failed(self) -> None:
        """A call did not."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._most:
                self._again = self._clock() + self._pause
                self._pause = min(self._longest, 2 * self._pause)


class OpenAIModel:
    """A model behind ``base_url`` (``http://host:11434/v1``). Asks for a stream, takes a whole answer too."""

    def __init__(self, base_url: str, name: str, key: str = "", breaker: Breaker | None = None) -> None:
        import httpx  # here, not with the first question: importing it takes a part of its seconds

        self.name, self._library = name, httpx
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._breaker = Breaker() if breaker is None else breaker
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def write(self, messages: Sequence[Message], seconds: float) -> str:
        """See :class:`ChatModel`. The call goes on in a thread of its own and is given up when the seconds are over."""
        if seconds <= 0 or not self._breaker.allows():
            raise ModelUnavailable("言語モデルのサーバーを休ませています。")
        if not self._room.acquire(blocking=False):
            raise ModelUnavailable("言語モデルへの問い合わせが多すぎます。")
        call = _Call(self._url, self._headers, self._body(messages), seconds, self._room.release)
        threading.Thread(target=call.run, name="hyoka-llm", daemon=True).start()
        try:
            text = call.result(seconds)
        except ModelUnavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return text

    def _body(self, messages: Sequence[Message]) -> dict[str, Any]:
        return {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
            "stream": True,
        }


class _Call:
    """One request and what came of it."""

    def __init__(
        self, url: str, headers: dict[str, str], body: dict[str, Any], seconds: float, ended: Callable[[], None]
    ) -> None:
        self._url, self._headers, self._body, self._seconds, self._ended = url, headers, body, seconds, ended
        self._done = threading.Event()
        self._given_up = False
        self._text: str | None = None
        self._problem = ""

    def result(self, seconds: float) -> str:
        """The text, or ModelUnavailable when it failed or the seconds are over."""
        if not self._done.wait(seconds):
            self._given_up = True
            raise ModelUnavailable(f"言語モデルが{seconds:.1f}秒以内に答えませんでした。")
        if self._text is None:
            raise ModelUnavailable(self._problem)
        return self._text

    def run(self) -> None:
        """Makes the request."""
        try:
            self._text = said(self._received()).strip()
            if not self._text:
                self._text, self._problem = None, "言語モデルが何も書きませんでした。"
        except Exception as problem:  # whatever a strange server makes a library raise, there is no text
            self._problem = f"言語モデルから受け取れません（{type(problem).__name__}: {str(problem)[:200]}）。"
            logger.warning(self._problem)
        finally:
            self._done.set()
            self._ended()

    def _received(self) -> str:
        import httpx

        client = httpx.Client(timeout=self._seconds, follow_redirects=False, trust_env=False)
        with client, client.stream("POST", self._url, json=self._body, headers=self._headers) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            if "text/event-stream" in response.headers.get("content-type", ""):
                return _streamed(self._lines(response))
            return _whole("\n".join(self._lines(response)))

    def _lines(self, response: httpx.Response) -> Iterator[str]:
        """The lines of a response, as long as somebody waits for them and up to a size."""
        size, left = 0, b""
        for chunk in response.iter_bytes():
            size += len(chunk)
            if self._given_up or size > MOST_BYTES:
                raise ValueError("too long")
            *lines, left = (left + chunk).split(b"\n")
            for line in lines:
                yield line.decode("utf-8")
        if left:
            yield left.decode("utf-8")


def _streamed(lines: Iterator[str]) -> str:
    """The text of a stream; one that breaks off is no text."""
    parts: list[str] = []
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return "".join(parts)
        choice = _choice(json.loads(data))
        if choice is None:
            continue
        content = (choice.get("delta") or {}).get("content")
        parts.append(content if isinstance(content, str) else "")
        if choice.get("finish_reason"):
            return "".join(parts)
    raise ValueError("the stream broke off")


def _whole(body: str) -> str:
    choice = _choice(json.loads(body))
    content = ((choice or {}).get("message") or {}).get("content")
    if not isinstance(content, str):
        raise ValueError("no message")
    return content


def _choice(value: Any) -> dict[str, Any] | None:
    """The first choice; None for a chunk that holds none (usage); ValueError for what is no answer at all."""
    if not isinstance(value, dict) or not isinstance(value.get("choices"), list):
        raise ValueError("no choices")
    first = value["choices"][0] if value["choices"] else None
    return first if isinstance(first, dict) else None


MODELS: dict[str, Callable[[str, str, str], ChatModel]] = {"http": OpenAIModel, "https": OpenAIModel}
"""What speaks to an address, by how that begins."""


def open_model(settings: Settings) -> ChatModel | None:
    """The model that the settings name; None where none is, and then nothing is ever asked."""
    if settings.llm_base_url is None or settings.llm_model is None:
        return None
    key = "" if settings.llm_key is None else settings.llm_key.get_secret_value()
    return MODELS[settings.llm_base_url.partition(":")[0].lower()](settings.llm_base_url, settings.llm_model, key)
