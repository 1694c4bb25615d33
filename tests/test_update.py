"""An index that was updated answers like one built of the same files, whatever was added, changed and taken out."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import pytest
from fake_encoder import FakeEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import index.snapshot
import index.update
from corpus.documents import Document, Event, Fact, Section, Sheet, SheetReading, Span
from corpus.errors import IndexFolderError, NothingToIndex
from corpus.periods import Period
from index.build import build
from index.manifest import current
from index.snapshot import Snapshot
from index.types import Filters, Passage, Vectors
from index.update import can_update, compact, needs_compaction, update

Reading = tuple[Document, list[SheetReading]]
Sheets = Sequence[tuple[str, str, int, str, Mapping[str, str]]]  # name, town, year, department, texts by label

YEAR = Period(date(2021, 4, 1), date(2022, 4, 1), "R3年度", "fiscal_year")
TOWNS = ("みなと野市", "碧原市")
NAMES = ("移動図書館運営", "斎場管理", "戸籍システム更改", "防災無線整備", "公園樹木剪定")
DEPARTMENTS = ("市民部 市民課", "環境課", "総務課")
TEXTS = (
    "戸籍の事務を正しく行う。",
    "サーバーの更改を令和4年度に行う。",
    "斎場の炉を保つ。",
    "利用の件数が伸びた。",
    "窓口の端末を増やす。",
    "図書館の本を車で運び、住民に貸す。",
    "無線の機器を入れ替える。",
    "公園の樹木を剪定し、道路の見通しをよくする。",
    "記録を残す文。" * 60,
)
QUERIES = ("サーバの更改", "斎場", "図書館の本", "剪定した樹木", "住民の窓口", "利用の件数", "火葬", "無線の入れ替え")


def document_of(file: str, sheets: Sheets) -> Reading:
    """A document that prints some sheets one after the other."""
    text, found = "", []
    for number, (name, town, year, department, parts) in enumerate(sheets):
        begin, sections = len(text), []
        text += f"{name}\n"
        for label, body in parts.items():
            start = len(text) + len(label) + 1
            text += f"{label}\t{body}\n"
            sections.append(Section(label, label, Span(start, start + len(body)), body))
        amount = 1000.0 * (1 + len(text))
        facts = (
            Fact("決算額", "決算額", amount, name[:1], "円", YEAR, "actual", Span(begin, begin + 1), Span(begin, begin + 2)),
            Fact("評価", "評価", None, "AB"[year % 2], "", None, None, Span(begin, begin + 1), Span(begin, begin + 2)),
        )  # fmt: skip
        events = (Event(YEAR, Span(begin, begin + 2), Span(begin, begin + 3), "更改"),)
        sheet_id = hashlib.sha256(f"{file}/{number}".encode()).hexdigest()[:12]
        sheet = Sheet(sheet_id, file, "programme", name, town, year, department, (Span(begin, len(text)),), "test")
        found.append(SheetReading(sheet, tuple(sections), facts, events, (f"{name}の注意",)))
    sha = hashlib.sha256(text.encode()).hexdigest()
    return Document(file, text, sha, "text", (), (f"{file} の注意",)), found


PARTS = st.fixed_dictionaries(
    {"事業の目的": st.sampled_from(TEXTS)},
    optional={
        "今後の計画": st.sampled_from(TEXTS),
        "旧事業名": st.sampled_from(NAMES),
        "担当者": st.just("港 太郎"),
    },
)
SHEETS = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.sampled_from(TOWNS), st.integers(2020, 2023), st.sampled_from(DEPARTMENTS), PARTS
    ),
    max_size=3,
)
FILES = st.sampled_from([f"{letter}.txt" for letter in "abcdefg"])
# One update: what files hold from now on (None: they are gone).
STEPS = st.lists(st.dictionaries(FILES, st.none() | SHEETS, min_size=1, max_size=3), min_size=1, max_size=6)
FIRST = st.dictionaries(FILES, SHEETS, max_size=5)
ALWAYS: Sheets = [("広報紙発行", TOWNS[0], 2021, "広報課", {"事業の目的": "広報紙を配り、住民に知らせる。"})]


def told(snapshot: Snapshot) -> dict[str, object]:
    """All that an index tells but its searches, in an order that does not depend on the files' order."""
    sheets = sorted(snapshot.sheets(), key=lambda one: one.sheet_id)
    ids = [one.sheet_id for one in sheets]
    counts = snapshot.word_counts()
    assert counts is not None
    return {
        "files": sorted(snapshot.files()),
        "readings": {document.file: (document, found) for document, found in snapshot.readings()},
        "documents": {file: snapshot.document(file) for file in snapshot.files()},
        "judgements": {file: snapshot.judgements(file) for file in snapshot.files()},
        "refused": sorted(snapshot.refused()),
        "report": (snapshot.report().warnings, snapshot.counts()),
        "sheets": sheets,
        "of a town": sorted(one.sheet_id for one in snapshot.sheets(Filters(municipality=(TOWNS[0],)))),
        "with a section": sorted(one.sheet_id for one in snapshot.sheets(Filters(section=("今後の計画",)))),
        "rated": sorted(one.sheet_id for one in snapshot.sheets(Filters(rating=("A",)))),
        "values": {one: snapshot.values(one) for one in ids},
        "sections": {one: [row.section for row in snapshot.sections([one])] for one in ids},
        "facts": {one: [row.fact for row in snapshot.facts([one])] for one in ids},
        "events": {one: [row.event for row in snapshot.events([one])] for one in ids},
        "all sections": sorted((row.sheet.sheet_id, row.section.span.start) for row in snapshot.sections()),
        "all facts": sorted((row.sheet.sheet_id, row.fact.field) for row in snapshot.facts()),
        "all events": sorted(row.sheet.sheet_id for row in snapshot.events()),
        "timelines": {one: [s.sheet_id for s in snapshot.timeline(one)] for one in ids},
        "word counts": (counts.sections, dict(counts.counts)),
        "chunks": snapshot.words.chunks,
        "respelled": [snapshot.respelled(query) for query in ("図書缶", "才場", "剪庭")],
    }


def hits_of(snapshot: Snapshot, query: str, filters: Filters) -> dict[tuple[str, int], Passage]:
    found = snapshot.search(query, 100, filters)
    return {(hit.sheet.sheet_id, hit.section.span.start): hit for hit in found.hits}


def assert_alike(one: Snapshot, other: Snapshot, tolerance: float, but: tuple[str, ...] = ()) -> None:
    """Both tell the same and find the same passages; scores may differ that much, and what stands at the edge of being
    shown may be shown by one alone. Coverage and cosine, which BM25 has no part in, are the same."""
    first, second = told(one), told(other)
    for what in first.keys() - {*but}:
        assert first[what] == second[what], what
    for sheet in one.sheets():
        near, right = (
            [s.score for s in index.similar(sheet.sheet_id, 100) if s.score > 0.26] for index in (one, other)
        )
        assert sorted(near) == pytest.approx(sorted(right), abs=1e-4)
    for query in QUERIES:
        for filters in (Filters(), Filters(municipality=(TOWNS[1],)), Filters(section=("今後の計画",))):
            found, expected = hits_of(one, query, filters), hits_of(other, query, filters)
            if not tolerance:
                assert found.keys() == expected.keys()
            best = max([0.0, *(hit.score for hit in (*found.values(), *expected.values()))])
            for key in found.keys() | expected.keys():
                hit, right = found.get(key), expected.get(key)
                if hit is not None and right is not None:
                    assert (hit.lexical, hit.dense) == pytest.approx((right.lexical, right.dense), abs=1e-5)
                    assert hit.score == pytest.approx(right.score, abs=tolerance or 1e-5)
                    assert hit.highlights == right.highlights and hit.matched == right.matched
                else:
                    score = (hit or right).score  # type: ignore[union-attr]
                    assert score <= max(0.3 * best, 0.18) + tolerance


def built(folder: Path, files: Mapping[str, Sheets], refused: Iterable[tuple[str, str]] = ()) -> Snapshot:
    return build((document_of(*one) for one in sorted(files.items())), FakeEncoder(), folder, refused=lambda: refused)


TOLERANCE = 0.15  # 0.107 was seen: in a handful of sheets, the removed ones still weigh on BM25


@given(first=FIRST, steps=STEPS, folded=st.sampled_from([0, 3, index.update.FOLDED]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_updated_index_answers_like_one_built_of_the_same_files(
    first: dict[str, Sheets], steps: list[dict[str, Sheets | None]], folded: int
) -> None:
    with tempfile.TemporaryDirectory() as place, patch.object(index.update, "FOLDED", folded):
        files = {"always.txt": ALWAYS, **first}
        live = Path(place) / "live"
        built(live, files).close()
        for step in steps:
            new = {file: sheets for file, sheets in step.items() if sheets is not None}
            gone = [file for file, sheets in step.items() if sheets is None]
            refused = [(file, "読めません。") for file in gone]
            told_of = update(
                live, FakeEncoder(), [document_of(*one) for one in new.items()], gone, refused=lambda r=refused: r
            )
            was = len(files)
            assert told_of.changed == len(new.keys() & files.keys()) and told_of.removed == len(
                files.keys() & set(gone)
            )
            files = {file: sheets for file, sheets in {**files, **new}.items() if file not in gone}
            assert told_of.added == len(files) - was + told_of.removed
            updated = Snapshot.open(live, FakeEncoder())
            whole = built(Path(place) / "whole", files, refused)
            assert_alike(updated, whole, TOLERANCE)
            updated.close()
        compacted = compact(live, FakeEncoder())
        assert not compacted.manifest.parts and not compacted.manifest.removed
        assert_alike(compacted, whole, 0.0)
        compacted.close()
        whole.close()


# ---- what an update writes, and what it leaves ------------------------------------------------------------------------


def city(count: int) -> dict[str, Sheets]:
    """Some files of two sheets each, all of them different."""
    return {
        f"{number:03}.txt": [
            (
                NAMES[(number + at) % len(NAMES)],
                TOWNS[number % 2],
                2020 + number % 4,
                DEPARTMENTS[number % 3],
                {
                    "事業の目的": TEXTS[number % 8],
                    "今後の計画": f"{TEXTS[(number + at) % 8]}これは{number}番目の{at}。",
                },
            )
            for at in range(2)
        ]
        for number in range(count)
    }


def test_an_update_links_what_stays_and_writes_an_addition(tmp_path: Path) -> None:
    files = city(6)
    first = built(tmp_path, files)
    first.close()
    made = update(tmp_path, FakeEncoder(), [document_of("001.txt", ALWAYS)])
    assert (made.added, made.changed, made.removed) == (0, 1, 0) and made.manifest.id == current(tmp_path)
    new = tmp_path / "snapshots" / made.manifest.id
    for name in ("records.sqlite", "vectors.faiss", "sheets.npy", "words/body.npy", "tables/sheet_name.npy"):
        assert (new / name).samefile(first.path / name)
        assert made.manifest.files[name] == first.manifest.files[name]
    segments = [name for name in first.manifest.files if name.startswith("lexical/") and name.endswith(".idx")]
    assert segments and all((new / name).samefile(first.path / name) for name in segments)
    assert [part.folder for part in made.manifest.parts] == ["parts/0001"]
    # The old snapshot is as it was, for those who have it open.
    assert Snapshot(first.path, first.manifest, FakeEncoder(), first.synonyms).files() == sorted(files)


def test_where_nothing_has_changed_nothing_is_written(tmp_path: Path) -> None:
    built(tmp_path, city(3)).close()
    before = current(tmp_path)
    made = update(tmp_path, FakeEncoder(), [], ["none.txt"])
    assert (made.added, made.changed, made.removed, made.manifest.id) == (0, 0, 0, before) and current(
        tmp_path
    ) == before
    assert [one.name for one in (tmp_path / "snapshots").iterdir()] == [before]


def test_small_additions_become_one_and_large_ones_ask_for_a_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(tmp_path, city(3)).close()
    for number in range(6):
        made = update(tmp_path, FakeEncoder(), [document_of(f"new{number}.txt", ALWAYS)])
    assert len(made.manifest.parts) == 1 and not needs_compaction(made.manifest)
    monkeypatch.setattr(index.update, "FOLDED", 0)
    for number in range(index.update.MOST_OPEN - 1):
        assert needs_compaction(made.manifest) == (len(made.manifest.parts) > index.update.MOST_PARTS)
        made = update(tmp_path, FakeEncoder(), [document_of(f"more{number}.txt", ALWAYS)])
    assert len(made.manifest.parts) == index.update.MOST_OPEN and not can_update(made.manifest, FakeEncoder())
    opened = Snapshot.open(tmp_path, FakeEncoder())
    assert len(opened.files()) == 3 + 6 + 7
    opened.close()
    with pytest.raises(IndexFolderError):
        update(tmp_path, FakeEncoder(), [document_of("a.txt", ALWAYS)])
    compacted = compact(tmp_path, FakeEncoder())
    assert len(compacted.files()) == 3 + 6 + 7 and not needs_compaction(compacted.manifest)
    compacted.close()


def test_an_update_that_would_leave_nothing_leaves_the_old_index(tmp_path: Path) -> None:
    built(tmp_path, city(1)).close()
    before = current(tmp_path)
    with pytest.raises(NothingToIndex):
        update(tmp_path, FakeEncoder(), [], ["000.txt"])
    with pytest.raises(IndexFolderError):
        update(tmp_path, FakeEncoder(), [], ["000.txt"], expected="another")
    with pytest.raises(IndexFolderError):
        update(tmp_path, FakeEncoder("another"), [], ["000.txt"])
    assert current(tmp_path) == before and [one.name for one in (tmp_path / "snapshots").iterdir()] == [before]


def test_of_a_city_with_one_file_in_twenty_changed_scores_are_nearly_those_of_a_build(tmp_path: Path) -> None:
    files = city(60)
    built(tmp_path / "live", files).close()
    new = {f"{number:03}.txt": [*files[f"{number + 1:03}.txt"], *ALWAYS] for number in (7, 23, 41)}
    update(tmp_path / "live", FakeEncoder(), [document_of(*one) for one in new.items()])
    updated, whole = Snapshot.open(tmp_path / "live", FakeEncoder()), built(tmp_path / "whole", {**files, **new})
    assert_alike(updated, whole, 0.01)
    updated.close()
    whole.close()


_UPDATING = """
import sys
from pathlib import Path
from typing import Literal
sys.path[:0] = sys.argv[2:]
from fake_encoder import FakeEncoder
from test_update import ALWAYS, document_of
from index.update import update
for number in range(1, 1000):
    told = [(*ALWAYS[0][:4], {"事業の目的": f"{number}回目の記録。"})]
    update(Path(sys.argv[1]), FakeEncoder(), [document_of("a.txt", told), document_of("b.txt", told)])
    print(number, flush=True)
"""


def test_an_update_that_is_killed_at_any_moment_leaves_the_old_index_or_the_new(tmp_path: Path) -> None:
    built(tmp_path, city(4)).close()
    here = Path(__file__).parent
    draw = random.Random(8)
    killed_while_writing = 0
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", _UPDATING, str(tmp_path), str(here), str(here.parent)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        told = [process.stdout.readline()]  # the first is through
        time.sleep(draw.uniform(0, 0.4))
        process.kill()
        told += process.stdout.readlines()
        assert process.wait() == -signal.SIGKILL
        last = int([line for line in told if line.strip()][-1])
        killed_while_writing += any(one.name.startswith(".") for one in (tmp_path / "snapshots").iterdir())
        opened = Snapshot.open(tmp_path, FakeEncoder())
        written = {row.section.text for row in opened.sections() if row.sheet.file in ("a.txt", "b.txt")}
        assert written in ({f"{last}回目の記録。"}, {f"{last + 1}回目の記録。"})  # both files are of one update
        assert len(opened.files()) == 6 and opened.search("記録", 5).hits
        opened.close()
    assert killed_while_writing  # else this has tested nothing
    update(tmp_path, FakeEncoder(), [document_of("a.txt", ALWAYS)])
    assert not [one for one in (tmp_path / "snapshots").iterdir() if one.name.startswith(".")]  # what was left is swept


def test_a_snapshot_that_is_swept_while_it_is_opened_gives_way_to_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(tmp_path, city(3)).close()
    verify = index.snapshot.verify

    def updated_meanwhile(*arguments: object) -> None:
        monkeypatch.setattr(index.snapshot, "verify", verify)
        for number in range(2):
            update(tmp_path, FakeEncoder(), [document_of(f"{number}.txt", ALWAYS)])
        verify(*arguments)

    monkeypatch.setattr(index.snapshot, "verify", updated_meanwhile)
    opened = Snapshot.open(tmp_path, FakeEncoder())
    assert opened.version == current(tmp_path) and len(opened.files()) == 5
    opened.close()


class NoWordVectors:
    """An encoder like a large model: it knows whole texts alone, so the bundled one stands beside it."""

    def __init__(self) -> None:
        self._own = FakeEncoder("large")
        self.name, self.digest, self.dim = self._own.name, self._own.digest, self._own.dim

    def encode(self, texts: list[str], kind: Literal["query", "passage"]) -> Vectors:
        return self._own.encode(texts, kind)


def test_an_index_of_a_large_model_is_updated_too(tmp_path: Path) -> None:
    encoder, files = NoWordVectors(), city(8)
    build((document_of(*one) for one in files.items()), encoder, tmp_path / "live").close()
    changes: dict[str, Sheets] = {"003.txt": ALWAYS, "new.txt": [*files["003.txt"], *ALWAYS]}
    for file, sheets in changes.items():
        update(tmp_path / "live", encoder, [document_of(file, sheets)])
    made = update(tmp_path / "live", encoder, [], ["005.txt"])  # an addition without a chunk
    assert [part.chunks for part in made.manifest.parts] == [1, 5, 0]  # nothing is encoded a second time
    files = {file: sheets for file, sheets in {**files, **changes}.items() if file != "005.txt"}
    whole = build((document_of(*one) for one in files.items()), encoder, tmp_path / "whole")
    updated = Snapshot.open(tmp_path / "live", encoder)
    first, second = told(updated), told(whole)
    assert {what for what in first if first[what] != second[what]} == set()
    for query in QUERIES:
        vector = encoder.encode([query], "query")
        found = [(h.sheet.sheet_id, h.section.text) for h in updated.search(query, 3).hits]
        assert not vector.any() or found
        assert found[:1] == [(h.sheet.sheet_id, h.section.text) for h in whole.search(query, 3).hits][:1]
    updated.close()
    whole.close()
