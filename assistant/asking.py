"""What is asked of an index on the command line: a question, a search, the list of its sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant import console
from assistant.options import IndexDir, Json, opened, settings_of
from corpus.errors import QuestionError

# Heavy modules are imported inside the commands: `hyoka --help` must not wait for them.
commands = typer.Typer()


@commands.command()
def ask(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(metavar="QUESTION", help="質問（ふだんの言葉で）")] = None,
    index_dir: IndexDir = None,
    json_output: Json = False,
    batch: Annotated[
        Path | None,
        typer.Option(
            "--batch", metavar="FILE", help="質問の表（.xlsx、.csv）の全部の質問に答え、答えを書き足した表を作る"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="--batch の書き出し先", show_default="質問の表の名前_回答"),
    ] = None,
    link: Annotated[
        str,
        typer.Option(
            "--link", metavar="URL", help="--batch の引用から開くサーバーのアドレス（http://サーバー名:8000/）"
        ),
    ] = "",
) -> None:
    """質問に、引用つきで答える。"""
    from assistant.payload import Sources, answer_json
    from assistant.printouts import show_answer
    from assistant.readiness import NO_FILTERS
    from assistant.session import Assistant
    from assistant.writer import open_writer

    if question is not None and batch is not None:
        raise typer.BadParameter("QUESTION と --batch は一緒に使えません", context)
    if batch is not None:
        from assistant.batch import run_batch

        settings = settings_of(index_dir=index_dir)
        run_batch(lambda: Assistant(opened(settings, reranked=True)), batch, out, link, json_output)
        return
    if question is None:
        raise typer.BadParameter("QUESTION を指定してください（質問の表なら --batch FILE）", context)
    if out is not None or link:
        raise typer.BadParameter("--out と --link は --batch と使います", context)
    settings = settings_of(index_dir=index_dir)
    snapshot = opened(settings, reranked=True)
    assistant = Assistant(snapshot)
    answer = open_writer(settings).finish(question, assistant.ask(question), snapshot, NO_FILTERS, assistant.ask)
    if json_output:
        console.say_json(answer_json(answer, snapshot).model_dump(mode="json"))
    else:
        show_answer(answer, Sources(snapshot))


@commands.command()
def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="検索する言葉")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="件数（1から1000）", show_default="10")] = 10,
    municipality: Annotated[list[str] | None, typer.Option(help="自治体で絞る（くり返せる）")] = None,
    year: Annotated[list[int] | None, typer.Option(help="年度（西暦）で絞る（くり返せる）")] = None,
    section: Annotated[list[str] | None, typer.Option(help="欄で絞る（くり返せる）")] = None,
    department: Annotated[list[str] | None, typer.Option(help="担当課で絞る（くり返せる）")] = None,
    rating: Annotated[
        list[str] | None, typer.Option(help="評価（総合評価：A、または A だけ）で絞る（くり返せる）")
    ] = None,
    budget: Annotated[
        list[str] | None, typer.Option(help="予算規模（1,000万〜1億円 など）で絞る（くり返せる）")
    ] = None,
    index_dir: IndexDir = None,
    json_output: Json = False,
) -> None:
    """言葉と意味で、近い記述を探す。"""
    from index.types import Filters

    if not query.strip():
        raise QuestionError("検索する言葉が空です。探したい言葉を入力してください。")
    snapshot = opened(settings_of(index_dir=index_dir), reranked=True)
    chosen = (municipality, year, department, section, rating, budget)
    filters = Filters(*(tuple(values or ()) for values in chosen))  # type: ignore[arg-type]
    result = snapshot.search(query, k, filters)
    if result.note:
        console.note(f"{result.note}。")
    from assistant.payload import Sources, search_json, visible
    from assistant.printouts import short

    if json_output:
        console.say_json(search_json(result, snapshot).model_dump(mode="json"))
        return
    if not result.hits:
        console.note("見つかりませんでした。言葉を変えるか、絞り込みを減らしてください。")
    where = Sources(snapshot)
    console.say_table(
        ("一致度", "自治体", "年度", "シート", "欄", "記述", "場所"),
        [
            (
                f"{hit.score:.2f}",
                hit.sheet.municipality,
                hit.sheet.fiscal_year,
                hit.sheet.name,
                hit.section.field or hit.section.label,
                short(hit.text),
                where.named(hit.sheet.file, hit.span),
            )
            for hit in visible(result.hits)
        ],
    )


@commands.command()
def sheets(index_dir: IndexDir = None, json_output: Json = False) -> None:
    """索引にあるシートの一覧。"""
    from assistant.payload import sheet_json

    found = [sheet_json(sheet) for sheet in opened(settings_of(index_dir=index_dir)).sheets()]
    if json_output:
        console.say_json({"total": len(found), "sheets": [sheet.model_dump(mode="json") for sheet in found]})
        return
    console.say_table(
        ("自治体", "年度", "シート", "担当", "種類", "ファイル", "ID"),
        [
            (one.municipality, one.fiscal_year, one.sheet, one.department, one.kind, one.file, one.sheet_id)
            for one in found
        ],
    )
