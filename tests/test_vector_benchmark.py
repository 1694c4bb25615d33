"""The benchmark of the vector indexes runs on any review sheets, and its figures are of what it says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np

from evals.benchmarks.vectors import COPY, main, masks, rows_for
from index.types import unit

NAMES = "図書館 公園 水道 保育 防災 観光 農道 税務 住宅 河川".split()
DOINGS = "運営 維持 整備 支援 啓発 更新".split()


def test_more_rows_than_there_are_become_noisy_copies_of_the_real_ones() -> None:
    real = unit(np.random.default_rng(1).standard_normal((100, 320), dtype=np.float32))
    label = np.arange(100) % 4 == 0
    rows, labels = rows_for(real, label, 250)
    assert np.array_equal(rows[:100], real) and np.array_equal(labels[100:200], label)
    cosines = (rows[100:] * real[np.arange(150) % 100]).sum(axis=1)
    assert abs(float(cosines.mean()) - COPY) < 0.01 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    few, _ = rows_for(real, label, 10)
    assert len(few) == 10 and (few[0] == real[0]).all() and (few[-1] == real[-1]).all()
    assert [int(mask.sum()) for mask in masks(250, labels).values()] == [250, 25, 2, 1, int(labels.sum())]


def test_one_command_measures_every_kind(tmp_path: Path) -> None:
    sheets = [
        {
            "name": f"{name}{doing}事業",
            "purpose": f"{name}の{doing}を計画的に行う。",
            "overview": f"{doing}のため{name}を調べる。",
            "outcomes": [{"name": f"{name}の数"}],
        }
        for name in NAMES
        for doing in DOINGS
    ]
    files = {
        "judgit-sheets": sheets,
        "staff-queries": [{"q": f"{name} {doing}"} for name in NAMES for doing in DOINGS],
        "judgit-pairs-dev": [{"query": f"{name}の{doing}"} for name in NAMES for doing in DOINGS],
    }
    for name, records in files.items():
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    out = tmp_path / "out.json"
    assert main([str(tmp_path), "--sizes", "170", "--out", str(out)]) == 0
    (told,) = json.loads(out.read_text("utf-8"))["sizes"]
    assert (told["rows"], told["chosen"]) == (170, "flat")
    flat, lists, hnsw = (told["kinds"][kind] for kind in ("flat", "lists", "hnsw"))
    assert flat["100.0%"]["recall@10"] == 1 and flat["one label"]["recall@300"] == 1
    for kind in (lists, hnsw):
        assert 0.8 <= kind["100.0%"]["recall@10"] <= 1 and kind["build_seconds"] >= 0
        assert 0 < kind["mib_on_disk"] < flat["mib_on_disk"] and kind["opened"]["anonymous_mib"] < 20
    assert lists["0.1%"]["recall@10"] == 1  # the only row that is allowed
