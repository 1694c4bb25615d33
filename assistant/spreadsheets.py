"""What a text or a number becomes in a cell of a CSV or Excel file, so that no program computes what a document says."""

from __future__ import annotations

import re
from typing import Any

from assistant.characters import is_text

CELL_LIMIT = 32_000  # Excel itself refuses more than 32,767 characters
_DIGITS = 10**15  # Excel keeps fifteen digits of a number
# Spreadsheets compute a cell that begins so, after white space too; those of Japan also after the wide signs.
_FORMULA = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\x00-\x1f]*[=+@\-−＝＋＠－]|[\t\r\x00]")
_NUMBER = re.compile(r"[+\-−－]?[\d０-９][\d０-９,，]{0,30}(?:[.．][\d０-９]{1,15})?[%％]?")
_DASHES = re.compile(r"[\-−－]+")
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # Excel reads _x0041_ as A unless its first _ is written so itself


def is_formula(text: str) -> bool:
    """Whether a program might compute the text: not a plain number, and not a dash that stands for nothing.

    >>> [is_formula(text) for text in ("=1+1", " +cmd", "＝SUM(A1)", "-1,234", "-3.5%", "－", "図書館")]
    [True, True, True, False, False, False, False]
    """
    return _FORMULA.match(text) is not None and not _NUMBER.fullmatch(text) and not _DASHES.fullmatch(text)


def csv_cell(value: object) -> str | int | float:
    """One field of a CSV: a text that a program might compute gets an apostrophe, nothing is empty, 1200000.0 is 1200000.

    >>> csv_cell("=1+1"), csv_cell("-1,234"), csv_cell(1200000.0), csv_cell(None)
    ("'=1+1", '-1,234', 1200000, '')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.10g}")
    if isinstance(value, int):
        return int(value)
    return guarded(clean_lines(str(value)))


def guarded(text: str) -> str:
    """The text with an apostrophe before what a program might compute; :func:`unguarded` gives it back as it was.

    >>> guarded("=1+1"), guarded("'=1+1"), guarded("'90年代")
    ("'=1+1", "''=1+1", "'90年代")
    """
    return f"'{text}" if is_formula(text.lstrip("'")) else text


def unguarded(text: str) -> str:
    """What :func:`guarded` was given.

    >>> unguarded("'=1+1"), unguarded("''=1+1"), unguarded("'90年代")
    ('=1+1', "'=1+1", "'90年代")
    """
    return text[1:] if text.startswith("'") and is_formula(text.lstrip("'")) else text


def clean_lines(text: str) -> str:
    """The text without what no file should hold: control, direction and other characters that are none; a carriage
    return is a line break."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character if is_text(character) else " " for character in lines)


def put(cell: Any, value: object) -> None:
    """Writes a value into a cell of openpyxl: text always as text, a number as one if Excel has such a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) < _DIGITS:  # neither NaN nor infinity is
            cell.value = value
            return
        value = str(value) if isinstance(value, float) or abs(value) < 10**400 else "桁数が多すぎる数値"
    if value is None:
        return
    cell.value = _ESCAPED.sub("_x005F_", clean_lines(str(value))[:CELL_LIMIT])
    cell.data_type = "s"
