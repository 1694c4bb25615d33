"""Which sheets are about the like of a sheet: the vectors of whole sheets, less what their form says on every one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.normalize import normalize, squeeze
from index.types import Vectors

# A form's own words (目標値, 評価 …) make all of a city's sheets alike. With few sheets of a form their mean is hardly
# the form's, so the mean of all sheets weighs as much as this many of them.
_OF_ALL = 3.0
_BATCH = 1 << 14
# Measured on 82 sheets of five municipalities: below it, what comes is of another subject.
NEAR_ENOUGH = 0.25
_MOST_WORDS, _LONGEST = 4, 12
_LEAST, _SHARE = 0.1, 0.35  # of the best word
_RUN = re.compile(r"[一-龠々〆ァ-ヶーA-Za-z]{2,}")

Numbers = NDArray[np.int64]


class SheetNeighbours:
    """Nearest sheets by the vectors of whole sheets (``vectors``: one unit row a sheet, may be memory-mapped).

    A search is one product of a matrix and a vector, whatever the number of sheets.
    """

    def __init__(
        self,
        vectors: Vectors,
        forms: Numbers,
        programmes: NDArray[np.bool_],
        gone: NDArray[np.bool_] | None = None,
    ) -> None:
        """``forms`` says for each sheet by number which form it is of (one of one municipality), ``programmes`` whether
        it is a programme's, ``gone`` whether an update removed it: then it is in no mean, and never found."""
        kinds = int(forms.max(initial=-1)) + 1
        if gone is not None:
            programmes = programmes & ~gone
            forms = np.where(gone, kinds, forms)  # a form of their own
        self._vectors = vectors
        self._form, self._programme = forms, programmes
        count = len(forms)
        sums = np.zeros((kinds + 1, vectors.shape[1]), dtype=np.float32)
        for at in range(0, count, _BATCH):
            np.add.at(sums, self._form[at : at + _BATCH], vectors[at : at + _BATCH])
        sums[kinds] = 0
        counts = np.bincount(self._form, minlength=kinds + 1).astype(np.float32)[:, None]
        whole = sums.sum(axis=0) / max(count - int(counts[kinds, 0]), 1)
        self._means: Vectors = (sums + np.float32(_OF_ALL) * whole) / (counts + np.float32(_OF_ALL))
        self._lengths = np.zeros(count, dtype=np.float32)
        for at in range(0, count, _BATCH):
            rows = vectors[at : at + _BATCH] - self._means[self._form[at : at + _BATCH]]
            self._lengths[at : at + _BATCH] = np.linalg.norm(rows, axis=1)

    def direction(self, number: int) -> Vectors:
        """What a sheet says beyond its form, as a vector of length 1 (zeros where it says nothing)."""
        row: Vectors = self._vectors[number] - self._means[self._form[number]]
        return row / max(float(self._lengths[number]), 1e-9)

    def nearest(self, number: int, limit: int, left_out: Iterable[int] = ()) -> list[tuple[int, float]]:
        """(sheet number, cosine of the directions), best first, of programmes only; neither itself nor ``left_out``."""
        direction = self.direction(number)
        cosines = self._vectors @ direction - (self._means @ direction)[self._form]
        cosines /= np.maximum(self._lengths, np.float32(1e-6))
        cosines[~self._programme] = -1.0
        cosines[[number, *left_out]] = -1.0
        limit = min(limit, len(cosines))
        best = np.argpartition(-cosines, limit - 1)[:limit] if limit else np.array([], dtype=np.int64)
        best = best[np.lexsort((best, -cosines[best]))]
        return [(int(one), float(cosines[one])) for one in best if cosines[one] >= NEAR_ENOUGH]


def word_runs(text: str) -> list[str]:
    """The runs of kanji, katakana or letters that can stand as a reason, each once, in one form.

    A line break may cut a word or part two: a run at a line's end counts only where it stands whole elsewhere.

    >>> word_runs("ＩＣＴ人材の育成、及びＩＣＴ人材")
    ['ICT人材', '育成']
    """
    joined = set(_RUN.findall(normalize(text.replace("\n", "")).text))
    runs = dict.fromkeys(_RUN.findall(normalize(text).text))
    return [run for run in runs if len(run) <= _LONGEST and run in joined]


def shared_words(
    own: Sequence[str], other: str, directions: Vectors, encode: Callable[[list[str]], Vectors]
) -> tuple[str, ...]:
    """The words of ``own`` that stand in the text ``other`` too, those nearest to both ``directions`` (summed) first.

    Words that say little of what the two sheets are about (実施, 年度 …) are left out.
    """
    key = squeeze(other)
    both = [word for word in own if word.lower() in key]
    if not both:
        return ()
    scores = encode(both) @ directions
    kept: list[str] = []
    best = float(scores.max())
    for at in np.argsort(-scores, kind="stable"):
        word = both[int(at)]
        if scores[at] < max(_LEAST, _SHARE * best) or len(kept) == _MOST_WORDS:
            break
        if not any(word in known or known in word for known in kept):
            kept.append(word)
    return tuple(kept)
