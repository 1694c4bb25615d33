"""What goes with somebody's history beside the conversations: the counts, lists and caches that quote its questions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from assistant.asked import folded
from assistant.casebook import CaseBook
from index.database import Database, Transaction

Told = tuple[str, str]
"""A question and the answer it got, as the conversation has them."""


class Forgetting:
    """Deletes from a store what quotes questions of a history that is being deleted.

    Of a question that others asked too, their share of the counts stays, and with it the text. A draft that a 管理者
    accepted as a question of the evaluation is theirs and stays. ``caches`` are emptied: what they hold they can make anew.
    """

    def __init__(self, db: Database, cases: CaseBook) -> None:
        self._db, self._cases = db, cases
        self.caches: list[Callable[[], None]] = []

    def __call__(self, told: Sequence[Told]) -> None:
        """Deletes what quotes these questions and answers; raises DatabaseError where that fails, then nothing is gone."""
        with self._db.transaction() as begun:
            for question, times in Counter(question for question, _ in told).items():
                _uncount(begun, question, times)
            for question, answer in dict.fromkeys(told):
                begun.execute("delete from feedback where question = ? and answer = ?", (question, answer))
            self._undraft(begun, {question for question, _ in told})
        self._cases.forget()
        for empty in self.caches:
            empty()
        self._db.erase(whole=True)

    def _undraft(self, begun: Transaction, questions: set[str]) -> None:
        """Drafts of these questions, and of later ones that tell of them as their history, where nobody else asked them."""
        rows = begun.execute(
            "select id, question, history from drafts where state <> 'accepted' and origin in ('down', 'unanswered')"
        ).rows
        for number, question, history in rows:
            earlier = set(json.loads(history or "[]"))
            if question not in questions and not earlier & questions:
                continue
            known = "select 1 from {} where question = ? limit 1"
            others = any(begun.execute(known.format(table), (question,)).rows for table in ("unanswered", "feedback"))
            if earlier or not others:
                begun.execute("delete from drafts where id = ?", (number,))


def _uncount(begun: Transaction, question: str, times: int) -> None:
    text = folded(question)
    begun.execute("delete from asked where question = ? and times <= ?", (text, times))
    # Which of them found an answer is not known of each, so at most all that are left did.
    begun.execute(
        "update asked set times = times - ?, answered = case when answered > times - ? then times - ? else answered end"
        " where question = ?",
        (times, times, times, text),
    )
    begun.execute(
        "delete from unanswered where id in (select id from unanswered where question = ? order by id desc limit ?)",
        (question, times),
    )
