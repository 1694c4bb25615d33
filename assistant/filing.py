"""The commands that write: the index, what of it is sent elsewhere, and the store; and the one that helps to read a form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant import console
from assistant.options import Forms, IndexDir, Json, settings_of
from corpus.errors import SettingsError
from index.postgresurl import SHAPE

commands = typer.Typer()
store_app = typer.Typer(help="評価と会話の履歴の保存先。", no_args_is_help=True)
commands.add_typer(store_app, name="store")


@commands.command("index")
def index_command(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE...", help="評価シートのファイル、フォルダー、ZIP")
    ] = None,
    index_dir: IndexDir = None,
    json_output: Json = False,
    add: Annotated[bool, typer.Option("--add", help="いまの索引に加える（同じ名前のファイルは置き換える）")] = False,
    max_file_mb: Annotated[
        float | None, typer.Option(help="読み込むファイルの大きさの上限（MB）", show_default="200")
    ] = None,
    forms: Forms = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.csv", help="読み取りの報告（CSV）を書き出す場所")
    ] = None,
    keep_originals: Annotated[
        bool | None,
        typer.Option(
            "--keep-originals/--no-keep-originals",
            help="元のPDFを索引のフォルダーに保存し、引用のページを画像で示す",
            show_default="前回と同じ（初めは保存しない）",
        ),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="変わったところだけでなく、索引の全体を書き直す")] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="追加と削除が重なった索引を整理する（SOURCE は要らない）")
    ] = False,
) -> None:
    """評価シートを読み込み、索引を作る（すでにあれば、変わったところを反映する）。"""
    if compact:
        from assistant.indexing import run_compaction

        run_compaction(settings_of(index_dir=index_dir), json_output)
        return
    if not sources:
        raise typer.BadParameter("SOURCE... を指定してください", context)
    settings = settings_of(index_dir=index_dir, max_file_mb=max_file_mb, forms=forms)
    from corpus.forms.loader import use_forms

    use_forms(settings.forms)  # before the files: a form file with a mistake is told at once
    from assistant.indexing import run_index

    run_index(settings, sources, add, report, json_output, keep_originals, whole)


@commands.command("watch")
def watch_command(
    sources: Annotated[list[Path], typer.Argument(metavar="DIR...", help="見張るフォルダー")],
    index_dir: IndexDir = None,
    seconds: Annotated[
        float, typer.Option(min=0.2, max=3600, help="変更が落ち着くまで待つ秒数", show_default="5")
    ] = 5.0,
    poll: Annotated[
        bool, typer.Option("--poll", help="変更の知らせが届かないフォルダー（ネットワーク）を、同じ間隔で調べる")
    ] = False,
) -> None:
    """フォルダーを見張り、変わったところを索引に反映し続ける（止めるには Ctrl+C）。"""
    settings = settings_of(index_dir=index_dir)
    from assistant.logs import set_up
    from assistant.watching import watch

    set_up(settings.log_format, settings.log_level, settings.secrets)
    watch(settings.index_dir, sources, seconds, poll)


@commands.command("milvus")
def milvus_command(index_dir: IndexDir = None, json_output: Json = False) -> None:
    """索引を Milvus に送る（途中で止まったときは続きから。HYOKA_MILVUS_URI が送り先）。"""
    from assistant.indexing import run_milvus

    run_milvus(settings_of(index_dir=index_dir), json_output)


@commands.command("forms")
def forms_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="評価シートのファイル")],
    forms: Forms = None,
    json_output: Json = False,
    draft: Annotated[bool, typer.Option("--draft", help="様式のファイルの下書き（TOML）を書き出す")] = False,
) -> None:
    """ファイルから読み取れたことと、読み取れなかったことを見る（様式のファイルを書くため）。"""
    settings = settings_of(forms=forms)
    from assistant.inspections import inspection_json, show_inspection
    from corpus.formdraft import draft as draft_of
    from corpus.forms.loader import use_forms
    from corpus.inspection import inspect
    from corpus.readers import read_document

    use_forms(settings.forms)
    found = inspect(read_document(file, file.name, settings.max_bytes))
    if draft:
        console.say(draft_of(found).rstrip("\n"))
    elif json_output:
        console.say_json(inspection_json(found))
    else:
        show_inspection(found)


@store_app.command("copy")
def store_copy_command(
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="写すファイル", show_default="HYOKA_FEEDBACK_FILE か標準の場所"),
    ] = None,
    json_output: Json = False,
) -> None:
    """ファイルに残した評価、会話、質問の案を、HYOKA_DATABASE_URL のPostgreSQLに写す（空のときだけ）。"""
    settings = settings_of()
    from assistant.store import default_path
    from assistant.storecopy import copy_store

    if settings.database is None:
        raise SettingsError(f"写す先がありません。HYOKA_DATABASE_URL に {SHAPE} の形で指定してください。")
    counts = copy_store(source or settings.feedback_file or default_path(), settings.database)
    if json_output:
        console.say_json(counts)
        return
    console.say_table(("内容", "件数"), list(counts.items()))
    console.note("写しました。元のファイルはそのまま残っています。")
