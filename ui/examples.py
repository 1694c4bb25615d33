"""Example questions for the first screen, made from what the index holds and kept only when they are answered well."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.readiness import Asker
from assistant.types import Answer
from corpus.documents import Fact, Section, Sheet
from index.types import Index
from ui.render import year_label

Examples = dict[str, list[str]]
ROLES = ("財政課", "担当課", "議会対応", "DX推進課")
PER_ROLE = 2
MAX_TRIES = 8  # for one role: the first screen must not wait
LONGEST_NAME = 24  # a button has room for one line and a half
SYSTEM = re.compile(r"システム|ネットワーク|クラウド|デジタル|DX|ICT|AI|RPA")
RATING = re.compile(r"[B-E](?![A-Z])")  # an A needs no explaining in a council
MONEY_FIELDS = ["決算額", "予算額", "事業費", "総事業費"]
PLAN_FIELDS = ("今後の計画", "今後の方向性", "課題", "目的")
REASON_FIELDS = ("評価理由", "総合評価", "課題", "目的")
MOVED_TO = re.compile(r"[ァ-ヶー]{4,40}(?=(?:型|方式|環境|サービス)?[^、。\n]{0,6}(?:移行|移す))")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question, and whether a good answer to it is a table or a chart."""

    question: str
    listed: bool = False

    def suits(self, answer: Answer) -> bool:
        """Whether the answer is worth showing to somebody who sees this for the first time."""
        return not answer.abstained and (not self.listed or answer.table is not None or answer.chart is not None)


def candidates(index: Index) -> dict[str, Iterator[Candidate]]:
    """Possible questions for each role, best first; nothing in them is known before the index is read."""
    sheets = [sheet for sheet in index.sheets() if sheet.kind == "programme" and len(sheet.name) <= LONGEST_NAME]
    facts = [(found.sheet, found.fact) for found in index.facts() if found.sheet.kind == "programme"]
    sections = [(found.sheet, found.section) for found in index.sections() if found.sheet.kind == "programme"]
    fields: dict[str, set[str]] = {}
    for sheet, section in sections:
        fields.setdefault(sheet.sheet_id, set()).add(section.field)
    systems = [sheet for sheet in sheets if SYSTEM.search(unicodedata.normalize("NFKC", sheet.name))]
    return {
        "財政課": _alternate(_rankings(facts), _trends(facts)),
        "担当課": _about(sheets, fields, PLAN_FIELDS, 0),
        "議会対応": _alternate(_ratings(facts), _about(sheets, fields, REASON_FIELDS, 2)),
        "DX推進課": _alternate(_moves(sections), _about(systems, fields, PLAN_FIELDS, 1)),
    }


def _alternate(*sources: Iterator[Candidate]) -> Iterator[Candidate]:
    """One of each in turn, so that a role shows two kinds of question."""
    waiting = list(sources)
    while waiting:
        for source in list(waiting):
            candidate = next(source, None)
            if candidate is None:
                waiting.remove(source)
            else:
                yield candidate


def _rankings(facts: Sequence[tuple[Sheet, Fact]]) -> Iterator[Candidate]:
    """The largest settlements of a municipality in the year that most of its sheets tell."""
    years: dict[str, Counter[int]] = {}
    for sheet, fact in facts:
        if fact.field == "決算額" and fact.kind == "actual" and fact.period is not None:
            years.setdefault(sheet.municipality, Counter())[fact.period.fiscal_year] += 1
    for place in sorted(years, key=lambda place: -years[place].total()):
        year = max(years[place], key=lambda each: (years[place][each], each))
        yield Candidate(f"{place}の{year_label(year)}の決算額が大きい順に5つ教えて", listed=True)


def _trends(facts: Sequence[tuple[Sheet, Fact]]) -> Iterator[Candidate]:
    """The sheets with the longest series."""
    told: dict[tuple[str, str], set[int]] = {}
    for sheet, fact in facts:
        if fact.field in MONEY_FIELDS and fact.period is not None and fact.kind == "actual":
            told.setdefault((sheet.name, fact.field), set()).add(fact.period.fiscal_year)
    for name, field in sorted(told, key=lambda key: -len(told[key])):
        if len(name) <= LONGEST_NAME and len(told[name, field]) > 1:
            yield Candidate(f"{name}の{field}の推移は？", listed=True)


def _ratings(facts: Sequence[tuple[Sheet, Fact]]) -> Iterator[Candidate]:
    """``A市で評価がBの事業は？`` for the commonest rating below the best."""
    given: dict[tuple[str, str], set[str]] = {}
    for sheet, fact in facts:
        rating = RATING.match(unicodedata.normalize("NFKC", fact.text)) if fact.value is None else None
        if rating and "評価" in fact.field:
            given.setdefault((sheet.municipality, rating.group()), set()).add(sheet.sheet_id)
    for place, letter in sorted(given, key=lambda key: -len(given[key])):
        yield Candidate(f"{place}で評価が{letter}の事業は？", listed=True)


def _moves(sections: Sequence[tuple[Sheet, Section]]) -> Iterator[Candidate]:
    """``クラウドへの移行を検討している事業は？`` for what most sheets say they move to; システム says too little."""
    names = {sheet.sheet_id: sheet.name for sheet, _ in sections}
    named: dict[str, set[str]] = {}
    for sheet, section in sections:
        for term in MOVED_TO.findall(section.text):
            named.setdefault(term, set()).add(sheet.sheet_id)
    for term in sorted(named, key=lambda term: -len(named[term])):
        common = sum(term in name for name in names.values()) * 10 > len(names)
        if len(named[term]) > 1 and not common:
            yield Candidate(f"{term}への移行を検討している事業は？", listed=True)


def _about(
    sheets: Sequence[Sheet], fields: dict[str, set[str]], wanted: Sequence[str], turn: int
) -> Iterator[Candidate]:
    """``〜の今後の計画は？``: one sheet from each municipality in turn, from the middle, so that it is not always the first.

    ``turn`` makes two roles begin with different municipalities and different sheets.
    """
    groups: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        groups.setdefault(sheet.municipality, []).append(sheet)
    ordered = sorted(groups.values(), key=lambda group: -len(group))
    ordered = ordered[turn % len(ordered) :] + ordered[: turn % len(ordered)] if ordered else []
    for step in range(MAX_TRIES):
        for group in ordered:
            sheet = group[(len(group) // 2 + step * 2 + turn) % len(group)]
            field = next((name for name in wanted if name in fields.get(sheet.sheet_id, set())), None)
            if field is not None:
                yield Candidate(f"{sheet.name}の{field}は？")


def examples(assistant: Asker) -> Examples:
    """``PER_ROLE`` questions for each role, each one tried: an example without a good answer is not shown."""
    found: Examples = {}
    seen: set[str] = set()
    for role, source in candidates(assistant.index).items():
        kept: list[str] = []
        for candidate, _ in zip(source, range(MAX_TRIES), strict=False):
            if len(kept) == PER_ROLE:
                break
            if candidate.question not in seen:
                seen.add(candidate.question)
                if candidate.suits(assistant.ask(candidate.question)):
                    kept.append(candidate.question)
        if kept:
            found[role] = kept
    return found
