"""The work on one file, which any process may do: the file read, and prepared for the index where that is wanted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from corpus.documents import Document, SheetReading
from corpus.errors import DocumentError
from corpus.readers import document_from
from corpus.reading import read_sheets
from corpus.sources import SourceFile, read_source
from index.prepared import Preparer

logger = logging.getLogger(__name__)

_NO_MEMORY = "読み取りに必要なメモリーが多すぎます。ページやシートを分けて保存し直してください。"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One file that was not read; ``message`` names it, says why and what to do next."""

    file: str
    message: str


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file with its bytes, for a process that does not see the folder it is in."""

    name: str
    suffix: str
    data: bytes


Reading = tuple[Document, list[SheetReading]]
Outcome = Reading | Refusal


def read_file(file: SourceFile | FileBytes, max_bytes: int) -> Outcome:
    """One file as a document with its sheets, or why not."""
    try:
        if isinstance(file, FileBytes):
            document = document_from(file.data, file.name, file.suffix)
        else:
            document = read_source(file, max_bytes)
        return document, read_sheets(document)
    except DocumentError as error:
        if isinstance(error.__cause__, MemoryError):
            return refused(file, _NO_MEMORY)
        return Refusal(file.name, error.message)
    except MemoryError:
        return refused(file, _NO_MEMORY)
    except Exception:
        # Whatever a strange file brings up in our own code costs that file only.
        logger.exception("reading %s failed", file.name)
        return refused(
            file,
            "読み取りの途中で問題が起きました。ファイルを開けるか確かめ、続くときはPDFかテキストで保存し直してください。",
        )


def refused(file: SourceFile | FileBytes, problem: str) -> Refusal:
    """The refusal of a file for a problem that does not name it."""
    return Refusal(file.name, f"{file.name}: {problem}")


@dataclass(frozen=True, slots=True)
class ReadWork:
    """What is done with a file, or with a packed reading (:func:`index.prepared.packed`): it is read by ``read``, and
    with a ``preparer`` prepared, which gives bytes."""

    read: Callable[[SourceFile | FileBytes, int], Outcome]
    max_bytes: int
    preparer: Preparer | None = None

    def __call__(self, task: SourceFile | FileBytes | bytes) -> Outcome | bytes:
        """The reading or its prepared form, or why there is none."""
        if isinstance(task, bytes):
            assert self.preparer is not None
            return self.preparer(task)
        outcome = self.read(task, self.max_bytes)
        if self.preparer is None or isinstance(outcome, Refusal):
            return outcome
        try:
            return self.preparer(outcome)
        except MemoryError:
            return refused(task, _NO_MEMORY)
