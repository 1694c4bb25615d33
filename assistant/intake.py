"""Sources on disk become readings for the index; one file that cannot be read never stops the others."""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

from corpus.documents import Document, SheetReading
from corpus.errors import DocumentError
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.sources import SourceFile

logger = logging.getLogger(__name__)

# PDF and Office files take a second or so each; from this many on, starting more processes pays.
_SLOW = {".pdf", ".xlsx", ".xlsm", ".docx"}
_WORTH_IT = 20


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found in one file; ``warnings`` are Japanese sentences."""

    file: str
    sheets: int
    sections: int
    facts: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One file that was not read; ``message`` names it, says why and what to do next."""

    file: str
    message: str


Reading = tuple[Document, list[SheetReading]]
Outcome = Reading | Refusal


class Intake:
    """Reads files one by one while the index is being built, and keeps the account of it.

    Iterate once: each item is a document with its sheets, in the order of ``files``. Afterwards ``read`` and
    ``refused`` tell what became of every file. ``progress(name, done)`` is called before each file. Many slow files are
    read by ``jobs`` processes (None: one for each processor, if there are enough files for it).
    """

    def __init__(
        self,
        files: list[SourceFile],
        max_bytes: int,
        progress: Callable[[str, int], None] | None = None,
        jobs: int | None = None,
    ) -> None:
        self.files = [file for file in files if not file.skipped]
        self.read: list[FileReport] = []
        self.refused = [Refusal(file.name, file.skipped) for file in files if file.skipped]
        self.jobs = _jobs(self.files) if jobs is None else jobs
        self._max_bytes = max_bytes
        self._progress = progress or (lambda name, done: None)

    def __iter__(self) -> Iterator[Reading]:
        if self.files:
            self._progress(self.files[0].name, 0)
        outcomes = self._pooled() if self.jobs > 1 else (read_file(file, self._max_bytes) for file in self.files)
        for done, outcome in enumerate(outcomes, start=1):
            self._progress(self.files[done].name if done < len(self.files) else "", done)
            if isinstance(outcome, Refusal):
                self.refused.append(outcome)
            else:
                self.read.append(_report(*outcome))
                yield outcome

    def _pooled(self) -> Iterator[Outcome]:
        """Outcomes in order, a few files ahead of the one that is waited for."""
        broken = False
        rest = iter(self.files)
        with _pool(self.jobs) as pool:

            def ahead(count: int) -> list[tuple[SourceFile, Future[Outcome]]]:
                return [(file, pool.submit(read_file, file, self._max_bytes)) for file in islice(rest, count)]

            waiting = deque(ahead(2 * self.jobs))
            while waiting and not broken:
                file, future = waiting.popleft()
                try:
                    outcome = future.result()
                    waiting.extend(ahead(1))
                except BrokenProcessPool:
                    # A file has killed its process (out of memory, a fault in a C library): one by one from here.
                    broken = True
                    waiting.appendleft((file, future))
                else:
                    yield outcome
        for file in [*(file for file, _ in waiting), *rest]:
            yield self._alone(file)

    def _alone(self, file: SourceFile) -> Outcome:
        with _pool(1) as pool:
            try:
                return pool.submit(read_file, file, self._max_bytes).result()
            except BrokenProcessPool:
                message = (
                    f"{file.name}: 読み取りの処理が途中で止まりました。ファイルを分けるか、PDFを作り直してください。"
                )
                return Refusal(file.name, message)


def read_file(file: SourceFile, max_bytes: int) -> Outcome:
    """One file as a document with its sheets, or why not."""
    try:
        document = read_document(file.path, file.name, max_bytes)
        return document, read_sheets(document)
    except DocumentError as error:
        return Refusal(file.name, error.message)
    except Exception:
        # Whatever a strange file brings up in our own code costs that file only.
        logger.exception("reading %s failed", file.name)
        return Refusal(
            file.name,
            f"{file.name}: 読み取りの途中で問題が起きました。ファイルを開けるか確かめ、続くときはPDFかテキストで保存し直してください。",
        )


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: the progress bar has a thread, and a fork copies its locks as they stand.
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_be_quiet)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _be_quiet() -> None:
    """Ctrl+C is answered by the parent, and what goes wrong in a file becomes its refusal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)


def _jobs(files: list[SourceFile]) -> int:
    slow = sum(file.path.suffix.lower() in _SLOW for file in files)
    return min(os.cpu_count() or 1, 8) if slow >= _WORTH_IT else 1


def _report(document: Document, found: list[SheetReading]) -> FileReport:
    warnings = list(document.warnings)
    for reading in found:
        prefix = f"{reading.sheet.name}: " if reading.sheet.name else ""
        warnings += [prefix + warning for warning in reading.warnings]
    if not any(reading.sections for reading in found):
        warnings.append("評価シートの欄を見つけられませんでした。評価シートのファイルか確かめてください。")
    return FileReport(
        file=document.file,
        sheets=len(found),
        sections=sum(len(reading.sections) for reading in found),
        facts=sum(len(reading.facts) for reading in found),
        warnings=tuple(dict.fromkeys(warnings)),
    )
