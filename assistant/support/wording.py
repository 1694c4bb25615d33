"""The words of a sentence, and which way they point: said or denied, past or to come, more or less."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from assistant.support.vocabulary import vocabulary
from index.tokens import normalize, tagger

COMMA = re.compile(r"[、,;；](?!\d)")  # where a clause may end
_CONTENT = frozenset(["名詞", "動詞", "形容詞", "形状詞", "接尾辞", "接頭辞", "副詞", "代名詞", "連体詞"])
_LIGHT = frozenset("為る 成る 有る 居る 出来る 事 物 為 訳 行く 来る 仕舞う 見る 置く 貰う".split())
_DENIAL = frozenset(["ない", "無い", "ぬ", "ず", "まい", "無し"])
_NOT_BEFORE = frozenset(["未", "非", "不", "無"])
_HIRAGANA = re.compile(r"[ぁ-ん]+")
_COPULA = re.compile(r"(?:[月日円人件%台か所]|年度|予定|計画|方針|課題|理由|見込み)で[、,]\s*$")
_PREDICATES = frozenset(["動詞", "形容詞", "形状詞"])


@dataclass(frozen=True, slots=True)
class Word:
    """A content word: its dictionary form, as written, whether it is a noun (知的 counts as one) or a proper name, denied,
    in the past."""

    lemma: str
    surface: str
    noun: bool
    proper: bool
    unknown: bool
    denied: bool
    past: bool | None
    at: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Wording:
    """The content words of a text; ``ends`` says that it ends in a predicate."""

    said: tuple[Word, ...]
    ends: bool
    denials: int = 0
    past: bool | None = None
    numerals: tuple[str, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        """The dictionary forms."""
        return frozenset(word.lemma for word in self.said)

    @property
    def sides(self) -> dict[str, set[int]]:
        """For every comparison (増減, 達成 …) which sides of it are said; a denied word stands for the other side."""
        found: dict[str, set[int]] = {}
        for word in self.said:
            for name, sign in vocabulary().sides.get(word.lemma, ()):
                found.setdefault(name, set()).add(-sign if word.denied else sign)
        return found


_Node = tuple[str, str, str, str, str | None, bool, str]


@lru_cache(maxsize=8192)
def wording(text: str) -> Wording:
    """Reads a plain text (:func:`assistant.support.quantities.plain`)."""
    with tagger() as mecab:
        nodes = [
            (
                n.surface,
                n.feature.pos1,
                n.feature.pos2,
                n.feature.pos3,
                n.feature.lemma,
                n.is_unk,
                n.feature.cForm or "",
            )
            for n in mecab(text)
        ]
    said: list[Word] = []
    places: list[tuple[int, int]] = []
    position = 0
    for surface, *_ in nodes:
        begin = text.find(surface, position)
        position = max(begin, position) + len(surface)
        places.append((position - len(surface), position))
    for at, (surface, pos, sub, third, lemma, unknown, _) in enumerate(nodes):
        if pos not in _CONTENT or (sub == "数詞"):
            continue
        proper = sub == "固有名詞"
        form = surface if proper or not lemma else normalize(lemma.split("-", 1)[0]) or surface
        if len(surface) < 3 and _HIRAGANA.fullmatch(surface) and pos not in _PREDICATES:
            continue
        if form in _LIGHT or form in _DENIAL:
            continue
        predicate = (
            pos in _PREDICATES or third in ("サ変可能", "形状詞可能", "サ変形状詞可能") or form in vocabulary().sides
        )
        denied, past = _after(nodes, at) if predicate else (False, None)
        if at and nodes[at - 1][0] in _NOT_BEFORE and nodes[at - 1][1] == "接頭辞":
            denied = not denied
        if surface in _NOT_BEFORE and pos == "接頭辞":
            continue
        noun = pos in ("名詞", "接尾辞", "形状詞") or unknown
        said.append(Word(form.lower(), surface, noun, proper, bool(unknown), denied, past, places[at]))
    numerals = tuple(surface for surface, _, sub, *_ in nodes if sub == "数詞" and not surface.isascii())
    last = next((n for n in reversed(nodes) if n[1] != "補助記号"), None)
    ends = last is not None and (
        last[1] in ("動詞", "助動詞", "形容詞")
        or (last[1] == "助詞" and last[2] == "接続助詞")
        or last[4] in ("為", "結果", "一方", "他", "上")
        or text.rstrip("、, ").endswith(("ことから", "により", "によって", "とともに", "だけでなく"))
        or _COPULA.search(text) is not None
    )
    denials = sum(lemma in _DENIAL or surface in _DENIAL for surface, _, _, _, lemma, _, _ in nodes)
    denials += sum(surface in _NOT_BEFORE and pos == "接頭辞" for surface, pos, *_ in nodes)
    return Wording(tuple(said), ends, denials, _tense(nodes), numerals)


def _tense(nodes: list[_Node]) -> bool | None:
    """Whether a text ends in the past; None where it ends in a noun or in the middle of a sentence."""
    tail = [n for n in nodes if n[1] not in ("補助記号", "記号", "空白")][-4:]
    if not tail or tail[-1][1] not in ("助動詞", "動詞", "形容詞"):
        return None
    if tail[-1][4] == "た":
        return True
    return (
        False
        if tail[-1][6].startswith("終止形") and tail[-1][4] not in ("居る", "ない", "無い", "だ", "です")
        else None
    )


def _after(nodes: list[_Node], at: int) -> tuple[bool, bool | None]:
    """Whether the word at a place is denied by what follows it, and its tense where that is told."""
    denied, past = False, None
    for surface, pos, sub, _, lemma, _, form in nodes[at + 1 : at + 9]:
        if lemma in _DENIAL or surface in _DENIAL:
            denied = not denied
            past = None
        elif pos == "助動詞":
            if lemma == "た":
                past = True
            elif surface in ("う", "よう", "べき", "たい"):
                past = False
        elif (
            lemma in _LIGHT
            or lemma == "至る"
            or (  # 試行に至らなかった
                pos == "助詞" and surface in ("が", "は", "も", "を", "に", "と", "て", "で", "の", "まで")
            )
        ):
            if lemma in _LIGHT and lemma != "居る" and form.startswith("終止形") and past is None:
                past = False
            if pos == "助詞" and surface in ("を", "の") and sub != "接続助詞":
                break
        else:
            break
    if past is None and not denied and nodes[at][1] == "動詞" and nodes[at][6].startswith("終止形"):
        past = False
    return denied, past
