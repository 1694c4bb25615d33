"""The hits of a search as cards, one a sheet, with the ways to sort, save and share them. All pure."""

from __future__ import annotations

from html import escape

from assistant.payload import visible
from corpus.forms.loader import HEAD_KINDS, NUMERIC_KINDS, kind_of
from index.types import Passage, SheetHit, SheetsFound
from ui.facets import render_chosen
from ui.render import Where, place, sheet_url, unplaced, year_label
from ui.searches import ORDERS, PAGE, Search
from ui.searchhelp import Hints, render_hints, render_spelling
from ui.text import excerpt, marked

OTHERS = 5  # more passages of a sheet that are shown under its card
MOST_ROWS = 5_000  # of an exported list
_RATINGS = 2
_PARTS = {"name": "事業名", "department": "部課名", "label": "欄名", "text": "本文"}


def render_found(search: Search, found: SheetsFound, offered: Hints, where: Where = unplaced) -> str:
    """A page of sheets, or what to do where there are none."""
    chosen = render_chosen(search)
    if not found.total:
        return (
            f'<div class="hy-box hy-results">{chosen}<p class="hy-none" role="status">「{escape(search.words)}」に当てはまる記載が'
            f"ありません。</p>{render_spelling(offered)}{render_hints(offered)}"
            '<p class="hy-small">言葉を短くする、別の言い方にする、条件を外すと見つかることがあります。</p></div>'
        )
    first = (search.page - 1) * PAGE
    if not found.hits:
        back = escape(search.address())
        return (
            f'<div class="hy-box hy-results">{chosen}<p class="hy-none" role="status">このページには結果がありません。'
            f'<a class="hy-go" href="{back}">最初のページを見る</a></p></div>'
        )
    cards = "".join(f"<li>{render_hit(hit, where)}</li>" for hit in found.hits)
    count = (
        f'<p class="hy-count" role="status" tabindex="-1">{found.total:,}件中 {first + 1:,}〜{first + len(found.hits):,}件'
        f'<span class="hy-small">（シートの数。記載は{found.passages:,}か所）</span></p>'
    )
    return (
        f'<div class="hy-box hy-results">{chosen}{render_spelling(offered)}{count}{_tools(search, found)}'
        f'<ol class="hy-cards" start="{first + 1}">{cards}</ol>{_pages(search, found)}{render_hints(offered)}</div>'
    )


def render_hit(hit: SheetHit, where: Where = unplaced) -> str:
    """A sheet: its best passage as a link to it, and its other passages behind a fold."""
    best, others = lead(hit)
    text, highlights = excerpt(best.text, best.highlights)
    card = (
        f'<a class="hy-card" href="{escape(sheet_url(best.sheet.sheet_id, best.span))}" target="_blank" rel="noopener">'
        f'<span class="hy-title">{marked(best.sheet.name, best.name_highlights)}</span>'
        f'<span class="hy-where">{_from(best)}{place(where(best))}</span>{_values(hit)}'
        f'<span class="hy-matched">{_label(best)}<span class="hy-reason">{matched(best)}</span></span>'
        f'<span class="hy-quote">{marked(text, highlights)}</span></a>'
    )
    left = hit.count - 1
    if not others:
        return card
    items = "".join(f"<li>{_other(passage)}</li>" for passage in others)
    beyond = left - len(others)
    more = f'<p class="hy-small">ほか{beyond:,}件は、シートを開いて確かめられます。</p>' if beyond > 0 else ""
    return f'{card}<details class="hy-others"><summary>このシートの他の記載 {left:,}件</summary><ul>{items}</ul>{more}</details>'


def lead(hit: SheetHit) -> tuple[Passage, list[Passage]]:
    """The passage that tells most beside the title, and the others: a name or a department stands above it anyway."""
    found = visible((hit.best, *hit.others))
    first = found[0]
    if not _tells(first):
        telling = [one for one in found if _tells(one)]
        first = next((one for one in telling if "text" in one.matched), next(iter(telling), first))
    return first, [one for one in found if one is not first][:OTHERS]


def _tells(passage: Passage) -> bool:
    """Whether a passage is more than the head of its sheet and rows of figures."""
    return kind_of(passage.section.field) not in (*HEAD_KINDS, *NUMERIC_KINDS)


def matched(passage: Passage) -> str:
    """Where the words of the search stand: 事業名・本文に一致; 意味が近い記載 where they stand nowhere.

    What stands in every passage of the sheet is told with the passage: its name, its department.
    """
    parts = [_PARTS[part] for part in passage.matched]
    return f"{'・'.join(parts)}に一致" if parts else "意味が近い記載"


def _from(passage: Passage) -> str:
    """自治体 › 年度 › 課, with what the search matched in the department's name marked."""
    sheet = passage.sheet
    parts = [escape(sheet.municipality), escape(year_label(sheet.fiscal_year))]
    parts.append(marked(sheet.department, passage.department_highlights))
    return '<span class="hy-sep" aria-hidden="true"> › </span>'.join(part for part in parts if part)


def _label(passage: Passage) -> str:
    return f'<span class="hy-chip">{escape(passage.section.label or passage.section.field)}</span>'


def _other(passage: Passage) -> str:
    text, highlights = excerpt(passage.text, passage.highlights, 110)
    return (
        f'<a class="hy-other" href="{escape(sheet_url(passage.sheet.sheet_id, passage.span))}" target="_blank"'
        f' rel="noopener">{_label(passage)} <span>{marked(text, highlights)}</span></a>'
    )


def _values(hit: SheetHit) -> str:
    """The figures that the list can be sorted and filtered by, so that a reader sees why a sheet stands where it does."""
    values = hit.values
    told = []
    if values.settled is not None:
        told.append(f"決算額 {values.settled:,.0f}円")
    elif values.planned is not None:
        told.append(f"予算額 {values.planned:,.0f}円")
    told += list(values.ratings[:_RATINGS])
    return f'<span class="hy-values">{"　".join(map(escape, told))}</span>' if told else ""


def _tools(search: Search, found: SheetsFound) -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if value == search.order else ""}>{label}</option>'
        for value, label in ORDERS.items()
    )
    query = escape(search.address())
    cut = f"（はじめの{MOST_ROWS:,}行まで）" if found.passages > MOST_ROWS else ""
    return (
        f'<div class="hy-search-tools"><label>並べ替え <select id="hy-sort" name="sort">{options}</select></label>'
        f'<span class="hy-save">結果を保存{cut}：<a href="export/search.csv{query}" download>CSV</a>'
        f'<a href="export/search.xlsx{query}" download>Excel</a>'
        f'<a href="export/search.docx{query}" download>Word</a></span>'
        '<button type="button" class="hy-button hy-copy-link">この検索のリンクをコピー</button></div>'
    )


def _pages(search: Search, found: SheetsFound) -> str:
    pages = -(-found.total // PAGE)
    if pages < 2:
        return ""
    back = (
        f'<a class="hy-go hy-button" rel="prev" href="{escape(search.address(page=search.page - 1))}">前の{PAGE}件</a>'
    )
    more = (
        f'<a class="hy-go hy-button" rel="next" href="{escape(search.address(page=search.page + 1))}">次の{PAGE}件</a>'
    )
    return (
        f'<nav class="hy-pages" aria-label="検索結果のページ">{back if search.page > 1 else ""}'
        f"<span>{pages:,}ページ中 {search.page:,}ページ目</span>{more if search.page < pages else ''}</nav>"
    )
