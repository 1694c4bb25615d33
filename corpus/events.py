"""Dated statements of a sheet: every date expression in its prose with the sentence or the entry it stands in."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from corpus.documents import Document, Event, Section, Sheet, Span
from corpus.forms.loader import OTHER, Form, clean_label, compiled, form_named, kind_of
from corpus.happenings import what_happens
from corpus.layout import view
from corpus.normalize import normalize
from corpus.periods import FoundPeriod, find_periods
from corpus.sentences import split_sentences

_NO_PROSE = (
    "amount",
    "staff",
    "hours",
    "rate",
    "indicator",
    "group",
    "name",
    "department",
    "unit",
    "person",
    "code",
    "row",
)
_FIGURES_ONLY = ("予算の内訳", "予算・決算額等の推移", "評価")
_ENTRY_END = re.compile(r"\n[ \t\u3000]*(?=[≪《【〈■●◆・])|[ \u3000]{2,200}(?=[≪《【〈])")
_DATES_AND_SIGNS = re.compile(r"[\W\d_]+|年度|[年月日]|令和|平成|昭和|[RHSＲＨＳ](?=\d)|決算|予算")
_LONGEST_TITLE = 300
_TITLE = re.compile(r"(?=[^\n]{0,300}年度)[^\n。]{0,300}(?:評価|シート|調書|報告書)[^\n。]*")


def extract_events(document: Document, sheet: Sheet, sections: Sequence[Section]) -> list[Event]:
    """Events in the order printed.

    前年度, 次年度 and a bare 30年度 are counted from the year the sheet was written in (its title says it, or the year it
    reports on); a bare 9月 takes the year of a date before it or of the section's label, else it is left out.
    """
    context = written_in(document, sheet)
    form = form_named(sheet.form)
    scattered = form is not None and form.strategy == "patterns"
    found: dict[tuple[int, int], Event] = {}
    for section in sorted(sections, key=lambda s: s.span.end - s.span.start):
        if kind_of(section.field) in _NO_PROSE or section.field in _FIGURES_ONLY:
            continue
        begin = section.span.start + _head_of_columns(form, section)
        loose, judged = scattered or sheet.kind == "document", dict[Span, bool]()
        for event in _of_section(section, context):
            if event.span.start < begin:
                continue
            if event.quote not in judged:  # many dates may share one sentence
                quote = document.text[event.quote.start : event.quote.end]
                judged[event.quote] = _is_statement(quote, section, loose)
            if judged[event.quote]:
                found.setdefault((event.span.start, event.span.end), event)
    kept: list[Event] = []
    for event in sorted(found.values(), key=lambda e: (e.span.start, -e.span.end)):
        if not kept or event.span.start >= kept[-1].span.end:
            kept.append(event)
    return [_told(document, before, event, after) for before, event, after in _neighbours(kept)]


def _neighbours(events: list[Event]) -> Iterator[tuple[Event | None, Event, Event | None]]:
    around: list[Event | None] = [None, *events, None]
    for i, event in enumerate(events):
        yield around[i], event, around[i + 2]


def _told(document: Document, before: Event | None, event: Event, after: Event | None) -> Event:
    """The event with what happens: the words of its quote, as far as no other date stands between."""
    quote = event.quote
    start = max(quote.start, before.span.end) if before is not None else quote.start
    stop = min(quote.end, after.span.start) if after is not None else quote.end
    text = document.text
    return replace(event, what=what_happens(text[start : event.span.start], text[event.span.end : stop]))


def _head_of_columns(form: Form | None, section: Section) -> int:
    """How many characters of a block are the heads of its columns (「Ｒ３年度の取組予定内容」 dates nothing)."""
    for spec in form.data.get("columns", []) if form is not None else []:
        norm = normalize(section.text)
        head = (
            compiled(spec["head"]).match(norm.text)
            if clean_label(section.label) == clean_label(spec["section"])
            else None
        )
        if head is not None:
            return norm.raw(0, head.end())[1]
    return 0


def _is_statement(quote: str, section: Section, loose: bool) -> bool:
    """Not a title, nor the bare years over a table; of front matter and a scattered form's leftovers whole sentences."""
    if section.field == OTHER and (_TITLE.fullmatch(normalize(quote).text.strip()) or (loose and "。" not in quote)):
        return False
    return len(_DATES_AND_SIGNS.sub("", normalize(quote).text)) >= 3


def written_in(document: Document, sheet: Sheet) -> int | None:
    """The fiscal year a sheet was written in: 「令和7年度 …シート(令和6年度実績)」 reports on 2024 and was written in 2025."""
    if sheet.fiscal_year is None or not sheet.spans:
        return sheet.fiscal_year
    text = view(document, sheet.spans[0]).text
    for line in text.splitlines():
        if len(line) > _LONGEST_TITLE or not _TITLE.search(line):
            continue
        years = [h.period.fiscal_year for h in find_periods(line) if h.period.kind == "fiscal_year"]
        if sheet.fiscal_year in years and len(years) > 1:
            return max(y for y in years if y <= sheet.fiscal_year + 2)
    return sheet.fiscal_year


def _of_section(section: Section, context: int | None) -> list[Event]:
    head = f"{section.label}\n" if find_periods(section.label, context) else ""
    hits = [h for h in find_periods(head + section.text, context) if h.start >= len(head)]
    if not hits:
        return []
    offset = section.span.start - len(head)
    sentences = split_sentences(section.text)
    if _is_list(section, hits, len(head)):
        quotes = _entries(section.text, sentences, hits, len(head))
    else:
        quotes = [_sentence_at(sentences, h.start - len(head), h.end - len(head)) for h in hits]
    return [
        Event(
            hit.period,
            Span(offset + hit.start, offset + hit.end),
            Span(section.span.start + quote.start, section.span.start + quote.end),
        )
        for hit, quote in zip(hits, quotes, strict=True)
    ]


def _is_list(section: Section, hits: list[FoundPeriod], shift: int) -> bool:
    """Whether the section is a chronicle: three dates or more, most of them at a line's start or after a wide gap."""
    if len(hits) < 3 and section.field != "背景・経過":
        return False
    leading = sum(_leads(section.text, h.start - shift) for h in hits)
    return leading * 2 >= len(hits)


def _leads(text: str, at: int) -> bool:
    """Whether a line, a bracket's end or a wide gap stands before ``at``, blanks aside."""
    end = at
    while end and text[end - 1] in " \u3000":
        end -= 1
    return not end or text[end - 1] in "\n≫》】" or at - end > 1 or text[end:at] == "\u3000"


def _entries(text: str, sentences: list[Span], hits: list[FoundPeriod], shift: int) -> list[Span]:
    """Each date with what follows it up to the next one."""
    spans: list[Span] = []
    for i, hit in enumerate(hits):
        start = hit.start - shift
        stop = hits[i + 1].start - shift if i + 1 < len(hits) else len(text)
        after = hit.end - shift
        end = _ENTRY_END.search(text, after, stop)
        stop = end.start() if end is not None else stop
        if not text[after:stop].strip():
            # A date at a sentence's end belongs to the words before it.
            spans.append(_sentence_at(sentences, start, after))
            continue
        piece = text[start:stop].rstrip()
        spans.append(Span(start, start + len(piece)))
    return spans


def _sentence_at(sentences: list[Span], start: int, end: int) -> Span:
    at = bisect_right(sentences, start, key=lambda sentence: sentence.start) - 1
    if at >= 0 and start < sentences[at].end:
        return Span(sentences[at].start, max(sentences[at].end, end))
    return Span(start, end)
