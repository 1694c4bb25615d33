"""What to do where a search finds nothing or little: another spelling, a condition to take away, a year beside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from index.types import Filters, Index, SheetsFound
from ui.render import year_label
from ui.scope import FACETS
from ui.searches import Search, value_label

FEW = 3  # sheets up to which help is offered
SHORT = 20  # characters of a search whose single word may be a slip; in a sentence a stray one says nothing
_MOST = 3


@dataclass(frozen=True, slots=True)
class Hint:
    """Another search that finds ``count`` sheets, and how it differs in words."""

    text: str
    search: Search
    count: int


@dataclass(frozen=True, slots=True)
class Hints:
    """``spelling`` may mean what was meant; ``looser`` has a condition less; ``years`` are those beside the chosen."""

    spelling: tuple[Hint, ...] = ()
    looser: tuple[Hint, ...] = ()
    years: tuple[Hint, ...] = ()


def hints(index: Index, search: Search, found: SheetsFound) -> Hints:
    """What else would find something; every hint has been tried."""
    few = found.total <= FEW
    matched = any(hit.best.matched for hit in found.hits)
    spelling: list[Hint] = []
    if few or not matched or len(search.words) <= SHORT:
        for words in index.respelled(search.words):
            other = replace(search, words=words, page=1)
            if words != search.words and (count := _count(index, other)):
                spelling.append(Hint(words, other, count))
    if not few:
        return Hints(tuple(spelling[:_MOST]))
    return Hints(tuple(spelling[:_MOST]), _looser(index, search, found), _years(search, found))


def _count(index: Index, search: Search) -> int:
    return index.search_sheets(search.words, 0, search.filters).total


def _looser(index: Index, search: Search, found: SheetsFound) -> tuple[Hint, ...]:
    used = [name for name in FACETS if getattr(search.filters, name)]
    looser = []
    for name in used:
        other = replace(search, filters=search.without(name), page=1)
        count = _count(index, other)
        if count > found.total:
            values = "・".join(value_label(name, value) for value in getattr(search.filters, name))
            looser.append(Hint(f"条件「{values}」を外す", other, count))
    if not looser and len(used) > 1:
        other = replace(search, filters=Filters(), page=1)
        count = _count(index, other)
        if count > found.total:
            looser.append(Hint("すべての条件を外す", other, count))
    return tuple(sorted(looser, key=lambda hint: -hint.count))


def _years(search: Search, found: SheetsFound) -> tuple[Hint, ...]:
    """The years nearest to the chosen ones in which something is found."""
    chosen = search.filters.fiscal_year
    if not chosen:
        return ()
    counts = {int(year): n for year, n in found.facets.get("fiscal_year", {}).items() if year.isdecimal() and n}
    near = sorted(
        (year for year in counts if year not in chosen), key=lambda year: (min(abs(year - c) for c in chosen), -year)
    )
    return tuple(
        Hint(
            year_label(year),
            replace(search, filters=replace(search.filters, fiscal_year=(year,)), page=1),
            counts[year],
        )
        for year in sorted(near[:_MOST], reverse=True)
    )


def render_spelling(offered: Hints) -> str:
    """What was perhaps meant, as links that search at once; nothing where nothing was."""
    links = "、".join(_link(hint, f"<strong>{escape(hint.text)}</strong>") for hint in offered.spelling)
    return f'<div class="hy-hints"><p>もしかして：{links}</p></div>' if links else ""


def render_hints(offered: Hints) -> str:
    """What finds more, as links that search at once; nothing where there is none."""
    parts = []
    if offered.looser:
        items = "".join(f"<li>{_link(hint, escape(hint.text))}</li>" for hint in offered.looser)
        parts.append(f"<p>条件を減らすと、ほかにも見つかります。</p><ul>{items}</ul>")
    if offered.years:
        links = "、".join(_link(hint, escape(hint.text)) for hint in offered.years)
        parts.append(f"<p>近い年度の記載：{links}</p>")
    return f'<div class="hy-hints">{"".join(parts)}</div>' if parts else ""


def _link(hint: Hint, label: str) -> str:
    return f'<a class="hy-go" href="{escape(hint.search.address())}">{label}（{hint.count:,}件）</a>'
