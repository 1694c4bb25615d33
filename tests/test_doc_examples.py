"""What the documents show is what hyoka does: the answer of the README, the HTTP examples, the sample forms."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from doc_examples import ANSWER, EXAMPLE, PYTHON, ROOT, ask, blocks, build, live, open_client, said, send

OPEN_KEYS = {"facets"}  # the values counted differ from index to index


@pytest.fixture(scope="module")
def bundled(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("docs") / "index")


def test_the_answer_in_the_readme_is_what_hyoka_says(bundled):
    shown = ANSWER.search((ROOT / "README.md").read_text("utf-8"))
    assert shown is not None
    assert ask(shown["question"], bundled).split() == shown["answer"].split(), (
        "python -m tests.doc_examples writes it anew"
    )


def test_the_answer_in_the_readme_is_true():
    """The amounts of the answer are those the bundled sheets were written from."""
    shown = ANSWER.search((ROOT / "README.md").read_text("utf-8"))
    assert shown is not None
    told = re.findall(r"\*\*([^*]+)\*\*（(\S+) [^）]+） \*\*([\d,]+)円\*\*", shown["answer"])
    sheets = json.loads((ROOT / "corpus" / "samples" / "truth.json").read_text("utf-8"))["sheets"]
    settled = [
        (amount["yen"], sheet["sheet"])
        for sheet in sheets
        if (sheet["municipality"], sheet["fiscal_year"]) == ("湊見市", 2024)
        for amount in sheet["amounts"]
        if (amount["label"], amount["year"]) == ("決算額", 2024)
    ]
    assert [(int(yen.replace(",", "")), name) for name, _, yen in told] == sorted(settled, reverse=True)[:3]


@pytest.fixture(scope="module")
def client(bundled):
    return open_client(bundled)


def shape(value: Any, shown: Any, where: str = "") -> list[str]:
    """Where a shown value differs in shape from the real one: keys, and the kinds of values."""
    if isinstance(shown, dict) and isinstance(value, dict):
        if where.split(".")[-1] in OPEN_KEYS:
            return [] if shown.keys() == value.keys() else [where]
        wrong = [f"{where}.{key}" for key in shown.keys() ^ value.keys()]
        return wrong + [
            w for key in shown.keys() & value.keys() for w in shape(value[key], shown[key], f"{where}.{key}")
        ]
    if isinstance(shown, list) and isinstance(value, list):
        return shape(value[0], shown[0], f"{where}[]") if shown and value else []
    kinds = {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}
    same = kinds.get(type(shown)) == kinds.get(type(value)) or shown is None or value is None
    return [] if same else [where]


def test_http_examples_run_and_have_the_shape_shown(client):
    examples = list(EXAMPLE.finditer((ROOT / "docs" / "api.md").read_text("utf-8")))
    assert len(examples) >= 8
    for example in examples:
        response = send(client, example["curl"])
        assert response.status_code < 500
        assert ("error" in example["json"] if example["json"] else False) == (response.status_code >= 400)
        if example["json"]:
            assert shape(response.json(), json.loads(example["json"])) == [], example["curl"]


def test_python_examples_print_what_the_page_shows(bundled):
    examples = list(PYTHON.finditer((ROOT / "docs" / "api.md").read_text("utf-8")))
    assert len(examples) >= 3
    with live(bundled) as address:
        for example in examples:
            assert said(example["code"], address) == example["said"], "python -m tests.doc_examples writes it anew"


def test_configurations_of_other_programs_start_hyoka_with_what_it_knows():
    from typer.main import get_command

    from assistant.cli import app

    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    shown = [json.loads(block)["mcpServers"]["hyoka"] for block in blocks(page, "json") if "mcpServers" in block]
    local, remote = shown
    command, *arguments = local["args"]
    get_command(app).commands[command].make_context(command, arguments)
    assert local["command"].endswith("/hyoka")
    assert remote["url"].endswith("/mcp") and remote["headers"]["Authorization"].startswith("Bearer hyk_")


def test_every_route_stands_in_the_api_document(client):
    text = (ROOT / "docs" / "api.md").read_text("utf-8").replace("{id}", "{sheet_id}")
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in text, path


def test_the_form_in_the_documentation_reads_its_text(tmp_path):
    from corpus.forms.loader import use_forms
    from corpus.readers import read_document
    from corpus.reading import read_sheets

    page = (ROOT / "docs" / "forms.md").read_text("utf-8")
    form, child = [block for block in blocks(page, "toml") if "recognise" in block]
    own = tmp_path / "forms"
    own.mkdir()
    (own / "example.toml").write_text(form, "utf-8")
    (own / "heir.toml").write_text(child, "utf-8")
    text = blocks(page, "text")[0]
    (tmp_path / "sheet.txt").write_text(text, "utf-8")
    use_forms(own)
    readings = read_sheets(read_document(tmp_path / "sheet.txt"))
    assert [(r.sheet.form, r.sheet.name, r.sheet.department, r.sheet.fiscal_year) for r in readings] == [
        ("example", "窓口予約システム", "市民課", 2024),
        ("example", "庁内チャット", "情報政策課", 2024),
    ]
    figures = [(f.field, f.value, f.kind) for f in readings[0].facts if f.value is not None]
    assert figures == [("予算額", 4_000_000, "plan"), ("決算額", 3_600_000, "actual"), ("執行率", 90, None)]
    assert [s.text for s in readings[1].sections if s.field == "今後の方向性"] == ["現行のまま続ける。"]
    assert {r.sheet.municipality for r in readings} == {"碧原市"}

    text = text.replace("対象システム", "点検する仕組み").replace(
        "点検年度", "点検の責任者 見本太郎\n従事人数 3人\n点検年度"
    )
    (tmp_path / "sheet.txt").write_text(text, "utf-8")
    readings = read_sheets(read_document(tmp_path / "sheet.txt"))
    assert [(r.sheet.form, r.sheet.name) for r in readings] == [("heir", "窓口予約システム"), ("heir", "庁内チャット")]
    figures = [(f.field, f.value) for f in readings[0].facts if f.value is not None]
    assert figures == [("職員数", 3), ("予算額", 4_000_000), ("決算額", 3_600_000), ("執行率", 90)]


def test_the_japanese_guide_works_from_its_first_command_to_its_last(tmp_path, monkeypatch, capsys):
    """Every command of docs/forms.ja.md in order, with its files written where it says."""
    from assistant.cli import run
    from tests.fake_encoder import FakeEncoder

    monkeypatch.chdir(tmp_path)
    for module in ("index.encoder", "index.snapshot"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda source=None: FakeEncoder(source or "fake"))
    guide = (ROOT / "docs" / "forms.ja.md").read_text("utf-8")
    for name in ("様式", "資料"):
        (tmp_path / name).mkdir()
    (tmp_path / "資料" / "点検票.txt").write_text(blocks(guide, "text")[0], "utf-8")
    step = re.compile(
        r"```sh\n(?P<sh>.*?)```|^`(?P<file>[^`\n]+\.toml)`(?P<add> の終わりに)?\n\n```toml\n(?P<toml>.*?)```",
        re.M | re.S,
    )
    told = []
    for found in step.finditer(guide):
        if found["file"]:
            path = tmp_path / found["file"]
            before = path.read_text("utf-8") if found["add"] else ""
            path.write_text(before + found["toml"], "utf-8")
            continue
        for line in found["sh"].splitlines():
            command, _, target = line.partition(" > ")
            words = shlex.split(command)
            assert words[0] == "hyoka" and run(words[1:]) == 0, line
            told.append(capsys.readouterr().out)
            if target:
                (tmp_path / target).write_text(told[-1], "utf-8")
    first, second, draft, last, _ = told
    assert (
        "シート 0" in first
        and re.search("^点検システム名称\t2\t.*事務事業名", first, re.M)
        and "受持担当課名\t" in first
    )
    assert "シート 2" in second and "確かさ" in second and "様式: なし" in second
    assert draft.startswith("#") and "確認" in draft
    assert "様式: tenken" in last and "シート 2" in last and "決算額\t決算\t令和6年度\t実績\t3,600,000円" in last
    report = (tmp_path / "報告.csv").read_bytes().decode("utf-8-sig")
    assert "窓口予約システム" in report and "庁内チャット" in report and "tenken" in report
    assert re.search('^forms = "様式"$', blocks(guide, "toml")[-1], re.M)
