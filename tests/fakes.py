"""A small index and assistant whose every answer a person can compute with a pencil.

Two invented municipalities, four sheets. Search counts words: the score of a section is the share of the query's
words (runs of kanji, katakana, letters or digits) that stand in the sheet's name, the section's field or its text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from assistant.types import NO_CHOICES, Answer, Chart, Choices, Citation, Interpretation, Series, Table, Turn
from corpus.documents import Document, Event, Fact, Section, Sheet, Span
from corpus.errors import QuestionError
from corpus.periods import Period
from index.sheetvalues import amount_class
from index.types import (
    Filters,
    Judgement,
    Order,
    Passage,
    SearchResult,
    SheetEvent,
    SheetFact,
    SheetHit,
    SheetSection,
    SheetsFound,
    SheetValues,
    SimilarSheet,
    Vectors,
)

NO_FILTERS = Filters()
WORDS = re.compile(r"[一-龠々]+|[ァ-ヶー]+|[A-Za-z0-9]+")


def fiscal(year: int) -> Period:
    return Period(date(year, 4, 1), date(year + 1, 4, 1), f"R{year - 2018}年度", "fiscal_year")


TEXTS = {
    "aoba.txt": (
        "事務事業評価シート（令和5年度）\n"
        "事業名 図書館システム運用\n担当課 情報政策課\n担当者 見本太郎\n"
        "事業の目的\n図書館の蔵書検索と貸出を止めずに\n提供し、利用者の待ち時間を短くする。\n"
        "今後の計画\n令和7年度にクラウド型の図書館システムへ移行する。\n"
        "決算額 R4 1,200千円 R5 1,500千円\n総合評価 A\n"
        "事業名 道路台帳整備\n担当課 道路管理課\n"
        "事業の目的\n<b>道路台帳</b>を電子化し & 窓口で\n閲覧できるようにする。\n"
        "今後の計画\n令和6年度は橋りょうの台帳を追加する。\n"
        "決算額 R4 800千円 R5 700千円\n総合評価 B\n"
    ),
    "hinode.txt": (
        "行政評価表 令和4年度\n事業名 図書館システム更新\n担当課 生涯学習課\n"
        "事業の目的\n老朽化した機器を更新する。\n今後の計画\n共同利用を検討する。\n"
        "決算額 R4 3,000千円\n総合評価 C\n"
        "事業名 広報紙発行\n担当課 秘書広報課\n事業の目的\n市政情報を全戸に届ける。\n"
        "今後の計画\n点字版を発行する。\n決算額 R4 2,500千円\n総合評価 A\n"
    ),
}

# (id, file, name, municipality, year, department, sections as (field, text), facts as (year, written, yen), rating)
ROWS = [
    (
        "aoba-1", "aoba.txt", "図書館システム運用", "あおば市", 2023, "情報政策課",
        [("担当者", "見本太郎"),
         ("事業の目的", "図書館の蔵書検索と貸出を止めずに\n提供し、利用者の待ち時間を短くする。"),
         ("今後の計画", "令和7年度にクラウド型の図書館システムへ移行する。")],
        [(2022, "R4 1,200千円", 1_200_000.0), (2023, "R5 1,500千円", 1_500_000.0)], "A",
    ),
    (
        "aoba-2", "aoba.txt", "道路台帳整備", "あおば市", 2023, "道路管理課",
        [("事業の目的", "<b>道路台帳</b>を電子化し & 窓口で\n閲覧できるようにする。"),
         ("今後の計画", "令和6年度は橋りょうの台帳を追加する。")],
        [(2022, "R4 800千円", 800_000.0), (2023, "R5 700千円", 700_000.0)], "B",
    ),
    (
        "hinode-1", "hinode.txt", "図書館システム更新", "ひので市", 2022, "生涯学習課",
        [("事業の目的", "老朽化した機器を更新する。"), ("今後の計画", "共同利用を検討する。")],
        [(2022, "R4 3,000千円", 3_000_000.0)], "C",
    ),
    (
        "hinode-2", "hinode.txt", "広報紙発行", "ひので市", 2022, "秘書広報課",
        [("事業の目的", "市政情報を全戸に届ける。"), ("今後の計画", "点字版を発行する。")],
        [(2022, "R4 2,500千円", 2_500_000.0)], "A",
    ),
]  # fmt: skip


@dataclass(frozen=True)
class FakeIndex:
    """The four sheets above, all in memory."""

    version: str = "fake-1"

    def files(self) -> list[str]:
        return list(dict.fromkeys(sheet.file for sheet, _, _ in self._rows()))

    def refused(self) -> list[tuple[str, str]]:
        return []

    def judgements(self, file: str) -> dict[str, Judgement]:
        return {}

    def _rows(self) -> list[tuple[Sheet, list[Section], list[Fact]]]:
        found = []
        for sheet_id, file, name, municipality, year, department, parts, amounts, rating in ROWS:
            text = TEXTS[file]
            begin = text.index(f"事業名 {name}")
            after = text.find("事業名 ", begin + 1)
            end = len(text) if after < 0 else after
            sheet = Sheet(
                sheet_id, file, "programme", name, municipality, year, department, (Span(begin, end),), form="fake"
            )
            sections = []
            for field, part in parts:
                start = text.index(part, begin)
                sections.append(Section(field, field, Span(start, start + len(part)), part))
            facts = []
            for fact_year, written, yen in amounts:
                start = text.index(written, begin)
                span = Span(start, start + len(written))
                facts.append(Fact("決算額", "決算額", yen, written, "円", fiscal(fact_year), "actual", span, span))
            start = text.index(f"総合評価 {rating}", begin)
            span = Span(start, start + len("総合評価 A"))
            facts.append(Fact("総合評価", "総合評価", None, rating, "", fiscal(year), None, span, span))
            found.append((sheet, sections, facts))
        return found

    def values(self, sheet_id: str) -> SheetValues:
        rating, amounts = next(((row[8], row[7]) for row in ROWS if row[0] == sheet_id), ("", []))
        return SheetValues((f"総合評価：{rating}",), amounts[-1][2]) if amounts else SheetValues()

    def respelled(self, query: str) -> tuple[str, ...]:
        return (query.replace("図書官", "図書館"),) if "図書官" in query else ()

    def search_sheets(
        self, query: str, k: int, filters: Filters = NO_FILTERS, offset: int = 0, order: Order = "relevance",
        others: int = 0,
    ) -> SheetsFound:  # fmt: skip
        def found(chosen: Filters) -> dict[str, list[Passage]]:
            groups: dict[str, list[Passage]] = {}
            for hit in self.search(query, 1000, chosen).hits:
                if hit.section.field != "担当者":
                    groups.setdefault(hit.sheet.sheet_id, []).append(hit)
            return groups

        groups = found(filters)
        cards = [SheetHit(hits[0], tuple(hits[1 : others + 1]), len(hits), self.values(sheet_id))
                 for sheet_id, hits in groups.items()]  # fmt: skip
        keys = {
            "relevance": lambda card: 0,
            "year": lambda card: -card.best.sheet.fiscal_year,
            "amount": lambda card: -card.values.amount,
            "name": lambda card: card.best.sheet.name,
        }
        cards.sort(key=keys[order])
        facets: dict[str, dict[str, int]] = {}
        for name in ("municipality", "fiscal_year", "department", "section", "rating", "budget"):
            counted: Counter[str] = Counter()
            for sheet_id, hits in found(replace(filters, **{name: ()})).items():
                sheet, values = hits[0].sheet, self.values(sheet_id)
                own = {"section": {hit.section.field for hit in hits}, "rating": values.ratings,
                       "budget": [amount_class(values.amount)]}  # fmt: skip
                counted.update(own[name] if name in own else [str(getattr(sheet, name))])
            facets[name] = dict(counted)
        return SheetsFound(len(cards), sum(map(len, groups.values())), tuple(cards[offset : offset + k]), facets)

    def search(
        self, query: str, k: int, filters: Filters = NO_FILTERS, offset: int = 0, order: Order = "relevance"
    ) -> SearchResult:
        words = list(dict.fromkeys(WORDS.findall(query)))
        hits = []
        number = 0
        for sheet, sections, _ in self._rows():
            for section in sections:
                number += 1
                seen = [word for word in words if word in f"{sheet.name} {section.field} {section.text}"]
                if not seen or not passes(sheet, filters) or (filters.section and section.field not in filters.section):
                    continue
                marks = [
                    (found.start(), found.end())
                    for word in seen
                    for found in re.finditer(re.escape(word), section.text)
                ]
                score = len(seen) / len(words)
                stands = {"name": sheet.name, "label": section.field, "text": section.text}
                parts = tuple(part for part, text in stands.items() if any(word in text for word in seen))
                at = [sheet.name.find(word) for word in seen]
                named = tuple((start, start + len(word)) for start, word in zip(at, seen, strict=True) if start >= 0)
                hits.append(
                    Passage(
                        number, sheet, section, section.span, section.text, score, score, 0.0, tuple(sorted(marks)),
                        0.0, parts, named,
                    )
                )  # fmt: skip
        hits.sort(key=lambda hit: -hit.score)
        facets = {
            "municipality": Counter(hit.sheet.municipality for hit in hits),
            "fiscal_year": Counter(str(hit.sheet.fiscal_year) for hit in hits),
            "department": Counter(hit.sheet.department for hit in hits),
            "section": Counter(hit.section.field for hit in hits),
        }
        return SearchResult(len(hits), tuple(hits[offset : offset + k]), {name: dict(c) for name, c in facets.items()})

    def sheets(self, filters: Filters = NO_FILTERS) -> list[Sheet]:
        return [sheet for sheet, _, _ in self._rows() if passes(sheet, filters)]

    def sections(self, sheet_ids: list[str] | None = None, fields: list[str] | None = None) -> list[SheetSection]:
        return [
            SheetSection(0, sheet, section)
            for sheet, sections, _ in self._rows()
            if sheet_ids is None or sheet.sheet_id in sheet_ids
            for section in sections
            if fields is None or section.field in fields
        ]

    def facts(self, sheet_ids: list[str] | None = None, fields: list[str] | None = None) -> list[SheetFact]:
        return [
            SheetFact(sheet, fact)
            for sheet, _, facts in self._rows()
            if sheet_ids is None or sheet.sheet_id in sheet_ids
            for fact in facts
            if fields is None or fact.field in fields
        ]

    def events(self, sheet_ids: list[str] | None = None) -> list[SheetEvent]:
        return [
            SheetEvent(sheet, Event(fiscal(2023), sheet.spans[0], sheet.spans[0]))
            for sheet in self.sheets()
            if sheet_ids is not None and sheet.sheet_id in sheet_ids
        ]

    def timeline(self, sheet_id: str) -> list[Sheet]:
        return [sheet for sheet in self.sheets() if sheet.sheet_id == sheet_id]

    def similar(self, sheet_id: str, k: int) -> list[SimilarSheet]:
        """The sheets whose names share a run of katakana or kanji: the two libraries' systems, each for the other."""
        names = {sheet.sheet_id: sheet for sheet in self.sheets()}
        words = WORDS.findall(names[sheet_id].name) if sheet_id in names else []
        found = [(sheet, tuple(word for word in words if word in sheet.name)) for sheet in names.values()]
        return [SimilarSheet(sheet, 0.5, both) for sheet, both in found if both and sheet.sheet_id != sheet_id][:k]

    def document(self, file: str) -> Document:
        return Document(file, TEXTS[file], "0" * 64, "text")

    def original(self, file: str) -> Path | None:
        return None

    def encode(self, texts: list[str], kind: Literal["query", "passage"] = "query") -> Vectors:
        return np.ones((len(texts), 1), dtype=np.float32)


def passes(sheet: Sheet, filters: Filters) -> bool:
    return (
        (not filters.municipality or sheet.municipality in filters.municipality)
        and (not filters.fiscal_year or sheet.fiscal_year in filters.fiscal_year)
        and (not filters.department or sheet.department in filters.department)
        and (
            not filters.rating
            or any(f"総合評価：{row[8]}" in filters.rating for row in ROWS if row[0] == sheet.sheet_id)
        )
        and (not filters.budget or amount_class(FakeIndex().values(sheet.sheet_id).amount) in filters.budget)
    )


class FakeAssistant:
    """Quotes the best section; ranks settlements for 決算; explodes on 爆発 (to test what an error looks like)."""

    def __init__(self, index: FakeIndex | None = None) -> None:
        self.index = index or FakeIndex()
        self.asked: list[tuple[str, tuple[Turn, ...], Filters]] = []
        self.chosen: list[Choices] = []

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        self.asked.append((question, tuple(history), filters))
        self.chosen.append(choices)
        if "爆発" in question:
            raise RuntimeError("secret detail /etc/passwd")
        if "拒否" in question:
            raise QuestionError("この質問には答えられません。別の言葉で尋ねてください。")
        if "推移" in question:
            return self._trend(filters)
        if "決算" in question:
            return self._ranking(filters)
        result = self.index.search(question, 3, filters)
        best = [hit for hit in result.hits if hit.section.field != "担当者" and hit.score >= 0.5]
        read = Interpretation("lookup", None, filters, f"解釈: 「{question}」をシートの文章から探しました。")
        if not best:
            return Answer(
                f"索引にあるシートには、「{question}」に当たる記載が見つかりませんでした。", True, (), read,
                self.index.version, 1.5, related=result.hits, suggestions=("図書館システムの今後の計画は？",),
            )  # fmt: skip
        hit = best[0]
        citation = Citation(1, hit.sheet, hit.section.field, hit.text, hit.span)
        return Answer(
            f"{hit.sheet.name}（{hit.sheet.municipality}）: {hit.text} [1]", False, (citation,), read,
            self.index.version, 1.5, suggestions=("決算額が大きい事業は？",),
        )  # fmt: skip

    def _trend(self, filters: Filters) -> Answer:
        sheet = self.index.sheets()[0]
        facts = [found.fact for found in self.index.facts([sheet.sheet_id], ["決算額"])]
        citations = tuple(
            Citation(n, sheet, "決算額", TEXTS[sheet.file][fact.quote.start : fact.quote.end], fact.quote)
            for n, fact in enumerate(facts, 1)
        )
        return Answer(
            f"{sheet.name}の決算額は、令和4年度1,200,000円[1]、令和5年度1,500,000円[2]です。",
            False,
            citations,
            Interpretation("trend", None, filters, f"解釈: {sheet.name}の決算額の推移"),
            self.index.version,
            2.5,
            Table(("年度", "決算額（円）"), ((2022, 1_200_000.0), (2023, 1_500_000.0)), ((1,), (2,))),
            Chart("line", ("令和4年度", "令和5年度"), (Series("決算額", (1_200_000.0, 1_500_000.0)),), "円"),
        )

    def _ranking(self, filters: Filters) -> Answer:
        rows = [
            found
            for found in self.index.facts(fields=["決算額"])
            if found.fact.period == fiscal(2022) and passes(found.sheet, filters)
        ]
        rows.sort(key=lambda found: -(found.fact.value or 0))
        citations = tuple(
            Citation(
                number,
                row.sheet,
                "決算額",
                TEXTS[row.sheet.file][row.fact.quote.start : row.fact.quote.end],
                row.fact.quote,
            )  # fmt: skip
            for number, row in enumerate(rows, 1)
        )
        return Answer(
            f"令和4年度の決算額が大きい順に、全{len(rows)}件中{len(rows)}件です。\n\n"
            + "\n".join(f"- {row.sheet.name}: **{row.fact.value:,.0f}円** [{n}]" for n, row in enumerate(rows, 1)),
            False,
            citations,
            Interpretation("rank", fiscal(2022), filters, "解釈: 令和4年度（2022年4月〜2023年3月）の決算額を大きい順"),
            self.index.version,
            2.5,
            Table(
                ("自治体", "事業", "決算額（円）"),
                tuple((row.sheet.municipality, row.sheet.name, row.fact.value) for row in rows),
                tuple((number,) for number in range(1, len(rows) + 1)),
            ),
            Chart(
                "bar",
                tuple(row.sheet.name for row in rows),
                (Series("決算額", tuple(row.fact.value for row in rows)),),
                "円",
            ),
        )
