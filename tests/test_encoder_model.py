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
from index.training.measure import judge, maxsim
from index.training.model import WordVectors
from index.training.rows import held_out, training_pairs

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


@pytest.mark.skipif(not SHARED.exists(), reason="needs the open data of ../shared/data")
def test_nothing_held_out_is_trained_on() -> None:
    pairs = training_pairs(SHARED)
    trained = {pair.query for pair in pairs} | {pair.passage for pair in pairs}
    for test in held_out(SHARED):
        # Two cities' programmes may have one name; what is said of them differs.
        questions = [] if test.name == "jimujigyo-summary-dev" else [q for q in test.queries if len(q) > 12]
        assert not [question for question in questions if question in trained], test.name
        assert not [passage for passage in test.passages if passage in trained], test.name
