"""Commands killed at random moments, a small run of evals/benchmarks/kills.py: the old index or the new, never half of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
KILLS = 14  # of tuning, see test_tuning.py and the benchmark


def test_whatever_is_killed_whenever_the_old_index_serves_or_the_new_and_the_next_run_clears_up(tmp_path: Path) -> None:
    # A process of its own: it forks, which one with threads must not.
    told = subprocess.run(
        [sys.executable, "-m", "evals.benchmarks.kills", "--kills", str(KILLS), "--seed", "26",
         *(f"--scene={name}" for name in ("build", "update", "compaction", "tune"))],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    found = json.loads(told.stdout)
    assert found["wrong"] == 0 and found["killed"] > KILLS / 2
    assert {"build", "update", "compaction"} <= found["commands"].keys()
    served = {state for one in found["commands"].values() for state in one["served_after_the_kill"]}
    assert "before" in served and served <= {"before", "new", "the same"}
