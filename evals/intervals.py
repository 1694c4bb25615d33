"""How sure a share is: bootstrap intervals over the cases."""

from __future__ import annotations

import numpy as np

ROUNDS = 10_000
SEED = 20260401


def right_interval(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The percentile bootstrap interval of ``right`` of ``n``: ``(0, 0)`` for none of some, ``(0, 1)`` for no cases.

    Drawing n cases with replacement and counting the right ones is drawing from a binomial distribution, so that is
    what is drawn; the seed is fixed, the same run gives the same interval.
    """
    if n == 0:
        return 0.0, 1.0
    shares = np.random.default_rng(SEED).binomial(n, right / n, ROUNDS) / n
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
