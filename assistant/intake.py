"""Sources on disk become readings for the index; one file that cannot be read never stops the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from assistant.readwork import FileBytes, Outcome, Reading, ReadWork, Refusal, read_file, refused
from assistant.workers import TimeExceeded, WorkerDied, Workers
from corpus.documents import Document, SheetReading
from corpus.errors import DocumentError
from corpus.readers import READERS, Reader
from corpus.sources import SourceFile, digest, source_bytes
from corpus.version import reading_version
from index.parcels import packed
from index.prepared import Prepared, Preparer
from index.spool import Spool
from index.spread import Hands, Here, Spread, in_order
from index.stored import StoredReadings

MAX_SECONDS = 300.0
# About the seconds a file takes; one more process pays for every two seconds of work.
_SLOW = {".pdf": 0.7, ".xlsx": 0.5, ".xlsm": 0.5}
_QUICK = 0.1
_WORTH_IT = 2.0


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found in one file; ``warnings`` are Japanese sentences."""

    file: str
    sheets: int
    sections: int
    facts: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """A file with the same bytes as ``same_as``, which stands for both in the index."""

    file: str
    same_as: str


_Bytes = tuple[str, Reader | None]  # the same bytes read in another way are another document


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a file before it is read: ``found`` is what becomes of it where it need not be.

    ``key`` names its prepared form in the spool; ``reused`` says that its reading is that of an earlier run.
    """

    file: SourceFile
    key: bytes = b""
    found: Copy | Outcome | bytes | None = None
    reused: bool = False


class Intake:
    """Reads files while the index is being built, and keeps the account of it.

    Iterate once: each item is a document with its sheets, in the order of ``files``. Afterwards ``read``, ``refused``
    and ``copies`` tell what became of every file (each is in one of them), ``reused`` counts those of ``read`` whose
    reading was taken from ``stored``, and ``sections`` are all that were found. ``progress(name, done)`` is called
    before each file.

    Files are read by ``jobs`` processes (None: as many as pay; 0: in this one, without the guards), each file at most
    ``max_seconds`` long. Bytes that are there twice are read once. With ``adding``, ``stored`` stays in the index, so
    a file with the bytes of another that stays is a copy too.

    With a ``preparer`` each item is a :class:`Prepared` document: the process that has read a file prepares it as well.
    What ``spool`` has of a build that was stopped is neither read nor prepared again; ``resumed`` counts it. ``spread``
    says where that is done, if not by processes of this machine; with ``carry`` the bytes of a file are sent there
    instead of its place. ``sum_of`` gives a file's SHA-256.
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
        preparer: Preparer | None = None,
        spool: Spool | None = None,
        spread: Spread | None = None,
        carry: bool = False,
        sum_of: Callable[[SourceFile, int], str] = digest,
    ) -> None:
        self.files = [file for file in files if not file.skipped]
        self.read: list[FileReport] = []
        self.refused = [Refusal(file.name, file.skipped) for file in files if file.skipped]
        self.copies: list[Copy] = []
        self.reused = self.resumed = self.sections = 0
        self.jobs = _jobs(self.files) if jobs is None else jobs
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._progress = progress or (lambda name, done: None)
        self._stored = stored
        self._seen: dict[_Bytes, str] = _staying(stored, self.files) if stored and adding else {}
        self._sum_of = sum_of
        self._preparer, self._spool, self._carry = preparer, spool, carry
        self._spread = spread or (partial(Workers, jobs=self.jobs, seconds=max_seconds) if self.jobs else Here)

    def __iter__(self) -> Iterator[Reading | Prepared]:
        if self.files:
            self._progress(self.files[0].name, 0)
        for done, (look, outcome) in enumerate(self._outcomes(), start=1):
            if isinstance(outcome, Copy):
                self._copy(outcome)
            elif isinstance(outcome, Refusal):
                self.refused.append(outcome)
            else:
                self.reused += look.reused
                self.resumed += isinstance(look.found, bytes)
                report, one = self._taken(look, outcome)
                self.read.append(report)
                self.sections += report.sections
            self._progress(self.files[done].name if done < len(self.files) else "", done)
            if not isinstance(outcome, (Copy, Refusal)):
                yield one

    def _taken(self, look: _Look, outcome: Reading | bytes) -> tuple[FileReport, Reading | Prepared]:
        if not isinstance(outcome, bytes):
            return _report(*outcome), outcome
        if self._spool is not None:
            self._spool.put(look.key, outcome)
        prepared = Prepared.loads(outcome)
        return _report_of(prepared), prepared

    def _copy(self, copy: Copy) -> None:
        if any(refused.file == copy.same_as for refused in self.refused):
            message = f"{copy.file}: 読めなかった {copy.same_as} と同じ内容です。そちらの案内をご覧ください。"
            self.refused.append(Refusal(copy.file, message))
        else:
            self.copies.append(copy)

    def _outcomes(self) -> Iterator[tuple[_Look, Copy | Outcome | bytes]]:
        """What became of each file, in order."""
        with self._spread(ReadWork(read_file, self._max_bytes, self._preparer)) as hands:
            for look, future in in_order(partial(self._begin, hands), map(self._look, self.files), hands.ahead):
                try:
                    yield look, future.result()
                except WorkerDied:
                    yield (
                        look,
                        refused(
                            look.file,
                            "読み取りの処理が途中で止まりました。ファイルを分けるか、PDFを作り直してください。",
                        ),
                    )
                except TimeExceeded:
                    yield (
                        look,
                        refused(
                            look.file,
                            f"{self._max_seconds:g}秒以内に読み終わらないため、飛ばしました。ファイルを分けるか、"
                            "設定 max_file_seconds（HYOKA_MAX_FILE_SECONDS）を上げてください。",
                        ),
                    )

    def _look(self, file: SourceFile) -> _Look:
        """Looks whether a file's bytes are known already."""
        sha256 = self._sum_of(file, self._max_bytes)
        if not sha256:  # its reader will say why, and where it is sent as bytes, that is here
            return _Look(file, found=read_file(file, self._max_bytes) if self._carry else None)
        first = self._seen.setdefault((sha256, READERS.get(file.suffix)), file.name)
        if first != file.name:
            return _Look(file, found=Copy(file.name, first))
        key = b""
        if self._preparer is not None and self._spool is not None:
            key = self._preparer.key(file.name, sha256, reading_version())
            kept = self._spool.get(key)
            if kept is not None:
                return _Look(file, key, kept)
        reading = self._stored.reading(file.name, sha256, reading_version()) if self._stored else None
        return _Look(file, key, reading, reading is not None)

    def _begin(self, hands: Hands, look: _Look) -> Future[Copy | Outcome | bytes]:
        """Begins to read and prepare a file, as far as that is not done."""
        if look.found is None:
            return hands.submit(_carried(look.file, self._max_bytes) if self._carry else look.file)
        if self._preparer is not None and isinstance(look.found, tuple):
            return hands.submit(packed(look.found))
        done: Future[Copy | Outcome | bytes] = Future()
        done.set_result(look.found)
        return done


def _carried(file: SourceFile, max_bytes: int) -> SourceFile | FileBytes:
    """The file with its bytes."""
    try:
        return FileBytes(file.name, file.suffix, source_bytes(file, max_bytes))
    except (DocumentError, OSError):
        return file


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


def _report_of(one: Prepared) -> FileReport:
    """The same as :func:`_report` says of the reading that was prepared."""
    warnings, by_sheet = one.warnings()
    for name, own in by_sheet:
        prefix = f"{name}: " if name else ""
        warnings += [prefix + warning for warning in own]
    return _file_report(one.file, len(one.sheets), len(one.sections), len(one.facts), warnings)


def _report(document: Document, found: list[SheetReading]) -> FileReport:
    warnings = list(document.warnings)
    for reading in found:
        prefix = f"{reading.sheet.name}: " if reading.sheet.name else ""
        warnings += [prefix + warning for warning in reading.warnings]
    sections, facts = (sum(map(len, of)) for of in ([r.sections for r in found], [r.facts for r in found]))
    return _file_report(document.file, len(found), sections, facts, warnings)


def _file_report(file: str, sheets: int, sections: int, facts: int, warnings: list[str]) -> FileReport:
    if not sections:
        warnings.append("評価シートの欄を見つけられませんでした。評価シートのファイルか確かめてください。")
    return FileReport(file, sheets, sections, facts, tuple(dict.fromkeys(warnings)))
