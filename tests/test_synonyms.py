"""Synonyms: every pair of the bundled file is found in a real index; what a file may say and what it may not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from corpus.errors import SettingsError
from evals.retrieval.sets import shelf
from index.build import build
from index.snapshot import Snapshot
from index.synonymfile import read_synonyms
from index.synonyms import Synonyms, forms, load_synonyms
from index.tokens import words
from index.types import Vectors

# A section for every term, in sentences whose other words stand in no group.
SENTENCES = ("碧原では{}を扱う。", "{}のことを碧原で話す。", "みなと野は{}に触れる。")
STRANGERS = ("港で魚を釣る。", "山の頂に雲が出た。", "鉄橋を列車が渡る。", "笛の音が遠くへ響く。") * 5
DEPTH = 250
FIRST_FEW = 3


class Silent:
    """An encoder to which no text means anything: what is found is found by words."""

    name = digest = "silent"
    dim = 4

    def encode(self, texts: list[str], kind: Literal["query", "passage"]) -> Vectors:
        return np.zeros((len(texts), self.dim), dtype=np.float32)


def indexed(folder: Path, sentences: Sequence[str], synonyms: Synonyms) -> Snapshot:
    """A sheet of one section for each sentence, numbered by its place."""
    build(shelf(sentences), Silent(), folder).close()
    return Snapshot.open(folder, Silent(), synonyms)


def pairs_of_the_file() -> dict[str, dict[str, str]]:
    """For each term that may be asked, what it must find: the other terms, with the weight of their group."""
    table = read_synonyms()
    found: dict[str, dict[str, str]] = {}
    for group, weight in table.groups:
        for term in group:
            found.setdefault(term, {}).update({other: f"{weight}" for other in group if other != term})
    for (term, *others), weight in table.one_way:
        found.setdefault(term, {}).update({other: f"{weight}→" for other in others})
    return found


PAIRS = pairs_of_the_file()
TERMS = list(dict.fromkeys([*PAIRS, *(other for others in PAIRS.values() for other in others)]))
PARTS = 8  # one failure does not hide the others


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    sentences = [SENTENCES[i % len(SENTENCES)].format(term) for i, term in enumerate(TERMS)]
    return indexed(tmp_path_factory.mktemp("library"), [*sentences, *STRANGERS], load_synonyms())


@pytest.mark.parametrize("part", range(PARTS))
def test_every_pair_of_the_file_is_found_from_either_side(library: Snapshot, part: int) -> None:
    """The section that says the partner comes before those that say neither the asked term, nor a word of it."""
    missed = [miss for term in TERMS[part::PARTS] if term in PAIRS for miss in missed_by(library, term)]
    assert not missed, f"{len(missed)} 組が見つかりません:\n" + "\n".join(missed)


def missed_by(library: Snapshot, term: str) -> list[str]:
    """A line for each partner of ``term`` that is not among the first few hits."""
    asked = set(words(term, parts=True))
    partners = PAIRS[term]
    said = [set(form) for other in partners for form in forms(other)]
    places: dict[str, int] = {}
    strangers = 0
    for hit in library.search(term, DEPTH).hits:
        number = int(hit.sheet.sheet_id)
        found = TERMS[number] if number < len(TERMS) else ""
        told = set(words(hit.text, parts=True))
        if found in partners:
            places[found] = strangers
        elif not asked & told and not any(form <= told for form in said):
            strangers += 1
    return [
        f"「{term}」で「{other}」（重み {weight}）: 先に {places.get(other, '見つからず')}"
        for other, weight in partners.items()
        if places.get(other, DEPTH) > FIRST_FEW
    ]


def found_by(synonyms: Synonyms, query: str) -> set[tuple[str, ...]]:
    return {a.words for a in synonyms.expand(query).alternatives}


def test_without_the_file_the_pairs_are_missed(tmp_path: Path) -> None:
    """The test above can fail: a section that says only the partner is not found by words alone."""
    index = indexed(tmp_path, [SENTENCES[0].format("リプレース"), *STRANGERS], Synonyms([]))
    assert index.search("更改", 5).hits == ()


def test_a_wrong_writing_finds_the_right_one_and_not_the_other_way_round() -> None:
    synonyms = load_synonyms()
    assert ("校務", "支援") in found_by(synonyms, "公務支援はいつから")
    assert ("公務", "支援") not in found_by(synonyms, "校務支援はいつから")


def test_one_way_leads_from_the_first_term_only() -> None:
    synonyms = Synonyms([(("端末", "機器"), 0.8)], one_way=[(("端末", "パソコン", "タブレット"), 0.7)])
    assert found_by(synonyms, "端末の数") == {("機器",), ("パソコン",), ("タブレット",)}
    assert found_by(synonyms, "パソコンの数") == found_by(synonyms, "機器はパソコン") - {("端末",)} == set()


def test_a_term_with_a_word_twice_or_a_dropped_one_is_found_whole() -> None:
    """及び and the 物 of 成果物 are no words of their own; 金 stands twice in the item of the budget."""
    synonyms = Synonyms([(("負担金補助及び交付金", "負補交"), 0.8), (("成果物", "納品物"), 0.8)])
    assert ("負", "補", "交") in found_by(synonyms, "負担金補助及び交付金の推移")
    assert ("納品",) in found_by(synonyms, "成果物は何ですか")
    assert found_by(synonyms, "成果は何ですか") == set()


def test_a_term_is_found_however_mecab_cuts_it_there() -> None:
    """Before の 公会計 is 公 and 会計, before に it is 公会 and 計; 取りやめ is a noun here and a verb there."""
    assert {("公", "会計"), ("公会", "計")} <= set(forms("公会計"))
    assert {("取り止め",), ("取り止める",)} <= set(forms("取りやめ"))
    synonyms = Synonyms([(("公会計", "財務書類"), 0.8)])
    assert ("財務", "書類") in found_by(synonyms, "公会計") & found_by(synonyms, "公会計に移る")


def test_a_longer_way_that_a_shorter_one_finds_anyway_is_not_asked_for() -> None:
    synonyms = Synonyms([(("公会計", "地方公会計", "財務書類"), 0.8)])
    assert not any("地方" in way for way in found_by(synonyms, "公会計"))


def test_two_terms_of_the_same_words_in_another_order_do_not_remove_each_other() -> None:
    synonyms = Synonyms([(("変契", "変更契約", "契約変更"), 0.8)])
    assert found_by(synonyms, "変契") & {("変更", "契約"), ("契約", "変更")}


def test_a_phrase_of_furniture_goes_as_a_whole_and_its_words_alone_stay() -> None:
    synonyms = load_synonyms()
    assert synonyms.expand("二次評価の理由").words == ("二", "次", "評価", "理由")
    assert synonyms.expand("評価シートに火葬").words == ("火葬",)


# What a file may say


def test_the_bundled_file_says_nothing_twice() -> None:
    assert read_synonyms().warnings == ()


def test_weights_tell_the_kinds_apart(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.toml"
    file.write_text(
        'synonyms = [["更改", "更新"]]\nabbreviations = [["住基", "住民基本台帳"]]\n'
        'one_way = [["端末", "パソコン"]]\nslips = [["校務", "公務", "校夢"]]\nfurniture = ["教える"]\n',
        "utf-8",
    )
    table = read_synonyms(file)
    assert table.groups == ((("更改", "更新"), 0.8), (("住基", "住民基本台帳"), 0.9))
    assert table.one_way == ((("端末", "パソコン"), 0.7), (("公務", "校務"), 0.6), (("校夢", "校務"), 0.6))
    assert table.furniture == ("教える",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('synonyms = [\n  ["更改", "更新"]\n  ["住基", "住民基本台帳"],\n]\n', "2 行目の書き方"),
        ('synonyms = [\n  ["更改", "更新"],\n  ["住基", "住民基本台帳",\n', "3 行目の書き方"),
        ('synonyms = [\n  ["更改, "更新"],\n]\n', "2 行目の書き方"),
        ('synonyms = [\n  ["更改", "更新"],\n]\nfurniture =\n', "line 4"),
        ('# 組\n\nsynonym = [\n  ["更改", "更新"],\n]\n', "3 行目の synonym という見出し"),
        ('synonyms = [\n  ["更改", "更新"],\n  ["住基"],\n]\n', "3 行目の組 住基 には、ことばが2つ以上"),
        ('synonyms = [\n  ["更改", "更新", "更改"],\n]\n', "2 行目の組 .*「更改」が2回"),
        ('synonyms = [\n  ["更改", "更新"],\n  "住基",\n]\n', "3 行目の 住基"),
        ('synonyms = [\n  ["更改", 5],\n]\n', "2 行目に、ことばでないもの（5）"),
        ('synonyms = [\n  ["更改", " "],\n]\n', "2 行目に、ことばでないもの"),
        ('synonyms = "更改"\n', "1 行目の synonyms"),
        ('furniture = "何"\n', "1 行目の furniture"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "synonyms.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=told) as error:
        load_synonyms(file)
    assert str(file) in str(error.value) and str(error.value).endswith("もう一度起動してください。")


def test_a_group_inside_another_is_a_warning_with_both_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "synonyms.toml"
    file.write_text('synonyms = [\n  ["更改", "更新"],\n  ["更新", "更改", "入替"],\n]\n', "utf-8")
    load_synonyms(file)
    (message,) = (record.getMessage() for record in caplog.records)
    assert "2 行目の組 更改、更新 は、3 行目の組に含まれています" in message
