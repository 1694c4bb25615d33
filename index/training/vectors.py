"""The open word vectors that training starts from: chiVe, as packed in the PyPI package ja-ginza (training only)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def load_chive() -> tuple[dict[str, int], Matrix]:
    """Words, most frequent first, with their row in the matrix of 20,000 vectors of 300 dimensions."""
    import ja_ginza
    from spacy.strings import StringStore
    from spacy.vectors import Vectors

    folder = next(Path(ja_ginza.__file__).parent.glob("ja_ginza-*")) / "vocab"
    strings = StringStore().from_disk(folder / "strings.json")
    vectors = Vectors(strings=strings).from_disk(folder)
    return {strings[key]: int(row) for key, row in vectors.key2row.items()}, np.asarray(vectors.data, np.float32)


def reduce(matrix: Matrix, dim: int) -> Matrix:
    """The vectors without their common direction, turned onto their ``dim`` widest axes, of length 1."""
    unit = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-6)
    centred = unit - unit.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    turned = centred @ axes[:dim].T
    return np.asarray(turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-6), np.float32)


def lookup(word: str, rows: dict[str, int], normal_form: Callable[[str], str]) -> int | None:
    """The row of a word, tried as written, as Sudachi normalises it and with its long vowel."""
    for form in (word, normal_form(word), word.upper(), word + "ー", word.replace("-", "")):
        if form in rows:
            return rows[form]
    return None


def sudachi_normal_form() -> Callable[[str], str]:
    """UniDic's lemma to the form chiVe is keyed by: 塵箱 -> ごみ箱."""
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary().create(mode=SplitMode.C)

    def normal_form(word: str) -> str:
        return "".join(m.normalized_form() for m in tokenizer.tokenize(word)) if word else ""

    return normal_form


def fill_from_context(
    matrix: Matrix,
    known: NDArray[np.bool_],
    texts: Iterable[NDArray[np.int32]],
    counts: Counter[int],
    window: int = 5,
    enough: int = 100,
) -> None:
    """Give words without a vector the mean of the words they stand among, rare ones counting more (in place).

    ``enough`` places of a word are looked at.
    """
    total = sum(counts.values())
    rarity = np.zeros(len(matrix), np.float32)
    for token, count in counts.items():
        rarity[token] = 1e-4 / (1e-4 + count / total)
    weighted = matrix * (rarity * known)[:, None]
    sums = np.zeros_like(matrix)
    left = np.where(known, 0, enough)
    for text in texts:
        for place in np.flatnonzero(left[text]):
            near = text[max(0, place - window) : place + window + 1]
            sums[text[place]] += weighted[near].sum(axis=0)
            left[text[place]] -= 1
    lengths = np.linalg.norm(sums, axis=1)
    found = ~known & (lengths > 1e-6)
    matrix[found] = sums[found] / lengths[found, None]
