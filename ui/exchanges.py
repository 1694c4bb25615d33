"""Questions and answers on the 質問 screen: what is asked becomes messages, and what is remembered of each answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any, cast

from assistant.line import Line, apart
from assistant.readiness import Asker
from assistant.refusals import INTERNAL, clean_question
from assistant.stages import stage
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from assistant.writer import NO_WRITER, Writer
from corpus.errors import Busy, HyokaError, QuestionError
from index.types import Filters
from ui.chips import filter_words
from ui.generated import WRITING
from ui.paperlinks import answer_papers
from ui.render import answer_steps, placed, render_answer
from ui.text import tame

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.04
Message = dict[str, Any]  # a message of gr.Chatbot: role, content, options


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer as plain text; ``at`` is the place of the answer among the messages.

    ``filters`` and ``choices`` are those it was asked under, ``cited`` the number of its citations. ``talk`` and
    ``entry`` are the conversation it is kept in and its number there, from 1; empty where it is not kept.
    """

    question: str
    answer: str
    at: int
    index_version: str
    filters: Filters = Filters()
    choices: Choices = NO_CHOICES
    cited: int = 0
    talk: str = ""
    entry: int = 0


# Does a piece of work when its turn comes.
Turns = Callable[[Callable[[], Answer]], Answer]


def at_once(work: Callable[[], Answer]) -> Answer:
    """Where nobody stands in line."""
    return work()


# What writes an exchange down, with its whole answer and the filters it was asked under.
Keep = Callable[[Exchange, Answer, Filters], Exchange]


def turns(exchanges: list[Exchange]) -> list[Turn]:
    """The conversation so far, as the assistant takes it."""
    return [
        turn
        for exchange in exchanges
        for turn in (Turn("user", exchange.question, exchange.choices), Turn("assistant", exchange.answer))
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
    amend: Keep = not_kept,
    writer: Writer = NO_WRITER,
    in_turn: Turns = at_once,
) -> Iterator[tuple[list[Message], list[Exchange]]]:
    """The messages and exchanges as they grow: the question at once, then the answer sentence by sentence.

    What a language model adds comes last: the answer stands there meanwhile, and ``amend`` writes it down anew. Where it
    reads the question another way, that is asked ``in_turn``.
    """
    asked = [*messages, {"role": "user", "content": tame(f'<div class="hy-box hy-question">{escape(question)}</div>')}]
    yield (
        [*asked, _reply('<div class="hy-box hy-answer"><p class="hy-wait">シートを探しています…</p></div>')],
        exchanges,
    )
    try:
        steps, exchange, answer = _answered(assistant, question, len(asked), exchanges, filters)
    except HyokaError as problem:
        yield [*asked, _reply(_apology(problem.message))], exchanges
        return
    except Exception:
        logger.exception("a question broke")
        yield [*asked, _reply(_apology(INTERNAL[1]))], exchanges
        return
    for step in steps[:-1]:
        yield [*asked, _reply(step)], exchanges
    exchange = keep(exchange, answer, filters)
    final = _reply(steps[-1] + answer_papers(exchange.talk, exchange.entry), answer.suggestions)
    if not writer.on:
        yield [*asked, final], [*exchanges, exchange]
        return
    waiting = _reply(steps[-1] + WRITING + answer_papers(exchange.talk, exchange.entry), answer.suggestions)
    yield [*asked, waiting], [*exchanges, exchange]
    yield _written(assistant, writer, in_turn, answer, exchange, asked, exchanges, final, amend)


def _written(
    assistant: Asker,
    writer: Writer,
    in_turn: Turns,
    answer: Answer,
    exchange: Exchange,
    asked: list[Message],
    exchanges: list[Exchange],
    final: Message,
    amend: Keep,
) -> tuple[list[Message], list[Exchange]]:
    """The last step with what the language model added; ``final`` where that is nothing."""
    filters = exchange.filters
    recorded = getattr(assistant, "again", None)  # a Recorder does not count it: nobody put the question so

    def again(text: str) -> Answer:
        earlier = turns(exchanges)
        if recorded is None:
            return in_turn(lambda: assistant.ask(text, earlier, filters))
        return in_turn(lambda: cast(Answer, recorded(exchange.question, text, earlier, filters)))

    better = writer.finish(exchange.question, answer, assistant.index, filters, again)
    if better is answer:
        return [*asked, final], [*exchanges, exchange]
    html = render_answer(better, placed(assistant.index), filter_words(filters))
    exchange = amend(replace(exchange, answer=better.answer, cited=len(better.citations)), better, filters)
    return [
        *asked,
        _reply(html + answer_papers(exchange.talk, exchange.entry), better.suggestions),
    ], [*exchanges, exchange]


async def respond_in_turn(
    line: Line, steps: Iterator[tuple[list[Message], list[Exchange]]]
) -> AsyncIterator[tuple[list[Message], list[Exchange]]]:
    """The steps of :func:`respond`, the answer made when its turn comes in ``line``; where it never comes, that is said."""
    messages, exchanges = next(steps)
    yield messages, exchanges
    try:
        step = await line.run("ask", lambda: next(steps, None))
    except Busy as problem:
        yield [*messages[:-1], _reply(_apology(problem.message))], exchanges
        return
    while step is not None:
        yield step
        if (following := await apart(lambda: next(steps, None))) is not None:
            await asyncio.sleep(STEP_SECONDS)
        step = following


def respond_again(
    assistant: Asker,
    at: int,
    choices: Choices,
    messages: list[Message],
    exchanges: list[Exchange],
    amend: Keep = not_kept,
) -> tuple[list[Message], list[Exchange]]:
    """The conversation with the answer number ``at`` replaced by the answer to the same question under other choices.

    Only what stood before that question counts as its history. Raises HyokaError where there is no such answer.
    """
    before = judged(exchanges, at)
    if before is None or at >= len(messages):
        raise QuestionError("この回答は聞き直せません。もう一度質問してください。")
    earlier = exchanges[: exchanges.index(before)]
    steps, exchange, answer = _answered(assistant, before.question, at, earlier, before.filters, choices)
    exchange = amend(replace(exchange, talk=before.talk, entry=before.entry), answer, before.filters)
    shown = _reply(steps[-1] + answer_papers(exchange.talk, exchange.entry), answer.suggestions)
    replaced = [*messages[:at], shown, *messages[at + 1 :]]
    return replaced, [exchange if one is before else one for one in exchanges]


def _answered(
    assistant: Asker,
    question: str,
    at: int,
    earlier: list[Exchange],
    filters: Filters,
    choices: Choices = NO_CHOICES,
) -> tuple[list[str], Exchange, Answer]:
    """The steps in which an answer appears, what is remembered of it, and the answer itself."""
    answer = assistant.ask(clean_question(question), turns(earlier), filters, choices)
    with stage("render"):
        steps = answer_steps(answer, placed(assistant.index), filtered=filter_words(filters), choices=choices)
    cited = len(answer.citations)
    exchange = Exchange(question, answer.answer, at, answer.index_version, filters, choices, cited)
    return steps, exchange, answer


def _reply(html: str, suggestions: tuple[str, ...] = ()) -> Message:
    message: Message = {"role": "assistant", "content": tame(html)}
    if suggestions:
        message["options"] = [{"value": text, "label": text} for text in suggestions[:4]]
    return message


def _apology(message: str) -> str:
    return f'<div class="hy-box hy-answer hy-abstained"><p>{escape(message)}</p></div>'


def judged(exchanges: list[Exchange], at: int) -> Exchange | None:
    """The exchange whose answer is the message number ``at``."""
    return next((exchange for exchange in exchanges if exchange.at == at), None)
