"""What a row of a Milvus collection holds, and the filters of a search as its expressions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from corpus.documents import Section, Sheet
from corpus.normalize import squeeze
from index.engines.bm25 import Sparse
from index.facets import chosen_words, facet_words
from index.firststage import Allowed
from index.types import SheetValues, Vectors

VECTOR, WORDS = "vector", "words"
_LETTERS = 512  # bytes of a stored value that is filtered by
_PLACE_BITS = 36
_FACETS = 64  # words that one sheet may be chosen by
NO_YEAR = -1
_OWN_FIELDS = ("m:", "y:")  # facets with a field of their own: the municipality divides the collection

# As for FAISS (index/vectors.py): exact up to here. Past it, a segment of Milvus keeps its rows in lists as well.
EXACT = 50_000
_LISTS, _PROBES = 256, 96


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk with what it is found and filtered by; ``place`` is its number within its piece."""

    place: int
    sheet: Sheet
    values: SheetValues
    section: Section
    vector: Vectors
    words: Sparse | None

    def stored(self, piece: int) -> dict[str, Any]:
        """The row as it is sent, in the piece of that number."""
        row: dict[str, Any] = {
            "id": primary_key(piece, self.place),
            "piece": piece,
            "municipality": cut(squeeze(self.sheet.municipality)),
            "year": NO_YEAR if self.sheet.fiscal_year is None else self.sheet.fiscal_year,
            "facets": [cut(word) for word in facet_words(self.sheet, self.values) if word[:2] not in _OWN_FIELDS][
                :_FACETS
            ],
            "field": cut(self.section.field),
            "label": cut(self.section.label),
            VECTOR: self.vector,
        }
        return row if self.words is None else {**row, WORDS: self.words}


def primary_key(piece: int, place: int) -> int:
    """One number for the place of a chunk in a piece: no two pieces share any."""
    return piece << _PLACE_BITS | place


def place_of(number: int) -> tuple[int, int]:
    """The piece and the place of a primary key."""
    return number >> _PLACE_BITS, number & ((1 << _PLACE_BITS) - 1)


def within(pieces: Sequence[int]) -> str:
    """The expression for the rows of some pieces."""
    return f"piece in {_list(pieces)}"


def cut(text: str) -> str:
    """As much of a text as a stored value may have; filters are cut alike, and what they let through is looked at again."""
    return text.encode("utf-8", "ignore")[:_LETTERS].decode("utf-8", "ignore")


def create(client: Any, collection: str, dim: int, rows: int, partitions: int, sparse: bool, seconds: float) -> None:
    """Makes an empty collection for about so many rows, divided by municipality into so many partitions."""
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("piece", DataType.INT64)
    schema.add_field("municipality", DataType.VARCHAR, max_length=_LETTERS, is_partition_key=True)
    schema.add_field("year", DataType.INT64)
    schema.add_field(
        "facets",
        DataType.ARRAY,
        element_type=DataType.VARCHAR,
        max_capacity=_FACETS,
        max_length=_LETTERS,
    )
    schema.add_field("field", DataType.VARCHAR, max_length=_LETTERS)
    schema.add_field("label", DataType.VARCHAR, max_length=_LETTERS)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
    indexes = client.prepare_index_params()
    kind = "FLAT" if rows < EXACT else "IVF_FLAT"
    indexes.add_index(VECTOR, index_type=kind, metric_type="IP", params={} if kind == "FLAT" else {"nlist": _LISTS})
    if sparse:
        schema.add_field(WORDS, DataType.SPARSE_FLOAT_VECTOR)
        indexes.add_index(WORDS, index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    client.create_collection(
        collection, schema=schema, index_params=indexes, num_partitions=partitions, timeout=seconds
    )


def search_params(rows: int, share: float = 1.0) -> dict[str, Any]:
    """How the nearest vectors are looked for in a collection made for so many rows, of which a share is allowed.

    The fewer are allowed, the farther apart the nearest of them lie; a share of 0 looks at all.
    """
    if rows < EXACT:
        return {}
    return {"nprobe": min(_LISTS, ceil(_PROBES / sqrt(share))) if share else _LISTS}


def expression(allowed: Allowed, pieces: Sequence[int]) -> str:
    """The filters of a search in some pieces of a collection.

    What else is not allowed (chunks that were removed since) Milvus does not know; what comes has to be looked at again.
    """
    parts = [within(pieces)]
    for words in chosen_words(allowed.filters):
        if words[0].startswith("m:"):
            parts.append(f"municipality in {_list([cut(word[2:]) for word in words])}")
        elif words[0].startswith("y:"):
            parts.append(f"year in {_list(sorted(set(allowed.filters.fiscal_year)))}")
        else:
            parts.append(f"array_contains_any(facets, {_list([cut(word) for word in words])})")
    if allowed.filters.section:
        named = _list([cut(one) for one in allowed.filters.section])
        parts.append(f"(field in {named} or label in {named})")
    return " and ".join(parts)


def _list(values: Sequence[object]) -> str:
    """A list as Milvus reads it; it takes the escapes of JSON."""
    return json.dumps(list(values), ensure_ascii=False)
