"""The sentences that the check is measured with, as JSON Lines: each with the passages it cites."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from assistant.support.evidence import Source, source
from corpus.documents import Fact, Span
from corpus.periods import Period
from index.types import Index, SheetFact

FOLDER = Path(__file__).parent
PASSAGES, DEVELOPED, REPORTED, BY_HAND, BLIND, FREE = (
    FOLDER / f"{name}.jsonl" for name in ("passages", "developed", "reported", "byhand", "blind", "free")
)


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence citing ``passages`` (keys of the passages' file) as [1], [2] …; ``kind`` is how it was made."""

    sentence: str
    passages: tuple[str, ...]
    faithful: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A citation as an answer would bear it, with the facts that were read from it; ``programme`` is the same over years."""

    key: str
    municipality: str
    sheet: str
    department: str
    section: str
    year: int | None
    quote: str
    facts: tuple[Fact, ...]

    @property
    def programme(self) -> str:
        """The sheet over the years."""
        return f"{self.municipality}/{self.sheet}/{self.department}"

    def source(self, n: int) -> Source:
        """The citation numbered n."""
        return source(
            n, self.municipality, self.sheet, self.department, self.section, self.year, self.quote, self.facts
        )


def quotes_of(index: Index) -> list[Quote]:
    """Every section with a sentence and every row of figures of an index's programmes."""
    found: list[Quote] = []
    for sheet in index.sheets():
        if sheet.kind != "programme":
            continue
        about = (sheet.municipality, sheet.name, sheet.department)
        for at, one in enumerate(index.sections([sheet.sheet_id])):
            text = one.section.text
            if "。" in text and len(text) < 400 and one.section.field != "担当者":
                key = f"{sheet.sheet_id}-s{at}"
                found.append(Quote(key, *about, one.section.label, sheet.fiscal_year, text, ()))
        rows: dict[tuple[int, int], list[SheetFact]] = {}
        for fact in index.facts([sheet.sheet_id]):
            if fact.fact.value is not None:
                rows.setdefault((fact.fact.quote.start, fact.fact.quote.end), []).append(fact)
        for (start, end), facts in rows.items():
            quote = index.document(sheet.file).text[start:end]
            label = facts[0].fact.label
            key = f"{sheet.sheet_id}-f{start}"
            found.append(Quote(key, *about, label, sheet.fiscal_year, quote, tuple(f.fact for f in facts)))
    return found


def write_quotes(quotes: list[Quote], file: Path = PASSAGES) -> None:
    """Writes the passages."""
    rows = [{**asdict(one), "facts": [_fact_row(fact) for fact in one.facts]} for one in quotes]
    _write(rows, file)


def read_quotes(file: Path = PASSAGES) -> dict[str, Quote]:
    """The passages by their keys."""
    found = {}
    for row in _read(file):
        row["facts"] = tuple(_fact(one) for one in row["facts"])
        found[row["key"]] = Quote(**row)
    return found


def write_cases(cases: list[Case], file: Path) -> None:
    """Writes sentences."""
    _write([asdict(case) for case in cases], file)


def read_cases(file: Path) -> list[Case]:
    """The sentences of a file."""
    return [Case(row["sentence"], tuple(row["passages"]), row["faithful"], row["kind"]) for row in _read(file)]


def _fact_row(fact: Fact) -> list[Any]:
    period = fact.period
    days = None if period is None else [str(period.start), str(period.end), period.label, period.kind]
    return [fact.field, fact.label, fact.value, fact.text, fact.unit, days, fact.kind]


def _fact(row: list[Any]) -> Fact:
    field, label, value, text, unit, days, kind = row
    period = None
    if days is not None:
        period = Period(date.fromisoformat(days[0]), date.fromisoformat(days[1]), days[2], days[3])
    return Fact(field, label, value, text, unit, period, kind, Span(0, 0), Span(0, 0))


def _write(rows: list[dict[str, Any]], file: Path) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
