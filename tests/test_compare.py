"""Two runs side by side: what was fixed, what broke, and whether it matters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_fakes import GOOD, VOID, Fake, lines

from evals.compare import compare, fallen, mcnemar
from evals.run import examine, main
from evals.runs import keep


def verdicts(**right: bool) -> dict[str, Any]:
    cases = [
        {"id": name, "type": "list" if name < "m" else "semantic", "question": name, "right": good, "causes": []}
        for name, good in right.items()
    ]
    kinds = {kind: [case for case in cases if case["type"] == kind] for kind in ("list", "semantic")}
    counts = {kind: {"n": len(part), "right": sum(case["right"] for case in part)} for kind, part in kinds.items()}
    overall = {"n": len(cases), "right": sum(right.values())}
    return {"cases": cases, "by_type": {kind: part for kind, part in counts.items() if part["n"]}, "overall": overall}


def test_fixed_and_broken() -> None:
    before = verdicts(a=True, b=False, c=False, s=True, gone=True)
    after = verdicts(a=True, b=True, c=True, s=False, new=False)
    change = compare(before, after)
    assert [case.id for case in change.fixed] == ["b", "c"]
    assert [case.id for case in change.broken] == ["s"]
    assert (change.only_a, change.only_b, change.common) == (("gone",), ("new",), 4)
    assert change.shares == {"overall": (0.5, 0.75), "list": (0.3333, 1.0), "semantic": (1.0, 0.0)}
    assert change.p_value == 1.0  # 2 against 1: a coin does at least that always


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    # By hand: both tails of the binomial with a half, (C(6,0)) * 2 / 64, (C(9,0) + C(9,1)) * 2 / 512.
    [(0, 0, 1.0), (6, 0, 2 / 64), (0, 6, 2 / 64), (8, 1, 20 / 512), (3, 3, 1.0)],
)
def test_mcnemar_by_hand(fixed: int, broken: int, p: float) -> None:
    assert mcnemar(fixed, broken) == pytest.approx(p)


def test_a_fall_under_the_baseline() -> None:
    before = verdicts(a=True, b=True, c=True, d=True, s=True)
    after = verdicts(a=True, b=True, c=True, d=False, s=True)
    assert fallen(before, before, 0.0) == []
    assert [line.split("の")[0] for line in fallen(before, after, 0.0)] == ["全体", "list"]
    assert [line.split("の")[0] for line in fallen(before, after, 0.2)] == ["list"]  # 0.2 over all, 0.25 of the lists
    assert fallen(before, after, 0.25) == []
    assert "semantic" in fallen(before, verdicts(a=True), 0.0)[-1]


def test_compare_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = keep(examine(lines(tmp_path / "q.jsonl", GOOD | {"sheets": ["税系システム"]}, VOID), Fake().target()), tmp_path)
    b = keep(examine(lines(tmp_path / "q.jsonl", GOOD, VOID), Fake().target()), tmp_path)
    assert main(["--compare", str(a), str(b), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [case["id"] for case in told["fixed"]] == ["a"]
    assert told["broken"] == [] and told["p_value"] == 1.0
    assert main(["--compare", a.stem, "last", "--runs", str(tmp_path)]) == 0
    assert "○ 直った a" in capsys.readouterr().out
    assert main(["--compare", "nowhere", "last", "--runs", str(tmp_path)]) == 1
