"""Several answering processes beside the one that serves: the same answers, and nothing lost when one of them is."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from crowds import Told, ask, assert_refused, results, sample
from test_live import Asking, index_by_hand, wait_for, write

from assistant.opening import open_index
from assistant.payload import answer_json
from assistant.pool import Pool, answering
from assistant.pooled import PooledAssistant, pooled
from assistant.session import Assistant
from assistant.settings import load_settings
from assistant.stages import stopwatch
from assistant.store import FeedbackStore
from assistant.types import Answer, Choices, Turn
from assistant.upkeep import Upkeep, open_upkeep
from corpus.errors import Busy, HyokaError, QuestionError
from evals.cases import read_cases
from index.manifest import current
from index.snapshot import Snapshot
from index.synonyms import Synonyms
from index.types import Filters
from index.visibility import Visibility
from tests.on_port import on_port

ROOT = Path(__file__).parents[1]
PLAN = "花火大会の今後の計画は？"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def build_index(files: Path, folder: Path) -> Path:
    from assistant.intake import Intake
    from corpus.sources import find_files
    from index.build import build
    from index.encoder import load_encoder

    build(Intake(find_files([files]), 2**24, jobs=0), load_encoder(), folder, sources=[str(files)]).close()
    return folder


@contextmanager
def shared(folder: Path, count: int = 2, seconds: float = 30) -> Iterator[tuple[Pool, PooledAssistant, Snapshot]]:
    """A pool over an index folder, without a server."""
    settings = load_settings(index_dir=folder)
    snapshot = open_index(settings)
    pool = Pool(settings, count, seconds)
    pool.start()
    try:
        assistant = pooled(snapshot, pool, wait=False)
        wait_for(lambda: len(pool.pids()) == count)
        yield pool, assistant, snapshot
    finally:
        pool.close()
        snapshot.close()


def told(answer: Answer, index: Snapshot) -> object:
    """All of an answer; cosines differ in the last bit with what else was compared beside them."""
    text = answer_json(replace(answer, took_ms=0.0), index).model_dump_json()
    return json.loads(text, parse_float=lambda digits: round(float(digits), 5))


# ---- the same answers -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled(tmp_path_factory) -> Iterator[tuple[Pool, PooledAssistant, Snapshot]]:
    folder = build_index(ROOT / "corpus" / "samples" / "files", tmp_path_factory.mktemp("bundled") / "index")
    with shared(folder) as parts:
        yield parts


def test_the_bundled_questions_are_answered_as_one_process_answers_them(bundled):
    _, assistant, snapshot = bundled
    alone = Assistant(snapshot)
    cases = read_cases(ROOT / "evals" / "cases" / "bundled.jsonl").cases[::3]
    assert len(cases) > 50

    def asked(case) -> Answer:
        return assistant.ask(case.question, [Turn("user", text) for text in case.history])

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(asked, cases))
    for case, answer in zip(cases, answers, strict=True):
        history = [Turn("user", text) for text in case.history]
        assert told(answer, snapshot) == told(alone.ask(case.question, history), snapshot), case.question
    assert any(answer.table for answer in answers) and any(answer.abstained for answer in answers)


def test_filters_choices_and_searches_go_there_and_back_whole(bundled):
    _, assistant, snapshot = bundled
    filters = Filters(fiscal_year=(2023,))
    alone = Assistant(snapshot).ask("今後の計画は？", (), filters, Choices(reading="fiscal"))
    answer = assistant.ask("今後の計画は？", (), filters, Choices(reading="fiscal"))
    assert told(answer, snapshot) == told(alone, snapshot)
    assert assistant.index.search("窓口の待ち時間", 5, filters, 2, "year") == snapshot.search(
        "窓口の待ち時間", 5, filters, 2, "year"
    )
    found = assistant.index.search_sheets("窓口の待ち時間", 5, order="amount", others=3)
    assert found == snapshot.search_sheets("窓口の待ち時間", 5, order="amount", others=3) and found.hits
    assert assistant.index.sheets() == snapshot.sheets() and assistant.index.version == snapshot.version


def test_a_process_answers_each_from_what_may_be_seen(bundled):
    pool, assistant, snapshot = bundled
    question = "決算額が大きい順に3つ教えて"
    everything = told(assistant.ask(question), snapshot)
    for town in ("湊見市", "桜坂町"):
        seen = Visibility((town,))
        some, view = assistant.seen_by(seen), snapshot.seen_by(seen)
        answer = some.ask(question)
        assert {citation.sheet.municipality for citation in answer.citations} == {town}
        assert told(answer, view) == told(Assistant(view).ask(question), view) != everything
        assert some.index.search("窓口の待ち時間", 5) == view.search("窓口の待ち時間", 5)
        assert some.index.search_sheets("窓口", 5) == view.search_sheets("窓口", 5)
        some.index.close()  # a view: the processes keep the whole
        view.close()
    assert told(assistant.ask(question), snapshot) == everything and len(pool.pids()) == 2


def test_an_error_of_the_question_is_the_same_error_here(bundled):
    pool, assistant, _ = bundled
    with pytest.raises(QuestionError, match="長すぎます"):
        assistant.ask("あ" * 3000)
    with pytest.raises(Exception, match="Traceback"):  # told with its traceback, and the process goes on
        assistant.index.search("窓口", "five")
    assert pool.state().lost == {"died": 0, "late": 0} and assistant.ask("今後の計画は？")


def test_what_a_process_measured_is_booked_here_and_adds_up(bundled):
    _, assistant, _ = bundled
    with stopwatch() as watch:
        assistant.ask("窓口の待ち時間を短くする取組は？")
    assert {"understand", "search", "compose", "explain", "other"} <= set(watch.seconds)
    assert all(seconds >= 0 for seconds in watch.seconds.values())
    with stopwatch() as watch:
        assistant.index.search("窓口", 5)
    assert set(watch.seconds) == {"search", "other"} and min(watch.seconds.values()) > 0


def test_synonyms_that_are_tried_out_are_searched_here_and_change_nothing_there(bundled):
    _, assistant, _ = bundled
    before = assistant.index.search("ぽんぽこ", 3)
    trial = assistant.index.with_synonyms(Synonyms([(["ぽんぽこ", "窓口"], 1.0)]))
    assert trial.search("ぽんぽこ", 3).hits and not before.hits
    trial.close()
    assert assistant.index.search("ぽんぽこ", 3) == before and assistant.index.sheets()


# ---- a process lost -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fireworks(tmp_path_factory) -> Path:
    """An index of two small sheets."""
    folder = tmp_path_factory.mktemp("fireworks")
    write(folder / "資料", "花火大会", "令和6年度は会場を港に移す。")
    write(folder / "資料", "図書館だより", "令和6年度は電子版を出す。")
    return build_index(folder / "資料", folder / "index")


def test_a_process_that_hangs_costs_one_task_its_time_and_is_replaced(fireworks):
    with shared(fireworks, seconds=5.0) as (pool, assistant, _):
        hanging = pool.pids()
        os.kill(hanging[0], signal.SIGSTOP)
        answers = [assistant.ask(PLAN) for _ in range(4)]
        assert all("会場を港に移す" in answer.answer for answer in answers)
        wait_for(lambda: len(pool.pids()) == 2 and hanging[0] not in pool.pids())
        assert pool.state().lost == {"died": 0, "late": 1} and not alive(hanging[0])


def test_where_every_process_hangs_the_question_is_refused_in_japanese_and_the_next_is_answered(fireworks):
    with shared(fireworks, seconds=4.0) as (pool, assistant, _):
        for pid in pool.pids():
            os.kill(pid, signal.SIGSTOP)
        with pytest.raises(Busy, match="もう一度お試しください"):
            assistant.ask(PLAN)
        wait_for(lambda: len(pool.pids()) == 2)
        assert assistant.ask(PLAN).citations


def test_a_process_that_ends_while_nobody_asks_is_noticed_and_replaced(fireworks):
    with shared(fireworks, count=1) as (pool, assistant, _):
        pid = pool.pids()[0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pool.pids() not in ([], [pid]))
        assert assistant.ask(PLAN).citations and pool.state().lost == {"died": 1, "late": 0}


def test_an_index_that_does_not_open_elsewhere_is_told_and_kept_by_nobody(fireworks, tmp_path):
    with shared(fireworks) as (pool, assistant, snapshot):
        opening = snapshot.path
        snapshot.path = tmp_path / "gone"
        try:
            with pytest.raises(HyokaError, match="作り直してください"):
                pooled(snapshot, pool)
        finally:
            snapshot.path = opening
        assert assistant.ask(PLAN).citations and pool.state().lost == {"died": 0, "late": 0}


def test_closing_leaves_no_process_and_neither_does_a_start_that_is_broken_off(fireworks):
    with shared(fireworks) as (pool, _, _):
        pids = pool.pids()
        assert all(map(alive, pids))
    assert not any(map(alive, pids))
    with pytest.raises(Busy):
        pool.run(1, "search", PLAN, 1)
    before = _children()
    with answering(load_settings(workers=2)):
        assert len(_children() - before) == 2
    assert not _children() - before
    with answering(load_settings()) as nobody:
        assert nobody is None


def _children() -> set[str]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if parent == str(os.getpid()) and state not in "ZX":
            found.add(stat.parent.name)
    return found


# ---- a server -------------------------------------------------------------------------------------------------------


@contextmanager
def server(folder: Path, **flags: object) -> Iterator[tuple[str, Upkeep]]:
    """The whole application with two answering processes, put together as ``hyoka serve`` does."""
    from assistant.line import Line
    from ui.app import create_app

    settings = load_settings(index_dir=folder, workers=2, watch_seconds=0.05, **flags)
    with answering(settings) as pool:
        upkeep = open_upkeep(settings, open_index(settings), pool)
        line = Line(settings.at_once, settings.waiting, settings.waiting_seconds)
        upkeep.live.start()
        with on_port(create_app(upkeep.live, FeedbackStore(), upkeep, line)) as address:
            wait_for(lambda: len(pool.pids()) == 2)
            try:
                yield address, upkeep
            finally:
                upkeep.live.stop()


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[tuple[str, Upkeep, Path]]:
    folder = tmp_path_factory.mktemp("served")
    write(folder / "資料", "花火大会", "令和6年度は会場を港に移す。")
    write(folder / "資料", "図書館だより", "令和6年度は電子版を出す。")
    build_index(folder / "資料", folder / "index")
    with server(folder / "index", answer_cache=0) as (address, upkeep):
        yield address, upkeep, folder


def test_metrics_count_every_question_once_wherever_it_was_answered(served):
    address, _, _ = served
    before = Told(address, "/metrics").text
    with ThreadPoolExecutor(4) as pool:
        assert all(one.status == 200 for one in pool.map(lambda n: ask(address, f"花火大会の計画{n}は？"), range(12)))
        assert all(one.status == 200 for one in pool.map(lambda _: results(address), range(4)))
    text = Told(address, "/metrics").text

    def more(name: str, **labels: str) -> float:
        return sample(text, name, **labels) - sample(before, name, **labels)

    assert more("hyoka_work_seconds_count", work="ask") == more("hyoka_wait_seconds_count", work="ask") == 12
    for name in ("understand", "compose", "explain", "render", "other"):
        assert more("hyoka_stage_seconds_count", work="ask", stage=name) == 12, name
    assert more("hyoka_work_seconds_count", work="search-screen") == 4
    whole = sample(text, "hyoka_work_seconds_sum", work="ask")
    parts = re.findall(r'^hyoka_stage_seconds_sum\{stage="\w+",work="ask"\} (\S+)$', text, re.M)
    assert whole == pytest.approx(sum(map(float, parts))), "the stages add up"
    assert sample(text, "hyoka_workers", state="ready") == 2 and sample(text, "hyoka_workers", state="starting") == 0
    assert sample(text, "hyoka_workers_cpu_seconds_total") > sample(before, "hyoka_workers_cpu_seconds_total") - 0.01
    own, resident = (sample(text, "hyoka_workers_memory_bytes", kind=kind) for kind in ("own", "resident"))
    assert 2**20 < own < resident


def test_a_process_killed_under_load_costs_nobody_an_answer(served):
    address, upkeep, _ = served
    pool = upkeep.pool
    assert pool is not None
    before = pool.state().lost["died"]
    asking = Asking(address)
    for _ in range(3):
        count = len(asking.versions)
        wait_for(lambda count=count: len(asking.versions) > count + 5)
        victim = pool.pids()[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda victim=victim: victim not in pool.pids() and len(pool.pids()) == 2)
    asking.stop()
    assert asking.problems == [] and pool.state().lost["died"] == before + 3
    assert sample(Told(address, "/metrics").text, "hyoka_workers_lost_total", reason="died") == before + 3
    # Two at once, while nobody is left: who asks waits for the new ones.
    for pid in pool.pids():
        os.kill(pid, signal.SIGKILL)
    assert ask(address, PLAN).status in (200, 503)
    wait_for(lambda: Told(address, "/readyz").status == 200 and len(pool.pids()) == 2)
    assert "会場を港に移す" in ask(address, PLAN).json["answer"]


def test_a_hundred_of_a_hundred_requests_outlive_new_indexes(served):
    address, upkeep, folder = served
    sheets, index = folder / "資料", folder / "index"
    asking = Asking(address)
    versions = [current(index)]
    wait_for(lambda: versions[0] in asking.versions)
    for n in range(2):
        write(sheets, "花火大会", f"令和7年度は{n + 2}日に分けて開く。")
        index_by_hand(index, sheets)
        versions.append(current(index))
        wait_for(lambda: versions[-1] in asking.versions)
    done = len(asking.versions)
    wait_for(lambda: len(asking.versions) > max(100, done + 3))
    asking.stop()
    assert asking.problems == []
    seen = [versions.index(version) for version in asking.versions]
    assert set(seen) == {0, 1, 2}
    assert "3日に分けて開く" in ask(address, PLAN).json["answer"]
    pool = upkeep.pool
    assert pool is not None
    wait_for(lambda: all(len(process.opened) == 1 for process in pool._processes if process))  # the old ones are closed
    (index / "synonyms.toml").write_text('synonyms = [["花火大会", "みなとの夜"]]\n', "utf-8")
    wait_for(lambda: ask(address, "みなとの夜の目的は？").json["citations"])
    assert Told(address, f"/api/v1/search?q={quote('みなとの夜')}").json["hits"][0]["sheet"] == "花火大会"
    (index / "synonyms.toml").unlink()


def test_a_line_that_is_full_refuses_with_the_seconds_to_wait(fireworks):
    with server(fireworks, answers_at_once=1, waiting=0, worker_seconds=5) as (address, upkeep):
        assert upkeep.pool is not None
        stopped = upkeep.pool.pids()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, address, PLAN)
            wait_for(lambda: sample(Told(address, "/metrics").text, "hyoka_running") == 1)
            assert_refused(ask(address, PLAN))
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            assert first.result().status == 200


# ---- the command ----------------------------------------------------------------------------------------------------


@contextmanager
def command(folder: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, list[int]]]:
    """``hyoka serve --workers 2`` as a person starts it; its answering processes by number."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = [sys.executable, "-m", "assistant.cli", "serve", "--workers", "2", "--port", str(port)]
    environment = {**os.environ, "HYOKA_FEEDBACK_FILE": str(tmp_path / "feedback.sqlite")}
    process = subprocess.Popen([*start, "--index-dir", str(folder)], cwd=ROOT, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert process.poll() is None
        try:
            return bool(urlopen(f"{address}/readyz", timeout=60).status == 200)
        except OSError:
            return False

    try:
        wait_for(ready)
        wait_for(lambda: sample(Told(address, "/metrics").text, "hyoka_workers", state="ready") == 2)
        children = [
            int(stat.parent.name)
            for stat in Path("/proc").glob("[0-9]*/stat")
            if _parent(stat) == process.pid and alive(int(stat.parent.name))
        ]
        assert len(children) == 2
        yield process, address, children
    finally:
        process.kill()
        process.wait()


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_the_end_of_the_server_is_the_end_of_its_processes_however_it_comes(fireworks, tmp_path, how):
    with command(fireworks, tmp_path) as (process, address, children):
        assert ask(address, PLAN).json["citations"]
        if how is signal.SIGINT:
            os.killpg(process.pid, how)  # Ctrl+C reaches the whole group
        else:
            if how is signal.SIGKILL:
                os.kill(children[0], signal.SIGSTOP)  # even one that hangs: it notices as soon as it goes on
            os.kill(process.pid, how)
        process.wait(120)
        if how is signal.SIGKILL:
            os.kill(children[0], signal.SIGCONT)
        wait_for(lambda: not any(map(alive, children)))
        assert process.returncode == (-how if how is signal.SIGKILL else 0)
