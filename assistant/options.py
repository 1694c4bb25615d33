"""Options that several commands have, and the settings that a command's flags win over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from assistant.settings import Settings

IndexDir = Annotated[Path | None, typer.Option("--index-dir", help="索引のフォルダー", show_default=".hyoka/index")]
Json = Annotated[bool, typer.Option("--json", help="JSONで出力する")]
Forms = Annotated[Path | None, typer.Option("--forms", metavar="DIR", help="様式のファイル（.toml）を置いたフォルダー")]


def settings_of(**flags: Any) -> Settings:
    """The settings under the flags that were given; a flag that is None was not."""
    from assistant.settings import load_settings

    return load_settings(**flags)
