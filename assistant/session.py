"""The assistant: one question in, one cited answer out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from assistant.catalogue import Catalogue
from assistant.context import Context
from assistant.dates import dated, when
from assistant.definitions import definition
from assistant.drafts import Draft
from assistant.excerpts import excerpt
from assistant.figures import figures
from assistant.interpretation import interpretation
from assistant.listing import listing
from assistant.question import Query, understand
from assistant.refusal import refusal
from assistant.statements import Statements
from assistant.suggestions import suggestions
from assistant.types import Answer, Turn
from corpus.documents import Sheet
from corpus.errors import QuestionError
from index.types import Filters, Index

MAX_QUESTION = 2000

# 「A市・B市のうちどこの…」 asks for those that fit, not for one answer from each.
_ONE_OF = re.compile(r"うち|どこの|どれ|どの(市|区|町|自治体|事業)|自治体で")

Strategy = Callable[[Context], Draft | None]

# What is tried for each intent, in order; the first draft stands.
STRATEGIES: dict[str, tuple[Strategy, ...]] = {
    "definition": (definition, excerpt),
    "rank": (listing, figures, excerpt),
    "sum": (listing, figures, excerpt),
    "count": (listing, figures, excerpt),
    "list": (listing, dated, excerpt),
    "compare": (listing, figures, excerpt),
    "trend": (figures, excerpt),
    "number": (figures, excerpt),
    "when": (dated, when, excerpt),
    "who": (excerpt,),
    "reason": (excerpt,),
    "yesno": (figures, dated, excerpt),
    "overview": (dated, excerpt),
    "text": (figures, dated, excerpt),
}


class Assistant:
    """Answers questions over one index; safe to share between threads for reading."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._catalogue = Catalogue(index)
        self._statements = Statements(index)

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters = Filters()) -> Answer:
        """The answer to a question; raises QuestionError for an empty or an overlong one.

        ``history`` are the earlier turns, oldest first; ``filters`` narrow the sheets as the chips of the screen do.
        """
        began = time.perf_counter()
        if not question.strip():
            raise QuestionError("質問が空です。知りたいことを入力してください。")
        if len(question) > MAX_QUESTION:
            raise QuestionError(f"質問が長すぎます（{len(question)}文字）。{MAX_QUESTION}文字以内にしてください。")
        query = understand(question, history, self._catalogue, filters)
        context = self._context(query)
        draft = self._draft(context)
        found = draft is not None and bool(draft.citations)
        body = draft if draft is not None and found else refusal(context)
        return Answer(
            answer=body.text,
            abstained=not found,
            citations=tuple(body.citations) if found else (),
            interpretation=interpretation(context),
            index_version=self.index.version,
            took_ms=round((time.perf_counter() - began) * 1000, 2),
            table=body.table if found else None,
            chart=body.chart if found else None,
            related=() if found else tuple(context.search()[:5]),
            suggestions=tuple(suggestions(context, [c.sheet for c in body.citations] if found else [])),
            debug={"how": body.how, "confidence": round(body.confidence, 3), "focus": query.focus.split()},
        )

    def _context(self, query: Query) -> Context:
        return Context(self.index, self._catalogue, self._statements, query, subset=self._subset(query))

    def _subset(self, query: Query) -> tuple[Sheet, ...]:
        """「そのうち…」: the sheets that the answer before cited."""
        if not query.subset or query.before is None:
            return ()
        before = self._draft(self._context(query.before))
        return tuple({c.sheet.sheet_id: c.sheet for c in before.citations}.values()) if before else ()

    def _draft(self, context: Context) -> Draft | None:
        if context.query.strangers and not context.query.municipalities:
            return None  # the town asked about is not in the index; another town's sheet is no answer
        towns = context.query.municipalities
        if len(towns) > 1 and not _ONE_OF.search(context.query.key):
            return self._per_town(context, towns)
        return self._single(context)

    def _per_town(self, context: Context, towns: Sequence[str]) -> Draft | None:
        """「A市とB市でそれぞれ…」: each town is asked by itself, the answers stand side by side."""
        merged = Draft(self.index, how="per-town")
        for town in towns:
            query = replace(
                context.query,
                municipalities=(town,),
                names=tuple(n for n in context.query.names if n.sheet.municipality == town),
                filters=replace(context.query.filters, municipality=(town,)),
            )
            part = self._single(self._context(query))
            if part is None or not part.citations:
                return None  # half an answer to a comparison is a wrong one
            merged.merge(part)
        return merged

    def _single(self, context: Context) -> Draft | None:
        for strategy in STRATEGIES[context.query.intent]:
            draft = strategy(context)
            if draft is not None:
                return draft
        return None
