"""What happens at a date: 導入, 更改, 契約満了, サポート終了 …, told by the words beside it."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from corpus.normalize import normalize

# How far from its date the word may stand, in characters without blanks; what ends the thought between the two.
_AFTER, _BEFORE = 40, 30
_THOUGHT = re.compile(r"。|(?:ため|ので|ことから|ものの|一方)、?|(?<=[がし])、")
# 「更新しない」「廃止の予定はない」「導入は未定」: what does not happen is not told.
# A date in brackets belongs to the words before them; one that something is compared with dates nothing.
_ASIDE = re.compile(r"\([^()]*$")
_COMPARED = re.compile(r"[にと](?:比べ|比較|対し)|より(?:も|増|減)|からの(?:大きな)?変更")
_NOT = re.compile(r".{0,8}?(?:し(?:て)?い?ない|せず|しなかった|[はも]な[いし]|未定|見送|中止|延期|未実施)")


@cache
def _words() -> re.Pattern[str]:
    raw = tomllib.loads(resources.files("corpus").joinpath("happenings.toml").read_text("utf-8"))
    return re.compile("|".join(f"(?P<w{i}>{'|'.join(entry['words'])})" for i, entry in enumerate(raw.values())))


@cache
def happenings() -> tuple[str, ...]:
    """Everything that can be told to happen, as ``happenings.toml`` names it."""
    raw = tomllib.loads(resources.files("corpus").joinpath("happenings.toml").read_text("utf-8"))
    return tuple(raw)


def what_happens(before: str, after: str) -> str:
    """What the words around a date say: the nearest one behind it in its own thought, else the last one before it.

    "" when nothing tells, and for what does not happen.

    >>> what_happens("現行の契約は", "で満了し、再リースする。"), what_happens("サポートの終了(", ")"), what_happens("", "の目標")
    ('契約満了', 'サポート終了', '')
    """
    behind = normalize(after[:200], squeeze=True).text
    ahead = normalize(before[-200:], squeeze=True).text
    if _COMPARED.match(behind):
        return ""
    aside = _ASIDE.search(ahead)
    if aside is not None and ")" in behind:
        ahead, behind = ahead[: aside.start()], behind[: behind.index(")")]
    end = _THOUGHT.search(behind)
    behind = behind[: end.start() if end is not None else len(behind)]
    # A word's own beginning may stand before the date: 「契約は令和8年3月で満了」.
    found = _words().search(behind[: _AFTER + 10])
    if found is not None and found.start() <= _AFTER:
        return "" if _NOT.match(behind, found.end()) else _name(found)
    ahead = _THOUGHT.split(ahead)[-1][-_BEFORE:]
    told = list(_words().finditer(ahead))
    return _name(told[-1]) if told and not _NOT.match(ahead, told[-1].end()) else ""


def _name(found: re.Match[str]) -> str:
    return happenings()[int(str(found.lastgroup)[1:])]
