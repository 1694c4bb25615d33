"""What a clause says the other way round: denied, more for less, planned for settled."""

from __future__ import annotations

from assistant.support.evidence import Source, Statement
from assistant.support.figurebinding import Binding
from assistant.support.pairs import against_plan, in_the_row, over_years
from assistant.support.printed import Stretch, beside
from assistant.support.vocabulary import vocabulary
from assistant.support.wording import Word, Wording, wording
from corpus.normalize import squeeze

_MUCH = 0.1  # of what was before: 大きく増えた


def turned(text: str, statement: Statement) -> str:
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
    answered += -1 in sides.get("lack", ())  # 十分伝わっていない for 周知が不足している
    if denials - answered > statement.wording.denials + wording(statement.head).denials:
        return "ない"
    return ""


def _other_side(word: Word, text: str, statement: Statement) -> bool:
    """Whether a statement that says both sides of a comparison says the other one of what this word is said of."""
    sides = vocabulary().sides
    for name, sign in sides.get(word.lemma, ()):
        points = -sign if word.denied else sign
        here: list[Stretch] = []
        there: list[Stretch] = []
        for other in statement.wording.said:
            for of, way in sides.get(other.lemma, ()):
                if of == name:
                    (here if (-way if other.denied else way) == points else there).append(other.at)
        if here and there and beside(text, word.at, statement.text, there, here):
            return True
    return False


def kind_missing(text: str, statement: Statement, source: Source) -> str:
    """予算, 決算, 目標 or 実績 said of a passage that does not say it."""
    where = f"{statement.text}\0{source.section}"
    for word in ("予算", "決算", "目標", "実績", "補正", "見込"):
        if word in text and word not in where and not (word == "目標" and "達成" in where):
            return word
    return ""


def direction(text: str, key: str, binding: Binding) -> bool:
    """Whether every word of more or less is what the figures show: over the years, or of the actual against the plan."""
    said = tuple(word for word in wording(text).said if squeeze(word.surface) not in key)
    sides = Wording(said, False).sides
    figures = [*binding.earlier, *binding.own]
    level = sides.pop("level", set())
    for name, signs in sides.items():
        if name not in ("amount", "goal") or len(signs) != 1 or not binding.own:
            return False
        pair = against_plan(figures) if name == "goal" else over_years(figures)
        pair = pair or in_the_row(binding.own[-1], plan=name == "goal")
        if pair is None or pair.change == 0 or (pair.change > 0) != (next(iter(signs)) > 0):
            return False
        if level and (level != {1} or abs(pair.change) < _MUCH * abs(pair.first.value or 0.0)):
            return False
    return bool(sides) or not level
