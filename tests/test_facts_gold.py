"""Measuring facts against a gold table: what is right, false and missing, and what a gold table may look like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import SettingsError
from evals.facts import judge, main, measure, read_gold

SHEET = (
    "みなと野市 令和7年度 事務事業評価シート(令和6年度実績)\n事務事業名\t窓口改善\n担当課\t窓口課\n"
    "事業費(千円)\tR5決算額\tR6決算額\tR7予算額\n総事業費\t3,337\t2,504\t7,773\n概算人件費\t1,640\t820\t820\n総合評価\tA\n"
)
HEAD = "file,sheet,field,label,kind,unit,text,2023,R6,令和7年度\n"
GOLD = (
    "a.txt,1,総事業費,,実績,千円,,3337,2504,\n"
    'a.txt,窓口改善,総事業費,,plan,千円,,,,"7,773"\n'
    "a.txt,1,総合評価,,,,A,,,\n"
    "a.txt,1,シート名,,,,窓口 改善,,,\n"
    "a.txt,1,担当課,,,,窓口課,,,\n"
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text(SHEET, "utf-8")
    return tmp_path / "corpus"


def gold(tmp_path: Path, rows: str, head: str = HEAD) -> Path:
    path = tmp_path / "gold.csv"
    path.write_text(head + rows, "utf-8-sig")
    return path


def test_all_that_a_person_read_was_read(corpus: Path, tmp_path: Path) -> None:
    judged = measure(corpus, read_gold(gold(tmp_path, GOLD.replace("窓口改善", "1"))))
    assert (len(judged.right), judged.false, judged.missing) == (6, (), ())
    assert judged.precision == judged.recall == 1.0


def test_a_false_and_a_missing_fact_by_hand(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # 2,504 is printed where the gold holds 2,500; 人件費 is in the gold for one of its three years.
    rows = "a.txt,1,総事業費,,実績,千円,,3337,2500,\na.txt,1,総事業費,,計画,千円,,,,7773\na.txt,1,人件費,,実績,千円,,1640,,\n"
    path = gold(tmp_path, rows)
    judged = measure(corpus, read_gold(path))
    # right: 3,337 and 7,773 and 1,640; false: 2,504 and 820 twice; missing: 2,500
    assert (len(judged.right), len(judged.false), len(judged.missing)) == (3, 3, 1)
    assert judged.precision == 3 / 6 and judged.recall == 3 / 4
    assert main([str(corpus), str(path), "--precision", "0.6"]) == 2
    told = capsys.readouterr().out
    assert "false: a.txt  #1  総事業費  2024  actual  2,504,000円" in told
    assert "missing: a.txt  #1  総事業費  2024  actual  2,500,000円" in told
    assert main([str(corpus), str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["by_field"]["人件費"] == {"right": 1, "false": 2, "missing": 0, "precision": 0.3333, "recall": 1.0}
    assert figures["by_kind"]["plan"]["right"] == 1


def test_fields_and_files_that_the_gold_does_not_name_are_left_alone(corpus: Path, tmp_path: Path) -> None:
    judged = measure(corpus, read_gold(gold(tmp_path, "a.txt,1,総合評価,,,,A,,,\n")))
    assert (len(judged.right), judged.false) == (1, ())


def test_a_label_in_the_gold_must_be_the_printed_one(corpus: Path, tmp_path: Path) -> None:
    row = "a.txt,1,人件費,{},実績,千円,,1640,820,\na.txt,1,人件費,{},計画,千円,,,,820\n"
    right = measure(corpus, read_gold(gold(tmp_path, row.format("概算人件費", "概算 人件費"))))
    wrong = measure(corpus, read_gold(gold(tmp_path, row.format("職員給与", "職員給与"))))
    assert (len(right.right), len(right.false)) == (3, 0) and (len(wrong.right), len(wrong.false)) == (0, 3)


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        ("file,sheet,2024\n", "a.txt,1,5\n", "field"),
        (HEAD, "a.txt,1,総事業費,,予定外,千円,,1,,\n", "2行目の種別「予定外」"),
        ("file,sheet,field,kind,unit,来年\n", "a.txt,1,総事業費,,千円,5\n", "列「来年」"),
        ("", "", "行がありません"),
    ],
)
def test_a_gold_table_with_a_mistake_names_it(tmp_path: Path, head: str, rows: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_gold(gold(tmp_path, rows, head))


def test_a_file_that_is_not_there_is_named(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(corpus), str(gold(tmp_path, "b.txt,1,総合評価,,,,A,,,\n"))]) == 1
    assert "「b.txt」" in capsys.readouterr().err


def test_a_figure_printed_twice_counts_once(tmp_path: Path) -> None:
    (cell,) = read_gold(gold(tmp_path, "a.txt,1,総事業費,,実績,円,,,100,\n"))
    judged = judge([cell, cell], [cell, cell])
    assert (len(judged.right), judged.false, judged.missing) == (1, (), ())


CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
TRUTH = Path(__file__).resolve().parents[1] / "evals" / "truth" / "corpus.csv"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the real corpus stands in ../shared/corpus, not in this checkout")
def test_the_floor_on_the_published_documents() -> None:
    judged = measure(CORPUS, read_gold(TRUTH))
    assert judged.precision >= 0.99 and judged.recall >= 0.97
    assert all(judged.only(file=f).recall >= 0.97 for f in {c.file for c in judged.right})
