"""The filters that the screens share: which municipalities, years and departments are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.payload import PERSON_FIELD
from corpus.documents import Sheet
from index.types import Filters, Index
from ui.render import year_label

Choice = tuple[str, Any]  # what is shown, what it stands for
FACETS = {"municipality": "自治体", "fiscal_year": "年度", "department": "部課", "section": "欄"}
MAX_FACET = 12


def scope(
    municipality: Sequence[str] | None = None,
    fiscal_year: Sequence[int | str] | None = None,
    department: Sequence[str] | None = None,
    section: Sequence[str] | None = None,
) -> Filters:
    """What the inputs hold, as Filters; years may come as text from an address."""
    return Filters(
        tuple(municipality or ()),
        tuple(int(year) for year in fiscal_year or () if str(year).isdecimal() and len(str(year)) == 4),
        tuple(department or ()),
        tuple(section or ()),
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
        "fiscal_year": [(f"{year_label(year)}（{years[year]:,}）", year) for year in sorted(years, reverse=True)],
        "department": [(f"{name}（{count:,}）", name) for name, count in sorted(departments.items())],
    }


def facet_choices(name: str, counts: Mapping[str, int], chosen: Sequence[Any]) -> list[Choice]:
    """The values of one facet with their counts, most hits first; what is chosen stays even without a hit.

    >>> facet_choices("fiscal_year", {"2021": 3}, [2020])
    [('令和3年度（3）', 2021), ('令和2年度（0）', 2020)]
    """
    values: list[Any] = []
    found: dict[Any, int] = {}
    for raw, count in counts.items():
        value: Any = int(raw) if name == "fiscal_year" and str(raw).isdecimal() else raw
        if value not in ("", "None") and not (name == "section" and value == PERSON_FIELD):
            found[value] = count
    values = sorted(found, key=lambda value: -found[value])[:MAX_FACET]
    values += [value for value in chosen if value not in values]
    label = year_label if name == "fiscal_year" else str
    return [(f"{label(value)}（{found.get(value, 0):,}）", value) for value in values]


def facet_counts(
    index: Index, query: str, filters: Filters, counted: Mapping[str, Mapping[str, int]]
) -> dict[str, Mapping[str, int]]:
    """Counts per facet as if that facet itself were not chosen, so that another value can be picked beside it.

    ``counted`` are the facets of the search under all filters; only the facets in use are counted again.
    """
    counts: dict[str, Mapping[str, int]] = {}
    for name in FACETS:
        if getattr(filters, name):
            others = {other: getattr(filters, other) for other in FACETS if other != name}
            counts[name] = index.search(query, 0, Filters(**others)).facets.get(name, {})
        else:
            counts[name] = counted.get(name, {})
    return counts
