"""Commands run in forks of one process that has imported everything, so that starting one costs next to nothing."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from corpus.documents import Document

Watch = Callable[[str, Sequence[Any]], None]
"""Is told of what a process is about to do: the name of an audit event, and its values."""
_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "shutil.", "sqlite3.connect")
_MODULES = (
    "assistant.accounts", "assistant.changes", "assistant.cli", "assistant.indexing", "assistant.intake",
    "assistant.opening", "assistant.payload", "assistant.printouts", "assistant.raycluster", "assistant.session",
    "assistant.tuning", "index.modelencoder", "index.tuning.run", "index.update",
)  # fmt: skip


def preload(tuning: bool = True) -> None:
    """Everything a command imports, and the encoder: none of it starts a thread, so the process can be forked."""
    for module in _MODULES:
        import_module(module)
    from corpus.reading import read_sheets
    from index.encoder import load_encoder
    from index.synonyms import load_synonyms
    from index.tuning.everyday import common_words

    load_encoder().encode(["準備"], "passage")
    load_synonyms().rewrites()
    if tuning:
        common_words()
    read_sheets(Document("a.txt", "事務事業評価シート\n事業名 準備\n事業の目的\n準備する。\n", "", "text"))


def forked(work: Callable[[], Any], log: Path) -> tuple[int, int]:
    """Starts ``work`` in a forked process with a group of its own; returns its id and a pipe on which its result comes as JSON."""
    receiver, sender = os.pipe()
    pid = os.fork()
    if pid:
        os.close(sender)
        return pid, receiver
    code = 70
    try:
        os.setsid()
        os.close(receiver)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.write(sender, json.dumps(work()).encode())
        sys.stdout.flush()
        code = 0
    except BaseException as problem:
        with suppress(OSError):
            os.write(2, f"{type(problem).__name__}: {getattr(problem, 'message', problem)}\n".encode())
    finally:
        os._exit(code)


def ended(pid: int, receiver: int, log: Path) -> Any:
    """Waits for a forked process and returns its result; RuntimeError with its last words where it has none."""
    with os.fdopen(receiver, "rb") as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    if not text:
        raise RuntimeError(log.read_text("utf-8", "replace").strip()[-400:] or "no word")
    return json.loads(text)


def command(arguments: Sequence[str], folder: Path, jobs: int, watch: Watch | None = None) -> int:
    """Runs ``hyoka`` on an index folder in this (forked) process, with ``jobs`` processes that read; returns its exit status."""
    from assistant.cli import run

    os.environ.update(HYOKA_JOBS=str(jobs), HYOKA_INDEX_DIR=str(folder))
    if arguments[0] == "tune":
        _accept()
    if watch is not None:
        sys.addaudithook(lambda event, values: watch(event, values) if event.startswith(_EVENTS) else None)
    return run(list(arguments))


def _accept() -> None:
    """So small an index proves no gain; here what is of interest is that weights are stored, not whether they are good."""
    from index.fusion import Weights

    tuning: Any = import_module("index.tuning.run")
    real, bench = tuning.fit, tuning.Bench

    def fit(*values: Any, **named: Any) -> Any:
        return replace(real(*values, **named), refused="", weights=replace(Weights(), low=0.35))

    tuning.fit = fit
    tuning.Bench = lambda problems, _: bench(problems, time.monotonic() + 0.2)


def touches(folder: Path) -> tuple[Watch, list[int]]:
    """A watch over what is done to the files of a folder, and how often something was (the only number of the list)."""
    count, place = [0], str(folder)

    def watch(event: str, values: Sequence[Any]) -> None:
        if event == "open" and not _writes(values):
            return
        if any(str(value).startswith(place) for value in values if isinstance(value, (str, os.PathLike))):
            count[0] += 1

    return watch, count


def _writes(values: Sequence[Any]) -> bool:
    """Whether what is told of an opening of a file (its name, the mode or None, the flags) is one for writing."""
    _, mode, flags = values
    return bool(set(mode or "") & set("wax+")) or bool(isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR))
