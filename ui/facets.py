"""The facets of a search as check boxes with counts, and what is chosen as chips that can be taken away. All pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from assistant.payload import PERSON_FIELD
from corpus.forms.loader import OTHER
from ui.scope import FACETS
from ui.searches import Search, value_label

SHOWN = 6  # values of a facet before the fold
NOTES = {"rating": "シートの年度の評価", "budget": "シートの年度の決算額（ないときは予算額）"}
FOLDED = 60  # values behind the fold; more can be typed into the filters above


def render_facets(search: Search, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Every facet that has values, each as a group of check boxes named as in the address."""
    groups = "".join(_facet(name, title, search, counts.get(name, {})) for name, title in FACETS.items())
    return f'<div class="hy-box hy-facets">{groups}</div>'


def facet_values(name: str, counts: Mapping[str, int], chosen: tuple[Any, ...]) -> list[tuple[Any, int]]:
    """The values of a facet with their counts, in the order in which they are offered; a chosen one stays without a hit.

    >>> facet_values("fiscal_year", {"2020": 3, "2021": 1}, (2019,))
    [(2021, 1), (2020, 3), (2019, 0)]
    """
    found: dict[Any, int] = {}
    for raw, count in counts.items():
        value: Any = int(raw) if name == "fiscal_year" and raw.isdecimal() else raw
        if value not in ("", "None") and not (name == "section" and value == PERSON_FIELD):
            found[value] = count
    for value in chosen:
        found.setdefault(value, 0)
    values = list(found.items())
    if name == "fiscal_year":
        values.sort(key=lambda pair: -pair[0])
    if name == "section":
        values.sort(key=lambda pair: pair[0] == OTHER)  # stable: the rest keep their order
    return values


def _facet(name: str, title: str, search: Search, counts: Mapping[str, int]) -> str:
    chosen = getattr(search.filters, name)
    values = facet_values(name, counts, chosen)
    if not values:
        return ""
    # What is chosen is never behind the fold.
    first = values[:SHOWN] + [pair for pair in values[SHOWN:] if pair[0] in chosen]
    rest = [pair for pair in values[SHOWN:] if pair[0] not in chosen]
    if len(rest) == 1:  # a fold for a single line would be longer than the line
        first, rest = first + rest, []
    fold = ""
    if rest:
        beyond = len(rest) - FOLDED
        more = (
            f'<p class="hy-small">ほか{beyond:,}件。上の「絞り込み」で名前を入れて選べます。</p>' if beyond > 0 else ""
        )
        boxes = "".join(_box(name, *pair, pair[0] in chosen) for pair in rest[:FOLDED])
        fold = (
            f'<details class="hy-fold" id="hy-more-{name}"><summary>もっと見る（あと{len(rest):,}件）</summary>{boxes}{more}'
            "</details>"
        )
    boxes = "".join(_box(name, *pair, pair[0] in chosen) for pair in first)
    note = f'<p class="hy-small">{NOTES[name]}</p>' if name in NOTES else ""
    return f'<fieldset class="hy-facet" id="hy-facet-{name}"><legend>{title}</legend>{note}{boxes}{fold}</fieldset>'


def _box(name: str, value: Any, count: int, chosen: bool) -> str:
    checked = " checked" if chosen else ""
    return (
        f'<label><input type="checkbox" name="{name}" value="{escape(str(value))}"{checked}>'
        f"<span>{escape(value_label(name, value))}（{count:,}）</span></label>"
    )


def render_chosen(search: Search) -> str:
    """What is chosen, each with a way to take it away; nothing where nothing is."""
    chips = [
        f'<li><a class="hy-go hy-chosen" href="{escape(search.address(filters=search.without(name, value)))}"'
        f' aria-label="条件「{escape(value_label(name, value))}」を外す">{escape(value_label(name, value))}'
        '<span aria-hidden="true"> ×</span></a></li>'
        for name in FACETS
        for value in getattr(search.filters, name)
    ]
    if len(chips) > 1:
        address = escape(search.address(filters=type(search.filters)()))
        chips.append(f'<li><a class="hy-go" href="{address}">すべて外す</a></li>')
    return f'<ul class="hy-conditions" aria-label="選んでいる条件">{"".join(chips)}</ul>' if chips else ""
