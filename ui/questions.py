"""The question set on the 管理 screen: look through drafts, give their gold, accept or reject them, run the accepted."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.casebook import DraftCase, State
from corpus.errors import HyokaError
from evals.desk import Desk, as_case, doubts
from evals.shelf import Shelf
from ui.verdicts import ORIGIN_LABELS, TYPE_LABELS, render_origin, render_run, render_runs, type_label

logger = logging.getLogger(__name__)

STATE_LABELS: dict[State, str] = {"draft": "案（未確認）", "accepted": "採用", "rejected": "却下"}
PROPOSED = 20  # drafts made from the index at a time: as many as a person reads in one go
MAX_CHOICES = 3_000
COLUMNS = ["番号", "質問", "種別", "きっかけ"]
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
FILES = (
    '<p class="hy-note">採用した質問をファイルで保存: <a href="evaluation/cases.xlsx" download>Excel</a>　'
    '<a href="evaluation/cases.csv" download>CSV</a>　<a href="evaluation/cases.jsonl" download>JSON Lines</a>'
    "（hyoka eval で実行できます）</p>"
)


def rows(desk: Desk, state: State) -> list[list[str | int]]:
    """The drafts of one state as the table shows them."""
    return [
        [
            draft.id,
            " → ".join((*draft.history, draft.question)),  # a follow-up alone says nothing
            "答えがない" if draft.unanswerable else type_label(draft.type or "lookup-text"),
            ORIGIN_LABELS[draft.origin] + (f" {draft.times}回" if draft.times > 1 else ""),
        ]
        for draft in desk.book.cases(state)
    ]


def state_choices(desk: Desk) -> list[tuple[str, str]]:
    """The states with their counts: ``案（未確認） 3``."""
    counts = desk.book.counts()
    return [(f"{label} {counts[state]:,}", state) for state, label in STATE_LABELS.items()]


def sheet_choices(desk: Desk) -> list[str]:
    """Programmes as the gold of a question names them, as many as a browser can hold; others can be typed."""
    shelf = Shelf(desk.assistant.index)
    return list(dict.fromkeys(shelf.gold(sheet) for sheet in shelf.sheets))[:MAX_CHOICES]


def lines(text: str) -> tuple[str, ...]:
    """The lines of a box that say something."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def forms(text: str) -> tuple[tuple[str, ...], ...]:
    """``12,155千円|1,215万円`` on each line: one of the forms has to be there."""
    split = (tuple(form.strip() for form in re.split(r"[|｜]", line) if form.strip()) for line in lines(text))
    return tuple(found for found in split if found)


def filled(draft: DraftCase, values: tuple[Any, ...]) -> DraftCase:
    """A draft with what stands in the form."""
    question, earlier, kind, void, must, must_not, sheets, note = values
    return replace(
        draft,
        question=str(question or "").strip(),
        history=lines(earlier or ""),
        type="unanswerable" if void else str(kind or "lookup-text"),
        unanswerable=bool(void),
        must=forms(must or ""),
        must_not=lines(must_not or ""),
        sheets=tuple(sheets or ()),
        note=str(note or "").strip(),
    )


def shown(draft: DraftCase | None, question: str = "") -> list[Any]:
    """The values of the form's parts for a draft; for a new one empty but for its ``question``."""
    one = draft or DraftCase(0, "", "draft", "written", question)
    kind = one.type if one.type in TYPE_LABELS and one.type != "unanswerable" else "lookup-text"
    return [
        render_origin(draft),
        one.question,
        "\n".join(one.history),
        kind,
        one.unanswerable,
        "\n".join("|".join(one_of) for one_of in one.must),
        "\n".join(one.must_not),
        list(one.sheets),
        one.note,
    ]


def decide(desk: Desk, number: int, state: State | None, values: tuple[Any, ...]) -> tuple[str, int]:
    """Saves the form as the draft ``number`` (0: a new one), in a new state where one is given.

    Returns what to tell the person and the draft's number; the number stays where nothing was saved.
    """
    try:
        desk.check()
    except HyokaError as problem:
        return problem.message, number
    known = desk.book.find(number) or DraftCase(0, "", "draft", "written", "")
    draft = filled(known, values)
    if not draft.question:
        return "質問が空です。質問を書いてください。", number
    notes: list[str] = []
    if state == "accepted":
        try:
            notes = doubts(as_case(draft), desk.assistant.index)
        except HyokaError as problem:
            return problem.message, number
    draft = replace(draft, state=state or draft.state)
    saved = known.id * desk.book.save(draft) if known.id else desk.book.add(draft)
    if not saved:
        return "同じ質問がすでにあります（案・採用・却下のどれかを見てください）。", number
    done = {"accepted": "採用しました。", "rejected": "却下しました。", "draft": "保存しました。"}[state or "draft"]
    return done + "".join(f"念のため: {note}" for note in notes), saved


def build_questions(desk: Desk, tab: Any) -> tuple[list[Any], Callable[[DraftCase], list[Any]]]:
    """Adds the editor to the current Blocks; it is filled whenever ``tab`` is opened.

    Returns the parts of its form, and what gives them their values for a draft, for a question that comes from elsewhere.
    """
    gr.HTML(
        '<p class="hy-note">「役に立たなかった」と評価された質問と、答えられなかった質問が、ここに案として集まります。'
        "正解を書いて採用すると、「評価を実行」で回答が正しいかを確かめられます。</p>",
        apply_default_css=False,
    )
    state = gr.Radio(state_choices(desk), value="draft", label="表示する質問", elem_id="hy-case-state")
    table = gr.Dataframe(
        [],
        headers=COLUMNS,
        datatype=["number", "str", "str", "str"],
        type="array",
        interactive=False,
        wrap=True,
        max_height=320,
        column_widths=["10%", "52%", "18%", "20%"],
        label="質問の一覧（行を選ぶと下に開きます）",
        show_label=True,
        buttons=[],
        elem_id="hy-cases",
    )
    with gr.Row():
        propose = gr.Button(f"索引から案を{PROPOSED}件作る", size="sm", variant="secondary", min_width=160)
        fresh = gr.Button("新しい質問を書く", size="sm", variant="secondary", min_width=160)
    number = gr.State(0)
    origin = gr.HTML(render_origin(None), apply_default_css=False)
    question = gr.Textbox(label="質問", lines=2, max_length=2_000, elem_id="hy-case-question")
    void = gr.Checkbox(
        label="答えなしが正解", info="シートに書かれていないことを聞く質問のとき", elem_id="hy-case-void"
    )
    must = gr.Textbox(
        label="正解に含まれるべき語",
        info="1行に1つ。どれか1つあればよい言い方は | で並べます（例: 12,155千円|1,215万円）",
        lines=3,
        elem_id="hy-case-must",
    )
    sheets = gr.Dropdown(
        [],
        label="引用すべきシート",
        info="答えの根拠になるシートをすべて選びます",
        multiselect=True,
        allow_custom_value=True,
        elem_id="hy-case-sheets",
    )
    with gr.Accordion("くわしい設定", open=False):
        kind = gr.Dropdown(
            [(label, name) for name, label in TYPE_LABELS.items() if name != "unanswerable"],
            label="質問の種別",
            value="lookup-text",
        )
        earlier = gr.Textbox(label="前の質問", info="続けて聞く質問のとき。古い順に1行に1つ", lines=2)
        must_not = gr.Textbox(label="含まれてはいけない語", info="1行に1つ（例: 別の年度の額）", lines=2)
        note = gr.Textbox(label="備考", info="なぜこれが正解か", lines=2)
    told = gr.HTML("", apply_default_css=False, elem_id="hy-case-told")
    with gr.Row():
        accept = gr.Button("採用する", variant="primary", min_width=110)
        keep = gr.Button("保存", variant="secondary", min_width=110)
        reject = gr.Button("却下する", variant="secondary", min_width=110)
    gr.HTML(FILES, apply_default_css=False)

    form = [question, earlier, kind, void, must, must_not, sheets, note]
    opened = [number, origin, *form]

    def refresh(chosen: State) -> list[Any]:
        return [gr.update(choices=state_choices(desk), value=chosen), rows(desk, chosen)]

    def open_tab(chosen: State) -> list[Any]:
        return [*refresh(chosen), gr.update(choices=sheet_choices(desk))]

    def pick(event: gr.SelectData) -> list[Any]:
        draft = desk.book.find(int(event.row_value[0]))
        return [draft.id if draft else 0, *shown(draft), ""]

    def settle(verdict: State | None) -> Any:
        def settled(chosen: State, at: int, *values: Any) -> list[Any]:
            message, saved = decide(desk, at, verdict, values)
            left = verdict is not None and message.startswith(("採用", "却下"))
            # Decided: the form is empty for the next one.
            return [
                *refresh(chosen),
                *([0, *shown(None)] if left else [saved, *[gr.skip()] * len(opened[1:])]),
                spoken(message),
            ]

        return settled

    def make() -> list[Any]:
        try:
            new = desk.propose(PROPOSED)
            message = (
                f"案を{new}件作りました。正解は読み取った数値や欄から作ったものです。確かめてから採用してください。"
            )
        except HyokaError as problem:
            message = problem.message
        gr.Info(message, title="お知らせ")  # its button is far from where the form tells
        return refresh("draft")

    tab.select(open_tab, state, [state, table, sheets], **QUIET)
    state.input(lambda chosen: rows(desk, chosen), state, table, **QUIET)
    table.select(pick, None, [*opened, told], **QUIET)
    fresh.click(lambda: [0, *shown(None), ""], None, [*opened, told], **QUIET)
    propose.click(make, None, [state, table], show_progress_on=table, api_visibility="private")
    for button, verdict in ((accept, "accepted"), (keep, None), (reject, "rejected")):
        button.click(settle(verdict), [state, number, *form], [state, table, *opened, told], **QUIET)  # type: ignore[arg-type]
    return [*opened, told], lambda draft: [draft.id, *shown(draft if draft.id else None, draft.question), ""]


def spoken(message: str) -> str:
    """A message that a screen reader says by itself."""
    return f'<p class="hy-told" role="status">{escape(message)}</p>'


def build_runs(desk: Desk, tab: Any) -> None:
    """Adds the evaluation to the current Blocks: a button, the result and the runs before."""
    gr.HTML(
        '<p class="hy-note">採用した質問をすべて聞き直し、正解と引用を自動で確かめます。</p>', apply_default_css=False
    )
    start = gr.Button("実行", variant="primary", min_width=160, elem_id="hy-run")
    result = gr.HTML("", apply_default_css=False, elem_id="hy-run-result", min_height=80)
    history = gr.HTML("", apply_default_css=False, elem_id="hy-run-history")

    def latest() -> list[str]:
        kept = desk.history()
        return [render_run(kept[0], desk.change()) if kept else "", render_runs(kept)]

    def run(progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008  Gradio finds it as a default
        try:
            desk.run(lambda done, whole: progress((done, whole), desc="質問しています", unit="問"))
            return latest()
        except HyokaError as problem:
            return [spoken(problem.message), gr.skip()]
        except Exception:
            logger.exception("an evaluation broke")
            return [spoken("評価を実行できませんでした。時間をおいて、もう一度押してください。"), gr.skip()]

    tab.select(latest, None, [result, history], **QUIET)
    start.click(run, None, [result, history], show_progress_on=result, api_visibility="private")
