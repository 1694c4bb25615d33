"""Which programmes are about the like of another, and the words told as the reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from corpus.documents import Section, Span
from index.build import build
from index.similar import SheetNeighbours, shared_words, word_runs
from tests.fakes import FakeIndex
from tests.test_snapshot import reading

FORM = "目標値を記入し評価の理由を説明する。年度ごとの実績を記入する。"


def town(city: str, year: int, programmes: dict[str, str]):
    """One sheet a programme; every sheet prints the same words of the form beside its own."""
    return [
        reading(f"{city}-{year}-{n}.txt", name, city, year, "課", {"目的": told, "様式": FORM})
        for n, (name, told) in enumerate(programmes.items())
    ]


TOWNS = [
    *town("甲市", 2021, {
        "火葬場の運営": "火葬場の炉を修繕し、火葬を滞りなく行う。",
        "図書館の運営": "図書館の本を市民に貸し出す。",
        "道路の補修": "道路の舗装を補修する。",
        "学校給食": "給食を児童に提供する。",
    }),
    *town("乙市", 2022, {"斎場管理": "火葬を行う斎場の炉を修繕する。", "公園管理": "公園の樹木を剪定する。"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    readings = [(document, [one]) for document, one in TOWNS]
    return build(readings, FakeEncoder(), tmp_path_factory.mktemp("similar"))


def test_the_like_of_another_city_comes_first_although_every_sheet_has_the_words_of_the_form(index):
    found = index.similar("甲市-2021-0.txt-1", 3)
    assert [one.sheet.name for one in found][:1] == ["斎場管理"]
    assert "火葬" in found[0].words and not {"目標値", "評価"} & set(found[0].words)
    assert all(one.sheet.sheet_id != "甲市-2021-0.txt-1" for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_an_unknown_sheet_and_no_room_give_none(index):
    assert index.similar("nothing", 5) == [] and index.similar("甲市-2021-0.txt-1", 0) == []


def test_the_other_years_of_the_programme_are_left_out_and_of_another_one_year_is_told(tmp_path):
    more = town("乙市", 2023, {"斎場管理": "火葬を行う斎場の炉を修繕する。"})
    again = town("甲市", 2022, {"火葬場の運営": "火葬場の炉を修繕し、火葬を滞りなく行う。"})
    index = build([(document, [one]) for document, one in [*TOWNS, *more, *again]], FakeEncoder(), tmp_path)
    names = [one.sheet.name for one in index.similar("甲市-2021-0.txt-1", 5)]
    assert names.count("斎場管理") == 1 and "火葬場の運営" not in names


def test_names_of_persons_are_no_reason(tmp_path):
    named = []
    for document, one in (TOWNS[0], TOWNS[4], *TOWNS[1:4]):
        text = document.text + "火葬太郎左衛門\n"
        start = len(document.text)
        staff = Section("担当者", "担当者", Span(start, start + 7), "火葬太郎左衛門")
        sheet = replace(one.sheet, spans=(Span(0, len(text)),))
        named.append((replace(document, text=text), [replace(one, sheet=sheet, sections=(*one.sections, staff))]))
    index = build(named, FakeEncoder(), tmp_path)
    found = index.similar("甲市-2021-0.txt-1", 5)
    assert found and not any("太郎" in word for one in found for word in one.words)


def test_parts_of_documents_are_no_programmes():
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], dtype=np.float32)
    near = SheetNeighbours(vectors, np.arange(4), np.array([True, False, True, True]))
    # Every sheet has a form of its own, so its mean is (its row + 3 x the mean of all) / 4 and the direction 3/4 of
    # (row - mean of all): the mean is (0.7, 0.15, 0.25), so rows 0 and 2 become (0.3, -0.15, -0.25), (0.1, 0.45, -0.25).
    # Their product is 0.03 - 0.0675 + 0.0625 = 0.025, their lengths 0.4183 and 0.5244: a cosine of 0.114, too far.
    assert near.nearest(0, 4) == []
    assert float(near.direction(0) @ near.direction(2)) == pytest.approx(0.025 / (0.175**0.5 * 0.275**0.5), abs=1e-6)


def test_words_are_read_whole_and_the_telling_ones_come_first():
    assert word_runs("情報セキュ\nリティ研修と研修") == ["研修"]
    axes = {"研修": [1.0, 0.0], "実施": [0.0, 1.0], "職員": [0.5, 0.5]}

    def encode(texts: list[str]):
        return np.array([axes[text] for text in texts], dtype=np.float32)

    words = shared_words(
        ["実施", "職員", "研修", "本庁"], "職員の研修を\n実施する", np.array([1.0, 0.0], dtype=np.float32), encode
    )
    assert words == ("研修", "職員")  # 実施 points elsewhere, 本庁 stands in one of them only


def test_the_fake_tells_the_two_libraries_from_the_rest():
    assert [(one.sheet.sheet_id, one.words) for one in FakeIndex().similar("aoba-1", 3)] == [
        ("hinode-1", ("図書館", "システム"))
    ]
