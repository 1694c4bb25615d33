"""A conversation, or answers, as something to hand out: what the Word and the Excel file of it have in common.

Pure: :mod:`assistant.wordpaper` and :mod:`assistant.excelpaper` turn a :class:`Paper` into bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from assistant.conversations import Conversation
from assistant.datewords import in_japan
from assistant.schemas import AnswerJson, ChartJson, CitationJson, TableJson
from corpus.days import era_name

HEADING = "評価シートへの質問と回答"
ORIGIN = (
    "この資料の文章は評価シートからの引用、数値は評価シートの数値とその計算結果です。AIが作った文章は含みません。"
    "お使いになる前に、出典の原文を確かめてください。"
)
ORIGIN_GENERATED = (
    "この資料の文章は評価シートからの引用、数値は評価シートの数値とその計算結果です。ただし「AI生成」とある部分だけは、"
    "言語モデルが書いた文です。お使いになる前に、出典の原文を確かめてください。"
)
GENERATED = "AI生成"
GENERATED_NOTE = "原文の引用ではありません。引用と照らして確かめられた文だけを表示しています。"
SHEET_COLUMNS = ("自治体", "年度", "事業名", "担当課", "欄", "ページなど")

# 12,155,000円, △3.5%, 1位. A leading zero (007) is a code, 2021年 is a name, and Excel keeps 15 digits.
_QUANTITY = re.compile(
    r"([-−－△▲]?)((?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,14}|0)(?:\.(\d{1,6}))?)\s*([^\d\s.,:：/／()（）-]{0,6})"
)
_NAMES = {"年", "年度", "月", "日", "号", "条", "年目", "款", "項", "目"}
_BULLET = re.compile(r"(?<!\s)[^\S\n]*+\n\s*+(?=[・○●◯◎△▲▽▼□■◆◇※①-⑳]|[(（]?\d{1,2}[)）.．、])")
_BREAK = re.compile(r"(?<![ \t　])[ \t　]*+\n\s*+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the Markdown of its answer, and the whole answer where it can be read; ``at`` in any time zone."""

    question: str
    text: str
    answer: AnswerJson | None
    at: datetime | None = None
    index_version: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed. ``made`` is when; ``base`` the address of the screens with a slash at its end, empty where it is
    not known: then nothing links to the sheets."""

    title: str
    asked: tuple[Asked, ...]
    made: datetime
    base: str = ""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit and the decimals it was printed with.

    >>> quantity("△1,234.50％")
    Quantity(value=-1234.5, unit='％', decimals=2)
    >>> quantity("令和4年度"), quantity("2021年"), quantity("007"), quantity(3.0)
    (None, None, None, Quantity(value=3, unit='', decimals=0))
    """

    value: int | float
    unit: str
    decimals: int


def talk_paper(talk: Conversation, made: datetime, base: str = "", entry: int = 0) -> Paper | None:
    """A kept conversation as a paper, or its answer number ``entry`` (from 1); None where it has no such answer."""
    entries = talk.entries[entry - 1 : entry] if entry else talk.entries
    if not entries:
        return None
    asked = tuple(Asked(one.question, one.text, one.answer, one.at, one.index_version) for one in entries)
    return Paper(entries[0].question, asked, made, base)


def answers_paper(answers: Sequence[tuple[str, AnswerJson]], made: datetime, base: str = "") -> Paper:
    """Questions with their answers, for many at once."""
    asked = tuple(Asked(question, answer.answer, answer, None, answer.index_version) for question, answer in answers)
    return Paper(asked[0].question if asked else "", asked, made, base)


def origin(paper: Paper) -> str:
    """What stands on a paper about where its text comes from."""
    written = any(asked.answer is not None and asked.answer.generated is not None for asked in paper.asked)
    return ORIGIN_GENERATED if written else ORIGIN


def dropped_words(dropped: Sequence[tuple[str, int]]) -> str:
    """What of a language model's sentences is not shown, from (why, how many); empty where nothing was dropped.

    >>> dropped_words([("引用にない数字のある文", 2)])
    '確かめられなかった2文は表示していません（引用にない数字のある文 2）。'
    """
    if not dropped:
        return ""
    why = "、".join(f"{text} {count}" for text, count in dropped)
    return f"確かめられなかった{sum(count for _, count in dropped)}文は表示していません（{why}）。"


def clean(text: str) -> str:
    """Text as a file of Office takes it: invisible characters (direction marks too) go, control characters and what XML
    forbids become spaces; line breaks and tabs stay.

    >>> clean("決算\\x0b額\\u202eは？\\ufffe")
    '決算 額は？ '
    """
    kept = []
    for character in text.replace("\r\n", "\n"):
        kind = unicodedata.category(character)
        if kind == "Cf":
            continue
        forbidden = kind in ("Cc", "Cs") or ord(character) & 0xFFFE == 0xFFFE
        kept.append(" " if forbidden and character not in "\n\t" else character)
    return "".join(kept)


def flat(text: str) -> str:
    """A quote without the line breaks of the page; a line that begins an item still begins one.

    >>> flat("図書館の貸出を止めずに\\n提供する。\\n・次の項目\\tＡ")
    '図書館の貸出を止めずに提供する。\\n・次の項目 Ａ'
    """
    lines = _BULLET.split(clean(text).strip())

    def joint(found: re.Match[str]) -> str:
        sides = found.string[found.start() - 1 : found.start()] + found.string[found.end() : found.end() + 1]
        return " " if sides.isascii() and sides.isalnum() else ""

    return "\n".join(re.sub(r"[ \t]+", " ", _BREAK.sub(joint, line)).strip() for line in lines)


def one_line(text: str) -> str:
    """Text for a heading or a file name: every white space is one space."""
    return " ".join(clean(text).split())


def year_words(year: int | None) -> str:
    """2021 -> 令和3年度; empty where the sheet does not say."""
    return "" if year is None else f"{era_name(year)}年度"


def source_cells(citation: CitationJson) -> tuple[str, ...]:
    """Where a quote stands, in the order of ``SHEET_COLUMNS``."""
    return (
        citation.municipality,
        year_words(citation.fiscal_year),
        citation.sheet,
        citation.department,
        citation.section,
        citation.where,
    )


def source_words(citation: CitationJson) -> str:
    """The same in one line: みなと野市／令和5年度／図書館運営事業／生涯学習課／今後の計画（3ページ）."""
    *parts, where = source_cells(citation)
    line = "／".join(one_line(part) for part in parts if part)
    return f"{line}（{where}）" if where else line


def sheet_link(base: str, citation: CitationJson) -> str:
    """The address of the sheet with the quote marked; empty where the address of the screens is not known."""
    if not base:
        return ""
    source = citation.source
    return (
        f"{base}sheet/{quote(citation.sheet_id, safe='', errors='replace')}?start={source.start}&end={source.end}#quote"
    )


def quantity(cell: str | int | float | None) -> Quantity | None:
    """The number a cell of a table holds, None for a name, a code or a year."""
    if isinstance(cell, bool) or cell is None:
        return None
    if not isinstance(cell, str):
        if float(cell).is_integer():
            return Quantity(int(cell), "", 0)
        return Quantity(cell, "", min(6, len(f"{cell:.6f}".rstrip("0").partition(".")[2])))
    found = _QUANTITY.fullmatch(unicodedata.normalize("NFKC", cell).strip()) or _QUANTITY.fullmatch(cell.strip())
    if found is None or found[4] in _NAMES:
        return None
    digits = found[2].replace(",", "")
    value = float(digits) if found[3] else int(digits)
    unit = cell.strip()[-len(found[4]) :] if found[4] else ""
    return Quantity(-value if found[1] else value, unit, len(found[3] or ""))


def table_of(answer: AnswerJson) -> TableJson | None:
    """The table of an answer; where it has only a chart, the figures behind that."""
    if answer.table is not None:
        return answer.table if answer.table.rows else None
    return None if answer.chart is None else chart_table(answer.chart)


def chart_table(chart: ChartJson) -> TableJson:
    """The figures of a chart, one row for each place along it: 年度, then a column a line with the unit in its head."""
    unit = f"（{chart.unit}）" if chart.unit else ""
    rows: list[list[str | int | float | None]] = [
        [x, *(line.values[at] if at < len(line.values) else None for line in chart.series)]
        for at, x in enumerate(chart.x)
    ]
    first = "時期" if chart.kind == "line" else "名称"
    return TableJson(columns=[first, *(f"{line.name}{unit}" for line in chart.series)], rows=rows, citations=[])


def is_year(column: str) -> bool:
    """Whether the numbers of a column are names of years: 2021, not 2,021."""
    return column.strip().endswith(("年", "年度"))


def file_name(paper: Paper, ending: str) -> str:
    """The name of the file: 評価シートへの質問と回答_決算額の推移は_20261121.docx; 会話 of one question is named after it.

    Characters that Windows does not take in a name are left out, and the question is cut to thirty characters.
    """
    title = re.sub(r'[\\/:*?"<>|？＊：]', "", one_line(paper.title)).rstrip(".")[:30].strip(" .")
    day = in_japan(paper.made).strftime("%Y%m%d")
    return "_".join(part for part in (HEADING, title, day) if part) + f".{ending}"
