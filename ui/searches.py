"""One search as a value: its words, filters, order and page, read from an address and written as one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from assistant.refusals import clean_text
from index.types import Filters, Order
from ui.render import year_label
from ui.scope import FACETS, scope

PAGE = 10
ORDERS: dict[Order, str] = {
    "relevance": "関連の高い順",
    "year": "年度の新しい順",
    "amount": "決算額の大きい順",
    "name": "事業名順",
}
_ERA = re.compile(r"(令和|平成|昭和|[RHS])\s*(元|\d{1,2})\s*(?:年度?)?", re.IGNORECASE)
_BEFORE = {"令": 2018, "平": 1988, "昭": 1925, "R": 2018, "H": 1988, "S": 1925}


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; ``page`` counts from 1."""

    words: str = ""
    filters: Filters = field(default_factory=Filters)
    order: Order = "relevance"
    page: int = 1

    def address(self, **changes: Any) -> str:
        """The search as the query of an address, with some of its parts changed; a change begins at the first page.

        >>> Search("図書館", Filters(fiscal_year=(2021,))).address(page=2)
        '?tab=search&q=%E5%9B%B3%E6%9B%B8%E9%A4%A8&fiscal_year=2021&p=2'
        """
        return f"?{urlencode([('tab', 'search'), *replace(self, **{'page': 1, **changes}).pairs()])}"

    def pairs(self) -> list[tuple[str, str]]:
        """The parts that say something, as names and values of an address."""
        chosen = [(name, str(value)) for name in FACETS for value in getattr(self.filters, name)]
        order = [("sort", self.order)] if self.order != "relevance" else []
        page = [("p", str(self.page))] if self.page > 1 else []  # "page" is a name of Gradio's own
        return [("q", self.words), *chosen, *order, *page]

    def without(self, name: str, value: Any = None) -> Filters:
        """The filters without one value of a facet, or without the whole facet."""
        left = () if value is None else tuple(one for one in getattr(self.filters, name) if one != value)
        return replace(self.filters, **{name: left})


def read_search(values: Mapping[str, Sequence[str]] | QueryParams) -> Search:
    """The search of an address; what is not understood is left out, because an address is typed by people."""
    given = values.getlist if isinstance(values, QueryParams) else lambda name: list(values.get(name, ()))
    texts = {name: [text for one in given(name)[:200] if (text := clean_text(one))] for name in FACETS}
    years = [year for text in texts["fiscal_year"] if (year := read_year(text)) is not None]
    filters = scope(
        texts["municipality"], years, texts["department"], texts["section"], texts["rating"], texts["budget"]
    )
    order = next((one for one in given("sort") if one in ORDERS), "relevance")
    page = unicodedata.normalize("NFKC", next(iter(given("p")), "1"))
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    return Search(clean_text(next(iter(given("q")), "")), filters, cast(Order, order), max(1, number))


def read_year(text: str) -> int | None:
    """A fiscal year however it is written; None for anything else.

    >>> read_year("２０２１年度"), read_year("Ｒ３"), read_year("令和元年度"), read_year("来年")
    (2021, 2021, 2019, None)
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if found := re.fullmatch(r"(\d{4})(?:年度?)?", plain):
        return int(found[1])
    if found := _ERA.fullmatch(plain):
        return _BEFORE[found[1][0].upper()] + (1 if found[2] == "元" else int(found[2]))
    return None


def value_label(name: str, value: Any) -> str:
    """A value of a facet as people read it: 2021 -> 令和3年度."""
    return year_label(value) if name == "fiscal_year" and isinstance(value, int) else str(value)
