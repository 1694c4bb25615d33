"""Words the encoder's vocabulary lacks, broken into pieces that it has."""

from __future__ import annotations

from collections.abc import Container, Iterable

_LONGEST = 8  # characters of the longest piece that is tried


def known_pieces(words: Iterable[str], vocabulary: Container[str]) -> list[str]:
    """The words as the encoder reads them: a known word stays, an unknown one becomes its longest known pieces.

    Greedy from the left, longest piece first; what is in no piece is dropped, so the result holds known words only.

    >>> known_pieces(["火葬", "火葬場使用料", "ゑ"], {"火葬", "火葬場", "使用", "使用料", "料"})
    ['火葬', '火葬場', '使用料']
    """
    result: list[str] = []
    for word in words:
        if word in vocabulary:
            result.append(word)
        else:
            result.extend(_split(word, vocabulary))
    return result


def _split(word: str, vocabulary: Container[str]) -> list[str]:
    found: list[str] = []
    start = 0
    while start < len(word):
        for end in range(min(len(word), start + _LONGEST), start, -1):
            piece = word[start:end]
            # A single kana or letter says nothing; a single kanji does.
            if piece in vocabulary and (end - start > 1 or _is_kanji(piece)):
                found.append(piece)
                start = end
                break
        else:
            start += 1
    return found


def _is_kanji(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"
