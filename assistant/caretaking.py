"""The commands of whoever looks after an installation: what is wrong with it, a backup of it, and the way back."""

from __future__ import annotations

from dataclasses import asdict

import typer

from assistant import console
from assistant.options import IndexDir, Json, settings_of
from corpus.errors import HyokaError

commands = typer.Typer()


@commands.command("doctor")
def doctor_command(index_dir: IndexDir = None, json_output: Json = False) -> None:
    """インストール、索引、保存先を調べる（索引のファイルはすべて読む）。異常があれば終了コード1で終わる。"""
    settings = settings_of(index_dir=index_dir)
    from assistant.findings import WELL, WRONG, worst
    from assistant.indexcheck import check_index
    from assistant.installation import check_installation
    from assistant.opening import encoder_of
    from assistant.storecheck import check_store

    found = list(check_installation(settings))
    try:
        encoder = encoder_of(settings)
    except HyokaError:
        encoder = None  # told above
    found += check_index(settings.index_dir, encoder)
    found += check_store(settings)
    state = worst(found)
    if json_output:
        console.say_json({"state": state, "findings": [asdict(one) for one in found]})
    else:
        for one in found:
            console.say(one.line)
        told = {name: sum(one.state == name for one in found) for name in ("異常", "注意")}
        console.note(
            "問題はありません。"
            if state == WELL
            else f"異常 {told['異常']}件、注意 {told['注意']}件。→ のあとの手順で直してください。"
        )
    if state == WRONG:
        raise typer.Exit(1)
