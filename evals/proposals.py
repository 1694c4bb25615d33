"""Questions an index can be asked, with their gold computed from its facts and sections: ``hyoka eval draft``.

They are drafts for a person to read, not truth: a fact read wrongly gives a wrong gold. So only what was read beside its
own label is used, a figure that two sheets print differently is left out, and nothing that names a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from random import Random
from typing import TypeVar

from corpus.documents import Sheet
from corpus.periods import era_name
from evals.cases import Case, CaseType, Expected
from evals.shelf import AMOUNTS, Shelf, names_a_person
from evals.wording import (
    TOPICS,
    amount_forms,
    date_forms,
    dated,
    figure_forms,
    name_forms,
    short_label,
    worded,
    year_words,
)
from index.types import Index, SheetFact

T = TypeVar("T")
RATINGS = re.compile(r"評価|必要性|有効性|効率性|妥当性|達成度|実施方法|事業段階")
RATING_VALUE = re.compile(r"[A-ES](?![A-Za-z])|直営|(?:一部|全部)?委託|補助.{0,4}|休止|廃止|継続")
#: Fields whose text answers a question by itself.
TEXTS = frozenset("課題 目的 対象 内容 意図 今後の方向性 評価理由 未達成の理由 改善内容 所見 成果".split())
_STARTS_WITH_DATE = re.compile(
    r"^[・〇○\s]*+(?P<date>.{1,100}?)(?:に(?:は)?|から|より|までに|、)(?P<what>[^、。に].{1,200}?)[。\s]*$"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A case without its number."""

    type: CaseType
    question: str
    sheets: tuple[str, ...] = ()
    must: tuple[tuple[str, ...], ...] = ()
    history: tuple[str, ...] = ()
    municipality: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    note: str = ""

    def case(self, name: str) -> Case:
        """The same in the format of the question files."""
        return Case(
            id=name,
            type=self.type,
            question=self.question,
            history=self.history,
            municipality=self.municipality,
            sheets=self.sheets,
            sections=self.sections,
            evidence=self.evidence,
            answer=Expected(must=self.must),
            unanswerable=self.type == "unanswerable",
            note=self.note,
        )


def propose(index: Index, count: int = 60, seed: int = 0) -> list[Case]:
    """At most ``count`` cases, the types in turn; the same index and seed give the same cases.

    There is none of the type ``semantic``: its words must come from people, not from the sheets.
    """
    shelf, random = Shelf(index), Random(seed)
    sources = [make(shelf, random) for make in MAKERS]
    found: dict[str, Proposal] = {}
    for group in zip_longest(*sources):
        for proposal in group:
            if proposal is not None:
                found.setdefault(proposal.question, proposal)
        if len(found) >= count:
            break
    return [proposal.case(f"draft-{number:03d}") for number, proposal in enumerate([*found.values()][:count], start=1)]


def numbers(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """One amount or indicator of one year."""
    for (_, label, year, kind), found in _shuffled(shelf.figures.items(), random):
        sheet, fact = found.sheet, found.fact
        if fact.field in AMOUNTS:
            # A plan may be a request, a budget or a forecast; people ask for it by the word 予算額 only.
            if (kind == "plan") != (label == "予算額"):
                continue
            words = {"name": shelf.spoken(sheet, random), "year": year_words(year, random), "label": label}
            question, forms = worded("amount", random, **words), amount_forms(round(fact.value or 0))
        elif "指標" in fact.field and fact.unit and fact.unit != "円":
            label, side = short_label(label), "目標" if kind == "plan" else "実績"
            words = {"name": shelf.spoken(sheet, random), "year": year_words(year, random), "label": label}
            question = worded("figure", random, side=side, **words)
            forms = figure_forms(fact.value or 0, fact.text, fact.unit)
        else:
            continue
        yield _of_fact("lookup-number", question, shelf, found, (tuple(forms),))


def texts(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """What one labelled part of a sheet says."""
    labels = Counter((found.sheet.sheet_id, found.section.label) for found in shelf.sections)
    for found in _shuffled(shelf.sections, random):
        sheet, section = found.sheet, found.section
        terms = shelf.terms(found)
        if section.field not in TEXTS or labels[sheet.sheet_id, section.label] > 1 or not terms:
            continue
        if names_a_person("".join(section.text.split())):  # a line break inside a word makes names of its halves
            continue
        name = shelf.dated(sheet, random)
        yield Proposal(
            "lookup-text",
            worded("text", random, name=name, label=section.label),
            sheets=(shelf.gold(sheet),),
            must=tuple((term,) for term in terms),
            municipality=_town(sheet),
            sections=(section.label,),
            evidence=(section.text.strip(),),
            note=f"{sheet.file} の欄「{section.label}」から作った案。必須の語はその欄だけにある語",
        )


def ratings(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """Every sheet of a municipality and year with one rating or choice."""
    groups: dict[tuple[str, int, str, str], dict[str, SheetFact]] = defaultdict(dict)
    for found in shelf.facts:
        sheet, fact = found.sheet, found.fact
        given = RATING_VALUE.match(unicodedata.normalize("NFKC", fact.text))
        if fact.value is None and given and RATINGS.search(fact.field) and sheet.fiscal_year and not fact.inferred:
            year = fact.period.fiscal_year if fact.period else sheet.fiscal_year
            if year == sheet.fiscal_year:
                groups[sheet.municipality, year, short_label(fact.label), given.group()].setdefault(
                    shelf.gold(sheet), found
                )
    for (town, year, label, value), group in _shuffled(groups.items(), random):
        if 2 <= len(group) <= 12:
            words = {"town": town, "year": year_words(year, random), "label": label, "value": value}
            yield _listed("rating", words, group, shelf, random)


def departments(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """Every sheet of a department in one year."""
    for (town, department, year), group in _shuffled(shelf.by_department().items(), random):
        if 2 <= len(group) <= 12:
            words = {"town": town, "department": department, "year": year_words(year, random)}
            yield _listed("department", words, group, shelf, random)


def largest(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """The sheet with the largest figure of a municipality and year."""
    for (town, label, year), group in _shuffled(shelf.spending().items(), random):
        ranked = sorted(group, key=lambda found: -(found.fact.value or 0))
        if len(ranked) < 3 or ranked[0].fact.value == ranked[1].fact.value:
            continue
        best = ranked[0]
        words = {"town": town, "year": year_words(year, random), "label": label}
        must = (tuple(name_forms(best.sheet.name)), tuple(amount_forms(round(best.fact.value or 0))))
        yield _of_fact("aggregate", worded("largest", random, **words), shelf, best, must, f"{len(ranked)}件のうち最大")


def sums(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """The sum of a figure over a department's sheets, where each of them prints it."""
    held = shelf.spending()
    for (town, department, year), group in _shuffled(shelf.by_department().items(), random):
        for label in ("決算額", "総事業費"):
            found = [one for one in held.get((town, label, year), ()) if one.sheet.department.endswith(department)]
            if not 2 <= len(found) == len(group) <= 8:
                continue
            words = {"town": town, "department": department, "year": year_words(year, random), "label": label}
            yield Proposal(
                "aggregate",
                worded("sum", random, **words),
                sheets=tuple(dict.fromkeys(shelf.gold(one.sheet) for one in found)),
                must=(tuple(amount_forms(round(sum(one.fact.value or 0 for one in found)))),),
                municipality=(town,),
                sections=tuple(dict.fromkeys(one.fact.label for one in found)),
                evidence=tuple(shelf.quote(one.sheet, one.fact.span) for one in found),
                note=f"{len(found)}件の合計",
            )
            break


def events(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """When a dated statement says that something happens."""
    wanted = {sheet.sheet_id for sheet in shelf.sheets}
    for found in _shuffled(shelf.index.events(), random):
        sheet, event = found.sheet, found.event
        sentence = " ".join(shelf.quote(sheet, event.quote).split())
        date = " ".join(shelf.quote(sheet, event.span).split())
        told = _STARTS_WITH_DATE.match(sentence)
        if sheet.sheet_id not in wanted or not told or told["date"] != date or not dated(date):
            continue
        what = told["what"]
        if not 8 <= len(what) <= 60 or re.search(r"\d年|年度|月", what) or names_a_person(what):
            continue
        yield Proposal(
            "temporal",
            worded("event", random, name=shelf.dated(sheet, random), what=what),
            sheets=(shelf.gold(sheet),),
            must=(tuple(date_forms(event.period)),),
            municipality=_town(sheet),
            evidence=(sentence,),
            note=f"{sheet.file} の日付のある記述から作った案",
        )


def follow_ups(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """The same figure for another year, asked by the year alone."""
    figures = shelf.figures
    for (sheet_key, label, year, kind), found in _shuffled(figures.items(), random):
        later = figures.get((sheet_key, label, year + 1, kind))
        if label not in AMOUNTS or later is None or (kind == "plan") != (label == "予算額"):
            continue
        words = {"name": shelf.spoken(found.sheet, random), "year": year_words(year, random), "label": label}
        question = worded("follow", random, year=year_words(year + 1, random))
        must = (tuple(amount_forms(round(later.fact.value or 0))),)
        asked = _of_fact("follow-up", question, shelf, later, must)
        yield replace(asked, history=(worded("amount", random, **words),))


def other_years(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """A figure of a year that no sheet of the index speaks of."""
    years = {
        found.fact.period.fiscal_year for found in shelf.facts if found.fact.period and found.fact.value is not None
    }
    if not years:
        return
    for (_, label, _, kind), found in _shuffled(shelf.figures.items(), random):
        if label not in AMOUNTS or (kind == "plan") != (label == "予算額"):
            continue
        year = random.choice((min(years) - 4, min(years) - 2, max(years) + 3, max(years) + 5))
        if era_name(year) in unicodedata.normalize("NFKC", shelf.text(found.sheet)):
            continue
        words = {"name": shelf.spoken(found.sheet, random), "year": year_words(year, random), "label": label}
        yield Proposal(
            "unanswerable",
            worded("other-year", random, **words),
            municipality=_town(found.sheet),
            note=f"シートの数値は{min(years)}年度から{max(years)}年度まで",
        )


def other_topics(shelf: Shelf, random: Random) -> Iterator[Proposal]:
    """Something that the sheet does not speak of."""
    pairs = [(sheet, *topic) for sheet in shelf.sheets for topic in random.sample(TOPICS, 2)]
    for sheet, topic, against in _shuffled(pairs, random):
        if not any(word in unicodedata.normalize("NFKC", shelf.text(sheet)) for word in against):
            yield Proposal(
                "unanswerable",
                worded("other-topic", random, name=shelf.spoken(sheet, random), topic=topic),
                municipality=_town(sheet),
                note=f"シートに「{'」「'.join(against)}」の記載がない",
            )


MAKERS: tuple[Callable[[Shelf, Random], Iterator[Proposal]], ...] = (
    numbers, texts, ratings, largest, events, follow_ups, other_years, texts, numbers, departments, sums, other_topics,
)  # fmt: skip


def _of_fact(
    kind: CaseType, question: str, shelf: Shelf, found: SheetFact, must: tuple[tuple[str, ...], ...], note: str = ""
) -> Proposal:
    sheet, fact = found.sheet, found.fact
    return Proposal(
        kind,
        question,
        sheets=(shelf.gold(sheet),),
        must=must,
        municipality=_town(sheet),
        sections=(fact.label,),
        evidence=(shelf.quote(sheet, fact.quote),),
        note=note or f"{sheet.file} の数値「{fact.label}」から作った案",
    )


def _listed(
    kind: str, words: dict[str, str], group: Mapping[str, SheetFact | Sheet], shelf: Shelf, random: Random
) -> Proposal:
    sheets = [one if isinstance(one, Sheet) else one.sheet for one in group.values()]
    facts = [one for one in group.values() if isinstance(one, SheetFact)]
    return Proposal(
        "list",
        worded(kind, random, **words),
        sheets=tuple(group),
        must=tuple(name_forms(name) for name in dict.fromkeys(sheet.name for sheet in sheets)),
        municipality=(words["town"],),
        sections=tuple(dict.fromkeys(one.fact.label for one in facts)),
        evidence=tuple(shelf.quote(one.sheet, one.fact.quote) for one in facts),
        note=f"{len(group)}件",
    )


def _town(sheet: Sheet) -> tuple[str, ...]:
    return (sheet.municipality,) if sheet.municipality else ()


def _shuffled(items: Iterable[T], random: Random) -> list[T]:
    mixed = list(items)
    random.shuffle(mixed)
    return mixed
