"""What a form file and a ``fields.toml`` may say: one model a table, checked when the files are read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import Formatter
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpus.forms.patterns import compiled, runs_away

Kind = Literal[
    "name", "department", "unit", "person", "year", "text", "amount", "staff", "hours", "rate", "indicator", "rating",
    "choice", "code", "row", "group",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
Money = Literal["円", "千円", "万円", "百万円", "億円"]
_PLACEHOLDER = Formatter()


def mistake(text: str, *path: str | int) -> PydanticCustomError:
    """A mistake told by a Japanese sentence; ``path`` leads from the table that is checked to the key that is meant."""
    return PydanticCustomError("form", "{text}", {"text": text, "path": path})


def _usable(pattern: str) -> str:
    try:
        compiled(pattern)
    except re.error as error:
        where = f"{error.pos + 1}文字目: " if error.pos is not None else ""
        raise mistake(
            f"正規表現として読めません（{where}{error.msg}）。かっこの対応と \\ の書き方を確かめてください"
            "（一重の引用符で囲むと \\ をそのまま書けます）。"
        ) from error
    except OverflowError as error:
        raise mistake("正規表現のくり返しの数が大きすぎます。小さくしてください。") from error
    if runs_away(pattern):
        raise mistake(
            "くり返しの中にくり返しがあり、長い文書で終わらなくなるおそれがあります"
            "（例: (\\S+ ?)+ は \\S[^\\n]* のように書けます）。くり返しを一つにしてください。"
        )
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_usable)]
Name = Annotated[str, Field(min_length=1)]


def groups_of(*patterns: str | None) -> set[str]:
    """The named groups of some patterns."""
    return {name for pattern in patterns if pattern for name in compiled(pattern).groupindex}


def _need(pattern: str, names: Iterable[str], *path: str | int) -> None:
    for name in names:
        if name not in groups_of(pattern):
            raise mistake(f"名前つきの組 (?P<{name}>…) がありません。値の所をこの組で囲んでください。", *path)


class Table(BaseModel):
    """A table of a form file: strict types, no key that means nothing."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def _field(name: str, info: ValidationInfo) -> str:
    """A canonical field, one of the form's own, or a sentence that says which there are."""
    known: dict[str, Any] = info.context or {}
    if known and name not in known["fields"]:
        from rapidfuzz import process

        near = "、".join(found for found, _, _ in process.extract(name, sorted(known["fields"]), limit=3))
        raise mistake(
            f"欄「{name}」はありません。近い欄: {near}。新しい欄にするときは、fields.toml に表を足すか、"
            f'この様式だけの欄なら own_fields = ["{name}"] と書いてください。'
        )
    return name


FieldName = Annotated[str, AfterValidator(_field)]


class SheetTable(Table):
    """Where sheets begin, and where their names, departments and years stand."""

    start: Pattern
    name: Pattern | None = None
    department: Pattern | None = None
    year: Pattern | None = None
    year_like: Name | None = None

    @model_validator(mode="after")
    def _groups(self) -> Self:
        for key in ("name", "department"):
            if getattr(self, key) is not None:
                _need(getattr(self, key), [key], key)
        if self.year is not None and compiled(self.year).groups < 1:
            raise mistake("組 (…) がありません。年度の所をかっこで囲んでください。", "year")
        if self.year_like is not None and self.year_like.count("{}") != 1:
            raise mistake("年度の入る所を {} と一つ書いてください（例: 'R{}年度'）。", "year_like")
        return self


class LabelTable(Table):
    """A label at a line's start (strategy ``labels``)."""

    field: FieldName
    text: Name | None = None
    regex: Pattern | None = None
    keep: bool = False

    @model_validator(mode="after")
    def _printed(self) -> Self:
        if self.text is None and self.regex is None:
            raise mistake("text（印刷されたラベル）か regex のどちらかを書いてください。", "text")
        return self


class SectionTable(Table):
    """A value found by a pattern of its own (strategy ``patterns``)."""

    label: Name
    field: FieldName
    regex: Pattern
    after: Pattern | None = None
    all: bool = False

    @model_validator(mode="after")
    def _groups(self) -> Self:
        _need(self.regex, ["value"], "regex")
        return self


def _as_many(labels: list[str], fields: list[str]) -> None:
    if len(labels) != len(fields):
        raise mistake(f"labels は{len(labels)}個、fields は{len(fields)}個です。同じ数にしてください。", "fields")


class ColumnsTable(Table):
    """A block whose cells follow each other in the text."""

    section: Name
    head: Pattern
    labels: list[Name] = Field(min_length=1)
    fields: list[FieldName]

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        _as_many(self.labels, self.fields)
        return self


class TripleTable(Table):
    """Three columns of paragraphs, told apart by tense."""

    block: Pattern
    years: Pattern
    labels: list[Name] = Field(min_length=3, max_length=3)
    fields: list[FieldName]
    first: Pattern | None = None
    after: Pattern | None = None

    @model_validator(mode="after")
    def _groups(self) -> Self:
        _need(self.block, ["value"], "block")
        if self.first is not None:
            _need(self.first, ["value"], "first")
        if compiled(self.years).groups < 2:
            raise mistake("二つの年度を、それぞれかっこ (…) で囲んでください。", "years")
        _as_many(self.labels, self.fields)
        return self


class Cell(Table):
    """One figure, mark or choice of a match."""

    group: Name
    field: FieldName
    label: Name | None = None
    year: int | str | None = None
    kind: Literal["plan", "actual"] | None = None
    unit: str | None = None
    inferred: bool | None = None


class Check(Table):
    """Arithmetic that must hold."""

    difference: list[Name] | None = Field(default=None, min_length=3, max_length=3)
    sum: list[Name] | None = Field(default=None, min_length=2)
    percent: list[Name] | None = Field(default=None, min_length=3, max_length=3)
    tolerance: Annotated[float, Field(ge=0)] | None = None

    @property
    def names(self) -> list[tuple[str, str]]:
        """(kind of the check, group) of every group it names."""
        return [(kind, name) for kind in ("difference", "sum", "percent") for name in getattr(self, kind) or []]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in ("difference", "sum", "percent")) != 1:
            raise mistake("difference、sum、percent のどれか一つを書いてください。")
        return self


class FactTable(Table):
    """Figures read by one pattern (or several that must all match)."""

    regex: Pattern | None = None
    regexes: list[Pattern] | None = Field(default=None, min_length=1)
    after: Pattern | None = None
    all: bool = False
    unit: str | None = None
    inferred: bool = True
    checks: list[Check] = []
    values: list[Cell] = []
    texts: list[Cell] = []

    @model_validator(mode="after")
    def _groups(self) -> Self:
        if (self.regex is None) == (self.regexes is None):
            raise mistake("regex か regexes のどちらか一つを書いてください。", "regex")
        if not self.values and not self.texts:
            raise mistake("values（数値）か texts（印・選択肢）を書いてください。", "values")
        known = groups_of(self.regex, *(self.regexes or []))
        _placeholders(self.unit, known, "unit")
        for key, cells in (("values", self.values), ("texts", self.texts)):
            for at, cell in enumerate(cells):
                if cell.group not in known:
                    raise mistake(_no_group(cell.group, known), key, at, "group")
                for name in ("label", "year", "unit"):
                    _placeholders(getattr(cell, name), known, key, at, name)
        for at, check in enumerate(self.checks):
            for kind, name in check.names:
                if name not in known:
                    raise mistake(_no_group(name, known), "checks", at, kind)
        return self


def _no_group(name: str, known: set[str]) -> str:
    there = "、".join(sorted(known)) or "なし"
    return f"正規表現に組 (?P<{name}>…) がありません（ある組: {there}）。組の名前をそろえてください。"


def _placeholders(text: str | int | None, known: set[str], *path: str | int) -> None:
    """``{group}`` within a label, a unit or a year names a group of the pattern."""
    if not isinstance(text, str):
        return
    try:
        names = [name for _, name, _, _ in _PLACEHOLDER.parse(text) if name is not None]
    except ValueError:
        raise mistake(
            "波かっこ { } の対応が取れていません。組の名前を {year} のように囲んでください。", *path
        ) from None
    for name in names:
        if name not in known:
            raise mistake(_no_group(name, known), *path)


class RowsTable(Table):
    """Rows of figures broken into pieces."""

    field: FieldName
    section: Name
    years: list[int | str] = Field(min_length=1)
    joins: dict[str, list[Name]]
    pieces: dict[str, Pattern] = {}
    plan_from: int = 1
    after: Pattern | None = None
    not_labels: Pattern | None = None
    bare: Pattern | None = None

    @field_validator("years")
    @classmethod
    def _years(cls, years: list[int | str]) -> list[int | str]:
        for year in years:
            if isinstance(year, str):
                _usable(year)
                _need(year, ["goal"])
        return years

    @model_validator(mode="after")
    def _groups(self) -> Self:
        for name, pattern in self.pieces.items():
            _need(pattern, ["values"], "pieces", name)
        if self.bare is not None:
            _need(self.bare, ["label"], "bare")
        for count, names in self.joins.items():
            if not count.isdecimal():
                raise mistake("joins の項目は、行にある数値の個数（数字）です。", "joins", count)
            for name in names:
                if name != "own" and name not in self.pieces:
                    raise mistake(
                        f"pieces に「{name}」がありません。pieces に足すか、own にしてください。", "joins", count
                    )
        return self


class SummaryTable(Table):
    """Lists of programmes with their marks."""

    head: Pattern
    line: Pattern
    year_field: FieldName
    total_field: FieldName

    @model_validator(mode="after")
    def _groups(self) -> Self:
        _need(self.head, ["columns"], "head")
        _need(self.line, ["number", "what", "marks"], "line")
        return self


class FormFile(Table):
    """A whole form file, with what it inherits laid under it."""

    strategy: Literal["labels", "patterns", "cells"]
    recognise: list[Pattern] = Field(min_length=1)
    sheet: SheetTable
    extends: Name | None = None
    own_fields: list[Name] = []
    unit: Money | None = None
    labels: dict[str, FieldName] = {}
    label: list[LabelTable] = []
    section: list[SectionTable] = []
    columns: list[ColumnsTable] = []
    triple: list[TripleTable] = []
    fact: list[FactTable] = []
    rows: list[RowsTable] = []
    summary: SummaryTable | None = None

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if self.strategy == "labels" and not self.label:
            raise mistake('strategy = "labels" のときは [[label]] を書いてください。', "strategy")
        return self


class FieldTable(Table):
    """A canonical field: how its values are read and the labels forms print for it."""

    labels: list[Name]
    kind: Kind | None = None
