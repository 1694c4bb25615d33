"""The heads of sheets: programme names, departments and the fiscal year reported on, of forms nobody described."""

from __future__ import annotations

import re

from corpus.couples import Couple, couples
from corpus.forms.loader import Form, clean_label, compiled, fields
from corpus.layout import Row
from corpus.periods import FoundPeriod, find_periods

TITLE = re.compile(
    r"^[ \f\u3000#【]*[^\n。]{0,40}?(?:事務事業|事業|施策|行政|システム|予算)?[^\n。]{0,12}?(?:評価|分析|点検|進捗管理|進行管理|検証|見直し)"
    r"[^\n。]{0,6}?(?:シート|調書|表|調査票|個票|票|カルテ)[^\n。]{0,50}$",
    re.M,
)
# Lines near the top that may tell the year, and what such a line must speak of.
_MAY_SAY_YEAR = re.compile(r"年度|^[^。]{0,40}[RHＲＨ][0-9０-９元]{1,2}[^。]{0,30}$")
_ABOUT_SHEETS = re.compile(r"評価|対象|実績|シート|調書|カルテ|点検|成果|決算|個票")
_ORGANISATION = re.compile(r"^[^\s。、:：\d(]{1,25}(?:部|室|局|課|センター|事務局|所|館|係|グループ|班|公室|院)$")
_UNIT = re.compile(r"(?:係|グループ|班|担当)$")


def named_lines(told: list[Couple]) -> list[tuple[int, str]]:
    """(raw offset, name) of every place where the label of a programme's name has a value.

    Forms print several such labels (事務事業名 above 予算事業名); the one that means a whole sheet most often is taken.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for couple in told:
        if couple.field == "事務事業名":
            found.setdefault(clean_label(couple.label), []).append((couple.start, couple.value))
    if not found:
        return []
    order = {clean_label(label): i for i, label in reversed(list(enumerate(fields()["事務事業名"].labels)))}
    return found[min(found, key=lambda label: (order.get(label, 99), -len(found[label])))]


def department_of(lines: list[Row]) -> str:
    """部 and 課 as printed, joined by a space: from their labels, or from bare lines above the first table."""
    parts: dict[str, str] = {}
    for couple in couples(lines):
        if couple.field in ("担当部", "担当課"):
            parts.setdefault(couple.field, couple.value)
    if "担当課" in parts:
        return " ".join(parts[k] for k in ("担当部", "担当課") if k in parts)
    bare = [
        row.text
        for row in lines[:12]
        if not row.tabbed and _ORGANISATION.match(row.text) and not _UNIT.search(row.text)
    ]
    return " ".join(dict.fromkeys(bare[:2])) or parts.get("担当部", "")


def ruled_year(form: Form | None, text: str) -> tuple[int, tuple[int, int]] | None:
    """The fiscal year that a form's ``year`` rule reads in a sheet's normalised text, and where; None without one."""
    rules = form.data["sheet"] if form is not None else {}
    hit = compiled(rules["year"]).search(text) if "year" in rules else None
    read = find_periods(rules.get("year_like", "{}").format(hit[1])) if hit is not None else []
    return (read[0].period.fiscal_year, hit.span()) if hit is not None and read else None


def year_of(text: str, lines: list[Row]) -> int | None:
    """The fiscal year a sheet reports on: its title or its 対象年度 says so, or the last year with a 決算 or 実績 column."""
    for line in [m.group() for m in TITLE.finditer(text)] + [
        ln for ln in text.splitlines()[:40] if _MAY_SAY_YEAR.search(ln) and "\t" not in ln
    ]:
        hits = find_periods(line)
        years = [h for h in hits if h.period.kind in ("fiscal_year", "calendar_year", "range")]
        if "|" in line or len(years) > 2:
            continue  # the row of a table
        chosen = _reported(line, years)
        if chosen is not None and _ABOUT_SHEETS.search(line):
            return chosen.period.fiscal_year
    for couple in couples(lines):
        if couple.field == "評価年度" and (hits := find_periods(couple.value)):
            return hits[0].period.fiscal_year
    for row in text.splitlines()[:15]:
        if re.fullmatch(r"[\s(]*(?:令和|平成|[RH])\s*(?:元|\d{1,2})\s*年度?(?:分|版|実績|事業)?[\s)]*", row):
            hits = find_periods(row)
            if hits:
                return hits[0].period.fiscal_year
    settled = re.findall(r"((?:令和|平成|[RH])\s*(?:元|\d{1,2}))\s*+年?度?\s*+(?:\(?決算|実績)", text)
    years_read = [h[0].period.fiscal_year for h in (find_periods(s + "年度") for s in settled) if h]
    return max(years_read) if years_read else None


def _reported(line: str, hits: list[FoundPeriod]) -> FoundPeriod | None:
    """Of a title's years the one reported on: 「令和7年度…(令和6年度実績)」 is 令和6年度, 「(令和6年度実施)」 is when it was done."""
    for hit in hits:
        if re.search(r"対象(?:年度|期間|事業)?\s*[::]?\s*$", line[max(0, hit.start - 12) : hit.start]):
            return hit
    kept = [h for h in hits if not re.match(r"\s*(?:実施|作成|策定|公表)(?!事業|分|した)", line[h.end :])]
    for hit in kept:
        if re.match(r"\s*(?:の?(?:実績|決算|事業|対象|分|実施)|に実施)", line[hit.end :]):
            return hit
    return kept[0] if kept else None
