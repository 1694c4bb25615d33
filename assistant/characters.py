"""What counts as a character of a text, for requests, files and screens alike."""

from __future__ import annotations

import unicodedata


def is_text(character: str) -> bool:
    """Whether a character is one that people read: no control, direction or half character, nothing XML forbids."""
    if character in "\n\t":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs") and ord(character) & 0xFFFE != 0xFFFE


def clean_text(text: str) -> str:
    """Control, surrogate and invisible direction characters, and those that XML forbids, become spaces; line breaks and
    tabs stay.

    >>> clean_text("決算\\x00額は？\\ud800")
    '決算 額は？'
    """
    return "".join(character if is_text(character) else " " for character in text).strip()
