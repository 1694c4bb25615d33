"""An assistant that counts its questions, notes those it cannot answer and remembers what the others rested on."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from assistant.metrics import Metrics
from assistant.readiness import NO_FILTERS, Asker
from assistant.store import FeedbackStore
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from corpus.errors import DatabaseError, HyokaError
from index.types import Filters, Index

logger = logging.getLogger(__name__)


class Recorder:
    """Answers like the assistant inside it; the screens and the HTTP interface ask through one of these."""

    def __init__(self, assistant: Asker, store: FeedbackStore, metrics: Metrics) -> None:
        self.assistant = assistant
        self.store = store
        self.metrics = metrics

    @property
    def index(self) -> Index:
        """The index of the assistant, also after it was replaced."""
        return self.assistant.index

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        """The assistant's answer; what cannot be written down is logged and does not cost the answer."""
        try:
            answer = self.assistant.ask(question, history, filters, choices)
        except Exception as problem:
            refused = isinstance(problem, HyokaError)
            self.store.audit.tell("ask", question, (), self.index.version, "refused" if refused else "error")
            raise
        self._tell(question, answer)
        self.metrics.questions.labels("abstained" if answer.abstained else "answered").inc()
        earlier = self._remember(question, history, answer)
        try:
            if not choices.made:  # a reading that somebody tried out is no question and no gap of the sheets
                self.store.asked.count(question, not answer.abstained)
                if answer.abstained:
                    self.store.add_unanswered(question, answer.index_version, earlier)
        except DatabaseError:
            logger.exception("the question could not be counted")
        return answer

    def again(self, question: str, plain: str, history: Sequence[Turn], filters: Filters) -> Answer:
        """The answer to a question put in other words, on record under the words it was put in; not counted again."""
        answer = self.assistant.ask(plain, history, filters)
        self._tell(question, answer)
        self._remember(question, history, answer)
        return answer

    def _tell(self, question: str, answer: Answer) -> None:
        # Before anything else: an answer that the trail does not tell of is given to nobody.
        shown = [one.sheet.sheet_id for one in answer.citations] + [one.sheet.sheet_id for one in answer.related]
        told = "abstained" if answer.abstained else "answered"
        self.store.audit.tell("ask", question, shown, answer.index_version, told)

    def _remember(self, question: str, history: Sequence[Turn], answer: Answer) -> list[str]:
        earlier = [turn.content for turn in history if turn.role == "user"]
        cited = dict.fromkeys(f"{citation.sheet.name} / {citation.section}" for citation in answer.citations)
        self.store.cases.remember(question, answer.answer, earlier, list(cited))
        return earlier
