"""Whether a sentence is borne out by what it cites: numbers, dates and names to the letter, the rest by its words.

A sentence is cut at its marks and into clauses; each clause has to be said by one statement of a cited passage, or by the
typed facts of it. Whatever is not understood counts as not borne out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assistant.support.counterpart import placed, tense
from assistant.support.evidence import Source, Statement
from assistant.support.figurebinding import bind
from assistant.support.naming import misquoted, stranger, unlisted
from assistant.support.printed import dated, missing_figure, typed
from assistant.support.quantities import When, plain, quantities
from assistant.support.turns import direction, kind_missing, turned
from assistant.support.vocabulary import vocabulary
from assistant.support.wording import COMMA, Word, wording
from corpus.normalize import squeeze
from index.types import Vectors

Why = Literal["", "mark", "number", "date", "name", "polarity", "meaning"]
"""Why a sentence is dropped: no or a wrong mark; a number, date or name that its passages do not print so; said the other
way round; or something that they do not say."""
Encode = Callable[[list[str]], Vectors]

MARK = re.compile(r"(?:(?<!\s)\s++)?(?:\[|［|【)(\d{1,4})(?:\]|］|】)")
_GROUP = re.compile(r"(?:(?:(?<!\s)\s++)?(?:\[|［|【)\d{1,4}(?:\]|］|】)[、,]?)+")
_LITTLE = re.compile(r"(?:ます|でした|である|となっています|となっている|[\s。．.、,です])*+")
SUPPORT, LIKE = 0.75, 0.7
"""The share of a clause's words that have to be borne out, and how near in meaning (cosine) a word has to be. No noun is near
enough: 小麦 and そば are near too."""
_RATE = re.compile(r"(?<![\d一-龥])(?:年間|月間|週間)")  # 年間2,140万円 is not 3年間で2,140万円
_UNIT = re.compile("[A-Za-z]{1,2}")
_ORDER: tuple[Why, ...] = ("mark", "number", "date", "name", "polarity", "meaning")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``why`` is empty for a sentence that is borne out; ``cites`` are its marks."""

    why: Why
    cites: tuple[int, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Clause:
    """``text[begin:end]`` of a plain sentence, and the sources its marks allow."""

    text: str
    begin: int
    end: int
    sources: tuple[Source, ...]

    @property
    def own(self) -> str:
        return self.text[self.begin : self.end]


def check(sentence: str, sources: Sequence[Source], encode: Encode) -> Verdict:
    """The verdict on one sentence with its [n] marks; ``encode`` gives vectors of words."""
    by_number = {source.n: source for source in sources}
    cites = tuple(dict.fromkeys(int(mark) for mark in MARK.findall(sentence)))
    if not cites or any(n not in by_number for n in cites):
        return Verdict("mark", cites)
    worst: Verdict | None = None
    for clause in _clauses(sentence, by_number):
        found = _judge(clause, encode)
        if found.why and (worst is None or _ORDER.index(found.why) < _ORDER.index(worst.why)):
            worst = found
    return Verdict("", cites) if worst is None else Verdict(worst.why, cites, worst.detail)


def _clauses(sentence: str, by_number: dict[int, Source]) -> list[_Clause]:
    """The clauses of a sentence; those between two marks belong to the second, as footnotes are read."""
    parts: list[tuple[str, tuple[Source, ...]]] = []
    at = 0
    for marks in _GROUP.finditer(sentence):
        cited = tuple(by_number[int(n)] for n in dict.fromkeys(MARK.findall(marks.group())))
        parts.append((sentence[at : marks.start()], cited))
        at = marks.end()
    tail = sentence[at:]
    if not _LITTLE.fullmatch(tail):
        parts.append((tail, parts[-1][1]))
    whole, found = "", []
    for part, cited in parts:
        text = plain(part.strip())
        begin = len(whole)
        whole += text
        found.append((begin, len(whole), cited))
    clauses = []
    for begin, end, cited in found:
        start = begin
        for cut in [*(m.end() for m in COMMA.finditer(whole, begin, end)), end]:
            piece = whole[start:cut]
            if cut < end and not wording(piece).ends:
                continue
            if piece.strip(" 。、,.・-"):
                clauses.append(_Clause(whole, start, cut, cited))
            start = cut
    return clauses


def _judge(clause: _Clause, encode: Encode) -> Verdict:
    """The verdict on a clause: kept where any statement, or the facts, bear it out."""
    sources = _meant(clause)
    own = wording(clause.own).words
    closest, found = -1, Verdict("meaning")
    for source in sources:
        for statement in source.statements:
            verdict = _by_statement(clause, statement, source, encode)
            if not verdict.why:
                return verdict
            shared = len(own & statement.wording.words)
            if shared > closest:  # the reason told is that of the statement it is most like
                closest, found = shared, verdict
    if any(source.facts for source in sources):
        verdict = _by_facts(clause, sources, encode)
        if not verdict.why or closest < 1:
            return verdict
    return found


def _meant(clause: _Clause) -> list[Source]:
    """The cited passages of the sheet that the sentence named last, where it names one of several."""
    sheets = list(dict.fromkeys(source.sheet for source in clause.sources))
    if len(sheets) < 2:
        return list(clause.sources)
    text = squeeze(clause.text[: clause.end])
    own = squeeze(clause.own)
    here = [sheet for sheet in sheets if squeeze(sheet) in own]
    if len(here) > 1:
        return list(clause.sources)
    placed = [(text.rfind(squeeze(sheet)), sheet) for sheet in sheets if squeeze(sheet) in text]
    if not placed:
        return list(clause.sources)
    return [source for source in clause.sources if source.sheet == max(placed)[1]]


def _by_statement(clause: _Clause, statement: Statement, source: Source, encode: Encode) -> Verdict:
    text = clause.own
    said = quantities(text, source.year)
    if statement.ours and source.facts and said.figures and typed(said.figures, source):
        return Verdict("number", detail="typed")  # what the sheet prints as a figure is held against the figure
    wrong = missing_figure(said, text, statement)
    if wrong:
        return Verdict("number", detail=wrong)
    if not all(dated(date, text, said, statement) for date in said.dates):
        return Verdict("date")
    for code in said.rest:
        if squeeze(code) not in statement.key:
            return Verdict("number" if code[0].isdigit() else "name", detail=code)
    return _by_words(text, statement.key, statement.words, statement, source, encode)


def _by_words(
    text: str, key: str, words: frozenset[str], statement: Statement | None, source: Source, encode: Encode
) -> Verdict:
    quoted = misquoted(text, key)
    if quoted:
        return Verdict("name", detail=quoted)
    whole = text
    text = _wordy(text, source.year)
    unknown = stranger(text, key) or unlisted(text, key)
    if unknown:
        return Verdict("name", detail=unknown)
    for numeral in wording(text).numerals:  # in a spelling that was not understood as a number
        if numeral not in key:
            return Verdict("number", detail=numeral)
    for word in vocabulary().superlatives:
        if word in text and not any(one in key for one in (word, *vocabulary().paraphrases.get(word, ()))):
            return Verdict("meaning", detail=word)
    if _RATE.search(text) and not _RATE.search(key):
        return Verdict("meaning", detail="年間")
    if statement is not None:
        if not placed(whole, statement, source):
            return Verdict("meaning", detail="part")
        denied = turned(text, statement) or tense(text, statement, source)
        if denied:
            return Verdict("polarity", detail=denied)
        missing = kind_missing(text, statement, source)
        if missing:
            return Verdict("meaning", detail=missing)
    return _meaning(wording(text).said, key, words, encode)


def _wordy(text: str, year: int | None) -> str:
    """The text without its dates and figures, which are judged for themselves."""
    left = list(text)
    said = quantities(text, year)
    units = [f.end + len(f.unit) * (f.unit.isascii() and text.startswith(f.unit, f.end)) for f in said.figures]
    figures = [(figure.start, end) for figure, end in zip(said.figures, units, strict=True)]
    for begin, end in [*(date.at for date in said.dates), *figures]:
        left[begin:end] = " " * (end - begin)
    return "".join(left)


def _meaning(said: Sequence[Word], key: str, words: frozenset[str], encode: Encode) -> Verdict:
    """Whether enough of the words are those of the passage, or near to one of them."""
    known = vocabulary()
    telling = [
        w for w in said if w.lemma not in known.generic and not w.surface.isdigit() and not _UNIT.fullmatch(w.surface)
    ]
    if not telling:
        return Verdict("")
    strange = [w for w in telling if w.lemma not in words and not (len(w.surface) > 1 and squeeze(w.surface) in key)]
    if not strange:
        return Verdict("")
    strange = [w for w in strange if not known.paraphrases.get(w.lemma, frozenset()) & words]
    if not strange:
        return Verdict("")
    others = sorted(words - known.generic)
    if not others:
        return Verdict("meaning", detail=strange[0].surface)
    rows, against = encode([w.lemma for w in strange]), encode(others)
    near = (rows @ against.T).max(axis=1) if len(others) else np.zeros(len(strange))
    lost = [w for w, like in zip(strange, near, strict=True) if w.noun or float(like) < LIKE]
    share = 1 - len(lost) / len(telling)
    if lost and (share < SUPPORT or len(lost) > 1 or lost[0].noun or lost[0] is said[-1]):
        return Verdict("meaning", detail="・".join(w.surface for w in lost))
    return Verdict("")


def _by_facts(clause: _Clause, sources: Sequence[Source], encode: Encode) -> Verdict:
    """Held against typed figures: every number bound to one, and nothing said beside them that they do not show."""
    text = clause.own
    said = quantities(text, sources[0].year)
    binding = bind(clause.text, clause.begin, clause.end, sources)
    if binding is None:
        return Verdict("number")
    bound = binding.own
    used = list({id(b.source): b.source for b in bound}.values()) or [s for s in sources if s.facts]
    marks = [fact for source in used for fact in source.facts if fact.value is None and fact.text]
    facts = [fact for source in used for fact in source.facts]
    shown = [f"{f.label} {f.field} {f.text} {'予算 計画 目標' if f.kind == 'plan' else '決算 実績'}" for f in facts]
    shown += [fact.period.label for fact in facts if fact.period is not None]
    shown.append(" ".join(source.head for source in used))
    key, joined = squeeze(plain("。".join(shown))), plain("。".join(shown))
    years = {fact.period.fiscal_year for fact in facts if fact.period is not None} | {s.year for s in used}
    for date in said.dates:
        if date.start is None or date.kind not in ("fiscal_year", "calendar_year") or date.start.year not in years:
            return Verdict("date")
    units = {one.figure.unit for one in bound}
    for code in said.rest:
        if squeeze(code) not in key and code not in units:
            return Verdict("number" if code[0].isdigit() else "name", detail=code)
    if not bound and not _rated(text, marks, said.dates, used):
        return Verdict("meaning")
    mine = wording(text)
    answered = sum(word.denied and word.lemma in vocabulary().sides for word in mine.said)  # 届かなかった: seen below
    if mine.denials - answered > wording(joined).denials:
        return Verdict("polarity")
    if not direction(text, key, binding):
        return Verdict("polarity")
    return _by_words(text, key, wording(joined).words | _SHOWN, None, used[0], encode)


_SHOWN = frozenset(
    word for word, pairs in vocabulary().sides.items() if any(n in ("amount", "goal", "level") for n, _ in pairs)
)


def _rated(text: str, marks: Sequence[object], dates: Sequence[When], sources: Sequence[Source]) -> bool:
    """Whether a clause without figures says a mark (総合評価は A) under its own label, of its own year."""
    key = squeeze(text)
    for source in sources:
        for fact in source.facts:
            if fact.value is not None or not fact.text:
                continue
            mark = squeeze(fact.text)
            label = squeeze(fact.label)
            year = fact.period.fiscal_year if fact.period is not None else source.year
            dated = all(d.start is not None and d.start.year == year for d in dates)
            if (
                label in key
                and dated
                and re.search(rf"{re.escape(mark.split(':')[0])}(?![a-z])", key.replace(label, "", 1))
            ):
                return True
    return False
