"""Texts read as sheets, and their figures as tuples to compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.documents import Document, SheetReading
from corpus.readers import read_document
from corpus.reading import read_sheets

FILES = sorted((Path(__file__).resolve().parents[2] / "shared" / "corpus").glob("*.txt"))
needs_corpus = pytest.mark.skipif(
    len(FILES) < 5, reason="the real corpus stands in ../shared/corpus, not in this checkout"
)
HEAD = "令和7年度 事務事業評価シート(令和6年度実績)\n事務事業名\t窓口改善\n"


@pytest.fixture(scope="module")
def corpus() -> dict[str, tuple[Document, list[SheetReading]]]:
    if len(FILES) < 5:
        pytest.skip("the real corpus stands in ../shared/corpus")
    documents = {path.name[:3]: read_document(path) for path in FILES}
    return {key: (document, read_sheets(document)) for key, document in documents.items()}


def sheet_named(corpus: dict[str, tuple[Document, list[SheetReading]]], file: str, name: str) -> SheetReading:
    return next(r for r in corpus[file][1] if r.sheet.name == name)
