"""Indexing again from the 管理 screen: ``hyoka index`` in a process of its own, which the server outlives."""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import IO, Any, Literal

from assistant.console import PROGRESS
from corpus.errors import SettingsError

logger = logging.getLogger(__name__)

Phase = Literal["idle", "running", "done", "failed", "cancelled"]
READING = "読み込み"
# Below the server in the order of the machine: people who ask do not wait for it.
_START = (
    "import json, os, sys; os.nice(10); sys.path[:] = json.loads(sys.argv[1]);"
    " from assistant.cli import main; main(sys.argv[2:])"
)
_KEPT_NOTES = 2_000
_ENOUGH = 3  # files or parts, and seconds, after which a rate says something


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished build says: counts, and (file, why) of what could not be read."""

    version: str
    documents: int
    sheets: int
    sections: int
    facts: int
    reused: int
    noted: int
    refused: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, report: dict[str, Any]) -> Outcome:
        """From the JSON of ``hyoka index --json``."""
        return cls(
            report["index_version"],
            report["documents"],
            report["sheets"] - report["document_parts"],
            report["sections"],
            report["facts"],
            report["reused"],
            sum(bool(one["warnings"]) for one in report["files"]),
            tuple((one["file"], one["message"]) for one in report["failed"]),
        )


@dataclass(frozen=True, slots=True)
class Build:
    """How far a build is. ``done`` of ``total`` are files while ``reading``, else parts of the step in ``what``.

    ``seconds`` it has taken so far or in all; ``rate`` is files or parts a second, ``left`` the seconds this step will
    yet take (None while nothing can be said). ``message`` says how it ended.
    """

    phase: Phase = "idle"
    add: bool = False
    what: str = ""
    done: int = 0
    total: int = 0
    reading: bool = True
    seconds: float = 0.0
    rate: float | None = None
    left: float | None = None
    started: datetime | None = None
    message: str = ""
    outcome: Outcome | None = None


class Rebuild:
    """At most one build at a time of one index folder, always from the ``sources`` that the server knows.

    ``finished`` is called after a build that succeeded, before its phase becomes ``done``.
    """

    def __init__(
        self,
        folder: Path,
        sources: Callable[[], Sequence[str]],
        finished: Callable[[], object] = lambda: None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.sources = sources
        self._folder, self._finished, self._environment = folder, finished, environment or {}
        self._lock = threading.Lock()
        self._build = Build()
        self._began = 0.0
        self._step = ("", 0.0, 0)  # what is being done, since when, and how much of it was done then
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False
        self._said = ""  # what is said of the build when it has succeeded
        atexit.register(self.cancel)

    def start(self, add: bool = False) -> None:
        """Starts a build; ``add`` keeps what the sources no longer have. Raises SettingsError where it cannot."""
        sources = list(self.sources())
        if not sources:
            raise SettingsError(
                "この索引には取り込み元の記録がありません。サーバーで一度 hyoka index を実行するか、"
                "設定 sources（HYOKA_SOURCES）に取り込み元を書いてください。"
            )
        gone = [source for source in sources if not Path(source).exists()]
        if gone:  # a network drive that is not mounted must not empty the index
            raise SettingsError(
                f"取り込み元 {'、'.join(gone)} が見つかりません。フォルダーがつながっているか確かめてください。"
            )
        with self._lock:
            if self._build.phase == "running":
                raise SettingsError("索引の作り直しはすでに始まっています。終わるのを待ってください。")
            self._launch([*(["--add"] if add else []), "--", *sources], add)

    def compact(self) -> bool:
        """Starts to write the index anew from what it holds, beside the server; False where a build is running."""
        with self._lock:
            if self._build.phase == "running":
                return False
            self._launch(["--compact"], False, "索引を整理しました。")
        return True

    def _launch(self, arguments: list[str], add: bool, ended: str = "索引を作り直しました。") -> None:
        out = tempfile.TemporaryFile()  # noqa: SIM115  closed by the thread that reads it
        try:
            self._process = self._begin(arguments, out)
        except OSError as error:
            out.close()
            raise SettingsError(
                f"作り直しを始められません（{error.strerror}）。メモリーの空きを確かめてください。"
            ) from error
        self._cancelled, self._began, self._step, self._said = False, monotonic(), ("", 0.0, 0), ended
        self._build = Build("running", add, "準備", started=datetime.now(UTC))
        threading.Thread(target=self._follow, args=(self._process, out), name="hyoka-rebuild", daemon=True).start()

    def state(self) -> Build:
        """The build as it is now, or the last one."""
        with self._lock:
            build = self._build
            return build if build.phase != "running" else replace(build, seconds=monotonic() - self._began)

    def cancel(self) -> None:
        """Ends a running build; the index stays as it was. Nothing happens where none is running."""
        with self._lock:
            process = self._process if self._build.phase == "running" else None
            self._cancelled = process is not None
        if process is not None:
            _end(process)

    def _begin(self, arguments: list[str], out: IO[bytes]) -> subprocess.Popen[bytes]:
        flags = ["--index-dir", str(self._folder), "--json", *arguments]
        return subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path), "index", *flags],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, **self._environment, PROGRESS: "json"},
            process_group=0,  # its readers end with it, and Ctrl+C of the server is not theirs
        )

    def _follow(self, process: subprocess.Popen[bytes], out: IO[bytes]) -> None:
        notes: list[str] = []
        try:
            assert process.stderr is not None
            for raw in process.stderr:
                self._hear(raw.decode("utf-8", "replace").strip(), notes)
            code = process.wait()
            out.seek(0)
            ended = self._ended(code, out.read(), notes)
        except Exception:
            logger.exception("the rebuild could not be followed")
            _end(process)
            ended = ("failed", "作り直しの様子が分からなくなりました。サーバーの記録（ログ）を確かめてください。", None)
        finally:
            out.close()
        phase, message, outcome = ended
        if phase == "done":
            self._tell(what="新しい索引に切り替えています", done=0, total=0, reading=False)
            try:
                self._finished()
            except Exception:
                logger.exception("what follows a rebuild broke")
        with self._lock:
            seconds = monotonic() - self._began
            self._build = replace(self._build, phase=phase, message=message, outcome=outcome, seconds=seconds)
            self._process = None

    def _hear(self, line: str, notes: list[str]) -> None:
        try:
            told = json.loads(line)
            what, done, total = str(told["what"]), int(told["done"]), int(told["total"])
        except (ValueError, TypeError, KeyError):
            if line and len(notes) < _KEPT_NOTES:
                notes.append(line)
            return
        reading = what.startswith(READING)
        rate = left = None
        step = READING if reading else what
        if step != self._step[0]:
            self._step = (step, monotonic(), done)
        _, since, before = self._step
        spent = monotonic() - since
        if total and done - before >= _ENOUGH and spent >= _ENOUGH:
            rate = (done - before) / spent
            left = (total - done) / rate
        self._tell(what=what, done=done, total=total, reading=reading, rate=rate, left=left)

    def _tell(self, **changes: Any) -> None:
        with self._lock:
            self._build = replace(self._build, **changes)

    def _ended(self, code: int, out: bytes, notes: list[str]) -> tuple[Phase, str, Outcome | None]:
        """How a build ended that exited with ``code`` (negative: by a signal)."""
        if code == 0:
            outcome = Outcome.of(json.loads(out))
            return "done", self._said, outcome
        if self._cancelled:
            return "cancelled", "作り直しをやめました。前の索引をそのまま使っています。", None
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            why = f"作り直しの処理が途中で止まりました（{name}）。メモリーの空きを確かめて、もう一度実行してください。"
            return "failed", f"{why}前の索引をそのまま使っています。", None
        last = notes[-1] if notes else "サーバーの記録（ログ）を確かめてください。"
        return "failed", f"{last} 前の索引をそのまま使っています。", None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process with all that it started: kindly, and where that is not heard within five seconds, for good."""
    for kind, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        if process.poll() is not None:  # its number may be another's by now
            return
        try:
            os.killpg(process.pid, kind)
            process.wait(seconds)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
