"""One damaged file or scrambled sheet through the readers, and what became of it."""

from __future__ import annotations

import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from corpus.documents import Document
from corpus.errors import DocumentError
from corpus.reading import read_sheets
from corpus.sources import SourceFile, find_files, read_source
from evals.benchmarks.damage import damaged, scrambled

MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Probe:
    """What became of one input: ``read``, ``refused`` (as it may be), or what went wrong."""

    number: int
    kind: str
    end: str
    seconds: float = 0.0
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """One input with its number; made before it is handed over, so that its time is the reader's alone."""

    number: int
    name: str
    data: bytes


def file_input(number: int) -> Input:
    """A damaged file."""
    return Input(number, *damaged(number))


def sheets_input(number: int) -> Input:
    """A scrambled sheet."""
    return Input(number, f"{number}.txt", scrambled(number).encode("utf-8", "surrogatepass"))


def probe_file(given: Input) -> Probe:
    """Reads one damaged file, or every file of a damaged archive."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / given.name
        path.write_bytes(given.data)
        try:
            ends = {_read(file) for file in find_files([path], MAX_BYTES)}
        except Exception as error:
            return _escaped(given.number, path.suffix, error, began)
    end = "read" if "read" in ends else "refused"
    return Probe(given.number, path.suffix, end, time.monotonic() - began)


def _read(file: SourceFile) -> str:
    if file.skipped:
        return "refused"
    try:
        document = read_source(file, MAX_BYTES)
    except DocumentError as error:
        if not error.message.startswith(file.name) or not error.message.endswith("。"):
            raise AssertionError(f"a message without name or next step: {error.message}") from error
        return "refused"
    document.text.encode()  # half a surrogate pair could not be stored
    read_sheets(document)
    return "read"


def probe_sheets(given: Input) -> Probe:
    """Finds sheets, sections and facts in one scrambled text; what read_sheets caught counts as wrong."""
    text, number = given.data.decode("utf-8", "surrogatepass"), given.number
    began = time.monotonic()
    try:
        found = read_sheets(Document(f"{number}.txt", text, "", "text"))
        for reading in found:
            if any("読み取れませんでした（" in warning for warning in reading.warnings):
                raise AssertionError(reading.warnings)
            for section in reading.sections:
                if text[section.span.start : section.span.end] != section.text:
                    raise AssertionError(f"a section that is not its span: {section.label}")
    except Exception as error:
        return _escaped(number, "sheets", error, began)
    return Probe(number, "sheets", "read", time.monotonic() - began)


def _escaped(number: int, kind: str, error: Exception, began: float) -> Probe:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {Path(last.filename).name}:{last.name}"
    return Probe(number, kind, where, time.monotonic() - began, "".join(traceback.format_exception(error))[-3000:])
