"""What is examined: an index folder in this process, or a server over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assistant.settings import load_settings
from corpus.errors import SettingsError
from evals.metrics import Payload, Source

if TYPE_CHECKING:
    from assistant.types import Answer, Turn
    from index.snapshot import Snapshot
    from index.types import Filters, Index

History = list[dict[str, str]]


class Ask(Protocol):
    """One question to the JSON payload of ``POST /api/v1/ask``."""

    def __call__(self, question: str, history: History, filters: Mapping[str, Any]) -> Payload:
        """``history`` as in the contract: ``[{"role": "user", "content": …}, {"role": "assistant", …}]``."""
        ...


class Answering(Protocol):
    """An assistant, as far as an evaluation needs it."""

    @property
    def index(self) -> Index:
        """The index it answers from."""
        ...

    def ask(self, question: str, history: Sequence[Turn] = ..., filters: Filters = ...) -> Answer:
        """One answer."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """``ask`` answers, ``source`` gives the document text behind a citation, ``about`` says what was examined.

    ``index`` is there for a local target only: the baselines and the ranking figures search it directly.
    """

    ask: Ask
    source: Source
    about: dict[str, str] = field(default_factory=dict)
    index: Index | None = None


def local(folder: Path) -> Target:
    """The assistant over an index folder, in this process and without HTTP."""
    from assistant.session import Assistant

    index = open_index(folder)
    made = index.manifest
    about = {"encoder": f"{made.encoder} {made.encoder_digest[:12]}"}
    about |= {name: str(count) for name, count in made.counts.items()}
    return asking(Assistant(index), about)


def asking(assistant: Answering, about: Mapping[str, str] | None = None) -> Target:
    """An assistant in this process; ``about`` is added to its index's version."""
    from assistant.payload import answer_json
    from assistant.types import Turn
    from index.types import Filters

    index = assistant.index

    def ask(question: str, history: History, filters: Mapping[str, Any]) -> Payload:
        turns = [
            Turn(role="user" if turn["role"] == "user" else "assistant", content=turn["content"]) for turn in history
        ]
        chosen = Filters(**{key: tuple(values) for key, values in filters.items()})
        answer = assistant.ask(question, turns, chosen)
        # As a client of the API gets it, and the scores behind it, which the API keeps to itself.
        return {**answer_json(answer, index).model_dump(mode="json"), "debug": answer.debug}

    return Target(ask, stored_text(index), {"index_version": index.version, **(about or {})}, index)


def open_index(folder: Path) -> Snapshot:
    """The live snapshot, with the models of the settings as ``hyoka`` itself opens it."""
    from assistant import opening

    return opening.open_index(load_settings(index_dir=folder), reranked=True)


def stored_text(index: Index) -> Source:
    """Document texts out of an index, by the citation's file."""

    @cache
    def text(file: str) -> str | None:
        try:
            return index.document(file).text
        except KeyError:
            return None

    return lambda citation: text(str((citation.get("source") or {}).get("file") or ""))


def server(url: str, timeout: float = 60.0) -> Target:
    """A running ``hyoka serve``; document texts come from ``/api/v1/sheets/{id}/source``."""
    base = url.rstrip("/")

    def ask(question: str, history: History, filters: Mapping[str, Any]) -> Payload:
        body = json.dumps({"question": question, "history": history, "filters": dict(filters)}).encode()
        request = urllib.request.Request(
            f"{base}/api/v1/ask", data=body, headers={"Content-Type": "application/json; charset=utf-8"}
        )
        with urllib.request.urlopen(request, timeout=timeout) as response:
            payload: Payload = json.load(response)
        return payload

    @cache
    def text(sheet_id: str) -> str | None:
        try:
            with urllib.request.urlopen(
                f"{base}/api/v1/sheets/{urllib.parse.quote(sheet_id, safe='')}/source", timeout=timeout
            ) as response:
                return _source_text(response.read(), response.headers.get_content_type())
        except urllib.error.HTTPError:
            return None

    try:
        with urllib.request.urlopen(f"{base}/healthz", timeout=timeout):
            pass
    except OSError as error:
        raise SettingsError(
            f"サーバーに接続できません: {base}。hyoka serve が動いているか確かめてください。({error})"
        ) from error
    return Target(ask, lambda citation: text(str(citation.get("sheet_id") or "")), {"server": base})


def _source_text(body: bytes, media: str) -> str:
    decoded = body.decode("utf-8")
    if media != "application/json":
        return decoded
    value = json.loads(decoded)
    return str(value.get("text", "")) if isinstance(value, dict) else str(value)
