"""What README.md and docs/api.md show of a real index, and the way to write it anew.

``python -m tests.doc_examples`` writes the answer of README.md and the responses of docs/api.md anew.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "corpus" / "samples" / "files"
ANSWER = re.compile(
    r'(?<=<!-- answer -->\n```console\n)\$ hyoka ask "(?P<question>[^"]+)"\n(?P<answer>.+?)(?=```\n)', re.S
)
EXAMPLE = re.compile(r"```sh\n(?P<curl>curl [^`]+?)\n```(?:\n\n```json\n(?P<json>[^`]+?)\n```)?")
PYTHON = re.compile(r"```python\n(?P<code>[^`]+?)```\n\n```text\n(?P<said>[^`]*?)```")
ADDRESS = "http://127.0.0.1:8000"
ITEMS, CHARACTERS, FACETS = 2, 60, 3


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language, with lines continued by a backslash joined."""
    return [block.replace("\\\n", " ") for block in re.findall(rf"```{language}\n(.*?)```", text, re.S)]


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


def open_client(folder: Path) -> Any:
    from fastapi.testclient import TestClient

    from assistant.api import create_api
    from assistant.session import Assistant
    from assistant.store import FeedbackStore
    from index.encoder import load_encoder
    from index.snapshot import Snapshot

    return TestClient(create_api(Assistant(Snapshot.open(folder, load_encoder(None))), FeedbackStore(":memory:")))


@contextmanager
def live(folder: Path) -> Iterator[str]:
    """The address of a real server on an index."""
    from assistant.session import Assistant
    from assistant.store import FeedbackStore
    from index.encoder import load_encoder
    from index.snapshot import Snapshot
    from tests.on_port import on_port
    from ui.app import create_app

    assistant = Assistant(Snapshot.open(folder, load_encoder(None)))
    with on_port(create_app(assistant, FeedbackStore(":memory:"))) as address:
        yield address


def said(code: str, address: str) -> str:
    """What a Python example prints, run against a server as if it stood where the example says."""
    told = io.StringIO()
    with redirect_stdout(told):
        exec(code.replace(ADDRESS, address), {"__name__": "example"})
    return told.getvalue().replace(address, ADDRESS).rstrip("\n") + "\n"


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
        text = EXAMPLE.sub(example, page.read_text("utf-8"))
        with live(folder) as address:
            told = lambda m: m.group().replace(f"```text\n{m['said']}```", f"```text\n{said(m['code'], address)}```")  # noqa: E731
            text = PYTHON.sub(told, text)
        page.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
