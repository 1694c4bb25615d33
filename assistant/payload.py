"""Our values as the JSON of the contract: one function per shape of :mod:`assistant.schemas`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cache

from assistant.discretion import document_for, sections_for
from assistant.schemas import (
    AnswerJson,
    BoxJson,
    CarriedJson,
    ChartJson,
    CitationJson,
    EventJson,
    FactJson,
    FiltersJson,
    GeneratedJson,
    HitJson,
    InterpretationJson,
    NamesakeJson,
    OtherYearJson,
    PeriodJson,
    RatingJson,
    SearchedJson,
    SearchJson,
    SectionJson,
    SeriesJson,
    SheetDetailJson,
    SheetJson,
    SourceJson,
    TableJson,
    WhyJson,
    YearReadingJson,
)
from assistant.types import Answer, Cell, Citation
from corpus.documents import Document, Fact, Sheet, Span
from corpus.periods import Period
from corpus.places import confidence_at, in_words, page_of, places_of
from index.types import PERSON_FIELD as PERSON_FIELD
from index.types import Filters, Index, Passage, SearchResult


def answer_json(answer: Answer, index: Index) -> AnswerJson:
    """An answer as the contract prints it; ``index`` tells where quotes and passages stand."""
    read = answer.interpretation
    sources = Sources(index)
    return AnswerJson(
        answer=answer.answer,
        abstained=answer.abstained,
        state=answer.state,
        searched=SearchedJson(
            count=answer.searched.count,
            municipalities=list(answer.searched.municipalities),
            sheets=list(answer.searched.sheets),
            departments=list(answer.searched.departments),
            fields=list(answer.searched.fields),
            periods=list(answer.searched.periods),
            missing=answer.searched.missing,
        ),
        citations=[citation_json(citation, sources) for citation in answer.citations],
        table=None
        if answer.table is None
        else TableJson(
            columns=list(answer.table.columns),
            rows=[[_cell(value) for value in row] for row in answer.table.rows],
            citations=[list(numbers) for numbers in answer.table.citations],
        ),
        chart=None
        if answer.chart is None
        else ChartJson(
            kind=answer.chart.kind,
            x=list(answer.chart.x),
            series=[
                SeriesJson(name=line.name, values=[_number(value) for value in line.values])
                for line in answer.chart.series
            ],
            unit=answer.chart.unit,
        ),
        interpretation=InterpretationJson(
            intent=read.intent,
            period=period_json(read.period),
            filters=filters_json(read.filters),
            text=read.text,
            told_by=read.told_by,
            sure=read.sure,
            carried=[CarriedJson.model_validate(asdict(one)) for one in read.carried],
            readings=[YearReadingJson.model_validate(asdict(one)) for one in read.readings],
            namesakes=[NamesakeJson.model_validate(asdict(one)) for one in read.namesakes],
        ),
        related=[hit_json(passage, sources) for passage in visible(answer.related)],
        suggestions=list(answer.suggestions),
        why=WhyJson.model_validate(asdict(answer.why)),
        index_version=answer.index_version,
        took_ms=answer.took_ms,
        generated=None if answer.generated is None else GeneratedJson.model_validate(asdict(answer.generated)),
    )


def citation_json(citation: Citation, sources: Sources) -> CitationJson:
    """One citation."""
    sheet = citation.sheet
    return CitationJson(
        n=citation.n,
        municipality=sheet.municipality,
        fiscal_year=sheet.fiscal_year,
        sheet=sheet.name,
        sheet_id=sheet.sheet_id,
        department=sheet.department,
        section=citation.section,
        quote=citation.quote,
        source=sources.source(sheet.file, citation.span),
        where=citation.where,
    )


def search_json(result: SearchResult, index: Index) -> SearchJson:
    """A page of hits; passages that name persons are neither shown nor counted."""
    sources = Sources(index)
    hidden = result.facets.get("section", {}).get(PERSON_FIELD, 0)
    facets = {
        name: {value: count for value, count in counts.items() if not (name == "section" and value == PERSON_FIELD)}
        for name, counts in result.facets.items()
    }
    return SearchJson(
        total=max(0, result.total - hidden),
        hits=[hit_json(passage, sources) for passage in visible(result.hits)],
        facets=facets,
    )


def visible(passages: Iterable[Passage]) -> list[Passage]:
    """The passages without those that name persons."""
    return [passage for passage in passages if passage.section.field != PERSON_FIELD]


class Sources:
    """Where stretches of documents stand; every document is fetched once, because hits come in crowds from the same few."""

    def __init__(self, index: Index, document: Callable[[str], Document] | None = None) -> None:
        """``document`` gives the documents of another view of the index, such as with the names of staff."""
        self._document = cache(document or index.document)

    def text(self, file: str, span: Span) -> str:
        """The characters of a span of ``file``."""
        return self._document(file).text[span.start : span.end]

    def words(self, file: str, span: Span) -> str:
        """The place of a span of ``file`` for people: 3ページ."""
        return in_words(self._document(file), span)

    def named(self, file: str, span: Span) -> str:
        """The file and the place in it: hyoka.pdf 3ページ."""
        return f"{file} {self.words(file, span)}".rstrip()

    def source(self, file: str, span: Span) -> SourceJson:
        """The place of a span of ``file``."""
        document = self._document(file)
        places = places_of(document, span)
        return SourceJson(
            file=file,
            page=page_of(document, span.start),
            start=span.start,
            end=span.end,
            boxes=[
                BoxJson(page=place.page, x0=box[0], top=box[1], x1=box[2], bottom=box[3])
                for place in places
                if place.page is not None and (box := place.box) is not None
            ],
            cells=[place.cell for place in places if place.cell is not None],
            ocr_confidence=confidence_at(document, span),
            masked=any(one.start < span.end and span.start < one.end for one in document.masked),
        )


def hit_json(passage: Passage, sources: Sources) -> HitJson:
    """One passage."""
    sheet = passage.sheet
    return HitJson(
        sheet_id=sheet.sheet_id,
        sheet=sheet.name,
        municipality=sheet.municipality,
        fiscal_year=sheet.fiscal_year,
        department=sheet.department,
        section=passage.section.field or passage.section.label,
        text=passage.text,
        source=sources.source(sheet.file, passage.span),
        score=passage.score,
        chance=round(passage.chance, 3),
        highlights=list(passage.highlights),
        matched=list(passage.matched),
    )


def sheet_json(sheet: Sheet) -> SheetJson:
    """One sheet's metadata."""
    return SheetJson(
        sheet_id=sheet.sheet_id,
        sheet=sheet.name,
        kind=sheet.kind,
        municipality=sheet.municipality,
        fiscal_year=sheet.fiscal_year,
        department=sheet.department,
        file=sheet.file,
    )


def sheet_detail_json(sheet: Sheet, index: Index) -> SheetDetailJson:
    """One sheet with its sections, figures and ratings; sections that name persons for who may see them."""
    document = document_for(index, sheet.file)
    sources = Sources(index, lambda _: document)
    facts = [found.fact for found in index.facts([sheet.sheet_id]) if found.fact.field != PERSON_FIELD]
    return SheetDetailJson(
        **sheet_json(sheet).model_dump(),
        sections=[
            SectionJson(
                label=section.label,
                field=section.field,
                text=section.text,
                source=sources.source(sheet.file, section.span),
            )
            for section in sections_for(index, sheet.sheet_id, document)
        ],
        facts=_facts_json(facts, sheet.file, sources),
        ratings=[
            RatingJson(
                field=fact.field,
                label=fact.label,
                period=period_json(fact.period),
                text=fact.text,
                quote=sources.text(sheet.file, fact.quote),
                source=sources.source(sheet.file, fact.quote),
            )
            for fact in facts
            if fact.value is None
        ],
        other_years=[
            OtherYearJson(
                sheet_id=other.sheet_id, fiscal_year=other.fiscal_year, sheet=other.name, department=other.department
            )
            for other in index.timeline(sheet.sheet_id)
            if other.fiscal_year != sheet.fiscal_year
        ],
        events=[
            EventJson(
                what=event.what or None,
                period=PeriodJson(label=event.period.label, start=event.period.start, end=event.period.end),
                quote=sources.text(sheet.file, event.quote),
                source=sources.source(sheet.file, event.quote),
            )
            for event in (found.event for found in index.events([sheet.sheet_id]))
        ],
    )


def _facts_json(facts: Sequence[Fact], file: str, sources: Sources) -> list[FactJson]:
    """The facts with a finite number; ratings stand in a list of their own."""
    found = []
    for fact in facts:
        number = _number(fact.value)
        if number is not None:
            found.append(
                FactJson(
                    field=fact.field,
                    label=fact.label,
                    period=period_json(fact.period),
                    kind=fact.kind,
                    value=number,
                    unit=fact.unit,
                    quote=sources.text(file, fact.quote),
                    source=sources.source(file, fact.quote),
                    inferred=fact.inferred,
                )
            )
    return found


def period_json(period: Period | None) -> PeriodJson | None:
    """A period, or None."""
    return None if period is None else PeriodJson(label=period.label, start=period.start, end=period.end)


def filters_json(filters: Filters) -> FiltersJson:
    """Filters as they go out."""
    return FiltersJson(
        municipality=list(filters.municipality),
        fiscal_year=list(filters.fiscal_year),
        department=list(filters.department),
        section=list(filters.section),
        rating=list(filters.rating),
        budget=list(filters.budget),
    )


def _number(value: float | None) -> int | float | None:
    """12155000.0 -> 12155000, so that JSON shows a whole amount whole; NaN has no JSON and becomes None."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else value


def _cell(value: Cell) -> Cell:
    return _number(value) if isinstance(value, float) else value
