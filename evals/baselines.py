"""What search alone would answer: BM25 only, dense only, and both fused, each giving its best passage as the answer.

The same sections, words and encoder as the assistant's, without its understanding of the question:
``python -m evals.baselines FILE --index-dir DIR``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.settings import load_settings
from corpus.documents import Span
from corpus.errors import HyokaError
from evals.cases import CaseFile, read_cases
from evals.outcomes import RunResult
from evals.ranking import available, ranking
from evals.run import examine_cases
from evals.target import History, Target, local, stored_text
from index.chunks import passage_text, split
from index.lexical import LexicalDocument, LexicalIndex, write_lexical
from index.tokens import words
from index.types import Encoder, Index, Passage, SheetSection

#: Question and number of passages to passages, best first.
Search = Callable[[str, int], Sequence[Passage]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a section as it is indexed."""

    found: SheetSection
    span: Span
    text: str

    @property
    def headed(self) -> str:
        """The text under its sheet's name and its label, as the index encodes it."""
        return passage_text(self.found.sheet, self.found.section, self.text)

    def passage(self, score: float) -> Passage:
        """As search returns it."""
        return Passage(self.found.section_id, self.found.sheet, self.found.section, self.span, self.text, score)


def chunks(index: Index) -> list[Chunk]:
    """Every section of an index, cut as the index cuts it."""
    pieces = []
    for found in index.sections():
        base = found.section.span.start
        for piece in split(found.section.text):
            span = Span(base + piece.start, base + piece.end)
            pieces.append(Chunk(found, span, found.section.text[piece.start : piece.end]))
    return pieces


def lexical(pieces: Sequence[Chunk], folder: Path) -> Search:
    """BM25 over the words of names, departments, labels and texts; writes its index into ``folder``."""
    numbers = {sheet_id: n for n, sheet_id in enumerate(dict.fromkeys(p.found.sheet.sheet_id for p in pieces))}
    write_lexical(
        folder,
        (
            LexicalDocument(
                chunk=n,
                sheet=numbers[piece.found.sheet.sheet_id],
                name=words(piece.found.sheet.name, parts=True),
                department=words(piece.found.sheet.department, parts=True),
                label=words(piece.found.section.label, parts=True),
                text=words(piece.text, parts=True),
            )
            for n, piece in enumerate(pieces)
        ),
    )
    engine = LexicalIndex(folder)

    def search(question: str, k: int) -> list[Passage]:
        terms = [(word, 1.0) for word in dict.fromkeys(words(question, parts=True))]
        return [pieces[n].passage(score) for n, score in engine.search(terms, k)]

    return search


def dense(pieces: Sequence[Chunk], encoder: Encoder | Index) -> Search:
    """The cosine of an encoder (of an index: the one for words and sentences) between the question and each piece."""
    vectors = encoder.encode([piece.headed for piece in pieces], "passage")

    def search(question: str, k: int) -> list[Passage]:
        cosines = vectors @ encoder.encode([question], "query")[0]
        best = np.argsort(-cosines, kind="stable")[:k]
        return [pieces[n].passage(float(cosines[n])) for n in best]

    return search


def fused(index: Index) -> Search:
    """The index's own search, words and meaning together."""
    return lambda question, k: index.search(question, k).hits


def answering(search: Search, index: Index, name: str) -> Target:
    """A target that answers with the best passage, cites it, and abstains only when nothing was found."""

    def ask(question: str, history: History, filters: Mapping[str, Any]) -> dict[str, Any]:
        found = search(question, 1)
        if not found:
            return {"answer": "", "abstained": True, "citations": [], "table": None}
        best = found[0]
        citation = {
            "n": 1,
            "sheet": best.sheet.name,
            "sheet_id": best.sheet.sheet_id,
            "municipality": best.sheet.municipality,
            "department": best.sheet.department,
            "section": best.section.label,
            "quote": best.text,
            "source": {"file": best.sheet.file, "start": best.span.start, "end": best.span.end},
        }
        return {
            "answer": f"{best.text}[1]",
            "abstained": False,
            "citations": [citation],
            "table": None,
            "debug": {"top_score": best.score},
        }

    return Target(ask, stored_text(index), {"baseline": name, "index_version": index.version}, index)


@contextmanager
def baselines(index: Index, with_peers: bool = False) -> Iterator[dict[str, Search]]:
    """The searches by name; the temporary BM25 index lives as long as the context."""
    from evals.peers import peers

    pieces = chunks(index)
    # tantivy's reader may put its lock file back while the folder is removed.
    with tempfile.TemporaryDirectory(prefix="hyoka-bm25-", ignore_cleanup_errors=True) as folder:
        yield {
            "bm25": lexical(pieces, Path(folder) / "lexical"),
            "dense": dense(pieces, index),
            "fused": fused(index),
            **(peers(pieces, index) if with_peers else {}),
        }


def compared(cases: CaseFile, assistant: Target, index: Index, with_peers: bool = False) -> dict[str, RunResult]:
    """The assistant and each baseline on the same questions; ranking figures for the searches."""
    results = {"assistant": examine_cases(cases, assistant, ranked=False)}
    with baselines(index, with_peers) as searches:
        for name, search in searches.items():
            result = examine_cases(cases, answering(search, index, name), ranked=False)
            ranks = ranking(cases.cases, search) if available() else {}
            results[name] = RunResult(
                result.file, result.outcomes, result.bad, result.about, result.seconds, retrieval=ranks
            )
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: one row for the assistant and each baseline."""
    from evals.table import show_baselines

    parser = argparse.ArgumentParser(prog="evals.baselines", description="検索だけの成績と比べます。")
    parser.add_argument("file", type=Path)
    parser.add_argument("--index-dir", type=Path, default=load_settings().index_dir)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers", action="store_true", help="txtai と Haystack も（追加パッケージ hyoka[bench]）")
    chosen = parser.parse_args(arguments)
    try:
        cases = read_cases(chosen.file)
        target = local(chosen.index_dir)
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    if target.index is None:
        raise AssertionError("a local target has an index")
    results = compared(cases, target, target.index, chosen.peers)
    if chosen.json:
        told = {name: {key: result.payload()[key] for key in _KEYS} for name, result in results.items()}
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    else:
        show_baselines(results)
    return 0


_KEYS = ("overall", "by_type", "retrieval")

if __name__ == "__main__":
    sys.exit(main())
