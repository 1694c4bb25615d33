"""What one city, a prefecture's fifty and all 1,741 municipalities need, reckoned from the measured curves of hyoka.

Between two measured sizes a figure is read off the line through them (both axes logarithmic). Nothing is read off past
the largest: more sections than that are spread over several indexes of at most so many, and what is said of them is a
multiple of what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, log
from typing import Any

GIB = 1024  # MiB
#: Sections a sheet of the real corpus has, and sheets a municipality a year (82 sheets of 5 municipalities with 1,980
#: sections, all of information systems; the bundled samples: 64 sheets, 1,762 sections, 27.5 a sheet).
SECTIONS_A_SHEET = 1980 / 82
SHEETS_SYSTEMS = 82 / 5
#: Assumed, not measured: every programme of a municipality has a sheet, the last five years are kept, and in the
#: busiest hour a municipality asks a hundred questions.
SHEETS_ALL = 300.0
YEARS = 5
QUESTIONS_AN_HOUR = 100.0
BUSY = 0.5  # how much of its cores' time a server should be at work in that hour, so that nobody waits long
PLACES = (1, 50, 1741)


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured with so many sections."""

    sections: float
    disk_mib: float
    own_mib: float  # anonymous memory after searching
    files_mib: float  # pages of files that a search had touched
    search_ms: float  # CPU, mean
    slow_ms: float  # CPU, p95
    start_s: float
    build_per_cpu_s: float | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """For some municipalities: what they have, and what serves them."""

    municipalities: int
    sections: float
    indexes: int
    disk_gib: float
    memory_gib: float  # of all servers together: own memory, and the touched pages of the files
    build_cpu_hours: float
    own_ms: float  # CPU a question to one index
    all_ms: float  # CPU a question to all indexes
    own_cores: float  # in the busiest hour, when every question goes to one index
    all_cores: float  # when every question goes to all


def points(rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """The measured points of hyoka, smallest first."""
    found = [
        Point(
            row["sections"],
            row["disk_mib"],
            row["searched"]["anonymous_mib"],
            row["searched"]["resident_mib"] - row["searched"]["anonymous_mib"],
            row["search"]["all"]["cpu_mean"],
            row["search"]["all"]["cpu_p95"],
            row["start"]["cpu_s"],
            row["build"].get("sections_per_cpu_s"),
        )
        for row in rows
    ]
    return sorted(found, key=lambda point: point.sections)


def at(curve: Sequence[Point], name: str, sections: float) -> float:
    """A figure at a number of sections: ``2 ms`` at 1,000 and ``8 ms`` at 100,000 give ``4 ms`` at 10,000.

    Below the smallest size it is that of the smallest. Raises ValueError past the largest.
    """
    known = [(point.sections, float(value)) for point in curve if (value := getattr(point, name)) is not None]
    if sections > known[-1][0] * 1.0001:
        raise ValueError(f"{sections:,.0f} sections are more than were measured ({known[-1][0]:,.0f})")
    if sections <= known[0][0]:
        return known[0][1]
    for (low, before), (high, after) in zip(known, known[1:], strict=False):
        if sections <= high:
            share = (log(sections) - log(low)) / (log(high) - log(low))
            return exp(log(before) + share * (log(after) - log(before)))
    return known[-1][1]


def need(curve: Sequence[Point], municipalities: int, sheets: float) -> Need:
    """What some municipalities need that have so many sheets a year each."""
    sections = municipalities * sheets * SECTIONS_A_SHEET * YEARS
    indexes = ceil(sections / curve[-1].sections)
    each = sections / indexes
    rates = [point for point in curve if point.build_per_cpu_s is not None]
    rate = at(rates, "build_per_cpu_s", min(each, rates[-1].sections))
    own = at(curve, "search_ms", each)
    a_second = municipalities * QUESTIONS_AN_HOUR / 3600
    return Need(
        municipalities,
        sections,
        indexes,
        indexes * at(curve, "disk_mib", each) / GIB,
        indexes * (at(curve, "own_mib", each) + at(curve, "files_mib", each)) / GIB,
        sections / rate / 3600,
        own,
        indexes * own,
        a_second * own / 1000 / BUSY,
        a_second * indexes * own / 1000 / BUSY,
    )


@dataclass(frozen=True, slots=True)
class Breaks:
    """Where a limit is met on one server: at so many sections, in proportion to the largest size measured."""

    what: str
    limit: str
    measured: str
    sections: float


def breaks(curve: Sequence[Point]) -> list[Breaks]:
    """What breaks first comes first: an office server with 2 cores, 8 GiB of memory and 100 GiB of disk."""
    last = curve[-1]
    rate = next(point.build_per_cpu_s for point in reversed(curve) if point.build_per_cpu_s is not None)
    night = 8 * 3600 * 2 * rate
    rows = [
        (
            "the slowest twentieth of searches",
            "500 ms of CPU",
            f"{last.slow_ms:.0f} ms",
            last.sections * 500 / last.slow_ms,
        ),
        ("memory of its own", "4 of 8 GiB", f"{last.own_mib:,.0f} MiB", last.sections * 4 * GIB / max(last.own_mib, 1)),
        (
            "files in the page cache",
            "the other 4 GiB",
            f"{last.disk_mib:,.0f} MiB on disk",
            last.sections * 4 * GIB / last.disk_mib,
        ),
        (
            "disk, with the index before",
            "100 GiB",
            f"{last.disk_mib:,.0f} MiB",
            last.sections * 100 * GIB / (2 * last.disk_mib),
        ),
        ("a whole build", "a night (8 h) on 2 cores", f"{rate:,.0f} sections per CPU second", night),
        ("the start", "60 s of CPU", f"{last.start_s:.1f} s", last.sections * 60 / last.start_s),
    ]
    return sorted((Breaks(*row) for row in rows), key=lambda one: one.sections)
