"""The 質問 screen: example questions, the conversation with streamed answers, and opinions on them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.readiness import Asker
from assistant.refusals import INTERNAL, clean_question, clean_text
from assistant.store import FeedbackStore, Rating
from assistant.types import Answer, Turn
from corpus.errors import HyokaError
from index.types import Filters
from ui.examples import PER_ROLE, ROLES, Examples
from ui.history import History, Keep
from ui.paperlinks import answer_papers
from ui.render import NOTE, answer_steps, placed

logger = logging.getLogger(__name__)

HOW = (
    '<ol class="hy-how"><li>上の例を押すか、知りたいことを入力します。</li>'
    "<li>答えの [1] や引用を押すと、シートの原文に印を付けて開きます。</li>"
    "<li>シートに書かれていないことは「見つかりませんでした」と答えます。</li></ol>"
)
STEP_SECONDS = 0.04
Message = dict[str, Any]  # a message of gr.Chatbot: role, content, options


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer as plain text; ``at`` is the place of the answer among the messages.

    ``talk`` and ``entry`` are the conversation it is kept in and its number there, from 1; empty where it is not kept.
    """

    question: str
    answer: str
    at: int
    index_version: str
    talk: str = ""
    entry: int = 0


def turns(exchanges: list[Exchange]) -> list[Turn]:
    """The conversation so far, as the assistant takes it."""
    return [
        turn for exchange in exchanges for turn in (Turn("user", exchange.question), Turn("assistant", exchange.answer))
    ]


def not_kept(exchange: Exchange, answer: Answer, filters: Filters) -> Exchange:
    """Where nothing is kept, an exchange stays as it is."""
    return exchange


def respond(
    assistant: Asker,
    question: str,
    messages: list[Message],
    exchanges: list[Exchange],
    filters: Filters,
    keep: Keep = not_kept,
) -> Iterator[tuple[list[Message], list[Exchange]]]:
    """The messages and exchanges as they grow: the question at once, then the answer sentence by sentence."""
    asked = [*messages, {"role": "user", "content": f'<div class="hy-box hy-question">{escape(question)}</div>'}]
    yield (
        [*asked, _reply('<div class="hy-box hy-answer"><p class="hy-wait">シートを探しています…</p></div>')],
        exchanges,
    )
    try:
        answer = assistant.ask(clean_question(question), turns(exchanges), filters)
        steps = answer_steps(answer, placed(assistant.index))
    except HyokaError as problem:
        yield [*asked, _reply(_apology(problem.message))], exchanges
        return
    except Exception:
        logger.exception("a question broke")
        yield [*asked, _reply(_apology(INTERNAL[1]))], exchanges
        return
    for step in steps[:-1]:
        yield [*asked, _reply(step)], exchanges
        time.sleep(STEP_SECONDS)
    exchange = keep(Exchange(question, answer.answer, len(asked), answer.index_version), answer, filters)
    final = _reply(steps[-1] + answer_papers(exchange.talk, exchange.entry))
    if answer.suggestions:
        final["options"] = [{"value": text, "label": text} for text in answer.suggestions[:4]]
    yield [*asked, final], [*exchanges, exchange]


def _reply(html: str) -> Message:
    return {"role": "assistant", "content": html}


def _apology(message: str) -> str:
    return f'<div class="hy-box hy-answer hy-abstained"><p>{escape(message)}</p></div>'


def judged(exchanges: list[Exchange], at: int) -> Exchange | None:
    """The exchange whose answer is the message number ``at``."""
    return next((exchange for exchange in exchanges if exchange.at == at), None)


def build_chat(assistant: Asker, store: FeedbackStore, scope: Any, filters: list[Any]) -> tuple[list[Any], Any]:
    """Adds the screen to the current Blocks; ``filters`` are the shared inputs that ``scope`` turns into Filters.

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
        feedback_options=("Like", "Dislike"),
        elem_id="hy-chat",
        elem_classes="hy-chat",
    )
    history.place_papers()
    opinion = gr.State(0)
    why = gr.Textbox(
        label="どこが違いましたか（書かなくてもかまいません）",
        placeholder="例: 令和4年度の額になっている",
        lines=1,
        max_length=1_000,
        submit_btn="送る",
        visible=False,
        elem_id="hy-why",
    )
    with gr.Column(elem_classes="hy-dock"):
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
            gr.HTML(f'<p class="hy-note">{escape(NOTE)}</p>', apply_default_css=False)
            fresh = gr.Button("新しい会話", size="sm", variant="secondary", visible=False, scale=0, min_width=120)

    with gr.Column(elem_classes="hy-about") as about:
        gr.HTML(HOW, apply_default_css=False)
        held = gr.HTML("", apply_default_css=False)

    def ask(
        request: gr.Request, question: str, messages: list[Message], log: list[Exchange], *chosen_filters: Any
    ) -> Iterator[Any]:
        if not question.strip():
            yield [gr.skip()] * len(outputs)
            return
        keep = history.keep(request, log)
        steps = respond(assistant, question.strip(), messages, log, scope(*chosen_filters), keep)
        for at, (grown, kept) in enumerate(steps):
            yield (
                gr.update(value=grown, visible=True),
                kept,
                "" if at == 0 else gr.skip(),  # once: the next question may already be typed while the answer grows
                gr.update(visible=False),
                gr.update(visible=False),
                gr.update(visible=True),
            )

    outputs = [chatbot, exchanges, box, welcome, about, fresh]
    inputs = [chatbot, exchanges, *filters]
    # always_last: a question sent while an answer still grows is asked after it; Gradio would drop it otherwise.
    box.submit(
        ask, [box, *inputs], outputs, show_progress="hidden", api_visibility="private", trigger_mode="always_last"
    )
    for button in chosen:
        button.click(ask, [button, *inputs], outputs, show_progress="hidden", api_visibility="private")

    def judge(data: gr.LikeData, log: list[Exchange]) -> tuple[Any, int]:
        place = data.index[0] if isinstance(data.index, list | tuple) else data.index
        exchange = judged(log, int(place))
        if exchange is None or data.liked is None:
            return gr.update(visible=False), 0
        rating: Rating = "up" if data.liked in (True, "Like") else "down"
        number = store.add(rating, exchange.question, exchange.answer, "", exchange.index_version)
        gr.Info("評価を保存しました。ありがとうございます。")
        return gr.update(visible=rating == "down", value=""), number

    def explain(text: str, number: int) -> Any:
        if text.strip() and number:
            store.explain(number, clean_text(text))
            gr.Info("保存しました。回答の改善に使います。")
        return gr.update(visible=False, value="")

    why.submit(explain, [why, opinion], why, show_progress="hidden", api_visibility="private")
    chatbot.like(judge, exchanges, [why, opinion], show_progress="hidden", api_visibility="private")
    gr.on(
        [fresh.click, chatbot.clear],
        lambda: (gr.update(value=[], visible=False), [], "", *[gr.update(visible=True)] * 2, gr.update(visible=False)),
        None,
        outputs,
        show_progress="hidden",
        api_visibility="private",
    )
    chosen_text = gr.State("")

    def take(event: gr.SelectData) -> str:
        return str(event.value)

    chatbot.option_select(take, None, chosen_text, show_progress="hidden", api_visibility="private").then(
        ask, [chosen_text, *inputs], outputs, show_progress="hidden", api_visibility="private"
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
