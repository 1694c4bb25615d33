"""A new index under a running server: changed over without a restart, without losing a request, whoever built it."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from assistant.live import Live, held, holding
from assistant.rebuild import Build, Rebuild
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from assistant.upkeep import inventory, open_upkeep
from corpus.errors import IndexDamaged, SettingsError
from index.manifest import CURRENT, SNAPSHOTS, current, read_manifest
from tests.fakes import FakeAssistant, FakeIndex
from tests.on_port import on_port

SHEET = "事務事業評価シート（令和5年度）\nみなと野市\n事業名 {name}\n担当課 企画課\n事業の目的\n{name}を続ける。\n今後の計画\n{plan}\n"


def wait_for(met, seconds: float = 120.0) -> None:
    """Waits for a state; the limit only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


# ---- Live alone ---------------------------------------------------------------------------------------------------


class Closing(FakeIndex):
    """Remembers that it was closed, and then answers no more."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        object.__setattr__(self, "closed", threading.Event())

    def close(self) -> None:
        self.closed.set()


class Shelf:
    """A stamp that a test moves, and what opens under it."""

    def __init__(self) -> None:
        self.stamp = "1"
        self.broken: Exception | None = None
        self.tried = 0
        self.live = Live(FakeAssistant(Closing("1")), lambda: self.stamp, self.reopen)

    def reopen(self, old) -> FakeAssistant:
        self.tried += 1
        if self.broken is not None:
            raise self.broken
        return FakeAssistant(Closing(self.stamp))


def test_a_moved_stamp_is_a_change_and_an_unmoved_one_is_none():
    shelf = Shelf()
    old = shelf.live.index
    assert not shelf.live.check() and shelf.live.index is old
    shelf.stamp = "2"
    assert shelf.live.check() and shelf.live.index.version == "2" and old.closed.is_set()
    assert shelf.live.ask("図書館の今後の計画は").index_version == "2"


def test_a_request_stays_with_its_index_and_the_last_one_closes_it():
    shelf = Shelf()
    old = shelf.live.index
    with holding():
        assert shelf.live.index is old
        other = held(lambda: shelf.live.index)
        shelf.stamp = "2"
        shelf.live.check()
        assert shelf.live.index is old and shelf.live.ask("図書館の今後の計画は").index_version == "1"
        assert other().version == "2" and not old.closed.is_set()
    assert old.closed.is_set() and shelf.live.index.version == "2"


def test_a_generator_stays_with_its_index_step_by_step_and_lets_go_when_it_is_left():
    shelf = Shelf()
    old = shelf.live.index

    def steps() -> Iterator[str]:
        while True:
            yield shelf.live.index.version

    running = held(steps)()
    assert next(running) == "1"
    shelf.stamp = "2"
    shelf.live.check()
    assert next(running) == "1" and shelf.live.index.version == "2" and not old.closed.is_set()
    running.close()
    assert old.closed.is_set()


def test_a_task_that_outlives_the_request_it_was_started_in_takes_the_newest():
    import contextvars

    shelf = Shelf()
    with holding():
        assert shelf.live.index.version == "1"
        inherited = contextvars.copy_context()
    shelf.stamp = "2"
    shelf.live.check()
    assert inherited.run(lambda: shelf.live.index.version) == "2"


def test_what_does_not_open_is_told_and_the_old_one_goes_on():
    shelf = Shelf()
    shelf.stamp, shelf.broken = "2", IndexDamaged("索引が壊れています。hyoka index で作り直してください。")
    assert not shelf.live.check() and shelf.live.index.version == "1" and not shelf.live.index.closed.is_set()
    assert "壊れています" in shelf.live.problem
    shelf.live.check()
    assert shelf.tried == 1  # the same thing is not tried every two seconds
    shelf.stamp, shelf.broken = "3", RuntimeError("secret")
    assert not shelf.live.check() and "secret" not in shelf.live.problem and shelf.tried == 2
    shelf.stamp, shelf.broken = "4", None
    assert shelf.live.check() and shelf.live.problem == "" and shelf.live.index.version == "4"


# ---- a real server --------------------------------------------------------------------------------------------------


def write(folder: Path, name: str, plan: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(SHEET.format(name=name, plan=plan), "utf-8")


def index_by_hand(folder: Path, *sources: Path) -> None:
    """What cron would run."""
    command = [sys.executable, "-m", "assistant.cli", "index", "--index-dir", str(folder), *map(str, sources)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[1])


@contextmanager
def server(folder: Path, **flags: object) -> Iterator[tuple[str, object]]:
    """The whole application on an index folder, as ``hyoka serve`` puts it together."""
    from assistant.opening import open_index
    from ui.app import create_app

    settings = load_settings(index_dir=folder, watch_seconds=0.05, **flags)
    upkeep = open_upkeep(settings, open_index(settings))
    upkeep.live.start()
    with on_port(create_app(upkeep.live, FeedbackStore(), upkeep)) as address:
        try:
            yield address, upkeep
        finally:
            upkeep.live.stop()
            upkeep.rebuild.cancel()


def ask(address: str, question: str) -> dict[str, object]:
    body = json.dumps({"question": question}).encode()
    request = Request(f"{address}/api/v1/ask", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def is_closed(index) -> bool:
    try:
        index.facts()
    except Exception as problem:
        assert "closed" in str(problem)
        return True
    return False


class Asking:
    """Threads that ask and search without a pause, and keep what came."""

    def __init__(self, address: str, threads: int = 3) -> None:
        self.versions: list[str] = []
        self.problems: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(address, n)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self, address: str, number: int) -> None:
        while not self._stop.is_set():
            try:
                if number % 2:
                    urlopen(f"{address}/api/v1/search?q={quote('今後の計画')}", timeout=60).read()
                    urlopen(f"{address}/api/v1/sheets", timeout=60).read()
                else:
                    answer = ask(address, "花火大会の今後の計画は？")
                    self.versions.append(str(answer["index_version"]))
            except Exception as problem:  # whatever it is, a request was lost
                self.problems.append(repr(problem))

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def sheets(tmp_path) -> Path:
    folder = tmp_path / "資料"
    write(folder, "花火大会", "令和6年度は会場を港に移す。")
    write(folder, "図書館だより", "令和6年度は電子版を出す。")
    from assistant.intake import Intake
    from corpus.sources import find_files
    from index.build import build
    from index.encoder import load_encoder

    intake = Intake(find_files([folder]), 2**20, jobs=0)
    build(intake, load_encoder(), tmp_path / "index", sources=[str(folder)]).close()
    return folder


def test_requests_during_a_build_by_hand_are_all_answered_by_the_old_index_or_the_new(sheets, tmp_path):
    folder = tmp_path / "index"
    before = current(folder)
    with server(folder) as (address, upkeep):
        old = upkeep.live.index
        asking = Asking(address)
        wait_for(lambda: len(asking.versions) > 3)
        (sheets / "図書館だより.txt").unlink()  # the new index has fewer documents than the answers under way
        write(sheets, "花火大会", "令和7年度は二日に分けて開く。")
        index_by_hand(folder, sheets)
        after = current(folder)
        wait_for(lambda: after in asking.versions)
        count = len(asking.versions)
        wait_for(lambda: len(asking.versions) > count + 3)
        asking.stop()
        assert asking.problems == []
        changed = asking.versions.index(after)
        assert set(asking.versions[:changed]) == {before} and len(asking.versions) > changed + 3
        assert "二日に分けて開く" in str(ask(address, "花火大会の今後の計画は？")["answer"])
        wait_for(lambda: is_closed(old))  # nobody holds the old one any more


def test_a_snapshot_that_does_not_open_is_reported_and_the_old_one_keeps_serving(sheets, tmp_path):
    folder = tmp_path / "index"
    with server(folder) as (address, upkeep):
        before = current(folder)
        broken = folder / SNAPSHOTS / "20991231T000000000000-00000000"
        broken.mkdir()
        (folder / CURRENT).write_text(f"{broken.name}\n", "utf-8")
        wait_for(lambda: upkeep.live.problem)
        assert "作り直してください" in upkeep.live.problem
        assert ask(address, "花火大会の今後の計画は？")["index_version"] == before
        assert urlopen(f"{address}/readyz", timeout=60).status == 200
        (folder / CURRENT).write_text(f"{before}\n", "utf-8")
        wait_for(lambda: not upkeep.live.problem)


def test_the_rebuild_reads_the_known_sources_and_the_server_takes_the_result(sheets, tmp_path):
    folder = tmp_path / "index"
    with server(folder) as (address, upkeep):
        assert inventory(upkeep.live.index).sources == (str(sheets),)
        (sheets / "壊れた.pdf").write_bytes(b"%PDF-1.4 nothing")
        write(sheets, "朝市", "令和6年度は毎週開く。")
        asking = Asking(address, 2)
        upkeep.rebuild.start()
        with pytest.raises(SettingsError, match="すでに始まっています"):
            upkeep.rebuild.start()
        wait_for(lambda: upkeep.rebuild.state().phase != "running")
        asking.stop()
        state = upkeep.rebuild.state()
        assert state.phase == "done" and asking.problems == [] and state.outcome is not None
        assert (state.outcome.documents, state.outcome.reused) == (3, 2)
        assert [file for file, _ in state.outcome.refused] == ["壊れた.pdf"]
        assert upkeep.live.index.version == state.outcome.version == current(folder)
        assert "毎週開く" in str(ask(address, "朝市の今後の計画は？")["answer"])


def test_an_index_with_many_additions_is_written_anew_while_it_answers(sheets, tmp_path, monkeypatch):
    import index.update
    from corpus.reading import read_sheets
    from corpus.sources import find_files, read_source
    from index.encoder import load_encoder

    folder, encoder = tmp_path / "index", load_encoder()
    monkeypatch.setattr(index.update, "FOLDED", 0)  # every update leaves an addition of its own
    for number in range(index.update.MOST_PARTS + 1):
        write(sheets, f"朝市{number}", "令和6年度は毎週開く。")
        (file,) = [one for one in find_files([sheets]) if one.name == f"朝市{number}.txt"]
        document = read_source(file, 2**20)
        index.update.update(folder, encoder, [(document, read_sheets(document))])
    before = current(folder)
    assert len(read_manifest(folder, before).parts) == index.update.MOST_PARTS + 1
    for file in sheets.iterdir():
        file.unlink()  # none of them is read again
    with server(folder) as (address, upkeep):
        asking = Asking(address, 2)
        wait_for(lambda: upkeep.live.index.version != before)
        wait_for(lambda: upkeep.rebuild.state().phase == "done")
        asking.stop()
        assert asking.problems == [] and set(asking.versions) <= {before, current(folder)}
        manifest = read_manifest(folder, current(folder))
        assert manifest.parts == () and manifest.counts["documents"] == 2 + index.update.MOST_PARTS + 1
        assert upkeep.rebuild.state().message == "索引を整理しました。"
        assert "毎週開く" in str(ask(address, "朝市3の今後の計画は？")["answer"])


def test_a_build_that_is_killed_or_cancelled_leaves_the_server_and_its_index_as_they_were(sheets, tmp_path):
    folder = tmp_path / "index"
    before = current(folder)
    with server(folder) as (address, upkeep):
        upkeep.rebuild.start()
        upkeep.rebuild._process.kill()  # what the system does when memory runs out
        wait_for(lambda: upkeep.rebuild.state().phase == "failed")
        assert "SIGKILL" in upkeep.rebuild.state().message
        upkeep.rebuild.start()
        upkeep.rebuild.cancel()
        wait_for(lambda: upkeep.rebuild.state().phase == "cancelled")
        assert ask(address, "花火大会の今後の計画は？")["index_version"] == before == current(folder)


def test_fitted_weights_and_own_synonyms_are_taken_up_and_a_mistake_in_them_is_told(sheets, tmp_path):
    folder = tmp_path / "index"
    settings = load_settings(index_dir=folder)
    from assistant.opening import open_index
    from index.fusion import Weights
    from index.tuning.store import Tuning, save

    upkeep = open_upkeep(settings, open_index(settings))
    live, first = upkeep.live, upkeep.live.index
    save(folder, Tuning(replace(Weights(), head=0.85), first.encoder.digest, first.version, datetime.now(UTC), {}))
    assert live.check() and live.index.weights.head == 0.85 and live.index.version == first.version
    upkeep.synonyms.write_text('synonyms = [["花火大会", "みなとの夜"]]\n', "utf-8")
    tuned = live.index
    assert live.check() and ("花火大会", "みなとの夜") in live.index.synonyms.rewrites()
    assert live.index.weights.head == 0.85 and live.ask("みなとの夜の目的は？").citations
    assert live.index.facts() == tuned.facts()  # one file, read by both: the old one's end did not close it
    upkeep.synonyms.write_text('synonyms = [["花火大会"]]\n', "utf-8")
    assert not live.check() and "2つ以上" in live.problem and "1 行目" in live.problem
    assert ("花火大会", "みなとの夜") in live.index.synonyms.rewrites()
    upkeep.synonyms.unlink()
    assert live.check() and live.problem == "" and ("花火大会", "みなとの夜") not in live.index.synonyms.rewrites()
    live.index.close()


def test_the_events_of_a_screen_hold_and_still_get_what_they_ask_for():
    gradio = pytest.importorskip("gradio")
    from gradio.helpers import special_args

    from ui.holds import hold_events

    shelf = Shelf()

    def steps(text: str, request: gradio.Request) -> Iterator[str]:
        yield shelf.live.index.version
        yield shelf.live.index.version

    steps.__annotations__["request"] = gradio.Request  # the module's annotations are texts, and gradio is local here
    with gradio.Blocks() as screens:
        box = gradio.Textbox()
        box.submit(steps, box, box)
    event = next(one for one in hold_events(screens).fns.values() if one.fn is not None)
    _, progress, event_data, _ = special_args(event.fn, ["x"], request=None)
    assert progress is None and event_data is None and inspect.isgeneratorfunction(event.fn)
    assert list(inspect.signature(event.fn).parameters) == ["text", "request"]
    running = event.fn("x", None)
    assert next(running) == "1"
    shelf.stamp = "2"
    shelf.live.check()
    assert next(running) == "1" and next(event.fn("x", None)) == "2"


# ---- the rebuild alone ------------------------------------------------------------------------------------------------


def test_a_source_that_is_not_there_is_told_and_nothing_is_started(tmp_path):
    rebuild = Rebuild(tmp_path, lambda: [str(tmp_path / "外付け")])
    with pytest.raises(SettingsError, match="つながっているか"):
        rebuild.start()
    assert rebuild.state() == Build()
    with pytest.raises(SettingsError, match="HYOKA_SOURCES"):
        Rebuild(tmp_path, list).start()


def test_the_rate_counts_from_where_a_step_begins(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("assistant.rebuild.monotonic", lambda: clock[0])
    rebuild = Rebuild(tmp_path, list)
    for seconds, what, done, total in (
        (10.0, "読み込み a.pdf", 0, 40),  # the models took ten seconds
        (12.0, "読み込み b.pdf", 2, 40),
        (20.0, "読み込み c.pdf", 20, 40),
    ):
        clock[0] = 100.0 + seconds
        rebuild._hear(json.dumps({"what": what, "done": done, "total": total}), [])
    state = rebuild.state()
    assert (state.rate, state.left, state.reading) == (2.0, 10.0, True)
    rebuild._hear(json.dumps({"what": "意味の索引", "done": 64, "total": 640}), notes := [])
    assert rebuild.state().left is None and not rebuild.state().reading
    rebuild._hear("注意: 表が読めません。", notes)
    rebuild._hear('{"what": 1}', notes)
    assert notes == ["注意: 表が読めません。", '{"what": 1}']


def test_the_sources_of_the_settings_win_over_those_of_the_index(sheets, tmp_path, monkeypatch):
    monkeypatch.setenv("HYOKA_SOURCES", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    settings = load_settings(index_dir=tmp_path / "index")
    assert settings.sources == (tmp_path / "a", tmp_path / "b")
    from assistant.opening import open_index

    snapshot = open_index(settings)
    assert list(open_upkeep(settings, snapshot).rebuild.sources()) == [str(tmp_path / "a"), str(tmp_path / "b")]
    snapshot.close()


def test_adding_keeps_the_earlier_sources(sheets, tmp_path):
    write(tmp_path / "追加", "朝市", "令和6年度は毎週開く。")
    command = [sys.executable, "-m", "assistant.cli", "index", "--add", "--index-dir", str(tmp_path / "index")]
    subprocess.run([*command, str(tmp_path / "追加")], check=True, capture_output=True, cwd=Path(__file__).parents[1])
    from index.manifest import read_manifest

    manifest = read_manifest(tmp_path / "index", current(tmp_path / "index"))
    assert manifest.sources == (str(sheets), str(tmp_path / "追加")) and manifest.counts["documents"] == 3
