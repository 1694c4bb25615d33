"""`hyoka watch`: what changes in a folder reaches the index, and the people who ask a running server."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from running import ROOT, Process

from assistant.cli import run
from assistant.rebuild import Build, Outcome
from assistant.watching import Watching
from assistant.watchlist import Listing, changes, emptied, is_far, is_read, listing
from corpus.errors import SettingsError

SHEET = "事務事業評価シート（令和5年度）\nみなと野市\n事業名 {name}\n担当課 企画課\n事業の目的\n{name}を続ける。\n今後の計画\n{plan}\n"


def put(folder: Path, file: str, name: str, plan: str = "続ける。") -> Path:
    path = folder / file
    path.write_text(SHEET.format(name=name, plan=plan), "utf-8")
    return path


def wait_for(met, seconds: float = 120.0, why=lambda: "") -> None:
    """Waits for a state; the limit only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, f"it did not come to that {why()}"
        time.sleep(0.02)


# ---- what is looked at ------------------------------------------------------------------------------------------------


def test_what_people_keep_is_listed_and_what_programs_leave_is_not(tmp_path):
    (tmp_path / "部" / "課").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for name in (
        "a.txt",
        "部/課/b.xlsx",
        "~$b.xlsx",
        "c.tmp",
        "Thumbs.db",
        ".git/d.txt",
        "部/.e.pdf",
        "f.exe",
        "g.zip",
    ):
        (tmp_path / name).write_bytes(b"x")
    seen = listing([tmp_path])[tmp_path]
    assert sorted(Path(name).name for name in seen) == ["a.txt", "b.xlsx", "g.zip"]
    assert seen[str(tmp_path / "a.txt")][0] == 1 and not is_read("集計.xlsx.tmp")


def test_changes_are_counted_and_an_emptied_folder_is_noticed(tmp_path):
    one, other = Path("/a"), Path("/b")
    before: Listing = {one: {"x": (1, 1), "y": (1, 1)}, other: {"z": (1, 1)}}
    after: Listing = {one: {"x": (2, 1), "w": (1, 1)}, other: {}}
    assert changes(before, after) == (1, 1, 2) and emptied(before, after) == [other] and emptied({}, after) == []
    with pytest.raises(OSError):
        listing([tmp_path / "gone"])


def test_a_folder_of_another_machine_is_known_by_its_mount(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda / ext4 rw 0 0\n//fs/a /srv/file\\040server cifs rw 0 0\n/dev/sdb /srv/file\\040server/here ext4 rw\n"
    )
    far = [
        is_far(Path(one), str(mounts))
        for one in ("/srv/file server/課", "/srv/file server/here/x", "/srv", "/srv/file")
    ]
    assert far == [True, False, False, False] and not is_far(Path("/"), str(tmp_path / "none"))


# ---- when it updates, with folders and updates that a test moves ----------------------------------------------------


class Updating:
    """Counts updates; each ends at once."""

    def __init__(self) -> None:
        self.count, self.cancelled, self.refused, self.fails = 0, 0, (), 0

    def start(self) -> None:
        self.count += 1
        if self.fails:
            self.fails -= 1
            raise SettingsError("始められません。確かめてください。")

    def state(self) -> Build:
        outcome = Outcome(f"v{self.count}", 1, 1, 1, 1, 0, 0, tuple(self.refused))
        return Build("done", outcome=outcome)

    def cancel(self) -> None:
        self.cancelled += 1


class Watched:
    """A watching in a thread, over a listing that a test sets; None: the folder cannot be reached."""

    def __init__(self, updates: Updating, settle: float = 0.2) -> None:
        self.files: dict[str, tuple[int, int]] | None = {"a": (1, 1)}
        self.looks = 0
        self.watching = Watching([Path("/watched")], updates, settle, True, self.look)
        self.thread = threading.Thread(target=self.watching.run, daemon=True)
        self.thread.start()

    def look(self, folders) -> Listing:
        self.looks += 1
        if self.files is None:
            raise OSError(errno.EHOSTDOWN, "Host is down", "/watched")
        return {Path("/watched"): dict(self.files)}

    def looked(self, times: int = 3) -> None:
        before = self.looks
        wait_for(lambda: self.looks >= before + times)

    def end(self) -> None:
        self.watching.stop()
        self.thread.join(120)
        assert not self.thread.is_alive()


def test_a_burst_is_one_update_and_what_is_still_being_written_is_waited_for():
    updates = Updating()
    watched = Watched(updates)
    wait_for(lambda: updates.count == 1)  # everything, at the start
    for size in range(2, 12):  # a copy that grows, and others beside it
        watched.files = {"a": (1, 1), "b": (size, 1), f"c{size}": (1, 1)}
        watched.looked(1)
        assert updates.count == 1
    wait_for(lambda: updates.count == 2)
    watched.looked(6)
    assert updates.count == 2
    watched.end()
    assert updates.cancelled == 1


def test_what_comes_and_goes_at_once_is_no_change():
    updates = Updating()
    watched = Watched(updates)
    wait_for(lambda: updates.count == 1)
    watched.files = {"a": (1, 1), "b": (1, 1)}
    watched.looked(1)
    watched.files = {"a": (1, 1)}
    watched.looked(12)
    assert updates.count == 1
    watched.end()


def test_a_share_that_is_gone_or_empty_keeps_its_index_and_comes_back(caplog):
    updates = Updating()
    watched = Watched(updates)
    wait_for(lambda: updates.count == 1)
    for lost in (None, {}):
        watched.files = lost
        watched.looked(8)
        assert updates.count == 1 and sum("つながるのを待ちます" in one.message for one in caplog.records) == 1
    watched.files = {"a": (2, 2)}
    wait_for(lambda: updates.count == 2)
    watched.end()


def test_a_failed_update_is_tried_again_and_a_bad_file_told_once(caplog, monkeypatch):
    monkeypatch.setattr("assistant.watching.RETRY_SECONDS", 0.1)
    updates = Updating()
    updates.fails, updates.refused = 2, [("b.pdf", "b.pdf: 壊れています。保存し直してください。")]
    watched = Watched(updates)
    wait_for(lambda: updates.count == 3)
    for size in (2, 3):
        watched.files = {"a": (size, 1)}
        wait_for(lambda size=size: updates.count == 2 + size)
    watched.end()
    told = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert sum("始められません" in one for one in told) == 2 and sum("b.pdf" in one for one in told) == 1


def test_what_cannot_be_watched_is_told(here, tmp_path, capsys):
    folder = tmp_path / "sheets"
    folder.mkdir()
    assert run(["watch", str(tmp_path / "none")]) == 1
    assert run(["watch", str(folder), "--index-dir", str(folder / "索引")]) == 1
    assert run(["watch"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and all(line.endswith(("ください。", "見られます。")) for line in lines)


# ---- a real folder, a real watcher, a real server ---------------------------------------------------------------------


class Watcher:
    """``hyoka watch`` as a process of its own, with its log."""

    def __init__(self, folder: Path, index: Path, place: Path, *flags: str) -> None:
        self._log = place / "watch.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HYOKA_")}
        environment |= {"PYTHONPATH": str(ROOT), "HYOKA_LOG_FORMAT": "json", "OMP_NUM_THREADS": "1", "HYOKA_JOBS": "0"}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "assistant.cli", "watch", str(folder), "--index-dir", str(index), "--seconds", "0.5", *flags],
                cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._log.read_bytes().rpartition(b"\n")[0].splitlines()]

    def events(self, name: str) -> list[dict[str, object]]:
        return [line for line in self.lines if line.get("event") == name]

    def text(self) -> str:
        return self._log.read_text("utf-8")[-3_000:]


@pytest.mark.parametrize("flags", [(), ("--poll",)])
def test_a_running_server_answers_from_what_was_just_put_into_the_folder(tmp_path, flags):
    folder, index = tmp_path / "sheets", tmp_path / "index"
    folder.mkdir()
    put(folder, "a.txt", "花火大会")
    watcher = Watcher(folder, index, tmp_path, *flags)
    server = None
    try:
        wait_for(lambda: watcher.events("updated"), why=watcher.text)
        server = Process(index, tmp_path / "server", watch_seconds=0.2).until_ready()

        def names() -> set[str]:
            return {one["sheet"] for one in server.get("/api/v1/sheets").json["sheets"]}

        def becomes(wanted: set[str]) -> None:
            wait_for(lambda: names() == wanted, why=lambda: f"{names()} {watcher.text()}")

        assert names() == {"花火大会"}
        put(folder, "b.txt", "朝市")
        becomes({"花火大会", "朝市"})
        if flags:
            return
        put(folder, "a.txt", "花火大会", "会場を港に移す。")
        found = f"/api/v1/search?q={quote('会場を港に移す')}"
        wait_for(lambda: any("会場を港" in hit["text"] for hit in server.get(found).json["hits"]), why=watcher.text)
        (folder / "b.txt").rename(folder / "c.txt")
        wait_for(
            lambda: "c.txt" in {one["file"] for one in server.get("/api/v1/sheets").json["sheets"]}, why=watcher.text
        )
        assert names() == {"花火大会", "朝市"}

        before = len(watcher.events("updated"))
        (folder / "~$c.txt").write_text("lock")
        (folder / "d.tmp").write_text("x")
        whole = SHEET.format(name="港まつり", plan="続ける。" * 40).encode()
        with (folder / "slow.txt").open("wb") as slow:  # as a large file comes over the network
            for at in range(0, len(whole), 60):
                slow.write(whole[at : at + 60])
                slow.flush()
                time.sleep(0.1)
        becomes({"花火大会", "朝市", "港まつり"})
        # The server may have the new index before the watcher has said so.
        wait_for(lambda: len(watcher.events("updated")) > before, why=watcher.text)
        assert not watcher.events("unread")

        (folder / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
        wait_for(lambda: watcher.events("unread"), why=watcher.text)
        assert "broken.pdf" in str(watcher.events("unread")[0]["message"])
        (folder / "broken.pdf").unlink()
        (folder / "slow.txt").unlink()
        becomes({"花火大会", "朝市"})
    finally:
        watcher.process.send_signal(signal.SIGTERM)
        if server is not None:
            server.end()
        assert watcher.process.wait(120) == 0, watcher.text()
    assert watcher.events("stop") and not any("Traceback" in str(line) for line in watcher.lines)


def test_a_signal_in_the_middle_of_an_update_ends_it_and_leaves_no_process(tmp_path):
    folder, index = tmp_path / "sheets", tmp_path / "index"
    folder.mkdir()
    for number in range(40):
        put(folder, f"{number}.txt", f"事業{number}")
    watcher = Watcher(folder, index, tmp_path)
    children = Path(f"/proc/{watcher.process.pid}/task/{watcher.process.pid}/children")
    wait_for(lambda: watcher.events("start") and children.read_text().split(), why=watcher.text)
    (child,) = map(int, children.read_text().split())
    watcher.process.send_signal(signal.SIGTERM)
    assert watcher.process.wait(120) == 0 and watcher.events("stop")
    assert not Path(f"/proc/{child}").exists()
