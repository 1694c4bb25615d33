"""Is one answer right? The definition of the question files' README, on the JSON payload of ``POST /api/v1/ask``.

Right is: every ``must`` list is met and no ``must_not`` appears; every gold sheet is cited; at least half of the cited
sheets are gold; every quote stands verbatim in its source; the text of every type but list and aggregate has at most 600
characters; it did not abstain. An unanswerable question is right when the answer abstains.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from evals.cases import Case

MAX_CHARACTERS = 600
LONG_TYPES = frozenset({"list", "aggregate"})

Payload = Mapping[str, Any]
#: A citation of the payload to the text of its document, None when there is no such document.
Source = Callable[[Payload], str | None]


class Cause(StrEnum):
    """Why an answer is wrong. One answer can be wrong for several reasons; the order is the order of reporting."""

    ERROR = "error"
    ABSTAINED = "abstained"
    FALSE_ANSWER = "false-answer"
    WRONG_SHEET = "wrong-sheet"
    MISSING_SHEET = "missing-sheet"
    MISSING_MUST = "missing-must"
    MUST_NOT = "must-not"
    PRECISION = "citation-precision"
    QUOTE = "quote"
    TOO_LONG = "too-long"


CAUSE_LABELS = {
    Cause.ERROR: "例外が起きた",
    Cause.ABSTAINED: "答えられるのに棄権した",
    Cause.FALSE_ANSWER: "答えがないのに答えた",
    Cause.WRONG_SHEET: "正解のシートを一つも引用していない",
    Cause.MISSING_SHEET: "正解のシートの一部を引用していない",
    Cause.MISSING_MUST: "必須の語がない",
    Cause.MUST_NOT: "禁止の語がある",
    Cause.PRECISION: "引用の半分超が正解以外のシート",
    Cause.QUOTE: "引用文が原文と違う",
    Cause.TOO_LONG: f"本文が{MAX_CHARACTERS}字を超える",
}
#: The same for a narrow place.
CAUSE_MARKS = {
    Cause.ERROR: "例外",
    Cause.ABSTAINED: "誤った棄権",
    Cause.FALSE_ANSWER: "誤った回答",
    Cause.WRONG_SHEET: "シート違い",
    Cause.MISSING_SHEET: "シート不足",
    Cause.MISSING_MUST: "必須語なし",
    Cause.MUST_NOT: "禁止語あり",
    Cause.PRECISION: "余分な引用",
    Cause.QUOTE: "引用文の違い",
    Cause.TOO_LONG: "長すぎ",
}


@dataclass(frozen=True, slots=True)
class Score:
    """What one answer is worth against one case.

    ``exact`` looks at the wording only (unanswerable: it abstained). ``recall`` and ``precision`` are None where there
    is nothing to recall or nothing cited; ``quotes`` counts quotes, ``faithful`` those that stand verbatim.
    ``section_hit`` and ``evidence`` (share of the gold evidence inside the quotes) tell where to look, they do not decide.
    """

    causes: tuple[Cause, ...]
    exact: bool
    abstained: bool
    recall: float | None
    precision: float | None
    quotes: int
    faithful: int
    section_hit: bool | None
    evidence: float | None
    characters: int
    missing_must: tuple[tuple[str, ...], ...] = ()
    found_must_not: tuple[str, ...] = ()
    missing_sheets: tuple[str, ...] = ()
    other_sheets: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.causes


@lru_cache(maxsize=65536)  # a list answer compares each of its citations with each gold sheet
def squash(text: str) -> str:
    """NFKC without any white space: how names and evidence are compared. ``"（公開型 GIS）" -> "(公開型GIS)"``."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def fold(text: str) -> str:
    """How answers are compared: NFKC, lower case, no white space, no commas. ``"１２,１５５ 千円" -> "12155千円"``."""
    return squash(unicodedata.normalize("NFKC", text).lower()).replace(",", "")


def answer_text(payload: Payload) -> str:
    """The folded text of an answer and of its table's cells, with ``|`` between cells.

    The bar keeps two cells from making a form that is printed in neither: 1 and 2 are not 12.
    """
    table = payload.get("table") or {}
    cells = [*table.get("columns", ()), *(cell for row in table.get("rows", ()) for cell in row)]
    return "|".join(fold(str(part)) for part in (payload.get("answer") or "", *cells) if part is not None)


def is_gold(gold: str, citation: Payload) -> bool:
    """Whether a citation's sheet is the gold one.

    ``財務会計システム@財政課`` asks for that name and a department that is or contains 財政課, or a municipality that is it.
    """
    cited = squash(str(citation.get("sheet") or ""))
    if squash(gold) == cited:
        return True
    name, at, where = gold.rpartition("@")
    if not at or squash(name) != cited:
        return False
    place = squash(where)
    return bool(place) and (
        place in squash(str(citation.get("department") or ""))
        or place == squash(str(citation.get("municipality") or ""))
    )


def cited_sheets(payload: Payload) -> list[Payload]:
    """One citation for each sheet cited, in the order of the answer."""
    sheets: dict[tuple[str, ...], Payload] = {}
    for citation in payload.get("citations") or ():
        sheet_id = citation.get("sheet_id")
        names = tuple(squash(str(citation.get(key) or "")) for key in ("sheet", "department", "municipality"))
        sheets.setdefault((str(sheet_id),) if sheet_id else names, citation)
    return list(sheets.values())


def is_faithful(citation: Payload, source: Source) -> bool:
    """Whether the quote is, character for character, what stands between its offsets."""
    quote, place = citation.get("quote"), citation.get("source") or {}
    text = source(citation)
    start, end = place.get("start"), place.get("end")
    if text is None or not quote or not isinstance(start, int) or not isinstance(end, int) or start < 0:
        return False
    return text[start:end] == str(quote)


def score(case: Case, payload: Payload, source: Source) -> Score:
    """Judge one answer. ``payload`` is the JSON of ``/api/v1/ask``; ``source`` finds a citation's document text."""
    abstained = bool(payload.get("abstained"))
    citations = list(payload.get("citations") or ())
    faithful = sum(is_faithful(citation, source) for citation in citations)
    characters = len(payload.get("answer") or "")
    if case.unanswerable:
        causes: tuple[Cause, ...] = () if abstained else (Cause.FALSE_ANSWER,)
        return Score(causes, abstained, abstained, None, None, len(citations), faithful, None, None, characters)

    text = answer_text(payload)
    missing = tuple(forms for forms in case.answer.must if not any(fold(form) in text for form in forms))
    found = tuple(form for form in case.answer.must_not if fold(form) in text)
    sheets = cited_sheets(payload)
    good = [sheet for sheet in sheets if any(is_gold(gold, sheet) for gold in case.sheets)]
    lost = tuple(gold for gold in case.sheets if not any(is_gold(gold, sheet) for sheet in sheets))
    recall = (len(case.sheets) - len(lost)) / len(case.sheets) if case.sheets else None
    precision = len(good) / len(sheets) if sheets and case.sheets else None
    wrong = {
        Cause.ABSTAINED: abstained,
        Cause.WRONG_SHEET: recall == 0,
        Cause.MISSING_SHEET: bool(lost) and recall != 0,
        Cause.MISSING_MUST: bool(missing),
        Cause.MUST_NOT: bool(found),
        Cause.PRECISION: precision is not None and precision < 0.5,
        Cause.QUOTE: faithful < len(citations),
        Cause.TOO_LONG: case.type not in LONG_TYPES and characters > MAX_CHARACTERS,
    }
    return Score(
        causes=tuple(cause for cause in Cause if wrong.get(cause)),
        exact=not (missing or found or abstained),
        abstained=abstained,
        recall=recall,
        precision=precision,
        quotes=len(citations),
        faithful=faithful,
        section_hit=_section_hit(case, citations),
        evidence=_evidence(case, citations),
        characters=characters,
        missing_must=missing,
        found_must_not=found,
        missing_sheets=lost,
        other_sheets=tuple(str(sheet.get("sheet") or "") for sheet in sheets if sheet not in good),
    )


def failed(case: Case) -> Score:
    """The score of a question whose answer never came."""
    recall = 0.0 if case.sheets and not case.unanswerable else None
    return Score((Cause.ERROR,), False, False, recall, None, 0, 0, None, None, 0)


def _section_hit(case: Case, citations: list[Payload]) -> bool | None:
    """Whether some citation of a gold sheet stands in a gold section (the label, or one label inside the other)."""
    wanted = [squash(label) for label in case.sections if squash(label)]
    if not wanted:
        return None
    cited = [
        squash(str(citation.get("section") or ""))
        for citation in citations
        if any(is_gold(gold, citation) for gold in case.sheets)
    ]
    return any(label and (label in want or want in label) for label in cited for want in wanted)


def _evidence(case: Case, citations: list[Payload]) -> float | None:
    wanted = [squash(text) for text in case.evidence if squash(text)]
    if not wanted:
        return None
    quotes = "|".join(squash(str(citation.get("quote") or "")) for citation in citations)
    return sum(text in quotes for text in wanted) / len(wanted)
