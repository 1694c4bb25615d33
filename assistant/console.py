"""Where the command line writes: data to standard output, everything said beside it to standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from assistant.pace import Pace


class Told(Protocol):
    """Takes how far the work is: what is being done, how far, of how many (0 when not known), sections found so far."""

    def __call__(self, what: str, done: int, total: int, sections: int = 0) -> None:
        """Shows it."""
        ...


# What a terminal acts on instead of showing it (escape sequences, also the eight-bit ones), what turns the direction of a
# line around, and half characters, which cannot be written at all.
_ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: str) -> str:
    """The text as a terminal may have it: what it would act on is a �, line breaks and tabs stay.

    >>> shown("\x1b[31m決算\x1b[0m\u202e額")
    '�[31m決算�[0m�額'
    """
    return _ACTS.sub("�", text.replace("\r\n", "\n"))


def say(text: str = "") -> None:
    """A line of data."""
    sys.stdout.write(shown(text) + "\n")


_instead: Callable[[str], object] | None = None


def note(text: str) -> None:
    """A line beside the data: a message, a warning, an error."""
    sys.stdout.flush()
    if _instead is not None:
        _instead(text)
        return
    sys.stderr.write(shown(text) + "\n")


def tell_instead(tell: Callable[[str], object] | None) -> None:
    """From now on :func:`note` says it this way; None: on standard error again."""
    global _instead
    _instead = tell


def say_json(value: object) -> None:
    """Data as JSON, readable and with Japanese as it is; what a terminal would act on is written as its number, which is
    the same text to whoever reads the JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    sys.stdout.write(_ACTS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A ruled table on a terminal; lines of cells between tabs where another program reads on."""
    if not sys.stdout.isatty():
        for row in [columns, *rows]:
            say("\t".join(" ".join(_cell(value).split()) for value in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold")
    for n, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[n], (int, float)) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        # Text, so that brackets in a name are not taken for markup.
        table.add_row(*(Text(_cell(value)) for value in row))
    Console().print(table)


def _cell(value: object) -> str:
    return "" if value is None else shown(str(value))


PROGRESS = "HYOKA_PROGRESS"
"""``json`` in this variable: progress as JSON Lines on standard error, for the program that started this one."""


def _tell_program(what: str, done: int, total: int, sections: int = 0) -> None:
    """Progress for another program: ``{"what": "読み込み a.pdf", "done": 3, "total": 10}``, every step a line; with
    ``sections`` where some were found."""
    found = {"sections": sections} if sections else {}
    note(json.dumps({"what": what, "done": done, "total": total, **found}, ensure_ascii=False))


class _Lines:
    """Progress for a log: one line when something new begins."""

    def __init__(self) -> None:
        self._last = ""
        self._pace = Pace()

    def __call__(self, what: str, done: int, total: int, sections: int = 0) -> None:
        pace = self._pace(done, total, sections)
        if what != self._last:
            note((f"[{done}/{total}] {what}" if total else what) + (f"（{pace}）" if pace else ""))
        self._last = what


@contextmanager
def progress() -> Iterator[Told]:
    """A bar on standard error while the work lasts; a line for each step where that is no terminal."""
    if os.environ.get(PROGRESS) == "json":
        yield _tell_program
        return
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[pace]}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("準備", total=None, pace="")
        pace = Pace()

        def tell(what: str, done: int, total: int, sections: int = 0) -> None:
            said = pace(done, total, sections)
            bar.update(task, description=escape(shown(what[:40])), completed=done, total=total or None, pace=said)

        yield tell
