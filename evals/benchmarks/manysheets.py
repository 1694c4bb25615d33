"""Sheets by the hundred thousand for measurements of size: the open review sheets first, then sheets made out of them.

A made sheet belongs to an invented municipality and has the parts of several real ones: its name and purpose of one, the
sentences of its overview drawn from three of its neighbours in the file, amounts of its own. So its words are as many and
as frequent as those of real sheets, though no sheet says anything sensible. The same number gives the same sheets.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any

from corpus.documents import Document, Fact, FactKind, Section, Sheet, SheetReading, Span
from corpus.periods import fiscal_year

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "judgit-sheets.jsonl.gz"
SHEETS_EACH = 60  # of a made document: what a department of a city publishes for a year
YEARS = (2021, 2022, 2023, 2024)
_FIRST = "青赤緑白黒金銀若古新高深広長清美豊福松竹梅桜楓藤桐柏杉樫椎榎"
_SECOND = "葉木山川原野田浦浜崎島谷沢池橋里岡坂森林井泉宮倉屋戸辺尾瀬城"
_KINDS = "市町村"
_PLANS = ("拡充して継続する。", "現状のまま継続する。", "見直しのうえ継続する。", "縮小する。", "統合を検討する。")
Reading = tuple[Document, list[SheetReading]]


def readings(sections: int | None = None, data: Path = DATA) -> Iterator[Reading]:
    """Documents with their sheets for :func:`index.build.build`, until there are ``sections`` sections (a few more, since
    a document comes whole). None: the real sheets alone, 16,061 of them with 46,836 sections."""
    records = _records(data)
    every = _real(records) if sections is None else chain(_real(records), _made(records))
    told = 0
    for document, sheets in every:
        yield document, sheets
        told += sum(len(sheet.sections) for sheet in sheets)
        if sections is not None and told >= sections:
            return


def document_of(sheets: Sequence[dict[str, Any]], file: str) -> Reading:
    """One document of some records (keys: name, municipality, department, year, parts, budgets)."""
    text: list[str] = []
    at = 0
    found = []

    def put(line: str) -> Span:
        nonlocal at
        start = at
        text.append(line + "\n")
        at += len(line) + 1
        return Span(start, start + len(line))

    for number, one in enumerate(sheets):
        begin = at
        put(f"事務事業名\t{one['name']}")
        sections, facts = [], []
        for label, field, words in one["parts"]:
            put(label)
            sections.append(Section(label, field, put(words), words))
        for year, plan, actual in one["budgets"]:
            for kind, field, amount in (("plan", "予算額", plan), ("actual", "決算額", actual)):
                if amount is not None:
                    facts.append(_amount(put, kind, field, year, amount))  # type: ignore[arg-type]
        sheet_id = f"{hashlib.sha256(file.encode()).hexdigest()[:12]}-{number + 1}"
        sheet = Sheet(
            sheet_id, file, "programme", one["name"], one["municipality"], one["year"], one["department"], (Span(begin, at),)
        )  # fmt: skip
        found.append(SheetReading(sheet, tuple(sections), tuple(facts)))
    whole = "".join(text)
    return Document(file, whole, hashlib.sha256(whole.encode()).hexdigest(), "text"), found


def _amount(put: Any, kind: FactKind, field: str, year: int, millions: float) -> Fact:
    printed = f"{millions * 1000:,.0f}"
    line = put(f"{year}年度 {field}（千円）\t{printed}")
    value = Span(line.end - len(printed), line.end)
    return Fact(field, field, round(millions * 1000) * 1000.0, printed, "円", fiscal_year(year), kind, value, line)


def _records(data: Path) -> list[dict[str, Any]]:
    with gzip.open(data, "rt", encoding="utf-8") as lines:
        return [_record(json.loads(line)) for line in lines]


def _record(row: dict[str, Any]) -> dict[str, Any]:
    parts = [("事業の目的", "目的", row.get("purpose")), ("事業の概要", "概要", row.get("overview"))]
    parts += [("成果指標", "成果指標", one.get("name")) for one in row.get("outcomes") or []]
    return {
        "name": " ".join(row["name"].split()),
        "municipality": row["ministry"],
        "department": " ".join((row.get("division") or "").split()),
        "year": row["year"],
        "parts": [(label, field, " ".join(words.split())) for label, field, words in parts if words and words.strip()],
        "budgets": row.get("budget_million_yen") or [],
    }


def _real(records: list[dict[str, Any]]) -> Iterator[Reading]:
    """A document a ministry and year, as they stand in the file."""
    for number, (_, sheets) in enumerate(groupby(records, key=lambda one: (one["year"], one["municipality"]))):
        own = list(sheets)
        for at in range(0, len(own), 500):
            yield document_of(own[at : at + 500], f"review/{number:03}-{at:05}.txt")


def _towns() -> Iterator[str]:
    for kind in _KINDS:
        for second in _SECOND:
            for first in _FIRST:
                yield f"{first}{second}{kind}"


def _made(records: list[dict[str, Any]]) -> Iterator[Reading]:
    """A document a town and year, without end: towns come again with another office."""
    towns = list(_towns())
    offices = ("総務部", "市民部", "福祉部", "建設部", "教育部", "環境部", "産業部", "水道部")
    for number in range(len(towns) * len(YEARS) * len(offices)):
        town = towns[number // len(YEARS) % len(towns)]
        office = offices[number // (len(YEARS) * len(towns))]
        draw = random.Random(number)
        sheets = [_sheet(draw, records, town, office, YEARS[number % len(YEARS)]) for _ in range(SHEETS_EACH)]
        yield document_of(sheets, f"{town}/{office}/{YEARS[number % len(YEARS)]}.txt")


def _sheet(draw: random.Random, records: list[dict[str, Any]], town: str, office: str, year: int) -> dict[str, Any]:
    at = draw.randrange(len(records) - 3)
    base = records[at]
    sentences = [
        sentence
        for other in records[at : at + 3]
        for _, field, words in other["parts"]
        if field == "概要"
        for sentence in islice(words.split("。"), 8)
        if sentence
    ]
    draw.shuffle(sentences)
    share = draw.uniform(0.2, 3)
    parts = [part for part in base["parts"] if part[1] != "概要"]
    parts.append(("事業の概要", "概要", "。".join(sentences[: draw.randint(1, 5)]) + "。"))
    parts.append(("今後の方向性", "今後の方向性", f"{town}では、{year + 1}年度から{draw.choice(_PLANS)}"))
    return {
        "name": base["name"],
        "municipality": town,
        "department": f"{office} {draw.choice('総管企振調')}{draw.choice('務理画興整')}課",
        "year": year,
        "parts": parts,
        "budgets": [
            (
                year - back,
                round(total * share, 3) if total else None,
                round(spent * share, 3) if spent and back else None,
            )
            for back, (_, total, spent) in enumerate(base["budgets"][:3])
        ],
    }
