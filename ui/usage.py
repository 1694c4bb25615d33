"""利用状況 on the 管理 screen: what is asked most, what found no answer, and which answers did not help."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from assistant.access.caller import caller
from assistant.asked import KEPT, Asked
from assistant.spreadsheets import csv_cell
from assistant.store import KEPT_UNANSWERED, Feedback, FeedbackStore, Unanswered
from ui.times import day

HIDDEN = (
    "利用状況には、ほかの人の質問と回答が載ります。"
    "見られる自治体やフォルダーが限られている人には表示しません。必要なときは、すべてを見られる管理者に頼んでください。"
)
SHOWN = 50
SAVED = 10_000
SHOWN_ANSWER = 200
Kind = Literal["asked", "unanswered", "down"]
CSV_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "asked": ("質問", "回数", "答えられた回数", "答えられた割合", "最後の日付"),
    "unanswered": ("質問", "回数", "最後の日付"),
    "down": ("質問", "回答", "寄せられた意見", "日付"),
}


def render_usage(store: FeedbackStore) -> str:
    """The three tables, with the counts of opinions and what is kept; to those alone who may see every sheet."""
    if not caller().sees_all:
        return f'<div class="hy-box hy-status hy-usage"><p class="hy-note">{HIDDEN}</p></div>'
    asked = render_asked(store.asked.most(SHOWN), store.asked.counting)
    opinions = render_opinions(
        store.count("up"), store.count("down"), store.latest(SHOWN, "down"), store.unanswered(SHOWN)
    )
    return f'<div class="hy-box hy-status hy-usage">{asked}{opinions}</div>'


def render_asked(asked: Sequence[Asked], counting: bool = True) -> str:
    """The questions asked most, with the share that found an answer."""
    kept = (
        f"質問の文と回数、答えられた回数、最後の日付だけを、{KEPT:,}件まで残しています。だれがいつ質問したかは記録しません。"
        "数えたくないときは、設定 count_questions（HYOKA_COUNT_QUESTIONS）を false にします。"
        if counting
        else "設定 count_questions が false なので、質問は数えていません。"
    )
    rows = "".join(
        f"<tr><td>{escape(one.question)}</td>{_number(one.times)}"
        f'<td class="hy-num" data-name="答えられた割合" data-sort="{one.answered / one.times:.4f}">{one.answered / one.times:.0%}</td>'
        f"{_day(one.last)}{_actions(one.question)}</tr>"
        for one in asked
    )
    return (
        _table("よく聞かれる質問", ("質問", "回数", "答えられた割合", "最後の日付"), rows, "asked") + f"<p>{kept}</p>"
    )


def render_opinions(up: int, down: int, disliked: Sequence[Feedback], unanswered: Sequence[Unanswered]) -> str:
    """How answers were judged, and the questions to look at."""
    missing = "".join(
        f"<tr><td>{escape(one.question)}</td>{_number(one.times)}{_day(one.last)}{_actions(one.question)}</tr>"
        for one in unanswered
    )
    poor = "".join(
        f"<tr><td>{escape(one.question)}</td><td>{escape(_short(one.answer))}{_said(one.told)}</td>"
        f"{_day(one.at)}{_actions(one.question)}</tr>"
        for one in disliked
    )
    return (
        f"{_table('答えられなかった質問', ('質問', '回数', '最後の日付'), missing, 'unanswered')}"
        f"{_table('役に立たなかった回答', ('質問', '回答と意見', '日付'), poor, 'down')}"
        f"<p>回答の評価: 役に立った {up:,}件・役に立たなかった {down:,}件。だれが質問したかは記録していません。</p>"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_ANSWER else f"{line[:SHOWN_ANSWER]}…"


def _said(comment: str) -> str:
    return f'<p class="hy-opined">意見: {escape(comment)}</p>' if comment else ""


def _number(count: int) -> str:
    return f'<td class="hy-num" data-name="回数" data-sort="{count}">{count:,}</td>'


def _day(at: str) -> str:
    return f'<td data-name="日付" data-sort="{escape(at[:10])}">{escape(day(at))}</td>'


def _actions(question: str) -> str:
    asked = escape(question)
    return (
        f'<td class="hy-act"><button type="button" class="hy-button hy-ask" value="{asked}">聞く</button>'
        f'<button type="button" class="hy-button hy-make" value="{asked}">質問をつくる</button></td>'
    )


def _table(title: str, columns: Sequence[str], rows: str, kind: Kind) -> str:
    if not rows:
        return f"<h3>{title}</h3><p>まだありません。</p>"
    head = "".join(f'<th scope="col"><button type="button" class="hy-sort">{name}</button></th>' for name in columns)
    return (
        f'<h3>{title}</h3><p><a href="status/questions.csv?kind={kind}" download>CSVで保存</a></p>'
        f'<div class="hy-scroll" tabindex="0" role="region" aria-label="{title}"><table class="hy-sortable">'
        f'<thead><tr>{head}<th scope="col">操作</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def questions_csv(store: FeedbackStore, kind: Kind) -> bytes:
    """One of the tables, whole, as CSV with a byte order mark, so that Excel reads it."""
    rows: list[list[object]]
    if kind == "asked":
        rows = [
            [one.question, one.times, one.answered, f"{one.answered / one.times:.2f}", one.last[:10]]
            for one in store.asked.most(SAVED)
        ]
    elif kind == "unanswered":
        rows = [[one.question, one.times, one.last[:10]] for one in store.unanswered(KEPT_UNANSWERED)]
    else:
        rows = [[one.question, one.answer, one.told, one.at[:10]] for one in store.latest(SAVED, "down")]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS[kind])
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def add_usage(app: FastAPI, store: FeedbackStore) -> None:
    """Adds ``GET /status/questions.csv?kind=asked|unanswered|down``."""

    @app.get("/status/questions.csv", include_in_schema=False)
    def questions(kind: Kind = "asked") -> Response:
        if not caller().sees_all:
            raise HTTPException(403, HIDDEN)
        name = f'attachment; filename="hyoka-{kind}.csv"'
        content = questions_csv(store, kind)
        return Response(content, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})
