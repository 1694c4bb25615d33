"""The filters in force as chips beside the question box; a click takes one away."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from index.types import Filters
from ui.render import year_label


def filter_words(filters: Filters) -> str:
    """The filters in one line, nothing where there are none.

    >>> filter_words(Filters(("A市",), (2021,)))
    '絞り込み: A市・令和3年度'
    """
    chosen = [*filters.municipality, *map(year_label, filters.fiscal_year), *filters.department, *filters.section]
    return f"絞り込み: {'・'.join(chosen)}" if chosen else ""


def render_chips(chosen: Sequence[Sequence[Any]]) -> str:
    """A chip for every value of the shared inputs; ``value`` is the input's place and the value's, ``0 2``."""
    chips = [
        f'<button type="button" class="hy-button hy-drop hy-filter" value="{place} {at}"'
        f' title="この絞り込みを外します">{escape(year_label(value) if isinstance(value, int) else str(value))}'
        '<span class="hy-unseen">の絞り込みを外す</span></button>'
        for place, values in enumerate(chosen)
        for at, value in enumerate(values)
    ]
    if not chips:
        return ""
    if len(chips) > 1:
        chips.append('<button type="button" class="hy-button hy-filter" value="all">すべて外す</button>')
    return f'<p class="hy-box hy-choose"><span class="hy-choose-what">絞り込み：</span>{"".join(chips)}</p>'


def without_chip(chosen: Sequence[Sequence[Any]], pressed: str) -> list[list[Any]]:
    """The values of the shared inputs after a chip was pressed; unchanged for a chip that is not there.

    >>> without_chip([["A市", "B市"], [2021]], "0 1"), without_chip([["A市"], [2021]], "all")
    ([['A市'], [2021]], [[], []])
    """
    if pressed == "all":
        return [[] for _ in chosen]
    return [
        [value for at, value in enumerate(values) if f"{place} {at}" != pressed] for place, values in enumerate(chosen)
    ]
