"""What the documents say is so: commands, settings, links, the answer of the README, the HTTP examples, the sample form.

``python -m tests.test_docs`` writes the answer of README.md and the responses of docs/api.md anew.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import tempfile
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "corpus" / "samples" / "files"
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "README.ja.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
    ]
)
ANSWER = re.compile(
    r'(?<=<!-- answer -->\n```console\n)\$ hyoka ask "(?P<question>[^"]+)"\n(?P<answer>.+?)(?=```\n)', re.S
)
EXAMPLE = re.compile(r"```sh\n(?P<curl>curl [^`]+?)\n```(?:\n\n```json\n(?P<json>[^`]+?)\n```)?")
ITEMS, CHARACTERS, FACETS = 2, 60, 3
OPEN_KEYS = {"facets"}  # the values counted differ from index to index


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language, with lines continued by a backslash joined."""
    return [block.replace("\\\n", " ") for block in re.findall(rf"```{language}\n(.*?)```", text, re.S)]


def commands(text: str) -> list[list[str]]:
    """Every hyoka, make and python command of the shell blocks and of inline code, as words; optional parts count."""
    shell = [block for block in blocks(text, "sh") if not block.startswith("curl")]
    lines = [line.split(" #")[0] for block in shell for line in block.splitlines()]
    lines += re.findall(r"`((?:hyoka|make|python -m|\.venv/bin/python -m) [^`]+)`", text)
    found = []
    for line in lines:
        words = shlex.split(re.sub(r"[\[\]]", " ", line))
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        if words and words[0] in ("hyoka", "make", "python", ".venv/bin/python"):
            found.append(words)
    return found


def hyoka_commands() -> dict[str, set[str]]:
    """The real commands and their flags."""
    from typer.main import get_command

    from assistant.cli import app

    every = get_command(app).commands  # type: ignore[attr-defined]
    return {name: {"--help", *(o for p in command.params for o in p.opts)} for name, command in every.items()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(document):
    known = hyoka_commands()
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    variables = set(re.findall(r"^([A-Z]+)\s*[?:]=", makefile, re.M))
    for words in commands(document.read_text("utf-8")):
        if words[0] == "hyoka":
            if words[1].startswith("-"):
                assert words[1] == "--help"
                continue
            assert words[1] in known, words
            flags = [word for word in words[2:] if re.fullmatch(r"--?[a-z][a-z-]*", word)]
            assert set(flags) <= known[words[1]], words
        elif words[0] == "make":
            for word in words[1:]:
                assert (word.split("=")[0] in variables) if "=" in word else (word in targets), words
        elif words[1] == "-m":
            assert find_spec(words[2]) is not None, words


def test_every_command_stands_in_the_readme():
    text = (ROOT / "README.md").read_text("utf-8")
    named = {words[1] for words in commands(text) if words[0] == "hyoka"}
    assert named >= set(hyoka_commands())
    for target in ("make run", "make run CORPUS=", "make test", "make check"):
        assert target in text


def test_every_setting_is_documented_and_every_documented_setting_exists():
    from assistant.settings import Settings

    known = {f"HYOKA_{name.upper()}" for name in Settings.model_fields}
    text = (ROOT / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(HYOKA_[A-Z_]+)` \| `([a-z_]+)` \|", text, re.M))
    assert rows == {f"HYOKA_{name.upper()}": name for name in Settings.model_fields}
    named = {name for path in DOCUMENTS for name in re.findall(r"HYOKA_[A-Z]+(?:_[A-Z]+)*", path.read_text("utf-8"))}
    assert named - known == {"HYOKA_DEBUG"}


def test_documented_defaults_are_the_real_ones():
    from assistant.settings import Settings

    text = (ROOT / "README.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        if field.default is not None:
            row = next(line for line in text.splitlines() if line.startswith(f"| `HYOKA_{name.upper()}`"))
            assert f"`{field.default}`" in row


def anchor(heading: str) -> str:
    """The address of a heading as GitHub makes it: lower case, no punctuation, hyphens for blanks."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, place = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        if place:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.M)
            assert place in {anchor(heading) for heading in headings}, link


def test_files_named_in_the_readme_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    for row in re.findall(r"^\| (`[a-z][^|]*/[^|]*`) \|", text, re.M):
        folder = Path(row.split("`")[1]).parent if row.count("`") > 2 else Path()
        for at, name in enumerate(re.findall(r"`([\w./]+)`", row)):
            place = ROOT / name if at == 0 or "/" in name else ROOT / folder / name
            assert place.exists(), name


def test_screenshots_are_small():
    for image in (ROOT / "docs" / "images").glob("*.png"):
        assert image.read_bytes()[:4] == b"\x89PNG" and image.stat().st_size < 300_000


# ---- what the documents show, on an index of the bundled sheets ----------------------------------------------------


@pytest.fixture(scope="module")
def bundled(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("docs") / "index")


def build(folder: Path) -> Path:
    from assistant.cli import run

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        assert run(["index", str(SAMPLES), "--index-dir", str(folder)]) == 0
    return folder


def ask(question: str, folder: Path) -> str:
    from assistant.cli import run

    told = io.StringIO()
    with redirect_stdout(told), redirect_stderr(io.StringIO()):
        assert run(["ask", question, "--index-dir", str(folder)]) == 0
    return told.getvalue()


def test_the_answer_in_the_readme_is_what_hyoka_says(bundled):
    shown = ANSWER.search((ROOT / "README.md").read_text("utf-8"))
    assert shown is not None
    assert ask(shown["question"], bundled).split() == shown["answer"].split(), (
        "python -m tests.test_docs writes it anew"
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


def open_client(folder: Path) -> Any:
    from fastapi.testclient import TestClient

    from assistant.api import create_api
    from assistant.session import Assistant
    from assistant.store import FeedbackStore
    from index.encoder import load_encoder
    from index.snapshot import Snapshot

    return TestClient(create_api(Assistant(Snapshot.open(folder, load_encoder(None))), FeedbackStore(":memory:")))


def send(client: Any, curl: str) -> Any:
    """The response to a curl command of docs/api.md."""
    words = shlex.split(curl.replace("\\\n", " "))
    get, address, headers, pairs, body = False, "", {}, [], None
    rest = iter(words[1:])
    for word in rest:
        if word in ("-d", "--data-urlencode"):
            body = next(rest)
            pairs += parse_qsl(body.replace("+", "%2B")) if "{" not in body else []
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-G":
            get = True
        elif word != "-s":
            address = word
    path = address.removeprefix("http://127.0.0.1:8000")
    assert path.startswith("/"), address
    if get or body is None:
        return client.get(path, params=pairs)
    return client.post(path, content=body.encode(), headers=headers)


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_toml_in_the_documents_is_toml(document):
    for block in blocks(document.read_text("utf-8"), "toml"):
        assert tomllib.loads(block)


def test_quoted_labels_and_phrases_are_in_the_files():
    """The excerpts of TOML files that the documents show stand in those files."""
    kept = {
        "一般財源": ROOT / "assistant" / "vocabulary" / "fields.toml",
        "今後の方向性": ROOT / "corpus" / "forms" / "fields.toml",
    }
    for document in DOCUMENTS:
        for block in blocks(document.read_text("utf-8"), "toml"):
            for name, shown in tomllib.loads(block).items():
                if name in kept:
                    real = tomllib.loads(kept[name].read_text("utf-8"))[name]
                    for key, value in shown.items():
                        assert set(value) <= set(real[key]) if isinstance(value, list) else value == real[key]


# ---- writing anew --------------------------------------------------------------------------------------------------


def shortened(value: Any, key: str = "") -> Any:
    """A response for the page: texts cut, lists after two entries, facets after three."""
    if isinstance(value, dict):
        kept = (
            list(value.items())[:FACETS]
            if key in ("municipality", "fiscal_year", "department", "section")
            else value.items()
        )
        return {name: shortened(part, name) for name, part in kept}
    if isinstance(value, list):
        return [shortened(part) for part in value[:ITEMS]]
    if isinstance(value, str) and len(value) > CHARACTERS:
        return value[: CHARACTERS - 1] + "…"
    return value


def printed(value: Any, indent: int = 0, width: int = 116) -> str:
    """JSON with what fits on one line on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    wide = indent + sum(2 if ord(character) > 0x2E80 else 1 for character in flat)
    if wide <= width or not isinstance(value, (dict, list)):
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(k, ensure_ascii=False)}: {printed(v, indent + 1, width)}" for k, v in value.items()]
        return "{\n" + ",\n".join(pad + part for part in parts) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + printed(v, indent + 1, width) for v in value) + "\n" + " " * indent + "]"


def write() -> None:
    """Writes the answer and the responses anew from a fresh index of the bundled sheets."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = build(Path(scratch) / "index")
        readme = ROOT / "README.md"
        text = readme.read_text("utf-8")
        renewed = ANSWER.sub(lambda m: f'$ hyoka ask "{m["question"]}"\n{ask(m["question"], folder)}', text)
        readme.write_text(renewed, "utf-8")
        client = open_client(folder)

        def example(found: re.Match[str]) -> str:
            if not found["json"]:
                return found.group()
            body = printed(shortened(send(client, found["curl"]).json()))
            return found.group().replace(f"```json\n{found['json']}\n```", f"```json\n{body}\n```")

        page = ROOT / "docs" / "api.md"
        page.write_text(EXAMPLE.sub(example, page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write()
