"""Where each key of a TOML text stands, so that a mistake in a value can be pointed at by its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence

# A key's place in the read tables: names of keys and numbers of list entries, as ("fact", 0, "values", 2, "group").
Path = tuple[str | int, ...]

_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.S)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> Mapping[Path, int]:
    """The line (from 1) of every table, key and list entry of a TOML text that tomllib reads without complaint.

    >>> key_lines('a = 1\\n[[b]]\\nc = [2,\\n 3]')[("b", 0, "c", 1)]
    4
    """
    return _Scanner(text).scan()


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line of a key, or of the nearest table around it that is written; 1 where nothing of it is.

    >>> line_of('[sheet]\\nstart = "x"', ("sheet", "name"))
    1
    """
    lines = key_lines(text)
    for size in range(len(path), 0, -1):
        found = lines.get(tuple(path[:size]))
        if found is not None:
            return found
    return 1


class _Scanner:
    """Goes through the text once. It trusts that the text is TOML: only places are looked for, values are skipped."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # entries of each list of tables so far

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()
        return self.lines

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found is not None else self.at

    def _note(self, path: Path) -> None:
        self.lines.setdefault(path, self.text.count("\n", 0, self.at) + 1)

    def _header(self) -> Path:
        start, listed = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if listed else 1
        names = self._key()
        closing = self.text.find("]", self.at)
        self.at, after = start, closing + (2 if listed else 1)
        path = self._resolved(names[:-1])
        if listed:
            number = self.counts.get((*path, names[-1]), 0)
            self.counts[*path, names[-1]] = number + 1
            self._note((*path, names[-1]))
            path = (*path, names[-1], number)
        else:
            path = self._resolved(names)
        self._note(path)
        self.at = after
        return path

    def _resolved(self, names: Sequence[str]) -> Path:
        """A header's names with the number of the latest entry after each list of tables among them."""
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._blank()
            quoted = _STRING.match(self.text, self.at)
            found = quoted or _BARE.match(self.text, self.at)
            if found is None:  # not TOML after all
                self.at = len(self.text)
                return names or [""]
            names.append(tomllib.loads(f"x = {found.group()}")["x"] if quoted else found.group())
            self.at = found.end()
            self._blank()
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def _pair(self, table: Path) -> None:
        start = self.at
        names = self._key()
        after, self.at = self.at, start
        path = table
        for name in names:
            path = (*path, name)
            self._note(path)
        self.at = self.text.find("=", after) + 1
        if self.at == 0:
            self.at = len(self.text)
            return
        self._blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        quoted = _STRING.match(self.text, self.at)
        if quoted is not None:
            self.at = quoted.end()
        elif self.text.startswith("[", self.at):
            self._entries(path, "]")
        elif self.text.startswith("{", self.at):
            self._entries(path, "}")
        else:
            scalar = _SCALAR.match(self.text, self.at)
            self.at = scalar.end() if scalar is not None else self.at + 1

    def _entries(self, path: Path, closing: str) -> None:
        """The entries of a list, or the pairs of an inline table."""
        self.at += 1
        number = 0
        while self.at < len(self.text):
            self._blank()
            if self.text.startswith(closing, self.at):
                self.at += 1
                return
            if self.text.startswith(",", self.at):
                self.at += 1
                continue
            if closing == "]":
                self._note((*path, number))
                self._value((*path, number))
                number += 1
            else:
                self._pair(path)
