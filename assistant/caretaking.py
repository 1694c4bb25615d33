"""The commands of whoever looks after an installation: what is wrong with it, a backup of it, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import console
from assistant.options import IndexDir, Json, settings_of
from corpus.errors import HyokaError

if TYPE_CHECKING:
    from assistant.archive import Backup

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


Archive = Annotated[Path, typer.Argument(metavar="FILE", help="控えのファイル（.tar）")]
Force = Annotated[bool, typer.Option("--force", help="すでにあるものを置きかえる")]


@commands.command("backup")
def backup_command(file: Archive, index_dir: IndexDir = None, force: Force = False, json_output: Json = False) -> None:
    """索引、評価と会話、設定を一つのファイルに控える（サーバーを止めずに使える）。"""
    settings = settings_of(index_dir=index_dir)
    from assistant.backup import back_up
    from assistant.findings import size

    with console.progress() as tell:
        made = back_up(settings, file, tell, force)
    if json_output:
        console.say_json(_told(made, file))
        return
    console.say(f"{file} に控えました（{size(file.stat().st_size)}、{_holds(made)}）。")
    console.note("会話と設定（パスワードを含むことがあります）が入っています。ほかの人が読めない場所に置いてください。")


@commands.command("restore")
def restore_command(file: Archive, index_dir: IndexDir = None, force: Force = False, json_output: Json = False) -> None:
    """控えから、索引、評価と会話、設定を戻す（確かめ終わるまで、いまあるものは変えない）。"""
    from assistant.restore import restore

    made, said = restore(file, index_dir, force)
    if json_output:
        console.say_json({**_told(made, file), "said": said})
    else:
        console.say(f"{file}（{made.created:%Y-%m-%d %H:%M} UTC の控え）から戻しました（{_holds(made)}）。")
    for sentence in said:
        console.note(sentence)


def _told(made: Backup, file: Path) -> dict[str, object]:
    told = {"file": str(file), "created": made.created.isoformat(), "index_version": made.snapshot}
    return {**told, "holds": made.holds, "files": len(made.files)}


_NAMES = {
    "documents": "文書{}件の索引", "originals": "元のPDF {}件", "store": "評価と会話", "synonyms.toml": "言いかえ辞書",
    "access.toml": "利用者の一覧", "tuning.json": "検索の調整", "hyoka.toml": "設定", "forms": "様式 {}件",
}  # fmt: skip


def _holds(made: Backup) -> str:
    return "、".join(_NAMES[name].format(count) for name, count in made.holds.items())
