"""The words of questions as data: ``intents.toml`` and ``fields.toml`` beside this file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from corpus.normalize import occurrences, squeeze
from index.readings import reading

# Where a clause ends: at the end, at a mark, or where a name or date stood that was understood and blanked.
_END = r"(?=$|[?!。、,()「」\0])"


@dataclass(frozen=True, slots=True)
class AskedField:
    """A field people ask for: its phrases, the labels sheets print for it, and the type of its answer."""

    name: str
    type: str
    kind: str | None
    ask: tuple[str, ...]
    labels: tuple[str, ...]
    weak: bool
    cues: tuple[re.Pattern[str], ...] = ()
    happens: tuple[str, ...] = ()

    def dates(self, key: str) -> bool:
        """Whether a squeezed sentence is about what this date field asks for."""
        return any(cue.search(key) for cue in self.cues)

    def fits(self, *printed: str) -> bool:
        """Whether any of a section's or fact's printed and canonical labels is one of this field's."""
        keys = [squeeze(p) for p in printed if p]
        return any(label in key for key in keys for label in self.labels)


@dataclass(frozen=True, slots=True)
class Intent:
    """A kind of answer and the patterns (over the squeezed question) that ask for it."""

    name: str
    cues: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...] = ()

    def asks(self, key: str) -> bool:
        """Whether a squeezed question asks for this kind of answer."""
        return any(cue.search(key) for cue in self.cues) and not any(cue.search(key) for cue in self.unless)


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__name__).joinpath(name).read_text("utf-8"))


@cache
def asked_fields() -> tuple[AskedField, ...]:
    """Every field of ``fields.toml``, in its order."""
    return tuple(
        AskedField(
            name=name,
            type=row["type"],
            kind=row.get("kind"),
            ask=tuple(squeeze(phrase) for phrase in row["ask"]),
            labels=tuple(squeeze(label) for label in row["labels"]),
            weak=row.get("weak", False),
            cues=tuple(re.compile(cue) for cue in row.get("cues", ())),
            happens=tuple(row.get("happens", ())),
        )
        for name, row in _load("fields.toml").items()
    )


@cache
def field(name: str) -> AskedField:
    """One field by its name; raises KeyError."""
    return {f.name: f for f in asked_fields()}[name]


@cache
def intents() -> tuple[Intent, ...]:
    """The intents in the order in which their cues are tried."""
    return tuple(
        Intent(row["name"], _compiled(row["cues"]), _compiled(row.get("unless", ())))
        for row in _load("intents.toml")["intent"]
    )


def _compiled(cues: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(cue.replace("<end>", _END)) for cue in cues)


@cache
def _preambles() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(cue) for cue in _load("intents.toml")["preambles"])


@cache
def _courtesies() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(cue) for cue in _load("intents.toml")["courtesies"])


@cache
def _respelled() -> tuple[tuple[str, str], ...]:
    return tuple((written, read) for written, read in _load("intents.toml")["respelled"])


@cache
def _asides() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(cue) for cue in _load("intents.toml")["asides"])


def plainly(question: str) -> str:
    """A question (NFKC) without greetings, thanks and remarks about itself; as it is where nothing else is left.

    >>> plainly("お疲れさまです。決算額は?(委員会で使います)"), plainly("執行率(決算÷予算)が低い事業")
    ('決算額は?', '執行率が低い事業')
    """
    text = question
    while True:
        before = text
        for courtesy in _courtesies():
            text = courtesy.sub("", text).strip() or text
        if text == before:
            break
    for aside in _asides():
        text = aside.sub("", text)
    for written, read in _respelled():
        text = text.replace(written, read)
    return text


def preamble_end(key: str) -> int:
    """Where the question itself begins in a squeezed text: behind clauses that only say who asks or what for."""
    end = 0
    while True:
        found = next((m for p in _preambles() if (m := p.match(key[end:])) is not None), None)
        if found is None or end + found.end() >= len(key):
            return end
        end += found.end()


@cache
def _phrase_readings() -> tuple[tuple[AskedField, str, str], ...]:
    """Phrases long enough to be told by their sound, with their readings."""
    rows = [(asked, phrase, reading(phrase)) for asked in asked_fields() for phrase in asked.ask if not asked.weak]
    return tuple(row for row in rows if len(row[2]) >= 6 and len(row[1]) >= 3)


def misspelt_fields(key: str, kana: str) -> list[AskedField]:
    """Fields whose phrase is not written but sounds in the question: 執行立 and 失効率 for 執行率."""
    return [asked for asked, phrase, sound in _phrase_readings() if phrase not in key and sound in kana]


def find_fields(key: str) -> list[tuple[AskedField, int, int]]:
    """The fields asked for in a squeezed question with where their phrase stands, in the order of standing.

    Where phrases overlap the longer one wins (総事業費 over 事業費); everyday words (``weak``) count only when no
    other field of an amount or rating was found.
    """
    hits: list[tuple[AskedField, int, int]] = []
    for asked in asked_fields():
        for phrase in asked.ask:
            hits.extend((asked, at, at + len(phrase)) for at in occurrences(phrase, key))
    hits.sort(key=lambda hit: (hit[1] - hit[2], hit[1]))
    kept: list[tuple[AskedField, int, int]] = []
    for hit in hits:
        if not any(hit[1] < end and start < hit[2] for _, start, end in kept):
            kept.append(hit)
    strong_types = {asked.type for asked, _, _ in kept if not asked.weak}
    kept = [hit for hit in kept if not (hit[0].weak and hit[0].type in strong_types)]
    return sorted(kept, key=lambda hit: hit[1])


def find_intents(key: str) -> list[str]:
    """The intents whose cues the squeezed question holds, most specific first; ``text`` always closes the list."""
    found = [intent.name for intent in intents() if intent.asks(key)]
    return [*dict.fromkeys(found), "text"]
