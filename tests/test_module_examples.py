"""The examples in the docstrings of every module hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("assistant", "bundle", "corpus", "evals", "index", "ui")


def with_examples() -> list[str]:
    found = []
    for package in PACKAGES:
        for one in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            path = ROOT / one.name.replace(".", "/")
            file = path / "__init__.py" if one.ispkg else path.with_suffix(".py")
            if ">>>" in file.read_text("utf-8"):
                found.append(one.name)
    return found


@pytest.mark.parametrize("name", with_examples())
def test_the_examples_of_a_module_hold(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} がありません")
    assert doctest.testmod(module).failed == 0
