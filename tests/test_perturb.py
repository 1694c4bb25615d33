"""A changed copy of a corpus: names and years move alike in documents, questions and gold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import SettingsError
from evals.cases import read_cases
from evals.perturb import Perturbation, main, perturb, plan, shift_years


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("令和3年度", "令和5年度"),
        ("令和元年度～令和３年度", "令和3年度～令和５年度"),
        ("平成31年 3月", "平成33年 3月"),
        ("平成\n30年度", "平成\n32年度"),
        ("昭和58年 4月", "昭和60年 4月"),
        ("R5決算比、H28年度、Ｒ３年度", "R7決算比、H30年度、Ｒ５年度"),
        ("R4.6と2022/06と2022-06", "R6.6と2024/06と2024-06"),
        ("平成29(2017)年11月", "平成31(2019)年11月"),
        ("プラン 2019-2021", "プラン 2021-2023"),
        ("４年度 ５年度 ６年度", "６年度 ７年度 ８年度"),
        ("9年度", "11年度"),
        ("27→28→29年度", "29→30→31年度"),
        ("28年度と29年度", "30年度と31年度"),
        ("29年7月～12月", "31年7月～12月"),
        # No years: amounts, durations, counts, product names with letters, months, orders.
        ("12,019円と2,021,205", "12,019円と2,021,205"),
        ("3年間、5年、1年3か月、令和の世", "3年間、5年、1年3か月、令和の世"),
        ("12事業、第3次、99.74％", "12事業、第3次、99.74％"),
        ("RIBC2、CSR1種、AI-OCR", "RIBC2、CSR1種、AI-OCR"),
        ("会計年度任用職員", "会計年度任用職員"),
    ],
)
def test_years_move(before: str, after: str) -> None:
    assert shift_years(before, 2) == after
    assert shift_years(shift_years(before, 2), -2) in (before, before.replace("元", "1"))


def test_names_move_in_any_width_and_over_line_breaks() -> None:
    change = Perturbation(
        {"戸籍システム": "アカネ戸籍システム", "GIS（公開型）": "ヒバリGIS（公開型）", "所見": "碧原"}
    )
    assert change.text("戸籍\nシステムとＧＩＳ(公開 型)") == "アカネ戸籍\nシステムとヒバリＧＩＳ(公開 型)"
    assert change.text("所見市、所\n見の戸籍") == "碧原市、碧原の戸籍"


def test_the_longest_name_wins() -> None:
    change = Perturbation({"会計システム": "アカネ会計システム", "水道会計システム": "ヒバリ水道会計システム"})
    assert change.text("水道会計システムと会計システム") == "ヒバリ水道会計システムとアカネ会計システム"


DOCUMENT = "所見市 令和元年度\r\n戸籍システム\t会計課\n平成30年3月に更改した。予算額 12,155千円\n前年度の戸籍システムは"
CASE = {
    "id": "令和3年度",
    "type": "temporal",
    "question": "所見の戸籍システムは2018年のいつ更改した？",
    "history": ["戸籍システムの令和元年度は？"],
    "municipality": ["所見市"],
    "sheets": ["戸籍システム@所見市"],
    "sections": ["経過"],
    "evidence": ["平成30年3月に更改した", "予算額12,155千円"],
    "answer": {"must": [["2018年3月", "H30.3"], ["12,155"]], "must_not": ["2019年"]},
    "unanswerable": False,
}


def corpus(folder: Path, *cases: dict[str, object]) -> tuple[Path, Path]:
    (folder / "corpus" / "sub").mkdir(parents=True)
    (folder / "corpus" / "sub" / "a.txt").write_bytes(DOCUMENT.encode())
    questions = folder / "q.jsonl"
    questions.write_text("\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\nbroken", "utf-8")
    return folder / "corpus", questions


def test_documents_and_gold_move_together(tmp_path: Path) -> None:
    documents, questions = corpus(tmp_path, CASE)
    out = tmp_path / "out"
    report = perturb(documents, questions, out)
    assert (report.kept, report.files, report.left_out) == (1, 1, {})
    text = (out / "corpus" / "sub" / "a.txt").read_bytes().decode()
    assert text == (
        "碧原市 令和3年度\r\nアカネ戸籍システム\t会計課\n平成32年3月に更改した。"
        "予算額 12,155千円\n前年度のアカネ戸籍システムは"
    )
    made = read_cases(out / "questions.jsonl").cases[0]
    assert made.id == "令和3年度" and made.type == "temporal"
    assert made.question == "碧原のアカネ戸籍システムは2020年のいつ更改した？"
    assert made.history == ("アカネ戸籍システムの令和3年度は？",)
    assert made.sheets == ("アカネ戸籍システム@碧原市",)
    assert made.answer.must == (("2020年3月", "H32.3"), ("12,155",))
    assert made.answer.must_not == ("2021年",)
    assert made.evidence == ("平成32年3月に更改した", "予算額12,155千円")
    assert (documents / "sub" / "a.txt").read_bytes().decode() == DOCUMENT


def test_a_case_that_no_longer_fits_is_left_out(tmp_path: Path) -> None:
    cut = CASE | {"id": "cut", "evidence": ["30年3月に更改"]}  # cut behind the era, still a date of its own
    inside = CASE | {"id": "inside", "evidence": ["成30年3月"]}
    name = CASE | {"id": "name", "sheets": ["システム"], "evidence": ["籍システム"]}  # would be renamed inside another
    documents, questions = corpus(tmp_path, cut, inside, name)
    report = perturb(documents, questions, tmp_path / "out")
    assert report.kept == 2 and list(report.left_out) == ["name"]


def test_swapped_municipalities(tmp_path: Path) -> None:
    _, questions = corpus(tmp_path, CASE, CASE | {"id": "b", "municipality": ["みほん区", "津市"]})
    names = plan(read_cases(questions), swap=True).names
    assert (names["みほん区"], names["所見市"], names["津市"]) == ("所見区", "津市", "みほん市")
    assert names["所見"] == "津" and "津" not in names
    assert plan(read_cases(questions)).names["みほん区"] == "みなせ区"


def test_sources_of_no_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents, questions = corpus(tmp_path, CASE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError):
        perturb(tmp_path / "empty", questions, tmp_path / "out")
    assert main([str(documents), str(tmp_path / "missing.jsonl"), str(tmp_path / "out")]) == 1
    assert main([str(documents), str(questions), str(tmp_path / "out"), "--years", "1"]) == 0
    assert "1 件の質問" in capsys.readouterr().out


@pytest.mark.corpus
def test_the_real_set_survives(tmp_path: Path) -> None:
    shared = Path(__file__).parent.parent.parent / "shared"
    if not (shared / "corpus").exists():
        pytest.skip("the real corpus ../shared/corpus is not here")
    report = perturb(shared / "corpus", shared / "evals" / "dev.jsonl", tmp_path)
    assert report.kept >= 160
