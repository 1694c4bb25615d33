"""The 管理 screen: what is indexed, what could not be read, what people missed, and the question set."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.accounts import AccountCache, FileAccount
from assistant.readiness import Asker
from assistant.store import Feedback, FeedbackStore, Unanswered
from evals.desk import Desk
from ui.accounts import render_accounts
from ui.questions import build_questions, build_runs

SHOWN = 50


def render_status(version: str, accounts: Sequence[FileAccount]) -> str:
    """The index: its version, and the report of reading each of its files."""
    read = [one for one in accounts if not one.refusal]
    sheets = sum(len(one.programmes) for one in read)
    parts = sum(len(one.sheets) for one in read) - sheets
    beside = f"（ほかに文書の部分 {parts:,}）" if parts else ""
    refused = f"・読めなかったファイル {len(accounts) - len(read):,}" if len(accounts) > len(read) else ""
    return (
        f'<div class="hy-box hy-status"><h3>索引</h3><p>版: {escape(version)}　文書 {len(read):,}・シート {sheets:,}{beside}{refused}</p>'
        f"{render_accounts(accounts)}"
        "<p>シートを増やすには、サーバーで hyoka index を実行します。読み取れない様式は hyoka forms で調べます。</p></div>"
    )


def render_opinions(up: int, down: int, disliked: Sequence[Feedback], unanswered: Sequence[Unanswered]) -> str:
    """How answers were judged, and the questions to look at."""
    missing = "".join(
        f'<tr><td>{escape(one.question)}</td><td class="hy-num">{one.times:,}</td><td>{escape(one.last[:10])}</td></tr>'
        for one in unanswered
    )
    poor = "".join(
        f"<tr><td>{escape(one.question)}</td><td>{escape(one.answer[:200])}</td><td>{escape(one.told)}</td>"
        f"<td>{escape(one.at[:10])}</td></tr>"
        for one in disliked
    )
    return (
        f'<div class="hy-box hy-status"><h3>回答の評価</h3><p>役に立った {up:,}件・役に立たなかった {down:,}件</p>'
        f"{_table('役に立たなかった回答', ('質問', '回答', '意見', '日付'), poor)}"
        f"{_table('答えられなかった質問', ('質問', '回数', '最後の日付'), missing)}"
        "<p>だれが質問したかは記録していません。</p></div>"
    )


def _table(title: str, columns: Sequence[str], rows: str) -> str:
    if not rows:
        return f"<h3>{title}</h3><p>まだありません。</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    return (
        f'<h3>{title}</h3><div class="hy-scroll" tabindex="0" role="region" aria-label="{title}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def build_status(assistant: Asker, store: FeedbackStore, desk: Desk, tab: Any) -> None:
    """Adds the screen to the current Blocks; it is read anew whenever its tab is opened."""
    with gr.Tabs(elem_id="hy-status-tabs"):
        with gr.Tab("索引と利用状況"):
            shown = gr.HTML("", apply_default_css=False, elem_id="hy-status")
        with gr.Tab("質問をつくる") as questions:
            build_questions(desk, questions)
        with gr.Tab("評価を実行") as runs:
            build_runs(desk, runs)

    accounts = AccountCache(assistant)

    def read() -> str:
        index = assistant.index
        opinions = render_opinions(
            store.count("up"), store.count("down"), store.latest(SHOWN, "down"), store.unanswered(SHOWN)
        )
        return render_status(index.version, accounts.get()) + opinions

    tab.select(read, None, shown, show_progress="hidden", api_visibility="private")
