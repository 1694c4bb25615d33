"""The figures, ratings and choices of a sheet, each with the way to its place in the source. All pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from corpus.documents import Document, Fact, FactKind, Sheet
from corpus.forms.loader import clean_label
from corpus.normalize import normalize, squeeze
from corpus.places import ocr_in_words
from ui.charts import trimmed
from ui.render import sheet_url, year_label
from ui.text import marked

AMOUNT_FIELDS = ("決算額", "予算額", "事業費", "総事業費", "総コスト")
MONEY_KINDS = {"plan": "予算", "actual": "決算", None: ""}
INDICATOR_KINDS = {"plan": "目標", "actual": "実績", None: ""}
FIGURE_NOTE = (
    "金額は円に換算しています。数値を押すと原文の位置を開きます。※は見出しでなく並びや計算から読み取った値です。"
)


@dataclass(frozen=True, slots=True)
class FactRow:
    """One field or indicator over the periods of a sheet."""

    field: str
    label: str
    kind: str
    unit: str
    cells: dict[str, Fact]


def fact_rows(facts: Sequence[Fact]) -> tuple[list[str], list[FactRow]]:
    """The periods as columns (oldest first) and one row per field, label, plan or actual, and unit."""
    starts: dict[str, str] = {}
    rows: dict[tuple[str, str, str, str], FactRow] = {}
    for fact in facts:
        if fact.period is not None:
            fiscal = fact.period.kind == "fiscal_year"
            column = year_label(fact.period.fiscal_year) if fiscal else fact.period.label
            starts.setdefault(column, fact.period.start.isoformat())
            key = (fact.field, fact.label, kind_word(fact.field, fact.unit, fact.kind), fact.unit)
            rows.setdefault(key, FactRow(*key, {})).cells.setdefault(column, fact)
    return sorted(starts, key=lambda column: (starts[column], column)), list(rows.values())


def render_facts(document: Document, sheet: Sheet, facts: Sequence[Fact]) -> str:
    """The figures of a sheet as a table over the periods, then its ratings and choices."""
    figures = [fact for fact in facts if fact.value is not None and fact.period is not None]
    choices = [fact for fact in facts if fact.value is None or fact.period is None]
    return _figures(document, sheet, figures) + _choices(document, sheet, choices)


def _figures(document: Document, sheet: Sheet, facts: Sequence[Fact]) -> str:
    if not facts:
        return ""
    columns, rows = fact_rows(facts)
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = []
    for row in rows:
        notes = "・".join(part for part in (row.kind, row.unit) if part)
        small = f"<small>{escape(notes)}</small>" if notes else ""
        cells = "".join(_fact_cell(row.cells.get(column), document, sheet) for column in columns)
        lines.append(f'<tr><th scope="row">{escape(fact_title(row.field, row.label))}{small}</th>{cells}</tr>')
    table = (
        '<div class="hy-scroll" tabindex="0" role="region" aria-label="数値の表"><table class="hy-facts"><thead><tr>'
        f'<th scope="col">項目</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )
    return f'<section id="facts"><h2>数値</h2>{table}<p class="hy-small">{FIGURE_NOTE}</p></section>'


def _choices(document: Document, sheet: Sheet, facts: Sequence[Fact]) -> str:
    """Ratings, choices and figures that belong to no period, each with the way to its place."""
    if not facts:
        return ""
    items = []
    for fact in facts:
        when = f"（{fact.period.label}）" if fact.period is not None else ""
        shown = fact.text if fact.value is None else trimmed(fact.value) + fact.unit
        sign = fact_sign(fact, document)
        items.append(
            f"<div><dt>{escape(fact_title(fact.field, fact.label))}{escape(when)}</dt>"
            f'<dd><a href="{escape(sheet_url(sheet.sheet_id, fact.quote))}">{marked(shown)}</a>{sign}</dd></div>'
        )
    return f'<section id="choices"><h2>評価・区分</h2><dl class="hy-choices">{"".join(items)}</dl></section>'


def amount_of(field: str, label: str) -> str:
    """What an amount is of. One form prints 事業費 with its 予算 and 決算, another a row 決算額 that it calls 事業費: they
    are one thing, and plan or actual tells the two figures apart.

    >>> amount_of("決算額", "事業費"), amount_of("予算額", "当初予算額")
    ('事業費', '予算額')
    """
    named = squeeze(clean_label(label))
    return named if field in AMOUNT_FIELDS and named in AMOUNT_FIELDS else field


def is_indicator(field: str) -> bool:
    """Whether a field holds what is counted to see the success, be it in 円: 成果指標, 実績の推移."""
    return "指標" in field or "実績" in field


def kind_word(field: str, unit: str, kind: FactKind | None) -> str:
    """予算 or 決算 for money, 目標 or 実績 for indicators (also for one in 円), nothing where neither is known."""
    return (INDICATOR_KINDS if unit != "円" or is_indicator(field) else MONEY_KINDS)[kind]


def fact_title(field: str, label: str) -> str:
    """決算額 with the label 決算額 is 決算額; 指標 with the label 申請件数 is 指標：申請件数."""
    return f"{field}：{label}" if field and label and label != field else label or field


def with_unit(title: str, unit: str) -> str:
    """The title with the unit behind it, unless it says it already: 稼働率(%) stays, 貸出冊数 becomes 貸出冊数（冊）."""
    return f"{title}（{unit}）" if unit and f"({unit})" not in normalize(title).text else title


def fact_sign(fact: Fact, document: Document) -> str:
    """What a reader must know about a figure: ※ where the reading is inferred, the certainty where OCR read it."""
    ocr = ocr_in_words(document, fact.quote)
    return ("※" if fact.inferred else "") + (f'<small class="hy-ocr">{escape(ocr)}</small>' if ocr else "")


def _fact_cell(fact: Fact | None, document: Document, sheet: Sheet) -> str:
    if fact is None:
        return '<td class="hy-void">―</td>'
    shown = fact.text if fact.value is None else trimmed(fact.value)
    sign = fact_sign(fact, document)
    kind = ' class="hy-num"' if fact.value is not None else ""
    return f'<td{kind}><a href="{escape(sheet_url(sheet.sheet_id, fact.quote))}">{escape(shown)}</a>{sign}</td>'
