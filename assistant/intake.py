"""Sources on disk become readings for the index; one file that cannot be read never stops the others."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from assistant.workers import TimeExceeded, WorkerDied, Workers, in_order
from corpus.documents import Document, SheetReading
from corpus.errors import DocumentError
from corpus.readers import READERS, Reader
from corpus.reading import read_sheets
from corpus.sources import SourceFile, digest, read_source
from corpus.version import reading_version
from index.stored import StoredReadings

logger = logging.getLogger(__name__)

MAX_SECONDS = 300.0
# About the seconds a file takes; one more process pays for every two seconds of work.
_SLOW = {".pdf": 0.7, ".xlsx": 0.5, ".xlsm": 0.5}
_QUICK = 0.1
_WORTH_IT = 2.0
# How many files each process may be ahead of the one that is waited for: readings wait in memory.
_AHEAD = 2


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


@dataclass(frozen=True, slots=True)
class Copy:
    """A file with the same bytes as ``same_as``, which stands for both in the index."""

    file: str
    same_as: str


@dataclass(frozen=True, slots=True)
class Reused:
    """The reading of an earlier run, of a file that has not changed since."""

    reading: Reading


Reading = tuple[Document, list[SheetReading]]
Outcome = Reading | Refusal
_Found = Outcome | Copy | Reused
_Bytes = tuple[str, Reader | None]  # the same bytes read in another way are another document


class Intake:
    """Reads files while the index is being built, and keeps the account of it.

    Iterate once: each item is a document with its sheets, in the order of ``files``. Afterwards ``read``, ``refused``
    and ``copies`` tell what became of every file (each is in one of them), and ``reused`` counts those of ``read``
    whose reading was taken from ``stored``. ``progress(name, done)`` is called before each file.

    Files are read by ``jobs`` processes (None: as many as pay; 0: in this one, without the guards), each file at most
    ``max_seconds`` long. Bytes that are there twice are read once. With ``adding``, ``stored`` stays in the index, so
    a file with the bytes of another that stays is a copy too.
    """

    def __init__(
        self,
        files: list[SourceFile],
        max_bytes: int,
        progress: Callable[[str, int], None] | None = None,
        jobs: int | None = None,
        max_seconds: float = MAX_SECONDS,
        stored: StoredReadings | None = None,
        adding: bool = False,
    ) -> None:
        self.files = [file for file in files if not file.skipped]
        self.read: list[FileReport] = []
        self.refused = [Refusal(file.name, file.skipped) for file in files if file.skipped]
        self.copies: list[Copy] = []
        self.reused = 0
        self.jobs = _jobs(self.files) if jobs is None else jobs
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._progress = progress or (lambda name, done: None)
        self._stored = stored
        self._seen: dict[_Bytes, str] = _staying(stored, self.files) if stored and adding else {}

    def __iter__(self) -> Iterator[Reading]:
        if self.files:
            self._progress(self.files[0].name, 0)
        for done, found in enumerate(self._found(), start=1):
            self._progress(self.files[done].name if done < len(self.files) else "", done)
            if isinstance(found, Copy):
                self._copy(found)
            elif isinstance(found, Refusal):
                self.refused.append(found)
            else:
                if isinstance(found, Reused):
                    self.reused += 1
                    found = found.reading
                self.read.append(_report(*found))
                yield found

    def _copy(self, copy: Copy) -> None:
        if any(refused.file == copy.same_as for refused in self.refused):
            message = f"{copy.file}: 読めなかった {copy.same_as} と同じ内容です。そちらの案内をご覧ください。"
            self.refused.append(Refusal(copy.file, message))
        else:
            self.copies.append(copy)

    def _found(self) -> Iterator[_Found]:
        """What became of each file, in order."""
        work = partial(read_file, max_bytes=self._max_bytes)
        workers = Workers(work, self.jobs, self._max_seconds) if self.jobs else None
        with workers or nullcontext():
            read = workers.submit if workers else partial(_at_once, work)
            begun = in_order(partial(self._begin, read), iter(self.files), max(1, _AHEAD * self.jobs))
            for file, future in begun:
                try:
                    yield future.result()
                except WorkerDied:
                    yield _refused(
                        file, "読み取りの処理が途中で止まりました。ファイルを分けるか、PDFを作り直してください。"
                    )
                except TimeExceeded:
                    yield _refused(
                        file,
                        f"{self._max_seconds:g}秒以内に読み終わらないため、飛ばしました。ファイルを分けるか、"
                        "設定 max_file_seconds（HYOKA_MAX_FILE_SECONDS）を上げてください。",
                    )

    def _begin(self, read: Callable[[SourceFile], Future[Outcome]], file: SourceFile) -> Future[_Found]:
        """Begins to read a file, unless its bytes are known already."""
        future: Future[_Found] = Future()
        sha256 = digest(file, self._max_bytes)
        if sha256:
            first = self._seen.setdefault((sha256, READERS.get(file.suffix)), file.name)
            if first != file.name:
                future.set_result(Copy(file.name, first))
                return future
            reading = self._stored.reading(file.name, sha256, reading_version()) if self._stored else None
            if reading is not None:
                future.set_result(Reused(reading))
                return future
        return read(file)  # type: ignore[return-value]  # every Outcome is a _Found


def read_file(file: SourceFile, max_bytes: int) -> Outcome:
    """One file as a document with its sheets, or why not."""
    try:
        document = read_source(file, max_bytes)
        return document, read_sheets(document)
    except DocumentError as error:
        if isinstance(error.__cause__, MemoryError):
            return _refused(file, _NO_MEMORY)
        return Refusal(file.name, error.message)
    except MemoryError:
        return _refused(file, _NO_MEMORY)
    except Exception:
        # Whatever a strange file brings up in our own code costs that file only.
        logger.exception("reading %s failed", file.name)
        return _refused(
            file,
            "読み取りの途中で問題が起きました。ファイルを開けるか確かめ、続くときはPDFかテキストで保存し直してください。",
        )


_NO_MEMORY = "読み取りに必要なメモリーが多すぎます。ページやシートを分けて保存し直してください。"


def _refused(file: SourceFile, problem: str) -> Refusal:
    return Refusal(file.name, f"{file.name}: {problem}")


def _at_once(work: Callable[[SourceFile], Outcome], file: SourceFile) -> Future[Outcome]:
    """The stand-in for the processes: the file is read here and now."""
    future: Future[Outcome] = Future()
    future.set_result(work(file))
    return future


def _staying(stored: StoredReadings, files: list[SourceFile]) -> dict[_Bytes, str]:
    """The bytes in the index that this run does not replace."""
    replaced = {file.name for file in files}
    return {
        (sha256, READERS.get(PurePosixPath(file).suffix.lower())): file
        for file, sha256 in stored.files().items()
        if file not in replaced
    }


def _jobs(files: list[SourceFile]) -> int:
    seconds = sum(_SLOW.get(file.suffix, _QUICK) for file in files)
    return max(1, min(os.cpu_count() or 1, 8, int(seconds / _WORTH_IT)))


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
