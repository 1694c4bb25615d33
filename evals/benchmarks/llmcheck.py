"""What the check of written sentences lets through and keeps, by kind (``python -m evals.benchmarks.llmcheck``).

``developed`` is the half it was worked on with, ``reported`` the other, ``byhand`` written after it was finished, ``free`` by
two writers who had not seen it: freely worded, some of the true ones with numbers that were rounded or worked out.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

from assistant.support.check import Encode, Verdict, check
from evals.support.alterations import HARD
from evals.support.casefile import BLIND, BY_HAND, DEVELOPED, FREE, REPORTED, Case, Quote, read_cases, read_quotes
from index.encoder import BUNDLED, StaticEncoder

RESULTS = Path(__file__).parent / "results" / "llmcheck.json"
SETS = {"developed": DEVELOPED, "reported": REPORTED, "byhand": BY_HAND, "blind": BLIND, "free": FREE}


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence and what the check says of it; ``kept``: it would be shown."""

    case: Case
    verdict: Verdict

    @property
    def kept(self) -> bool:
        """Whether it would be shown."""
        return not self.verdict.why


def words_of_meaning() -> Encode:
    """Vectors of words by the bundled encoder."""
    return StaticEncoder(BUNDLED, "bundled").word_vectors


def judge(cases: list[Case], quotes: dict[str, Quote], encode: Encode) -> list[Judged]:
    """The verdict on every sentence."""
    found = []
    for case in cases:
        sources = [quotes[key].source(n) for n, key in enumerate(case.passages, 1)]
        found.append(Judged(case, check(case.sentence, sources, encode)))
    return found


def summed(judged: list[Judged]) -> dict[str, Any]:
    """Shares and counts, in all and by kind."""
    by_kind: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        by_kind[("faithful: " if one.case.faithful else "altered: ") + one.case.kind].append(one)
    faithful = [one for one in judged if one.case.faithful]
    altered = [one for one in judged if not one.case.faithful]
    hard = [one for one in altered if one.case.kind in HARD]
    return {
        "faithful": {"n": len(faithful), "kept": sum(one.kept for one in faithful)},
        "altered": {"n": len(altered), "let_through": sum(one.kept for one in altered)},
        "numbers, names, dates": {"n": len(hard), "let_through": sum(one.kept for one in hard)},
        "by_kind": {
            kind: {"n": len(of_kind), "kept": sum(one.kept for one in of_kind)}
            for kind, of_kind in sorted(by_kind.items())
        },
    }


def main(names: list[str]) -> None:
    """Measures the named sets (all without names), prints what went wrong of the developed one, and writes the results."""
    quotes, encode = read_quotes(), words_of_meaning()
    told: dict[str, Any] = {}
    for name, file in SETS.items():
        if (names and name not in names) or not file.exists():
            continue
        cases = read_cases(file)
        began = process_time()
        judged = judge(cases, quotes, encode)
        told[name] = {**summed(judged), "ms_per_sentence": round((process_time() - began) * 1000 / len(cases), 2)}
        if names:
            for one in judged:
                if one.kept != one.case.faithful:
                    where = " / ".join(quotes[key].quote[:160].replace("\n", "") for key in one.case.passages)
                    sys.stdout.write(
                        f"{one.case.kind}\t{one.verdict.why} {one.verdict.detail}\t{one.case.sentence}\t{where}\n"
                    )
    if not names:
        RESULTS.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
