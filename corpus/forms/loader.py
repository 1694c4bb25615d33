"""Reads the form families and the canonical fields from their TOML files, and tells what a printed label means."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from corpus.normalize import normalize

OTHER = "その他"

# Numbering and marks before a label: 「(1) 事業の目的」「【目的】」「■ 課題」「① 対象」.
_LEAD = re.compile(
    r"^(?:[■□◆◇●○▼▽★☆・※#*>]|[(\[【<《「〈]?\d{1,2}(?:[-.]\d{1,2})?[)\]】.:、]|\d{1,2}\.\d{1,2}|[(\[【<《「〈])+"
)
_CIRCLED = re.compile(r"^\s*[\u2460-\u2473\u2776-\u277f]+\s*")
_TRAIL = re.compile(r"[)\]】>》」〉:：]+$")
# A year before a label: 「R3年度取組状況の評価」「H29 環境関連性」「5年度の取組内容」.
_YEAR = re.compile(r"^(?:(?:令和|平成|[RH])?(?:元|\d{1,2})(?:年度)?|[今本当]年度)の?")
# Footnote marks after a label: 「事業費※1」「人件費(注2)」.
_NOTE = re.compile(r"(?:※\d{0,2}|\*\d{1,2}|\(?注\d{1,2}\)?)$")
_ASIDE = re.compile(r"\([^()]*\)$")
# Brackets that say the unit or the place of a figure rather than what it is: 「事業費(千円)」「人件費(B)」.
_UNIT = re.compile(
    r"\((?:単位[::]?)?(?:千円|万円|百万円|円|人|%|時間|[A-Fa-f](?:[+＋][A-Fa-f])*|件|回)\)?$|(?<=[^A-Za-z])[A-D]$"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field: its name, how its values are read, and the labels forms print for it."""

    name: str
    kind: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One form family as its TOML describes it; ``data`` holds the tables the reading strategies look at."""

    name: str
    strategy: str
    recognise: tuple[re.Pattern[str], ...]
    labels: Mapping[str, str]
    data: Mapping[str, Any]


def clean_label(label: str) -> str:
    """A printed label for comparing: NFKC, no white space, no numbering, no bracket with a unit.

    >>> clean_label("（３）事業概要"), clean_label("事業費(千円)"), clean_label("人件費(B)")
    ('事業概要', '事業費', '人件費')
    """
    # Circled numbers go before NFKC turns them into digits of the label: 「①目標」 is 目標, not 1目標.
    label = _CIRCLED.sub("", label)
    text = normalize(label, squeeze=True).text
    bare = _NOTE.sub("", _LEAD.sub("", text))
    bare = _UNIT.sub("", bare)
    if bare.count("(") <= bare.count(")") - 1 or not bare.count("("):
        bare = _TRAIL.sub("", bare)
    bare = _UNIT.sub("", bare)
    return bare or text


@cache
def fields() -> Mapping[str, Field]:
    """Every canonical field by its name, in the order of ``fields.toml``."""
    raw = tomllib.loads(resources.files("corpus.forms").joinpath("fields.toml").read_text("utf-8"))
    return {name: Field(name, entry["kind"], tuple(entry["labels"])) for name, entry in raw.items()}


@cache
def _by_label() -> Mapping[str, str]:
    table: dict[str, str] = {}
    for field in fields().values():
        for label in (field.name, *field.labels):
            table.setdefault(clean_label(label), field.name)
            table.setdefault(normalize(label, squeeze=True).text, field.name)
    return table


@cache
def canonical(label: str) -> str | None:
    """The canonical field of a printed label, or None for a label no form has shown us.

    >>> canonical("事業の目的"), canonical("担当課名"), canonical("R5決算額")
    ('目的', '担当課', None)
    """
    table = _by_label()
    text = normalize(label, squeeze=True).text
    if text in table:
        return table[text]
    bare = clean_label(label)
    if bare in table:
        return table[bare]
    if bare.endswith("等") and bare[:-1] in table:
        return table[bare[:-1]]
    for other in (
        _YEAR.sub("", bare),
        bare.removeprefix("うち"),
        _ASIDE.sub("", bare),
        _ASIDE.sub("", _YEAR.sub("", bare)),
    ):
        if len(other) >= 2 and other in table:
            return table[other]
    return None


def kind_of(field: str) -> str:
    """How a canonical field's values are read; ``text`` for fields of a form's own."""
    known = fields().get(field)
    return known.kind if known else "text"


@cache
def forms() -> tuple[Form, ...]:
    """The form families that have a TOML of their own, by file name."""
    found: list[Form] = []
    for entry in sorted(resources.files("corpus.forms").iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml") or entry.name == "fields.toml":
            continue
        data = tomllib.loads(entry.read_text("utf-8"))
        found.append(
            Form(
                name=entry.name.removesuffix(".toml"),
                strategy=data["strategy"],
                recognise=tuple(re.compile(expand(p), re.M) for p in data["recognise"]),
                labels={clean_label(k): v for k, v in data.get("labels", {}).items()},
                data=data,
            )
        )
    return tuple(found)


def form_of(text: str) -> Form | None:
    """The first family all of whose marks stand in the normalised text."""
    return next((form for form in forms() if all(mark.search(text) for mark in form.recognise)), None)


# Shorthands for the patterns of the TOML files: a figure, a blank line, a line's rest, a paragraph.
_SHORT = {
    "{N}": r"(?:▲ ?)?-?\d[\d,]*(?:\.\d+)?",
    "{B}": r"[ \u3000]*\n(?:[ \u3000]*\n)+[ \u3000]*",
    "{L}": r"[^\n]+",
    "{P}": r"[^\n]+(?:\n[^\n]+)*",
}


def expand(pattern: str) -> str:
    """A TOML pattern with its shorthands ({N} figure, {B} blank lines, {L} line, {P} paragraph) written out."""
    for short, full in _SHORT.items():
        pattern = pattern.replace(short, full)
    return pattern


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """An expanded and compiled TOML pattern; ``^`` and ``$`` match at lines, the dot matches line ends too."""
    return re.compile(expand(pattern), re.M | re.S)
