"""The address of a comparison: ``/compare?sheet=a&sheet=b`` or ``/compare?municipality=A&municipality=B&year=2023``."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

LEAST, MOST = 2, 6  # sheets or municipalities side by side


def compare_url(
    sheets: Sequence[str] = (),
    municipalities: Sequence[str] = (),
    year: int | None = None,
    root: str = "",
    ending: str = "",
) -> str:
    """The permanent address; ``ending`` asks for a file (``.xlsx``, ``.csv``).

    >>> compare_url(["a", "b&c"])
    '/compare?sheet=a&sheet=b%26c'
    >>> compare_url(municipalities=["A"], year=2023, ending=".csv")
    '/compare.csv?municipality=A&year=2023'
    """
    values = [("sheet", one) for one in sheets] + [("municipality", one) for one in municipalities]
    if year is not None:
        values.append(("year", str(year)))
    return f"{root}/compare{ending}" + (f"?{urlencode(values)}" if values else "")
