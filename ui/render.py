"""Answers, passages and catalogue lines as HTML. Pure: values in, escaped text out, on one line.

One line matters: the chat shows messages through Markdown, where an empty line would end a block of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from urllib.parse import quote

from assistant.papers import GENERATED, GENERATED_NOTE
from assistant.payload import Sources, visible
from assistant.types import NO_CHOICES, Answer, Cell, Choices, Citation, Table
from corpus.documents import Sheet, Span
from index.types import Index, Passage
from ui.charts import render_chart, trimmed
from ui.generated import render_generated
from ui.opinions import render_opinions
from ui.reading import render_reading
from ui.text import excerpt, join_lines, markdown, marked
from ui.why import render_why

NOTE = "AI生成文ではありません。すべて評価シートからの引用です（合計や順位は、引用した数値から計算します）。"
AMOUNT = re.compile(r"[-−△▲]?\d[\d,]*(?:\.\d+)?(?:円|%|％|件|人|回|名)?")
# What tells the place of a passage in words: 3ページ.
Where = Callable[[Passage], str]
SHOWN_CITATIONS = 4
SHOWN_ROWS = 20
SHOWN_ITEMS = 5
QUOTE_WIDTH = 320
SHORT_CELL = 3


def unplaced(passage: Passage) -> str:
    """The place of a passage where no document is at hand: none."""
    return ""


def placed(index: Index) -> Where:
    """The places of an index's passages."""
    sources = Sources(index)
    return lambda passage: sources.words(passage.sheet.file, passage.span)


def year_label(year: int | None) -> str:
    """2021 -> 令和3年度, 2019 -> 令和元年度, 2018 -> 平成30年度, 1983 -> 昭和58年度, None -> 年度の記載なし."""
    if year is None:
        return "年度の記載なし"
    for first, era in ((2019, "令和"), (1989, "平成"), (1926, "昭和")):
        if year >= first:
            return f"{era}{'元' if year == first else year - first + 1}年度"
    return f"{year}年度"


def sheet_url(sheet_id: str, span: Span | None = None) -> str:
    """The permanent address of a sheet, with the quote to mark: ``/sheet/a?start=3&end=9#quote``."""
    address = f"/sheet/{quote(sheet_id, safe='')}"
    return address if span is None else f"{address}?start={span.start}&end={span.end}#quote"


def breadcrumb(sheet: Sheet, section: str = "") -> str:
    """Where a quote comes from: 自治体 › 年度 › 課 › 欄, escaped; the sheet's name is set apart as the title."""
    parts = [sheet.municipality, year_label(sheet.fiscal_year), sheet.department, section]
    return '<span class="hy-sep" aria-hidden="true"> › </span>'.join(escape(part) for part in parts if part)


def place(where: str) -> str:
    """A place in words (3ページ) to stand behind a breadcrumb; nothing where none is known."""
    return f'<span class="hy-place">・{escape(where)}</span>' if where else ""


def catalogue_line(sheets: Sequence[Sheet]) -> str:
    """What is indexed, in one line: 2自治体・4シート・令和4年度〜令和5年度."""
    if not sheets:
        return "索引は空です。hyoka index で評価シートを取り込んでください。"
    places = {sheet.municipality for sheet in sheets if sheet.municipality}
    count = sum(sheet.kind == "programme" for sheet in sheets) or len(sheets)
    return f"{len(places)}自治体・{count:,}シート・{_year_range(sheets)}"


def render_held(sheets: Sequence[Sheet]) -> str:
    """What stands in the index, by municipality: あおば市 12シート（令和5年度）; at most twenty are named."""
    groups: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        if sheet.kind == "programme":
            groups.setdefault(sheet.municipality or "自治体の記載なし", []).append(sheet)
    named = sorted(groups.items(), key=lambda group: -len(group[1]))
    parts = [f"<b>{escape(name)}</b> {len(held):,}シート（{_year_range(held)}）" for name, held in named[:20]]
    more = f"　ほか{len(named) - 20}自治体" if len(named) > 20 else ""
    return f'<p class="hy-held">質問できるシート：{"　".join(parts)}{more}</p>' if parts else ""


def _year_range(sheets: Sequence[Sheet]) -> str:
    years = sorted({sheet.fiscal_year for sheet in sheets if sheet.fiscal_year is not None})
    if not years:
        return "年度の記載なし"
    return year_label(years[0]) + (f"〜{year_label(years[-1])}" if len(years) > 1 else "")


def render_answer(answer: Answer, where: Where = unplaced, filtered: str = "", choices: Choices = NO_CHOICES) -> str:
    """One answer with its interpretation, table, chart, citation cards and, when it abstains, the nearest passages.

    ``filtered`` are the filters it was looked for under, in words; ``choices`` what was decided about its reading.
    """
    parts = [render_reading(answer.interpretation, filtered, choices)]
    parts.append(f'<div class="hy-body">{answer_body(answer)}</div>')
    if answer.table is not None:
        parts.append(render_table(answer.table, answer.citations))
    if answer.chart is not None:
        parts.append(render_chart(answer.chart, _chart_title(answer)))
    addresses = {citation.n: sheet_url(citation.sheet.sheet_id, citation.span) for citation in answer.citations}
    parts.append(render_generated(answer.generated, addresses.get))
    parts.append(render_citations(answer.citations))
    related = visible(answer.related)
    if answer.abstained and related:
        cards = "".join(f"<li>{passage_card(passage, where(passage))}</li>" for passage in related[:5])
        parts.append(f'<section class="hy-cites"><h4>近い記載</h4><ul class="hy-cards">{cards}</ul></section>')
    if answer.citations:
        # The chat's sanitizer drops data- attributes, so the text to copy is an element that is not shown.
        copy = "<br>".join(escape(line) for line in plain_answer(answer).split("\n"))
        parts.append(
            '<p class="hy-tools"><button type="button" class="hy-button hy-copy">回答と出典をコピー</button></p>'
            f'<div class="hy-plain">{copy}</div>'
        )
    parts.append(render_opinions(len(answer.citations)))
    parts.append(render_why(answer.why))
    state = " hy-abstained" if answer.abstained else ""
    return f'<div class="hy-box hy-answer{state}">{"".join(parts)}</div>'


def answer_body(answer: Answer) -> str:
    """The sentences of the answer with links behind their [1] marks."""
    addresses = {citation.n: sheet_url(citation.sheet.sheet_id, citation.span) for citation in answer.citations}
    # The table below lists everything again, with the figures side by side.
    return markdown(answer.answer, addresses.get, fold=SHOWN_ITEMS if answer.table is not None else 0)


def answer_steps(
    answer: Answer,
    where: Where = unplaced,
    steps: int = 5,
    filtered: str = "",
    choices: Choices = NO_CHOICES,
) -> list[str]:
    """The answer as it grows on the screen: its sentences little by little, then everything."""
    pieces = re.split(r"(?<=[。\n])", answer.answer)
    size = max(1, -(-len(pieces) // steps))
    addresses = {citation.n: sheet_url(citation.sheet.sheet_id, citation.span) for citation in answer.citations}
    growing = [
        f'<div class="hy-box hy-answer hy-growing"><div class="hy-body">{markdown("".join(pieces[:end]), addresses.get)}</div></div>'
        for end in range(size, len(pieces), size)
    ]
    return [*growing, render_answer(answer, where, filtered, choices)]


def plain_answer(answer: Answer) -> str:
    """The answer for a memo or a council paper: text, then one line of source per citation."""
    lines = [answer.answer.replace("**", ""), ""]
    if answer.generated is not None:
        lines += [f"【{GENERATED}の要約】{GENERATED_NOTE}", answer.generated.text, ""]
    lines.append("【出典】")
    for citation in answer.citations:
        sheet = citation.sheet
        head = "／".join(
            part for part in (sheet.municipality, year_label(sheet.fiscal_year), sheet.name, sheet.department) if part
        )
        part_of_it = "・".join(part for part in (citation.section, citation.where) if part)
        lines.append(f"[{citation.n}] {head}（{part_of_it}）「{join_lines(citation.quote)}」")
    return "\n".join(lines)


def render_citations(citations: Sequence[Citation]) -> str:
    """Numbered cards; the first few are open, the rest stand behind a fold."""
    if not citations:
        return ""
    cards = [f"<li>{citation_card(citation)}</li>" for citation in citations]
    first, rest = cards[:SHOWN_CITATIONS], cards[SHOWN_CITATIONS:]
    fold = (
        f'<details><summary>残り{len(rest)}件の引用を表示</summary><ol class="hy-cards">{"".join(rest)}</ol></details>'
        if rest
        else ""
    )
    return (
        f'<section class="hy-cites"><h4>引用（{len(citations)}件）</h4><ol class="hy-cards">{"".join(first)}</ol>{fold}'
        "</section>"
    )


def citation_card(citation: Citation) -> str:
    """A citation as a link to its sheet with the quote marked."""
    text, _ = excerpt(join_lines(citation.quote), [], QUOTE_WIDTH)
    return (
        f'<a class="hy-card" href="{escape(sheet_url(citation.sheet.sheet_id, citation.span))}"'
        f' target="_blank" rel="noopener"><span class="hy-n">[{citation.n}]</span>'
        f'<span class="hy-title">{escape(citation.sheet.name)}</span>'
        f'<span class="hy-where">{breadcrumb(citation.sheet, citation.section)}{place(citation.where)}</span>'
        f'<span class="hy-quote">{marked(text)}</span><span class="hy-open">原文で確かめる</span></a>'
    )


def passage_card(passage: Passage, where: str = "") -> str:
    """A passage found by search, with the words that matched marked, as a link to its sheet; ``where`` is its place."""
    text, highlights = excerpt(passage.text, passage.highlights)
    reason = "言葉が一致" if passage.highlights or passage.matched else "意味が近い"
    return (
        f'<a class="hy-card" href="{escape(sheet_url(passage.sheet.sheet_id, passage.span))}"'
        f' target="_blank" rel="noopener"><span class="hy-title">{escape(passage.sheet.name)}</span>'
        f'<span class="hy-where">{breadcrumb(passage.sheet)}{place(where)}</span>'
        f'<span class="hy-matched"><span class="hy-chip">{escape(passage.section.label or passage.section.field)}</span>'
        f'<span class="hy-reason">{reason}</span></span>'
        f'<span class="hy-quote">{marked(text, highlights)}</span></a>'
    )


def render_table(table: Table, citations: Sequence[Citation] = ()) -> str:
    """A table of the answer; amounts have commas and stand right, the last column links to the quotes."""
    addresses = {citation.n: sheet_url(citation.sheet.sheet_id, citation.span) for citation in citations}
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    linked = any(table.citations)
    if linked:
        head += '<th scope="col">引用</th>'
    rows = []
    for row, numbers in zip(table.rows, table.citations or [()] * len(table.rows), strict=False):
        cells = "".join(_cell(value, name) for value, name in zip(row, table.columns, strict=False))
        if linked:
            links = markdown(" ".join(f"[{number}]" for number in numbers), addresses.get)
            cells += f'<td class="hy-refs">{links.removeprefix("<p>").removesuffix("</p>")}</td>'
        rows.append(f"<tr>{cells}</tr>")
    first, rest = rows[:SHOWN_ROWS], rows[SHOWN_ROWS:]
    more = f'<tbody class="hy-rest">{"".join(rest)}</tbody>' if rest else ""
    unfold = f'<button type="button" class="hy-button hy-unfold">残り{len(rest)}行を表示</button> ' if rest else ""
    return (
        f'<div class="hy-table"><div class="hy-scroll" tabindex="0" role="region" aria-label="回答の表"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(first)}</tbody>{more}</table></div>"
        f'<p class="hy-tools">{unfold}<button type="button" class="hy-button hy-csv">CSVで保存</button> '
        f'<button type="button" class="hy-button hy-xlsx">Excelで保存</button></p></div>'
    )


def _cell(value: Cell, column: str) -> str:
    if value is None:
        return '<td class="hy-void">―</td>'
    if isinstance(value, str):
        if AMOUNT.fullmatch(value):
            return f'<td class="hy-num">{escape(value)}</td>'
        short = ' class="hy-short"' if 0 < len(value) <= SHORT_CELL else ""  # 1位 needs no room for a name
        return f"<td{short}>{marked(value)}</td>"
    # A year is a name, not a quantity: 2021, not 2,021.
    text = str(int(value)) if column.strip().endswith(("年", "年度")) and float(value).is_integer() else trimmed(value)
    return f'<td class="hy-num">{escape(text)}</td>'


def _chart_title(answer: Answer) -> str:
    chart = answer.chart
    names = "・".join(line.name for line in chart.series[:3]) if chart is not None else ""
    unit = f"（{chart.unit}）" if chart is not None and chart.unit else ""
    return f"{names or 'グラフ'}{unit}"


def render_notice(message: str) -> str:
    """A sentence in the place of results."""
    return f'<div class="hy-box hy-results"><p class="hy-none" role="status">{escape(message)}</p></div>'
