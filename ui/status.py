"""The 管理 screen: what is indexed, how it is used, other ways to say things, and the question set."""

from __future__ import annotations

from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.access.caller import caller
from assistant.accounts import AccountCache
from assistant.casebook import DraftCase
from assistant.readiness import Asker
from assistant.refusals import clean_text
from assistant.store import FeedbackStore
from assistant.upkeep import Upkeep, inventory
from evals.desk import Desk
from ui.accounts import PAGE, chosen_accounts, kind_choices, render_accounts
from ui.auditfiles import audit_links
from ui.inventory import render_status
from ui.permission import REFUSED, may_administer
from ui.questions import QUIET, build_questions, build_runs, spoken
from ui.rebuilding import build_rebuild
from ui.synonyms import build_synonyms
from ui.usage import render_usage


def build_status(assistant: Asker, store: FeedbackStore, desk: Desk, tab: Any, upkeep: Upkeep | None = None) -> None:
    """Adds the screen to the current Blocks; each part is read anew whenever its tab is opened."""
    # What a button of a table asks to be written up; the script fills it.
    wanted = gr.Textbox("", label="質問をつくる元の質問", visible="hidden", elem_id="hy-wanted")
    with gr.Tabs(elem_id="hy-status-tabs") as tabs:
        with gr.Tab("索引", id="index") as first:
            _build_index(assistant, upkeep, [tab, first])
        with gr.Tab("利用状況", id="usage") as usage:
            asked = gr.HTML("", apply_default_css=False, elem_id="hy-usage")
            _build_clearing(store, asked)
        if upkeep is not None:
            with gr.Tab("言いかえ", id="synonyms") as synonyms:
                build_synonyms(assistant, upkeep, synonyms)
        with gr.Tab("質問をつくる", id="questions") as questions:
            opened, open_draft = build_questions(desk, questions)
        with gr.Tab("評価を実行", id="runs") as runs:
            build_runs(desk, runs)

    for one in (tab, usage):
        one.select(lambda: render_usage(store), None, asked, **QUIET)

    def write_up(question: str) -> list[Any]:
        """The draft of a question that was asked, or a new one, opened in the form of the question set."""
        text = clean_text(question or "").strip()
        if not text:
            return [gr.skip()] * (2 + len(opened))
        draft = desk.book.asked(text) or DraftCase(0, "", "draft", "written", text)
        return ["", gr.Tabs(selected="questions"), *open_draft(draft)]

    wanted.change(write_up, wanted, [wanted, tabs, *opened], **QUIET)


def _build_clearing(store: FeedbackStore, asked: Any) -> None:
    """The button that forgets how often questions were asked, pressed twice because nothing brings them back; and where
    the audit trail is saved."""
    if store.audit.on:
        gr.HTML(audit_links(store.audit), apply_default_css=False)
    with gr.Row():
        clear = gr.Button("数えた質問を消す", size="sm", variant="secondary", scale=0, min_width=160)
        sure = gr.Button(
            "すべて消す（元に戻せません）", size="sm", variant="stop", visible=False, scale=0, min_width=220
        )
        not_yet = gr.Button("消さない", size="sm", variant="secondary", visible=False, scale=0, min_width=110)
    told = gr.HTML("", apply_default_css=False, elem_id="hy-cleared")
    buttons = [clear, sure, not_yet]

    def stand(asking: bool) -> list[Any]:
        return [gr.update(visible=not asking), gr.update(visible=asking), gr.update(visible=asking)]

    def forget(request: gr.Request) -> list[Any]:
        if not may_administer(request):
            return [*stand(False), spoken(REFUSED), gr.skip()]
        store.asked.clear()
        return [*stand(False), spoken("よく聞かれる質問の回数を消しました。"), render_usage(store)]

    clear.click(lambda: [*stand(True), ""], None, [*buttons, told], **QUIET)
    not_yet.click(lambda: stand(False), None, buttons, **QUIET)
    sure.click(forget, None, [*buttons, told, asked], **QUIET)


def _build_index(assistant: Asker, upkeep: Upkeep | None, tabs: list[Any]) -> None:
    """The index, its rebuilding, and the report of reading each file."""
    accounts = AccountCache(assistant)
    shown = gr.HTML("", apply_default_css=False, elem_id="hy-status")

    def read() -> str:
        index = assistant.index
        held = inventory(index)
        if upkeep is None:
            return render_status(index.version, accounts.get(), held)
        sources = upkeep.rebuild.sources() if caller().sees_all else ()
        return render_status(index.version, accounts.get(), held, upkeep.live.problem, sources)

    build_rebuild(upkeep, tabs[0], read, shown)
    gr.HTML('<h3 class="hy-report-head">ファイルごとの読み取り</h3>', apply_default_css=False)
    with gr.Row():
        words = gr.Textbox(
            label="ファイルを探す", placeholder="ファイル名、シート名、自治体、課の一部", max_lines=1, max_length=200, scale=3, min_width=200, elem_id="hy-files-words",
        )  # fmt: skip
        kind = gr.Dropdown([("すべて", "")], value="", label="表示", scale=2, min_width=180, elem_id="hy-files-kind")
    gr.HTML(
        '<p class="hy-note">行を押すと、シートごとの読み取りが開きます。'
        '<a class="hy-report-csv" href="status/report.csv" download>全部をCSVで保存</a>'
        "　読み取れない様式は hyoka forms で調べます。</p>",
        apply_default_css=False,
    )
    files = gr.HTML("", apply_default_css=False, elem_id="hy-files")
    page = gr.State(0)
    with gr.Row():
        back = gr.Button(f"前の{PAGE}件", size="sm", visible=False, elem_id="hy-files-back")
        more = gr.Button(f"次の{PAGE}件", size="sm", visible=False, elem_id="hy-files-more")

    def listed(text: str, which: str, at: int) -> list[Any]:
        every = accounts.get()
        found = chosen_accounts(every, clean_text(text or ""), which or "")
        at = max(0, min(at, (len(found) - 1) // PAGE))
        return [
            gr.update(choices=kind_choices(every)),
            render_accounts(found, len(every), at, which or ""),
            at,
            gr.update(visible=at > 0),
            gr.update(visible=(at + 1) * PAGE < len(found)),
        ]

    outputs = [kind, files, page, back, more]
    for tab in tabs:
        tab.select(read, None, shown, **QUIET)
        tab.select(listed, [words, kind, page], outputs, **QUIET)
    # The account changes with the index: what stands below it is read again.
    shown.change(listed, [words, kind, page], outputs, **QUIET)
    for trigger in (words.change, kind.input):
        trigger(lambda text, which: listed(text, which, 0), [words, kind], outputs, trigger_mode="always_last", **QUIET)
    for button, step in ((back, -1), (more, 1)):
        button.click(
            lambda text, which, at, by=step: listed(text, which, at + by), [words, kind, page], outputs, **QUIET
        )
