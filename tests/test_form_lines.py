"""The line that a mistake in a form file is reported on."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.forms.lines import key_lines, line_of
from corpus.forms.loader import bundled

NAMES = st.text("abc名称_-. \"'#=[]", min_size=1, max_size=6)
SCALARS = st.one_of(st.integers(), st.booleans(), st.text("ab\n\"'#=[]{},年", max_size=8))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def written(value: Any, lines: list[str], path: tuple[Any, ...], places: dict[tuple[Any, ...], int]) -> None:
    """A value as TOML with each list entry on a line of its own; ``places`` notes the line of each."""
    if isinstance(value, list):
        lines[-1] += "["
        for number, entry in enumerate(value):
            lines.append("  ")
            places[*path, number] = len(lines)
            written(entry, lines, (*path, number), places)
            lines[-1] += ","
        lines[-1] += "] # [a = 'x"
        lines.append("")
    elif isinstance(value, dict):
        lines[-1] += "{ "
        for number, (key, inner) in enumerate(value.items()):
            lines[-1] += (", " if number else "") + f"{quoted(key)} = "
            places[*path, key] = len(lines)
            flat: list[str] = [""]
            written_flat(inner, flat, (*path, key), places, len(lines))
            lines[-1] += flat[0]
        lines[-1] += " }"
    elif isinstance(value, bool):
        lines[-1] += str(value).lower()
    else:
        lines[-1] += quoted(value) if isinstance(value, str) else str(value)


def written_flat(
    value: Any, out: list[str], path: tuple[Any, ...], places: dict[tuple[Any, ...], int], line: int
) -> None:
    """The same on one line, as TOML 1.0 wants it within an inline table."""
    if isinstance(value, list):
        out[0] += "["
        for number, entry in enumerate(value):
            places[*path, number] = line
            written_flat(entry, out, (*path, number), places, line)
            out[0] += ", "
        out[0] += "]"
    elif isinstance(value, dict):
        out[0] += "{ "
        for number, (key, inner) in enumerate(value.items()):
            places[*path, key] = line
            out[0] += (", " if number else "") + f"{quoted(key)} = "
            written_flat(inner, out, (*path, key), places, line)
        out[0] += " }"
    elif isinstance(value, bool):
        out[0] += str(value).lower()
    else:
        out[0] += quoted(value) if isinstance(value, str) else str(value)


@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), min_size=1, max_size=3))
def test_every_key_of_any_toml_is_found_on_its_line(tables):
    lines, places = ["# a comment with [brackets] = 'and quotes"], {}
    for number, table in enumerate(tables):
        lines.append("[[table]]")
        places["table", number] = len(lines)
        for key, value in table.items():
            lines.append(f"{quoted(key)} = ")
            places["table", number, key] = len(lines)
            written(value, lines, ("table", number, key), places)
    text = "\n".join(lines)
    assert tomllib.loads(text) == {"table": tables}
    found = key_lines(text)
    assert {path: found.get(path) for path in places} == places


def test_a_missing_key_is_reported_where_its_table_begins():
    text = 'strategy = "cells"\n\n[sheet]\n# nothing yet\n[[fact]]\nregex = 1\n[[fact]]\nunit = "円"\n'
    assert line_of(text, ("sheet", "start")) == 3
    assert line_of(text, ("fact", 1, "regex")) == 7
    assert line_of(text, ("fact", 0, "regex")) == 6
    assert line_of(text, ("recognise",)) == 1


def test_sub_tables_of_a_list_belong_to_its_latest_entry():
    text = "[[rows]]\n[rows.joins]\na = 1\n[[rows]]\n[rows.joins]\na = 2\n"
    assert line_of(text, ("rows", 1, "joins", "a")) == 6
    assert line_of(text, ("rows", 0, "joins", "a")) == 3


@pytest.mark.parametrize("name", [entry.name for entry in bundled()])
def test_every_key_of_the_bundled_files_has_a_line(name):
    entry = next(entry for entry in bundled() if entry.name == name)
    text = entry.raw.decode()
    lines = key_lines(text)

    def paths(value: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [path, *(found for key, part in inner for found in paths(part, (*path, key)))]

    rows = text.splitlines()
    for path in paths(tomllib.loads(text), ())[1:]:
        assert path in lines, path
        if isinstance(path[-1], str):
            assert path[-1] in rows[lines[path] - 1]
