"""The commands of the contract: what they print where, and the status they end with."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_encoder import FakeEncoder

from assistant.cli import run
from assistant.settings import load_settings
from corpus.errors import SettingsError
from index.snapshot import Snapshot

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
pytestmark = pytest.mark.usefixtures("here")
FILES = ("hokuto_hyoka_r6.html", "sakurazaka_seika_r6.docx")


@pytest.fixture
def sheets_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "評価シート"
    folder.mkdir()
    for name in FILES:
        shutil.copy(SAMPLES / name, folder)
    return folder


@pytest.fixture
def indexed(sheets_folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert run(["index", str(sheets_folder)]) == 0
    capsys.readouterr()
    return Path(".hyoka/index")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON a command prints; nothing else may stand on standard output."""
    assert run(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def test_index_reports_what_it_read(sheets_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = printed(capsys, "index", str(sheets_folder), "--index-dir", "索引", "--json")
    assert report["documents"] == 2
    assert [file["file"] for file in report["files"]] == sorted(FILES)
    for count in ("sheets", "sections", "facts"):
        assert report[count] == sum(file[count] for file in report["files"]) > 0
    assert report["failed"] == []
    assert (Path("索引") / "CURRENT").read_text().strip() == report["index_version"]


def test_index_replaces_and_add_keeps(sheets_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (str(sheets_folder / name) for name in FILES)
    assert printed(capsys, "index", first, "--json")["documents"] == 1
    assert printed(capsys, "index", second, "--json")["documents"] == 1
    assert printed(capsys, "index", "--add", first, "--json")["documents"] == 2
    assert printed(capsys, "index", "--add", first, "--json")["documents"] == 2


def test_the_report_for_people_goes_out_in_full(sheets_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(sheets_folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t") == ["ファイル", "シート", "欄", "数値", "注意"]
    assert lines[-1].startswith("文書 2、シート ")


def test_parts_of_a_document_are_not_counted_as_sheets(capsys: pytest.CaptureFixture[str]) -> None:
    source = str(SAMPLES / "hokuto_hyoka_r5.txt")
    report = printed(capsys, "index", source, "--json")
    kinds = [sheet["kind"] for sheet in printed(capsys, "sheets", "--json")["sheets"]]
    assert report["sheets"] == len(kinds)
    assert report["document_parts"] == kinds.count("document") == 1
    assert run(["index", source]) == 0
    assert f"シート {len(kinds) - 1}（ほかに文書の部分 1）" in capsys.readouterr().out.splitlines()[-1]


def test_ask_prints_the_contract_with_quotes_that_hold(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = printed(capsys, "ask", "一時預かり保育事業の目的は？", "--json")
    assert set(answer) >= {"answer", "abstained", "citations", "table", "chart", "interpretation", "related"}
    assert not answer["abstained"]
    snapshot = Snapshot.open(indexed, FakeEncoder())
    for citation in answer["citations"]:
        source = citation["source"]
        assert snapshot.document(source["file"]).text[source["start"] : source["end"]] == citation["quote"]


def test_ask_for_people_shows_sources_and_reading(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "一時預かり保育事業の目的は？"]) == 0
    out = capsys.readouterr().out
    assert "[1]" in out and "出典" in out and "hokuto_hyoka_r6.html" in out and "解釈" in out


def test_search_keeps_to_its_filters(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = printed(capsys, "search", "事業の目的", "-k", "3", "--json")
    assert len(everything["hits"]) == 3 < everything["total"]
    town = printed(capsys, "search", "事業の目的", "-k", "50", "--municipality", "桜坂町", "--year", "2024", "--json")
    assert {hit["municipality"] for hit in town["hits"]} == {"桜坂町"}
    assert {hit["fiscal_year"] for hit in town["hits"]} == {2024}
    rated = printed(
        capsys, "search", "事業の目的", "-k", "50", "--rating", "総合評価：B", "--budget", "100万〜1,000万円", "--json"
    )
    assert {hit["sheet"] for hit in rated["hits"]} == {"庁内パソコン更新事業"}


def test_sheets_lists_every_sheet(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = printed(capsys, "sheets", "--json")
    assert listed["total"] == len(listed["sheets"]) >= 4
    assert "一時預かり保育事業" in {sheet["sheet"] for sheet in listed["sheets"]}
    assert run(["sheets"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == listed["total"] + 1


def test_eval_prints_the_figures(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = {
        "id": "a",
        "question": "一時預かり保育事業の目的は？",
        "type": "lookup-text",
        "answer": {"must": [["負担"]]},
    }
    Path("questions.jsonl").write_text(json.dumps(case, ensure_ascii=False) + "\n", encoding="utf-8")
    code = run(["eval", "questions.jsonl", "--json"])
    out = capsys.readouterr()
    assert code == 0, out.err
    told = json.loads(out.out)
    assert told["overall"]["n"] == 1 and len(told["cases"]) == 1
    assert printed(capsys, "eval", "--compare", "last", "last", "--json")
    assert run(["eval"]) == 1
    assert "質問ファイル（FILE）か --compare を指定してください。" in capsys.readouterr().err


def test_serve_tells_the_address_and_questions(
    indexed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    monkeypatch.setattr("assistant.serving.run", lambda application, *_: served.append(application))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert run(["serve", "--port", str(port)]) == 0
    told = capsys.readouterr().err
    assert f"http://127.0.0.1:{port}" in told and "？" in told
    assert "/api/v1/ask" in {getattr(route, "path", "") for route in served[0].routes} or served


def test_a_taken_port_is_told_with_the_next_step(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", "--port", port]) == 1
    assert (
        capsys.readouterr().err
        == f"ポート {port} はほかのプログラムが使っています。--port で別の番号を指定してください。\n"
    )


@pytest.mark.parametrize(
    "arguments", [["ask", "決算額は？"], ["search", "決算"], ["sheets"], ["serve", "--port", "18431"]]
)
def test_without_an_index_the_next_step_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 1
    out = capsys.readouterr()
    assert out.out == ""
    assert "まだ索引がありません。hyoka index で" in out.err and out.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["index"], "SOURCE... を指定してください"),
        (["ask"], "QUESTION を指定してください"),
        (["nope"], "nope というコマンドはありません"),
        (["search", "x", "--yera", "3"], "もしかして: --year"),
        (["search", "x", "-k", "abc"], "-k の値が使えません"),
        (["search", "x", "-k", "0"], "-k の値が使えません"),
        (["ask", "保育", "料金"], "余分な引数があります: 料金"),
    ],
)
def test_wrong_usage_ends_with_2_in_japanese(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out = capsys.readouterr()
    assert said in out.err and "--help で見られます。" in out.err and "Traceback" not in out.err
    assert out.out == ""


def test_an_empty_question_is_refused(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "　 "]) == 1
    assert run(["search", " "]) == 1
    assert capsys.readouterr().err.count("空です") == 2


def test_flags_win_over_variables_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().port == 8000
    Path("hyoka.toml").write_text('port = 8100\nindex_dir = "file"\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("HYOKA_PORT", "8200")
    monkeypatch.setenv("HYOKA_INDEX_DIR", "variable")
    settings = load_settings(port=8300, index_dir=None)
    assert (settings.port, settings.index_dir, settings.host) == (8300, Path("variable"), "0.0.0.0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("port = 99999", "設定 port の値「99999」は使えません。1から65535の整数"),
        ('port = "八千"', "設定 port の値「八千」は使えません"),
        ("max_file_mb = -1", "設定 max_file_mb の値「-1」は使えません。0より大きい数"),
        ("prot = 8000", "設定「prot」はありません。使える設定: index_dir"),
        ("port = ", "hyoka.toml を読めません"),
    ],
)
def test_a_setting_without_a_usable_value_is_named(content: str, said: str) -> None:
    Path("hyoka.toml").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        load_settings()


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    heavy = {"torch", "gradio", "faiss", "fastapi", "sentence_transformers", "pypdfium2", "openpyxl", "numpy"}
    code = f"import sys, assistant.cli; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SAMPLES.parents[2]
    )
    assert done.stdout.strip() == "[]"
