"""Train and measure the second opinion: ``python -m assistant.training.intents``.

Rows are ``questions.tsv`` (written for the project, names and dates as 〇) and ``own.tsv`` beside this file. A row whose
question's SHA-1 divides by three is held out, from the writing of cues too; the others train. ``questions.tsv`` was made
with ``--from query-analysis.jsonl.gz``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.opinion import BLANK, SCALE, SURE, Model, grams
from assistant.timespans import find_asked
from assistant.vocabulary import find_intents
from corpus.normalize import normalize, squeeze

FOLDER = Path(__file__).parent
MODEL = FOLDER.parent / "vocabulary" / "opinion.json"
MARK = "〇"
#: A gram must stand in this many training rows; the pull of the weights towards 0; steps of the descent.
LEAST, PULL, STEPS = 3, 0.6, 400
_MASKED = frozenset({"sheet-full", "sheet-partial", "municipality", "department"})


@dataclass(frozen=True, slots=True)
class Row:
    """A question with its names and dates blanked, and the kind of answer it wants."""

    intent: str
    key: str
    held_out: bool


def is_held_out(question: str) -> bool:
    """Whether a question is for measuring only, by its SHA-1."""
    return int(hashlib.sha1(question.encode()).hexdigest(), 16) % 3 == 0


def read_rows(path: Path) -> list[Row]:
    """The rows of a TSV file: intent, question, and ``held`` or ``train`` where that was told by the unmasked question."""
    rows = []
    for line in path.read_text("utf-8").splitlines():
        intent, text, *part = line.split("\t")
        held = part[0] == "held" if part else is_held_out(text)
        rows.append(Row(intent, squeeze(normalize(text).text).replace(MARK, BLANK), held))
    seen = {row.key for row in rows if not row.held_out}
    return [row for row in rows if not (row.held_out and row.key in seen)]  # masked alike: no test of anything


def masked(row: dict[str, object], latest_year: int) -> str:
    """A row of query-analysis as ``questions.tsv`` keeps it: its names and dates as 〇."""
    text = normalize(str(row["q"])).text
    key = squeeze(text)
    for start, end in find_asked(text, latest_year)[1]:
        key = key[:start] + MARK * (end - start) + key[end:]
    for entity in row["entities"]:  # type: ignore[attr-defined]
        name = squeeze(normalize(entity["text"]).text)
        if entity["type"] in _MASKED and len(name) >= 2:
            key = key.replace(name, MARK)
    while MARK * 2 in key:
        key = key.replace(MARK * 2, MARK)
    return key


def train(rows: Sequence[Row], pull: float = PULL) -> Model:
    """Multinomial logistic regression by Adam on the whole set; the same rows give the same model."""
    counts = Counter(gram for row in rows for gram in grams(row.key))
    known = {gram: i for i, gram in enumerate(sorted(gram for gram, n in counts.items() if n >= LEAST))}
    intents = tuple(sorted({row.intent for row in rows}))
    x = np.zeros((len(rows), len(known) + 1), np.float64)
    for i, row in enumerate(rows):
        ids = [known[gram] for gram in grams(row.key) if gram in known]
        x[i, ids] = 1 / np.sqrt(max(1, len(ids)))
        x[i, -1] = 1
    y = np.eye(len(intents))[[intents.index(row.intent) for row in rows]]
    weights = np.zeros((x.shape[1], len(intents)))
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        scores = x @ weights
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        slope = x.T @ (shares - y) + pull * 0.1 * weights
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        weights -= 0.05 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    whole = np.rint(weights * SCALE) / SCALE
    return Model(known, intents, np.asarray(whole, np.float32))


def stored(model: Model) -> str:
    """The model as its file holds it, a gram a line."""
    whole = np.rint(model.weights * SCALE).astype(int).tolist()
    lines = [f"{json.dumps(gram, ensure_ascii=False)}: {json.dumps(whole[i])}" for gram, i in model.grams.items()]
    head = f'"intents": {json.dumps(model.intents)},\n"bias": {json.dumps(whole[-1])},'
    return "{\n" + head + '\n"weights": {\n' + ",\n".join(lines) + "\n}\n}\n"


def by_cues(key: str) -> str:
    """What the cues of ``intents.toml`` say."""
    return find_intents(key)[0]


def with_opinion(model: Model, sure: float = SURE) -> Callable[[str], str]:
    """What cues say, and the model where they say nothing and it is sure."""

    def tell(key: str) -> str:
        told, opinion = by_cues(key), model.opinion(key)
        return opinion.intent if told == "text" and opinion.sure >= sure else told

    return tell


def agreement(rows: Sequence[Row], tell: Callable[[str], str]) -> float:
    """The share of rows told as they are labelled."""
    return sum(tell(row.key) == row.intent for row in rows) / max(1, len(rows))


def confusion(rows: Sequence[Row], tell: Callable[[str], str]) -> list[str]:
    """One line an intent: how many rows, how many right, what the others were taken for."""
    pairs = Counter((row.intent, tell(row.key)) for row in rows)
    lines = []
    for intent in sorted({row.intent for row in rows}):
        taken = {b: n for (a, b), n in pairs.most_common() if a == intent and b != intent}
        wrong = "、".join(f"{b} {n}" for b, n in taken.items())
        lines.append(
            f"{intent:<10} {pairs[intent, intent]:>3} / {pairs[intent, intent] + sum(taken.values()):<3} {wrong}"
        )
    return lines


def validated(rows: Sequence[Row], sure: Sequence[float], pull: float, folds: int = 5) -> NDArray[np.float64]:
    """Agreement at each threshold, cross-validated inside the training rows."""
    right = np.zeros(len(sure))
    for fold in range(folds):
        model = train([row for i, row in enumerate(rows) if i % folds != fold], pull)
        part = rows[fold::folds]
        right += [sum(with_opinion(model, s)(row.key) == row.intent for row in part) for s in sure]
    return np.asarray(right / len(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: trains, prints what was measured, writes the model with ``--write``."""
    parser = argparse.ArgumentParser(
        prog="assistant.training.intents", description="質問の種類の二次判定を学習します。"
    )
    parser.add_argument(
        "--from", dest="source", type=Path, help="query-analysis.jsonl.gz から questions.tsv を作ります"
    )
    parser.add_argument("--validate", action="store_true", help="学習用の行の中で交差検証もします")
    parser.add_argument("--write", action="store_true", help="重みを assistant/vocabulary/opinion.json に書きます")
    chosen = parser.parse_args(arguments)
    if chosen.source is not None:
        with gzip.open(chosen.source, "rt", encoding="utf-8") as file:
            source = [json.loads(line) for line in file]
        lines = [
            f"{r['intent']}\t{masked(r, 2024)}\t{'held' if is_held_out(r['q']) else 'train'}"
            for r in source
            if not r["intent"].startswith("unanswerable")
        ]
        (FOLDER / "questions.tsv").write_text("\n".join(dict.fromkeys(lines)) + "\n", "utf-8")
    questions, own = read_rows(FOLDER / "questions.tsv"), read_rows(FOLDER / "own.tsv")
    trained = [row for row in questions + own if not row.held_out]
    model = train(trained)
    for name, rows in (("questions", questions), ("own", own)):
        held = [row for row in rows if row.held_out]
        shares = f"cues {agreement(held, by_cues):.3f}, with opinion {agreement(held, with_opinion(model)):.3f}"
        print(f"{name}: held out {len(held)} of {len(rows)}: {shares}")
    print("\n".join(confusion([row for row in questions if row.held_out], with_opinion(model))))
    if chosen.validate:
        sure = (0.3, 0.4, 0.5, 0.6)
        for pull in (0.2, 0.6, 2.0):
            print(f"cross-validated, pull {pull}, sure {sure}: {validated(trained, sure, pull).round(3).tolist()}")
    if chosen.write:
        MODEL.write_text(stored(model), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
