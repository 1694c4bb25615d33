"""`hyoka forms`: what was recognised in a file, what was not, and the form file it proposes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.cli import run
from assistant.intake import Intake
from corpus.documents import Document
from corpus.formdraft import draft
from corpus.forms.loader import forms, use_forms
from corpus.inspection import Inspection, inspect
from corpus.newlabels import nearest_field
from corpus.readers import read_document
from corpus.sources import find_files

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
FILES = sorted(path for path in SAMPLES.iterdir() if path.suffix not in (".md",))
pytestmark = pytest.mark.usefixtures("here")

# A form nobody has described: not one of its labels is in the vocabulary as printed.
UNKNOWN = """碧原市 デジタル推進計画 点検票

点検票番号 1
点検システム名称 窓口予約システム
受持担当課名 市民課
点検対象年度 令和６年度
当年度予算と決算 4,000 3,600 執行率 90.0%
点検結果の理由 予約の7割がオンラインになり、待ち時間が短くなった。
次期の今後の予定 令和7年10月に電子申請と統合する。

点検票番号 2
点検システム名称 庁内チャット
受持担当課名 情報政策課
点検対象年度 令和６年度
当年度予算と決算 1,200 1,150 執行率 95.8%
点検結果の理由 全課で使われている。
次期の今後の予定 現行のまま続ける。
"""
KNOWN = """みなと野市 事務事業評価シート（令和6年度実績）
事務事業名\t図書館システム運用\t担当課\t情報政策課
ねらいとするところ\t貸出を止めずに提供し、待ち時間を短くする。
\t令和5年度決算\t令和6年度決算
事業費（千円）\t1,500\t1,800

停電の回数\t3\t4
この行には知られたラベルが一つもない。
"""


def look(text: str, file: str = "a.txt") -> Inspection:
    return inspect(Document(file, text, "0", "text"))


def names(found: Inspection) -> list[str]:
    return [one.reading.sheet.name for one in found.sheets if one.reading.sheet.kind == "programme"]


def test_each_family_not_chosen_tells_its_missing_marks():
    path = next(p for p in FILES if p.name.startswith("hokuto") and p.suffix == ".txt")
    found = inspect(read_document(path))
    chosen = [trial for trial in found.trials if trial.chosen]
    assert [(len(chosen), chosen[0].missing)] == [(1, ())]
    assert {t.form for t in found.trials} == {f.name for f in forms()}
    for trial in found.trials:
        if not trial.chosen:
            assert trial.missing and set(trial.missing) <= set(
                next(f for f in forms() if f.name == trial.form).data["recognise"]
            )
    assert not any(trial.chosen for trial in look(KNOWN).trials)


def test_labels_of_no_vocabulary_come_with_an_example_and_a_proposal():
    found = {one.label: one for one in look(UNKNOWN).new_labels}
    assert {label: (one.count, one.field) for label, one in found.items()} == {
        "点検システム名称": (2, "事務事業名"),
        "受持担当課名": (2, "担当課"),
        "点検対象年度": (2, "評価年度"),
        "当年度予算と決算": (2, "決算額"),
        "点検結果の理由": (2, "評価理由"),
        "次期の今後の予定": (2, "今後の方向性"),
    }
    assert (
        found["受持担当課名"].example == "市民課"
        and UNKNOWN[slice(found["受持担当課名"].span.start, found["受持担当課名"].span.end)] == "受持担当課名"
    )


@pytest.mark.parametrize(
    ("label", "example", "field"),
    [
        ("担当の課", "情報政策課", "担当課"),
        (
            "市民サービスの課題",
            "窓口が混み合う時間帯があり、待ち時間が長くなることがあるという声が寄せられている。",
            "課題",
        ),
        ("職員の人件費", "1,200", "人件費"),
        ("成果の指標", "12", "成果指標"),
    ],
)
def test_the_nearest_field_shares_most_letters(label, example, field):
    assert nearest_field(label, example)[0] == field


def test_figures_without_a_fact_are_listed_with_the_reason():
    sheet = look(KNOWN).sheets[0]
    told = {unread.text: unread.reason for unread in sheet.unread}
    assert set(told) == {"3", "4"}
    assert all("停電の回数" in reason and "語彙にありません" in reason for reason in told.values())
    facts = {KNOWN[fact.span.start : fact.span.end] for fact in sheet.reading.facts}
    assert "1,500" in facts and not facts & set(told)


def test_a_figure_without_a_year_says_so():
    sheet = look("事業名\t図書館の運用\n予算額\t1,200千円\n人件費\t300千円\n職員数\t2人\n").sheets[0]
    assert [u.text for u in sheet.unread] == ["1,200千円", "300千円", "2人"]
    assert all("年度が分かりません" in unread.reason for unread in sheet.unread)


def test_lines_in_no_known_field_are_listed():
    stray = [line.text for line in look(KNOWN).sheets[0].stray]
    assert "この行には知られたラベルが一つもない。" in stray
    assert not any("図書館システム運用" in text for text in stray)


# ---- the draft ------------------------------------------------------------------------------------------------------


def tried(text: str, document: Document, folder: Path) -> Inspection:
    folder.mkdir(exist_ok=True)
    (folder / "draft.toml").write_text(text, "utf-8")
    use_forms(folder)
    return inspect(document)


def test_the_draft_of_an_unknown_form_finds_its_sheets(tmp_path):
    document = Document("a.txt", UNKNOWN, "0", "text")
    before = inspect(document)
    assert names(before) == []
    after = tried(draft(before), document, tmp_path / "forms")
    assert [t.form for t in after.trials if t.chosen] == ["draft"]
    heads = [
        (s.reading.sheet.name, s.reading.sheet.department, s.reading.sheet.fiscal_year)
        for s in after.sheets
        if s.reading.sheet.kind == "programme"
    ]
    assert heads == [("窓口予約システム", "市民課", 2024), ("庁内チャット", "情報政策課", 2024)]
    fields = {section.field for section in after.sheets[-1].reading.sections}
    assert fields >= {"事務事業名", "担当課", "決算額", "今後の方向性"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_draft_of_any_bundled_file_loads_and_keeps_its_sheets(path, tmp_path):
    document = read_document(path)
    before = inspect(document)
    after = tried(draft(before), document, tmp_path / "forms")
    assert [t.form for t in after.trials if t.chosen] == ["draft"]
    assert names(after) == names(before)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "a", "1,200\t300\n", "事務事業名\t'引用'\n", "()[]{}*+?\\\n第1章 はじめに\n" * 3]
)
def test_the_draft_of_any_text_loads(text, tmp_path):
    document = Document("a.txt", text, "0", "text")
    tried(draft(inspect(document)), document, tmp_path / "forms")


# ---- the command ----------------------------------------------------------------------------------------------------


def write(folder: Path, text: str = UNKNOWN) -> str:
    path = folder / "点検票.txt"
    path.write_text(text, "utf-8")
    return str(path)


def test_the_command_tells_a_person_what_to_do(tmp_path, capsys):
    assert run(["forms", write(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "様式: なし" in told and "見つからない印" in told and "語彙にないラベル 6" in told
    assert "点検システム名称\t2\t窓口予約システム\t事務事業名" in told and "4行目" in told
    assert run(["forms", write(tmp_path, KNOWN)]) == 0
    told = capsys.readouterr().out
    assert "● 図書館システム運用（1行目）" in told and "確かさ" in told and "決算・実績の見出し" not in told
    assert "事業費\t事業費（千円）\t令和6年度\t実績\t1,800,000円" in told.replace(
        "事業費\t事業費\t", "事業費\t事業費（千円）\t"
    )


def test_the_json_says_the_same(tmp_path, capsys):
    assert run(["forms", write(tmp_path, KNOWN), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    sheet = told["sheets"][0]
    assert set(told) == {"file", "warnings", "forms", "sheets", "new_labels"}
    assert sheet["head"]["name"] == {
        "value": "図書館システム運用", "how": "label", "printed": "事務事業名 図書館システム運用 担当課 情報政策課",
        "where": {"page": None, "line": 2, "cell": None},
    }  # fmt: skip
    assert 0 <= sheet["certainty"]["score"] <= 1 and len(sheet["certainty"]["reasons"]) == 7
    assert {"field", "label", "year", "kind", "value", "unit"} <= set(sheet["facts"][0])


def test_names_of_persons_are_not_shown(tmp_path, capsys):
    text = KNOWN.replace("この行には", "担当者\t見本太郎\nこの行には")
    for flags in ([], ["--json"]):
        assert run(["forms", write(tmp_path, text), *flags]) == 0
        assert "見本太郎" not in capsys.readouterr().out


def test_the_draft_is_printed_and_used_by_the_flag_and_by_the_setting(tmp_path, capsys, monkeypatch):
    file = write(tmp_path)
    assert run(["forms", file, "--draft"]) == 0
    own = tmp_path / "様式"
    own.mkdir()
    (own / "check.toml").write_text(capsys.readouterr().out, "utf-8")
    assert run(["forms", file, "--forms", str(own)]) == 0
    assert "様式: check" in capsys.readouterr().out
    assert run(["forms", file]) == 0
    assert "様式: なし" in capsys.readouterr().out
    monkeypatch.setenv("HYOKA_FORMS", str(own))
    assert run(["index", file, "--index-dir", "index", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sheets"] == 2
    monkeypatch.delenv("HYOKA_FORMS")
    (tmp_path / "hyoka.toml").write_text(f'forms = "{own}"\n', "utf-8")
    assert run(["forms", file]) == 0
    assert "様式: check" in capsys.readouterr().out


def test_a_form_file_with_a_mistake_ends_the_command_with_its_place(tmp_path, capsys):
    own = tmp_path / "様式"
    own.mkdir()
    (own / "check.toml").write_text("strategy = 'cells'\nrecognise = ['(']\nsheet = { start = 'x' }\n", "utf-8")
    for command in (["forms", write(tmp_path)], ["index", write(tmp_path), "--index-dir", "index"]):
        assert run([*command, "--forms", str(own)]) == 1
        told = capsys.readouterr()
        assert told.out == "" and "check.toml 2行目 recognise[1]: 正規表現" in told.err
    assert not (tmp_path / "index").exists()


def test_own_forms_reach_the_reader_processes(tmp_path):
    own, source = tmp_path / "様式", tmp_path / "資料"
    own.mkdir()
    source.mkdir()
    (own / "check.toml").write_text(draft(look(UNKNOWN)), "utf-8")
    for number in range(2):
        write(source, UNKNOWN + f"{number}\n")  # the same file twice would be read once
        (source / "点検票.txt").rename(source / f"{number}.txt")
    use_forms(own)
    readings = list(Intake(find_files([source]), 1 << 20, jobs=2))
    assert [r.sheet.form for _, found in readings for r in found if r.sheet.kind == "programme"] == ["check"] * 4
