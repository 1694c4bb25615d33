"""Where a quote stands in its file, drawn: a small map of the PDF's page, or the cells of the book around it. All pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

from corpus.documents import Document, Place, Span
from corpus.places import Box, Cell, cells_of, column_letters, places_of, places_on

MAX_PAGES = 3
AROUND = 2  # rows of the book shown above and below the quote
MAX_ROWS, MAX_COLUMNS, MAX_CHARS = 10, 8, 40
Grid = dict[tuple[int, int], Place]  # (row, column) -> the cell's place


def render_location(document: Document, quote: Span, hidden: Sequence[Span] = (), pictures: str = "") -> str:
    """The pages with the quote's boxes marked, or the cells around it; empty where the file says neither.

    ``pictures`` is the address of the pages' pictures with {page} for the number; "" where there are none: then the
    lines and cells of a page are drawn instead. Cells in a ``hidden`` stretch (names of persons) are drawn without their text.
    """
    places = places_of(document, quote)
    cells = cells_of(places)
    if cells:
        return render_cells(document, quote, cells, hidden)
    pages = list(dict.fromkeys(place.page for place in places if place.page is not None and place.box is not None))
    sized = [page for page in pages if 0 < page <= len(document.pages) and document.pages[page - 1].width > 0]
    shown = [_page(document, page, places, pictures.format(page=page)) for page in sized[:MAX_PAGES]]
    more = f'<p class="hy-small">ほか{len(sized) - MAX_PAGES}ページに続きます。</p>' if len(sized) > MAX_PAGES else ""
    return f'<div class="hy-maps">{"".join(shown)}</div>{more}' if shown else ""


def _page(document: Document, page: int, places: Sequence[Place], picture: str = "") -> str:
    """One page in its proportion: its picture, or all its lines and cells faint; those of the quote are marked."""
    size = document.pages[page - 1]
    here = {place for place in places if place.page == page}
    boxes = [(place, box) for place in places_on(document, page) if (box := place.box) is not None]
    faint = "".join(_rectangle(box, "hy-map-box") for place, box in boxes if place not in here)
    marks = [box for place, box in boxes if place in here]
    # Room for the outline's stroke, which would be cut off at the edge.
    shape = f"-2 -2 {size.width + 4:.0f} {size.height + 4:.0f}"
    wide = " hy-map-wide" if size.width > size.height else ""
    if picture:
        wide += " hy-map-picture"
        faint = (
            f'<image href="{escape(picture)}" x="0" y="0" width="{size.width:.0f}" height="{size.height:.0f}"></image>'
        )
    spoken = f"{page}ページの図。引用された箇所は{_extent(marks, size.width, size.height)}にあります。"
    return (
        f'<figure class="hy-map{wide}"><svg viewBox="{shape}" role="img" aria-label="{escape(spoken)}">'
        f'<rect class="hy-map-page" x="0" y="0" width="{size.width:.0f}" height="{size.height:.0f}"></rect>'
        f"{faint}{''.join(_rectangle(box, 'hy-map-here') for box in marks)}</svg>"
        f"<figcaption>{page}ページ（全{len(document.pages)}ページ）{_large(picture)}</figcaption></figure>"
    )


def _large(picture: str) -> str:
    """The way to the picture alone, where letters can be read in full size."""
    return f'　<a href="{escape(picture)}" target="_blank" rel="noopener">拡大</a>' if picture else ""


def _rectangle(box: Box, name: str) -> str:
    x0, top, x1, bottom = box
    return (
        f'<rect class="{name}" x="{x0:.1f}" y="{top:.1f}" width="{max(x1 - x0, 1):.1f}"'
        f' height="{max(bottom - top, 1):.1f}"></rect>'
    )


def _extent(boxes: Sequence[Box], width: float, height: float) -> str:
    """Where boxes lie on a page, for those who hear it: 上から12〜15%、左から10〜80%の位置."""
    top, bottom = min(box[1] for box in boxes) / height, max(box[3] for box in boxes) / height
    left, right = min(box[0] for box in boxes) / width, max(box[2] for box in boxes) / width
    return f"上から{top * 100:.0f}〜{bottom * 100:.0f}%、左から{left * 100:.0f}〜{right * 100:.0f}%の位置"


def render_cells(document: Document, quote: Span, cells: Sequence[Cell], hidden: Sequence[Span] = ()) -> str:
    """The quote's cells among their neighbours, with the headings of the book; columns without text are left out."""
    worksheet = cells[0].worksheet
    marked = {(cell.row, cell.column) for cell in cells if cell.worksheet == worksheet}
    grid = _around(document, quote, worksheet, {row for row, _ in marked})
    rows = _near(sorted({row for row, _ in grid}), [row for row, _ in sorted(marked)], MAX_ROWS)
    used = {column for row, column in grid if row in set(rows)}
    columns = _near(sorted(used), [column for _, column in sorted(marked)], MAX_COLUMNS)
    head = "".join(f'<th scope="col">{column_letters(column)}</th>' for column in columns)
    lines = []
    for row in rows:
        line = "".join(_cell(document, grid.get((row, column)), (row, column) in marked, hidden) for column in columns)
        lines.append(f'<tr><th scope="row">{row}</th>{line}</tr>')
    missing = len(cells) - sum((row, column) in marked for row in rows for column in columns)
    more = f"（引用のほか{missing}セルは省略）" if missing else ""
    return (
        '<div class="hy-scroll hy-cells" tabindex="0" role="region" aria-label="引用された箇所のまわりのセル"><table>'
        f"<caption>シート「{escape(worksheet)}」のまわりのセル{more}</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _around(document: Document, quote: Span, worksheet: str, marked: set[int]) -> Grid:
    """The cells of the quote's rows and of the rows next to them. Cells stand in the text row by row, so few are read."""
    places = document.places
    first = bisect_right(places, quote.start, key=lambda place: place.end)
    grid: Grid = {}

    def gather(found: Iterable[Place]) -> None:
        others: set[int] = set()
        for place in found:
            cell = Cell.parsed(place.cell or "")
            if cell is None or cell.worksheet != worksheet:
                return
            others |= {cell.row} - marked
            if len(others) > AROUND:
                return
            grid[cell.row, cell.column] = place

    gather(places[at] for at in range(first - 1, -1, -1))
    gather(islice(places, first, None))
    return grid


def _near(numbers: Sequence[int], marked: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of the row or column numbers: the marked ones first, then those nearest to them."""
    wanted = set(marked)
    ranked = sorted(numbers, key=lambda number: (min(abs(number - one) for one in wanted), number))
    return sorted(ranked[:most])


def _cell(document: Document, place: Place | None, here: bool, hidden: Sequence[Span]) -> str:
    if place is None:
        return "<td></td>"
    if not here and any(span.start < place.end and place.start < span.end for span in hidden):
        return '<td class="hy-small">（氏名）</td>'
    text = document.text[place.start : place.end]
    shown = escape(text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - 1]}…")
    return f"<td><mark>{shown}</mark></td>" if here else f"<td>{shown}</td>"
