"""An answer back from its JSON, so that a conversation of last week is shown as it was: the way back of
:mod:`assistant.payload`."""

from __future__ import annotations

from assistant.payload import Sources
from assistant.schemas import AnswerJson, CitationJson, GeneratedJson, HitJson, PeriodJson, SourceJson
from assistant.types import (
    Answer,
    Carried,
    Chart,
    Citation,
    Considered,
    Dropped,
    Generated,
    Interpretation,
    Namesake,
    Searched,
    Series,
    Table,
    Why,
    WhyStep,
    YearReading,
)
from corpus.documents import Section, Sheet, Span
from corpus.periods import Period
from index.types import Index, Passage


def answer_of(saved: AnswerJson) -> Answer:
    """The answer as it was given. A sheet has what a reader is shown of it; its stretches of the document are not kept."""
    read, searched = saved.interpretation, saved.searched
    return Answer(
        answer=saved.answer,
        abstained=saved.abstained,
        citations=tuple(_citation(citation) for citation in saved.citations),
        interpretation=Interpretation(
            read.intent,
            _period(read.period),
            read.filters.filters(),
            read.text,
            read.told_by,
            read.sure,
            carried=tuple(Carried(one.kind, one.text) for one in read.carried),
            readings=tuple(YearReading(one.name, one.label, one.used) for one in read.readings),
            namesakes=tuple(Namesake(one.sheet_id, one.label, one.used, one.cited) for one in read.namesakes),
        ),
        index_version=saved.index_version,
        took_ms=saved.took_ms,
        table=None
        if saved.table is None
        else Table(
            tuple(saved.table.columns),
            tuple(tuple(row) for row in saved.table.rows),
            tuple(tuple(numbers) for numbers in saved.table.citations),
        ),
        chart=None
        if saved.chart is None
        else Chart(
            saved.chart.kind,
            tuple(saved.chart.x),
            tuple(Series(line.name, tuple(line.values)) for line in saved.chart.series),
            saved.chart.unit,
        ),
        related=tuple(_passage(hit) for hit in saved.related),
        suggestions=tuple(saved.suggestions),
        state=saved.state,
        searched=Searched(
            searched.count,
            tuple(searched.municipalities),
            tuple(searched.sheets),
            tuple(searched.departments),
            tuple(searched.fields),
            tuple(searched.periods),
            searched.missing,
        ),
        why=Why(
            tuple(WhyStep(step.what, step.text) for step in saved.why.steps),
            tuple(Considered(**one.model_dump()) for one in saved.why.considered),
        ),
        generated=None if saved.generated is None else _generated(saved.generated),
    )


def _generated(saved: GeneratedJson) -> Generated:
    dropped = tuple(Dropped(one.why, one.text, one.count) for one in saved.dropped)
    return Generated(saved.text, tuple(saved.citations), dropped, saved.model, saved.took_ms)


def moved(saved: AnswerJson, index: Index) -> int:
    """How many quotes of the answer do not stand any more where they stood: the index has changed since."""
    held = {sheet.sheet_id: sheet.file for sheet in index.sheets()}
    sources = Sources(index)
    return sum(
        held.get(citation.sheet_id) != citation.source.file
        or sources.text(citation.source.file, _span(citation.source)) != citation.quote
        for citation in saved.citations
    )


def _citation(saved: CitationJson) -> Citation:
    sheet = _sheet(saved.sheet_id, saved.sheet, saved.municipality, saved.fiscal_year, saved.department, saved.source)
    return Citation(saved.n, sheet, saved.section, saved.quote, _span(saved.source), saved.where)


def _passage(saved: HitJson) -> Passage:
    sheet = _sheet(saved.sheet_id, saved.sheet, saved.municipality, saved.fiscal_year, saved.department, saved.source)
    span = _span(saved.source)
    section = Section(saved.section, saved.section, span, saved.text)
    return Passage(
        0,
        sheet,
        section,
        span,
        saved.text,
        saved.score,
        highlights=tuple(saved.highlights),
        chance=saved.chance,
        matched=tuple(saved.matched),
    )


def _sheet(
    sheet_id: str, name: str, municipality: str, fiscal_year: int | None, department: str, source: SourceJson
) -> Sheet:
    return Sheet(sheet_id, source.file, "programme", name, municipality, fiscal_year, department, ())


def _span(source: SourceJson) -> Span:
    return Span(source.start, source.end)


def _period(saved: PeriodJson | None) -> Period | None:
    # The kind is not in the JSON; nothing that shows an answer asks for it.
    return None if saved is None else Period(saved.start, saved.end, saved.label, "range")
