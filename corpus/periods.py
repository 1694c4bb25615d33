"""Japanese date expressions as half-open intervals of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

PeriodKind = Literal["fiscal_year", "calendar_year", "month", "day", "range"]


@dataclass(frozen=True, slots=True)
class Period:
    """Days ``start`` (included) to ``end`` (excluded) with the way they were written.

    令和7年度 is 2025-04-01..2026-04-01, 2025年 is 2025-01-01..2026-01-01, 令和7年1月 is 2025-01-01..2025-02-01.
    """

    start: date
    end: date
    label: str
    kind: PeriodKind

    def overlaps(self, other: Period) -> bool:
        """Whether the two share at least one day."""
        return self.start < other.end and other.start < self.end

    @property
    def fiscal_year(self) -> int:
        """The fiscal year (April to March) that holds the first day: 2025-01-01 -> 2024."""
        return self.start.year if self.start.month >= 4 else self.start.year - 1
