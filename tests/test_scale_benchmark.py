"""The benchmark of size measures every system that is installed, and its tables and reckonings are of what it says."""

from __future__ import annotations

import gzip
import json
import math
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evals.benchmarks import scale, stageclock
from evals.benchmarks.curves import chart, spread, write_curves
from evals.benchmarks.markdown import between
from evals.benchmarks.measuring import summary
from evals.benchmarks.products import FLOOR, SYSTEMS, K
from evals.benchmarks.scaleresults import Results, key_of, line
from evals.benchmarks.scaletable import side_by_side, stages
from evals.benchmarks.sectionfile import KNOWN, WARMING, SectionFile
from evals.benchmarks.sizing import SECTIONS_A_SHEET, YEARS, Point, at, breaks, need, points
from evals.benchmarks.sizingtable import sizing_tables
from evals.benchmarks.stageclock import StageClock
from evals.benchmarks.systems import available, hyoka_stages, joined
from evals.benchmarks.turns import Limits, Turns, Usage, passed, usage

NAMES = "図書館 公園 水道 保育 防災 観光 農道 税務 住宅 河川 港湾 消防".split()
DOINGS = "運営 維持 整備 支援 啓発 更新 点検 調査".split()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Review sheets of our own, 96 with 288 sections, and the questions that go with them."""
    sheets = [
        {
            "year": 2021,
            "ministry": "内閣府",
            "name": f"{name}{doing}事業",
            "purpose": f"市民が{name}を安心して利用できるよう、計画と予算に沿って{doing}を行うことを目的とする。",
            "overview": f"{name}の現状を調べる。{doing}の方法を決める。業者に{doing}を委託する。",
            "outcomes": [{"name": f"{name}の{doing}の件数"}],
            "budget_million_yen": [[2020, 10.0, 9.0], [2021, 12.0, None]],
        }
        for name in NAMES
        for doing in DOINGS
    ]
    files = {
        "judgit-sheets": sheets,
        "staff-queries": [{"q": f"{name} {doing}"} for name in NAMES for doing in DOINGS],
        "judgit-pairs-dev": [{"query": f"{name}の{doing}"} for name in NAMES for doing in DOINGS],
    }
    folder = tmp_path / "data"
    folder.mkdir()
    for name, records in files.items():
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return folder / "judgit-sheets.jsonl.gz"


def measured(system: str, size: int, cpu: float, **other: Any) -> dict[str, Any]:
    """A row with round figures: a search of ``cpu`` ms, twice that at p95, of which a quarter is for the words."""

    def figures(share: float) -> dict[str, float]:
        told = {"cpu_p50": cpu, "cpu_p95": 2 * cpu, "wall_p50": 2 * cpu, "wall_p95": 3 * cpu, "cpu_mean": cpu}
        return {name: share * value for name, value in told.items()}

    row = {
        "system": system,
        "size": size,
        "key": key_of(system),
        "sections": size,
        "chunks": size + 100,
        "sheets": size // 4,
        "build": {
            "cpu_s": size / 1000,
            "wall_s": size / 500,
            "sections_per_cpu_s": 1000.0,
            "peak_anonymous_mib": size / 100,
        },
        "disk_mib": size / 1000,
        "start": {"wall_s": 1.5, "cpu_s": 1.0},
        "opened": {"resident_mib": 100.0, "anonymous_mib": 50.0},
        "searched": {"resident_mib": 300.0, "anonymous_mib": 100.0},
        "questions": 200,
        "search": {"all": figures(1), "words": figures(0.25), "rest": figures(0.75)},
        "recall": {"known_items": 200, "found_in_10": 180, "share": 0.9},
    }
    if system != FLOOR:
        row["floor"] = {"search": figures(0.5), "start": {"wall_s": 1.0, "cpu_s": 0.5}}
    return row | other


def results_of(*rows: dict[str, Any]) -> Results:
    results = Results()
    for row in rows:
        results.put(row)
    return results


def test_one_command_measures_hyoka_beside_the_floor_and_goes_on_where_it_was(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "scaling.md").write_text("before\n<!-- peers -->\nold\n<!-- /peers -->\nafter\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    command = ["--sizes", "300", "--systems", FLOOR, "hyoka", "--data", str(data), "--work", str(tmp_path / "work")]
    command += ["--out", str(tmp_path / "out.json"), "--docs", str(docs), "--lock", str(tmp_path / "lock")]
    assert scale.main(command) == 0
    told = json.loads((tmp_path / "out.json").read_text("utf-8"))
    floor, hyoka = told["rows"]
    assert (floor["system"], hyoka["system"]) == (FLOOR, "hyoka") and told["machine"]["cores"] >= 1
    for row in told["rows"]:
        assert row["sections"] >= 300 and row["chunks"] >= row["sections"]
        assert row["build"]["cpu_s"] > 0 and row["build"]["peak_anonymous_mib"] > 1 and row["disk_mib"] > 0
        assert 0 < row["opened"]["anonymous_mib"] <= row["opened"]["resident_mib"]
        assert row["questions"] == 192 and row["recall"]["share"] > 0.5
        assert row["start"]["wall_s"] > 0 and row["search"]["all"]["cpu_p50"] > 0
    assert {"question", "words", "vectors", "encoding", "ranking", "reading hits", "facets", "rest"} < set(
        hyoka["search"]
    )
    assert hyoka["floor"]["search"]["cpu_p50"] > 0 and "floor" not in floor
    assert "**hyoka**" in (docs / "scaling.md").read_text("utf-8") and (docs / "images" / "scale-search.svg").exists()

    def never(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(scale, "measure", never)
    assert scale.main(command) == 0
    with pytest.raises(AssertionError, match="measured again"):
        scale.main([*command, "--again", "hyoka"])


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "hyoka"])
def test_every_system_finds_a_sheet_by_its_words_and_asks_nobody_outside(
    name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = SYSTEMS[name]
    if not available(system):
        pytest.skip(f"{name} is not installed (extra bench)")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a request to the outside")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    source = SectionFile(tmp_path / "sections", 300, data)
    source.write()
    folder = tmp_path / "index"
    folder.mkdir()
    system.build(source, folder)
    clock = StageClock()
    search = system.open(folder, clock)
    clock.take()
    hits = search("港湾点検事業", K)
    names = source.names()
    assert [names[int(hit)] for hit in hits][:1] == ["港湾点検事業"] and len(hits) == len(set(hits))
    assert K - 2 <= len(hits) <= K  # LlamaIndex takes passages of the same text for one
    assert {"words", "vectors"} & set(clock.take())


def test_what_is_watched_in_hyoka_is_still_there() -> None:
    for owner, name, _ in hyoka_stages():
        assert callable(getattr(owner, name)), (owner, name)


def test_the_sections_are_hyokas_and_half_remembered_programmes_are_asked_for(data: Path, tmp_path: Path) -> None:
    source = SectionFile(tmp_path / "sections", 300, data)
    source.write()
    counts, texts, names = source.counts(), list(source.texts()), source.names()
    assert counts.sections >= 300 and counts.chunks == len(texts) == len(names)
    assert counts.sheets == sum(len(found) for _, found in source.readings())
    assert names[0] == "図書館運営事業" and "目的" in texts[0] and texts[0].endswith("目的とする。")
    known = source.known()
    assert 0 < len(known) <= KNOWN and all(len(one.question.split()) == 4 for one in known)
    purposes = {one.name: f"市民が{one.name}" for one in known}
    assert set(purposes) <= set(names)
    assert len(source.typed()) == 192 + WARMING and source.typed()[WARMING] == "図書館 運営"


def test_time_within_another_stage_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(stageclock.time, "perf_counter", lambda: now)
    monkeypatch.setattr(stageclock.time, "process_time", lambda: now / 2)

    def work(seconds: float) -> None:
        nonlocal now
        now += seconds

    clock = StageClock()
    inner = clock.timed("inner", lambda: work(3.0))

    def whole() -> None:
        work(1.0)
        inner()
        inner()

    clock.timed("outer", whole)()
    assert clock.take() == {"inner": (6000.0, 3000.0), "outer": (1000.0, 500.0)}
    assert clock.take() == {}


def test_a_stage_that_a_question_does_not_need_counts_as_nothing() -> None:
    rows = [{"all": (10.0, 8.0)}] * 3 + [{"all": (10.0, 8.0), "words": (4.0, 2.0)}]
    told = summary(rows)
    assert told["all"] == {"wall_p50": 10, "cpu_p50": 8, "wall_p95": 10, "cpu_p95": 8, "cpu_mean": 8}
    assert told["words"]["cpu_p50"] == 0 and told["words"]["cpu_mean"] == 0.5
    assert told["words"]["cpu_p95"] == pytest.approx(2 * 0.85)  # the 95th of (0, 0, 0, 2) lies 0.85 of the last step


def test_a_process_past_its_memory_is_stopped_and_says_so() -> None:
    hungry = [sys.executable, "-c", "import time; kept = bytearray(200 << 20); time.sleep(60)"]
    began = time.monotonic()
    ran = Turns().run(hungry, {}, Limits(cpu_s=60, anonymous_mib=100))
    assert ran.failed.startswith("stopped at 0.1 GiB of memory") and ran.peak_anonymous_mib > 100
    assert time.monotonic() - began < 30
    assert passed(Usage(0, 0, 61), Limits(60, 100)) == "stopped after 60 s of CPU time"
    assert passed(Usage(900, 99, 59), Limits(60, 100)) == ""


def test_the_memory_of_a_process_is_that_of_its_children_too() -> None:
    child = "import time; kept = bytearray(100 << 20); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    ran = Turns().run([sys.executable, "-c", parent], {}, Limits(60, 80))
    assert "of memory" in ran.failed and ran.peak_anonymous_mib > 80
    assert usage(os.getpid()).anonymous_mib > 1 and usage(2**22 + 1) == Usage(0, 0, 0)


def test_a_long_build_stands_still_while_others_have_their_turn(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    turns = Turns(lock, seconds=0.3)
    counting = "import time\nfor _ in range(15): time.sleep(0.1)\nprint('{\"done\": 1}')"
    ran = turns.run([sys.executable, "-c", counting], {}, pausable=True)
    assert ran.told == {"done": 1} and ran.wall_s > 1
    turns.give()
    other = Turns(lock)
    other.take()  # would wait for ever if the first still held it
    other.give()


def test_a_process_that_fails_says_why() -> None:
    ran = Turns().run([sys.executable, "-c", "raise SystemExit('no such thing')"], {})
    assert (ran.told, ran.failed) == ({}, "no such thing")


def test_what_would_not_fit_is_not_run_and_says_what_it_would_take() -> None:
    results = results_of(measured("txtai", 1000, 3.0))
    assert results.estimate("txtai", 1000) is None and results.estimate("haystack", 10_000) is None
    estimate = results.estimate("txtai", 100_000)
    # a hundred times 1 s of building; of memory a hundred times the 100 MiB of searching, which are more than 10
    assert estimate == {"cpu_s": 100.0, "anonymous_mib": 10_000.0, "from": [1000]}
    # with a second size, on the line through both: 1 s and 10 s; 100 MiB and 190 MiB are 90 MiB for 9,000 sections
    second = measured("txtai", 10_000, 3.0)
    second["build"]["peak_anonymous_mib"] = 190.0
    results.put(second)
    estimate = results.estimate("txtai", 1_000_000)
    assert estimate == {"cpu_s": 1000.0, "anonymous_mib": 10_090.0, "from": [1000, 10_000]}
    assert scale.over(estimate, Limits(1000, 10_090)) == ""
    assert scale.over(estimate, Limits(600, 8192)) == (
        "not run: would take about 17 min of CPU time and 10 GiB of memory (reckoned from 1,000 and 10,000 sections);"
        " the budget is 10 min and 8 GiB"
    )
    # one that was not run is nothing to reckon from
    results.put({"system": "txtai", "size": 100_000, "key": key_of("txtai"), "not_run": "not run"})
    assert results.estimate("txtai", 1_000_000) == estimate
    assert line([(1, 3), (2, 5)], 10) == 21 and line([(2, 5)], 10) == 25


def test_rows_of_another_version_do_not_hold(tmp_path: Path) -> None:
    file = tmp_path / "scale.json"
    results = results_of(measured("txtai", 1000, 3.0), measured("bm25s", 1000, 1.0, key={"measured": 0}))
    results.write(file)
    again = Results.read(file)
    assert again.rows == results.rows
    assert again.holds("txtai", 1000) and not again.holds("txtai", 10_000) and not again.holds("bm25s", 1000)
    assert "code" in key_of("hyoka") and "code" not in key_of("txtai")


def test_ratios_of_the_table_are_to_the_floor_of_the_same_run() -> None:
    floor = measured(FLOOR, 1000, 1.0)
    floor["build"]["sections_per_cpu_s"] = 4000.0
    skipped = {"system": "haystack", "size": 1000, "key": {}, "not_run": "not run: too big"}
    told = side_by_side(results_of(floor, measured("hyoka", 1000, 4.0), skipped))
    assert "**1,000 sections** (1,000 in 250 sheets, 1,100 chunks)" in told
    hyoka = next(line for line in told.splitlines() if line.startswith("| **hyoka**"))
    # 1,000 to 4,000 sections a second, 1 to 0.5 s of start, 4 to 2 ms of search
    assert hyoka == (
        "| **hyoka** | 1,000 (× 0.25) | 10 | 1 | 1.50 (1.00), × 2.0 | 100 (50) / 300 (100)"
        " | 4.00 / 8.00 (8.00 / 12.00) | × 2.0 / 2.0 | 0.90 |"
    )
    assert "| haystack | not run: too big |" in told
    given = side_by_side(results_of(measured("hyoka", 1000, 4.0, build={"given": True})))
    assert "built before | built before" in given
    by_stage = stages(results_of(measured("hyoka", 1000, 4.0)))
    assert by_stage.splitlines()[-1] == "| hyoka, 1,000 | 4.00 | 1.00 | 3.00 |"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    assert between(text, "x", "new\n") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    assert between(text, "y", "new") == text and between("<!-- x --> open", "x", "new") == "<!-- x --> open"


def test_a_hit_of_both_halves_stands_before_one_of_either() -> None:
    assert joined([[1, 2], [2, 3]]) == [2, 1, 3]


CURVE = [
    Point(1_000, 2.0, 100.0, 50.0, 2.0, 4.0, 1.0, 1000.0),
    Point(100_000, 200.0, 100.0, 200.0, 8.0, 16.0, 4.0, 2000.0),
]


def test_a_figure_between_two_sizes_lies_on_the_line_through_them() -> None:
    assert at(CURVE, "search_ms", 10_000) == pytest.approx(4.0)  # half the way in powers of ten: 2, 4, 8
    assert at(CURVE, "search_ms", 500) == 2.0 and at(CURVE, "disk_mib", 100_000) == pytest.approx(200.0)
    with pytest.raises(ValueError, match="more than were measured"):
        at(CURVE, "search_ms", 200_000)


def test_more_sections_than_were_measured_are_spread_over_several_indexes() -> None:
    sheets = 100_000 / SECTIONS_A_SHEET / YEARS  # a municipality then has 100,000 sections
    found = need(CURVE, 36, sheets)
    assert found.sections == pytest.approx(3_600_000) and found.indexes == math.ceil(found.sections / 100_000)
    assert found.disk_gib == pytest.approx(36 * 200 / 1024, rel=0.05)
    assert found.memory_gib == pytest.approx(36 * 300 / 1024, rel=0.05)
    assert found.build_cpu_hours == pytest.approx(3_600_000 / 2000 / 3600, rel=0.05)
    assert found.own_ms == pytest.approx(8, rel=0.05) and found.all_ms == pytest.approx(found.indexes * found.own_ms)
    # 36 × 100 questions an hour are one a second: 8 ms of a core that is to be half busy
    assert found.own_cores == pytest.approx(0.016, rel=0.05)
    assert found.all_cores == pytest.approx(found.indexes * found.own_cores)


def test_what_breaks_first_stands_first() -> None:
    broken = breaks(CURVE)
    assert [one.sections for one in broken] == sorted(one.sections for one in broken)
    by_name = {one.what: one.sections for one in broken}
    assert by_name["the start"] == 100_000 * 60 / 4
    assert by_name["memory of its own"] == 100_000 * 4096 / 100
    assert by_name["files in the page cache"] == 100_000 * 4096 / 200
    assert by_name["the slowest twentieth of searches"] == 100_000 * 500 / 16
    assert by_name["a whole build"] == 8 * 3600 * 2 * 2000


def test_the_sizing_comes_from_the_measured_rows_of_hyoka() -> None:
    rows = [measured("hyoka", size, cpu) for size, cpu in ((1000, 2.0), (100_000, 8.0))]
    curve = points(rows)
    assert [(point.sections, point.search_ms, point.own_mib, point.files_mib) for point in curve] == [
        (1000, 2.0, 100.0, 200.0),
        (100_000, 8.0, 100.0, 200.0),
    ]
    told = sizing_tables(results_of(*rows, measured("txtai", 1000, 1.0)))
    assert "| 1,741 | 300 (a sheet for every programme) |" in told and "What breaks first" in told
    assert sizing_tables(results_of(measured("txtai", 1000, 1.0))) == ""


def test_the_plots_have_a_line_a_system_and_names_that_do_not_overlap(tmp_path: Path) -> None:
    results = results_of(
        *(measured("hyoka", size, cpu) for size, cpu in ((1000, 2.0), (100_000, 8.0))), measured("txtai", 1000, 2.1)
    )
    write_curves(results, tmp_path)
    drawn = (tmp_path / "scale-search.svg").read_text("utf-8")
    assert drawn.count('<path class="l"') == 2 and ">hyoka</text>" in drawn and ">100,000</text>" in drawn
    assert spread([("a", 10.0), ("b", 12.0), ("c", 100.0)], 15) == {"a": 10.0, "b": 25.0, "c": 100.0}
    # 1,000 to 100,000 across 420 of 640, 1 to 10 ms up: the first point stands at the left, at log10(2) of the height
    only = chart("x", {"hyoka": [(1000, 2.0), (100_000, 8.0)]})
    assert f"M70.0 {360 - 40 - 286 * math.log10(2):.1f}L490.0 {360 - 40 - 286 * math.log10(8):.1f}" in only
    write_curves(Results(), tmp_path / "none")
    assert not (tmp_path / "none").exists()
