"""Statements rank as the plain rules say, whatever is kept in memory; what is kept by sheet is what the file says."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant.cli import run
from assistant.statements import Statement, Statements, Wanted
from corpus.documents import Sheet, Span
from corpus.normalize import normalize, squeeze
from index.columns import Growing, JoinedKeys
from index.sheetrows import SheetRows
from index.snapshot import Snapshot
from index.tokens import words

FILES = Path(__file__).parent.parent / "corpus" / "samples" / "files"
QUESTIONS = (
    "サーバの更改はいつ予定されていますか",
    "スマホ教室の参加者は何人でしたか",
    "委託先の会社名を教えてください",
    "令和6年度の決算額はいくらですか",
    "住基ネットの機器を入れ替える理由",
    "見直し",
    "？",
)
KINDS = {
    "amount": (0.15, re.compile(r"\d[\d,.]*(?:億|百?万|千)?円")),
    "number": (0.12, re.compile(r"\d")),
    "date": (
        0.15,
        re.compile(r"(?:令和|平成|昭和|20\d\d|[rh]\d|\d{1,2})(?:元|\d{1,2})?年|\d{1,2}月|年度"),
    ),
    "organisation": (0.15, re.compile(r"\(株\)|株式会社|有限会社|\(有\)|法人")),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("statements")
    sources = [
        str(FILES / name) for name in ("hokuto_hyoka_r5.txt", "hokuto_hyoka_r6.html", "sakurazaka_seika_r6.docx")
    ]
    assert run(["index", *sources, "--index-dir", str(folder)]) == 0
    return Snapshot.open(folder)


def plain_ranking(index: Snapshot, wanted: Wanted, statements: Sequence[Statement]) -> list[tuple[float, float, float]]:
    """(score, cover, dense) of each statement, in the order given, written out word by word."""
    sections = index.sections()
    counts = Counter(word for s in sections for word in set(words(s.section.text, parts=True)))
    weights = [math.log(1 + len(sections) / (1 + counts[word])) for word in wanted.query.words]
    asked = index.encode([wanted.text])[0]
    lines = {word: index.encode([word])[0] for word in wanted.query.words}
    vectors = {word: index.encode([word])[0] for s in statements for word in s.words}

    def match(word: str, s: Statement) -> float:
        if word in s.words:
            return 1.0
        if len(word) >= 2 and word.lower() in s.key:
            return 0.9
        return 0.5 if word in s.label_words else 0.0

    def near(word: str, s: Statement) -> float:
        cosine = max((float(vectors[other] @ lines[word]) for other in s.words), default=0.0)
        return 0.8 * min(1.0, max(0.0, (cosine - 0.45) / (0.85 - 0.45)))

    result = []
    for s in statements:
        found = [max(match(word, s), near(word, s)) for word in wanted.query.words]
        for other in wanted.query.alternatives:
            if all(match(word, s) >= 0.9 for word in other.words):
                for i in range(other.first, other.last):
                    found[i] = max(found[i], other.weight)
        cover = sum(w * f for w, f in zip(weights, found, strict=True)) / (sum(weights) or 1.0)
        dense = float(index.encode([s.text], "passage")[0] @ asked)
        bonus = -0.1 if len(s.key) < 8 else 0.0
        bonus += 0.3 if any(label in s.label_key for label in wanted.labels) else 0.0
        bonus += sum(worth for kind, (worth, cue) in KINDS.items() if kind in wanted.expects and cue.search(s.key))
        result.append((cover + 0.6 * max(0.0, dense) + bonus, cover, dense))
    return result


@pytest.mark.parametrize("question", QUESTIONS)
def test_ranking_is_that_of_the_plain_rules(index: Snapshot, question: str) -> None:
    store = Statements(index)
    statements = store.of(index.sheets())
    assert len(statements) > 300
    for expects in (frozenset[str](), frozenset(KINDS)):
        wanted = store.wanted(question, expects, ["今後の方向性"])
        plain = plain_ranking(index, wanted, statements)
        ranked = store.rank(wanted, statements)
        place = {id(s): i for i, s in enumerate(statements)}
        assert sorted(place[id(r.statement)] for r in ranked) == list(range(len(statements)))
        found = np.array([(r.score, r.cover, r.dense) for r in ranked])
        assert np.abs(found - np.array([plain[place[id(r.statement)]] for r in ranked])).max() < 1e-6
        assert (np.diff(found[:, 0]) < 1e-6).all()
        # Equal scores keep the order of the sheet, then that of the list.
        order = [(-round(r.score, 6), r.statement.order, place[id(r.statement)]) for r in ranked]
        assert order == sorted(order)


def test_some_statements_rank_as_they_do_among_all(index: Snapshot) -> None:
    store = Statements(index)
    statements = store.of(index.sheets())
    wanted = store.wanted(QUESTIONS[0], frozenset({"date"}))
    among = {id(r.statement): r for r in store.rank(wanted, statements)}
    for r in store.rank(wanted, statements[3:200:7]):
        assert r.score == pytest.approx(among[id(r.statement)].score, abs=1e-6)
        assert r.cover == among[id(r.statement)].cover
    assert store.rank(wanted, []) == []


def test_statements_made_for_the_occasion_rank_like_those_of_sheets(index: Snapshot) -> None:
    store = Statements(index)
    sheet = index.sheets()[0]

    def made(text: str, order: int) -> Statement:
        return Statement(sheet, "", "", Span(0, 0), text, squeeze(text), frozenset(words(text)), frozenset(), order)

    wanted = store.wanted("サーバの更改")
    texts = ["サーバーを更改する予定である。", "広報紙を発行する。", "機器の更新", ""]
    ranked = store.rank(wanted, [made(text, i) for i, text in enumerate(texts)])
    assert [r.statement.order for r in ranked][0] == 0
    assert ranked[0].cover == 1.0
    assert next(r for r in ranked if r.statement.text == "").cover == 0.0
    again = store.rank(wanted, [made(text, i) for i, text in enumerate(texts)])
    assert [(r.score, r.statement.order) for r in again] == [(r.score, r.statement.order) for r in ranked]


def test_a_full_memory_is_emptied_and_answers_stay_the_same(index: Snapshot) -> None:
    roomy, tight = Statements(index), Statements(index, most_kept=40)
    wanted = roomy.wanted(QUESTIONS[3], frozenset({"amount"}))
    for sheet in index.sheets() * 2:
        expected = roomy.rank(wanted, roomy.of([sheet]))
        held = tight.of([sheet])
        found = tight.rank(wanted, held)
        assert [r.statement for r in found] == [r.statement for r in expected]
        assert np.allclose([r.score for r in found], [r.score for r in expected], rtol=0, atol=1e-6)
        assert len(tight._table) <= 40 + len(held)
    every = tight.of(index.sheets())
    expected = roomy.rank(wanted, roomy.of(index.sheets()))
    found = tight.rank(wanted, every)
    assert [r.statement for r in found] == [r.statement for r in expected]


def test_threads_share_statements(index: Snapshot) -> None:
    alone, store = Statements(index), Statements(index, most_kept=200)
    jobs = [(question, sheet) for question in QUESTIONS for sheet in index.sheets()]

    def scores(statements: Statements, question: str, sheet: Sheet) -> list[float]:
        ranked = statements.rank(statements.wanted(question), statements.of([sheet]))
        return [r.score for r in sorted(ranked, key=lambda r: r.statement.order)]

    expected = [scores(alone, *job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda job: scores(store, *job), jobs))
    assert all(np.allclose(a, b, rtol=0, atol=1e-6) for a, b in zip(found, expected, strict=True))


def test_words_and_rarity_come_from_the_sections(index: Snapshot) -> None:
    store = Statements(index)
    sections = [set(words(s.section.text, parts=True)) for s in index.sections()]
    for word in ("事業", "更改", "図書館"):
        n = sum(word in found for found in sections)
        assert store.weight(word) == pytest.approx(math.log(1 + len(sections) / (1 + n)))
        assert store.known(word) == (n > 0)
    assert not store.known("ゑゑゑ")
    told = index.word_counts()
    assert told is not None and told.sections == len(sections)
    assert told.counts == Counter(word for found in sections for word in found)


def test_rows_kept_by_sheet_are_read_once_and_make_room() -> None:
    read: list[list[int]] = []

    def rows(sheets: Sequence[int]) -> list[tuple[int, str]]:
        read.append(list(sheets))
        return [(n, f"{n}-{i}") for n in sheets for i in range(n)]

    kept = SheetRows(rows, limit=5)
    assert kept.of([2, 1, 2]) == ["1-0", "2-0", "2-1"]  # in the order of the documents, each sheet once
    assert kept.of([1]) == ["1-0"] and kept.of([0]) == []
    assert read == [[1, 2], [0]]
    assert kept.of([4]) == ["4-0", "4-1", "4-2", "4-3"]  # 3 + 4 rows are too many: sheet 2 goes, used longest ago
    assert kept.of([1, 0, 4]) and read == [[1, 2], [0], [4]]
    assert kept.of([2]) == ["2-0", "2-1"] and read[-1] == [2]


def test_a_failed_read_leaves_nothing_behind() -> None:
    answers: list[list[tuple[int, str]] | Exception] = [OSError("gone"), [(3, "row")]]

    def rows(sheets: Sequence[int]) -> list[tuple[int, str]]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = SheetRows(rows, limit=5)
    with pytest.raises(OSError):
        kept.of([3])
    assert kept.of([3]) == ["row"]


def test_kept_records_equal_those_read_at_once(index: Snapshot) -> None:
    ids = [s.sheet_id for s in index.sheets()]
    for _ in range(2):
        assert index.facts(ids) == index.facts()
        assert index.sections(ids[::-1]) == index.sections()
        assert index.events(ids) == index.events()
        assert index.facts(ids[1:3], ["決算額"]) == [
            f for f in index.facts() if f.sheet.sheet_id in ids[1:3] and f.fact.field == "決算額"
        ]


def test_joined_keys_find_a_word_in_each_key_alone() -> None:
    keys = ["更改予定", "", "予定", "更新", "定更"]
    joined = JoinedKeys(keys)
    for word in ("予定", "更", "定", "定更", "なし", "更改予定"):
        assert joined.holding(word).tolist() == [word in key for key in keys]


def test_growing_keeps_what_it_was_given() -> None:
    column: Growing[np.float32] = Growing(np.float32, 2)
    rows = np.arange(400, dtype=np.float32).reshape(200, 2)
    for at in range(0, 200, 7):
        column.extend(rows[at : at + 7])
    assert len(column) == 200 and (column.rows == rows).all()


@pytest.mark.parametrize("text", ["ﾊﾞｯｸｱｯﾌﾟ ①", "ΑΣ ΟΔΟΣ", "か\u3099 き", "髙\n\n橋　様", "é\u0301\ufe00", "ｼｽﾃﾑ" * 80])
def test_squeeze_is_the_normal_form_without_white_space(text: str) -> None:
    assert squeeze(text) == normalize(text, squeeze=True).text.lower()
