"""Gradio imported without the work it does for editors of its own source."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

logger = logging.getLogger(__name__)

_MODULE, _WRITER = "gradio.component_meta", "create_or_modify_pyi"


class _Plain(Loader):
    """Loads the module as it is, and then takes the writer of stubs out of it."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if hasattr(module, _WRITER):
            setattr(module, _WRITER, lambda *_: None)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Plain(spec.loader)
        return spec


@contextmanager
def without_stubs() -> Iterator[None]:
    """Inside, importing Gradio does not parse the source of its 76 components to see whether their type stubs are up to
    date: that takes half of the time of the import, and writes into a folder that need not be ours to write to.
    """
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Logged:
    """The module ``traceback`` with a ``print_exc`` that writes to the log."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    def print_exc(self, *_: object, **__: object) -> None:
        logger.exception("an event of the screens broke")


def log_errors() -> None:
    """From now on Gradio writes what breaks in an event into the log, instead of printing it: a message may repeat a
    question, and a log of JSON must hold nothing else."""
    for name in ("gradio.queueing", "gradio.routes"):
        module: Any = sys.modules.get(name)
        if hasattr(module, "traceback"):
            module.traceback = _Logged()
