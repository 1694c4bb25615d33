"""A list of questions as people keep it: which row heads it, which column asks, what stands in the others.

Pure: :mod:`assistant.questionbook` and :mod:`assistant.questioncsv` read and write the files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import SettingsError

MOST_QUESTIONS = 10_000
MOST_CITED = 500_000  # rows of citations; a sheet of Excel ends at 1,048,576
HEAD_ROWS = 20
"""So far down the row with the headings is looked for: a list often begins with a title, a date and an address."""
ADDED = ("回答", "根拠", "引用", "状態")
CITED_SHEET = "引用一覧"

_QUESTION = (
    "質問", "質問事項", "質問内容", "質問の内容", "質問要旨", "質問の要旨", "質問文", "ご質問", "質疑", "質疑事項", "質疑内容",
    "問", "問い", "照会事項", "照会内容", "question", "questions", "q",
)  # fmt: skip
_BEFORE = ("前の質問", "前問", "続き", "追加質問")
# Above the question, and these say that the row asks on.
_ABOVE = {"1", "true", "yes", "y", "はい", "○", "〇", "◯", "レ", "✓", "続き", "前問", "上", "同上", "前の質問"}
_NOT_ABOVE = {"", "0", "false", "no", "n", "いいえ", "×", "-", "―", "ー", "なし"}
_FOLLOWS = re.compile(r"[→⇒↳└┗]|[（(【［\[]?(?:続き|追加質問|再質問)[）)】］\]]?[：:\s　]")
_NUMBER = re.compile(r"[\d,.，．/年月日時分:：\s%％円件-]+")
_ERROR = re.compile(r"#(?:REF|VALUE|NAME|N/A|DIV/0|NULL|NUM|SPILL|CALC)[!?]?")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand, counted from 0; ``head`` is -1 where no row heads the list, ``before`` where no column says what
    went before. ``added`` are the columns of the answer, in the order of ``ADDED``; ``named`` says whether a heading told."""

    head: int
    question: int
    before: int
    added: tuple[int, ...]
    named: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One row that asks. ``row`` counts from 0; ``follows``: it asks on from the question above; ``earlier`` is an earlier
    question in words; ``problem`` says why it cannot be asked."""

    row: int
    text: str
    follows: bool = False
    earlier: str = ""
    problem: str = ""


def layout_of(rows: Sequence[Sequence[str]], wide: int = 0) -> Layout | None:
    """How a list is laid out; None where nothing in it is text. ``wide``: columns that are taken, though not by text.

    >>> layout_of([["番号", "質問事項"], ["1", "図書館の今後の計画は？"]])
    Layout(head=0, question=1, before=-1, added=(2, 3, 4, 5), named=True)
    """
    head, question = _headed(rows)
    named = head >= 0
    if not named:
        question = _first_text(rows)
        if question < 0:
            return None
        head = 0 if rows and _is_head(rows[0]) else -1
    names = [_plain(cell) for cell in rows[head]] if head >= 0 else []
    before = next((at for at, name in enumerate(names) if name in _BEFORE and at != question), -1)
    free = max([wide, *(len(row) for row in rows)])
    added = []
    for name in ADDED:
        at = names.index(name) if name in names and names.index(name) != question else -1
        # A column that stands ready is filled; one in which somebody has written already is left alone.
        if at < 0 or any(at < len(row) and row[at].strip() for row in rows[head + 1 :]):
            at, free = free, free + 1
        added.append(at)
    return Layout(head, question, before, tuple(added), named)


def questions_of(rows: Sequence[Sequence[str]], layout: Layout) -> list[Question]:
    """The rows that ask, in their order; raises SettingsError where there are none, or too many to be meant."""
    found = []
    for at, row in enumerate(rows):
        text = row[layout.question].strip() if at > layout.head and layout.question < len(row) else ""
        if not text:
            continue
        mark = _FOLLOWS.match(text)
        told = row[layout.before].strip() if 0 <= layout.before < len(row) else ""
        above = _plain(told) in _ABOVE
        earlier = "" if above or _plain(told) in _NOT_ABOVE else told
        asked = text[mark.end() :].strip() if mark else text
        problem = "このセルはエラーの値です。質問の文を入力し直してください。" if _ERROR.fullmatch(text) else ""
        found.append(Question(at, asked or text, bool(mark) or above, earlier, problem))
    if not found:
        raise SettingsError("質問の列に質問がありません。質問を1行に1つ書いて、もう一度実行してください。")
    if len(found) > MOST_QUESTIONS:
        raise SettingsError(
            f"質問が{len(found):,}行あります。一度に答えるのは{MOST_QUESTIONS:,}行までです。表を分けてください。"
        )
    return found


def _plain(cell: str) -> str:
    """A heading as it is compared: 「 質 問 事 項 」 is 質問事項, ＱＵＥＳＴＩＯＮ is question."""
    return re.sub(r"[\s　・:：*＊]", "", unicodedata.normalize("NFKC", cell)).lower()


def _headed(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The row and the column of the heading over the questions; (-1, -1) where none says so."""
    for name_of in (_exactly, _nearly):
        for row, cells in enumerate(rows[:HEAD_ROWS]):
            for at, cell in enumerate(cells):
                if name_of(_plain(cell)) and any(
                    at < len(later) and later[at].strip() for later in rows[row + 1 :]
                ):  # a title above the list heads nothing in its column
                    return row, at
    return -1, -1


def _exactly(name: str) -> bool:
    return name in _QUESTION


def _nearly(name: str) -> bool:
    """質問（要旨）, 一般質問事項, 質問・照会事項; not 質問者, 質問日, 質問番号."""
    if len(name) > 12 or name in _BEFORE or re.search("質問(?:者|議員|日|順|番号|no|数|時間|種別|区分|方法)", name):
        return False
    return "質問" in name or "質疑" in name or "照会" in name


def _first_text(rows: Sequence[Sequence[str]]) -> int:
    """The first column half of whose cells are words; -1 where there is none."""
    for at in range(max((len(row) for row in rows), default=0)):
        cells = [row[at].strip() for row in rows if at < len(row) and row[at].strip()]
        words = sum(len(cell) >= 4 and not _NUMBER.fullmatch(cell) for cell in cells)
        if words and words * 2 >= len(cells):
            return at
    return -1


def _is_head(row: Sequence[str]) -> bool:
    """Whether a row without a heading we know reads as headings: short words, none of them asks."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return len(cells) > 1 and all(len(cell) <= 10 and not re.search("[？?。]|ますか|ですか", cell) for cell in cells)
