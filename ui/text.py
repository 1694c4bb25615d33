"""Text for the screen: escaped, marked, and with the hard line breaks of justified print taken out. All pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

Highlight = tuple[int, int]

# What acts on the text around it instead of being seen: controls, and what turns the direction of a line around.
# The breaks of lines and pages stay: they are white space, and the text of a PDF has one for every page.
_ACTS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

# A line that ends like this is finished; one that starts like this begins something new (a bullet, a number, a table).
LINE_END = re.compile(r"[。．！？!?：:；;」』）)】〕≫]$")
LINE_START = re.compile(
    r"[・○●◯◎△▲▽▼□■◆◇★☆※→⇒➡＊*•‐－≪【〔<-]|[①-⑳❶-❿㋐-㋾]"
    r"|[(（]?[0-9０-９ア-ンa-zA-Z]{1,2}[)）.．、]|第[0-9０-９一二三四五六七八九十]"
    r"|(?:明治|大正|昭和|平成|令和|[MTSHR])\s?[0-9０-９元]{1,2}|[12][0-9]{3}年"
)
# No Japanese line starts with these, so what stands before them was cut.
NEVER_FIRST = re.compile(r"[、。，．）」』】〕ーをぁぃぅぇぉっゃゅょァィゥェォッャュョ]")
HIRAGANA = re.compile(r"[ぁ-ん]")
KATAKANA = re.compile(r"[ァ-ヶー]")
OPEN_END = re.compile(r"[のをにはがとでへや、]$")  # a particle waits for what follows
WORD = re.compile(r"[A-Za-z0-9]")
CELL = re.compile(r"[\d,.%\s千円人件回]+$")  # a figure stands for itself even at the end of a long line
# A printed line this long, and nearly as long as the longest of the text, was broken by the margin.
MARGIN_LENGTH = 14
MARGIN_SHARE = 0.7
# Shorter than this it is a label or a cell, however it ends.
SHORT = 4


def tame(html: str) -> str:
    """The same page with a \ufffd for each character that acts and is not seen; JSON and stored text keep it.

    >>> tame("<b>\u202e円千1\x1b[31m</b>")
    '<b>\ufffd円千1\ufffd[31m</b>'
    """
    return _ACTS.sub("\ufffd", html)


@dataclass(frozen=True, slots=True)
class Cut:
    """Characters ``start:end`` (a line break with the white space around it) that are shown as ``put``."""

    start: int
    end: int
    put: str


def line_cuts(text: str) -> list[Cut]:
    """The line breaks that stand inside a sentence, because a margin and not the writer put them there.

    >>> [cut.put for cut in line_cuts("図書館の蔵書検索と貸出をいつも止めずに\\n提供する。\\n・次の項目")]
    ['']
    """
    lines = [
        (found.start() + len(found.group()) - len(found.group().lstrip()), found.start() + len(found.group().rstrip()))
        for found in re.finditer(r"[^\n]+", text)
        if found.group().strip()
    ]
    longest = max((end - start for start, end in lines), default=0)
    cuts = []
    for at, ((start, end), (following, after)) in enumerate(zip(lines, lines[1:], strict=False)):
        # A quote may begin in the middle of a printed line: its first line says nothing about the margin.
        margin = MARGIN_LENGTH if at == 0 else max(MARGIN_LENGTH, MARGIN_SHARE * longest)
        between = _joint(text[start:end], text[following:after], margin)
        if between is not None:
            cuts.append(Cut(end, following, between))
    return cuts


def _joint(line: str, rest: str, margin: float) -> str | None:
    """What to put between a line and the rest of its sentence; None when the break is meant.

    >>> _joint("(1)統合仮想化基盤上", "にある各業務システ", 14), _joint("住民記録", "税務", 14), _joint("財", "源", 14)
    ('', None, '')
    """
    if "\t" in line or "\t" in rest or LINE_START.match(rest):
        return None
    if len(line) == len(rest) == 1 and not WORD.match(line) and not WORD.match(rest):
        return ""  # a word set from top to bottom, one character a line
    if NEVER_FIRST.match(rest):
        return ""
    if LINE_END.search(line) or CELL.fullmatch(line) or len(line) < SHORT:
        return None
    cut_word = KATAKANA.match(line[-1]) and KATAKANA.match(rest[0]) and len(line) > SHORT
    waits = OPEN_END.search(line) and len(line) > SHORT
    if HIRAGANA.match(rest) or waits or cut_word or len(line) >= margin:
        return " " if WORD.match(line[-1]) and WORD.match(rest[0]) else ""
    return None


def join_lines(text: str) -> str:
    """The text as a person would type it; more than one empty line becomes one.

    >>> join_lines("図書館の蔵書検索と貸出をいつも止めずに\\n提供する。")
    '図書館の蔵書検索と貸出をいつも止めずに提供する。'
    """
    out = []
    at = 0
    for cut in line_cuts(text):
        out.append(text[at : cut.start] + cut.put)
        at = cut.end
    return re.sub(r"\n(?:[^\S\n]*+\n)++", "\n", "".join(out) + text[at:]).strip()


def marked(text: str, highlights: Iterable[Highlight] = ()) -> str:
    """Escaped HTML with ``<mark>`` around the highlights and sentence-internal line breaks removed.

    >>> marked("<b>予算</b>", [(3, 5)])
    '&lt;b&gt;<mark>予算</mark>&lt;/b&gt;'
    """
    flags = bytearray(len(text))
    for start, end in highlights:
        for at in range(max(0, start), min(len(text), end)):
            flags[at] = 1
    cuts = {cut.start: cut for cut in line_cuts(text)}
    out: list[str] = []
    open_mark = False
    at = 0
    while at < len(text):
        cut = cuts.get(at)
        piece = text[at] if cut is None else cut.put
        # A cut inside a highlight stays inside it: the mark goes on over the joined line.
        flag = bool(flags[at]) if cut is None or cut.end >= len(text) else open_mark and bool(flags[cut.end])
        if flag != open_mark:
            out.append("<mark>" if flag else "</mark>")
            open_mark = flag
        out.append(escape(piece))
        at = at + 1 if cut is None else max(cut.end, at + 1)
    if open_mark:
        out.append("</mark>")
    return re.sub(r"(?<!\s)[^\S\n]*+\n\s*+", "<br>", "".join(out).strip())


def excerpt(text: str, highlights: Sequence[Highlight], width: int = 220) -> tuple[str, list[Highlight]]:
    """A window of about ``width`` characters around the first highlight, with the highlights moved along.

    >>> excerpt("あ" * 10 + "予算" + "い" * 10, [(10, 12)], width=6)
    ('…ああ予算いい…', [(3, 5)])
    """
    if len(text) <= width:
        return text, list(highlights)
    first = min(highlights, default=(0, 0))
    room = max(0, width - (first[1] - first[0])) // 2
    begin = max(0, min(first[0] - room, len(text) - width))
    end = min(len(text), begin + width)
    before = "…" if begin else ""
    after = "…" if end < len(text) else ""
    moved = [
        (max(start, begin) - begin + len(before), min(stop, end) - begin + len(before))
        for start, stop in highlights
        if start < end and stop > begin
    ]
    return before + text[begin:end] + after, moved


def markdown(text: str, link: Callable[[int], str | None], fold: int = 0) -> str:
    """The little Markdown of answers as HTML: paragraphs, lists, headings, ``**bold**`` and [1] marks.

    ``link`` gives the address behind a citation number, None for a number that is not a citation. Of a list longer than
    ``fold`` (when it is not 0) the rest stands behind a fold.
    Everything else is escaped: the text quotes documents, and those may contain anything.
    """
    out: list[str] = []
    items: list[str] = []
    lines: list[str] = []

    def flush() -> None:
        if items:
            out.append(_bullets(items, fold))
            items.clear()
        if lines:
            out.append("<p>" + "<br>".join(lines) + "</p>")
            lines.clear()

    for line in text.split("\n"):
        bullet = re.match(r"\s*(?:[-*・]|\d{1,3}\.)\s+(.*)", line)
        heading = re.match(r"#{1,6}\s+(.*)", line)
        if not line.strip():
            flush()
        elif bullet:
            if lines:
                flush()
            items.append(_inline(bullet.group(1), link))
        elif heading:
            flush()
            out.append(f"<p><strong>{_inline(heading.group(1), link)}</strong></p>")
        else:
            if items:
                flush()
            lines.append(_inline(re.sub(r"^>\s?", "", line), link))
    flush()
    return "".join(out)


def _bullets(items: Sequence[str], fold: int) -> str:
    lines = [f"<li>{item}</li>" for item in items]
    if not fold or len(lines) <= fold + 1:  # a fold for a single line would be longer than the line
        return f"<ul>{''.join(lines)}</ul>"
    shown, rest = lines[:fold], lines[fold:]
    return f"<ul>{''.join(shown)}</ul><details><summary>残り{len(rest)}件を表示</summary><ul>{''.join(rest)}</ul></details>"


def _inline(text: str, link: Callable[[int], str | None]) -> str:
    def cite(found: re.Match[str]) -> str:
        address = link(int(found.group(1)))
        if address is None:
            return found.group()
        number = found.group(1)
        return (
            f'<a class="hy-ref" href="{escape(address)}" target="_blank" rel="noopener"'
            f' aria-label="引用{number}を開く">[{number}]</a>'
        )

    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text))
    return re.sub(r"\[(\d{1,4})\]", cite, bold)
