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
from assistant.support.figurebinding import Bound, bind
from assistant.support.naming import misquoted, stranger
from assistant.support.quantities import Figure, Quantities, When, plain, quantities
from assistant.support.vocabulary import vocabulary
from assistant.support.wording import Word, Wording, wording
from corpus.normalize import squeeze
from index.types import Vectors

Why = Literal["", "mark", "number", "date", "name", "polarity", "meaning"]
"""Why a sentence is dropped: no or a wrong mark; a number, date or name that its passages do not print so; said the other
way round; or something that they do not say."""
Encode = Callable[[list[str]], Vectors]

MARK = re.compile(r"\s*(?:\[|［|【)(\d{1,4})(?:\]|］|】)")
_GROUP = re.compile(r"(?:\s*(?:\[|［|【)\d{1,4}(?:\]|］|】)[、,]?)+")
_CUT = re.compile(r"[、,;；](?!\d)")
_LITTLE = re.compile(r"[\s。．.、,です]*(?:です|ます|でした|である|となっています|となっている)?[\s。．.]*")
SUPPORT, LIKE = 0.75, 0.7
"""The share of a clause's words that have to be borne out, and how near in meaning (cosine) a word has to be."""
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
        for cut in [*(m.end() for m in _CUT.finditer(whole, begin, end)), end]:
            piece = whole[start:cut]
            if cut < end and not wording(piece).ends:
                continue
            if piece.strip(" 。、,.・-"):
                clauses.append(_Clause(whole, start, cut, cited))
            start = cut
    return clauses


def _judge(clause: _Clause, encode: Encode) -> Verdict:
    """The best verdict that any statement, or the facts, give a clause."""
    sources = _meant(clause)
    best: Verdict | None = None
    verdicts = []
    for source in sources:
        verdicts += [_by_statement(clause, statement, source, encode) for statement in source.statements]
    if any(source.facts for source in sources):
        verdicts.append(_by_facts(clause, sources, encode))
    for verdict in verdicts:
        if not verdict.why:
            return verdict
        if best is None or _ORDER.index(verdict.why) > _ORDER.index(best.why):
            best = verdict
    return best or Verdict("meaning")


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
    if statement.ours and source.facts and said.figures and _typed(said.figures, source):
        return Verdict("number", detail="typed")  # what the sheet prints as a figure is held against the figure
    wrong = _figures(said, text, statement)
    if wrong:
        return Verdict("number", detail=wrong)
    if not all(_dated(date, text, said, statement) for date in said.dates):
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
    unknown = stranger(text, key)
    if unknown:
        return Verdict("name", detail=unknown)
    for word in vocabulary().superlatives:
        if word in text and word not in key:
            return Verdict("meaning", detail=word)
    if statement is not None:
        if not placed(whole, statement, source):
            return Verdict("meaning", detail="part")
        denied = _turned(text, statement) or tense(text, statement, source)
        if denied:
            return Verdict("polarity", detail=denied)
        missing = _kinds_missing(text, statement, source)
        if missing:
            return Verdict("meaning", detail=missing)
    return _meaning(wording(text).said, key, words, encode)


def _wordy(text: str, year: int | None) -> str:
    """The text without its dates and figures, which are judged for themselves."""
    left = list(text)
    said = quantities(text, year)
    for begin, end in [*(date.at for date in said.dates), *((f.start, f.end) for f in said.figures)]:
        left[begin:end] = " " * (end - begin)
    return "".join(left)


def _figures(said: Quantities, text: str, statement: Statement) -> str:
    """The first figure that the statement does not print; of several of one unit the words beside them decide."""
    printed = statement.said.figures
    for figure in said.figures:
        places = [at for at, other in enumerate(printed) if figure.same(other)]
        if not places:
            return text[figure.start : figure.end]
        rivals = [at for at, o in enumerate(printed) if o.unit == figure.unit and not figure.same(o)]
        spans = [(one.start, one.end) for one in printed]
        own = (figure.start, figure.end)
        if rivals and not _beside(text, own, statement.text, [spans[p] for p in places], [spans[r] for r in rivals]):
            return text[figure.start : figure.end]
    return ""


_Span = tuple[int, int]


def _beside(text: str, own: _Span, printed: str, places: Sequence[_Span], rivals: Sequence[_Span]) -> bool:
    """Whether the words around a number or date are those around the same one of the passage rather than another."""

    def near(line: str, span: _Span) -> set[str]:
        around = line[max(0, span[0] - 14) : span[0]] + "\0" + line[span[1] : span[1] + 8]
        return {around[i : i + 2] for i in range(len(around) - 1) if around[i : i + 2].strip("\0。、 ")}

    said = near(text, own)
    here = max(len(said & near(printed, span)) for span in places)
    there = max(len(said & near(printed, span)) for span in rivals)
    return here > there


def _typed(figures: Sequence[Figure], source: Source) -> bool:
    """Whether any of the figures has the value of a fact that was read from the passage."""
    values = {round(fact.value, 6) for fact in source.facts if fact.value is not None}
    return any(round(figure.value, 6) in values for figure in figures)


def _dated(date: When, text: str, said: Quantities, statement: Statement) -> bool:
    """Whether a date of the sentence is one of the statement, or the year its sheet reports on."""
    same, rivals = [], []
    for printed in statement.said.dates:
        if printed.relative and not date.relative and printed.compared != date.compared:
            continue
        if date.relative and date.start is None:
            continue
        (same if date.within(printed) else rivals).append(printed.at)
    if same and (not rivals or _beside(text, date.at, statement.text, same, rivals)):
        return True
    words = text[date.at[0] : date.at[1]]
    if date.relative and words in statement.head:
        return True
    if statement.year is None or date.kind != "fiscal_year" or date.start is None or date.compared:
        return False
    if date.start.year != statement.year:
        return False
    own = [d for d in statement.said.dates if not (d.relative and d.compared)]
    # A statement with dates of its own is about those: 「令和6年度に更新する」 is not said by 「令和8年8月に更新する」.
    return not own or any(d.within(p) for d in said.dates if d is not date for p in own)


def _turned(text: str, statement: Statement) -> str:
    """The first word that the statement says the other way round, or of which it says only the other side."""
    said, denials = wording(text).said, wording(text).denials
    by_lemma: dict[str, list[Word]] = {}
    for word in statement.wording.said:
        by_lemma.setdefault(word.lemma, []).append(word)
    sides = statement.wording.sides
    for word in said:
        if _other_side(word, text, statement):
            return word.surface
        same = by_lemma.get(word.lemma)
        if same:
            if all(one.denied != word.denied for one in same):
                return word.surface
            if word.past and all(one.past is False for one in same):
                return word.surface
            continue
        for name, sign in vocabulary().sides.get(word.lemma, ()):
            points = -sign if word.denied else sign
            if name in sides and points not in sides[name]:
                return word.surface
    answered = sum(word.denied and word.lemma in vocabulary().sides for word in said)  # 届かない for 下回る: seen above
    if denials - answered > statement.wording.denials + wording(statement.head).denials:
        return "ない"
    return ""


def _other_side(word: Word, text: str, statement: Statement) -> bool:
    """Whether a statement that says both sides of a comparison says the other one of what this word is said of."""
    sides = vocabulary().sides
    for name, sign in sides.get(word.lemma, ()):
        points = -sign if word.denied else sign
        here: list[_Span] = []
        there: list[_Span] = []
        for other in statement.wording.said:
            for of, way in sides.get(other.lemma, ()):
                if of == name:
                    (here if (-way if other.denied else way) == points else there).append(other.at)
        if here and there and _beside(text, word.at, statement.text, there, here):
            return True
    return False


def _kinds_missing(text: str, statement: Statement, source: Source) -> str:
    """予算, 決算, 目標 or 実績 said of a passage that does not say it."""
    where = f"{statement.text}\0{source.section}"
    for word in ("予算", "決算", "目標", "実績", "補正", "見込"):
        if word in text and word not in where:
            return word
    return ""


def _meaning(said: Sequence[Word], key: str, words: frozenset[str], encode: Encode) -> Verdict:
    """Whether enough of the words are those of the passage, or near to one of them."""
    known = vocabulary()
    telling = [w for w in said if w.lemma not in known.generic and not w.surface.isdigit()]
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
    lost = [w for w, like in zip(strange, near, strict=True) if float(like) < LIKE]
    share = 1 - len(lost) / len(telling)
    if lost and (share < SUPPORT or len(lost) > 1 or lost[0].noun or lost[0] is said[-1]):
        return Verdict("meaning", detail="・".join(w.surface for w in lost))
    return Verdict("")


def _by_facts(clause: _Clause, sources: Sequence[Source], encode: Encode) -> Verdict:
    """Held against typed figures: every number bound to one, and nothing said beside them that they do not show."""
    text = clause.own
    said = quantities(text, sources[0].year)
    bound = bind(clause.text, clause.begin, clause.end, sources)
    if bound is None:
        return Verdict("number")
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
    for code in said.rest:
        if squeeze(code) not in key:
            return Verdict("number" if code[0].isdigit() else "name", detail=code)
    if not bound and not _rated(text, marks, said.dates, used):
        return Verdict("meaning")
    if wording(text).denials > wording(joined).denials:
        return Verdict("polarity")
    verdict = _direction(text, key, bound)
    if verdict.why:
        return verdict
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


def _direction(text: str, key: str, bound: Sequence[Bound]) -> Verdict:
    """A word of more or less has to be what the figures show, in the order in which they are said."""
    said = tuple(word for word in wording(text).said if squeeze(word.surface) not in key)
    sides = Wording(said, False).sides
    for name in sides:
        if name not in ("amount", "goal", "level"):
            return Verdict("polarity")
    if not sides:
        return Verdict("")
    for signs in sides.values():
        if len(signs) != 1 or len(bound) < 2:
            return Verdict("polarity")
        first, last = bound[0].fact, bound[-1].fact
        if first.label != last.label and first.kind == last.kind:
            return Verdict("polarity")
        if "level" in sides:
            return Verdict("polarity")
        earlier, later = first.value or 0.0, last.value or 0.0
        if "goal" in sides and (first.kind, last.kind) != ("plan", "actual"):
            return Verdict("polarity")
        if "amount" in sides and (
            first.period is None or last.period is None or first.period.start >= last.period.start
        ):
            return Verdict("polarity")
        if (later > earlier) != (next(iter(signs)) > 0) or later == earlier:
            return Verdict("polarity")
    return Verdict("")
