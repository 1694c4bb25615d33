"""The heads of sheets: programme names, departments and the fiscal year reported on, of forms nobody described."""

from __future__ import annotations

import re

from corpus.forms.loader import canonical, fields, kind_of
from corpus.layout import Row
from corpus.normalize import squeeze
from corpus.periods import FoundPeriod, find_periods

_CELLS = re.compile(r"\t|[ ]*\|[ ]*|[ \u3000]{2,}")
TITLE = re.compile(
    r"^[ \f\u3000#【]*[^\n。]{0,40}?(?:事務事業|事業|施策|行政|システム|予算)?[^\n。]{0,12}?(?:評価|分析|点検|進捗管理|進行管理|検証|見直し)"
    r"[^\n。]{0,6}?(?:シート|調書|表|調査票|個票|票|カルテ)[^\n。]{0,50}$",
    re.M,
)
_ORGANISATION = re.compile(r"^[^\s。、:：\d(]{1,25}(?:部|室|局|課|センター|事務局|所|館|係|グループ|班|公室|院)$")
_UNIT = re.compile(r"(?:係|グループ|班|担当)$")
_CODE = re.compile(r"^[0-9A-Za-z]{1,4}(?:[-‐][0-9A-Za-z]{1,4})*$")


def named_lines(text: str) -> list[tuple[int, str]]:
    """(offset, name) of every line that holds the label of a programme's name with a value."""
    found: dict[str, list[tuple[int, str]]] = {}
    at = 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        cells = [c.strip() for c in _CELLS.split(line.strip(" |\u3000\r\n")) if c is not None]
        label, name = "", ""
        for i, cell in enumerate(cells):
            if cell and len(cell) <= 14 and canonical(cell) == "事務事業名":
                label, name = squeeze(cell), _name_from(cells[i + 1 :])
                below = lines[number + 1].strip() if number + 1 < len(lines) else ""
                if not name and len(cells) == 1 and below and "\t" not in below and canonical(below) is None:
                    name = below
                break
        else:
            split = re.match(r"\s*([^\s::]{2,10})(?:\s*[::]\s*|[ \u3000]+)(\S[^\n\t]*?)\s*$", line)
            if split is not None and canonical(split[1]) == "事務事業名":
                label, name = squeeze(split[1]), _name_from([split[2]])
        if label and name and not re.search(r"(?:の名称|を記入|を記載)", name) and canonical(name) is None:
            found.setdefault(label, []).append((at, name))
        at += len(line)
    if not found:
        return []
    order = {squeeze(label): i for i, label in enumerate(fields()["事務事業名"].labels)}
    best = min(found, key=lambda label: (order.get(label, 99), -len(found[label])))
    return found[best]


def _name_from(cells: list[str]) -> str:
    """The name among the cells after its label: codes before it are left out, the next label ends it."""
    for cell in cells:
        if not cell or _CODE.match(cell):
            continue
        if canonical(cell) is not None:
            return ""
        bare = re.sub(r"^(?:\d{1,4}(?:-\d{1,4})*[ \u3000]+)", "", cell)
        # 「事務事業名 道路維持事業 担当組織 土木部」 on one line: the next known label ends the name.
        words = re.split(r"([ \u3000]+)", bare)
        for i, word in enumerate(words[2:], start=2):
            if canonical(word) is not None and kind_of(canonical(word) or "") in (
                "department",
                "code",
                "person",
                "year",
            ):
                return "".join(words[:i]).strip()
        return bare.strip()
    return ""


def department_of(lines: list[Row]) -> str:
    """部 and 課 as printed, joined by a space: from their labels, or from bare lines above the first table."""
    parts: dict[str, str] = {}
    for number, row in enumerate(lines):
        for i, cell in enumerate(row.cells):
            field = canonical(cell.text) if cell.text and len(cell.text) <= 14 else None
            if field in ("担当部", "担当課") and field not in parts:
                value = _value_of(lines, number, i)
                if value:
                    parts[field] = value
        if not row.tabbed:
            split = re.match(r"([^\s::]{2,10})(?:\s*[::]\s*|[ \u3000]+)(\S.*)$", row.text)
            alone = canonical(row.text)
            below = lines[number + 1] if number + 1 < len(lines) else None
            if (
                alone in ("担当部", "担当課")
                and alone not in parts
                and below is not None
                and not below.tabbed
                and canonical(below.text) is None
            ):
                parts[alone] = below.text
            field = canonical(split[1]) if split else None
            if split is not None and field in ("担当部", "担当課") and field not in parts:
                parts[field] = _until_label(split[2])
    if "担当課" in parts:
        return " ".join(parts[k] for k in ("担当部", "担当課") if k in parts)
    bare = [
        row.text
        for row in lines[:12]
        if not row.tabbed and _ORGANISATION.match(row.text) and not _UNIT.search(row.text)
    ]
    return " ".join(dict.fromkeys(bare[:2])) or parts.get("担当部", "")


def _until_label(value: str) -> str:
    words = re.split(r"([ \u3000]+)", value)
    for i, word in enumerate(words):
        if i and canonical(word) is not None:
            return "".join(words[:i]).strip()
    return value.strip()


def _value_of(lines: list[Row], number: int, column: int) -> str:
    row = lines[number]
    for cell in row.cells[column + 1 :]:
        if cell.text:
            if canonical(cell.text) is None:
                return cell.text
            break
    if number + 1 < len(lines) and row.tabbed:
        below = lines[number + 1].cells
        if column < len(below) and below[column].text and canonical(below[column].text) is None:
            return below[column].text
    return ""


def year_of(text: str) -> int | None:
    """The fiscal year a sheet reports on: its title or its 対象年度 says so, or the last year with a 決算 or 実績 column."""
    for line in [m.group() for m in TITLE.finditer(text)] + [
        ln for ln in text.splitlines()[:40] if "年度" in ln and "\t" not in ln
    ]:
        hits = find_periods(line)
        years = [h for h in hits if h.period.kind in ("fiscal_year", "calendar_year", "range")]
        chosen = _reported(line, years)
        if chosen is not None and (
            "評価" in line or "対象" in line or "実績" in line or "シート" in line or "調書" in line
        ):
            return chosen.period.fiscal_year
    for row in text.splitlines():
        cells = [c.strip() for c in re.split(r"\t|[::]", row)]
        for i, cell in enumerate(cells[:-1]):
            if cell and canonical(cell) == "評価年度":
                hits = find_periods(cells[i + 1])
                if hits:
                    return hits[0].period.fiscal_year
    for row in text.splitlines()[:15]:
        if re.fullmatch(r"[\s(]*(?:令和|平成|[RH])\s*(?:元|\d{1,2})\s*年度?(?:分|版|実績|事業)?[\s)]*", row):
            hits = find_periods(row)
            if hits:
                return hits[0].period.fiscal_year
    settled = re.findall(r"((?:令和|平成|[RH])\s*(?:元|\d{1,2}))\s*年?度?\s*(?:\(?決算|実績)", text)
    years_read = [h[0].period.fiscal_year for h in (find_periods(s + "年度") for s in settled) if h]
    return max(years_read) if years_read else None


def _reported(line: str, hits: list[FoundPeriod]) -> FoundPeriod | None:
    """Of a title's years the one reported on: 「令和7年度…(令和6年度実績)」 is 令和6年度, 「(令和6年度実施)」 is when it was done."""
    kept = [h for h in hits if not re.match(r"\s*(?:実施|作成|策定|公表)(?!事業|分|した)", line[h.end :])]
    for hit in kept:
        if re.match(r"\s*(?:の?(?:実績|決算|事業|対象|分|実施)|に実施)", line[hit.end :]):
            return hit
    return kept[0] if kept else None
