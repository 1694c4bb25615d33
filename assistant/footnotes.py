"""An answer as Markdown for other programs: its marks become footnotes that name the place and lead to the sheet.

Pure. What stands in sheets is escaped, so that it is shown as it is printed and makes no heading, link, picture, table or
HTML of its own; only the marks and the little Markdown that answers are written in (items, ``**bold**``) stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.drafts import readable, shorten
from assistant.papers import flat, is_year, one_line, quantity, sheet_link, source_words, year_words
from assistant.schemas import AnswerJson, CitationJson, HitJson, TableJson

QUOTE_LIMIT = 200
OPEN = "シートを開く"
_TOKEN = re.compile(r"\*\*|\[(\d{1,4})\]")
_FOOTNOTE = re.compile(r"\[\^(\d{1,4})\]")
_CONTEXT = 6  # characters beside a token by which it is known to come out of a sheet
# Entities and not backslashes for < and >: some programs look for tags before they read Markdown. Of brackets the opening
# one is enough, and a pair of them with backslashes would be a formula to some.
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", **{c: f"\\{c}" for c in "\\`*_[~|$@"}}
_SPECIAL = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_ADDRESS = re.compile(r"(?=://)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_BEGINNING = re.compile(r"^(?:(?=[#+=-])|(\d{1,9})(?=[.)]))")
_SENTENCE = re.compile(r"(?<=[。\n])")


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters ``start:end`` of the text are the mark of citation ``n``."""

    start: int
    end: int
    n: int


@dataclass(frozen=True, slots=True)
class Footnoted:
    """Markdown in ``pieces``, which are its text one after the other, and where in it the marks stand."""

    pieces: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def text(self) -> str:
        """The whole."""
        return "".join(self.pieces)


def footnoted(answer: AnswerJson, base: str = "") -> Footnoted:
    """An answer as Markdown; ``base`` is the address of this server with a slash at its end, empty for no links."""
    blocks = list(_blocks(answer))
    body = "\n\n".join(blocks)
    notes = [f"[^{one.n}]: {_source(one, base)}" for one in answer.citations]
    near = [f"- {_source(_as_citation(hit), base)}" for hit in answer.related] if answer.abstained else []
    rest = [*(["近い記載：\n\n" + "\n".join(near)] if near else []), *notes]
    pieces = [piece for piece in _SENTENCE.split(body) if piece]
    pieces += ["\n\n" + one for one in rest]
    known = {one.n for one in answer.citations}
    marks = [Mark(*found.span(), int(found[1])) for found in _FOOTNOTE.finditer(body) if _mark(body, found, known)]
    return Footnoted(tuple(pieces), tuple(marks))


def citation_title(citation: CitationJson) -> str:
    """What a citation is called: みなと野市 令和5年度 図書館運営事業 今後の計画."""
    parts = (citation.municipality, year_words(citation.fiscal_year), citation.sheet, citation.section)
    return " ".join(one_line(part) for part in parts if part)


def quoted(text: str) -> str:
    """A quote on one line; rows of a table stay apart.

    >>> quoted("貸出を止めずに\\n提供する。"), quoted("予算額\\t10\\n決算額\\t9")
    ('貸出を止めずに提供する。', '予算額 10 / 決算額 9')
    """
    lines = [text] if "\t" not in text else [line for line in text.split("\n") if line.strip()]
    return one_line(" / ".join(flat(line) for line in lines))


def escaped(text: str) -> str:
    """Text on one line that Markdown shows as it is.

    >>> escaped("<b>*1</b> [注](http://a) 1|2")
    '&lt;b&gt;\\\\*1&lt;/b&gt; \\\\[注](http\\\\://a) 1\\\\|2'
    >>> escaped("# 見出し"), escaped("3. 項目")
    ('\\\\# 見出し', '3\\\\. 項目')
    """
    line = _SPECIAL.sub(lambda found: _ESCAPES[found.group()], one_line(text))
    line = _ADDRESS.sub(r"\\", line)
    return _BEGINNING.sub(lambda found: f"{found[1] or ''}\\", line)


def _mark(body: str, found: re.Match[str], known: set[int]) -> bool:
    """Whether a mark is ours: that of a sheet has a backslash before it."""
    return int(found[1]) in known and body[found.start() - 1 : found.start()] != "\\"


def _blocks(answer: AnswerJson) -> Iterator[str]:
    """The answer's paragraphs and lists, its table, and how the question was read."""
    numbers = {one.n for one in answer.citations}
    printed = _printed(answer)
    items: list[str] = []
    for line in answer.answer.split("\n"):
        if line.startswith("- "):
            items.append("- " + _inline(line[2:], numbers, printed))
            continue
        if items:
            yield "\n".join(items)
            items = []
        if line.strip():
            yield _inline(line, numbers, printed)
    if items:
        yield "\n".join(items)
    if answer.table is not None and answer.table.rows:
        yield _table(answer.table)
    if answer.interpretation.text:
        yield escaped(answer.interpretation.text)


def _printed(answer: AnswerJson) -> Callable[[str, re.Match[str]], bool]:
    """Whether a token of a line is printed in a sheet that is quoted: what stands beside it there stands beside it here."""
    texts = [text for one in answer.citations for text in (one.quote, one.sheet, one.section, one.department)]
    texts += [text for one in answer.related for text in (one.text, one.sheet)]
    around: dict[str, set[tuple[str, str]]] = {}
    for text in {readable(text) for text in texts if "**" in text or "[" in text}:
        for found in _TOKEN.finditer(text):
            start, end = found.span()
            sides = (text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT])
            around.setdefault(found.group(), set()).add(sides)

    def printed(line: str, found: re.Match[str]) -> bool:
        before, after = line[: found.start()], line[found.end() :]
        return any(
            bool(left) and before.endswith(left) or bool(right) and after.startswith(right)
            for left, right in around.get(found.group(), ())
        )

    return printed


def _inline(line: str, numbers: set[int], printed: Callable[[str, re.Match[str]], bool]) -> str:
    tokens = [
        found
        for found in _TOKEN.finditer(line)
        if (found[1] is None or int(found[1]) in numbers) and not printed(line, found)
    ]
    strong = [found for found in tokens if found[1] is None]
    odd = strong[-1] if len(strong) % 2 else None
    out: list[str] = []
    at = 0
    for found in tokens:
        if found is odd:
            continue
        out.append(_between(line[at : found.start()], first=not out))
        out.append("**" if found[1] is None else f"[^{found[1]}]")
        at = found.end()
    return "".join([*out, _between(line[at:], first=not out)]).strip()


def _between(text: str, first: bool) -> str:
    """A stretch of a line, escaped, with the blanks at its ends; only the first one can begin a list or a heading."""
    if not text.strip():
        return " " if text else ""
    plain = escaped(text) if first else escaped("。" + text)[1:].lstrip()
    return (" " if text[0].isspace() else "") + plain + (" " if text[-1].isspace() else "")


def _table(table: TableJson) -> str:
    linked = any(table.citations)
    head = [*(escaped(name) for name in table.columns), *(["出典"] if linked else [])]
    sides = [_side([row[at] for row in table.rows if at < len(row)]) for at in range(len(table.columns))]
    rows = []
    for at, row in enumerate(table.rows):
        cells = [_cell(value, name) for value, name in zip(row, table.columns, strict=False)]
        if linked:
            numbers = table.citations[at] if at < len(table.citations) else []
            cells.append("".join(f"[^{n}]" for n in numbers))
        rows.append(_row(cells))
    return "\n".join([_row(head), _row([*sides, *(["---"] if linked else [])]), *rows])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _side(values: Sequence[str | int | float | None]) -> str:
    """Quantities stand right."""
    told = [value for value in values if value not in (None, "")]
    return "---:" if told and all(quantity(value) is not None for value in told) else "---"


def _cell(value: str | int | float | None, column: str) -> str:
    if value is None:
        return "―"
    if isinstance(value, str):
        return escaped(flat(value))
    if is_year(column) and float(value).is_integer():
        return str(int(value))
    return f"{value:,}"


def _source(citation: CitationJson, base: str) -> str:
    address = sheet_link(base, citation)
    quote = shorten(quoted(citation.quote), QUOTE_LIMIT)
    return f"{escaped(source_words(citation))}「{escaped(quote)}」" + (f" [{OPEN}]({address})" if address else "")


def _as_citation(hit: HitJson) -> CitationJson:
    """A passage as something to point at; it proves nothing and has no number."""
    where = hit.source.cells[0] if hit.source.cells else f"{hit.source.page}ページ" if hit.source.page else ""
    return CitationJson(
        n=0,
        municipality=hit.municipality,
        fiscal_year=hit.fiscal_year,
        sheet=hit.sheet,
        sheet_id=hit.sheet_id,
        department=hit.department,
        section=hit.section,
        quote=hit.text,
        source=hit.source,
        where=where,
    )
