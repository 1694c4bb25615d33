"""What of a document takes time before it can be written to an index: its words, its vectors, the rows of its records.

A pure function of a reading, so that any process anywhere may make it; the one writer puts the results together.
Documents travel and are kept as bytes: a head of JSON, and the numbers as they stand in memory.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.documents import Document, Fact, Section, Span
from corpus.staffnames import MASK, PERSON_FIELD, masked, staff_spans
from corpus.timelines import Head, head_of
from corpus.version import reading_version
from index.chunks import passage_text, split, whose
from index.facets import facet_words
from index.parcels import Reading, unpacked
from index.recordswriter import DOCUMENT_COLUMNS, SHEET_COLUMNS, document_row, event_rows, fact_rows, sheet_row
from index.sheetvalues import values_of_facts
from index.tokens import words
from index.types import Encoder, Vectors

Rows = list[list[Any]]
Ids = NDArray[Any]  # the smallest unsigned integers that number the words of the document

PREPARED = 3  # raised when what is written of a document changes and no file below does
_BATCH = 64
_BESIDE = " \t\n　、,，・･/／()（）"  # what may stand between names
_FAST = 1  # zlib's level: a quarter of the bytes for 5 µs of the 600 that a section takes
_MADE_BY = (
    "prepared.py", "tokens.py", "chunks.py", "pieces.py", "encoder.py", "recordswriter.py", "facets.py", "sheetvalues.py",
    "sheetvalues.toml",
)  # fmt: skip
_MADE_WITH = ("fugashi", "unidic-lite")


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of word numbers, one after the other; list i is ``ids[starts[i]:starts[i + 1]]``."""

    ids: Ids
    starts: NDArray[np.int64]

    def __getitem__(self, at: int) -> Ids:
        found: Ids = self.ids[self.starts[at] : self.starts[at + 1]]
        return found


@dataclass(frozen=True, slots=True)
class Prepared:
    """One document as the writer takes it. All numbers (sheet, section, word) count from 0 within the document.

    ``sheets``, ``sections``, ``facts`` and ``events`` are the rows of the records, those of a sheet with its number in
    front where it is not the row's own. ``chunks`` has a row (section, start, end) a chunk. ``vocabulary`` is in the
    order in which the words come; ``name`` and ``department`` hold the words of each sheet, ``label`` and ``head`` (each
    word once) of each section, ``body`` of each chunk, where ``first`` marks a word that comes for the first time.
    ``facets`` are the words by which each sheet is chosen, between spaces. ``section_counts`` says for every word in
    how many sections it stands. ``vectors`` has a row a chunk, ``sheet_vectors`` one a sheet. ``texts`` are what is
    encoded for the chunks, where another encoder is to do that.
    """

    document: list[Any]
    sheets: Rows
    sections: Rows
    facts: Rows
    events: Rows
    heads: list[tuple[int, Head]]
    vocabulary: list[str]
    facets: list[str]
    texts: list[str]
    chunks: NDArray[np.int32]
    name: Ragged
    department: Ragged
    label: Ragged
    head: Ragged
    body: Ragged
    first: NDArray[np.bool_]
    section_counts: NDArray[np.int32]
    vectors: Vectors
    sheet_vectors: Vectors

    @property
    def file(self) -> str:
        """The document's file."""
        name: str = self.document[0]
        return name

    def warnings(self) -> tuple[list[str], list[tuple[str, list[str]]]]:
        """The warnings of the document, and those of every sheet with its name."""
        document, sheets = DOCUMENT_COLUMNS.index("warnings"), SHEET_COLUMNS.index("warnings")
        name = SHEET_COLUMNS.index("name")
        return json.loads(self.document[document]), [(row[name], json.loads(row[sheets])) for row in self.sheets]

    def dumps(self) -> bytes:
        """The document as bytes."""
        heads = [
            [sheet, h.file, h.municipality, h.fiscal_year, h.name, h.department, sorted(h.codes), sorted(h.former), h.continued]
            for sheet, h in self.heads
        ]  # fmt: skip
        arrays = [np.ascontiguousarray(array) for array in self._arrays()]
        told = [
            self.document, self.sheets, self.sections, self.facts, self.events, heads, "\n".join(self.vocabulary),
            self.facets, self.texts, [[array.dtype.str, array.shape] for array in arrays],
        ]  # fmt: skip
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        packed = zlib.compress(text, _FAST)
        return b"".join([len(packed).to_bytes(8, "little"), packed, *(array.tobytes() for array in arrays)])

    @classmethod
    def loads(cls, data: bytes) -> Prepared:
        """What :meth:`dumps` made; its arrays are views of ``data``."""
        size = int.from_bytes(data[:8], "little")
        told = json.loads(zlib.decompress(memoryview(data)[8 : 8 + size]).decode("utf-8", "surrogatepass"))
        *rows, heads, vocabulary, facets, texts, kinds = told
        at, arrays = 8 + size, []
        for kind, shape in kinds:
            dtype = np.dtype(kind)
            count = int(np.prod(shape, dtype=np.int64))
            arrays.append(np.frombuffer(data, dtype, count, at).reshape(shape))
            at += count * dtype.itemsize
        chunks, *lists, first, counts, vectors, sheet_vectors = arrays
        ragged = [Ragged(ids, starts) for ids, starts in zip(lists[::2], lists[1::2], strict=True)]
        name, department, label, head, body = ragged
        documents, sheets, sections, facts, events = rows
        known = vocabulary.split("\n") if vocabulary else []
        return cls(
            documents, sheets, sections, facts, events, [_head(*row) for row in heads], known, facets, texts,
            chunks, name, department, label, head, body, first, counts, vectors, sheet_vectors,
        )  # fmt: skip

    def _arrays(self) -> Iterator[NDArray[Any]]:
        yield self.chunks
        for one in (self.name, self.department, self.label, self.head, self.body):
            yield one.ids
            yield one.starts
        yield from (self.first, self.section_counts, self.vectors, self.sheet_vectors)


def _head(
    sheet: int,
    file: str,
    municipality: str,
    year: int,
    name: str,
    department: str,
    codes: list[str],
    former: list[str],
    continued: bool,
) -> tuple[int, Head]:
    # Without its sheet's id: of two sheets with one id the writer names the second anew.
    return sheet, Head("", file, municipality, year, name, department, frozenset(codes), frozenset(former), continued)


@dataclass(frozen=True, slots=True)
class Preparer:
    """Readings to :class:`Prepared` as bytes. It can be sent to another process, as long as its encoder can.

    ``encoder`` makes the vectors; with ``texts`` what it encodes goes along, for an encoder that is not run here.
    """

    encoder: Encoder
    texts: bool = False
    identity: str = ""

    def __call__(self, reading: Reading | bytes) -> bytes:
        """A reading prepared; it may be :func:`index.parcels.packed`."""
        if isinstance(reading, bytes):
            reading = unpacked(reading)
        return prepare(reading, self.encoder, self.texts).dumps()

    def key(self, file: str, sha256: str, reader: str) -> bytes:
        """What names the prepared form of a file, if its bytes and the reading code are these."""
        return self._key(file.encode("utf-8", "surrogatepass"), sha256.encode(), reader.encode())

    def key_of(self, packed: bytes) -> bytes:
        """The same for a :func:`index.parcels.packed` reading of whatever origin: it is known by everything that it says."""
        return self._key(packed)

    def _key(self, *parts: bytes) -> bytes:
        own = (preparing_version(), self.encoder.digest, self.identity, str(self.texts))
        found = hashlib.sha256()
        for part in (*(one.encode() for one in own), *parts):
            found.update(len(part).to_bytes(8, "little"))
            found.update(part)
        return found.digest()


@cache
def preparing_version() -> str:
    """The state of the code that prepares: other code may make other words of the same reading."""
    seen = hashlib.sha256(f"{PREPARED} {reading_version()}".encode())
    for name in _MADE_WITH:
        seen.update(f"{name} {version(name)}".encode())
    for file in _MADE_BY:
        seen.update(Path(__file__).with_name(file).read_bytes())
    return seen.hexdigest()


@dataclass(slots=True)
class _Words:
    """The words of a document as numbers, in the order in which they come."""

    numbers: dict[str, int] = field(default_factory=dict)
    lists: dict[str, list[list[int]]] = field(
        default_factory=lambda: {kind: [] for kind in ("name", "department", "label", "head", "body")}
    )
    sections: Counter[int] = field(default_factory=Counter)

    def of(self, found: Sequence[str]) -> list[int]:
        known = self.numbers
        return [known.setdefault(word, len(known)) for word in found]

    def ragged(self, kind: str) -> Ragged:
        lists = self.lists[kind]
        starts = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum([len(one) for one in lists], out=starts[1:])
        flat = [number for one in lists for number in one]
        return Ragged(np.array(flat, dtype=np.min_scalar_type(max(1, len(self.numbers)))), starts)


def prepare(reading: Reading, encoder: Encoder, keep_texts: bool = False) -> Prepared:
    """The words, vectors and rows of a reading."""
    document, found = reading
    names = staff_spans(document.text, found)
    # Names of staff are no search results: neither words nor vectors know them, whether or not they are shown.
    nameless = masked(document.text, names)
    told = _Words()
    sheets: Rows = []
    sections: Rows = []
    facts: Rows = []
    events: Rows = []
    heads: list[tuple[int, Head]] = []
    chunks: list[tuple[int, int, int]] = []
    facets: list[str] = []
    texts: list[str] = []
    owners: list[int] = []
    for number, one in enumerate(found):
        sheets.append(sheet_row(one))
        facts += ([number, *_fact(fact, row, names)] for fact, row in zip(one.facts, fact_rows(one), strict=True))
        events += ([number, *row] for row in event_rows(one))
        facets.append(" ".join(facet_words(one.sheet, values_of_facts(one.sheet, one.facts))))
        if (head := head_of(one)) is not None:
            heads.append((number, head))
        name: list[int] = []
        department: list[int] = []
        if one.sections:
            name = told.of(words(one.sheet.name, parts=True))
            department = told.of(words(whose(one.sheet), parts=True))
        told.lists["name"].append(name)
        told.lists["department"].append(department)
        for section in one.sections:
            at = len(sections)
            read = nameless[section.span.start : section.span.end]
            sections.append([number, section.label, _field(section, read), section.span.start, section.span.end])
            label = told.of(words(section.label, parts=True))
            told.lists["label"].append(label)
            told.lists["head"].append(list(dict.fromkeys([*name, *department, *label])))
            whole = told.of(words(read, parts=True))
            told.sections.update(set(whole))
            for span in _chunks(document, section):
                text = nameless[span.start : span.end]
                # Most sections are one chunk, and the words of its text are known by now.
                told.lists["body"].append(whole if text == read else told.of(words(text, parts=True)))
                chunks.append((at, span.start, span.end))
                texts.append(passage_text(one.sheet, section, text))
                owners.append(number)
    vectors = _encoded(texts, encoder)
    counts = np.zeros(len(told.numbers), dtype=np.int32)
    counts[list(told.sections)] = list(told.sections.values())
    body = told.ragged("body")
    return Prepared(
        document_row(document, names), sheets, sections, facts, events, heads, list(told.numbers), facets, texts if keep_texts else [],
        np.array(chunks, dtype=np.int32).reshape(-1, 3), told.ragged("name"), told.ragged("department"),
        told.ragged("label"), told.ragged("head"), body, _first(told.lists["body"]), counts, vectors,
        sheet_vectors(vectors, [len(text) for text in texts], owners, len(sheets)),
    )  # fmt: skip


def _field(section: Section, read: str) -> str:
    """The canonical field: a section that holds nothing but names is one of names, whatever its label."""
    return PERSON_FIELD if MASK in read and not read.replace(MASK, "").strip(_BESIDE) else section.field


def _fact(fact: Fact, row: Sequence[object], names: Sequence[Span]) -> Sequence[object]:
    """The row of a fact; what was read from a name is of the field of names."""
    named = any(name.start < fact.span.end and fact.span.start < name.end for name in names)
    return (PERSON_FIELD, *row[1:]) if named else row


def sheet_vectors(rows: Vectors, lengths: Sequence[int], sheets: Sequence[int], count: int) -> Vectors:
    """One unit row a sheet: what all its chunks say together, each in proportion to its length."""
    out = np.zeros((count, rows.shape[1]), dtype=np.float32)
    np.add.at(out, np.asarray(sheets, dtype=np.int64), rows * np.array(lengths, dtype=np.float32).reshape(-1, 1))
    unit: Vectors = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.float32(1e-9))
    return unit


def _first(lists: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Of every word of every list, whether it did not stand in the list before."""
    out: list[bool] = []
    for one in lists:
        seen: set[int] = set()
        for number in one:
            out.append(number not in seen)
            seen.add(number)
    return np.array(out, dtype=np.bool_)


def _encoded(texts: list[str], encoder: Encoder) -> Vectors:
    rows = np.zeros((len(texts), encoder.dim), dtype=np.float32)
    for at in range(0, len(texts), _BATCH):
        rows[at : at + _BATCH] = encoder.encode(texts[at : at + _BATCH], "passage")
    return rows


def _chunks(document: Document, section: Section) -> Iterator[Span]:
    start = section.span.start
    for piece in split(document.text[start : section.span.end]):
        yield Span(start + piece.start, start + piece.end)
