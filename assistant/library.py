"""hyoka for programs in Python: an index that is open, asked and searched in the shapes of the HTTP interface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from assistant.access.caller import caller
from assistant.payload import answer_json, search_json, sheet_json
from assistant.schemas import AnswerJson, SearchJson, SheetJson
from assistant.session import Assistant as Session
from assistant.types import NO_CHOICES, Choices, Turn
from assistant.views import Views
from corpus.errors import QuestionError
from index.types import PERSON_FIELD, Filters, Order, SheetFact

if TYPE_CHECKING:
    from index.snapshot import Snapshot

NO_FILTERS = Filters()


class Assistant:
    """An open index. It may be used by several threads; ``with`` closes it.

    Who asks is :func:`assistant.access.caller.caller`: everybody sees everything unless a program says otherwise with
    ``calling(Caller(visibility=…))``. Names of staff are masked as the setting ``staff_names`` says, and sections that hold
    nothing else are in no result.

    >>> with Assistant.open(".hyoka/index") as hyoka:  # doctest: +SKIP
    ...     hyoka.ask("図書館の今後の計画は？").state
    '根拠あり'
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._views = Views(Session(snapshot))

    @classmethod
    def open(cls, index_dir: str | Path | None = None) -> Assistant:
        """The index in a folder, by default that of the settings; all other settings (``HYOKA_*``, ``hyoka.toml``) hold.

        Raises IndexMissing, IndexOutdated or IndexDamaged (:mod:`corpus.errors`), with a Japanese ``message``.
        """
        from assistant.opening import open_index
        from assistant.settings import load_settings

        return cls(open_index(load_settings(index_dir=index_dir), reranked=True))

    @property
    def version(self) -> str:
        """The id of the snapshot that is open; a newer one is seen by opening again."""
        return self._snapshot.version

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> AnswerJson:
        """An answer as ``POST /api/v1/ask`` gives it; ``history`` are the earlier turns, oldest first.

        Raises QuestionError for an empty or an overlong question.
        """
        asker = self._views.of(caller().visibility)
        return answer_json(asker.ask(question, history, filters, choices), asker.index)

    def search(
        self, query: str, k: int = 10, filters: Filters = NO_FILTERS, offset: int = 0, order: Order = "relevance"
    ) -> SearchJson:
        """Passages by words and by meaning, as ``GET /api/v1/search`` gives them; raises QuestionError without words."""
        if not query.strip():
            raise QuestionError("検索する言葉が空です。探したい言葉を入力してください。")
        index = self._views.index
        return search_json(index.search(query, k, filters, offset, order), index)

    def sheets(self, filters: Filters = NO_FILTERS) -> list[SheetJson]:
        """Every sheet that passes, in the order of the documents."""
        return [sheet_json(sheet) for sheet in self._views.index.sheets(filters)]

    def facts(
        self, fields: Sequence[str] | None = None, filters: Filters = NO_FILTERS, sheet_ids: Sequence[str] | None = None
    ) -> list[SheetFact]:
        """Figures and ratings with their sheets: those of some fields (決算額), of some sheets, or all.

        Amounts are in 円 whatever the sheet prints; a rating has no ``value``, its mark is the ``text``.
        """
        index = self._views.index
        ids = None if sheet_ids is None else list(sheet_ids)
        if filters != NO_FILTERS:
            passing = [sheet.sheet_id for sheet in index.sheets(filters)]
            ids = passing if ids is None else [one for one in ids if one in set(passing)]
        found = index.facts(ids, None if fields is None else list(fields))
        return [one for one in found if one.fact.field != PERSON_FIELD]

    def close(self) -> None:
        """Lets go of the files; nothing can be asked after it."""
        self._views.close()
        self._snapshot.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
