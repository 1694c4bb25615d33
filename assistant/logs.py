"""What a server writes down of itself: one line an event on standard error, as text or as JSON, without secrets.

Lines come from our own loggers, uvicorn's and Gradio's, all in the same form. A text that might repeat what somebody asked
(the message of an unforeseen error) stands only in the lines of the level ``debug``.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import sys
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from corpus.errors import HyokaError

Form = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]


class Current:
    """The request that is being answered. Ended ones, which a task may inherit, have no id."""

    __slots__ = ("id",)

    def __init__(self, id: str = "") -> None:
        self.id = id


REQUEST: ContextVar[Current] = ContextVar("hyoka_request", default=Current())  # noqa: B039  never changed
"""Follows into the threads of the work."""

_FIELDS = "hyoka_fields"
# Their messages say what the machine or an index lacks. Any other message may repeat a question, as that of a query that
# does not parse does.
_PLAIN_ERRORS = (HyokaError, OSError, sqlite3.Error, MemoryError, ImportError)
_ADDRESS = re.compile(r"\b(?:postgres(?:ql)?|rediss?|mysql)://\S+|(?<=://)[^\s/@]+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What these say below a warning is noise, or an address with what was asked in it.
_QUIET = (
    "faiss",
    "httpx",
    "httpcore",
    "asyncio",
    "urllib3",
    "filelock",
    "sentence_transformers",
    "transformers",
    "multipart",
)


def fields(event: str, **values: object) -> dict[str, Any]:
    """What stands in a line beside its sentence, for ``extra=``; None and "" are left out.

    >>> fields("request", status=200, caller="")
    {'hyoka_fields': {'event': 'request', 'status': 200}}
    """
    kept = {name: value for name, value in values.items() if value is not None and value != ""}
    return {_FIELDS: {"event": event, **kept}}


class Hiding:
    """Takes secrets out of texts: the values it was given, and whatever stands in an address before its host."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({one for one in secrets if len(one) >= 4}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without them.

        >>> Hiding(["geheim"])("token geheim, postgresql://a:b@db/x, http://u:p@host/")
        'token ***, *** http://***host/'
        """
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _ADDRESS.sub("***", text)


def told(error: BaseException, whole: bool = False) -> str:
    """A traceback with the lines of code and the kind of every error; its message only where that cannot hold what
    somebody asked (``whole``: always)."""
    parts = []
    for one in _chain(error):
        said = f": {one}" if whole or isinstance(one, _PLAIN_ERRORS) or getattr(one, "plain", False) else ""
        frames = "".join(traceback.format_tb(one.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{_kind(one)}{said}")
    return "\nled to\n".join(parts)


def _kind(error: BaseException) -> str:
    module = type(error).__module__
    return type(error).__qualname__ if module == "builtins" else f"{module}.{type(error).__qualname__}"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what led to it, the first cause first."""
    found: list[BaseException] = []
    now: BaseException | None = error
    while now is not None and now not in found:
        found.insert(0, now)
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
    return found


class _Lines(logging.Formatter):
    """What both forms have in common."""

    def __init__(self, hiding: Hiding, whole: bool) -> None:
        super().__init__()
        self._hiding, self._whole = hiding, whole

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback of a record, or nothing."""
        error = record.exc_info[1] if record.exc_info else None
        return "" if error is None else self._hiding(told(error, self._whole))

    def sentence(self, record: logging.LogRecord) -> str:
        """The message, in one line."""
        try:
            text = record.getMessage()
        except Exception:  # a line that cannot be written must not end what it tells of
            text = str(record.msg)
        return self._hiding(_CONTROL.sub(" ", text)).strip()


class TextLines(_Lines):
    """For people: ``2026-11-21 23:40:01 WARNING assistant.live: …``, the fields behind, a traceback beneath."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        when = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M:%S")
        beside = dict(getattr(record, _FIELDS, {}))
        beside.pop("event", None)
        if request := REQUEST.get().id:
            beside.setdefault("request", request)
        more = "".join(f" {name}={_word(value)}" for name, value in beside.items())
        line = f"{when} {record.levelname} {record.name}: {self.sentence(record)}{self._hiding(more)}"
        trace = self.trace(record)
        return f"{line}\n{trace}" if trace else line


def _word(value: object) -> str:
    """A value of a field; quoted where it is no plain word, so that no name can pass for another field."""
    text = str(value)
    return text if re.fullmatch(r"[\w.:/{}()-]+", text) else json.dumps(text, ensure_ascii=False)


class JsonLines(_Lines):
    """For programs: one JSON object a line, ``time`` in UTC, ``level``, ``logger``, ``message``, ``event`` and its fields,
    ``request`` in a request, ``traceback`` of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.sentence(record),
        }
        for name, value in getattr(record, _FIELDS, {}).items():
            line[name] = self._hiding(value) if isinstance(value, str) else value
        if request := REQUEST.get().id:
            line.setdefault("request", request)
        if trace := self.trace(record):
            line["traceback"] = trace
        return json.dumps(line, ensure_ascii=False, default=str)


class _Stderr(logging.StreamHandler[TextIO]):
    """Standard error as it is at the time, not as it was when this was set up."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def set_up(form: Form = "text", level: Level = "warning", secrets: Iterable[str] = ()) -> None:
    """From now on every logger of this process writes to standard error in this form; what was set before is gone."""
    hiding, whole = Hiding(secrets), level == "debug"
    handler = _Stderr()
    handler.setFormatter(JsonLines(hiding, whole) if form == "json" else TextLines(hiding, whole))
    handler.addFilter(_once)
    root = logging.getLogger()
    for old in list(root.handlers):
        if type(old) in (_Stderr, logging.StreamHandler):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "gradio"):
        own = logging.getLogger(name)
        own.handlers, own.propagate = [], True
    # uvicorn says at each start and end what we say ourselves.
    logging.getLogger("uvicorn").setLevel(logging.DEBUG if whole else logging.WARNING)
    logging.captureWarnings(True)


def _once(record: logging.LogRecord) -> bool:
    """What uvicorn repeats of an error that was written down where it happened."""
    return not (record.name == "uvicorn.error" and str(record.msg).startswith("Exception in ASGI application"))
