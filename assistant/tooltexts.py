"""The results of tools in words, short: for models and programs that read text and not the typed result beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.drafts import shorten
from assistant.footnotes import footnoted, quoted
from assistant.papers import flat, one_line, source_words, year_words
from assistant.schemas import AnswerJson, CitationJson, FactJson, SearchJson, SheetDetailJson, SheetJson, SheetListJson
from assistant.toolschemas import FactsJson, FigureJson
from corpus.amounts import format_number

_PASSAGE = 400  # characters of a passage that a search shows
_KINDS = {"plan": "計画", "actual": "実績"}


def answer_text(answer: AnswerJson, base: str) -> str:
    """An answer with its places as footnotes."""
    return footnoted(answer, base).text


def search_text(found: SearchJson, base: str) -> str:
    """The hits, one after the other."""
    lines = [f"全{found.total}件"]
    for hit in found.hits:
        place = "／".join(
            part for part in (_head(hit.municipality, hit.fiscal_year, hit.sheet), hit.department) if part
        )
        lines.append(f"- {place}／{one_line(hit.section)}（sheet_id: {hit.sheet_id}）")
        lines.append(f"  {shorten(quoted(hit.text), _PASSAGE)}")
    return "\n".join(lines)


def list_text(found: SheetListJson, base: str) -> str:
    """The sheets, a line each."""
    return "\n".join([f"全{found.total}件", *(f"- {_sheet(one)}" for one in found.sheets)])


def sheet_text(sheet: SheetDetailJson, base: str) -> str:
    """A sheet as a page of text: its sections, its figures and its ratings."""
    return "\n".join(_page(sheet))


def _page(sheet: SheetDetailJson) -> Iterator[str]:
    yield f"# {_sheet(sheet)}"
    for section in sheet.sections:
        yield f"\n## {one_line(section.label or section.field)}\n{_block(section.text)}"
    if sheet.facts:
        yield "\n## 数値"
        yield from (f"- {_figure(fact)}" for fact in sheet.facts)
    if sheet.ratings:
        yield "\n## 評価と選択"
        yield from (f"- {one_line(one.label)}: {quoted(one.text)}" for one in sheet.ratings)
    if sheet.other_years:
        yield "\n## ほかの年度のシート"
        for other in sheet.other_years:
            yield f"- {year_words(other.fiscal_year)} {one_line(other.sheet)}（sheet_id: {other.sheet_id}）"


def _block(text: str) -> str:
    """A section as people read it: lines of prose joined, rows of a table each on its line."""
    if "\t" not in text:
        return flat(text)
    return "\n".join(row for row in map(flat, text.split("\n")) if row)


def facts_text(found: FactsJson, base: str) -> str:
    """Totals, figures with the numbers of their quotes, what to mind, and the quotes' places."""
    lines = [f"{one_line(found.field)}: {found.sheets}件のシートから、{found.total}件の数値"]
    for one in found.totals:
        mean = format_number(one.mean, one.unit)
        lines.append(f"- {one.name or '全体'}: 合計 {format_number(one.total, one.unit)}（{one.count}件、平均 {mean}）")
    lines += [_ranked(one) for one in found.figures]
    if found.total > len(found.figures):
        lines.append(
            f"（{found.total}件のうち{len(found.figures)}件を示しています。続きは offset を指定してください。）"
        )
    lines += [f"注意: {note}" for note in found.notes]
    lines += [f"[{one.n}] {_source(one)}" for one in found.citations]
    return "\n".join(lines)


def _ranked(one: FigureJson) -> str:
    place = "" if one.rank is None else f"{one.rank}位 "
    marks = "".join(f"[{n}]" for n in one.citations)
    return f"- {place}{_head(one.municipality, one.fiscal_year, one.sheet)}: {_figure(one)} {marks}"


def _figure(one: FactJson | FigureJson) -> str:
    when = one.period.label if one.period is not None else ""
    kind = _KINDS.get(one.kind or "", "")
    told = " ".join(part for part in (one_line(one.label), when, kind) if part)
    return f"{told} {format_number(one.value, one.unit)}"


def _sheet(one: SheetJson) -> str:
    return (
        f"{_head(one.municipality, one.fiscal_year, one.sheet)}（{one_line(one.department)}、sheet_id: {one.sheet_id}）"
    )


def _head(municipality: str, year: int | None, name: str) -> str:
    return "／".join(one_line(part) for part in (municipality, year_words(year), name) if part)


def _source(one: CitationJson) -> str:
    return f"{source_words(one)}「{shorten(quoted(one.quote), _PASSAGE)}」"
