"""The 質問 screen: example questions, the conversation with streamed answers, and opinions on them."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before
from anyio import from_thread

from assistant.line import Line
from assistant.readiness import Asker
from assistant.refusals import INTERNAL
from assistant.store import FeedbackStore
from assistant.writer import NO_WRITER, Writer
from corpus.errors import DatabaseError, HyokaError, QuestionError
from ui.chips import render_chips, without_chip
from ui.examples import PER_ROLE, ROLES, Examples
from ui.exchanges import Exchange, Message, judged, respond, respond_again, respond_in_turn
from ui.generated import NOTE as WRITTEN_NOTE
from ui.history import History
from ui.opinions import keep_opinion, read_opinion
from ui.reading import decided
from ui.render import NOTE

logger = logging.getLogger(__name__)

HOW = (
    '<ol class="hy-how"><li>上の例を押すか、知りたいことを入力します。</li>'
    "<li>答えの [1] や引用を押すと、シートの原文に印を付けて開きます。</li>"
    "<li>シートに書かれていないことは「見つかりませんでした」と答えます。</li></ol>"
)
# Where an opinion was kept: the number of the message, and the time, so that the value changes with every opinion.
KEPT = 'watch("value", () => document.dispatchEvent(new CustomEvent("hy-kept", { detail: parseInt(props.value) })));'
BRIDGE = """
for (const [name, kind] of [["hy-again", "click"], ["hy-judge", "submit"], ["hy-filter", "select"]])
  element.addEventListener(name, (event) => trigger(kind, event.detail));
watch("value", () => document.dispatchEvent(new CustomEvent("hy-done")));
"""


def build_chat(
    assistant: Asker,
    store: FeedbackStore,
    scope: Any,
    filters: list[Any],
    line: Line,
    writer: Writer = NO_WRITER,
) -> tuple[list[Any], Any]:
    """Adds the screen to the current Blocks; ``filters`` are the shared inputs that ``scope`` turns into Filters, and
    questions wait their turn in ``line``; ``writer`` is the language model beside the answers, if there is one.

    Returns what is filled once the page is open: per role a column and its buttons (:func:`example_updates`), and the
    place for what the index holds.
    """
    exchanges = gr.State([])
    history = History(assistant, store.talks)
    to_fill: list[Any] = []
    chosen: list[Any] = []
    with gr.Column(elem_classes="hy-welcome") as welcome, gr.Row(elem_classes="hy-roles"):
        for role in ROLES:
            with gr.Column(min_width=220, visible=False) as column:
                gr.HTML(f'<h3 class="hy-role">{escape(role)}</h3>', apply_default_css=False)
                buttons = [
                    gr.Button("", variant="secondary", elem_classes="hy-example", visible=False)
                    for _ in range(PER_ROLE)
                ]
            to_fill += [column, *buttons]
            chosen += buttons
    chatbot = gr.Chatbot(
        [],
        label="会話",
        show_label=False,
        height=None,
        visible=False,
        container=False,
        buttons=[],
        layout="panel",
        latex_delimiters=[],
        feedback_options=None,
        elem_id="hy-chat",
        elem_classes="hy-chat",
    )
    history.place_papers()
    opinions: Any = gr.State({})
    # Buttons inside answers reach the server through this: ui/assets/chat.js sends it what was pressed.
    bridge = gr.HTML("", js_on_load=BRIDGE, visible="hidden", elem_id="hy-bridge", apply_default_css=False)
    kept_at = gr.HTML("", js_on_load=KEPT, visible="hidden", apply_default_css=False)
    with gr.Column(elem_classes="hy-dock"):
        chips = gr.HTML("", elem_id="hy-chips", visible=False, apply_default_css=False)
        box = gr.Textbox(
            label="質問",
            show_label=False,
            placeholder="質問を入力（例：〜の今後の計画は？）",
            lines=1,
            max_lines=6,
            max_length=2_000,
            submit_btn="質問する",
            elem_id="hy-question",
            html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
        )
        with gr.Row(elem_classes="hy-under"):
            gr.HTML(f'<p class="hy-note">{escape(WRITTEN_NOTE if writer.on else NOTE)}</p>', apply_default_css=False)
            fresh = gr.Button("新しい会話", size="sm", variant="secondary", visible=False, scale=0, min_width=120)

    with gr.Column(elem_classes="hy-about") as about:
        gr.HTML(HOW, apply_default_css=False)
        held = gr.HTML("", apply_default_css=False)

    async def ask(
        request: gr.Request, question: str, messages: list[Message], log: list[Exchange], *chosen_filters: Any
    ) -> AsyncIterator[Any]:
        if not question.strip():
            yield [gr.skip()] * len(outputs)
            return
        keep = history.keep(request, log)
        steps = respond(
            assistant,
            question.strip(),
            messages,
            log,
            scope(*chosen_filters),
            keep,
            history.amend(request),
            writer,
            lambda work: from_thread.run(line.run, "ask", work),
        )
        first = True
        async for grown, kept in respond_in_turn(line, steps):
            yield (
                gr.update(value=grown, visible=True),
                kept,
                "" if first else gr.skip(),  # once: the next question may already be typed while the answer grows
                gr.update(visible=False),
                gr.update(visible=False),
                gr.update(visible=True),
            )
            first = False

    outputs = [chatbot, exchanges, box, welcome, about, fresh]
    inputs = [chatbot, exchanges, *filters]
    # always_last: a question sent while an answer still grows is asked after it; Gradio would drop it otherwise.
    # concurrency_limit: all of them reach the line, which has an end.
    asked: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    box.submit(ask, [box, *inputs], outputs, trigger_mode="always_last", **asked)
    for button in chosen:
        button.click(ask, [button, *inputs], outputs, **asked)

    async def again(
        request: gr.Request, event: gr.EventData, messages: list[Message], log: list[Exchange], turn: str
    ) -> Any:
        done = "" if turn else " "  # the bridge's value changes, well or badly: so chat.js knows that it is over
        told = event._data or {}
        at = told.get("at")
        known = judged(log, at) if isinstance(at, int) else None
        choices = decided(known.choices, str(told.get("name")), str(told.get("value"))) if known is not None else None
        try:
            if known is None or choices is None:
                raise QuestionError("この回答は聞き直せません。もう一度質問してください。")
            amend = history.amend(request)
            grown, kept = await line.run(
                "ask", lambda: respond_again(assistant, known.at, choices, messages, log, amend)
            )
        except HyokaError as problem:
            gr.Warning(escape(problem.message))
            return gr.skip(), gr.skip(), done
        except Exception:
            logger.exception("a question asked again broke")
            gr.Warning(INTERNAL[1])
            return gr.skip(), gr.skip(), done
        return grown, kept, done

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    bridge.click(again, [chatbot, exchanges, bridge], [chatbot, exchanges, bridge], trigger_mode="always_last", **asked)

    def judge(event: gr.EventData, log: list[Exchange], given: dict[tuple[int, str], int]) -> Any:
        told = event._data or {}
        at = told.get("at")
        exchange = judged(log, at) if isinstance(at, int) else None
        opinion = read_opinion(told, exchange.cited) if exchange is not None else None
        if exchange is None or opinion is None:
            gr.Warning("この回答の評価は保存できませんでした。もう一度質問してからお試しください。")
            return given, gr.skip()
        # An answer that was asked again is another answer.
        key = (exchange.at, exchange.answer)
        try:
            number = keep_opinion(
                store, opinion, given.get(key), exchange.question, exchange.answer, exchange.index_version
            )
        except DatabaseError as problem:
            logger.exception("the opinion could not be kept")
            gr.Warning(problem.message)
            return given, gr.skip()
        return {**given, key: number}, f"{exchange.at} {time.time_ns()}"

    # One after the other: what is said next about an answer replaces what was said first.
    bridge.submit(
        judge, [exchanges, opinions], [opinions, kept_at], trigger_mode="multiple", concurrency_limit=1, **quiet
    )

    def drop(event: gr.EventData, *chosen_filters: Any) -> list[Any]:
        return without_chip([values or [] for values in chosen_filters], str((event._data or {}).get("value")))

    def show(*chosen_filters: Any) -> Any:
        shown = render_chips([values or [] for values in chosen_filters])
        return gr.update(value=shown, visible=bool(shown))

    bridge.select(drop, filters, filters, trigger_mode="always_last", **quiet)
    for one in filters:
        one.change(show, filters, chips, trigger_mode="always_last", **quiet)
    gr.on(
        [fresh.click, chatbot.clear],
        lambda: (
            gr.update(value=[], visible=False),
            [],
            "",
            *[gr.update(visible=True)] * 2,
            gr.update(visible=False),
            {},
        ),
        None,
        [*outputs, opinions],
        show_progress="hidden",
        api_visibility="private",
    )
    chosen_text = gr.State("")

    def take(event: gr.SelectData) -> str:
        return str(event.value)

    chatbot.option_select(take, None, chosen_text, show_progress="hidden", api_visibility="private").then(
        ask, [chosen_text, *inputs], outputs, **asked
    )
    history.connect(chatbot, exchanges, welcome, about, fresh)
    return to_fill, held


def example_updates(found: Examples) -> list[Any]:
    """For each role its column and buttons: shown with their question, or hidden where there is none."""
    updates: list[Any] = []
    for role in ROLES:
        questions = found.get(role, [])
        updates.append(gr.update(visible=bool(questions)))
        for at in range(PER_ROLE):
            has = at < len(questions)
            updates.append(gr.update(value=questions[at] if has else "", visible=has))
    return updates
