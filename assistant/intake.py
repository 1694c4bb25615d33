"""Sources on disk become readings for the index; one file that cannot be read never stops the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from corpus.reading import read_sheets

from corpus.documents import Document, SheetReading
from corpus.errors import DocumentError
from corpus.readers import read_document
from corpus.sources import SourceFile

logger = logging.getLogger(__name__)

Reading = tuple[Document, list[SheetReading]]


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


class Intake:
    """Reads files one by one while the index is being built, and keeps the account of it.

    Iterate once: each item is a document with its sheets. Afterwards ``read`` and ``refused`` tell what became of every
    file. ``progress(name, done)`` is called before each file.
    """

    def __init__(
        self, files: list[SourceFile], max_bytes: int, progress: Callable[[str, int], None] | None = None
    ) -> None:
        self.files = [file for file in files if not file.skipped]
        self.read: list[FileReport] = []
        self.refused = [Refusal(file.name, file.skipped) for file in files if file.skipped]
        self._read = partial(read_document, max_bytes=max_bytes)
        self._progress = progress or (lambda name, done: None)

    def __iter__(self) -> Iterator[Reading]:
        for done, file in enumerate(self.files):
            self._progress(file.name, done)
            reading = self._reading(file)
            if reading is not None:
                yield reading
        self._progress("", len(self.files))

    def _reading(self, file: SourceFile) -> Reading | None:
        try:
            document = self._read(file.path, file.name)
            found = read_sheets(document)
        except DocumentError as error:
            self.refused.append(Refusal(file.name, error.message))
            return None
        except Exception:
            # Whatever a strange file brings up in our own code costs that file only.
            logger.exception("reading %s failed", file.name)
            message = f"{file.name}: 読み取りの途中で問題が起きました。ファイルを開けるか確かめ、続くときはPDFかテキストで保存し直してください。"
            self.refused.append(Refusal(file.name, message))
            return None
        self.read.append(_report(document, found))
        return document, found


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
