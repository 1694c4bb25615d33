"""Finds sheets by a few typed words: full-width and half-width, hiragana and katakana alike, and with a slip of the keyboard. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz

from corpus.documents import Sheet
from corpus.normalize import squeeze
from ui.render import year_label

# A word of four letters may have one wrong; shorter ones would be found everywhere.
SLIP = 75.0
LEAST_LETTERS = 4
# Typed without conversion, しすてむ is システム.
_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}


def find_key(text: str) -> str:
    """A text for finding: squeezed, with katakana for hiragana.

    >>> find_key("みなと ＩＣＴ")
    'ミナトict'
    """
    return squeeze(text).translate(_KATAKANA)


def sheet_key(sheet: Sheet) -> str:
    """What is searched of a sheet: its name, office, municipality and year.

    >>> sheet_key(Sheet("a", "f", "programme", "ＩＣＴ 推進", "みなと野市", 2021, "情報課", ()))
    'ict推進|情報課|ミナト野市|令和3年度|2021年度'
    """
    year = f"|{year_label(sheet.fiscal_year)}|{sheet.fiscal_year}年度" if sheet.fiscal_year is not None else ""
    return find_key(f"{sheet.name}|{sheet.department}|{sheet.municipality}{year}")


def holds(sheet: Sheet, words: str) -> bool:
    """Whether a sheet holds every one of the words as they are."""
    key = sheet_key(sheet)
    return all(find_key(word) in key for word in words.split())


def find_sheets(sheets: Sequence[Sheet], words: str) -> list[Sheet]:
    """The sheets that hold every word, in their order; where none does, those that nearly hold them, nearest first."""
    wanted = [find_key(word) for word in words.split()]
    wanted = [word for word in wanted if word]
    if not wanted:
        return list(sheets)
    keys = [sheet_key(sheet) for sheet in sheets]
    exact = [sheet for sheet, key in zip(sheets, keys, strict=True) if all(word in key for word in wanted)]
    if exact:
        return exact
    near = []
    for at, key in enumerate(keys):
        scores = [_nearness(word, key) for word in wanted]
        if min(scores) > 0:
            near.append((-sum(scores), at))
    return [sheets[at] for _, at in sorted(near)]


def _nearness(word: str, key: str) -> float:
    """100 where the word stands in the key, from :data:`SLIP` on where a stretch of it is nearly the word, else 0."""
    if word in key:
        return 100.0
    return fuzz.partial_ratio(word, key, score_cutoff=SLIP) if len(word) >= LEAST_LETTERS else 0.0
