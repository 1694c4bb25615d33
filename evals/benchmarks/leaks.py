"""What somebody who may see only some sheets gets of the others: ``python -m evals.benchmarks.leaks FILE --sources DIR``.

Indexes the files of a folder three times over with other halves hidden (by municipality, sheet by sheet within the files;
by folder, and the other way round), starts ``hyoka serve`` behind a login and, as somebody who may see the rest, asks every
question of a file, searches it, takes every list, page, table and export, and opens the screens. Whatever comes back is
looked through for what only hidden sheets have: ids, names, files, municipalities, and any stretch of twelve characters of
their text. The answers are also compared with those of an index that was built without the hidden sheets. JSON goes to
stdout, a line a kind of hiding to stderr.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from assistant.access.registerfile import put
from assistant.intake import Intake
from corpus.errors import HyokaError
from corpus.normalize import squeeze
from corpus.sources import find_files
from evals.benchmarks.http import serving
from evals.cases import Case, read_cases
from evals.runs import code
from index.build import build
from index.encoder import load_encoder
from index.snapshot import Snapshot
from index.types import Encoder
from index.visibility import Visibility

STRETCH = 12  # squeezed characters; shorter ones are words that anybody may use
INVENTED = "遠野原市"  # of the sheets that are hidden by their municipality
SOMEBODY, ADMIN, EVERYBODY = "somebody", "admin", "everybody"
USER_HEADER = "X-Forwarded-User"
LISTED = 200
SAVED = 5  # of so many searches one is saved as a file: the whole list of it
_MARK, _VALUE = re.compile(r"<[^>]*>"), re.compile(r'="([^"]*)"')
_TOOK = ("took_ms", "index_version")


class Fetch(Protocol):
    """Asks a server as somebody: a status and the bytes of the answer."""

    def __call__(self, path: str, body: object = None, who: str = SOMEBODY) -> tuple[int, bytes]:
        """``body`` is sent as JSON, where there is one."""
        ...


@dataclass(frozen=True)
class Hidden:
    """What only hidden sheets have, each squeezed; ``seen`` is all that may be read."""

    ids: frozenset[str]
    names: frozenset[str]
    files: frozenset[str]
    towns: frozenset[str]
    stretches: frozenset[str]
    sheets: int
    seen: str

    @classmethod
    def of(cls, whole: Snapshot, view: Snapshot) -> Hidden:
        """Told apart by the documents themselves, not by what a search says of them."""
        seen = {sheet.sheet_id for sheet in view.sheets()}
        gone = [sheet for sheet in whole.sheets() if sheet.sheet_id not in seen]
        texts = [squeeze(view.document(file).text) for file in view.files()]
        told = [f"{s.name}\n{s.municipality}\n{s.department}\n{s.file}" for s in view.sheets()]
        readable = "\n".join([*texts, *map(squeeze, told)])
        stretches = set()
        for sheet in gone:
            document = whole.document(sheet.file).text
            for span in sheet.spans:
                stretches |= _stretches(squeeze(document[span.start : span.end]))
        for row in whole.sections([sheet.sheet_id for sheet in gone]):
            stretches |= _stretches(squeeze(row.section.text))

        # A name that is seen, and the bracket that the screen puts behind it, are no news.
        known = _stretches(readable, STRETCH - 1)

        def only(values: Sequence[str]) -> frozenset[str]:
            return frozenset(key for one in values if len(key := squeeze(one)) > 1 and key not in readable)

        return cls(
            frozenset(sheet.sheet_id for sheet in gone),
            only([sheet.name for sheet in gone]),
            only([sheet.file for sheet in gone]),
            only([sheet.municipality for sheet in gone]),
            frozenset(one for one in stretches if one[1:] not in known and one[:-1] not in known),
            len(gone),
            readable,
        )

    def leaks(self, answer: bytes, asked: str = "") -> list[str]:
        """What of it stands in an answer; what the caller wrote in the question is no news."""
        own = squeeze(asked)
        found = []
        for text in _texts(answer):
            found += [f"id {one}" for one in self.ids if one in text]
            key = squeeze(text)
            for kind, values in (("name", self.names), ("file", self.files), ("town", self.towns)):
                found += [f"{kind} {one}" for one in values if one in key and not self._own(one, own)]
            quoted = (_stretches(key) & self.stretches) - _stretches(own)
            found += [f"text {one}" for one in sorted(quoted) if not self._composed(one)][:3]
        return found

    def _own(self, name: str, asked: str) -> bool:
        """Whether a name is the caller's own words, or such a word and one that is seen: a slip that was put right."""
        if name in asked:
            return True
        parts = ((name[:at], name[at:]) for at in range(1, len(name)))
        return any((a in asked and b in self.seen) or (a in self.seen and b in asked) for a, b in parts)

    def _composed(self, stretch: str) -> bool:
        """Whether it is two things that are seen, side by side: 成果指標： and a label, as the screens put them."""
        return any(stretch[:at] in self.seen and stretch[at:] in self.seen for at in range(1, STRETCH))


@dataclass
class Looked:
    """What was asked and what came of it; ``leaks`` say where and what, at most so many."""

    requests: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    leaking: int = 0
    leaks: list[str] = field(default_factory=list)


class Visitor:
    """Goes everywhere as somebody and looks at everything."""

    def __init__(self, fetch: Fetch, hidden: Hidden) -> None:
        self._fetch, self._hidden = fetch, hidden
        self.looked = Looked()

    def see(
        self,
        kind: str,
        path: str,
        body: object = None,
        asked: str = "",
        who: str = SOMEBODY,
        expected: int | None = 200,
    ) -> bytes:
        """Takes one answer and looks through it; ``expected`` is the status it should have, None for any."""
        status, answer = self._fetch(path, body, who)
        told = self.looked
        told.requests += 1
        told.by_kind[kind] += 1
        told.statuses[status] += 1
        found = self._hidden.leaks(answer, asked + path)
        if expected is not None and status != expected:
            found.append(f"status {status}")
        told.leaking += bool(found)
        told.leaks += [f"{kind} {path} {asked}: {one}" for one in found][: max(0, LISTED - len(told.leaks))]
        return answer

    def ask(self, case: Case, searched: bool = True) -> dict[str, Any]:
        """The answer to a question; ``searched``: and what a search for it finds, on the screen and in a file."""
        history = [{"role": "user", "content": one} for one in case.history]
        asked = "\n".join([*case.history, case.question])
        body = {"question": case.question, "history": history}
        answer: dict[str, Any] = json.loads(self.see("ask", "/api/v1/ask", body, asked))
        if not searched:
            return answer
        words = quote(case.question)
        self.see("search", f"/api/v1/search?q={words}&k=200", None, asked)
        self.see("search screen", f"/search/results?q={words}", None, asked)
        if self.looked.by_kind["search"] % SAVED == 0:
            self.see("search saved", f"/export/search.csv?q={words}", None, asked)
        return answer

    def wander(self, whole: Snapshot, view: Snapshot, most: int | None = None) -> None:
        """Lists, sheets, sources, pages, comparisons, exports, probes: of what is seen, and of what is not; ``most``: of
        so many sheets of each."""
        self.see("list", "/api/v1/sheets?limit=10000")
        listed = json.loads(self._fetch("/api/v1/sheets?limit=10000", None, SOMEBODY)[1])
        if listed["total"] != len(view.sheets()):
            self.looked.leaks.append(f"list: {listed['total']} sheets are counted")
        for town in sorted({sheet.municipality for sheet in whole.sheets()}):
            self.see("list", f"/api/v1/sheets?municipality={quote(town)}")
        ids = [sheet.sheet_id for sheet in view.sheets()]
        every = whole.sheets()
        hidden = [sheet for sheet in every if sheet.sheet_id not in ids][:most]
        for sheet in [*[sheet for sheet in every if sheet.sheet_id in ids][:most], *hidden]:
            one = quote(sheet.sheet_id)
            expected = 200 if sheet.sheet_id in ids else 404
            for kind, path in (
                ("sheet", f"/api/v1/sheets/{one}"),
                ("source", f"/api/v1/sheets/{one}/source"),
                ("page", f"/sheet/{one}"),
            ):
                self.see(kind, path, expected=expected)
            self.see("picture", f"/sheet/{one}/page/1.png", expected=404)
            if expected == 404:
                self.see("compared", f"/compare?sheet={one}&sheet={quote(ids[0])}", expected=None)
                words = f"{sheet.municipality} {sheet.name}"
                self.see("search", f"/api/v1/search?q={quote(words)}&k=200", asked=words)
                self.see("ask", "/api/v1/ask", {"question": f"{sheet.name}の決算額と今後の計画は？"}, words)
        self.see("search saved", f"/export/search.xlsx?q={quote('システム')}")
        ready = json.loads(self.see("probe", "/readyz"))
        if ready["sheets"] != len(ids):
            self.looked.leaks.append(f"probe: {ready['sheets']} sheets are counted")
        self.see("report", "/status/report.csv", who=ADMIN)
        self.see("figures", "/metrics", who=ADMIN)
        for kind in ("asked", "unanswered", "down"):
            self.see("usage", f"/status/questions.csv?kind={kind}", who=ADMIN, expected=403)
        self.see("cases", "/evaluation/cases.jsonl?state=draft", who=ADMIN)
        self.see("evaluation", "/evaluation/report.html", who=ADMIN, expected=404)

    def open_screens(self) -> None:
        """What the page asks for when it is opened, event by event as Gradio's own page does, and the tabs of 管理."""
        config = json.loads(self.see("screens", "/config"))
        values = {one["id"]: one.get("props", {}).get("value") for one in config["components"]}
        for who in (SOMEBODY, ADMIN):
            for event in config["dependencies"]:
                moments = {moment for _, moment in event["targets"]}
                if event["backend_fn"] and moments & {"load", "select", "tick"}:
                    self._run(event, values, who)

    def _run(self, event: Mapping[str, Any], values: Mapping[int, Any], who: str) -> None:
        session = f"leaks{event['id']}{who}"
        told = {
            "data": [values.get(one) for one in event["inputs"]],
            "fn_index": event["id"],
            "session_hash": session,
            "event_data": {"index": [0, 0], "value": "1", "row_value": ["1"], "selected": True},
            "trigger_id": None,
        }
        self._fetch("/gradio_api/queue/join", told, who)
        self.see("screens", f"/gradio_api/queue/data?session_hash={session}", who=who)


def _stretches(key: str, length: int = STRETCH) -> set[str]:
    return {key[at : at + length] for at in range(len(key) - length + 1)}


def _texts(answer: bytes) -> Iterator[str]:
    """What is to be read in an answer: JSON string by string, pages without their marks, a workbook part by part."""
    if answer[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer)) as book:
            for name in book.namelist():
                yield from _plain(book.read(name).decode("utf-8", "replace"))
        return
    text = answer.decode("utf-8", "replace")
    lines = [line.removeprefix("data: ") for line in text.split("\n")] if text.startswith("data: ") else [text]
    for line in lines:
        try:
            strings = list(_strings(json.loads(line)))
        except ValueError:
            strings = [line]
        for one in strings:
            yield from _plain(one)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (key for key in value)
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, str):
        yield value


def _plain(text: str) -> Iterator[str]:
    """What stands between the marks of a page, piece by piece, and in them; a text without marks is one piece."""
    yield from map(html.unescape, _MARK.split(text))
    yield from map(html.unescape, _VALUE.findall(text))


# ---- three ways to hide -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """A way to hide: an index in ``folder``, and what somebody may see of it."""

    name: str
    folder: Path
    visibility: Visibility


def by_municipality(made: Snapshot, encoder: Encoder, folder: Path) -> Way:
    """Every second sheet of each file becomes one of an invented municipality, which is hidden."""
    towns = sorted({sheet.municipality for sheet in made.sheets()})

    def moved() -> Iterator[Any]:
        for document, sheets in made.readings():
            yield (
                document,
                [
                    replace(one, sheet=replace(one.sheet, municipality=INVENTED)) if at % 2 else one
                    for at, one in enumerate(sheets)
                ],
            )

    build(moved(), encoder, folder).close()
    return Way("municipality", folder, Visibility(tuple(towns)))


def by_folder(made: Snapshot, folder: Path) -> list[Way]:
    """The folder with about half of the sheets is hidden, and then the others."""
    counts = Counter(sheet.file.split("/")[0] for sheet in made.sheets())
    seen: list[str] = []
    for name, count in counts.most_common():
        if sum(counts[one] for one in seen) + count <= max(sum(counts.values()) // 2, max(counts.values())):
            seen.append(name)
    others = [name for name in counts if name not in seen]
    return [
        Way("folder", folder, Visibility(folders=tuple(seen))),
        Way("other folders", folder, Visibility(folders=tuple(others))),
    ]


def in_folders(sources: Path, place: Path) -> Path:
    """The files of a folder, each in a folder of its own."""
    for number, file in enumerate(sorted(one for one in sources.rglob("*") if one.is_file())):
        target = place / f"{number:03}課" / file.name
        target.parent.mkdir(parents=True)
        shutil.copyfile(file, target)
    return place


def access_file(file: Path, visibility: Visibility) -> Path:
    """An access file with a user and an administrator who may see so much, and one of each who sees all."""
    some = {
        name: None if values is None else list(values)
        for name, values in (("municipalities", visibility.municipalities), ("folders", visibility.folders))
    }
    put(file, "users", {"name": SOMEBODY}, {"role": "利用者", **some})
    put(file, "users", {"name": ADMIN}, {"role": "管理者", **some})
    put(file, "users", {"name": EVERYBODY}, {"role": "管理者"})
    return file


def fetching(url: str) -> Fetch:
    """Asks a server that believes a proxy on its own machine."""

    def fetch(path: str, body: object = None, who: str = SOMEBODY) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        headers = {USER_HEADER: who, "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url + path, data, headers), timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    return fetch


def compared(answers: Sequence[dict[str, Any]], clean: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many answers are those of an index without the hidden sheets, and in which parts the others differ."""
    differing: Counter[str] = Counter()
    same = text = 0
    for one, other in zip(answers, clean, strict=True):
        parts = [name for name in one if name not in _TOOK and one[name] != other[name]]
        same += not parts
        text += one["answer"] == other["answer"] and one["citations"] == other["citations"]
        differing.update(parts)
    return {"questions": len(answers), "equal": same, "same_answer_and_citations": text, "differing": dict(differing)}


def measure(
    way: Way, cases: Sequence[Case], encoder: Encoder, log: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Everything of one way to hide."""
    with (
        tempfile.TemporaryDirectory(prefix="hyoka-leaks-") as own,
        closing(Snapshot.open(way.folder, encoder)) as whole,
    ):
        view = whole.seen_by(way.visibility)
        hidden = Hidden.of(whole, view)
        os.environ.update(
            HYOKA_AUTH="proxy",
            HYOKA_PROXIES="127.0.0.1",
            HYOKA_PROXY_USER_HEADER=USER_HEADER,
            HYOKA_ACCESS_FILE=str(access_file(Path(own) / "access.toml", way.visibility)),
            HYOKA_REQUESTS_PER_MINUTE="0",
        )
        answers: list[dict[str, Any]] = []
        with serving(way.folder, answer_cache=500) as (url, _, _):
            fetch = fetching(url)
            visitor = Visitor(fetch, hidden)
            for case in cases:  # what others were answered is in whatever cache there is
                history = [{"role": "user", "content": one} for one in case.history]
                fetch("/api/v1/ask", {"question": case.question, "history": history}, EVERYBODY)
                answers.append(visitor.ask(case))
            visitor.wander(whole, view)
            visitor.open_screens()
        clean = Path(own) / "clean"
        build(view.readings(), encoder, clean, refused=view.refused).close()
        with serving(clean) as (url, _, _):
            plain = Visitor(fetching(url), replace(hidden, ids=frozenset(), names=frozenset(), stretches=frozenset()))
            expected = [plain.ask(case, searched=False) for case in cases]
        looked = visitor.looked
        result = {
            "hidden_by": way.name,
            "sheets": len(whole.sheets()),
            "hidden": hidden.sheets,
            "hidden_names": len(hidden.names),
            "hidden_stretches": len(hidden.stretches),
            "requests": looked.requests,
            "by_kind": dict(looked.by_kind),
            "statuses": {str(status): count for status, count in sorted(looked.statuses.items())},
            "leaking": looked.leaking,
            "leaks": looked.leaks,
            "without_the_hidden": compared(answers, expected),
        }
        log(f"{way.name}: {hidden.sheets} hidden, {looked.requests} requests, {looked.leaking} leaking")
        view.close()
        return result


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--most", type=int, default=None, help="so many questions only")
    parser.add_argument("--way", action="append", help="only this way to hide")
    given = parser.parse_args()
    try:
        cases = read_cases(given.file).cases[: given.most]
        encoder = load_encoder()
        with tempfile.TemporaryDirectory(prefix="hyoka-leaks-") as place:
            files = in_folders(given.sources, Path(place) / "files")
            made = build(Intake(find_files([files]), 2**26, jobs=0), encoder, Path(place) / "index")
            ways = [by_municipality(made, encoder, Path(place) / "moved"), *by_folder(made, Path(place) / "index")]
            made.close()
            results = [
                measure(way, cases, encoder, lambda line: print(line, file=sys.stderr, flush=True))
                for way in ways
                if not given.way or way.name in given.way
            ]
    except HyokaError as problem:
        sys.exit(problem.message)
    print(json.dumps({"about": code(), "ways": results}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
