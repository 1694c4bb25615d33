"""What the documents say is so: commands, settings, links, names of files, quoted labels."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from doc_examples import ROOT, blocks

DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "README.ja.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
    ]
)


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
    """The real commands and their flags; a group of commands has those of all of them."""
    from typer.main import get_command

    from assistant.cli import app

    every = get_command(app).commands  # type: ignore[attr-defined]
    every = {name: [command, *getattr(command, "commands", {}).values()] for name, command in every.items()}
    return {name: {"--help", *(o for one in all_ for p in one.params for o in p.opts)} for name, all_ in every.items()}


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
    assert named - known == {"HYOKA_DEBUG", "HYOKA_PROGRESS"}


def test_documented_defaults_are_the_real_ones():
    from assistant.settings import Settings

    text = (ROOT / "README.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        if field.default not in (None, ""):
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
