"""Faults put into an index and what becomes of them: told in one sentence with the next step, and nothing wrong is served.

What kills do is in test_kills.py; the table of all faults is docs/faults.md.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from fakes import FakeAssistant

import index.manifest
import index.publishing
from assistant.cli import run
from assistant.clock import BELIEVED, SteadyClock
from assistant.conversations import ConversationBook
from assistant.metrics import Metrics
from assistant.payload import answer_json
from assistant.recorder import Recorder
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from assistant.upkeep import Upkeep, open_upkeep
from corpus.errors import HyokaError, IndexDamaged, IndexFolderError, IndexOutdated
from corpus.readers import read_document
from corpus.reading import read_sheets
from evals.benchmarks.kills import write_sheets
from index.build import build, finish
from index.database import SQLiteDatabase
from index.fusion import Weights
from index.manifest import CURRENT, MANIFEST, SNAPSHOTS, Manifest, current, read_manifest
from index.snapshot import Snapshot
from index.tuning.store import TUNING, Tuning, load, save
from index.types import Filters
from index.update import compact, update

HERE = Path(__file__).parent
QUESTION = "図書館運営事業の今後の計画は"


@pytest.fixture
def sheets(here: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve sheets in ``資料``, and the same with another plan in ``新資料``; files are read in this process."""
    monkeypatch.setenv("HYOKA_JOBS", "0")
    write_sheets(Path("資料"), 12)
    write_sheets(Path("新資料"), 12, plan="来年度に大きく見直す。")
    return Path("資料")


def one_sentence(told: str) -> str:
    """The last line of what was said, which must be whole sentences with a next step."""
    line = told.strip().splitlines()[-1]
    assert line.endswith("ください。"), told
    assert "Traceback" not in told and "予期しない" not in told
    return line


def served(folder: Path = Path(".hyoka/index")) -> list[tuple[str, str]]:
    """The texts of all sections."""
    snapshot = Snapshot.open(folder, FakeEncoder("fake"))
    found = [(row.sheet.sheet_id, row.section.text) for row in snapshot.sections()]
    snapshot.close()
    return found


# ---- no room, no permission ----------------------------------------------------------------------------------------


def in_namespace(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python script in a mount namespace of its own; the test is skipped where the machine does not allow that."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk (unshare -m); the limit of a file's size is tested instead")
    return subprocess.run(
        ["unshare", "-m", sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=300
    )


def test_a_full_disk_keeps_the_old_index_and_then_a_read_only_one_serves(sheets: Path) -> None:
    Path("disk").mkdir()
    rooms = [0, 64, 200, 330, 390]
    told = in_namespace(str(HERE / "full_disk.py"), "disk", "資料", "新資料", *map(str, rooms))
    assert told.returncode == 0, told.stderr
    *full, after, reading = map(json.loads, told.stdout.splitlines())
    for room, code, said, status, listed, kept, _ in full:
        if code:
            assert "ディスクの空きがありません" in one_sentence(said) and "これまでの索引はそのまま使えます" in said
            assert kept
        assert status == 0 and listed.count("\n") == 13, room
    assert [code for _, code, *_ in full[:3]] == [1, 1, 1]
    _, code, _, status, listed, rest = after
    assert code == status == 0 and listed.count("\n") == 13
    assert set(rest) <= {".lock", "CURRENT", "digests.json", "snapshots"}  # what the failed runs left is gone
    # Mounted anew for reading only: asked as before, and what writes says why it cannot.
    assert reading["asked"] == 0 and reading["sheets"] == listed
    for written in ("index", "compact"):
        assert "読み取り専用" in one_sentence(reading[written]) or "書き込めるフォルダー" in reading[written]
    assert "権限" in one_sentence(reading["tune"])


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Inside, no file grows past ``size`` bytes: what a full disk is like, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 300, 4_000, 12_000, 30_000])
def test_files_that_cannot_be_written_to_their_end_keep_the_old_index(
    sheets: Path, capfd: pytest.CaptureFixture[str], size: int
) -> None:
    assert run(["index", "資料"]) == 0
    before = served()
    with no_file_over(size), pytest.raises(IndexFolderError) as problem:
        readings = ((d := read_document(f, f.name), read_sheets(d)) for f in sorted(Path("新資料").iterdir()))
        build(readings, FakeEncoder("fake"), Path(".hyoka/index"))
    assert "に索引を書き込めません" in one_sentence(problem.value.message)
    assert served() == before
    assert run(["index", "新資料", "--whole"]) == 0 and served() != before
    assert not list(Path(".hyoka/index/snapshots").glob(".*"))


def as_nobody(work: Callable[[], None]) -> None:
    """Runs ``work`` in a forked process that permissions hold for: root is above them."""
    pid = os.fork()
    if not pid:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def open_to_all(place: Path) -> None:
    """Lets everybody read what stands in a folder, and reach it."""
    for one in (place, *place.rglob("*")):
        one.chmod(0o777 if one.is_dir() else 0o644)
    for parent in place.resolve().parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)


def test_files_that_may_not_be_read_or_written_are_told_and_are_no_damage(
    sheets: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Once as who we are: another user may not be let in to where Python's modules stand.
    for arguments in (["index", "資料"], ["index", "--compact"], ["sheets"]):
        assert run(arguments) == 0
    folder = Path(".hyoka/index").resolve()
    open_to_all(folder)
    live = folder / SNAPSHOTS / current(folder)

    for file in (live / "records.sqlite", live / MANIFEST, folder / CURRENT):
        file.chmod(0)

        def closed() -> None:
            with pytest.raises(IndexDamaged) as problem:
                Snapshot.open(folder, FakeEncoder("fake"))
            assert "読む権限がありません" in one_sentence(problem.value.message)

        as_nobody(closed)
        file.chmod(0o644)
    assert not (live / ".damaged").exists()
    for one in (folder, *folder.rglob("*")):
        if one.is_dir():
            one.chmod(0o555)

    def written() -> None:
        assert run(["sheets", "--index-dir", str(folder)]) == 0
        for arguments in (["index", "資料"], ["index", "--compact"]):
            assert run([*arguments, "--index-dir", str(folder)]) == 1

    as_nobody(written)
    told = capfd.readouterr().err
    assert told.count("に索引を作れません（Permission denied）。書き込めるフォルダーを指定してください。") == 2
    open_to_all(folder)
    assert served(folder)


# ---- damage --------------------------------------------------------------------------------------------------------


@dataclass
class City:
    """A served index with an addition, weights and an original, and a newer one beside it that is not served yet."""

    folder: Path
    upkeep: Upkeep
    before: list[str]

    def says(self) -> list[str]:
        live = self.upkeep.live
        answer = live.ask(QUESTION)
        hits = live.index.search("図書館", 5).hits
        return [live.index.version, answer.answer, *(hit.text for hit in hits)]


@pytest.fixture
def city(sheets: Path) -> Iterator[City]:
    folder = Path(".hyoka/index")
    assert run(["index", "資料"]) == 0
    first = Snapshot.open(folder, FakeEncoder("fake"))
    upkeep = open_upkeep(replace_settings(), first)
    made = City(folder, upkeep, [])
    made.before = made.says()
    draw = [read_document(file, file.name) for file in sorted(Path("新資料").iterdir())[:1]]
    update(folder, FakeEncoder("fake"), ((d, read_sheets(d)) for d in draw), ["sheet07.txt"])
    tuned = Tuning(replace(Weights(), low=0.35), first.encoder.digest, "v", datetime.now(UTC), {})
    save(folder, tuned)
    (folder / "originals").mkdir()
    yield made
    upkeep.live.index.close()  # type: ignore[attr-defined]


def replace_settings():  # type: ignore[no-untyped-def]
    return load_settings(index_dir=Path(".hyoka/index"), watch_seconds=0, answer_cache=0)


def damages(data: bytes, draw: random.Random) -> dict[str, bytes]:
    """A flipped bit, and half of it."""
    at = draw.randrange(len(data))
    flipped = data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
    return {"a flipped bit": flipped, "the first half": data[: len(data) // 2]}


def test_every_file_of_a_new_snapshot_damaged_in_turn_is_found_and_the_server_keeps_the_old_one(city: City) -> None:
    draw = random.Random(9)
    new = city.folder / SNAPSHOTS / current(city.folder)
    files = sorted(file for file in new.rglob("*") if file.is_file() and file.stat().st_size)
    names = {file.relative_to(new).as_posix() for file in files}
    assert {"manifest.json", "records.sqlite", "removed.npy", "vectors.faiss", "parts/0001/records.sqlite"} <= names
    assert len(files) > 40
    for file in [*files, city.folder / CURRENT]:
        whole = file.read_bytes()
        for how, data in damages(whole, draw).items():
            # A file of its own, as a disk that forgets has one: links share what is written into them.
            file.unlink()
            file.write_bytes(data)
            assert not city.upkeep.live.check(now=True), (file, how)
            problem = one_sentence(city.upkeep.live.problem)
            assert "索引" in problem
            assert city.says() == city.before
            with pytest.raises((IndexDamaged, IndexOutdated)):
                Snapshot.open(city.folder, FakeEncoder("fake"))
            (new / ".damaged").unlink(missing_ok=True)
        file.write_bytes(whole)
    assert city.upkeep.live.check(now=True) and city.upkeep.live.index.version == new.name
    assert city.says() != city.before


def test_no_flipped_bit_of_a_manifest_or_of_tuned_weights_goes_unseen(city: City) -> None:
    draw = random.Random(10)
    manifest = city.folder / SNAPSHOTS / current(city.folder) / MANIFEST
    text = manifest.read_bytes()
    meant = Manifest.loads(text.decode())
    unseen = 0
    for at in range(len(text)):
        flipped = text[:at] + bytes([text[at] ^ 1 << draw.randrange(8)]) + text[at + 1 :]
        try:
            read = Manifest.loads(flipped.decode())
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        unseen += 1  # another kind of white space, or a letter of \u0041 in its other case
        assert read == meant, at
    assert unseen < len(text) / 10
    weights = (city.folder / TUNING).read_bytes()
    for at in range(len(weights)):
        (city.folder / TUNING).write_bytes(
            weights[:at] + bytes([weights[at] ^ 1 << draw.randrange(8)]) + weights[at + 1 :]
        )
        tuning, problem = load(city.folder, "digest of fake")
        if tuning is None:
            assert "は使えません" in problem or "別の埋め込みモデル" in problem
            assert "hyoka tune" in problem and problem.endswith("ください。")
        else:
            assert tuning.weights.low == 0.35 and asdict(tuning.weights) == asdict(replace(Weights(), low=0.35))


def test_damaged_memories_of_earlier_runs_cost_time_and_nothing_else(sheets: Path) -> None:
    assert run(["index", "資料"]) == 0
    for file in sorted(sheets.iterdir()):
        os.utime(file, (1_600_000_000, 1_600_000_000))
    before = served()
    draw = random.Random(11)
    digests = Path(".hyoka/index/digests.json")
    for how in range(6):
        digests.write_text(json.dumps({str(n): [[1, 2, 3, 4, 5], "ab" * 32] for n in range(3)}))
        data = digests.read_bytes()
        digests.write_bytes(list(damages(data, draw).values())[how % 2])
        assert run(["index", "資料"]) == 0 and served() == before
    building = Path(".hyoka/index/building")
    building.mkdir()
    (building / "a").write_bytes(b"hyoka spool 1\n" + bytes(draw.randrange(256) for _ in range(500)))
    assert run(["index", "資料", "--whole"]) == 0 and served() == before and not building.exists()


def test_damage_is_not_written_into_the_next_index(sheets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", "資料"]) == 0
    folder = Path(".hyoka/index")
    before = served()
    live = folder / SNAPSHOTS / current(folder)
    for name in ("vectors.faiss", "records.sqlite"):
        live = folder / SNAPSHOTS / current(folder)
        data = bytearray((live / name).read_bytes())
        data[-200] ^= 4
        (live / name).write_bytes(data)
        capsys.readouterr()
        assert run(["index", "--compact"]) == (1 if name == "records.sqlite" else 0) or name == "vectors.faiss"
        # The files are there, so the index is made anew from them, without anybody asking for it.
        assert run(["index", "資料"]) == 0
        assert served() == before


# ---- clocks --------------------------------------------------------------------------------------------------------


class Clock(datetime):
    """A clock that tests set."""

    at = datetime(2031, 5, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):  # type: ignore[no-untyped-def,override]
        return cls.at


def test_snapshots_stay_in_their_order_when_the_clock_is_set_back(
    sheets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(".hyoka/index")
    monkeypatch.setattr(index.publishing, "datetime", Clock)
    names = []
    for year, source in ((2031, "資料"), (2001, "新資料"), (1970, "資料"), (2099, "新資料"), (2026, "資料")):
        Clock.at = datetime(year, 5, 1, tzinfo=UTC)
        assert run(["index", source, "--whole"]) == 0
        names.append(current(folder))
        assert names == sorted(names)
        kept = sorted(one.name for one in (folder / SNAPSHOTS).iterdir())
        assert kept == names[-2:]  # the one that is served, and the one before it for those who have it open
        assert read_manifest(folder, names[-1]).created == Clock.at

    class NoEngine:
        """An engine that takes everything."""

        def publish(self, folder, name, tell) -> None: ...

        def sweep(self, folder, kept) -> None: ...

    assert finish(folder, NoEngine()) == names[-1]  # type: ignore[arg-type]


def test_a_clock_that_jumps_while_serving_deletes_no_conversation() -> None:
    class Time:
        """The machine's clock, and the seconds that have really passed."""

        wall, passed = datetime(2026, 4, 1, tzinfo=UTC), 0.0

        def go(self, **how: float) -> None:
            step = timedelta(**how)
            self.wall, self.passed = self.wall + step, self.passed + step.total_seconds()

    now = Time()
    clock = SteadyClock(lambda: now.wall, lambda: now.passed)
    book, asker = ConversationBook(SQLiteDatabase(), clock=clock), FakeAssistant()
    talk = book.add("ひと", "", "図書館は", answer_json(asker.ask("図書館は"), asker.index), Filters())
    now.go(hours=2)
    now.wall += timedelta(days=3650)
    assert [one.id for one in book.listing("ひと")] == [talk]
    assert clock() == datetime(2026, 4, 1, 2, tzinfo=UTC)
    now.wall -= timedelta(days=2 * 3650)
    assert [one.id for one in book.listing("ひと")] == [talk]
    now.wall += timedelta(days=3650)
    now.go(hours=1)
    assert clock() == now.wall == datetime(2026, 4, 1, 3, tzinfo=UTC)
    # A clock that was wrong from the beginning and is put right is believed in the end.
    now.wall += timedelta(days=30)
    clock()
    for _ in range(25):
        now.go(seconds=BELIEVED / 24)
        seen = clock()
    assert seen == now.wall
    now.go(days=91)
    for _ in range(3):
        now.go(hours=20)
        clock()
    assert book.listing("ひと") == []  # what is old goes all the same


# ---- the store -----------------------------------------------------------------------------------------------------


def test_answers_go_on_where_the_store_cannot_be_written(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path / "store.sqlite")
    asker = Recorder(FakeAssistant(), store, Metrics())
    asker.ask("図書館は")
    wal = tmp_path / "store.sqlite-wal"
    with no_file_over(wal.stat().st_size):
        assert asker.ask("斎場は").answer
        with pytest.raises(HyokaError) as problem:
            store.add("up", "斎場は", "こたえ")
        assert "保存先のファイルに読み書きできません" in problem.value.message
    store.add("up", "道路は", "こたえ")
    assert store.count("up") == 1
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_one_word_of_compaction_reads_every_record(sheets: Path) -> None:
    assert run(["index", "資料"]) == 0
    folder = Path(".hyoka/index")
    records = folder / SNAPSHOTS / current(folder) / "records.sqlite"
    data = bytearray(records.read_bytes())
    data[-200] ^= 1
    records.write_bytes(data)
    with pytest.raises(IndexDamaged) as problem:
        compact(folder, FakeEncoder("fake"))
    assert "records.sqlite が壊れています" in one_sentence(problem.value.message)
