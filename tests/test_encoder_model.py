"""The bundled encoder: complete, small, the same in sentence-transformers and in numpy, and sensible on plain words."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from index.encoder import StaticEncoder, load_encoder
from index.tokens import words

MODEL = Path(__file__).parents[1] / "index" / "model"
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
