"""``hyoka mcp``: the tools for a language model's program on the same machine."""

from __future__ import annotations

import typer

from assistant.options import IndexDir, settings_of
from corpus.errors import SettingsError

commands = typer.Typer()


@commands.command("mcp")
def mcp_command(index_dir: IndexDir = None) -> None:
    """言語モデルのソフト（Claude Desktop など）から使えるようにする（MCP、標準入出力）。ソフトの側が起動する。"""
    from assistant.mcpserver import MISSING, installed

    if not installed():
        raise SettingsError(MISSING)
    settings = settings_of(index_dir=index_dir)
    import anyio

    from assistant.line import Line
    from assistant.mcpserver import serve_stdio
    from assistant.opening import open_index
    from assistant.upkeep import open_upkeep

    # Such a process lives for days: it takes a new index as a server does, but writes none.
    live = open_upkeep(settings, open_index(settings, reranked=True), tidying=False).live
    live.start()
    try:
        anyio.run(serve_stdio, live, Line(settings.at_once, settings.waiting, settings.waiting_seconds))
    finally:
        live.stop()
