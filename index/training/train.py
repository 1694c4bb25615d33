"""Train the bundled encoder: ``python -m index.training.train ../shared/data`` (one thread, some minutes).

Open word vectors (chiVe) are reduced to 256 dimensions, joined with a mark of each word's own, weighted by rarity, and
trained contrastively: a question and the text that answers it attract each other, the other texts of the batch repel.
Training moves the vectors' directions and their lengths, so words that say nothing about the subject become short.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy, embedding_bag, normalize

from index.pieces import known_pieces
from index.training.measure import MODEL, measure, table
from index.training.model import UNKNOWN, WordVectors, save
from index.training.rows import Pair, held_out, raw_texts, training_pairs
from index.training.segments import segment
from index.training.vectors import fill_from_context, load_chive, lookup, reduce, sudachi_normal_form
from index.types import Vectors

# A batch is drawn from one group, so that its negatives are of the same kind; how often each group's turn comes.
GROUP_SHARES = {
    "civic": 0.80, "words": 0.24, "state": 0.18, "open": 0.14, "law": 0.08, "it": 0.07, "tax": 0.07, "pairs": 0.03,
}  # fmt: skip
LONG_GROUPS = frozenset({"state", "open", "law", "it", "tax"})
THREADS = 1  # a second one mostly waits for the first, the more so on a shared machine
_NUMBER = re.compile(r"[\d.,%/:-]+")
_SINGLE = re.compile(r"[ぁ-ヿa-z]")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result; the defaults made the bundled model."""

    dim: int = 256  # of meaning
    marks: int = 64  # and of the word itself: see ``with_marks``
    mark: float = 0.6  # length of a word's mark, as a share of the word's
    words: int = 100_000
    steps: int = 2000
    batch: int = 1024
    rate: float = 2e-3
    temperature: float = 0.09
    dropout: float = 0.4  # share of a text's words left out at each step, against learning phrasings by heart
    dropout_long: float = 0.15  # the same for ``LONG_GROUPS``, whose texts are many and share words with the question
    rarity: float = 1e-3  # a of a / (a + p(word)), the length a word starts with
    longest: int = 128  # words of a text that are read
    seeds: tuple[int, ...] = (7, 9, 10)  # a training each from the same start; the mean of what they learn is kept


def choose_words(
    texts: dict[str, list[str]], pairs: list[Pair], chive: dict[str, int], size: int
) -> tuple[list[str], Counter[str]]:
    """The vocabulary, most useful first: words of the pairs, words of the running text, frequent words of chiVe."""
    counts = Counter(word for text in texts.values() for word in text)
    in_pairs = dict.fromkeys(  # not a set: its order changes from run to run
        word
        for pair in pairs
        if pair.group in {"civic", "words"}
        for text in (pair.query, pair.passage)
        for word in texts[text]
    )
    kept = [word for word, _ in counts.most_common() if counts[word] > 1 and not _NUMBER.fullmatch(word)]
    kept += [word for word in in_pairs if not _NUMBER.fullmatch(word)]
    kept += [word for word in chive if not _NUMBER.fullmatch(word)]
    chosen = [word for word in dict.fromkeys(kept) if " " not in word and not _SINGLE.fullmatch(word)]
    return chosen[:size], counts


def first_vectors(
    words: list[str], texts: dict[str, list[str]], counts: Counter[str], recipe: Recipe
) -> tuple[dict[str, int], Vectors, NDArray[np.float32]]:
    """Ids, the matrix training starts from, and the IDF of each word."""
    rows, chive = load_chive()
    reduced = reduce(chive, recipe.dim)
    normal_form = sudachi_normal_form()
    ids = {UNKNOWN: 0} | {word: number for number, word in enumerate(words, 1)}
    matrix = np.zeros((len(ids), recipe.dim), np.float32)
    known = np.zeros(len(ids), np.bool_)
    for word, number in ids.items():
        row = lookup(word, rows, normal_form) if number else None
        if row is not None:
            matrix[number], known[number] = reduced[row], True
    used = [np.array([ids[w] for w in text if w in ids], np.int32) for text in texts.values()]
    frequency = Counter({ids[word]: count for word, count in counts.items() if word in ids})
    fill_from_context(matrix, known, used, frequency)
    total = sum(counts.values())
    seen = Counter(int(i) for text in used for i in set(text.tolist()))
    documents = len(used)
    idf = np.array([np.log((documents + 1) / (seen.get(i, 0) + 1)) for i in range(len(ids))], np.float32)
    idf[0] = 0
    floor = 2e-7  # a word of chiVe that our texts lack is rare, not absent
    for number in range(1, len(ids)):
        probability = max(frequency.get(number, 0) / total, floor)
        matrix[number] *= recipe.rarity / (recipe.rarity + probability)
    return ids, with_marks(matrix, recipe), np.minimum(idf, 12.0)


def with_marks(matrix: Vectors, recipe: Recipe) -> Vectors:
    """The matrix with ``recipe.marks`` more columns, at random for each word.

    480,000 words of chiVe share 20,000 vectors, and rare names lie near each other. A mark of its own lets a word count
    as itself besides what it means: a text's marks add up to a random projection of its bag of words.
    """
    marks = np.random.default_rng(recipe.seeds[0]).standard_normal((len(matrix), recipe.marks)).astype(np.float32)
    lengths = np.linalg.norm(matrix, axis=1) / np.maximum(np.linalg.norm(marks, axis=1), 1e-9)
    return np.ascontiguousarray(np.concatenate([matrix, marks * (recipe.mark * lengths)[:, None]], axis=1), np.float32)


class Batches:
    """Batches of token ids, drawn group by group from a fixed seed."""

    def __init__(self, pairs: list[Pair], texts: dict[str, list[str]], ids: dict[str, int], recipe: Recipe) -> None:
        keys: dict[str, int] = {}
        self.seed(recipe.seeds[0])
        self._dropout = {
            group: recipe.dropout_long if group in LONG_GROUPS else recipe.dropout for group in GROUP_SHARES
        }
        self._groups: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64], int]]] = {}
        encoded: dict[str, NDArray[np.int64]] = {}
        for pair in pairs:
            for text in (pair.query, pair.passage):
                if text not in encoded:
                    pieces = known_pieces(texts[text][: recipe.longest], ids)
                    encoded[text] = np.array([ids[piece] for piece in pieces], np.int64)
            query, passage = encoded[pair.query], encoded[pair.passage]
            if len(query) and len(passage):
                key = keys.setdefault(pair.key, len(keys))
                self._groups.setdefault(pair.group, []).append((query, passage, key))

    def seed(self, seed: int) -> None:
        """Begins again, in the order and with the words left out that ``seed`` says."""
        self._rng = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._order: dict[str, list[int]] = {}

    def draw(self, size: int) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]], torch.Tensor]:
        """Queries, passages and keys of one batch."""
        group = self._rng.choices(list(GROUP_SHARES), weights=list(GROUP_SHARES.values()))[0]
        rows = self._groups[group]
        if len(self._order.get(group, [])) < size:
            self._order[group] = list(range(len(rows)))
            self._rng.shuffle(self._order[group])
        taken, self._order[group] = self._order[group][:size], self._order[group][size:]
        return (
            [self._thin(rows[i][0], self._dropout[group]) for i in taken],
            [self._thin(rows[i][1], self._dropout[group]) for i in taken],
            torch.tensor([rows[i][2] for i in taken]),
        )

    def _thin(self, text: NDArray[np.int64], dropout: float) -> NDArray[np.int64]:
        if not dropout or len(text) < 2:
            return text
        kept = text[self._noise.random(len(text)) >= dropout]
        return kept if len(kept) else text


def contrast(scores: torch.Tensor, keys: torch.Tensor, temperature: float) -> torch.Tensor:
    """InfoNCE in both directions; texts of one key are not negatives of each other."""
    same = (keys[:, None] == keys[None, :]) & ~torch.eye(len(keys), dtype=torch.bool)
    logits = (scores / temperature).masked_fill(same, -1e4)
    target = torch.arange(len(keys))
    return (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2


def _pool(weights: torch.Tensor, texts: list[NDArray[np.int64]]) -> torch.Tensor:
    offsets = torch.tensor(np.cumsum([0] + [len(text) for text in texts[:-1]]))
    flat = torch.from_numpy(np.concatenate(texts))
    return normalize(embedding_bag(flat, weights, offsets, mode="sum", sparse=True), dim=1)


def train(batches: Batches, start: Vectors, recipe: Recipe) -> Vectors:
    """The trained matrix."""
    torch.set_num_threads(THREADS)
    weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = torch.optim.SparseAdam([weights], lr=recipe.rate, betas=(0.9, 0.99))
    started, total = time.monotonic(), 0.0
    for step in range(recipe.steps):
        for settings in optimizer.param_groups:
            settings["lr"] = recipe.rate * min(1.0, (step + 1) / 50) * (1 - step / recipe.steps)
        queries, passages, keys = batches.draw(recipe.batch)
        loss = contrast(_pool(weights, queries) @ _pool(weights, passages).T, keys, recipe.temperature)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()  # type: ignore[no-untyped-call]
        total += loss.item()
        if step % 250 == 249:
            print(f"step {step + 1}: loss {total / 250:.3f}, {time.monotonic() - started:.0f} s", flush=True)
            total = 0.0
    result: Vectors = weights.detach().numpy()
    result[0] = 0
    return result


def average(batches: Batches, start: Vectors, recipe: Recipe) -> Vectors:
    """The mean of trainings that differ in the order of the batches and the words left out: one for each seed."""
    total = np.zeros_like(start)
    for seed in recipe.seeds:
        batches.seed(seed)
        total += train(batches, start, recipe)
    return np.asarray(total / np.float32(len(recipe.seeds)), np.float32)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the open data (../shared/data)")
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--seeds", type=int, nargs="+", default=Recipe().seeds)
    parser.add_argument("--cache", type=Path, default=Path("var/training"), help="segmented texts are kept here")
    for name in ("dim", "marks", "steps", "batch", "words"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Recipe(), name))
    for name in ("mark", "rate", "temperature", "rarity", "dropout", "dropout_long"):
        parser.add_argument(f"--{name}", type=float, default=getattr(Recipe(), name))
    given = vars(parser.parse_args())
    data, out, cache = given.pop("data"), given.pop("out"), given.pop("cache")
    recipe = Recipe(**given | {"seeds": tuple(given["seeds"])})
    tests = held_out(data)
    pairs = training_pairs(data)
    measured = {text for test in tests for text in test.queries + test.passages}
    trained = [text for pair in pairs for text in (pair.query, pair.passage)] + list(raw_texts(data))
    texts = segment([*trained, *measured], cache)
    seen = {text: texts[text] for text in dict.fromkeys(trained)}
    words, counts = choose_words(seen, pairs, load_chive()[0], recipe.words)
    ids, start, idf = first_vectors(words, seen, counts, recipe)
    print(f"{len(pairs)} pairs, {len(ids)} words, {int((~start.any(axis=1)).sum())} without a vector", flush=True)
    matrix = average(Batches(pairs, texts, ids, recipe), start, recipe)
    # Words that training made short say little of the subject, however rare they are.
    vectors = WordVectors(ids, matrix, idf * np.linalg.norm(matrix, axis=1), recipe.dim)
    save(vectors, out)
    print(table(measure(vectors, tests, cache), tests))


if __name__ == "__main__":
    main()
