"""Targets and actuals that stand in cells of their own under the name of their indicator.

「成果指標 | 就労率（％）」 and below it 「目標値 | 45.0 | 実績値 | 45.6 | 前年度実績値 | 41.2」.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.amounts import find_amounts
from corpus.documents import Document, Fact, FactKind, Section, Sheet, Span
from corpus.layout import one_line
from corpus.normalize import normalize
from corpus.periods import find_periods, fiscal_year
from corpus.series import indicator_unit

_NAMES = ("成果指標", "活動指標", "指標")
_KINDS: dict[str, FactKind] = {"目標値": "plan", "実績値": "actual"}
_LONGEST_NAME = 60
_LONGEST_QUOTE = 160


def facts_of_targets(document: Document, sheet: Sheet, sections: Sequence[Section]) -> list[Fact]:
    """The figures of such cells, of the year in their label or of the sheet's."""
    facts: list[Fact] = []
    name: Section | None = None
    for section in sections:
        kind = _KINDS.get(section.field)
        if kind is None:
            name = section if section.field in _NAMES and _is_name(section.text) else None
        elif name is not None:
            facts += _figure(document, sheet, name, section, kind)
    return facts


def _is_name(text: str) -> bool:
    return (
        len(text) <= _LONGEST_NAME and re.search(r"[一-龥ァ-ヴ]", text) is not None and not re.search(r"[\t\n。]", text)
    )


def _figure(document: Document, sheet: Sheet, name: Section, section: Section, kind: FactKind) -> list[Fact]:
    printed = section.text.split("\t")[0].strip()
    amounts = find_amounts(printed)
    years = find_periods(normalize(section.label).text, sheet.fiscal_year)
    year = years[0].period.fiscal_year if years else sheet.fiscal_year
    if len(amounts) != 1 or year is None or len(printed) > 15 or "\n" in printed:
        return []
    told = normalize(one_line(name.text)).text
    said = indicator_unit(told)
    start = document.text.index(printed, section.span.start)
    span = Span(start, start + len(printed))
    quote = Span(name.span.start, span.end) if span.end - name.span.start <= _LONGEST_QUOTE else span
    label = told[: told.rindex("(")] if said else told
    return [
        Fact(
            name.field, label, amounts[0].value, printed, amounts[0].unit or said, fiscal_year(year), kind, span, quote
        )
    ]
