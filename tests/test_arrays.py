"""NumPy's files, read as NumPy reads them."""

from __future__ import annotations

import ast
import gc

import numpy as np
import pytest

from index.arrays import loaded, loaded_all, mapped

ARRAYS = {
    "rows": np.arange(12, dtype=np.float32).reshape(3, 4),
    "column": np.arange(5, dtype=np.int64),
    "bytes": np.arange(7, dtype=np.uint8),
    "flags": np.array([True, False]),
    "nothing": np.zeros(0, dtype=np.int32),
    "no rows": np.zeros((0, 7), dtype=np.int64),
    "one": np.array(3.5),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_as_it_was_saved(tmp_path, name):
    file, wanted = tmp_path / "a.npy", ARRAYS[name]
    np.save(file, wanted)
    for found in (mapped(file), loaded(file), np.load(file)):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape and np.array_equal(found, wanted)


def test_the_arrays_of_one_file_come_back_by_name(tmp_path):
    np.savez(tmp_path / "all.npz", **{name.replace(" ", "_"): array for name, array in ARRAYS.items()})
    found = loaded_all(tmp_path / "all.npz")
    assert found.keys() == {name.replace(" ", "_") for name in ARRAYS}
    assert np.array_equal(found["rows"], ARRAYS["rows"])


@pytest.mark.parametrize("cut", [0, 5, 9, 40, 127, 130, 175])
def test_a_part_of_a_file_is_refused(tmp_path, cut):
    file = tmp_path / "a.npy"
    np.save(file, ARRAYS["rows"])
    assert file.stat().st_size == 176
    file.write_bytes(file.read_bytes()[:cut])
    for read in (mapped, loaded, loaded_all):
        with pytest.raises(ValueError):
            read(file)


@pytest.mark.parametrize("wrong", [b"(4,)", b"'<f4'", b"False", b"NUMPY\x01"])
def test_a_header_that_says_something_else_is_refused(tmp_path, wrong):
    file = tmp_path / "a.npy"
    np.save(file, np.zeros(4, dtype=np.float32))
    file.write_bytes(file.read_bytes().replace(wrong, b"#" * len(wrong), 1))
    for read in (mapped, loaded):
        with pytest.raises(ValueError):
            read(file)


def test_what_another_thread_parses_meanwhile_is_no_matter(tmp_path):
    """Another thread comes in where memory is collected, so here a collection parses: np.load then fails, up to 3.12."""
    file = tmp_path / "a.npy"
    np.save(file, ARRAYS["rows"])
    threshold = gc.get_threshold()

    def parses(*_: object) -> None:
        ast.parse("(3, 4)")

    gc.callbacks.append(parses)
    gc.set_threshold(1)
    try:
        found = [(mapped(file), loaded(file)) for _ in range(50)]
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(parses)
    assert all(np.array_equal(one, ARRAYS["rows"]) for pair in found for one in pair)
