"""The assistant: one question in, one cited answer out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from assistant.catalogue import Catalogue
from assistant.context import Context
from assistant.interpretation import interpretation
from assistant.question import understand
from assistant.refusal import refusal, searched, state
from assistant.stages import stage
from assistant.statements import Statements
from assistant.strategies import draft_answer
from assistant.suggestions import suggestions
from assistant.types import NO_CHOICES, Answer, Choices, State, Turn
from assistant.views import view_of
from assistant.why import why
from corpus.errors import QuestionError
from index.types import Filters, Index
from index.visibility import Visibility

MAX_QUESTION = 2000


class Assistant:
    """Answers questions over one index; safe to share between threads for reading.

    >>> Assistant(Snapshot.open(folder)).ask("どのシステムが2025年にサーバ更改?").answer  # doctest: +SKIP
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self._catalogue = Catalogue(index)
        self._statements = Statements(index)

    def seen_by(self, visibility: Visibility) -> Assistant:
        """The assistant of those who may see only some of the sheets; it shares nothing with this one but files."""
        return Assistant(view_of(self.index, visibility))

    def warm(self) -> None:
        """Reads ahead what the first questions would otherwise wait for; may run beside them."""
        self._statements.warm(self._catalogue.sheets)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = Filters(),
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        """The answer to a question; raises QuestionError for an empty or an overlong one.

        ``history`` are the earlier turns, oldest first; ``filters`` narrow the sheets as the chips of the screen do;
        ``choices`` are what the person decided about how the question is read.
        """
        began = time.perf_counter()
        if not question.strip():
            raise QuestionError("質問が空です。知りたいことを入力してください。")
        if len(question) > MAX_QUESTION:
            raise QuestionError(f"質問が長すぎます（{len(question)}文字）。{MAX_QUESTION}文字以内にしてください。")
        with stage("understand"):
            query = understand(question, history, self._catalogue, filters, choices)
        context = Context(self.index, self._catalogue, self._statements, query)
        with stage("compose"):
            draft = draft_answer(context)
            found = draft is not None and bool(draft.citations)
            body = draft if draft is not None and found else refusal(context)
            told: State = "根拠あり" if found else state(context, context.search()[:5])
        if found and body.near_only:
            told = "関連する記載のみ"
        with stage("explain"):
            explained = why(context, body)  # before the suggestions, which may search
            cited = [citation.sheet for citation in body.citations]
            answer = Answer(
                answer=body.text,
                abstained=not found,
                citations=tuple(body.citations),
                interpretation=interpretation(context, cited),
                index_version=self.index.version,
                took_ms=0.0,
                table=body.table,
                chart=body.chart,
                related=() if found else context.search()[:5],
                suggestions=tuple(suggestions(context, cited)),
                debug={"how": body.how, "confidence": round(body.confidence, 3), "focus": query.focus.split()},
                state=told,
                searched=searched(context),
                why=explained,
            )
        return replace(answer, took_ms=round((time.perf_counter() - began) * 1000, 2))
