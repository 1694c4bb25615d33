"""What a sheet is chosen by, as words without white space: the same ones in the columns and in the lexical index."""

from __future__ import annotations

from corpus.documents import Sheet
from corpus.normalize import squeeze
from index.sheetvalues import amount_class
from index.types import Filters, SheetValues


def department_words(department: str) -> frozenset[str]:
    """A department is chosen in full, or by one of the words that it is printed with (部 and 課)."""
    return frozenset(map(squeeze, (department, *department.split())))


def rating_words(rating: str) -> frozenset[str]:
    """総合評価：A is chosen as it is, or as A in whatever field."""
    key = squeeze(rating)
    return frozenset((key, key.split(":", 1)[1]))


def facet_words(sheet: Sheet, values: SheetValues) -> list[str]:
    """Every word by which a sheet may be chosen, each with the letter of its facet.

    >>> from corpus.documents import Span
    >>> sheet = Sheet("1", "a.txt", "programme", "図書館", "みなと野市", 2023, "市民部 文化課", (Span(0, 1),))
    >>> facet_words(sheet, SheetValues(("総合評価：A",), 900_000.0))
    ['m:みなと野市', 'y:2023', 'd:市民部', 'd:市民部文化課', 'd:文化課', 'r:a', 'r:総合評価:a', 'b:100万円未満']
    """
    return [
        f"m:{squeeze(sheet.municipality)}",
        f"y:{sheet.fiscal_year}",
        *(f"d:{word}" for word in sorted(department_words(sheet.department))),
        *(f"r:{word}" for word in sorted({word for rating in values.ratings for word in rating_words(rating)})),
        f"b:{squeeze(amount_class(values.amount))}",
    ]


def chosen_words(filters: Filters) -> list[list[str]]:
    """Of each facet that is filtered the words of which a sheet must have one. The section is none of a sheet's."""
    by_letter = {
        "m": filters.municipality,
        "y": filters.fiscal_year,
        "d": filters.department,
        "r": filters.rating,
        "b": filters.budget,
    }
    return [
        sorted({f"{letter}:{squeeze(str(one))}" for one in chosen}) for letter, chosen in by_letter.items() if chosen
    ]
