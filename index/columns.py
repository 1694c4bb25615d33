"""Texts and their words as columns of numbers, so that many texts are compared with a question at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.types import Vectors

Scalar = TypeVar("Scalar", bound=np.generic)
Ids = NDArray[np.int32]
Places = NDArray[np.int64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

# Below this cosine two words are strangers; from the other on they say the same for our purpose.
STRANGERS, SAME = 0.45, 0.85
# A word of near meaning is worth this much of the word itself.
NEAR = 0.8
_KEPT_WORDS = 128  # words of questions whose column is kept


class Growing(Generic[Scalar]):
    """A numpy array that takes more rows at its end; ``rows`` is a view of those it holds."""

    def __init__(self, dtype: type[Scalar], width: int | None = None) -> None:
        self._space: NDArray[Any] = np.zeros((64,) if width is None else (64, width), dtype=dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def extend(self, rows: NDArray[Any]) -> None:
        """Adds rows; the space doubles when it is full, so that n rows cost O(n) in all."""
        end = self._length + len(rows)
        if end > len(self._space):
            space = np.zeros((max(end, 2 * len(self._space)), *self._space.shape[1:]), dtype=self._space.dtype)
            space[: self._length] = self.rows
            self._space = space
        self._space[self._length : end] = rows
        self._length = end

    @property
    def rows(self) -> NDArray[Scalar]:
        """The rows so far."""
        view: NDArray[Scalar] = self._space[: self._length]
        return view


class WordColumns:
    """The words of texts as numbers, and for a word of a question how near each of them comes to it.

    >>> words = WordColumns(encode)  # doctest: +SKIP
    >>> words.numbers(["更改", "予定"])  # doctest: +SKIP
    [0, 1]
    >>> words.near(["更新"])  # doctest: +SKIP
    array([[0.8, 0. ]], dtype=float32)
    """

    def __init__(self, encode: Callable[[list[str]], Vectors]) -> None:
        self._encode = encode
        self._numbers: dict[str, int] = {}
        self._vectors: Growing[np.float32] | None = None
        self._columns: OrderedDict[str, tuple[Floats, Floats]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, word: str) -> int:
        """A word's number, -1 for a word of no text."""
        return self._numbers.get(word, -1)

    def numbers(self, words: Collection[str]) -> list[int]:
        """The numbers of words, new ones for those not seen before."""
        known = self._numbers
        return [known.setdefault(word, len(known)) for word in words]

    def near(self, asked: Sequence[str]) -> Floats:
        """One line for each asked word over all words of texts: 1 the word itself, up to 0.8 a word of near meaning."""
        if not asked or not self._numbers:
            return np.zeros((len(asked), len(self._numbers)), dtype=np.float32)
        vectors = self._all_vectors()
        new = [word for word in dict.fromkeys(asked) if word not in self._columns]
        if new:
            lines = self._encode(new)
            for word, line, column in zip(new, lines, _scaled(vectors @ lines.T).T, strict=True):
                self._columns[word] = (line, np.ascontiguousarray(column))
        out = np.empty((len(asked), len(vectors)), dtype=np.float32)
        for row, word in zip(out, asked, strict=True):
            line, column = self._columns[word]
            if len(column) < len(vectors):  # texts were added since
                column = np.concatenate([column, _scaled(vectors[len(column) :] @ line)])
                self._columns[word] = (line, column)
            self._columns.move_to_end(word)
            row[:] = column
            if (number := self.number(word)) >= 0:
                row[number] = 1.0
        while len(self._columns) > max(_KEPT_WORDS, len(asked)):
            self._columns.popitem(last=False)
        return out

    def _all_vectors(self) -> Floats:
        at = 0 if self._vectors is None else len(self._vectors)
        if at < len(self._numbers):
            rows = self._encode(list(self._numbers)[at:])
            if self._vectors is None:
                self._vectors = Growing(np.float32, rows.shape[1])
            self._vectors.extend(rows)
        assert self._vectors is not None
        return self._vectors.rows


def _scaled(cosines: Floats) -> Floats:
    scaled: Floats = np.clip((cosines - STRANGERS) / (SAME - STRANGERS), 0.0, 1.0) * NEAR
    return scaled


class TextColumns:
    """Texts, each with its words and the vector of the whole."""

    def __init__(self, encode: Callable[[list[str]], Vectors], words: WordColumns) -> None:
        self._encode = encode
        self._words = words
        self._texts: list[str] = []
        self._ids: Growing[np.int32] = Growing(np.int32)
        self._starts: Growing[np.int64] = Growing(np.int64)
        self._starts.extend(np.zeros(1, dtype=np.int64))
        self._vectors: Growing[np.float32] | None = None

    def __len__(self) -> int:
        return len(self._texts)

    def append(self, text: str, words: Collection[str]) -> None:
        """Adds a text with its words."""
        numbers = self._words.numbers(words)
        self._ids.extend(np.array(numbers, dtype=np.int32))
        self._starts.extend(np.array([len(self._ids)], dtype=np.int64))
        self._texts.append(text)

    def words(self, rows: Places) -> tuple[Ids, Places]:
        """The concatenated word numbers of some texts, and where each text's begin (with the end)."""
        starts = self._starts.rows
        lengths = starts[rows + 1] - starts[rows]
        begins = np.concatenate([[0], np.cumsum(lengths)])
        at = np.arange(begins[-1]) - np.repeat(begins[:-1] - starts[rows], lengths)
        return self._ids.rows[at], begins

    def cosines(self, asked: Floats, rows: Places) -> Floats:
        """The cosine of one vector with each of some texts; ``rows`` names each text once, in order."""
        at = 0 if self._vectors is None else len(self._vectors)
        if at < len(self._texts):
            found = self._encode(self._texts[at:])
            if self._vectors is None:
                self._vectors = Growing(np.float32, found.shape[1])
            self._vectors.extend(found)
        assert self._vectors is not None
        vectors = self._vectors.rows
        cosines: Floats = (vectors if len(rows) == len(vectors) else vectors[rows]) @ asked
        return cosines


def best_of_each(table: Floats, ids: Ids, begins: Places) -> Floats:
    """The maximum of each line of ``table`` over the words of each text; a text without words gives 0."""
    out = np.zeros((len(table), len(begins) - 1), dtype=np.float32)
    filled = np.flatnonzero(begins[1:] > begins[:-1])
    if len(filled) and len(table):
        out[:, filled] = np.maximum.reduceat(np.take(table, ids, axis=1), begins[:-1][filled], axis=1)
    return out


def holders(numbers: Sequence[int], size: int, ids: Ids, begins: Places) -> Flags:
    """For each word number (-1: a word of no text) which texts hold it; ``size`` is the number of words there are."""
    line = np.full(size + 1, -1)  # the last place takes the unknown ones
    line[list(numbers)] = range(len(numbers))
    line[-1] = -1
    out = np.zeros((len(numbers), len(begins) - 1), dtype=bool)
    lines = line[ids]
    at = np.flatnonzero(lines >= 0)
    out[lines[at], np.searchsorted(begins, at, side="right") - 1] = True
    return out


class JoinedKeys:
    """Squeezed texts in one string, so that one search finds a word in all of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._joined = "\n".join(keys)  # a squeezed text holds no white space
        self._starts = np.cumsum([0, *(len(key) + 1 for key in keys)])

    def holding(self, word: str) -> Flags:
        """Which of the texts hold the word."""
        found = np.zeros(len(self._starts) - 1, dtype=bool)
        at = self._joined.find(word)
        places = []
        while at >= 0:
            places.append(at)
            at = self._joined.find(word, at + 1)
        if places:
            found[np.searchsorted(self._starts, places, side="right") - 1] = True
        return found
