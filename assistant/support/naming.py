"""Names in a sentence: whatever may be the name of somebody or something has to stand in the passage, letter by letter."""

from __future__ import annotations

import re
from functools import lru_cache

from assistant.support.vocabulary import vocabulary
from assistant.support.wording import wording
from corpus.normalize import squeeze

_RUN = re.compile(r"[一-龥々〆ヶァ-ヴーA-Za-z0-9・&]+")
_KATAKANA = re.compile(r"[ァ-ヴー]{2,}")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9&+.-]*")
_ENDED = re.compile(r"(?<![一-龥々ァ-ヴーA-Za-z])[一-龥々ァ-ヴーA-Za-z]+(?:株式会社|有限会社|合同会社)")
_EDGES = frozenset(["", *"はがをにでとのもへや、。「(（ \0・,:："])
_QUOTED = re.compile(r"[「『“\"]([^」』”\"]{1,200})[」』”\"]")
# A company's name may begin in hiragana; how far it goes is not to be told, its beginning is.
_COMPANY = re.compile(
    r"(?<![一-龥ァ-ヴーA-Za-z])(?:株式会社|有限会社|合同会社|合資会社|[一-龥]{2,4}法人)[一-龥ぁ-んァ-ヴーA-Za-z0-9]{1,3}"
)
_LIST = re.compile(r"[^\s、。・「」()はがをにで]{1,12}(?:・[^\s、。・「」()はがをにでのとやな\d]{1,12})+")
_KANJI_BEFORE = re.compile(r"[一-龥ァ-ヴー]")
_COUNTED = re.compile(r"^[\d.,]+(?:年度|か年|[^\d])?")


@lru_cache(maxsize=4096)
def names_of(text: str) -> tuple[str, ...]:
    """What in a plain text may be a name, squeezed: codes, katakana, quoted words, proper nouns, and runs of characters
    that end as names of offices, programmes, places and companies do.

    >>> names_of("浜手小クラブは株式会社あおば台キッズに委託する。")
    ('浜手小クラブ', '株式会社', '台キッズ', '株式会社あおば', 'クラブ', 'キッズ')
    """
    known = vocabulary()
    found: list[str] = []
    for run in _RUN.finditer(text):
        for piece in _ends(run.group()):
            found.append(piece)
    found += [m.group() for m in _COMPANY.finditer(text)]
    found += [m.group() for m in _KATAKANA.finditer(text) if m.group() not in known.katakana]
    found += [m.group() for m in _LATIN.finditer(text)]
    said = wording(text).said
    found += [word.surface for word in said if word.proper]
    return tuple(dict.fromkeys(key for name in found if len(key := squeeze(name)) > 0))


def _ends(run: str) -> list[str]:
    """The stretches of a run that end like names: 情報政策課 of 情報政策課所管; none for 同課, 各校, 市内団体."""
    known = vocabulary()
    best = ""
    for end in known.name_ends:
        at = run.rfind(end)
        if at < 0:
            continue
        rest = run[at + len(end) :]
        # 部 inside 部品, 会 inside 会議: a single letter ends a name only at the end of the run.
        if rest and (len(end) == 1 or _KANJI_BEFORE.match(rest) is None):
            continue
        piece = run[: at + len(end)]
        if len(piece) > len(best):
            best = piece
    if not best:
        return []
    core = _COUNTED.sub("", best)
    changed = True
    while changed:
        changed = False
        for word in known.before_ends:
            if core.startswith(word) and core != word:
                core, changed = core[len(word) :], True
                break
    return [] if not core or core in known.name_ends or core in known.before_ends else [core]


def _whole(company: re.Match[str], text: str, key: str) -> bool:
    """Whether a name that ends in 株式会社 is whole: みなみ測量 of a passage is not きた測量, nor 測量 alone."""
    name = squeeze(company.group())
    before = text[company.start() - 1 : company.start()]
    places = [m.start() for m in re.finditer(re.escape(name), key)]
    if not places:
        return False
    edges = {key[at - 1 : at] if at else "" for at in places}
    return any(edge == before or (edge in _EDGES and before in _EDGES) for edge in edges)


def misquoted(text: str, key: str) -> str:
    """The first stretch in 「…」 of a plain text that does not stand so in ``key`` (squeezed)."""
    for quoted in _QUOTED.finditer(text):
        if squeeze(quoted[1]).rstrip("。") not in key:
            return quoted[1]
    return ""


def stranger(text: str, key: str) -> str:
    """The first name of a plain text that does not stand in ``key`` (squeezed); empty where all of them do."""
    for company in _ENDED.finditer(text):
        if not _whole(company, text, key):
            return company.group()
    plainer = key.replace("ー", "")
    for name in names_of(text):
        if name in key or name.replace("ー", "") in plainer:
            continue
        return name
    return ""


def unlisted(text: str, key: str) -> str:
    """The first of several things put side by side (卵・乳・そば) that does not stand in ``key``, where another of them does."""
    for found in _LIST.finditer(text):
        items = [squeeze(item) for item in found.group().split("・")]
        missing = [item for item in items[1:] if item and item not in key]
        if missing and len(missing) < len(items) - 1:
            return missing[0]
    return ""
