"""Which part of a statement a clause is about, and whether it says of that part what the statement says."""

from __future__ import annotations

import re

from assistant.support.evidence import Source, Statement
from assistant.support.quantities import Figure, quantities
from assistant.support.vocabulary import vocabulary
from assistant.support.wording import COMMA, Word, wording

_TOPIC = re.compile(r"([^、。]{1,100}?)(?:は|が|も)(?=[^あ-ん]|[^ぁ-ん、])")
_AS_PLANNED = re.compile(r"予定(?:の)?(?:どおり|通り|とおり)")
_CHANGED = "増|減|上回|下回|引き?上げ|引き?下げ|拡大|縮小|広げ|短縮|短く|縮|延長|延ば|上昇|低下|上が|下が|伸び|早め|早ま|遅れ|足り|届か|及ば|超過|不足|上乗せ|追加"
_BY = re.compile(rf"(?:分|ほど|程度|も|ずつ)?(?:の増|の減|多|少な|{_CHANGED})")
_NOW = re.compile(rf"(?:分|ほど|程度)?(?:(?:に|へ|と)(?:な|し|{_CHANGED})|だった|です|である|で[、,])")
_OPEN_SECTIONS = ("計画", "今後", "取組方針", "方向", "目的", "目指す", "次年度", "期待")


def parts(text: str) -> list[tuple[int, int]]:
    """The clauses of a plain text, as places in it."""
    found, start = [], 0
    for cut in [*(m.end() for m in COMMA.finditer(text)), len(text)]:
        if cut == len(text) or wording(text[start:cut]).ends:
            if text[start:cut].strip(" 。、,"):
                found.append((start, cut))
            start = cut
    return found


def placed(text: str, statement: Statement, source: Source) -> bool:
    """Whether every figure of a clause is said of the same thing, and of the same doing, as in the statement."""
    if statement.ours:
        return True
    clauses = parts(statement.text)
    said = wording(text).said
    for figure in quantities(text, source.year).figures:
        same = [one for one in statement.said.figures if figure.same(one)]
        if not same:
            continue
        if not any(_anchored(figure, text, one, statement) for one in same):
            return False
        if all({_said_as(text, figure), _said_as(statement.text, one)} == {"by", "now"} for one in same):
            return False
        if len(clauses) > 1 and said and not _done(_doing(said, figure), same, clauses, statement):
            return False
        if not any(_fits(text, figure, one, clauses, statement) for one in same):
            return False
    return True


def _said_as(text: str, figure: Figure) -> str:
    """Whether a figure is said as a change (40人増やした) or as what there is then (40人に増やした); empty for neither."""
    behind = text[figure.end :].removeprefix(figure.unit)
    return "by" if _BY.match(behind) else "now" if _NOW.match(behind) else ""


def _anchored(figure: Figure, text: str, printed: Figure, statement: Statement) -> bool:
    """Whether the noun before a figure (支援員が92人) stands beside that figure in the statement, with no other between."""
    before = [w for w in wording(text[: figure.start]).said if w.noun and w.lemma not in vocabulary().generic]
    if not before:
        return True
    line = statement.text
    places = [m.start() for m in re.finditer(re.escape(before[-1].surface), line)]
    said = [one for one in quantities(text, statement.year).figures if one.unit == figure.unit]
    passed = sum(before[-1].at[0] < one.start < figure.start for one in said)
    others = [one for one in statement.said.figures if one is not printed and one.unit == figure.unit]
    for at in places:
        low, high = sorted((at, printed.start))
        if sum(low < one.start < high for one in others) <= passed:
            return True
    return not places  # said in other words: the check of words decides


def _fits(text: str, figure: Figure, printed: Figure, clauses: list[tuple[int, int]], statement: Statement) -> bool:
    """Whether what a clause is about stands in the clause of the figure too, and is denied there where it is here."""
    part = next((statement.text[a:b] for a, b in clauses if a <= printed.start < b), statement.text)
    known = [w for w in _topic(text[: figure.start]) if w in statement.text]
    if known and _topic(part) and not any(surface in part for surface in known):
        return False
    mine = wording(text)
    return not (wording(part).denials and not mine.denials and not any(-1 in signs for signs in mine.sides.values()))


def _topic(text: str) -> list[str]:
    """The nouns of what a text is about (…は, …が): of the last of several."""
    topics = list(_TOPIC.finditer(text))
    if not topics:
        return []
    return [w.surface for w in wording(topics[-1][1]).said if w.noun and w.lemma not in vocabulary().generic]


def _doing(said: tuple[Word, ...], figure: Figure) -> Word:
    """What is done with a figure: the first verb behind it (購入から17年たった船は…難しい), else the last word."""
    return next((w for w in said if not w.noun and w.at[0] >= figure.end), said[-1])


def _done(predicate: Word, figures: list[Figure], clauses: list[tuple[int, int]], statement: Statement) -> bool:
    """Whether the word a clause ends with, where the statement has it, stands in the clause of the figure."""
    group = vocabulary().paraphrases.get(predicate.lemma, frozenset()) | {predicate.lemma}
    places = [word.at[0] for word in statement.wording.said if word.lemma in group]
    if not places:
        return True
    for begin, end in clauses:  # 「参加が62人から97人になった」 says of itself what was done
        known = vocabulary()
        verbs = [w.lemma for w in wording(statement.text[begin:end]).said if not w.noun]
        bland = all(verb in known.generic and verb not in known.sides for verb in verbs)
        if bland and any(begin <= figure.start < end for figure in figures):
            return True
    return any(
        begin <= figure.start < end and any(begin <= at < end for at in places)
        for figure in figures
        for begin, end in clauses
    )


def tense(text: str, statement: Statement, source: Source) -> str:
    """What a clause says as done that the statement only plans, or as certain that it only considers."""
    if statement.ours:
        return ""
    known = vocabulary()
    part = nearest(text, statement)
    mine, theirs = wording(text), wording(part)
    hedged = {w.lemma for w in theirs.said} & known.hedges
    if mine.past is True and theirs.past is False and not {w.lemma for w in mine.said} & (known.hedges | {"計画"}):
        return "past"
    if hedged and not {w.lemma for w in mine.said} & known.hedges and not _names_hedge(text, theirs.said):
        return "・".join(sorted(hedged))
    coming = {w.lemma for w in mine.said if w.past is not True} & known.to_come  # 予定されていた is no longer to come
    coming -= statement.wording.words
    if _AS_PLANNED.search(text):  # 予定どおり終えた
        coming -= {"予定"}
    if coming and theirs.past is True and not any(word in source.section for word in _OPEN_SECTIONS):
        return "・".join(sorted(coming))
    return ""


def _names_hedge(text: str, said: tuple[Word, ...]) -> bool:
    """Whether the hedge of a statement is a thing there (目標を上回った) and not what is done with it (更改を検討する)."""
    hedges = [w for w in said if w.lemma in vocabulary().hedges]
    return bool(said) and all(w is not said[-1] for w in hedges)


def nearest(text: str, statement: Statement) -> str:
    """The clause of a statement that shares most words with a text; the last of those that share as many."""
    own = wording(text).words

    def shared(place: tuple[int, int]) -> tuple[int, int]:
        return len(own & wording(statement.text[place[0] : place[1]]).words), place[0]

    found = parts(statement.text)
    if not found:
        return statement.text
    begin, end = max(found, key=shared)
    return statement.text[begin:end]
