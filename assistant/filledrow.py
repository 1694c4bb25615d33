"""What a row of a question list gets: the cells of its answer, and a row for each of its citations."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.papers import SHEET_COLUMNS, flat, one_line, sheet_link, source_cells, source_words
from assistant.payload import Sources, citation_json
from assistant.schemas import CitationJson
from assistant.spreadsheets import CELL_LIMIT
from assistant.types import Answer
from index.types import Index

CITED_COLUMNS = ("行", "質問", "引用", *SHEET_COLUMNS, "引用文", "ファイル", "原文")
ASK_AGAIN, BROKEN = "質問を確認", "エラー"
_MORE = "\n…（続きは引用一覧）"
_CUT = "\n…（長いため省略）"


@dataclass(frozen=True, slots=True)
class Cited:
    """A row of the list of citations, in the order of ``CITED_COLUMNS`` without 行, 質問 and 原文; ``link`` leads to the
    sheet with the quote marked, empty where the address of the server is not known."""

    cells: tuple[str | int, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Filled:
    """The cells of one answered row, in the order of ``ADDED``, and its citations."""

    answer: str
    places: str
    quotes: str
    state: str
    cited: tuple[Cited, ...] = ()

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """In the order of ``ADDED``."""
        return self.answer, self.places, self.quotes, self.state


def filled(answer: Answer, index: Index, base: str) -> Filled:
    """The cells of an answer; ``base`` is the address of the screens with a slash at its end, or empty."""
    sources = Sources(index)
    found = [citation_json(citation, sources) for citation in answer.citations]
    return Filled(
        _within(answer.answer.replace("**", ""), _CUT),
        _within("\n".join(_place(one) for one in found), _MORE),
        _within("\n".join(f"[{one.n}] 「{flat(one.quote)}」" for one in found), _MORE),
        answer.state,
        tuple(
            Cited((one.n, *source_cells(one), flat(one.quote), one.source.file), sheet_link(base, one)) for one in found
        ),
    )


def unanswered(problem: str, state: str = ASK_AGAIN) -> Filled:
    """The cells of a row that could not be asked: why, and what to do about it."""
    return Filled(problem, "", "", state)


def _place(citation: CitationJson) -> str:
    return f"[{citation.n}] {source_words(citation)} {one_line(citation.source.file)}"


def _within(text: str, more: str) -> str:
    """As much as a cell holds, whole lines of it, and a word about the rest."""
    if len(text) <= CELL_LIMIT:
        return text
    kept = text[: CELL_LIMIT - len(more)]
    return kept[: kept.rfind("\n")] + more if "\n" in kept else kept + more
