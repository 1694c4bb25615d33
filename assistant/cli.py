"""The command line ``hyoka``. It starts every layer, so it alone may import the ones above its own (pyproject.toml)."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import caretaking, console
from assistant.access.commands import commands as access_commands
from assistant.accounting import commands as account_commands
from assistant.asking import commands as asking_commands
from assistant.filing import commands
from assistant.mcpcommand import commands as mcp_commands
from assistant.options import IndexDir, Json, opened, settings_of
from assistant.usage import USAGE_ERROR, usage_sentence
from corpus.errors import HyokaError, SettingsError

if TYPE_CHECKING:
    from index.tuning.questions import TuningQuestion

# Heavy modules are imported inside the commands: `hyoka --help` must not wait for them.

app = typer.Typer(
    name="hyoka",
    help="事務事業評価シートの検索と質問応答。読み込みは index、質問は ask、画面は serve です。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(asking_commands)
app.add_typer(commands)
app.add_typer(caretaking.commands)
app.add_typer(access_commands)
app.add_typer(mcp_commands)
app.add_typer(account_commands)

DRAFT = "draft"  # never a question file: those are told apart by their endings


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="待ち受けるアドレス", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="ポート番号", show_default="8000")] = None,
    index_dir: IndexDir = None,
    workers: Annotated[
        int | None, typer.Option(help="質問と検索に答えるプロセスの数（1なら画面と同じプロセス）", show_default="1")
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            help="ログイン: off、password（共通）、users（利用者ごと）、proxy（前のプロキシ）", show_default="off"
        ),
    ] = None,
    without_login: Annotated[
        bool, typer.Option("--without-login", help="ほかのパソコンからもログインなしで使わせる")
    ] = False,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="サーバー証明書")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="証明書の秘密鍵")] = None,
    root_path: Annotated[
        str | None, typer.Option(help="リバースプロキシが画面を置くパス（/hyoka など）", show_default="なし")
    ] = None,
) -> None:
    """画面とHTTP APIを開く（止めるには Ctrl+C）。"""
    settings = settings_of(
        host=host,
        port=port,
        index_dir=index_dir,
        workers=workers,
        auth=auth,
        without_login=without_login or None,
        tls_cert=tls_cert,
        tls_key=tls_key,
        root_path=root_path,
    )
    from assistant.collector import starting_up
    from assistant.line import Line
    from assistant.pool import answering
    from assistant.serving import Tls, check_open, listen, logging_as, loopback, run, running_of

    check_open(settings)
    with logging_as(settings), listen(settings.host, settings.port) as socket, answering(settings) as pool:
        with starting_up():
            # Opened before anything slow is loaded: a taken port or a missing index is told at once.
            snapshot = opened(settings, reranked=True)
            from assistant.access.policy import open_policy
            from assistant.audit import Auditing
            from assistant.conversations import Keeping
            from assistant.store import open_store
            from assistant.upkeep import open_upkeep
            from assistant.writer import open_writer
            from ui.app import create_app
            from ui.examples import examples

            upkeep = open_upkeep(settings, snapshot, pool)
            del snapshot  # the server lets go of it when a newer one has taken over
            questions = [question for group in examples(upkeep.live).values() for question in group][:3]
            keeping = Keeping(on=settings.history, days=settings.history_days, most=settings.history_most)
            auditing = Auditing(settings.audit, settings.audit_days)
            store = open_store(settings.feedback_file, keeping, settings.database, auditing)
            store.audit.purge()
            store.asked.counting = settings.count_questions and settings.history
            line = Line(settings.at_once, settings.waiting, settings.waiting_seconds)
            policy = open_policy(settings, store.database)
            application = create_app(upkeep.live, store, upkeep, line, policy, open_writer(settings))
        upkeep.live.start()
        tls = Tls(settings.tls_cert, settings.tls_key) if settings.tls_cert and settings.tls_key else None
        if policy.by_password and tls is None and not loopback(settings.host):
            console.note(
                "パスワードが暗号化されずに流れます。--tls-cert と --tls-key か、TLSのプロキシを使ってください。"
            )
        console.note(
            f"{'http' if tls is None else 'https'}://{settings.host}:{socket.getsockname()[1]} で開きました（止めるには Ctrl+C）。"
        )
        if questions and settings.log_format == "text":
            console.note("たとえば、こう聞けます。\n" + "\n".join(f"  ・{question}" for question in questions))
        try:
            run(application, socket, settings, running_of(application, upkeep), tls)
        finally:
            upkeep.live.stop()
            upkeep.rebuild.cancel()
            store.close()


@app.command("eval")
def eval_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="質問ファイル（JSON Lines、CSV、Excel）。draft と書くと、索引から質問の案を作る"
        ),
    ] = None,
    index_dir: IndexDir = None,
    json_output: Json = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="結果の報告書を書き出す")] = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="動いているサーバーに質問する")] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="RUN.json", help="前の結果。下回ったら終了コード2で終わる")
    ] = None,
    margin: Annotated[float, typer.Option(help="下回ってもよい幅（0から1）", show_default="0")] = 0.0,
    compare: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="保存した二つの結果を比べる（lastは最新）")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="draft の書き出し先（.jsonl、.csv、.xlsx）", show_default="標準出力"),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="draft で作る質問の数", show_default="60")] = 60,
    seed: Annotated[int, typer.Option(help="draft の乱数の種。同じ種なら同じ質問になる", show_default="0")] = 0,
) -> None:
    """質問ファイルを実行し、答えと引用を採点する。hyoka eval draft は、索引から質問の案を作る。"""
    from evals.run import main_compare, main_draft, main_eval

    if compare is not None:
        raise typer.Exit(main_compare(*compare, json_output))
    if file is not None and str(file) == DRAFT:
        raise typer.Exit(main_draft(settings_of(index_dir=index_dir).index_dir, out, count, seed))
    if file is None:
        raise SettingsError(
            "質問ファイル（FILE）か --compare を指定してください。使い方は hyoka eval --help で見られます。"
        )
    folder = settings_of(index_dir=index_dir).index_dir
    raise typer.Exit(main_eval(file, folder, json_output, report, server, baseline=baseline, margin=margin))


@app.command()
def tune(
    index_dir: IndexDir = None,
    json_output: Json = False,
    count: Annotated[int, typer.Option(min=50, max=5000, help="シートから作る質問の数", show_default="400")] = 400,
    seed: Annotated[int, typer.Option(help="乱数の種。同じ種なら同じ質問になる", show_default="0")] = 0,
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="探索の上限（分）", show_default="10")] = 10.0,
    questions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="正解シートの分かる自前の質問ファイル（hyoka eval と同じ形式）")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="測るだけで、保存しない")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="調整を消して、標準の重みに戻す")] = False,
) -> None:
    """検索の順位付けを、索引のシートに合わせて調整する（効果が確かめられたときだけ保存する）。"""
    from assistant.tuning import reset_tuning, run_tuning

    settings = settings_of(index_dir=index_dir)
    if reset:
        reset_tuning(settings.index_dir, json_output)
        return
    snapshot = opened(settings)
    own: list[TuningQuestion] = []
    if questions is not None:
        from evals.owncases import own_questions

        own, left_out = own_questions(questions, snapshot)
        console.note(
            f"{questions.name}: {len(own)}問を使います（正解シートが索引にない質問など{left_out}問は使いません）。"
        )
    run_tuning(
        snapshot,
        settings.index_dir,
        own,
        count=count,
        seed=seed,
        minutes=minutes,
        dry_run=dry_run,
        json_output=json_output,
    )


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0, 1 with a Japanese sentence on standard error, or 2 for wrong usage."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """The exit status of one command; what goes wrong becomes a sentence, never a traceback."""
    console.tell_instead(None)
    logging.basicConfig(level=logging.CRITICAL)  # the record is for servers; a person gets sentences
    try:
        code = app(arguments, prog_name="hyoka", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except HyokaError as error:
        console.note(error.message)
        return 1
    except USAGE_ERROR as error:
        console.note(usage_sentence(error))
        return 2
    except (KeyboardInterrupt, typer.Abort):
        console.note("中断しました。")
        return 130
    except BrokenPipeError:
        # `hyoka sheets | head`: the reader has gone, and Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        console.note(f"{where}{error.strerror or error}。場所、権限、空き容量を確かめてください。")
        return 1
    except Exception as error:
        if "HYOKA_DEBUG" in os.environ:
            raise
        console.note(
            f"予期しない問題が起きました（{type(error).__name__}: {error}）。HYOKA_DEBUG=1 を付けると詳細が出ます。"
        )
        return 1


if __name__ == "__main__":
    main()
