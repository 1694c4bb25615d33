"""Two runs side by side: what was fixed, what broke, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.runs import Run


@dataclass(frozen=True, slots=True)
class Change:
    """A case whose verdict differs; ``before`` and ``after`` are its causes of failure (empty: right)."""

    id: str
    type: str
    question: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Run ``b`` against run ``a`` over the cases both hold.

    ``p_value`` is the exact McNemar test: how often a fair coin would split the changed cases at least as unevenly.
    ``shares`` are (a, b) by type and for ``overall``.
    """

    a: str
    b: str
    common: int
    fixed: tuple[Change, ...]
    broken: tuple[Change, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    p_value: float
    shares: dict[str, tuple[float, float]]

    def payload(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def compare(a: Run, b: Run) -> Comparison:
    """Compare two kept runs by the ids of their cases."""
    old = {case["id"]: case for case in a["cases"]}
    new = {case["id"]: case for case in b["cases"]}
    common = [name for name in new if name in old]
    fixed = tuple(_change(old[name], new[name]) for name in common if new[name]["right"] and not old[name]["right"])
    broken = tuple(_change(old[name], new[name]) for name in common if old[name]["right"] and not new[name]["right"])
    types = list(dict.fromkeys(new[name]["type"] for name in common))
    groups = {kind: [name for name in common if new[name]["type"] == kind] for kind in types}
    return Comparison(
        a=str(a.get("run", "a")),
        b=str(b.get("run", "b")),
        common=len(common),
        fixed=fixed,
        broken=broken,
        only_a=tuple(name for name in old if name not in new),
        only_b=tuple(name for name in new if name not in old),
        p_value=mcnemar(len(fixed), len(broken)),
        shares={
            name: (_share(old, group), _share(new, group)) for name, group in {"overall": common, **groups}.items()
        },
    )


def mcnemar(fixed: int, broken: int) -> float:
    """The two-sided exact p-value: ``mcnemar(5, 0) == 2 / 2**5``; 1 when nothing changed."""
    if fixed + broken == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(fixed, fixed + broken, 0.5).pvalue)


def fallen(a: Run, b: Run, margin: float) -> list[str]:
    """What of ``b`` lies more than ``margin`` under ``a``, as Japanese sentences: over all, then by type.

    For a committed baseline: shares are compared as they stand, so a changed question set must commit a new one.
    """
    told = []
    pairs = {"全体": (a["overall"], b["overall"])}
    pairs |= {kind: (a["by_type"][kind], part) for kind, part in b["by_type"].items() if kind in a["by_type"]}
    for name, (before, after) in pairs.items():
        old, new = before["right"] / max(before["n"], 1), after["right"] / max(after["n"], 1)
        if new < old - margin:
            told.append(f"{name}の正答率が {old:.3f} から {new:.3f} に下がりました(許容 {margin:.3f})。")
    told += [f"種別 {kind} の質問がなくなりました。" for kind in a["by_type"] if kind not in b["by_type"]]
    return told


def _change(old: dict[str, Any], new: dict[str, Any]) -> Change:
    return Change(new["id"], new["type"], new["question"], tuple(old["causes"]), tuple(new["causes"]))


def _share(cases: dict[str, Any], names: Sequence[str]) -> float:
    return round(sum(bool(cases[name]["right"]) for name in names) / len(names), 4) if names else 0.0
