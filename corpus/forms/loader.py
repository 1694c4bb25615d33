"""Reads the form families and the canonical fields from their TOML files, and tells what a printed label means."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from corpus.errors import FormError
from corpus.forms.family import Field, Form, Source, families, form_of_family, vocabulary
from corpus.forms.patterns import compiled, expand
from corpus.normalize import FOOTNOTE, normalize

__all__ = [
    "OTHER",
    "OTHER_YEAR",
    "Field",
    "Form",
    "bundled",
    "canonical",
    "clean_label",
    "compiled",
    "expand",
    "fields",
    "form_of",
    "forms",
    "kind_of",
    "use_forms",
    "vocabulary_labels",
]

VARIABLE = "HYOKA_FORMS"
"""Names the folder of own form files where nobody has called :func:`use_forms`."""

# The folder in use ("" for none). A variable, because the reader processes get nothing else from their parent.
_IN_USE = "_HYOKA_FORMS_IN_USE"

OTHER = "その他"
# Kinds of fields: those of a form's head, those of figures beside a label, and those of rows of figures.
HEAD_KINDS = ("name", "department", "unit", "person", "year", "code")
FIGURE_KINDS = ("amount", "staff", "hours", "rate")
NUMERIC_KINDS = (*FIGURE_KINDS, "indicator")

# Numbering and marks before a label: 「(1) 事業の目的」「【目的】」「■ 課題」「① 対象」.
_LEAD = re.compile(
    r"^(?:[■□◆◇●○▼▽★☆・※#*>]|[(\[【<《「〈]?\d{1,2}(?:[-.]\d{1,2})?[)\]】.:、]|\d{1,2}\.\d{1,2}|[(\[【<《「〈])++"
)
_CIRCLED = re.compile(r"^\s*[\u2460-\u2473\u2776-\u277f]+\s*")
_TRAIL = re.compile(r"(?<![)\]】>》」〉:：])[)\]】>》」〉:：]++$")
# A year before a label: 「R3年度取組状況の評価」「H29 環境関連性」「5年度の取組内容」.
_YEAR = re.compile(r"^(?:(?:19|20)\d\d年度|(?:令和|平成|[RH])?(?:元|\d{1,2})(?:年度)?|[今本当]年度)の?")
OTHER_YEAR = re.compile(r"^(?:前々?年度|昨年度|次年度|翌々?年度|来年度)の?(?=.)")
"""Another year than the sheet's before a label: 「前年度執行額」."""
_CLOSE = re.compile(r"(?<=[)])[】》〉」>\]]+$")
_ASIDE = re.compile(r"\([^()]*\)$")
# Brackets that say the unit or the place of a figure rather than what it is: 「事業費(千円)」「人件費(B)」.
_UNIT = re.compile(
    r"\((?:単位[::]?)?(?:千円|万円|百万円|円|人|%|時間|[A-Fa-f](?:[+＋][A-Fa-f])*|件|回)\)?$|(?<=[^A-Za-z])[A-D]$"
)


def clean_label(label: str) -> str:
    """A printed label for comparing: NFKC, no white space, no numbering, no bracket with a unit.

    >>> clean_label("（３）事業概要"), clean_label("事業費(千円)"), clean_label("人件費(B)")
    ('事業概要', '事業費', '人件費')
    """
    # Circled numbers go before NFKC turns them into digits of the label: 「①目標」 is 目標, not 1目標.
    label = _CIRCLED.sub("", label)
    text = normalize(label, squeeze=True).text
    bare = _CLOSE.sub("", FOOTNOTE.sub("", _LEAD.sub("", text)))
    bare = _UNIT.sub("", bare)
    if bare.count("(") <= bare.count(")") - 1 or not bare.count("("):
        bare = _TRAIL.sub("", bare)
    bare = _UNIT.sub("", bare)
    return bare or text


def bundled() -> list[Source]:
    """The files that come with the package."""
    entries = sorted(resources.files("corpus.forms").iterdir(), key=lambda e: e.name)
    return [
        Source(e.name.removesuffix(".toml"), f"corpus/forms/{e.name}", e.read_bytes())
        for e in entries
        if e.name.endswith(".toml")
    ]


def use_forms(folder: Path | None) -> None:
    """Adds the form files of a folder (None: of none) to the bundled ones, from now on, here and in processes started.

    Every file is read and checked at once; FormError names the file, line and key of what is wrong, and the files in
    use before stay in use.
    """
    before = os.environ.get(_IN_USE)
    os.environ[_IN_USE] = str(folder.expanduser().resolve()) if folder is not None else ""
    if before == os.environ[_IN_USE] == "":
        return  # the bundled files are the same all day
    _forget()
    try:
        forms()
    except FormError:
        if before is None:
            del os.environ[_IN_USE]
        else:
            os.environ[_IN_USE] = before
        _forget()
        raise


def _forget() -> None:
    for kept in (_sources, fields, _by_label, canonical, vocabulary_labels, forms):
        kept.cache_clear()


def own_folder() -> Path | None:
    """The folder of own form files that is in use, None where only the bundled ones are."""
    folder = os.environ.get(_IN_USE, os.environ.get(VARIABLE))
    return Path(folder) if folder else None


@cache
def _sources() -> tuple[Source, ...]:
    folder = own_folder()
    return (*bundled(), *(own_files(folder) if folder is not None else ()))


def own_files(folder: Path) -> list[Source]:
    """The form files of a folder, by name. FormError where the folder or a file cannot be read."""
    if not folder.is_dir():
        raise FormError(
            f"様式のフォルダー {folder} がありません。場所を確かめるか、フォルダーを作って .toml を置いてください。",
            str(folder),
        )
    found = []
    try:
        for path in sorted(folder.iterdir()):
            if path.suffix == ".toml" and path.is_file() and not path.name.startswith("."):
                found.append(Source(path.stem, str(path), path.read_bytes(), own=True))
    except OSError as error:
        raise FormError(
            f"{error.filename or folder}: 様式のファイルを読めません（{error.strerror}）。権限を確かめてください。",
            str(error.filename or folder),
        ) from error
    return found


@cache
def fields() -> Mapping[str, Field]:
    """Every canonical field by its name, in the order of ``fields.toml``; those of an own file add to the bundled."""
    return vocabulary(_sources(), clean_label)


@cache
def _by_label() -> Mapping[str, str]:
    table: dict[str, str] = {}
    every = fields().values()
    pairs = [(label, f.name) for f in every for label in f.own]
    pairs += [(label, f.name) for f in every for label in (f.name, *f.labels)]
    for label, name in pairs:
        table.setdefault(clean_label(label), name)
        table.setdefault(normalize(label, squeeze=True).text, name)
    return table


@cache
def canonical(label: str) -> str | None:
    """The canonical field of a printed label, or None for a label no form has shown us.

    >>> canonical("事業の目的"), canonical("担当課名"), canonical("R5決算額")
    ('目的', '担当課', '決算額')
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
    # A figure of another year is the same row: 「前年度執行額」. A text of another year (前年度の課題) is not.
    field = table.get(OTHER_YEAR.sub("", bare)) if OTHER_YEAR.match(bare) else None
    return field if field is not None and kind_of(field) in NUMERIC_KINDS else None


@cache
def vocabulary_labels() -> tuple[tuple[str, str, str], ...]:
    """(cleaned label, field, kind) of every label of the vocabulary."""
    return tuple((clean_label(text), f.name, f.kind) for f in fields().values() for text in (f.name, *f.labels))


def kind_of(field: str) -> str:
    """How a canonical field's values are read; ``text`` for fields of a form's own."""
    known = fields().get(field)
    return known.kind if known else "text"


@cache
def forms() -> tuple[Form, ...]:
    """The form families that have a TOML of their own, in the order they are tried."""
    return tuple(form_of_family(family, clean_label) for family in families(_sources(), {OTHER, *fields()}))


def form_named(name: str) -> Form | None:
    """The form family a sheet was recognised as."""
    return next((form for form in forms() if form.name == name), None) if name else None


def form_of(text: str) -> Form | None:
    """The first family all of whose marks stand in the normalised text."""
    return next((form for form in forms() if all(mark.search(text) for mark in form.recognise)), None)
