"""An index made with a model that a person brings: tiny random ones of real architectures, searched without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from corpus.documents import Document, Section, Sheet, SheetReading, Span
from corpus.errors import IndexOutdated
from index.build import build
from index.cosines import PASSAGES, QUESTIONS, CosineScale, cosine_scale
from index.encoder import WordVectors, load_encoder, small_encoder
from index.manifest import current, read_manifest
from index.snapshot import Snapshot
from index.types import Encoder, Vectors

pytestmark = pytest.mark.usefixtures("no_network")


ROWS = [
    ("戸籍システム", "今後の計画", "サーバーの更改を令和4年度に12,155千円で行う。"),
    ("戸籍システム", "評価理由", "法務省の日程が遅れたため、実施しなかった。"),
    ("斎場予約管理", "事業の目的", "斎場の予約を受け付け、炉の稼働を平準にする。"),
    ("図書館電算", "今後の計画", "貸出端末と機器を入れ替える。"),
    ("図書館電算", "事業の目的", "蔵書の検索と貸出を速くする。"),
    ("防災無線", "事業の目的", "災害時に情報を伝える。"),
]


def readings() -> list[tuple[Document, list[SheetReading]]]:
    out = []
    for n, (name, label, body) in enumerate(ROWS):
        text = f"{name}\n{label}\t{body}\n"
        span = Span(text.index(body), text.index(body) + len(body))
        sheet = Sheet(f"s{n}", f"{n}.txt", "programme", name, "みなと野市", 2021, "課", (Span(0, len(text)),), "test")
        out.append(
            (Document(f"{n}.txt", text, str(n), "text"), [SheetReading(sheet, (Section(label, label, span, body),))])
        )
    return out


@pytest.mark.parametrize("kind", ["modernbert", "xlm-roberta", "st", "static", "model2vec"])
def test_an_index_made_with_any_model_finds_what_the_words_say(models: Path, tmp_path: Path, kind: str) -> None:
    told: list[tuple[str, int, int]] = []
    encoder = load_encoder(models / kind)
    index = build(readings(), encoder, tmp_path, lambda *step: told.append(step))
    assert told[-1] == ("意味の索引", len(ROWS), len(ROWS))
    for opened in (index, Snapshot.open(tmp_path, load_encoder(models / kind))):
        assert opened.search("サーバの更改はいつですか", 3).hits[0].sheet.name == "戸籍システム"
        assert opened.search("貸出端末", 3).hits[0].section.text == ROWS[3][2]
        # 小説 is near 蔵書 though the model is random: words are compared with the bundled encoder's vectors.
        by_writing = Snapshot.open(tmp_path, encoder, word_encoder=encoder)
        known, unknown = (one.search("小説の検索", 3).hits[0] for one in (opened, by_writing))
        assert known.sheet.name == unknown.sheet.name == "図書館電算" and known.lexical > unknown.lexical
        assert all(0 <= hit.score <= 1 for hit in opened.search("事業の目的", 9).hits)


def test_another_prefix_or_file_asks_to_index_again(models: Path, tmp_path: Path) -> None:
    build(readings(), load_encoder(models / "bert"), tmp_path)
    with pytest.raises(IndexOutdated, match="HYOKA_PASSAGE_PREFIX"):
        Snapshot.open(tmp_path, load_encoder(models / "bert", None, "passage: "))
    with pytest.raises(IndexOutdated, match="xlm-roberta"):
        Snapshot.open(tmp_path, load_encoder(models / "xlm-roberta"))
    with pytest.raises(IndexOutdated, match="bundled"):
        Snapshot.open(tmp_path)


class Plain:
    """An encoder without a vector a word whose cosines lie close together, as E5's do: another one's and a common part."""

    def __init__(self, of: Encoder, common: float = 0.9) -> None:
        self.name, self.digest, self.dim = "plain", "digest of plain", of.dim + 1
        self._of, self._common = of, common

    def encode(self, texts: list[str], kind: str) -> Vectors:
        own = self._of.encode(texts, kind) * np.sqrt(1 - self._common)  # type: ignore[arg-type]
        return np.hstack([own, np.full((len(texts), 1), np.sqrt(self._common))]).astype(np.float32)


def test_an_encoder_without_word_vectors_searches_by_writing_and_synonyms_alone(tmp_path: Path) -> None:
    plain = Plain(FakeEncoder())
    assert not isinstance(plain, WordVectors)
    build(readings(), plain, tmp_path)
    alone = Snapshot.open(tmp_path, plain, word_encoder=plain)
    for query, name in (
        ("サーバの更改", "戸籍システム"),
        ("更改のリプレース", "戸籍システム"),
        ("図書館の貸出", "図書館電算"),
    ):
        assert alone.search(query, 3).hits[0].sheet.name == name
    found = alone.search("火葬", 3)  # by the cosine of the whole text
    assert found.hits and found.hits[0].sheet.name == "斎場予約管理"
    assert alone.search("フランス料理", 3).hits == ()


def test_words_are_compared_by_the_bundled_encoder_where_the_model_has_none() -> None:
    assert small_encoder(FakeEncoder()).name == "fake"
    assert small_encoder(Plain(FakeEncoder())).name == "bundled"


# Cosines


def test_cosines_that_lie_close_together_are_read_as_the_yardsticks() -> None:
    fake = FakeEncoder()
    texts = [" ".join(row) for row in ROWS]
    plain = Plain(fake)
    rows, other = plain.encode(texts, "passage"), fake.encode(texts, "passage")
    scale = cosine_scale(plain, fake, rows, other)
    assert 0.9 <= scale.mean < scale.high  # nothing is less alike than 0.9
    query = ["火葬場の予約"]
    np.testing.assert_allclose(
        scale((plain.encode(query, "query") @ rows.T)[0]), (fake.encode(query, "query") @ other.T)[0], atol=1e-4
    )


def test_a_scale_by_hand() -> None:
    scale = CosineScale(0.8, 0.84, 0.1, 0.4)  # the room: 0.9 / 0.2 = 4.5; the spread would allow 0.3 / 0.04 = 7.5
    assert scale(np.array([0.8, 0.84, 0.9, 1.0], np.float32)).tolist() == pytest.approx([0.1, 0.28, 0.55, 1.0])
    assert scale(np.array([0.5], np.float32)).tolist() == [-1.0]
    assert CosineScale(*scale.numbers()) == scale
    noisy = CosineScale(0.8, 0.95, 0.1, 0.4)  # unrelated texts reach 0.95: no more than 0.3 / 0.15 = 2
    assert noisy(np.array([0.8, 0.95, 1.0], np.float32)).tolist() == pytest.approx([0.1, 0.4, 0.5])
    narrow = CosineScale(0.0, 0.1, 0.0, 0.3)  # narrow but sound: left as it is
    assert narrow(np.array([0.0, 0.1, 0.4], np.float32)).tolist() == pytest.approx([0.0, 0.1, 0.4])
    flat = CosineScale(1.0, 1.0, 0.1, 0.3)  # every text the same vector
    assert np.isfinite(flat(np.array([1.0, 0.999], np.float32))).all()


def test_the_scale_stands_in_the_manifest_of_a_strange_encoder_only(tmp_path: Path) -> None:
    fake = FakeEncoder()
    build(readings(), fake, tmp_path / "fake")
    assert read_manifest(tmp_path / "fake", current(tmp_path / "fake")).cosines is None
    assert "cosines" not in (tmp_path / "fake" / "snapshots" / current(tmp_path / "fake") / "manifest.json").read_text()
    build(readings(), Plain(fake), tmp_path / "plain")
    scales = read_manifest(tmp_path / "plain", current(tmp_path / "plain")).cosines
    assert scales is not None
    assert scales.passages.mean >= 0.9 > scales.passages.to_mean and scales.sheets.mean >= 0.9 > scales.sheets.to_mean


def test_unrelated_questions_find_nothing_however_alike_all_texts_are(tmp_path: Path) -> None:
    plain = Plain(FakeEncoder(), common=0.97)
    index = build(readings(), plain, tmp_path)
    for question in ("フランス料理", "ピアノの調律"):
        assert index.search(question, 5).hits == ()
    assert index.search("貸出端末", 5).hits[0].dense < 0.99
    assert len(QUESTIONS) * PASSAGES > 1000
