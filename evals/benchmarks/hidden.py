"""What only hidden sheets have, and whether an answer tells any of it."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.normalize import squeeze
from index.snapshot import Snapshot

STRETCH = 12  # squeezed characters; shorter ones are words that anybody may use
_MARK, _VALUE = re.compile(r"<[^>]*>"), re.compile(r'="([^"]*)"')


@dataclass(frozen=True)
class Hidden:
    """What only hidden sheets have, each squeezed; ``seen`` is all that may be read."""

    ids: frozenset[str]
    names: frozenset[str]
    files: frozenset[str]
    towns: frozenset[str]
    stretches: frozenset[str]
    sheets: int
    seen: str

    @classmethod
    def of(cls, whole: Snapshot, view: Snapshot) -> Hidden:
        """Told apart by the documents themselves, not by what a search says of them."""
        seen = {sheet.sheet_id for sheet in view.sheets()}
        gone = [sheet for sheet in whole.sheets() if sheet.sheet_id not in seen]
        texts = [squeeze(view.document(file).text) for file in view.files()]
        told = [f"{s.name}\n{s.municipality}\n{s.department}\n{s.file}" for s in view.sheets()]
        readable = "\n".join([*texts, *map(squeeze, told)])
        stretches = set()
        for sheet in gone:
            document = whole.document(sheet.file).text
            for span in sheet.spans:
                stretches |= _stretches(squeeze(document[span.start : span.end]))
        for row in whole.sections([sheet.sheet_id for sheet in gone]):
            stretches |= _stretches(squeeze(row.section.text))

        # A name that is seen, and the bracket that the screen puts behind it, are no news.
        known = _stretches(readable, STRETCH - 1)

        def only(values: Sequence[str]) -> frozenset[str]:
            return frozenset(key for one in values if len(key := squeeze(one)) > 1 and key not in readable)

        return cls(
            frozenset(sheet.sheet_id for sheet in gone),
            only([sheet.name for sheet in gone]),
            only([sheet.file for sheet in gone]),
            only([sheet.municipality for sheet in gone]),
            frozenset(one for one in stretches if one[1:] not in known and one[:-1] not in known),
            len(gone),
            readable,
        )

    def leaks(self, answer: bytes, asked: str = "") -> list[str]:
        """What of it stands in an answer; what the caller wrote in the question is no news."""
        own = squeeze(asked)
        found = []
        for text in _texts(answer):
            found += [f"id {one}" for one in self.ids if one in text]
            key = squeeze(text)
            for kind, values in (("name", self.names), ("file", self.files), ("town", self.towns)):
                found += [f"{kind} {one}" for one in values if one in key and not self._own(one, own)]
            quoted = (_stretches(key) & self.stretches) - _stretches(own)
            found += [f"text {one}" for one in sorted(quoted) if not self._composed(one)][:3]
        return found

    def _own(self, name: str, asked: str) -> bool:
        """Whether a name is the caller's own words, or such a word and one that is seen: a slip that was put right."""
        if name in asked:
            return True
        parts = ((name[:at], name[at:]) for at in range(1, len(name)))
        return any((a in asked and b in self.seen) or (a in self.seen and b in asked) for a, b in parts)

    def _composed(self, stretch: str) -> bool:
        """Whether it is two things that are seen, side by side: 成果指標： and a label, as the screens put them."""
        return any(stretch[:at] in self.seen and stretch[at:] in self.seen for at in range(1, STRETCH))


def _stretches(key: str, length: int = STRETCH) -> set[str]:
    return {key[at : at + length] for at in range(len(key) - length + 1)}


def _texts(answer: bytes) -> Iterator[str]:
    """What is to be read in an answer: JSON string by string, pages without their marks, a workbook part by part."""
    if answer[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer)) as book:
            for name in book.namelist():
                yield from _plain(book.read(name).decode("utf-8", "replace"))
        return
    text = answer.decode("utf-8", "replace")
    lines = [line.removeprefix("data: ") for line in text.split("\n")] if text.startswith("data: ") else [text]
    for line in lines:
        try:
            strings = list(_strings(json.loads(line)))
        except ValueError:
            strings = [line]
        for one in strings:
            yield from _plain(one)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (key for key in value)
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, str):
        yield value


def _plain(text: str) -> Iterator[str]:
    """What stands between the marks of a page, piece by piece, and in them; a text without marks is one piece."""
    yield from map(html.unescape, _MARK.split(text))
    yield from map(html.unescape, _VALUE.findall(text))
