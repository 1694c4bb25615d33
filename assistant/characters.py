"""What counts as a character of a text, for requests, files and screens alike."""

from __future__ import annotations

import unicodedata


def is_text(character: str) -> bool:
    """Whether a character is one that people read: no control, direction or half character, nothing XML forbids."""
    if character in "\n\t":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs") and ord(character) & 0xFFFE != 0xFFFE
