"""How well sheets are linked over the years: ``python -m evals.benchmarks.timelines FILE``.

FILE is JSON Lines (``.gz`` too), one review sheet a line: ``year``, ``ministry``, ``name``, ``bureau``, ``division`` and
``budget_million_yen`` as ``[[year, budgeted, settled], …]``. The linking sees neither figures nor identifiers, and the
figures are the check: two sheets of one programme print the same settled amounts for the years both of them show.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpus.normalize import squeeze
from corpus.timelines import Head, link

Record = Mapping[str, Any]
# Figures are printed rounded to a million in one year and exactly in another.
_ROUNDING, _SHARE = 1.0, 0.02
# Smaller amounts meet by chance.
_TELLING_AMOUNT = 50.0


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """``judged`` links are those whose sheets both print an amount of one year; ``agree`` of them print the same.

    ``known`` pairs are sheets of neighbouring years that alone in their ministry share two settled amounts; ``linked`` of
    them stand in one timeline.
    """

    sheets: int
    timelines: int
    links: int
    judged: int
    agree: int
    known: int
    linked: int
    cpu_seconds: float


def measure(records: Sequence[Record]) -> LinkFigures:
    """Links the records and compares the links with the figures."""
    heads = [_head(at, record) for at, record in enumerate(records)]
    begun = time.process_time()
    found = link(heads)
    spent = time.process_time() - begun
    timelines = [[int(sheet_id) for sheet_id in timeline] for timeline in found]
    of = {at: number for number, timeline in enumerate(timelines) for at in timeline}
    links = [(records[a], records[b]) for timeline in timelines for a, b in zip(timeline, timeline[1:], strict=False)]
    verdicts = [verdict for one, other in links if (verdict := same_figures(one, other)) is not None]
    known = known_pairs(records)
    linked = sum(one in of and of[one] == of.get(other) for one, other in known)
    counts = (len(records), len(timelines), len(links), len(verdicts), sum(verdicts), len(known), linked)
    return LinkFigures(*counts, round(spent, 2))


def _head(at: int, record: Record) -> Head:
    division = next(iter((record.get("division") or "").splitlines()), "")
    department = f"{record.get('bureau') or ''}{division}"
    town = squeeze(str(record["ministry"]))
    return Head(f"{at:06}", "", town, int(record["year"]), squeeze(str(record["name"])), squeeze(department))


def settled(record: Record) -> dict[int, float]:
    """The settled amounts by year, without zeros: a programme that has not begun settles nothing like any other."""
    return {int(year): float(amount) for year, _, amount in record["budget_million_yen"] if amount}


def same_figures(one: Record, other: Record) -> bool | None:
    """Whether two sheets print the same amount for a year that both show; None where they show none in common."""
    first, second = settled(one), settled(other)
    common = first.keys() & second.keys()
    if not common:
        return None
    return any(
        abs(first[year] - second[year]) <= max(_ROUNDING, _SHARE * max(first[year], second[year])) for year in common
    )


def known_pairs(records: Sequence[Record]) -> list[tuple[int, int]]:
    """Pairs of sheets of neighbouring years that alone in their ministry print the same two settled amounts."""
    found: list[tuple[int, int]] = []
    for year in sorted({int(record["year"]) for record in records}):
        sharing: dict[tuple[str, float, float], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for at, record in enumerate(records):
            amounts = settled(record)
            pair = amounts.get(year - 2, 0.0), amounts.get(year - 1, 0.0)
            if int(record["year"]) in (year, year + 1) and min(pair) >= _TELLING_AMOUNT:
                sharing[str(record["ministry"]), *pair][int(record["year"]) - year].append(at)
        found += [(one[0], other[0]) for one, other in sharing.values() if len(one) == len(other) == 1]
    return found


def read_records(lines: Iterable[str]) -> list[Record]:
    """The records of JSON Lines."""
    return [json.loads(line) for line in lines if line.strip()]


def main(arguments: Sequence[str]) -> int:
    """Prints the figures as JSON."""
    if len(arguments) != 1:
        print("使い方: python -m evals.benchmarks.timelines FILE.jsonl[.gz]", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        print(json.dumps(asdict(measure(read_records(lines)))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
