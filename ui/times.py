"""Moments, lengths of time and sizes as people write them."""

from __future__ import annotations

from datetime import datetime

_UNITS = ("バイト", "KB", "MB", "GB", "TB")


def moment(at: datetime) -> str:
    """The local time: ``令和8年11月21日 18:05``."""
    here = at.astimezone()
    year = here.year - 2018
    era = f"令和{'元' if year == 1 else year}年" if here.year >= 2019 else f"{here.year}年"
    return f"{era}{here.month}月{here.day}日 {here:%H:%M}"


def day(at: str) -> str:
    """The local day of a moment or a day in ISO 8601: ``令和8年11月21日``; the text itself where it is neither."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return at
    return moment(found if found.tzinfo else found.replace(hour=12)).rpartition(" ")[0]


def size(count: int) -> str:
    """A number of bytes: ``3.8 MB``.

    >>> size(900), size(3_984_588)
    ('900 バイト', '3.8 MB')
    """
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{count:,} {_UNITS[0]}" if unit == 0 else f"{value:,.1f} {_UNITS[unit]}"
