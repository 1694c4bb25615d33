"""Search: words, meaning, filters, highlights; the bundled kind of encoder; the parts of the index one by one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from corpus.documents import Document, Section, Sheet, SheetReading, Span
from corpus.errors import SettingsError
from index.build import build
from index.chunks import split
from index.encoder import ModelEncoder, StaticEncoder, load_encoder
from index.fusion import Candidates, Mix, Weights, WordMatcher, rank
from index.highlights import highlights
from index.snapshot import Snapshot
from index.synonyms import Alternative, QueryWords, Synonyms, load_synonyms
from index.types import Filters, Index, Vectors
from index.vectors import VectorIndex, write_vectors
from index.wordlists import WordLists, WordListsWriter

ROWS = [
    ("戸籍システム", "甲市", 2021, "市民課", "今後の計画", "サーバーの更改を令和4年度に12,155千円で行う。"),
    ("戸籍システム", "甲市", 2021, "市民課", "評価理由", "法務省の日程が遅れたため、実施しなかった。"),
    ("斎場予約管理", "甲市", 2021, "環境課", "事業の目的", "斎場の予約を受け付け、炉の稼働を平準にする。"),
    ("図書館電算", "乙町", 2022, "図書館", "今後の計画", "貸出端末と機器を入れ替える。"),
    (
        "図書館電算",
        "乙町",
        2022,
        "図書館",
        "事業の目的",
        "蔵書の検索と貸出を速くする。" + "蔵書の記録を残す。" * 40 + "除籍も行う。",
    ),
    ("防災無線", "乙町", 2022, "総務課", "事業の目的", "災害時に情報を伝える。\n㈱甲無線が保守する。"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    documents: dict[str, tuple[str, list[tuple[Sheet, Section]]]] = {}
    for name, city, year, department, label, body in ROWS:
        file = f"{name}.txt"
        text, sections = documents.get(file, (f"{name}\n", []))
        span = Span(len(text), len(text) + len(body))
        sheet = Sheet(name, file, "programme", name, city, year, department, (Span(0, 0),))
        documents[file] = (f"{text}{body}\n", [*sections, (sheet, Section(label, label, span, body))])
    readings = [
        (Document(file, text, "0", "text"), [SheetReading(found[0][0], tuple(s for _, s in found))])
        for file, (text, found) in documents.items()
    ]
    return build(readings, FakeEncoder(), tmp_path_factory.mktemp("index"))


def top(index: Snapshot, query: str, **filters: tuple[object, ...]) -> tuple[str, str] | None:
    hits = index.search(query, 3, Filters(**filters)).hits  # type: ignore[arg-type]
    return (hits[0].sheet.name, hits[0].section.label) if hits else None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("サーバの更改はいつですか", ("戸籍システム", "今後の計画")),
        ("戸籍システムの評価理由", ("戸籍システム", "評価理由")),
        ("火葬", ("斎場予約管理", "事業の目的")),  # no word in common: by meaning
        ("ﾄｼｮｶﾝ電算 貸出端末", ("図書館電算", "今後の計画")),
        ("12155", ("戸籍システム", "今後の計画")),
        ("R4の更改", ("戸籍システム", "今後の計画")),
        ("除籍", ("図書館電算", "事業の目的")),  # at the end of a long section
        ("端末の入替え", ("図書館電算", "今後の計画")),
        ("遅れ", ("戸籍システム", "評価理由")),  # printed as the verb 遅れた
        ("株式会社甲無線", ("防災無線", "事業の目的")),
    ],
)
def test_the_right_section_comes_first(index: Snapshot, query: str, expected: tuple[str, str]) -> None:
    assert top(index, query) == expected


def test_a_synonym_is_found_but_counts_less_than_the_word(index: Snapshot) -> None:
    hits = index.search("リプレース", 5).hits
    assert {h.sheet.name for h in hits} == {"戸籍システム", "図書館電算"}  # 更改, 入れ替える
    assert hits[0].score < index.search("更改", 5).hits[0].score


def test_no_evidence_no_hit(index: Snapshot) -> None:
    for query in ("天体望遠鏡", "", "　", "！？"):  # the fake encoder puts 料理 on the axis of a word of the sheets
        result = index.search(query, 5)
        assert (result.total, result.hits) == (0, ())
        assert set(result.facets) == {"municipality", "fiscal_year", "department", "section", "rating", "budget"}
        assert not any(result.facets.values())


def test_a_passage_is_its_span_of_the_document(index: Snapshot) -> None:
    for query in ("蔵書の検索", "除籍", "保守", "更改"):
        for hit in index.search(query, 10).hits:
            text = index.document(hit.sheet.file).text
            assert hit.text == text[hit.span.start : hit.span.end]
            assert hit.section.text == text[hit.section.span.start : hit.section.span.end]
            assert hit.section.span.start <= hit.span.start < hit.span.end <= hit.section.span.end
            assert 0 < hit.score <= 1
            assert all(0 <= a < b <= len(hit.text) for a, b in hit.highlights)


def test_a_long_section_counts_once_and_shows_its_best_part(index: Snapshot) -> None:
    result = index.search("除籍", 10)
    assert [h.section_id for h in result.hits] == list(dict.fromkeys(h.section_id for h in result.hits))
    assert "除籍" in result.hits[0].text and len(result.hits[0].text) <= 250 < len(result.hits[0].section.text)


def test_highlights_mark_the_words_as_printed(index: Snapshot) -> None:
    (hit,) = index.search("サーバを更改", 1).hits
    assert [hit.text[a:b] for a, b in hit.highlights] == ["サーバー", "更改"]
    (hit,) = index.search("株", 1).hits
    assert "㈱" in [hit.text[a:b] for a, b in hit.highlights]


def test_filters_restrict_and_facets_count_all_hits(index: Snapshot) -> None:
    assert top(index, "事業の目的", municipality=("乙町",)) != top(index, "斎場の目的", municipality=("甲市",))
    assert top(index, "更改", municipality=("乙町",)) == ("図書館電算", "今後の計画")  # by meaning, within the filter
    assert top(index, "サーバの更改", section=("評価理由",), fiscal_year=(2021,)) in (
        None,
        ("戸籍システム", "評価理由"),
    )
    assert top(index, "更改", municipality=("丙村",)) is None
    result = index.search("今後の計画", 1)
    assert result.total >= 2 and len(result.hits) == 1
    assert result.facets["section"]["今後の計画"] == 2
    assert sum(result.facets["municipality"].values()) == result.total
    assert result.facets["fiscal_year"].keys() <= {"2021", "2022"}


def test_pages_follow_each_other(index: Snapshot) -> None:
    everything = index.search("事業の目的", 10)
    assert everything.total == len(everything.hits) >= 3
    assert index.search("事業の目的", 2, offset=1).hits == everything.hits[1:3]
    assert index.search("事業の目的", 2, offset=100).hits == ()


def test_search_gives_the_same_answer_twice(index: Snapshot) -> None:
    assert index.search("計画の更改", 10) == index.search("計画の更改", 10)


def test_a_snapshot_is_an_index(index: Snapshot) -> None:
    local: Index = index
    assert local.encode(["火葬"]).shape == (1, FakeEncoder().dim)


# Synonyms


def test_the_longest_group_wins_and_furniture_goes() -> None:
    synonyms = Synonyms([(["住民基本台帳", "住基"], 0.9), (["住民", "市民"], 0.8)], furniture=["教える"])
    assert synonyms.expand("住民基本台帳を教えて") == QueryWords(
        ("住民", "基本", "台帳"), (), (Alternative(0, 3, ("住基",), 0.9),)
    )
    assert synonyms.expand("教えて").words == ("教える",)  # nothing else to go by


def test_a_pasted_page_is_searched_by_its_beginning(index: Snapshot) -> None:
    page = "サーバーの更改を令和4年度に行う。" + "".join(f"別件{i}。" for i in range(3000))
    words = load_synonyms().expand(page).words
    assert words[:3] == ("サーバ", "更改", "y2022") and len(words) == len(set(words)) == 64
    assert ("戸籍システム", "今後の計画") in [(h.sheet.name, h.section.label) for h in index.search(page, 9).hits]


def test_the_bundled_synonyms_are_usable() -> None:
    synonyms = load_synonyms()
    assert {"更新", "リプレース"} <= {w for a in synonyms.expand("更改").alternatives for w in a.words}
    assert "予算" in synonyms.expand("予算額").words


def test_a_broken_synonyms_file_names_itself(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.toml"
    file.write_text('synonyms = [\n  ["a", "b"\n', "utf-8")
    with pytest.raises(SettingsError, match="synonyms.toml"):
        load_synonyms(file)


def test_highlights_take_a_synonym_only_as_a_whole() -> None:
    looked_for = QueryWords(("住基",), (), (Alternative(0, 1, ("住民", "基本", "台帳"), 0.9),))
    assert highlights("住民の声", looked_for) == ()
    assert highlights("住民基本台帳の声", looked_for) == ((0, 6),)


# Chunks


def test_chunks_are_whole_statements_within_the_limit() -> None:
    text = "一つ目の文。二つ目の文。\n・三つ目" + "長" * 30
    pieces = [text[s.start : s.end] for s in split(text, 15)]
    assert pieces[0] == "一つ目の文。二つ目の文。"
    assert all(len(p) <= 15 for p in pieces)
    assert "".join(pieces).replace("\n", "") == text.replace("\n", "")
    assert split("") == split(" \n ") == []


# Fusion, computed by hand


def lists(folder: Path, *bodies: list[str]) -> WordLists:
    writer = WordListsWriter()
    for body in bodies:
        writer.head([])
        writer.body(body)
    writer.write(folder / "words")
    return WordLists(folder / "words")


def test_coverage_is_the_importance_of_the_words_that_are_there(tmp_path: Path) -> None:
    words = lists(tmp_path, ["甲", "乙"], ["甲"], ["甲", "火葬"])
    weights = Weights(word_cap=0.5, word_floor=0.0, head=1.0, unseen=1.0)
    matcher = WordMatcher(words, FakeEncoder(), weights)
    numbers = np.arange(3)
    nothing = np.zeros(3, np.float32)
    candidates = Candidates(numbers, numbers, numbers, nothing, nothing, nothing, numbers * 0 + 1)
    coverage, written, _ = matcher.match(QueryWords(("乙",), (), ()), candidates)
    assert written.tolist() == [1.0, 0.0, 0.0]
    coverage, written, _ = matcher.match(QueryWords(("斎場",), (), ()), candidates)
    assert (written.tolist(), coverage.tolist()) == ([0.0, 0.0, 0.0], [0.0, 0.0, 0.5])  # same concept, worth the cap
    coverage, written, _ = matcher.match(QueryWords(("丙",), (), (Alternative(0, 1, ("甲", "乙"), 0.8),)), candidates)
    assert written.tolist() == pytest.approx([0.8, 0.0, 0.0])
    # 甲 stands in 3 of 4 (one added): log(1 + 1.5/3.5); 乙 in 1: log(1 + 3.5/1.5)
    assert matcher.importance(["甲", "乙"]).tolist() == pytest.approx([np.log(1 + 1.5 / 3.5), np.log(1 + 3.5 / 1.5)])


def test_the_mix_passes_from_meaning_to_words(tmp_path: Path) -> None:
    words = lists(tmp_path, ["甲", "乙"], ["丙"])
    weights = Weights(by_words=Mix(1, 0, 0), by_meaning=Mix(0, 0, 1), low=0.0, high=1.0, dense_floor=0.0, unseen=1.0)
    matcher = WordMatcher(words, FakeEncoder(), weights)
    numbers = np.arange(2)
    cosines = np.array([0.1, 0.9], np.float32)
    candidates = Candidates(numbers, numbers, numbers, np.zeros(2, np.float32), cosines, cosines, numbers * 0 + 1)
    by_words = rank(QueryWords(("甲", "乙"), (), ()), candidates, matcher, weights)
    assert by_words.score[0] > by_words.score[1]
    by_meaning = rank(QueryWords(("未知",), (), ()), candidates, matcher, weights)
    assert by_meaning.score.tolist() == pytest.approx([0.1, 0.9])
    assert by_meaning.evidence.tolist() == [False, True]


def test_faint_likeness_orders_only_what_is_ranked_by_meaning(tmp_path: Path) -> None:
    words = lists(tmp_path, ["火葬"], ["丙"])
    numbers = np.arange(2)
    nothing = np.zeros(2, np.float32)
    candidates = Candidates(numbers, numbers, numbers, nothing, nothing, nothing, numbers * 0 + 1)
    far = Weights(word_floor=1 - 1e-6, word_cap=0.0, head=1.0)  # no word is near enough to count as near
    matcher = WordMatcher(words, FakeEncoder(), far)
    coverage, written, nearest = matcher.match(QueryWords(("斎場",), (), ()), candidates)
    assert (coverage.tolist(), written.tolist()) == ([0.0, 0.0], [0.0, 0.0])
    assert nearest()[0] > nearest()[1]
    score = rank(QueryWords(("斎場",), (), ()), candidates, matcher, far).score
    assert score[0] > score[1]


def test_a_sheet_that_answers_more_than_once_comes_before_one_that_does_not(tmp_path: Path) -> None:
    words = lists(tmp_path, ["丙"], ["丙"], ["丙"], ["丙"])
    cosines = np.array([0.90, 0.10, 0.88, 0.85], np.float32)
    nothing = np.zeros(4, np.float32)
    sheets, numbers = np.array([0, 0, 1, 1]), np.arange(4)
    weights = Weights(by_meaning=Mix(0, 0, 1), dense_floor=0.0, sheet_best=0.5)
    matcher = WordMatcher(words, FakeEncoder(), weights)

    def first(parts: list[int]) -> int:
        candidates = Candidates(numbers, numbers, sheets, nothing, cosines, cosines, np.array(parts))
        return int(rank(QueryWords(("未知",), (), ()), candidates, matcher, weights).score.argmax())

    assert first([2, 2, 2, 2]) == 2
    assert first([1, 1, 4, 4]) == 0  # a long sheet found only twice has nothing over a short one


# Vectors


def test_vectors_search_scores_and_filter(tmp_path: Path) -> None:
    rows: Vectors = np.eye(4, dtype=np.float32)
    write_vectors(tmp_path / "v.faiss", rows)
    vectors = VectorIndex(tmp_path / "v.faiss")
    assert (len(vectors), vectors.dim) == (4, 4)
    assert vectors.search(rows[2:3], 1) == [(2, 1.0)]
    assert sorted(vectors.search(rows[2:3], 4, np.array([True, False, False, True]))) == [(0, 0.0), (3, 0.0)]
    assert vectors.scores(rows[2:3], np.array([1, 2])).tolist() == [0.0, 1.0]


# Encoders


@pytest.fixture(scope="module")
def static_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A StaticEmbedding saved by sentence-transformers itself, over a vocabulary of segmented words."""
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    vocabulary = {w: i for i, w in enumerate(["[UNK]", "サーバ", "更改", "戸籍", "y2022", "12155", "行う"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    rows = np.random.default_rng(0).normal(size=(len(vocabulary), 16)).astype(np.float32)
    rows[0] = 0
    static = modules.StaticEmbedding(tokenizer, embedding_weights=rows)
    folder = tmp_path_factory.mktemp("model")
    SentenceTransformer(modules=[static, modules.Normalize()], device="cpu").save(str(folder))
    np.save(folder / "idf.npy", np.arange(len(vocabulary), dtype=np.float32))
    return folder


def through_sentence_transformers(folder: Path, texts: list[str]) -> Vectors:
    from sentence_transformers import SentenceTransformer

    segmented = [" ".join(StaticEncoder(folder, "").segment(t)) for t in texts]
    return np.asarray(SentenceTransformer(str(folder), device="cpu").encode(segmented))


TEXTS = ["戸籍のサーバーを更改する", "令和4年度に12,155千円", "知らない語だけ", "更改 更改 サーバ"]


def test_numpy_gives_the_vectors_of_sentence_transformers(static_model: Path) -> None:
    encoder = load_encoder(static_model)
    assert isinstance(encoder, StaticEncoder) and encoder.dim == 16
    np.testing.assert_allclose(
        encoder.encode(TEXTS, "passage"), through_sentence_transformers(static_model, TEXTS), atol=1e-6
    )
    # By name or folder any model goes through sentence-transformers; it segments for itself.
    segmented = [" ".join(encoder.segment(t)) for t in TEXTS]
    np.testing.assert_allclose(
        ModelEncoder(str(static_model)).encode(segmented, "query"), encoder.encode(TEXTS, "query"), atol=1e-6
    )
    np.testing.assert_allclose(encoder.word_vectors(["戸籍更改"]), encoder.encode(["戸籍 更改"], "query"), atol=1e-6)
    np.testing.assert_array_equal(encoder.word_vectors(["サーバ", "未知"])[1], np.zeros(16))
    assert encoder.word_weights(["更改", "行う", "未知"]).tolist() == pytest.approx([2 / 6, 1.0, 1.0])  # ids 2 and 6


def test_the_digest_follows_the_files(static_model: Path, tmp_path: Path) -> None:
    before = load_encoder(static_model).digest
    (static_model / "README.md").write_text("changed")
    assert load_encoder(static_model).digest == before
    rows = np.load(static_model / "idf.npy")
    np.save(static_model / "idf.npy", rows[::-1])
    assert load_encoder(static_model).digest != before


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="HYOKA_ENCODER"):
        load_encoder(str(tmp_path / "none"))


BUNDLED = Path(__file__).parents[1] / "index" / "model"


@pytest.mark.skipif(not (BUNDLED / "modules.json").exists(), reason="the bundled encoder is not in this checkout")
def test_the_bundled_encoder_loads_without_torch_and_knows_meaning() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from index.encoder import load_encoder; e = load_encoder();"
        "v = e.encode(['火葬場', '斎場', '予算書'], 'query');"
        "assert v[0] @ v[1] > v[0] @ v[2], v @ v.T;"
        "assert 'torch' not in sys.modules and 'sentence_transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=BUNDLED.parents[1])
    names = [m["type"].rsplit(".", 1)[-1] for m in json.loads((BUNDLED / "modules.json").read_text())]
    assert names == ["StaticEmbedding", "Normalize"]
    ours, theirs = load_encoder().encode(TEXTS, "query"), through_sentence_transformers(BUNDLED, TEXTS)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
