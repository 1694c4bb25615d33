"""Every pattern of the code, and whether it is linear: ``python -m evals.benchmarks.patterns``.

Two looks at each. The first is at the pattern's tree (:mod:`evals.benchmarks.patterntree`). The second feeds it long texts of
its own characters and compares the processor time of n characters with that of 2n: linear is 2, quadratic 4. Patterns that are
put together while the program runs are seen because the program is run: a bundled sheet is read, and questions are understood.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from evals.benchmarks.patterntree import parts, problems
from evals.runs import code

ROOT = Path(__file__).parents[2]
RESULT = Path(__file__).parent / "results" / "patterns.json"
PACKAGES = ("corpus", "index", "assistant", "evals", "ui")
LEFT_OUT = ("index.training", "assistant.training", "evals.benchmarks", "evals.layouts", "corpus.samples")
CALLS = {"compile", "match", "search", "fullmatch", "findall", "finditer", "sub", "subn", "split"}
ANCHORED = {"match", "fullmatch", "pattern"}
QUADRATIC = 3.0  # between the 2 of a linear and the 4 of a quadratic pattern
BRIEF = 0.004  # seconds of processor time below which a ratio says nothing


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern and the file of the code that made it. ``anchored``: all that is asked of it is whether it matches at one
    place (``match``, ``fullmatch``), so that no search begins anew."""

    pattern: str
    flags: int
    file: str
    anchored: bool = False


@contextmanager
def recorded() -> Iterator[list[Found]]:
    """What our own code compiles meanwhile."""
    found: dict[tuple[str, int], Found] = {}
    given: Callable[[Any, int], Any] = re._compile  # type: ignore[attr-defined]

    def compiling(pattern: Any, flags: int) -> Any:
        made = given(pattern, flags)
        if isinstance(pattern, str):
            frame = sys._getframe(2)
            file = Path(frame.f_code.co_filename)
            if any(file.is_relative_to(ROOT / package) for package in PACKAGES):
                found.setdefault((pattern, made.flags), Found(pattern, made.flags, str(file.relative_to(ROOT))))
        return made

    re._compile = compiling  # type: ignore[attr-defined]
    collected: list[Found] = []
    try:
        yield collected
    finally:
        re._compile = given  # type: ignore[attr-defined]
        collected.extend(found.values())


def modules() -> list[str]:
    """The modules of the packages that answer, read and show."""
    names = []
    for package in PACKAGES:
        for one in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not one.name.startswith(LEFT_OUT):
                names.append(one.name)
    return names


def trees() -> Iterator[tuple[str, str, ast.Module]]:
    """The name, the file and the tree of each of them."""
    for name in modules():
        path = ROOT / (name.replace(".", "/") + ".py")
        path = path if path.exists() else ROOT / name.replace(".", "/") / "__init__.py"
        yield name, str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def written() -> list[tuple[str, Found]]:
    """The patterns that stand as literals in a call of ``re``, whether or not that line is ever reached, with what is
    called."""
    found = []
    for _, file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                called, first = node.func, node.args[0]
                of_re = isinstance(called.value, ast.Name) and called.value.id == "re"
                if of_re and called.attr in CALLS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.append((called.attr, Found(first.value, 0, file)))
    return found


def uses() -> dict[str, set[str]]:
    """What is called of each pattern that a module keeps under a name or writes in the call; anything else that is done with
    it (it is handed on, held in a table) is a use of its own kind."""
    found: dict[str, set[str]] = {}
    for call, one in written():
        if call != "compile":
            found.setdefault(one.pattern, set()).add(call)
    for name, _, tree in trees():
        held = {key: value for key, value in vars(sys.modules[name]).items() if isinstance(value, re.Pattern)}
        called = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in held:
                found.setdefault(held[node.id].pattern, set()).add(called.get(id(node), "handed on"))
    return found


def every_pattern() -> list[Found]:
    """All patterns: those of the modules as they are imported (in a process that has not done so yet), those written inside functions, and
    those made of the vocabulary while a document is read and questions are understood."""
    with recorded() as found:
        for name in modules():
            importlib.import_module(name)
        _run_once()
    used = uses()
    every = {
        (one.pattern, one.flags & ~re.UNICODE): replace(one, anchored=used.get(one.pattern, {"unknown"}) <= ANCHORED)
        for one in [*found, *(one for _, one in written())]
    }
    return sorted(every.values(), key=lambda one: (one.file, one.pattern))


def _run_once() -> None:
    from corpus.documents import Document
    from corpus.readers import read_document
    from corpus.reading import read_sheets

    for name in ("hokuto_hyoka_r5.txt", "sakurazaka_chosho_r6.xlsx", "hokuto_hyoka_r6.html"):
        read_sheets(read_document(ROOT / "corpus" / "samples" / "files" / name))
    read_sheets(Document("a.txt", "事務事業名\t図書館\n目的\t令和5年4月1日に更新する。\n", "", "text"))


def pumps(pattern: str) -> list[str]:
    """Short texts to repeat: characters the pattern reads, alone and in pairs, and its literal stretches."""
    tree = parser.parse(pattern)
    chars: list[str] = []
    runs, run = [], ""
    for op, value in parts(tree):
        if op is sre.LITERAL:
            chars.append(chr(value))
            run += chr(value)
            continue
        if run:
            runs.append(run)
        run = ""
        if op is sre.RANGE:
            chars += [chr(value[0]), chr(value[1])]
        elif op is sre.CATEGORY:
            chars += {sre.CATEGORY_DIGIT: "1", sre.CATEGORY_SPACE: " ", sre.CATEGORY_WORD: "a"}.get(value, "あ")
        elif op in (sre.ANY, sre.NOT_LITERAL, sre.NEGATE):
            chars.append("あ")
    chars = list(dict.fromkeys([*chars, " ", "\n", "1", "あ"]))[:24]
    texts = [*chars, *dict.fromkeys([*runs, run])]
    texts += [one + other for one in chars[:6] for other in chars[:6] if one != other]
    return [text for text in dict.fromkeys(texts) if text]


def ratio(found: re.Pattern[str], pump: str, size: int, anchored: bool = False) -> float:
    """Processor time for 2n characters against n; 0 where both are too brief to say anything."""
    taken = []
    for length in (size, 2 * size):
        text = (pump * (length // len(pump) + 1))[:length] + "\x01"
        began = time.process_time()
        if anchored:
            found.match(text)
        else:
            for _ in found.finditer(text):
                pass
        found.fullmatch(text)
        taken.append(time.process_time() - began)
    return taken[1] / taken[0] if taken[1] > BRIEF and taken[0] > 0 else 0.0


def growth(one: Found, size: int) -> tuple[float, str]:
    """The first ratio that shows twice that a pattern is not linear (else the greatest one), with what was repeated."""
    made = re.compile(one.pattern, one.flags)
    worst = (0.0, "")
    for pump in pumps(one.pattern):
        brief = min(2_000, size)
        found = ratio(made, pump, brief, one.anchored)  # what grows quickly must not be let near the long ones
        found = found if found > QUADRATIC else ratio(made, pump, size, one.anchored)
        if found > QUADRATIC:
            found = min(found, ratio(made, pump, brief if found > 10 else size, one.anchored))
        worst = max(worst, (found, pump))
        if found > QUADRATIC:
            break
    return worst


def main(arguments: Sequence[str] | None = None) -> int:
    """Looks at every pattern; 1 if one is not linear."""
    argument = argparse.ArgumentParser(description=__doc__)
    argument.add_argument(
        "--size", type=int, default=2_000, help="characters of the shorter text; the longer has twice as many"
    )
    argument.add_argument("--tree", action="store_true", help="only the look at the tree")
    argument.add_argument("--every", action="store_true", help="measure also what is linear by its tree")
    argument.add_argument("--out", type=Path, default=RESULT)
    given = argument.parse_args(arguments)
    every = every_pattern()
    bad = [{**asdict(one), "tree": told} for one in every if (told := problems(one.pattern, one.flags, one.anchored))]
    slow = []
    known = {one["pattern"] for one in bad}
    for one in every if not given.tree else ():
        if not given.every and one.pattern not in known:
            continue
        worst, pump = growth(one, given.size)
        if worst > QUADRATIC:
            slow.append({**asdict(one), "ratio": round(worst, 1), "of": pump})
            print(one.file, one.pattern[:100], round(worst, 1), repr(pump), file=sys.stderr, flush=True)
    result = {
        "code": code(),
        "patterns": len(every),
        "files": len({one.file for one in every}),
        "size": given.size,
        "not linear by their tree": bad,
        "not linear by time": None if given.tree else slow,
    }
    given.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(
        f"{len(every)} patterns of {result['files']} files: {len(bad)} not linear by their tree"
        + ("" if given.tree else f", {len(slow)} by time")
    )
    return int(bool(bad or slow))


if __name__ == "__main__":
    sys.exit(main())
