"""The filters that the screens share: which municipalities, years and departments are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from corpus.documents import Sheet
from index.types import Filters
from ui.render import year_label

Choice = tuple[str, Any]  # what is shown, what it stands for
FACETS = {
    "municipality": "自治体",
    "fiscal_year": "年度",
    "department": "部課",
    "section": "欄",
    "rating": "評価",
    "budget": "予算規模",
}


def scope(
    municipality: Sequence[str] | None = None,
    fiscal_year: Sequence[int | str] | None = None,
    department: Sequence[str] | None = None,
    section: Sequence[str] | None = None,
    rating: Sequence[str] | None = None,
    budget: Sequence[str] | None = None,
) -> Filters:
    """What the inputs hold, as Filters; years may come as text from an address."""
    return Filters(
        tuple(municipality or ()),
        tuple(int(year) for year in fiscal_year or () if str(year).isdecimal() and len(str(year)) == 4),
        tuple(department or ()),
        tuple(section or ()),
        tuple(rating or ()),
        tuple(budget or ()),
    )


def scope_label(filters: Filters) -> str:
    """The title of the folded filters, which says what is chosen.

    >>> scope_label(Filters(("A市",), (2021,)))
    '絞り込み中：A市・令和3年度'
    """
    chosen = [*filters.municipality, *map(year_label, filters.fiscal_year), *filters.department]
    return f"絞り込み中：{'・'.join(chosen)}" if chosen else "絞り込み（自治体・年度・部課）"


def scope_choices(sheets: Sequence[Sheet]) -> dict[str, list[Choice]]:
    """All municipalities, years (newest first) and departments of the index with the number of their sheets."""
    places = Counter(sheet.municipality for sheet in sheets if sheet.municipality)
    years = Counter(sheet.fiscal_year for sheet in sheets if sheet.fiscal_year is not None)
    departments = Counter(sheet.department for sheet in sheets if sheet.department)
    return {
        "municipality": [(f"{name}（{count:,}）", name) for name, count in places.items()],
        # The year of the calendar stands beside, so that 2021 typed into the box finds it too.
        "fiscal_year": [
            (f"{year_label(year)}・{year}（{years[year]:,}）", year) for year in sorted(years, reverse=True)
        ],
        "department": [(f"{name}（{count:,}）", name) for name, count in sorted(departments.items())],
    }
