"""Which of the ranker's weights may be moved, how far, and how: the only place that knows them by name.

``Weights`` is taken as it comes: a frozen dataclass of floats, and of frozen dataclasses whose floats are shares of one
whole. A weight without a bound here is never moved, a bound without its weight is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any

from index.fusion import Weights

Table = Mapping[str, Any]

_SHARE = (0.0, 0.9)
#: Left alone on purpose: ``least_share`` and ``least_score`` say what may be shown at all, ``slope`` and ``offset`` what a score means.
BOUNDS: dict[str, tuple[float, float]] = {
    "by_words.coverage": _SHARE,
    "by_words.lexical": _SHARE,
    "by_words.dense": _SHARE,
    "by_meaning.coverage": _SHARE,
    "by_meaning.lexical": _SHARE,
    "by_meaning.dense": _SHARE,
    "low": (0.1, 0.7),
    "high": (0.3, 0.95),
    "word_floor": (0.0, 0.5),
    "word_cap": (0.6, 1.0),
    "head": (0.6, 1.0),
    "sheet": (0.0, 0.6),
    "sheet_dense": (0.0, 0.7),
    "sheet_best": (0.0, 0.7),
    "unseen": (0.3, 1.0),
    "dense_floor": (0.0, 0.3),
}
#: The first must stay below the second by this much: the ranker divides by their difference.
ORDERED = (("low", "high", 0.05),)
_NEAR = 1e-6


def flat(weights: Weights) -> dict[str, float]:
    """Every float by its path: ``{"by_words.coverage": 0.55, "low": 0.4, …}``."""
    return dict(_leaves(weights, ""))


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, float]]:
    for field in fields(value):
        inner = getattr(value, field.name)
        if is_dataclass(inner):
            yield from _leaves(inner, f"{prefix}{field.name}.")
        elif _is_number(inner):
            yield f"{prefix}{field.name}", float(inner)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def movable(weights: Weights) -> list[str]:
    """The paths that have a bound, in the order of the weights."""
    return [path for path in flat(weights) if path in BOUNDS]


def moved(weights: Weights, path: str, by: float) -> Weights | None:
    """The weights with one of them moved by a share of its bounds' width; None where it cannot move that way.

    A share takes what it gains from the other shares of its whole, in proportion, so that they still sum to the same.
    """
    low, high = BOUNDS[path]
    here = flat(weights)
    value = round(min(high, max(low, here[path] + by * (high - low))), 4)
    if abs(value - here[path]) < _NEAR:
        return None
    whole, _, name = path.rpartition(".")
    changed: Weights
    if not whole:
        values: Any = {name: value}
        changed = replace(weights, **values)
        return changed if in_order(changed) else None
    mix: Any = getattr(weights, whole)
    shares = {field.name: float(getattr(mix, field.name)) for field in fields(mix)}
    rest = sum(shares.values()) - shares[name]
    left = sum(shares.values()) - value
    if rest <= 0 or left < 0:
        return None
    others = {n: share * left / rest for n, share in shares.items() if n != name}
    if any(not fits(f"{whole}.{n}", share) for n, share in others.items()):
        return None
    mixes: Any = {whole: replace(mix, **others, **{name: value})}
    changed = replace(weights, **mixes)
    return changed if in_order(changed) else None


def fits(path: str, value: float) -> bool:
    """Whether a value lies within the bounds of its path (a path without bounds takes any)."""
    low, high = BOUNDS.get(path, (value, value))
    return low - _NEAR <= value <= high + _NEAR


def in_order(weights: Weights) -> bool:
    """Whether the pairs of :data:`ORDERED` that the weights have are in order."""
    here = flat(weights)
    return all(
        first not in here or second not in here or here[second] - here[first] >= gap - _NEAR
        for first, second, gap in ORDERED
    )


def distance(weights: Weights, start: Weights) -> float:
    """How far the weights are from others: the sum of squared moves, each as a share of its bounds' width."""
    a, b = flat(weights), flat(start)
    return float(sum(((a[p] - b[p]) / (BOUNDS[p][1] - BOUNDS[p][0])) ** 2 for p in movable(start)))


def as_table(weights: Weights) -> dict[str, Any]:
    """The weights as JSON knows them."""
    return asdict(weights)


def from_table(table: Table, base: Weights) -> Weights:
    """What :func:`as_table` gave, read back; ValueError for anything that is not a tuned form of ``base``.

    Every weight must be there and no other; one that may not move must be as in ``base``, the others within their
    bounds, shares of one whole must sum to what they sum to in ``base``.
    """
    weights: Weights = _filled(base, table, "")
    here, there = flat(weights), flat(base)
    for path, value in here.items():
        if path not in BOUNDS and abs(value - there[path]) > _NEAR:
            raise ValueError(f"{path} は {there[path]:g} のはずです")
        if not fits(path, value):
            raise ValueError(f"{path} = {value:g} は範囲の外です")
    for whole in {path.rpartition(".")[0] for path in here if "." in path}:
        paths = [path for path in here if path.startswith(f"{whole}.")]
        if abs(sum(here[p] for p in paths) - sum(there[p] for p in paths)) > 1e-3:
            raise ValueError(f"{whole} の割合の和が合いません")
    if not in_order(weights):
        raise ValueError("重みの大小が逆です")
    return weights


def _filled(base: Any, table: object, prefix: str) -> Any:
    names = [field.name for field in fields(base)]
    if not isinstance(table, Mapping) or set(table) != set(names):
        raise ValueError(f"重み {prefix or '全体'} の項目が合いません")
    values: dict[str, Any] = {}
    for name in names:
        inner, given = getattr(base, name), table[name]
        if is_dataclass(inner):
            values[name] = _filled(inner, given, f"{prefix}{name}.")
        elif not _is_number(inner):
            values[name] = inner
        elif isinstance(given, (int, float)) and not isinstance(given, bool) and abs(given) < 1e6:
            values[name] = float(given)
        else:
            raise ValueError(f"{prefix}{name} が数ではありません")
    return replace(base, **values)
