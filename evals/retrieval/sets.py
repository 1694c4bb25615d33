"""Retrieval tests: queries, passages, and which passage answers. None of them was trained on."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpus.documents import Document, Section, Sheet, SheetReading, Span
from index.training.rows import HeldOut, held_out, read_rows

SEED = 7
MOST_QUERIES = 1500  # of a set, drawn by SEED; every passage stays in the pool

#: Everyday questions of domains, terms and sheets kept out of the encoder's training.
WRITTEN_SETS = ("lay", "own", "sheetqa", "sheetqa-lay")
#: Splits of open data that no training sees; every passage of the split is in the pool.
OPEN_SETS = ("jsquad-test", "jaquad-dev", "niilc-test", "nta-qa-dev", "judgit-pairs-dev", "jimujigyo-summary-dev")
#: The administrative and general sets whose questions and passages differ in words.
OTHER_WORDS = ("niilc-test", "nta-qa-dev", "judgit-pairs-dev", "jimujigyo-summary-dev")


def retrieval_sets(data: Path, most: int = MOST_QUERIES) -> list[HeldOut]:
    """The sets in the folder ``data``, each with at most ``most`` queries; a missing file raises FileNotFoundError."""
    written = {test.name: test for test in held_out(data)}
    tests = [written[name] for name in WRITTEN_SETS] + [_open_set(data, name) for name in OPEN_SETS]
    return [_thinned(test, most) for test in tests]


def _open_set(data: Path, name: str) -> HeldOut:
    rows = [(row["query"], row["positive"]) for row in read_rows(data / f"{name}.jsonl.gz")]
    passages = list(dict.fromkeys(passage for _, passage in rows))
    place = {passage: number for number, passage in enumerate(passages)}
    return HeldOut(name, [query for query, _ in rows], passages, [place[passage] for _, passage in rows])


def _thinned(test: HeldOut, most: int) -> HeldOut:
    if len(test.queries) <= most:
        return test
    chosen = random.Random(SEED).sample(range(len(test.queries)), most)
    return HeldOut(test.name, [test.queries[i] for i in chosen], test.passages, [test.gold[i] for i in chosen])


def shelf(passages: Sequence[str]) -> Iterator[tuple[Document, list[SheetReading]]]:
    """The passages as one document for :func:`index.build.build`: each is the one section of a sheet without a name.

    A sheet's id is its passage's number, so that nothing but the text can be found.
    """
    found: list[SheetReading] = []
    at = 0
    for number, passage in enumerate(passages):
        span = Span(at, at + len(passage))
        sheet = Sheet(str(number), "passages.txt", "programme", "", "", None, "", (span,))
        found.append(SheetReading(sheet, (Section("", "", span, passage),)))
        at = span.end + 1
    text = "\n".join(passages)
    yield Document("passages.txt", text, hashlib.sha256(text.encode()).hexdigest(), "text"), found
