"""``python -m evals.support.make INDEX``: the passages and both generated sets, from an index of the bundled sheets.

The programmes are divided once: sentences about one half are for working on the check, those about the other half for
the report. A programme over its years is in one half only.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections import defaultdict
from pathlib import Path

from evals.support.alterations import make_altered
from evals.support.casefile import DEVELOPED, PASSAGES, REPORTED, Case, Quote, quotes_of, write_cases, write_quotes
from evals.support.faithful import make_faithful
from index.encoder import load_encoder
from index.snapshot import Snapshot

MOST = 60  # sentences of one kind


def half(programme: str) -> int:
    """0 for the half that the check is worked on with, 1 for the half of the report."""
    return hashlib.sha256(programme.encode()).digest()[0] % 2


def thinned(cases: list[Case], rng: random.Random, most: int = MOST) -> list[Case]:
    """At most so many of a kind."""
    by_kind: dict[str, list[Case]] = defaultdict(list)
    for case in dict.fromkeys(cases):
        by_kind[case.kind].append(case)
    return [case for kind in sorted(by_kind) for case in rng.sample(by_kind[kind], min(most, len(by_kind[kind])))]


def make(quotes: list[Quote], seed: int) -> list[Case]:
    """The sentences about some passages."""
    rng = random.Random(seed)
    faithful = make_faithful(quotes, rng)
    altered = make_altered(faithful, quotes, rng)
    return thinned(faithful, rng, 80) + thinned(altered, rng)


def main(folder: Path) -> None:
    """Writes the three files."""
    quotes = quotes_of(Snapshot.open(folder, load_encoder(None)))
    sets = [make([q for q in quotes if half(q.programme) == part], 10 + part) for part in (0, 1)]
    used = {key for cases in sets for case in cases for key in case.passages}
    write_quotes([quote for quote in quotes if quote.key in used], PASSAGES)
    for cases, file in zip(sets, (DEVELOPED, REPORTED), strict=True):
        write_cases(cases, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
