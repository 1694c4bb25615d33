"""The bundled encoder: complete, small, the same in sentence-transformers and in numpy, and sensible on plain words."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from index.encoder import StaticEncoder, load_encoder
from index.pieces import known_pieces
from index.tokens import words
from index.training import train as training
from index.training.measure import judge, maxsim, together
from index.training.model import UNKNOWN, WordVectors, load
from index.training.rows import Pair, held_out, training_pairs

MODEL = Path(__file__).parents[1] / "index" / "model"
SHARED = MODEL.parents[2] / "shared" / "data"
TENSORS = MODEL / "0_StaticEmbedding" / "model.safetensors"

# (word, nearer, farther): general words of city administration, not questions of any test set.
NEARER = [
    ("斎場", "火葬場", "下水道"),
    ("ごみ", "廃棄物", "議会"),
    ("保育園", "託児所", "橋梁"),
    ("図書館", "本を借りるところ", "水道管の更新"),
    ("税金を払わない人", "滞納", "観光"),
    ("救急車", "急病人を運ぶ車", "住民票"),
    ("介護", "お年寄りの世話", "道路の舗装"),
    ("サーバー", "コンピューターの機械", "農業用水"),
    ("住民票", "引っ越しの届け", "消防団"),
    ("空き家", "誰も住んでいない家", "予防接種"),
    ("時間外勤務", "残業", "文化財"),
    ("議員", "議会", "給食"),
    ("給食", "学校のお昼ご飯", "入札"),
    ("不法投棄", "山にごみを捨てていく", "戸籍"),
]


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    loaded = load_encoder()
    assert isinstance(loaded, StaticEncoder)
    return loaded


@pytest.mark.parametrize(("word", "nearer", "farther"), NEARER)
def test_related_words_are_nearer(encoder: StaticEncoder, word: str, nearer: str, farther: str) -> None:
    base, near, far = encoder.encode([word, nearer, farther], "query")
    assert float(base @ near) > float(base @ far) + 0.05


def test_function_words_weigh_little(encoder: StaticEncoder) -> None:
    plain, padded, other = encoder.encode(
        ["火葬場の使用料", "火葬場の使用料について教えてほしいのですが、どうなっていますか", "農道の補修"], "query"
    )
    assert float(plain @ padded) > 0.7
    assert float(plain @ other) < 0.4


def test_sentence_transformers_gives_the_same_vectors(encoder: StaticEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    library = pytest.importorskip("sentence_transformers")
    model = library.SentenceTransformer(str(MODEL), device="cpu", local_files_only=True)
    texts = ["火葬場の使用料を見直す", "棚の本を持って行かれる", "職員用端末の更新に12,155千円を執行した"]
    theirs = model.encode([" ".join(words(text)) for text in texts])
    np.testing.assert_allclose(theirs, encoder.encode(texts, "passage"), atol=1e-5)
    assert theirs.shape == (3, encoder.dim)


def test_every_word_has_a_rarity_and_the_unknown_word_has_no_vector() -> None:
    from safetensors.numpy import load_file

    tensors = load_file(TENSORS)
    vocabulary = json.loads((MODEL / "0_StaticEmbedding" / "tokenizer.json").read_text("utf-8"))["model"]
    idf = np.load(MODEL / "idf.npy")
    assert sorted(vocabulary["vocab"].values()) == list(range(len(idf)))
    assert len(idf) == len(tensors["embeddings"]) == len(tensors["weights"])
    assert np.isfinite(idf).all() and (idf >= 0).all()
    assert vocabulary["vocab"][vocabulary["unk_token"]] == 0
    assert not tensors["embeddings"][0].any()


def test_the_files_are_small_and_are_those_of_the_card() -> None:
    card = (MODEL / "README.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", card, re.MULTILINE))
    files = {
        path.relative_to(MODEL).as_posix(): path for path in MODEL.rglob("*") if path.is_file() and path.suffix != ".md"
    }
    assert sum(path.stat().st_size for path in files.values()) < 40 * 2**20
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def test_the_training_rows_are_well_formed() -> None:
    folder = MODEL.parent / "training" / "data"
    files = {path.name: path.read_text("utf-8").splitlines() for path in folder.glob("*.jsonl")}
    plain = [json.loads(line) for line in files.pop("words.jsonl")]
    assert all(row["word"] and row["plain"] for row in plain)
    rows = [json.loads(line) for lines in files.values() for line in lines]
    assert len(rows) > 300
    assert any(row["held_out"] for row in rows)
    domains = {row["domain"] for row in rows if row["held_out"]}
    assert not [row["term"] for row in rows if row["domain"] in domains and not row["held_out"]]
    assert all(row["term"] and row["formal"] and row["lay"] and all(row["lay"]) for row in rows)
    terms = [row["term"] for row in rows]
    assert len(terms) == len(set(terms))


def test_unknown_words_become_their_longest_known_pieces() -> None:
    vocabulary = {"火葬", "火葬場", "使用", "使用料", "料", "の"}
    assert known_pieces(["火葬", "火葬場使用料", "のゑ", "料ゑ"], vocabulary) == ["火葬", "火葬場", "使用料", "料"]


def test_a_rank_is_worth_what_ndcg_says_and_ties_count_against() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 1.0, 0.0]], np.float32)
    result = judge("", "", scores, [0, 1, 0])  # ranks 1, 2 and, tied, 2
    assert result.ndcg10 == pytest.approx((1 + 2 / np.log2(3)) / 3)
    assert (result.recall1, result.recall5) == (pytest.approx(1 / 3), 1.0)


def test_late_interaction_weighs_each_word_of_the_question() -> None:
    matrix = np.array([[0, 0], [2, 0], [0, 1], [0.6, 0.8]], np.float32)
    vectors = WordVectors({"[UNK]": 0, "火葬": 1, "費用": 2, "斎場": 3}, matrix, np.array([0, 3, 1, 2], np.float32))
    scores = maxsim(vectors, [["火葬", "費用"]], [["斎場"], ["費用", "火葬"]])
    assert scores[0].tolist() == pytest.approx([(3 * 0.6 + 1 * 0.8) / 4, 1.0])


def test_late_interaction_compares_meaning_and_not_marks() -> None:
    matrix = np.array([[0, 0, 0], [2, 0, 5], [1, 0, -5], [0, 1, 5]], np.float32)
    vectors = WordVectors({"[UNK]": 0, "火葬": 1, "斎場": 2, "議会": 3}, matrix, np.ones(4, np.float32), meaning=2)
    assert maxsim(vectors, [["火葬"]], [["斎場"], ["議会"]])[0].tolist() == pytest.approx([1.0, 0.0])


def test_the_bundled_words_are_compared_by_meaning_alone(encoder: StaticEncoder) -> None:
    rows = encoder.word_vectors(["火葬", "斎場"])
    assert rows.shape[1] < encoder.dim
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    stored = load(MODEL)
    assert stored.meaning == rows.shape[1] and stored.matrix.shape[1] == encoder.dim


def test_the_two_dense_views_together_weigh_the_whole_text_twice() -> None:
    by_text, by_word = np.array([[0, 1]], np.float32), np.array([[20, 0]], np.float32)
    assert together(by_text, by_word)[0].tolist() == pytest.approx([-0.5, 0.5])
    assert together(by_text, np.zeros((1, 2), np.float32))[0].tolist() == pytest.approx([-1, 1])


def test_the_trained_matrix_is_the_mean_of_its_runs_and_the_same_each_time() -> None:
    pairs = [
        Pair(group, f"{group}{n}", f"{group}問{n}", f"{group}答{n}")
        for group in training.GROUP_SHARES
        for n in range(6)
    ]
    words_of = {text: list(text) for pair in pairs for text in (pair.query, pair.passage)}
    ids = {UNKNOWN: 0} | {w: n for n, w in enumerate(sorted({w for text in words_of.values() for w in text}), 1)}
    start = np.random.default_rng(3).normal(size=(len(ids), 4)).astype(np.float32)
    recipe = training.Recipe(dim=4, steps=3, batch=4, seeds=(3, 4))
    batches = training.Batches(pairs, words_of, ids, recipe)
    mean = training.average(batches, start, recipe)
    runs = []
    for seed in recipe.seeds:
        batches.seed(seed)
        runs.append(training.train(batches, start, recipe))
    assert not np.allclose(runs[0], runs[1])
    np.testing.assert_allclose(mean, (runs[0] + runs[1]) / 2, atol=1e-6)


def test_words_of_one_vector_are_told_apart_by_their_marks() -> None:
    matrix = np.array([[0, 0], [3, 4], [3, 4], [0.6, 0.8]], np.float32)
    marked = training.with_marks(matrix, training.Recipe(dim=2, marks=8, mark=0.5))
    assert marked.shape == (4, 10)
    np.testing.assert_array_equal(marked[:, :2], matrix)
    np.testing.assert_allclose(np.linalg.norm(marked[:, 2:], axis=1), [0, 2.5, 2.5, 0.5], rtol=1e-5)
    assert not np.allclose(marked[1], marked[2])
    np.testing.assert_array_equal(marked, training.with_marks(matrix, training.Recipe(dim=2, marks=8, mark=0.5)))
    np.testing.assert_array_equal(training.with_marks(matrix, training.Recipe(dim=2, marks=0)), matrix)


def test_fewer_words_of_long_texts_are_left_out() -> None:
    pairs = [
        Pair(group, f"{group}{n}", f"{n}問", f"{group}の答{n}") for group in training.GROUP_SHARES for n in range(6)
    ]
    words_of = {text: [f"語{n}" for n in range(20)] for pair in pairs for text in (pair.query, pair.passage)}
    ids = {UNKNOWN: 0} | {f"語{n}": n + 1 for n in range(20)}
    batches = training.Batches(pairs, words_of, ids, training.Recipe(dropout=0.6, dropout_long=0.0, seeds=(5,)))
    lengths: dict[str, set[int]] = {"long": set(), "short": set()}
    group_of = {key: pair.group for key, pair in enumerate(pairs)}
    for _ in range(40):
        queries, passages, keys = batches.draw(6)
        kind = "long" if group_of[int(keys[0])] in training.LONG_GROUPS else "short"
        lengths[kind] |= {len(text) for text in queries + passages}
    assert lengths["long"] == {20}
    assert max(lengths["short"]) < 20


@pytest.mark.skipif(not SHARED.exists(), reason="needs the open data of ../shared/data")
def test_nothing_held_out_is_trained_on() -> None:
    pairs = training_pairs(SHARED)
    trained = {pair.query for pair in pairs} | {pair.passage for pair in pairs}
    for test in held_out(SHARED):
        # Two cities' programmes may have one name; what is said of them differs.
        questions = [] if test.name == "jimujigyo-summary-dev" else [q for q in test.queries if len(q) > 12]
        assert not [question for question in questions if question in trained], test.name
        assert not [passage for passage in test.passages if passage in trained], test.name


@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
def test_a_mapped_tensor_is_the_tensor_and_is_read_only(tmp_path, kind):
    from safetensors.numpy import save_file

    from index.encoder import mapped_tensor

    rows = np.random.default_rng(3).integers(-100, 100, (7, 5)).astype(kind)
    save_file({"weights": np.ones(3, np.float32), "embeddings": rows}, tmp_path / "m.safetensors", {"meaning": "4"})
    found = mapped_tensor(tmp_path / "m.safetensors", "embeddings")
    assert isinstance(found, np.memmap) and found.dtype == rows.dtype and np.array_equal(found, rows)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1
