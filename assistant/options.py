"""Options that several commands have, the settings that a command's flags win over, and the index they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant import console

if TYPE_CHECKING:
    from assistant.settings import Settings
    from index.snapshot import Snapshot

IndexDir = Annotated[Path | None, typer.Option("--index-dir", help="索引のフォルダー", show_default=".hyoka/index")]
Json = Annotated[bool, typer.Option("--json", help="JSONで出力する")]
Forms = Annotated[Path | None, typer.Option("--forms", metavar="DIR", help="様式のファイル（.toml）を置いたフォルダー")]


def settings_of(**flags: Any) -> Settings:
    """The settings under the flags that were given; a flag that is None was not."""
    from assistant.settings import load_settings

    return load_settings(**flags)


def opened(settings: Settings, reranked: bool = False) -> Snapshot:
    """The index of the settings; weights that do not fit it are told."""
    from assistant.opening import open_index
    from index.tuning.store import tuning_problem

    snapshot = open_index(settings, reranked)
    if problem := tuning_problem(settings.index_dir, snapshot.encoder.digest):
        console.note(problem)  # the log, which has it too, is for servers
    return snapshot
