"""The benchmark of Milvus runs on any review sheets, and its figures are of what it says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

pytest.importorskip("pymilvus", reason="needs the extra milvus, as .ci/run installs it")
pytest.importorskip("milvus_lite", reason="needs the extra milvus, as .ci/run installs it")

NAMES = "図書館 公園 水道 保育 防災 観光 農道 税務 住宅 河川".split()


def test_one_command_measures_milvus_beside_the_files_of_the_index(tmp_path: Path) -> None:
    from milvus_lite.server_manager import server_manager_instance

    from evals.benchmarks.milvus import main

    sheets = [
        {
            "name": f"{name}運営事業",
            "ministry": f"{name[:1]}葉町",
            "division": "総務部 企画課",
            "year": 2021,
            "purpose": f"{name}の運営を計画的に行う。",
            "overview": f"運営のため{name}を調べる。点検する。記録を残す。",
            "outcomes": [{"name": f"{name}の数"}],
        }
        for name in NAMES
    ]
    files = {
        "judgit-sheets": sheets,
        "staff-queries": [{"q": f"{name} 運営"} for name in NAMES],
        "judgit-pairs-dev": [{"query": f"{name}の数"} for name in NAMES],
    }
    for file, records in files.items():
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (tmp_path / f"{file}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    out, uri = tmp_path / "out.json", str(tmp_path / "m.db")
    given = ["--uri", uri, "--folder", str(tmp_path / "ix"), "--sizes", "120", "--questions", "6"]
    for _ in range(2):  # the second time the index is there, and the first figures are replaced
        assert main([*given, "--data", str(tmp_path), "--out", str(out)]) == 0
    (told,) = json.loads(out.read_text("utf-8"))["runs"]
    assert told["sparse"] is True and told["rows"] >= 120 and told["questions"] == 6
    assert set(told["searches"]) == {"none", "municipality", "fiscal_year", "department", "section"}
    for one in told["searches"].values():
        # Made sheets repeat each other, and of equally good ones either may come first.
        assert 0 <= one["same_ten"] <= one["same_first"] <= 6 and one["shared_ten"] >= 0.5
        assert one["milvus"]["recall_300"] == one["local"]["recall_300"] == 1
        assert one["milvus"]["words"]["p50"] > 0 and one["milvus"]["search"]["p95"] >= one["milvus"]["search"]["p50"]
    server_manager_instance.release_server(uri)
