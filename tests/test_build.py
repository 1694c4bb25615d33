"""A build spread over processes, cut off and begun again: the index is the same, and little is done twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from built import content, many
from fake_encoder import FakeEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

import index.build
import index.spool
from assistant.intake import Intake
from assistant.pace import Pace
from assistant.workers import WorkerDied, Workers
from corpus.sources import find_files
from index.build import build, write_snapshot
from index.encoder import load_encoder
from index.npywriter import NpyWriter
from index.parcels import packed, unpacked
from index.prepared import Prepared, prepare
from index.preparing import preparer_of, spool_of
from index.snapshot import Snapshot
from index.spool import Spool
from index.spread import Here
from index.types import Encoder

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
LIMIT = 2**24
KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that was built in one go by one process."""
    folder = tmp_path_factory.mktemp("whole")
    write_snapshot(many(), FakeEncoder(), folder)
    return folder


def put_samples(folder: Path) -> Path:
    """The bundled sheets that are read quickly, and as many again that differ."""
    folder.mkdir()
    for file in (file for file in SAMPLES.iterdir() if file.suffix in (".txt", ".html", ".docx")):
        shutil.copy(file, folder)
    for number in range(6):
        text = (SAMPLES / "hokuto_hyoka_r5.txt").read_text("utf-8")
        (folder / f"写し{number}.txt").write_text(f"{text}\n第{number}号\n", "utf-8")
    return folder


# The same index


@pytest.mark.parametrize("jobs", [1, 3])
def test_any_number_of_processes_makes_the_same_index(whole: Path, tmp_path: Path, jobs: int) -> None:
    write_snapshot(many(), FakeEncoder(), tmp_path, spread=partial(Workers, jobs=jobs, seconds=60))
    assert content(tmp_path) == content(whole)
    one, other = Snapshot.open(whole, FakeEncoder()), Snapshot.open(tmp_path, FakeEncoder())
    for query in ("サーバの更改", "斎場の利用者", "12,155千円", "防災"):
        found = one.search(query, 20)
        assert found.total and other.search(query, 20) == found


def test_the_bundled_encoder_gives_the_same_in_another_process(tmp_path: Path) -> None:
    write_snapshot(many(6), load_encoder(), tmp_path / "here")
    write_snapshot(many(6), load_encoder(), tmp_path / "there", spread=partial(Workers, jobs=2, seconds=60))
    assert content(tmp_path / "there") == content(tmp_path / "here")


def test_a_process_that_dies_costs_no_document(whole: Path, tmp_path: Path) -> None:
    class Dying(Here):
        def submit(self, task: object) -> object:
            future = super().submit(task)
            if hash(task) % 2:
                future = type(future)()
                future.set_exception(WorkerDied())
            return future

    write_snapshot(many(), FakeEncoder(), tmp_path, spread=Dying)  # type: ignore[arg-type]
    assert content(tmp_path) == content(whole)


def test_files_prepared_where_they_are_read_give_the_index_of_their_readings(tmp_path: Path) -> None:
    files = find_files([put_samples(tmp_path / "資料")])
    plain = Intake(files, LIMIT, jobs=0)
    spread = Intake(files, LIMIT, jobs=2, preparer=preparer_of(FakeEncoder()))
    build(plain, FakeEncoder(), tmp_path / "a").close()
    build(spread, FakeEncoder(), tmp_path / "b").close()
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert plain.read == spread.read and plain.sections == spread.sections > 0


def test_a_prepared_document_comes_back_from_its_bytes_as_it_was() -> None:
    for reading in many(8):
        made = prepare(reading, FakeEncoder(), keep_texts=True)
        again = Prepared.loads(made.dumps())
        assert again.dumps() == made.dumps()
        assert [sheet for sheet, _ in again.heads] == [sheet for sheet, _ in made.heads]
        assert again.texts == made.texts and again.file == reading[0].file
        assert unpacked(packed(reading)) == reading
        assert packed(reading) == packed(unpacked(packed(reading)))


@given(
    st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), max_size=6),
    st.sampled_from([np.int32, np.int64, np.float32]),
)
@settings(deadline=None)
def test_rows_appended_are_the_file_that_numpy_writes(parts: list[list[int]], dtype: type[np.generic]) -> None:
    out, expected = BytesIO(), BytesIO()
    writer = NpyWriter(out, dtype)
    for part in parts:
        writer.append(np.array(part, dtype=dtype))
    writer.finish()
    np.save(expected, np.array([number for part in parts for number in part], dtype=dtype))
    assert out.getvalue() == expected.getvalue()


# Kept for a build that is started again


def test_what_is_kept_comes_back_and_what_is_damaged_does_not(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "building")
    spool.put(KEY, b"one")
    spool.put(OTHER, b"other" * 1000)
    assert not (tmp_path / "building").exists()  # a short build writes nothing
    spool.flush()
    (file,) = (tmp_path / "building").iterdir()
    again = Spool(tmp_path / "building")
    assert (again.get(KEY), again.get(OTHER), again.get(b"?" * 32)) == (b"one", b"other" * 1000, None)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    changed = Spool(tmp_path / "building")
    assert (changed.get(KEY), changed.get(OTHER), changed.damaged) == (b"one", None, 1)
    file.write_bytes(data[:-10])
    cut = Spool(tmp_path / "building")
    assert (cut.get(KEY), cut.get(OTHER), cut.damaged) == (b"one", None, 1)
    cut.put(OTHER, b"anew")
    cut.flush()
    assert Spool(tmp_path / "building").get(KEY) == b"one"
    cut.remove()
    assert not (tmp_path / "building").exists()


@given(cut=st.integers(0, 300), flip=st.integers(0, 300))
@settings(deadline=None, max_examples=60)
def test_no_damage_brings_back_other_content(cut: int, flip: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("spool") / "building"
    spool = Spool(folder)
    given_ = {bytes([n]) * 32: f"content {n}".encode() for n in range(4)}
    for key, value in given_.items():
        spool.put(key, value)
    spool.flush()
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    data[flip % len(data)] ^= 0x55
    file.write_bytes(data[: len(data) - cut % len(data)])
    read = Spool(folder)
    assert all(read.get(key) in (None, value) for key, value in given_.items())


def test_a_disk_that_is_full_costs_the_spool_and_not_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.spool, "SECONDS", 0.0)
    (tmp_path / "building").write_text("in the way")
    write_snapshot(many(3), FakeEncoder(), tmp_path)
    assert content(tmp_path)["documents"]


def test_another_encoder_or_other_code_prepares_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = packed(next(many()))
    keys = {preparer_of(one).key_of(reading) for one in (FakeEncoder(), FakeEncoder("another"))}
    monkeypatch.setattr("index.prepared.preparing_version", lambda: "another")
    keys.add(preparer_of(FakeEncoder()).key_of(reading))
    assert len(keys) == 3


# Killed

SCRIPT = """
import os, signal, sys
sys.path[:0] = {paths!r}
import index.spool
index.spool.SECONDS = 0.0
from built import many
from fake_encoder import FakeEncoder
from index.build import write_snapshot
from index.preparing import spool_of
from pathlib import Path

at = {at!r}

def told(what, done, total):
    if (what, done) == at:
        os.kill(os.getpid(), signal.SIGKILL)

spool = spool_of(Path({folder!r}))
write_snapshot(many(), FakeEncoder(), Path({folder!r}), told, spool=spool)
print(spool.taken)
"""


def run(folder: Path, at: tuple[str, int] | None) -> subprocess.CompletedProcess[str]:
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
    script = SCRIPT.format(paths=paths, at=at, folder=str(folder))
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)


def test_a_build_killed_at_any_point_goes_on_from_there(whole: Path, tmp_path: Path) -> None:
    chunks = len(content(whole)["chunks"])  # type: ignore[arg-type]
    # (where it is killed, how many of the 24 documents are kept then)
    points = [(("読み込み", 1), 1), (("読み込み", 9), 9), (("単語の索引", 0), 24), (("意味の索引", chunks), 24)]
    for at, kept in points:
        killed = run(tmp_path, at)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not (tmp_path / "CURRENT").exists()
        assert len(list((tmp_path / "building").iterdir())) == kept
    done = run(tmp_path, None)
    assert (done.returncode, done.stdout) == (0, "24\n"), done.stderr
    assert content(tmp_path) == content(whole)
    assert not (tmp_path / "building").exists()
    assert [p.name for p in (tmp_path / "snapshots").iterdir()] == [(tmp_path / "CURRENT").read_text().strip()]


def test_a_damaged_file_of_a_killed_build_is_made_anew(whole: Path, tmp_path: Path) -> None:
    assert run(tmp_path, ("単語の索引", 0)).returncode == -signal.SIGKILL
    files = sorted((tmp_path / "building").iterdir())
    for number, file in enumerate(files):
        data = bytearray(file.read_bytes())
        if number % 3 == 1:
            data[len(data) // 2] ^= 0xFF
        file.write_bytes(data[: len(data) // 2] if number % 3 == 2 else data)
    (tmp_path / "building" / "left.half").write_bytes(b"half")
    done = run(tmp_path, None)
    assert (done.returncode, int(done.stdout)) == (0, len(range(0, len(files), 3))), done.stderr
    assert content(tmp_path) == content(whole)


INDEXING = """
import sys
sys.path.insert(0, {root!r})
import index.spool
index.spool.SECONDS = 0.0
from assistant.cli import main
main(["index", {source!r}, "--index-dir", {folder!r}, "--json"])
"""


def test_the_command_killed_from_outside_reads_only_what_was_not_read(tmp_path: Path) -> None:
    sheets, place = put_samples(tmp_path / "資料"), tmp_path / "索引"
    script = INDEXING.format(root=str(Path(__file__).parents[1]), source=str(sheets), folder=str(place))
    env = {**os.environ, "HYOKA_JOBS": "2"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.DEVNULL, env=env, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and not list(place.glob("building/*")):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    kept = len([file for file in place.glob("building/*") if file.suffix != ".half"])
    assert kept and not (place / "CURRENT").exists()
    again = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240, env=env)
    report = json.loads(again.stdout)
    assert kept <= report["resumed"] <= len(report["files"])
    assert report["sections_per_second"] > 0 and report["reused"] == 0
    fresh = Intake(find_files([sheets]), LIMIT, jobs=2, preparer=preparer_of(load_encoder()))
    build(fresh, load_encoder(), tmp_path / "fresh").close()
    assert content(place) == content(tmp_path / "fresh")
    assert not (place / "building").exists()


class Large:
    """A large model's stand-in: an encoder without a vector a word, which counts what it is given."""

    def __init__(self, of: Encoder) -> None:
        self.name, self.digest, self.dim, self._of, self.texts = "large", "digest of large", of.dim, of, 0

    def encode(self, texts: list[str], kind: str) -> np.ndarray:
        self.texts += len(texts)
        return self._of.encode(texts, kind)  # type: ignore[arg-type]


def test_what_a_large_model_has_encoded_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.windows._TEXTS", 40)
    monkeypatch.setattr(index.spool, "SECONDS", 0.0)
    once = Large(FakeEncoder())
    write_snapshot(many(), once, tmp_path / "once")

    def stop(what: str, done: int, total: int) -> None:
        if what == "単語の索引":
            raise KeyboardInterrupt

    stopped, after = Large(FakeEncoder()), Large(FakeEncoder())
    with pytest.raises(KeyboardInterrupt):
        write_snapshot(many(), stopped, tmp_path / "twice", stop)
    write_snapshot(many(), after, tmp_path / "twice", spool=spool_of(tmp_path / "twice"))
    assert stopped.texts == 120 and once.texts - after.texts == 120  # three windows of forty
    assert content(tmp_path / "twice") == content(tmp_path / "once")


def test_the_pace_says_nothing_before_it_is_known() -> None:
    clock = iter([0.0, 1.0, 10.0, 20.0]).__next__
    pace = Pace(clock)
    told = [pace(0, 4, 0), pace(1, 4, 1500), pace(2, 4, 15_000), pace(4, 4, 60_000)]
    assert told == ["", "", "毎秒1,500欄・残り約10秒", "毎秒3,000欄"]
