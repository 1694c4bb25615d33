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
import json
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.access.registerfile import put
from assistant.intake import Intake
from corpus.errors import HyokaError
from corpus.sources import find_files
from evals.benchmarks.hidden import Hidden
from evals.benchmarks.http import serving
from evals.benchmarks.visitor import ADMIN, EVERYBODY, SOMEBODY, Fetch, Visitor
from evals.cases import Case, read_cases
from evals.runs import code
from index.build import build
from index.encoder import load_encoder
from index.snapshot import Snapshot
from index.types import Encoder
from index.visibility import Visibility

INVENTED = "遠野原市"  # of the sheets that are hidden by their municipality
USER_HEADER = "X-Forwarded-User"
_TOOK = ("took_ms", "index_version")


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
