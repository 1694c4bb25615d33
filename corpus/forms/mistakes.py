"""Mistakes in form files as sentences: the file, the line and the key, what is wrong there and what to write instead."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from corpus.errors import FormError
from corpus.forms.lines import line_of

Data = dict[str, Any]
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
_WANTED = {
    "string_type": "文字列（'…'）",
    "int_type": "整数",
    "float_type": "数",
    "bool_type": "true か false",
    "list_type": "リスト [ … ]",
    "dict_type": "表 { … }",
    "model_type": "表 { … }",
    "model_attributes_type": "表 { … }",
}


def parsed(raw: bytes, file: str) -> tuple[str, Data]:
    """A TOML file's text and its tables; FormError with the line of what is no TOML."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FormError(
            f"{file} {line}行目: UTF-8の文字として読めません。文字コードをUTF-8にして保存し直してください。", file, line
        ) from error
    text = text.replace("\r\n", "\n")
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        what = _AT.sub("", str(error)).strip()
        raise FormError(
            f"{file} {line}行目: TOMLとして読めません（{what}）。引用符とかっこの対応、"
            "同じ項目を二度書いていないかを確かめてください。",
            file,
            line,
        ) from error


def checked(
    model: type[BaseModel], data: Mapping[str, Any], text: str, file: str, known: set[str], path: tuple[str, ...] = ()
) -> None:
    """Holds tables against their model; FormError names every mistake of the file, one sentence each.

    ``known`` are the canonical fields; ``path`` is where ``data`` stands in the file.
    """
    try:
        model.model_validate(data, context={"fields": known})
    except ValidationError as error:
        told = {_told(dict(problem), model, data, path) for problem in error.errors(include_url=False)}
        raise mistaken(file, text, sorted(told, key=lambda one: line_of(text, one[0]))) from error


def mistaken(file: str, text: str, told: Sequence[tuple[tuple[str | int, ...], str]]) -> FormError:
    """The error for mistakes at some keys (path, sentence)."""
    sentences = [f"{file} {line_of(text, path)}行目 {key_name(path)}: {what}" for path, what in told]
    first = told[0][0]
    return FormError("\n".join(sentences), file, line_of(text, first), key_name(first))


def key_name(path: Sequence[str | int]) -> str:
    """A key's path for people, entries counted from 1.

    >>> key_name(("fact", 0, "values", 2, "group"))
    'fact[1].values[3].group'
    """
    name = ""
    for part in path:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def _told(
    problem: dict[str, Any], model: type[BaseModel], data: Any, path: tuple[str, ...]
) -> tuple[tuple[str | int, ...], str]:
    """(path of the key, sentence) of one complaint of pydantic."""
    context = problem.get("ctx", {})
    missing = problem["type"] == "missing"
    at = [*_written(problem["loc"], data, missing), *context.get("path", ())]
    if problem["type"] == "extra_forbidden":
        return (*path, *at), _unknown(str(at[-1]), list(_table_at(model, at[:-1]).model_fields))
    return (*path, *at), _sentence(problem)


def _table_at(model: Any, at: Sequence[str | int]) -> type[BaseModel]:
    """The model of the table at a place: down through the lists and unions of the fields' types."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return _table_at(model.model_fields[str(at[0])].annotation, at[1:]) if at else model
    at = at[1:] if get_origin(model) is list else at
    inner = [part for part in get_args(model) if part is not type(None)]
    return _table_at(inner[0], at)


def _unknown(key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, 1, 0.6)
    perhaps = f"もしかして: {close[0]}。" if close else ""
    return f"この項目はありません。{perhaps}使える項目に直すか、消してください: {'、'.join(known)}。"


def _written(loc: tuple[str | int, ...], data: Any, missing: bool) -> list[str | int]:
    """The part of a complaint's place that leads through the file: pydantic adds the names of a union's branches."""
    at: list[str | int] = []
    for part in loc:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int):
            data = data[int(part)]
        elif not (missing and isinstance(data, dict) and part == loc[-1]):
            break
        at.append(part)
    return at


def _sentence(problem: dict[str, Any]) -> str:
    kind, context = str(problem["type"]), problem.get("ctx", {})
    if kind == "form":
        return str(context["text"])
    if kind == "missing":
        return "この項目がありません。書き足してください。"
    if kind == "literal_error":
        expected = str(context["expected"]).replace(" or ", ", ").replace("'", "").replace(", ", "、")
        return f"「{problem['input']}」は使えません。次のどれかを書いてください: {expected}。"
    if kind in _WANTED:
        return f"{_WANTED[kind]}を書いてください（いまは {_shown(problem['input'])}）。"
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        return f"数が合いません（いまは{context['actual_length']}個、{bound}個{'以上' if kind == 'too_short' else 'まで'}にしてください）。"
    if kind == "string_too_short":
        return "空の文字列は使えません。値を書くか、項目を消してください。"
    return f"値 {_shown(problem['input'])} は使えません。docs/forms.ja.md の例と比べてください。"


def _shown(value: object) -> str:
    told = "true" if value is True else "false" if value is False else repr(value)
    return told if len(told) <= 40 else f"{told[:39]}…"
