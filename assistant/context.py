"""Everything an answer is made from: the index, its catalogue and statements, and the query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.catalogue import Catalogue
from assistant.drafts import MAX_CHARS
from assistant.names import NameMatch
from assistant.question import HINTED, NAMED, Query
from assistant.stages import stage
from assistant.statements import Statements
from corpus.documents import Sheet
from corpus.normalize import squeeze
from index.types import FindsSheets, Index, Passage

_DEPARTMENT = 0.15
# More sheets than this are not all read for one question (2 ms each the first time): then these nearest ones are.
MOST_SHEETS, NEAREST = 5000, 200


@dataclass(frozen=True, slots=True)
class Focus:
    """A sheet the question is about; ``named`` says that the question names it."""

    sheet: Sheet
    score: float
    named: bool


@dataclass(frozen=True, slots=True)
class Absence:
    """What is missing, as one Japanese sentence; ``what`` is a word for it (自治体, 時期, 項目)."""

    what: str
    text: str


@dataclass(slots=True)
class Context:
    """One question being answered; ``missing`` says in Japanese what no sheet meets, once that was found out."""

    index: Index
    catalogue: Catalogue
    statements: Statements
    query: Query
    passages: tuple[Passage, ...] = ()
    subset: tuple[Sheet, ...] = ()
    room: int = MAX_CHARS  # characters that quoted statements may take
    missing: str = ""
    absent: tuple[Absence | None] | None = None  # see assistant.absences, None until it was looked for
    _focus: list[Focus] | None = None
    _scope: list[Sheet] | None = None
    _width: int = 0
    _narrowed: bool = False

    def scope(self) -> list[Sheet]:
        """The sheets the question may be about: by municipality and filters, one a programme (see :meth:`of_the_year`)."""
        if self._scope is None:
            every = self.every()
            self._width = len(every)
            if self._width > MOST_SHEETS and isinstance(self.index, FindsSheets):
                every, self._narrowed = self._nearest(self.index), True
            self._scope = self.of_the_year(every)
            if not self._narrowed:
                self._width = len(self._scope)
        return self._scope

    @property
    def width(self) -> int:
        """How many sheets the question may be about."""
        self.scope()
        return self._width

    @property
    def narrowed(self) -> bool:
        """Whether those are too many to be read, so that the scope is the nearest of them."""
        self.scope()
        return self._narrowed

    def _nearest(self, index: FindsSheets) -> list[Sheet]:
        """Of more sheets than can be read for one question those that it names and those that the search finds."""
        with stage("search"):
            found = index.nearest_sheets(self.query.focus.strip() or self.query.text, NEAREST, self.query.filters)
        hinted = [name.sheet for name in self.query.names if name.score >= HINTED][:NEAREST]
        return list({sheet.sheet_id: sheet for sheet in (*hinted, *found)}.values())

    def of_the_year(self, sheets: Sequence[Sheet]) -> list[Sheet]:
        """Of a programme's sheets over the years the one that reports on the asked year or next to it, else the latest.

        A later sheet repeats the figures of earlier years, so that one sheet of each programme tells all once.
        """
        years = [year for asked in self.query.periods if (year := asked.year) is not None]
        kept: dict[tuple[str, str, str], Sheet] = {}
        for sheet in sheets:
            if sheet.kind != "programme":
                kept[(sheet.sheet_id, "", "")] = sheet
                continue
            key = self._programme(sheet)
            other = kept.get(key)
            if other is None or self._rank_year(sheet, years) > self._rank_year(other, years):
                kept[key] = sheet
        chosen = {sheet.sheet_id for sheet in kept.values()}
        return [sheet for sheet in sheets if sheet.sheet_id in chosen or self._twin(sheet, kept)]

    def _twin(self, sheet: Sheet, kept: dict[tuple[str, str, str], Sheet]) -> bool:
        """Two sheets of one name, department and year are two programmes."""
        other = kept.get(self._programme(sheet))
        return other is not None and other.fiscal_year == sheet.fiscal_year

    def _programme(self, sheet: Sheet) -> tuple[str, str, str]:
        """What the sheets of one programme share: as the last of its timeline calls it, a programme renamed stays one."""
        last = self.index.timeline(sheet.sheet_id)[-1:]
        of = last[0] if last else sheet
        return of.municipality, squeeze(of.name), of.department

    @staticmethod
    def _rank_year(sheet: Sheet, years: Sequence[int]) -> tuple[int, int]:
        """The nearer to an asked year the better: a sheet prints the years beside its own; else the later the better."""
        year = sheet.fiscal_year or 0
        return (-min((abs(year - asked) for asked in years), default=0), year)

    def every(self) -> list[Sheet]:
        """The sheets the question may be about, a programme's of all years."""
        filters = self.query.filters
        if self.subset:
            return self.catalogue.passing(self.subset, filters)
        return self.catalogue.within(filters)

    def search(self, k: int = 40) -> tuple[Passage, ...]:
        """The passages for what is left of the question after its name, years and municipality were understood."""
        if not self.passages:
            text = self.query.focus.strip() or self.query.text
            with stage("search"):
                self.passages = self.index.search(text, k, self.query.filters).hits
        return self.passages

    def focus(self) -> list[Focus]:
        """The sheets the question is about, best first: those it names, or else those search finds."""
        if self._focus is None:
            named = [n for n in self.query.names if n.score >= NAMED]
            self._focus = self._named(named) if named else self._found()
        return self._focus

    def _found(self) -> list[Focus]:
        query = self.query
        scope = {sheet.sheet_id for sheet in self.scope()}
        scores: dict[str, float] = defaultdict(float)
        for passage in self.search():
            sheet_id = passage.sheet.sheet_id
            if sheet_id in scope:
                rest = scores[sheet_id]
                scores[sheet_id] = max(rest, passage.score) + 0.05 * min(rest, passage.score)
        for hint in query.names:
            if hint.score >= HINTED and hint.sheet.sheet_id in scope:
                scores[hint.sheet.sheet_id] += 0.6 * hint.score
        for sheet_id in list(scores):
            if self.catalogue.by_id[sheet_id].department in query.departments:
                scores[sheet_id] += _DEPARTMENT
            if self.catalogue.by_id[sheet_id].kind == "document":
                scores[sheet_id] *= 0.75  # a programme's own sheet speaks before a glossary or a summary
        programmes = [s.sheet_id for s in self.scope() if s.kind == "programme"]
        if len(programmes) == 1 and query.municipalities:  # a town's only sheet is as good as named
            return [Focus(self.catalogue.by_id[programmes[0]], 1.0, True)]
        ranked = sorted(scores.items(), key=lambda item: -item[1])
        return [Focus(self.catalogue.by_id[sheet_id], score, False) for sheet_id, score in ranked]

    def _named(self, named: Sequence[NameMatch]) -> list[Focus]:
        best = named[0].score
        kept = [m for m in named if m.score >= best - 0.12 or m.exact]
        in_department = [m for m in kept if m.sheet.department in self.query.departments]
        if in_department and len({m.sheet.name for m in kept}) < len(kept):
            kept = in_department
        chosen = {sheet.sheet_id for sheet in self.of_the_year([m.sheet for m in kept])}
        return [Focus(m.sheet, m.score, True) for m in kept if m.sheet.sheet_id in chosen]
