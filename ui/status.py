"""The 管理 screen: what is indexed, what could not be read, what people missed, and the question set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.readiness import Asker
from assistant.store import Feedback, FeedbackStore, Unanswered
from corpus.documents import Sheet
from evals.desk import Desk
from index.types import Index
from ui.questions import build_questions, build_runs

SHOWN = 50


def render_status(version: str, sheets: Sequence[Sheet], warnings: Mapping[str, Sequence[str]]) -> str:
    """The index: its version, its documents with their sheets, and the warnings of reading them."""
    files = Counter(sheet.file for sheet in sheets)
    rows = "".join(
        f"<tr><td>{escape(file)}</td><td>{escape('・'.join(places(sheets, file)))}</td>"
        f'<td class="hy-num">{count:,}</td><td class="hy-num">{len(warnings.get(file, ())):,}</td></tr>'
        for file, count in files.items()
    )
    notes = "".join(
        f"<li>{escape(file)}：{escape(warning)}</li>" for file, found in warnings.items() for warning in found
    )
    fold = f"<details><summary>読み取りの注意（全件）</summary><ul>{notes}</ul></details>" if notes else ""
    return (
        f'<div class="hy-box hy-status"><h3>索引</h3><p>版: {escape(version)}　文書 {len(files):,}・シート {len(sheets):,}</p>'
        '<div class="hy-scroll" tabindex="0" role="region" aria-label="文書の一覧"><table><thead><tr>'
        '<th scope="col">文書</th><th scope="col">自治体</th><th scope="col">シート</th><th scope="col">注意</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{fold}"
        "<p>シートを増やすには、サーバーで hyoka index を実行します。</p></div>"
    )


def places(sheets: Sequence[Sheet], file: str) -> list[str]:
    """The municipalities of one file."""
    return list(dict.fromkeys(sheet.municipality for sheet in sheets if sheet.file == file and sheet.municipality))


def render_opinions(up: int, down: int, disliked: Sequence[Feedback], unanswered: Sequence[Unanswered]) -> str:
    """How answers were judged, and the questions to look at."""
    missing = "".join(
        f'<tr><td>{escape(one.question)}</td><td class="hy-num">{one.times:,}</td><td>{escape(one.last[:10])}</td></tr>'
        for one in unanswered
    )
    poor = "".join(
        f"<tr><td>{escape(one.question)}</td><td>{escape(one.answer[:200])}</td><td>{escape(one.at[:10])}</td></tr>"
        for one in disliked
    )
    return (
        f'<div class="hy-box hy-status"><h3>回答の評価</h3><p>役に立った {up:,}件・役に立たなかった {down:,}件</p>'
        f"{_table('役に立たなかった回答', ('質問', '回答', '日付'), poor)}"
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


def index_warnings(index: Index) -> dict[str, tuple[str, ...]]:
    """The warnings by file; none where the index keeps none."""
    report = getattr(index, "report", None)
    return dict(report().warnings) if callable(report) else {}


def build_status(assistant: Asker, store: FeedbackStore, desk: Desk, tab: Any) -> None:
    """Adds the screen to the current Blocks; it is read anew whenever its tab is opened."""
    with gr.Tabs(elem_id="hy-status-tabs"):
        with gr.Tab("索引と利用状況"):
            shown = gr.HTML("", apply_default_css=False, elem_id="hy-status")
        with gr.Tab("質問をつくる") as questions:
            build_questions(desk, questions)
        with gr.Tab("評価を実行") as runs:
            build_runs(desk, runs)

    def read() -> str:
        index = assistant.index
        opinions = render_opinions(
            store.count("up"), store.count("down"), store.latest(SHOWN, "down"), store.unanswered(SHOWN)
        )
        return render_status(index.version, index.sheets(), index_warnings(index)) + opinions

    tab.select(read, None, shown, show_progress="hidden", api_visibility="private")
