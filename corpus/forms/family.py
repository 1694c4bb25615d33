"""Form files become form families: inheritance, the check of every key, and the order in which families are tried."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpus.forms.mistakes import Data, checked, mistaken, parsed
from corpus.forms.patterns import expand
from corpus.forms.schema import FieldTable, FormFile

FIELDS = "fields"
# Tables of which a form that extends another has both; of all others its own take the place of the inherited ones.
_ADDED = ("section", "columns", "triple", "fact", "rows")
_MERGED = ("sheet", "labels")


@dataclass(frozen=True, slots=True)
class Source:
    """One TOML file: its name without the ending, the path shown to people, and its bytes. ``own`` files are not ours."""

    name: str
    file: str
    raw: bytes
    own: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One form family as its TOML describes it; ``data`` holds the tables the reading strategies look at."""

    name: str
    strategy: str
    recognise: tuple[re.Pattern[str], ...]
    labels: Mapping[str, str]
    data: Mapping[str, Any]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A form file as read: the text for line numbers, its own tables, and with what it inherits laid under them."""

    source: Source
    text: str
    own: Data
    whole: Data = field(default_factory=dict)
    depth: int = 0


def families(sources: Sequence[Source], fields: set[str]) -> list[Family]:
    """Every form family, in the order they are tried: own before bundled, the more special before what it extends.

    Of two files of one name the own one counts. FormError for the first file with mistakes.
    """
    read: dict[str, Family] = {}
    for source in sorted(sources, key=lambda s: s.own):
        if source.name != FIELDS:
            text, data = parsed(source.raw, source.file)
            read[source.name] = Family(source, text, data)
    whole = [_inherited(family, read, fields) for family in read.values()]
    return sorted(whole, key=lambda f: (not f.source.own, -f.depth, f.source.name))


def _inherited(family: Family, read: Mapping[str, Family], fields: set[str]) -> Family:
    """The family with all it inherits, checked from the root of its line down."""
    line = _line(family, read)
    data: Data = {}
    own_fields: list[str] = []
    for one in reversed(line):
        data = _laid_over(data, one.own)
        named = data.get("own_fields")
        own_fields += [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        checked(FormFile, data, one.text, one.source.file, fields | set(own_fields))
    return Family(family.source, family.text, family.own, data, len(line) - 1)


def _line(family: Family, read: Mapping[str, Family]) -> list[Family]:
    """The family and what it extends, the nearest first."""
    line = [family]
    while isinstance(name := line[-1].own.get("extends"), str):
        last = line[-1]
        parent = read.get(name)
        if parent is None:
            known = "、".join(sorted(set(read) - {last.source.name}))
            told = (
                f"様式「{name}」はありません。次のどれか（ファイル名から .toml を除いた名前）にしてください: {known}。"
            )
            raise mistaken(last.source.file, last.text, [(("extends",), told)])
        if any(parent.source is one.source for one in line):
            round_ = " → ".join(one.source.file for one in [*line, parent])
            told = f"extends が輪になっています（{round_}）。どれか一つの extends を消してください。"
            raise mistaken(last.source.file, last.text, [(("extends",), told)])
        line.append(parent)
    return line


def _laid_over(base: Data, own: Data) -> Data:
    """A form's tables over those it inherits; its own entries come first, so their places stay those of its file."""
    data = {**base, **own}
    for key in _MERGED:
        if isinstance(base.get(key), dict) and isinstance(own.get(key), dict):
            data[key] = {**base[key], **own[key]}
    for key in _ADDED:
        if isinstance(base.get(key), list) and isinstance(own.get(key), list):
            said = {entry.get("label") for entry in own[key] if isinstance(entry, dict)} if key == "section" else set()
            data[key] = [*own[key], *(entry for entry in base[key] if entry.get("label") not in said)]
    return data


def form_of_family(family: Family, clean: Any) -> Form:
    """The family as the readers use it; ``clean`` brings a printed label into the shape for comparing."""
    data = family.whole
    return Form(
        name=family.source.name,
        strategy=data["strategy"],
        recognise=tuple(re.compile(expand(p), re.M) for p in data["recognise"]),
        labels={clean(label): name for label, name in data.get("labels", {}).items()},
        data=data,
        file=family.source.file,
    )


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field: its name, how its values are read, and the labels forms print for it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    own: tuple[str, ...] = ()
    """The labels that the own ``fields.toml`` adds; they go before the bundled ones."""


def vocabulary(sources: Sequence[Source], clean: Any) -> dict[str, Field]:
    """Every canonical field by its name: the bundled ones with the labels of the own file added, then its new ones."""
    fields: dict[str, Field] = {}
    for source in sorted((s for s in sources if s.name == FIELDS), key=lambda s: s.own):
        text, data = parsed(source.raw, source.file)
        seen: dict[str, str] = {}
        for name, table in data.items():
            checked(FieldTable, table if isinstance(table, dict) else {}, text, source.file, set(), (name,))
            old, kind = fields.get(name), table.get("kind")
            if old is None and kind is None:
                told = '新しい欄には kind（値の読み方）を書いてください（例: kind = "text"）。'
                raise mistaken(source.file, text, [((name,), told)])
            if old is not None and kind not in (None, old.kind):
                told = f"この欄の kind は {old.kind} です。kind の行を消すか、別の名前の欄にしてください。"
                raise mistaken(source.file, text, [((name, "kind"), told)])
            labels = tuple(table["labels"])
            if source.own:
                for at, label in enumerate(labels):
                    other = seen.setdefault(clean(label), name)
                    if other != name:
                        told = f"ラベル「{label}」は「{other}」にもあります。どちらか一方に書いてください。"
                        raise mistaken(source.file, text, [((name, "labels", at), told)])
            if old is None:
                fields[name] = Field(name, kind, labels, labels if source.own else ())
            else:
                fields[name] = Field(name, old.kind, (*old.labels, *labels), (*old.own, *labels))
    return fields
