"""The list of sheets: found by words, put in order, page by page, each with its amount. All pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from corpus.documents import Fact, Sheet
from index.types import SheetFact
from ui.charts import short_number, short_year
from ui.facts import AMOUNT_FIELDS, amount_of
from ui.finding import find_sheets, holds
from ui.render import render_notice, sheet_url, year_label

PAGE = 100
ORDERS = {
    "file": "文書の順",
    "year": "年度の新しい順",
    "department": "部課の順",
    "amount": "決算額の大きい順",
    "name": "事業名の順",
}
SPENT = tuple(name for name in AMOUNT_FIELDS if name != "予算額")


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the list: the HTML, which page it is (from 0), and whether there are others."""

    html: str
    at: int
    before: bool
    after: bool


def settled_amounts(facts: Iterable[SheetFact]) -> dict[str, Fact]:
    """The settled amount that stands for each sheet, by its id: 決算額 before 事業費 …, the latest year up to its own."""
    best: dict[str, tuple[tuple[int, int], Fact]] = {}
    for one in facts:
        fact = one.fact
        if fact.kind != "actual" or fact.unit != "円" or fact.value is None or fact.field not in SPENT:
            continue
        if fact.period is None or fact.period.kind != "fiscal_year":
            continue
        own = one.sheet.fiscal_year
        if own is not None and fact.period.fiscal_year > own:
            continue
        rank = (-SPENT.index(amount_of(fact.field, fact.label)), fact.period.fiscal_year)
        if one.sheet.sheet_id not in best or rank > best[one.sheet.sheet_id][0]:
            best[one.sheet.sheet_id] = (rank, fact)
    return {sheet_id: fact for sheet_id, (_, fact) in best.items()}


def ordered(sheets: Sequence[Sheet], amounts: Mapping[str, Fact], order: str) -> list[Sheet]:
    """The sheets in one of the :data:`ORDERS`; what has no year, office or amount comes last."""
    if order == "year":
        return sorted(sheets, key=lambda one: (-(one.fiscal_year or 0), one.municipality))
    if order == "department":
        return sorted(sheets, key=lambda one: (one.municipality, one.department == "", one.department))
    if order == "name":
        return sorted(sheets, key=lambda one: (one.kind != "programme", one.name))
    if order == "amount":
        return sorted(sheets, key=lambda one: _amount_rank(amounts.get(one.sheet_id)))
    return list(sheets)


def _amount_rank(fact: Fact | None) -> tuple[int, float]:
    if fact is None:
        return 2, 0.0
    return (0 if amount_of(fact.field, fact.label) == SPENT[0] else 1), -(fact.value or 0.0)


def _heading(sheet: Sheet, amounts: Mapping[str, Fact], order: str) -> str:
    place = sheet.municipality or "自治体の記載なし"
    if order == "department":
        return f"{place}・{sheet.department or '部課の記載なし'}"
    if order == "amount":
        fact = amounts.get(sheet.sheet_id)
        if fact is None:
            return "決算の金額の記載なし"
        return (
            SPENT[0]
            if amount_of(fact.field, fact.label) == SPENT[0]
            else f"{SPENT[0]}の欄がないシート（事業費などの決算）"
        )
    if order == "name":
        return ""
    return f"{place}・{year_label(sheet.fiscal_year)}"


def list_page(
    sheets: Sequence[Sheet], amounts: Mapping[str, Fact], words: str = "", order: str = "file", at: int = 0
) -> ListPage:
    """A page of the sheets that ``words`` find, in groups; a page past the end is the last one."""
    found = ordered(find_sheets(sheets, words), amounts, order)
    if not found:
        message = "当てはまるシートがありません。言葉を短くするか、絞り込みを変えてみてください。"
        return ListPage(render_notice(message), 0, False, False)
    at = max(0, min(at, (len(found) - 1) // PAGE))
    shown = found[at * PAGE : (at + 1) * PAGE]
    parts = []
    for heading, group in groupby(shown, key=lambda sheet: _heading(sheet, amounts, order)):
        items = "".join(_item(sheet, amounts.get(sheet.sheet_id), order) for sheet in group)
        parts.append(f"{f'<h2>{escape(heading)}</h2>' if heading else ''}<ul>{items}</ul>")
    return ListPage(
        f'<div class="hy-box hy-catalogue">{_count(found, at, len(shown), words)}{"".join(parts)}</div>',
        at,
        at > 0,
        (at + 1) * PAGE < len(found),
    )


def _count(found: Sequence[Sheet], at: int, shown: int, words: str) -> str:
    programmes = sum(sheet.kind == "programme" for sheet in found)
    rest = f"、文書の一部{len(found) - programmes:,}件" if len(found) > programmes else ""
    page = f"（{at * PAGE + 1:,}〜{at * PAGE + shown:,}件目を表示）" if len(found) > shown else ""
    near = "" if holds(found[0], words) else "　言葉がそのまま入ったシートはないため、似た名前を表示しています。"
    return f'<p class="hy-count" role="status">{programmes:,}シート{rest}{page}{near}</p>'


def _item(sheet: Sheet, amount: Fact | None, order: str) -> str:
    programme = sheet.kind == "programme"
    notes = []
    money = ""
    if not programme:
        notes.append(f"文書の一部（前文・一覧など）：{sheet.file}")
    elif order in ("file", "year"):
        notes.append(sheet.department)
    else:
        notes += [sheet.municipality, year_label(sheet.fiscal_year), "" if order == "department" else sheet.department]
    if amount is not None and amount.period is not None:
        year = short_year(amount.period.fiscal_year)
        money = f"{amount_of(amount.field, amount.label)} {year} {short_number(amount.value or 0.0, '円')}"
    small = "・".join(note for note in notes if note)
    spent = f'<small class="hy-amount">{escape(money)}</small>' if money else ""
    pick = (
        f'<label class="hy-pick"><input type="checkbox" class="hy-to-compare" value="{escape(sheet.sheet_id)}"'
        f' aria-label="{escape(sheet.name)}を比較に追加"><span aria-hidden="true">比較</span></label>'
        if programme
        else ""
    )
    return (
        f'<li><a href="{escape(sheet_url(sheet.sheet_id))}" target="_blank" rel="noopener">'
        f"{escape(sheet.name)}<small>{escape(small)}</small>{spent}</a>{pick}</li>"
    )
