"""Readings by the dozen, and what of a built index does not hang on the hour it was built in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from corpus.documents import Document, Fact, Section, Sheet, SheetReading, Span
from corpus.periods import fiscal_year
from index.manifest import LEXICAL, MANIFEST, RECORDS, SNAPSHOTS, current

_THINGS = (
    "図書館",
    "斎場",
    "サーバー",
    "道路台帳",
    "防災無線",
    "公民館",
    "橋りょう",
    "保育所",
    "コンサル業務",
    "R7年度予算",
)
_DONE = (
    "を更改する。",
    "を整備し、12,155千円で\nリプレースした。",
    "の利用者を増やす。",
    "を見直しのうえ継続する。",
    "をRPA化した。",
)
TABLES = ("documents", "sheets", "sections", "chunks", "facts", "events", "timelines", "refused")


def many(documents: int = 24, sheets: int = 3) -> Iterator[tuple[Document, list[SheetReading]]]:
    """Documents of an invented city, each with some sheets; every fifth has a section longer than a chunk, and every
    seventh an id that another has too."""
    for number in range(documents):
        text, found = "", []
        for n in range(sheets):
            at = number * sheets + n
            name = f"{_THINGS[at % 10]}管理{at % 7}"
            begin = len(text)
            text += f"事業名\t{name}\n"
            sections = []
            for label, times in (("目的", 1), ("今後の計画", 20 if at % 5 == 0 else 2)):
                body = "".join(_THINGS[(at + i) % 10] + _DONE[(at * 3 + i) % 5] for i in range(times))
                start = len(text) + len(label) + 1
                text += f"{label}\t{body}\n"
                sections.append(Section(label, label, Span(start, start + len(body)), body))
            start = len(text)
            text += f"{at}千円\n"
            span = Span(start, start + len(f"{at}千円"))
            year = 2020 + number % 4
            fact = Fact("決算額", "決算額", at * 1000.0, f"{at}千円", "円", fiscal_year(year), "actual", span, span)
            sheet_id = "twice" if at % 7 == 0 else f"s{at}"
            sheet = Sheet(
                sheet_id, f"{number}.txt", "programme", name, "みなと野市", year, "管理課", (Span(begin, len(text)),)
            )  # fmt: skip
            found.append(SheetReading(sheet, tuple(sections), (fact,), warnings=("注意。",) if n == 0 else ()))
        yield Document(f"{number}.txt", text, f"{number:064}", "text", reader="test" if number % 2 else ""), found


def content(folder: Path) -> dict[str, object]:
    """The live snapshot of an index folder: its columns byte for byte, its records row for row."""
    path = folder / SNAPSHOTS / current(folder)
    found: dict[str, object] = {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and file.name not in (MANIFEST, RECORDS) and file.parent.name != LEXICAL
    }
    db = sqlite3.connect(f"{(path / RECORDS).as_uri()}?mode=ro&immutable=1", uri=True)
    for table in TABLES:
        found[table] = db.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
    db.close()
    return found
