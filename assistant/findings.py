"""What ``hyoka doctor`` finds: a line for each thing looked at, with its state and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["問題なし", "注意", "異常"]
WELL: State = "問題なし"
CAREFUL: State = "注意"
WRONG: State = "異常"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``told`` is what was seen, ``step`` what to do (empty where all is well)."""

    area: str
    name: str
    state: State
    told: str
    step: str = ""

    @property
    def line(self) -> str:
        """For a person.

        >>> Finding("索引", "目録", "問題なし", "読めます").line
        '問題なし  索引: 目録: 読めます'
        """
        return f"{self.state}  {self.area}: {self.name}: {self.told}{f' → {self.step}' if self.step else ''}"


def worst(findings: Sequence[Finding]) -> State:
    """The worst state among them."""
    return max((one.state for one in findings), key=(WELL, CAREFUL, WRONG).index, default=WELL)


def size(count: float) -> str:
    """Bytes for a person.

    >>> size(3 * 1024**3), size(1500)
    ('3.0GB', '0.0MB')
    """
    return f"{count / 1024**3:.1f}GB" if count >= 1024**3 else f"{count / 1024**2:.1f}MB"
