"""Backups taken while everything goes on, and put back: the same answers byte for byte, and nothing lost by trying."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from test_faults import no_file_over, one_sentence

from assistant.archive import Backup, unpack, writing_archive
from assistant.backup import back_up
from assistant.cli import run
from assistant.metrics import Metrics
from assistant.payload import answer_json
from assistant.recorder import Recorder
from assistant.restore import restore
from assistant.session import Assistant
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from assistant.types import Turn
from assistant.upkeep import open_upkeep
from corpus.errors import BackupDamaged, BackupError, IndexDamaged
from corpus.readers import read_document
from corpus.reading import read_sheets
from evals.benchmarks.kills import write_sheets
from index.build import build
from index.encoder import load_encoder
from index.manifest import SNAPSHOTS, current, read_manifest
from index.snapshot import Snapshot
from index.types import Filters
from index.update import update

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "corpus" / "samples" / "files"
CASES = [json.loads(line) for line in (ROOT / "evals" / "cases" / "bundled.jsonl").read_text("utf-8").splitlines()]
QUESTION = "図書館運営事業の今後の計画は"


@pytest.fixture
def city(here: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An index of twelve sheets with synonyms, weights and settings of its own, and a store with something in it."""
    monkeypatch.setenv("HYOKA_JOBS", "0")
    Path("hyoka.toml").write_text('history_days = 30\nforms = "様式"\n')
    Path("様式").mkdir()
    Path("様式/fields.toml").write_text("")
    write_sheets(Path("資料"), 12)
    assert run(["index", "資料"]) == 0
    Path(".hyoka/index/synonyms.toml").write_text('synonyms = [\n  ["図書館", "ライブラリー"],\n]\n')
    Path(".hyoka/index/access.toml").write_text("# 利用者\n")
    with_one_opinion(settings().feedback_file or tmp_path / "state/hyoka/feedback.sqlite")
    return tmp_path


def with_one_opinion(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    store = FeedbackStore(file)
    store.add("up", "図書館は", "こたえ")
    store.close()


def settings(**flags):  # type: ignore[no-untyped-def]
    return load_settings(watch_seconds=0.05, answer_cache=0, **flags)


def opinions(file: Path) -> list[str]:
    db = sqlite3.connect(file)
    found = [row[0] for row in db.execute("select question from feedback order by id")]
    db.close()
    return found


def answers(folder: Path, questions: list[str]) -> list[str]:
    """What is answered from an index, as JSON, but for the time it took."""
    snapshot = Snapshot.open(folder, FakeEncoder("fake"))
    told = [answer_json(Assistant(snapshot).ask(one), snapshot).model_copy(update={"took_ms": 0}) for one in questions]
    snapshot.close()
    return [one.model_dump_json() for one in told]


def elsewhere(monkeypatch: pytest.MonkeyPatch, place: Path) -> Path:
    """Another machine, as far as hyoka sees: another folder to work in, and another state folder."""
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    return place


def test_everything_comes_back_on_another_machine(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = answers(Path(".hyoka/index"), [QUESTION, "令和5年度の決算額が大きい順に3つ教えて"])
    assert run(["backup", "控え.tar"]) == 0
    assert Path("控え.tar").stat().st_mode & 0o077 == 0
    assert [one.name for one in Path().glob(".控え*")] == []
    place = elsewhere(monkeypatch, city / "ほか")
    assert run(["restore", str(city / "控え.tar")]) == 0
    assert answers(Path(".hyoka/index"), [QUESTION, "令和5年度の決算額が大きい順に3つ教えて"]) == before
    for name in ("hyoka.toml", "様式/fields.toml", ".hyoka/index/synonyms.toml", ".hyoka/index/access.toml"):
        assert (place / name).read_bytes() == (city / name).read_bytes()
    assert opinions(place / "state/hyoka/feedback.sqlite") == ["図書館は"]
    assert settings().history_days == 30
    assert run(["doctor"]) == 0
    assert not list(Path(".hyoka/index").glob(".restoring*"))


def test_the_answers_to_all_bundled_questions_are_the_same_byte_for_byte(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    documents = [read_document(path, path.name) for path in sorted(SAMPLES.iterdir()) if path.suffix != ".md"]
    build(((one, read_sheets(one)) for one in documents), load_encoder(), Path("index")).close()

    def told(folder: Path) -> list[str]:
        snapshot = Snapshot.open(folder)
        assistant = Assistant(snapshot)
        found = []
        for case in CASES:
            history = tuple(Turn("user", one) for one in case["history"])
            filters = Filters(municipality=tuple(case["municipality"]))
            answer = answer_json(assistant.ask(case["question"], history, filters), snapshot)
            found.append(answer.model_copy(update={"took_ms": 0}).model_dump_json())
        snapshot.close()
        return found

    back_up(settings(index_dir=Path("index")), Path("a.tar"))
    before = told(Path("index"))
    restore(Path("a.tar"), Path("ほか/index"))
    assert told(Path("ほか/index")) == before and len(before) > 160


def test_backups_taken_while_people_ask_and_indexes_are_published_are_each_of_one_moment(city: Path) -> None:
    folder = Path(".hyoka/index")
    encoder = FakeEncoder("fake")
    upkeep = open_upkeep(settings(), Snapshot.open(folder, encoder))
    file = city / "state/hyoka/feedback.sqlite"
    store = FeedbackStore(file)
    asker = Recorder(upkeep.live, store, Metrics())
    upkeep.live.start()
    stop, before_all = threading.Event(), current(folder)
    wrong: list[BaseException] = []
    asked = [0, 0]

    def going_on(work) -> threading.Thread:  # type: ignore[no-untyped-def]
        def run_on() -> None:
            while not stop.is_set():
                try:
                    work()
                except BaseException as problem:
                    wrong.append(problem)
                    return

        return threading.Thread(target=run_on)

    def asking() -> None:
        assert asker.ask(QUESTION).citations
        store.add("up", f"質問{asked[0]}", "こたえ")
        asked[0] += 1

    def publishing() -> None:
        asked[1] += 1
        write_sheets(Path("新資料"), 1, plan=f"{asked[1]}回目に大きく見直す。")
        document = read_document(Path("新資料/sheet00.txt"), "sheet00.txt")
        update(folder, encoder, [(document, read_sheets(document))])

    threads = [going_on(asking), going_on(publishing)]
    for thread in threads:
        thread.start()
    made: list[Backup] = []
    while (len(made) < 5 or asked[0] < 3 or asked[1] < 6) and not wrong and len(made) < 50:
        made.append(back_up(settings(), Path(f"{len(made)}.tar")))
    stop.set()
    for thread in threads:
        thread.join()
    upkeep.live.stop()
    assert not wrong
    assert len({one.snapshot for one in made}) > 1  # else nothing was published meanwhile
    seen = 0
    for number, one in enumerate(made[:8]):
        place = Path(f"ort{number}")
        unpack(Path(f"{number}.tar"), place)
        assert current(place / "index") == one.snapshot == read_manifest(place / "index", one.snapshot).id
        published = "回目に大きく見直す" in answers(place / "index", [QUESTION])[0]
        assert published == (one.snapshot != before_all)
        said = opinions(place / "store/feedback.sqlite")
        assert said == ["図書館は", *(f"質問{n}" for n in range(len(said) - 1))] and len(said) >= seen
        seen = len(said)
    # And back under the running server, which has the store open.
    upkeep.live.check(now=True)
    with pytest.raises(BackupError) as refused:
        restore(Path("0.tar"))
    assert "--force" in one_sentence(refused.value.message)
    assert current(folder) != made[0].snapshot
    before = answers(Path("ort0/index"), [QUESTION])
    _, said = restore(Path("0.tar"), force=True)
    assert any("feedback.sqlite.before-restore" in one for one in said)
    upkeep.live.check(now=True)
    assert asker.index.version == made[0].snapshot and answers(folder, [QUESTION]) == before
    store.add("up", "もどしたあと", "こたえ")
    assert opinions(file)[-1] == "もどしたあと" and opinions(file)[:-1] == opinions(Path("ort0/store/feedback.sqlite"))
    assert len(opinions(Path(f"{file}.before-restore"))) == asked[0] + 1
    publishing()  # what is built next is newer than what was put back, whatever it was called
    assert current(folder) > made[0].snapshot
    upkeep.live.index.close()  # type: ignore[attr-defined]
    store.close()


def test_no_damaged_archive_is_put_back(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", "a.tar"]) == 0
    whole = Path("a.tar").read_bytes()
    before = {path: path.read_bytes() for path in Path(".hyoka").rglob("*") if path.is_file()}
    draw = random.Random(12)
    damaged = [whole[: draw.randrange(len(whole))] for _ in range(6)]
    for _ in range(24):
        at = draw.randrange(len(whole))
        damaged.append(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
    damaged += [b"", b"not a backup", whole[:512] * 3]
    refused = 0
    for data in damaged:
        Path("b.tar").write_bytes(data)
        shutil.rmtree("ausgepackt", ignore_errors=True)
        try:
            told = unpack(Path("b.tar"), Path("ausgepackt"))
        except BackupDamaged as problem:
            refused += 1
            assert "控え" in one_sentence(problem.message)
            continue
        # A bit of the padding between files, of a time or of an owner: what it holds is what was written.
        assert told.files == unpack(Path("a.tar"), Path("ganz")).files
    assert refused > len(damaged) / 2
    Path("b.tar").write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    assert run(["restore", "b.tar", "--force"]) == 1
    assert "壊れています" in one_sentence(capsys.readouterr().err)
    assert {path: path.read_bytes() for path in Path(".hyoka").rglob("*") if path.is_file()} == before


def test_an_archive_writes_nowhere_else(city: Path) -> None:
    for name in ("../draussen", "/tmp/draussen", "index/../../draussen", "index\\..\\draussen"):
        with writing_archive(Path("c.tar")) as archive:
            archive.add_bytes(name, b"nothing good")
            archive.finish("", {})
        with pytest.raises(BackupDamaged):
            unpack(Path("c.tar"), Path("drinnen"))
        assert not Path("draussen").exists()


def test_a_backup_that_fails_leaves_the_one_of_before(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", "a.tar"]) == 0
    whole = Path("a.tar").read_bytes()
    assert run(["backup", "a.tar"]) == 1 and "--force" in one_sentence(capsys.readouterr().err)
    for limit in (0, 5_000, 100_000, len(whole) - 1000):
        with no_file_over(limit), pytest.raises(BackupError) as problem:
            back_up(settings(), Path("a.tar"), force=True)
        assert "書き込めません" in problem.value.message or "写せません" in one_sentence(problem.value.message)
        assert Path("a.tar").read_bytes() == whole and not list(Path().glob(".a.tar*"))
    live = Path(".hyoka/index") / SNAPSHOTS / current(Path(".hyoka/index"))
    vectors = live / "vectors.faiss"
    data = bytearray(vectors.read_bytes())
    data[-9] ^= 2
    vectors.write_bytes(data)
    with pytest.raises(IndexDamaged) as damaged:
        back_up(settings(), Path("a.tar"), force=True)
    assert "控えは作りませんでした" in one_sentence(damaged.value.message)
    assert Path("a.tar").read_bytes() == whole
    # What it is for: the index is whole again.
    assert run(["doctor"]) == 1
    assert run(["restore", "a.tar", "--force"]) == 0 and run(["doctor"]) == 0


_RESTORING = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from assistant.restore import restore
print("ready", flush=True)
for _ in range(1000):
    restore(Path(sys.argv[1]), force=True)
    print("once", flush=True)
"""


def test_a_restore_that_is_killed_leaves_the_old_state_or_the_new(city: Path) -> None:
    folder = Path(".hyoka/index")
    file = city / "state/hyoka/feedback.sqlite"
    assert run(["backup", "a.tar"]) == 0
    first = answers(folder, [QUESTION])
    draw = random.Random(13)
    environment = {**os.environ, "XDG_STATE_HOME": str(city / "state")}
    for number in range(5):
        write_sheets(Path("資料"), 12, plan=f"{number}回目に見直す。")
        assert run(["index", "資料"]) == 0
        with_one_opinion(file)
        second, said = answers(folder, [QUESTION]), opinions(file)
        process = subprocess.Popen(
            [sys.executable, "-c", _RESTORING, "a.tar", str(ROOT)], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0, 0.3))
        process.kill()
        process.wait()
        assert answers(folder, [QUESTION]) in (first, second)
        assert opinions(file) in (["図書館は"], said)
        assert run(["restore", "a.tar", "--force"]) == 0
        assert answers(folder, [QUESTION]) == first and opinions(file) == ["図書館は"]
        assert not list(folder.glob(".restoring*")) and not list((folder / SNAPSHOTS).glob(".*"))


@pytest.fixture(autouse=True)
def no_forms_left() -> Iterator[None]:
    yield
    from corpus.forms.loader import use_forms

    use_forms(None)


def test_a_damaged_store_is_put_aside_and_replaced(city: Path) -> None:
    file = city / "state/hyoka/feedback.sqlite"
    assert run(["backup", "a.tar"]) == 0
    file.write_bytes(b"no database at all" * 50)
    with pytest.raises(BackupError):
        back_up(settings(), Path("b.tar"))
    assert not Path("b.tar").exists()
    assert run(["restore", "a.tar", "--force"]) == 0
    assert opinions(file) == ["図書館は"]
    assert Path(f"{file}.before-restore").read_bytes() == b"no database at all" * 50
