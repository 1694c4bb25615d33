"""Logs without what people asked: neither in the addresses of requests nor in the messages of errors.

An error's message may quote the text that it broke on (a KeyError its key, a ValueError its value), so of unforeseen
errors only the kind and the way through the code are logged. Our own errors are sentences of ours and stay as they are.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from corpus.errors import HyokaError

logger = logging.getLogger(__name__)

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
_ACCESS = "uvicorn.access"
_KEPT: tuple[type[BaseException], ...] = (HyokaError, OSError)  # what the system says of files and addresses
_DEEPEST = 10  # errors that led to one another


class Broke(Exception):
    """An unforeseen error without its message; its text is the way through the code where that is not its own."""


def withhold() -> None:
    """From now on every record of every logger of this process is made so, whoever writes it and however it is formatted."""
    before = logging.getLogRecordFactory()
    if getattr(before, "withholds", False):
        return
    logging.setLogRecordFactory(_Factory(before))
    threading.excepthook = _of_thread
    sys.excepthook = _of_process


class _Factory:
    withholds = True

    def __init__(self, before: Callable[..., logging.LogRecord]) -> None:
        self._before = before

    def __call__(self, *given: Any, **named: Any) -> logging.LogRecord:
        record = self._before(*given, **named)
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            record.exc_info = withheld(record.exc_info[1])
        if isinstance(record.args, tuple):
            record.args = tuple(_argument(one) for one in record.args)
            if record.name == _ACCESS and len(record.args) == 5:  # address, method, path, version, status
                record.args = (*record.args[:2], str(record.args[2]).partition("?")[0], *record.args[3:])
        return record


def withheld(error: BaseException) -> ExcInfo:
    """What may be logged of an error: its kind and way, and those of the errors that led to it, without their messages."""
    shown = _shown(error, _DEEPEST)
    return type(shown), shown, error.__traceback__


def way(error: BaseException) -> str:
    """The same as a text, as Python prints it."""
    return "".join(traceback.format_exception(*withheld(error)))


def _shown(error: BaseException, deep: int) -> BaseException:
    kept = isinstance(error, (*_KEPT, Broke)) or getattr(error, "withheld", False)
    kind = type(error)
    shown: BaseException = error
    if not kept:
        # A class of the same name, so that the log says which: KeyError, without the key.
        shown = type(kind.__name__, (Broke,), {"__module__": kind.__module__})()
        shown.__traceback__ = error.__traceback__
    led = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if led is not None and deep and shown is not error:
        shown.__cause__ = _shown(led, deep - 1)
    elif kept and led is not None:
        # Our own error has to keep its cause where it was: a copy without one is what is logged.
        shown = type(kind.__name__, (Broke,), {"__module__": kind.__module__})(str(error))
        shown.__traceback__ = error.__traceback__
        shown.__cause__ = _shown(led, deep - 1) if deep else None
    return shown


def _argument(value: object) -> object:
    if not isinstance(value, BaseException) or isinstance(value, (*_KEPT, Broke)):
        return value
    return type(value).__name__


def _of_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
        logger.error("a thread broke", exc_info=told.exc_value)


def _of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("the process broke", exc_info=error)
