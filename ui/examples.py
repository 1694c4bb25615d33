"""Example questions for the first screen, made from what the index holds and kept only when they are answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from assistant.readiness import Asker
from corpus.documents import Fact, Sheet
from index.types import Index
from ui.render import year_label

Examples = dict[str, list[str]]
ROLES = ("財政課", "担当課", "議会対応", "DX推進課")
PER_ROLE = 2
# No candidate list is asked longer than this: the first screen must not wait.
MAX_TRIES = 5
LONGEST_NAME = 24  # a button has room for one line and a half
TERM = re.compile(r"[ァ-ヶー]{4,}|[A-Za-z]{2,}")
PLAN_FIELDS = ("今後の計画", "今後の方向性", "今後の方針", "課題と対応", "課題", "改善内容")
REASON_FIELDS = ("評価理由", "評価の理由", "総合評価", "取組状況", "達成度", "一次評価")
PURPOSE_FIELDS = ("目的", "事業の目的", "内容", "意図")


def candidates(index: Index) -> dict[str, Iterator[str]]:
    """Possible questions for each role, best first; nothing in them is known before the index is read."""
    sheets = [sheet for sheet in index.sheets() if sheet.kind == "programme" and len(sheet.name) <= LONGEST_NAME]
    facts = [(found.sheet, found.fact) for found in index.facts(fields=["決算額", "予算額", "事業費", "総事業費"])]
    fields: dict[str, set[str]] = {}
    for found in index.sections():
        fields.setdefault(found.sheet.sheet_id, set()).add(found.section.field)
    return {
        "財政課": _money(facts),
        "担当課": _about(sheets, fields, (*PLAN_FIELDS, *PURPOSE_FIELDS), turn=0),
        "議会対応": _about(sheets, fields, (*REASON_FIELDS, *PURPOSE_FIELDS), turn=2),
        "DX推進課": _topics(sheets),
    }


def _money(facts: Sequence[tuple[Sheet, Fact]]) -> Iterator[str]:
    """A ranking of the municipality with the most sheets in its fullest year, then the longest series of one sheet."""
    held: dict[str, set[str]] = {}
    years: dict[str, Counter[int]] = {}
    spread: dict[str, set[int]] = {}
    for sheet, fact in facts:
        if fact.period is not None and fact.period.kind == "fiscal_year":
            spread.setdefault(sheet.name, set()).add(fact.period.fiscal_year)
            if fact.kind == "actual" and fact.field == "決算額":
                held.setdefault(sheet.municipality, set()).add(sheet.sheet_id)
                years.setdefault(sheet.municipality, Counter())[fact.period.fiscal_year] += 1
    for place in sorted(held, key=lambda place: -len(held[place]))[:1]:
        year = max(years[place], key=lambda each: (years[place][each], each))
        yield f"{place}で{year_label(year)}の決算額が大きい事業は？"
    for name in sorted(spread, key=lambda name: -len(spread[name]))[:MAX_TRIES]:
        if len(name) <= LONGEST_NAME:
            yield f"{name}の決算額の推移は？"


def _about(sheets: Sequence[Sheet], fields: dict[str, set[str]], wanted: Sequence[str], turn: int) -> Iterator[str]:
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
                yield f"{sheet.name}の{field}は？"


def _topics(sheets: Sequence[Sheet]) -> Iterator[str]:
    """The words most names share (システム, ネットワーク …), asked across all municipalities."""
    terms = Counter(term for sheet in sheets for term in set(TERM.findall(sheet.name)))
    for term, _ in terms.most_common(MAX_TRIES):
        yield f"{term}に関する事業の一覧は？"
        yield f"{term}の課題は何ですか？"


def examples(assistant: Asker) -> Examples:
    """``PER_ROLE`` questions for each role, each one tried: an example that is not answered is not shown."""
    found: Examples = {}
    seen: set[str] = set()
    for role, questions in candidates(assistant.index).items():
        kept: list[str] = []
        for question, _ in zip(questions, range(MAX_TRIES * 2), strict=False):
            if len(kept) == PER_ROLE:
                break
            if question not in seen and not assistant.ask(question).abstained:
                kept.append(question)
                seen.add(question)
        if kept:
            found[role] = kept
    return found
