"""Finds the sheets in a document: where each begins and ends, its name, department, year and municipality."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace

from corpus.documents import Document, Sheet, SheetKind, Span
from corpus.forms.loader import Form, canonical, compiled, fields, form_of, kind_of
from corpus.layout import Row, normalized, rows, running_heads, view, without_heads
from corpus.municipality import municipality_of
from corpus.normalize import normalize, squeeze
from corpus.periods import FoundPeriod, find_periods

# Lines that begin a part of a report that is no programme's sheet.
_PART = re.compile(
    r"^[ \f\u3000#]*(?P<name>第[ ]*[0-9一二三四五六七八九十]+[ ]*[章編部](?![^\n]*(?:\.{3}|…))[^\n]*|はじめに|おわりに|目次|"
    r"参考資料[^\n]{0,30}|用語(?:集|解説|の解説|の説明)[^\n]{0,20}|資料編[^\n]{0,20}|付録[^\n]{0,30}|巻末資料[^\n]{0,20})[ \u3000]*$",
    re.M,
)
_TITLE = re.compile(
    r"^[ \f\u3000#【]*[^\n。]{0,40}?(?:事務事業|事業|施策|行政|システム|予算)?[^\n。]{0,12}?(?:評価|分析|点検|進捗管理|進行管理|検証|見直し)"
    r"[^\n。]{0,6}?(?:シート|調書|表|調査票|個票|票|カルテ)[^\n。]{0,50}$",
    re.M,
)
_CONTINUED = re.compile(r"No\.?\s*2|[((](?:2枚目|裏面?|その2|2/2|2)[))]")
_ORGANISATION = re.compile(r"^[^\s。、:：\d(]{1,25}(?:部|室|局|課|センター|事務局|所|館|係|グループ|班|公室|院)$")
_UNIT = re.compile(r"(?:係|グループ|班|担当)$")
_CODE = re.compile(r"^[0-9A-Za-z]{1,4}(?:[-‐][0-9A-Za-z]{1,4})*$")


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a sheet begins (offset in the normalised text) and what its first lines say."""

    at: int
    name: str = ""
    department: str = ""


def find_sheets(document: Document) -> list[Sheet]:
    """Every sheet of a document, in order: programmes' forms, and the parts that belong to none (kind ``document``)."""
    norm = normalized(document.text)
    form = form_of(norm.text)
    starts = _starts_of_form(norm.text, form) if form else _general_starts(norm.text)
    town = municipality_of(document.text, document.file)
    heads = running_heads(document.text)
    parts = [m for m in _PART.finditer(norm.text) if re.sub(r"\s+", "", document.text[slice(*norm.raw(*m.span()))]) not in heads]
    edges = sorted({0, len(norm.text), *(s.at for s in starts), *(m.start() for m in parts)})
    by_start = {s.at: s for s in starts}
    titles = {m.start(): m for m in parts}
    found: list[Sheet] = []
    for begin, end in zip(edges, edges[1:], strict=False):
        raw = norm.raw(begin, end)
        span = without_heads(document.text, Span(*raw))
        if begin in by_start and end in by_start:
            span = _without_next_heading(document.text, span)
        if span.start >= span.end:
            continue
        start = by_start.get(begin)
        if start is not None:
            found.append(_programme(document, span, start, form, town))
        elif len(re.sub(r"\s+", "", document.text[span.start : span.end])) >= 20:
            title = titles.get(begin)
            name = _printed(document, span, _part_name(norm.text, title)) if title else ""
            found.append(_part(document, span, name, town, form))
    found = _join_continued(document, found)
    return _numbered(_with_year_of_neighbours(found))


def _without_next_heading(text: str, span: Span) -> Span:
    """A sheet's span without the heading of the group of sheets that follows: 「(２) ビジョン２．…」 after the last full stop."""
    raw = text[span.start : span.end]
    stop = raw.rstrip().rfind("。") + 1
    rest = normalize(raw[stop:]).text
    heading = re.fullmatch(r"\s*\n\s*\(\d{1,2}\)[^\n\t。]{4,60}(?:\s*\n[^\n\t。]{1,60})?\s*", rest)
    return Span(span.start, span.start + stop) if stop and heading else span


def _starts_of_form(text: str, form: Form) -> list[_Start]:
    pattern = compiled(form.data["sheet"]["start"])
    starts = []
    for found in pattern.finditer(text):
        groups = found.groupdict()
        starts.append(_Start(found.start(), groups.get("name") or "", groups.get("department") or ""))
    return starts


def _general_starts(text: str) -> list[_Start]:
    """Sheets of an unknown form: each begins at a title line, or where the label of the name stands again."""
    named = _named_lines(text)
    titles = [m.start() for m in _TITLE.finditer(text)]
    if not named:
        # Without a name anywhere a repeated title still parts one sheet from the next.
        return []
    starts: list[_Start] = []
    for i, (at, name) in enumerate(named):
        floor = named[i - 1][0] if i else 0
        before = [t for t in titles if floor <= t <= at and (i == 0 or t > floor)]
        begin = before[0] if before and i == 0 else before[-1] if before else at
        if not before:
            page = text.rfind("\f", floor, at)
            begin = page + 1 if page >= 0 else (0 if i == 0 else text.rfind("\n", 0, at) + 1)
        starts.append(_Start(begin, name))
    return starts


def _named_lines(text: str) -> list[tuple[int, str]]:
    """(offset, name) of every line that holds the label of a programme's name with a value."""
    found: dict[str, list[tuple[int, str]]] = {}
    at = 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        cells = [c.strip() for c in line.split("\t")]
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
            if canonical(word) is not None and kind_of(canonical(word) or "") in ("department", "code", "person", "year"):
                return "".join(words[:i]).strip()
        return bare.strip()
    return ""


def _programme(document: Document, span: Span, start: _Start, form: Form | None, town: str) -> Sheet:
    text = view(document, span).text
    name, department, year = start.name, start.department, None
    rules = form.data["sheet"] if form else {}
    if "name" in rules:
        hit = compiled(rules["name"]).search(text)
        name = hit["name"] if hit else name
    if "department" in rules:
        hit = compiled(rules["department"]).search(text)
        department = hit["department"] if hit else department
    if "year" in rules:
        hit = compiled(rules["year"]).search(text)
        if hit is not None:
            read = find_periods(rules.get("year_like", "{}").format(hit[1]))
            year = read[0].period.fiscal_year if read else None
    name = _printed(document, span, name)
    department = _printed(document, span, department) if department else _department(rows(view(document, span)))
    return Sheet(
        sheet_id="",
        file=document.file,
        kind="programme",
        name=name or "名称不明",
        municipality=town,
        fiscal_year=year if year is not None else _year_of(text),
        department=department,
        spans=(span,),
        form=form.name if form else "",
    )


def _printed(document: Document, span: Span, value: str) -> str:
    """The value as the document prints it (full-width letters kept), without the white space of line breaks."""
    wanted = re.sub(r"\s+", "", value)
    norm = normalize(document.text[span.start : span.end], squeeze=True)
    at = norm.text.find(wanted) if wanted else -1
    if at < 0:
        return re.sub(r"\s*\n\s*", "", value).strip()
    a, b = norm.raw(at, at + len(wanted))
    return re.sub(r"[ \t\u3000]*\n\s*", "", document.text[span.start + a : span.start + b]).strip()


def _department(lines: list[Row]) -> str:
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
            field = canonical(split[1]) if split else None
            if split is not None and field in ("担当部", "担当課") and field not in parts:
                parts[field] = _until_label(split[2])
    if "担当課" in parts:
        return " ".join(parts[k] for k in ("担当部", "担当課") if k in parts)
    bare = [row.text for row in lines[:12] if not row.tabbed and _ORGANISATION.match(row.text) and not _UNIT.search(row.text)]
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


def _year_of(text: str) -> int | None:
    """The fiscal year a sheet reports on: its title or its 対象年度 says so, or the last year with a 決算 or 実績 column."""
    for line in [m.group() for m in _TITLE.finditer(text)] + [ln for ln in text.splitlines()[:40] if "年度" in ln and "\t" not in ln]:
        hits = find_periods(line)
        years = [h for h in hits if h.period.kind in ("fiscal_year", "calendar_year", "range")]
        chosen = _reported(line, years)
        if chosen is not None and ("評価" in line or "対象" in line or "実績" in line or "シート" in line or "調書" in line):
            return chosen.period.fiscal_year
    for row in text.splitlines():
        cells = [c.strip() for c in re.split(r"\t|[::]", row)]
        for i, cell in enumerate(cells[:-1]):
            if cell and canonical(cell) == "評価年度":
                hits = find_periods(cells[i + 1])
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


def _part(document: Document, span: Span, name: str, town: str, form: Form | None) -> Sheet:
    raw = document.text[span.start : span.end]
    first = next((line.strip() for line in raw.splitlines() if line.strip()), "")
    kind: SheetKind = "document"
    return Sheet("", document.file, kind, name or first[:40], town, None, "", (span,), form.name if form else "")


def _part_name(text: str, title: re.Match[str]) -> str:
    """A part's heading as printed; a heading that goes on in brackets on the next line is taken whole."""
    name = title["name"].strip()
    more = re.compile(r"[ \u3000]*\n[ \u3000]*(\([^()\n]{1,30}\))[ \u3000]*\n").match(text, title.end())
    return name + more[1] if more else name


def _join_continued(document: Document, sheets: list[Sheet]) -> list[Sheet]:
    """A second page that repeats the name belongs to the sheet before it."""
    joined: list[Sheet] = []
    for sheet in sheets:
        last = joined[-1] if joined else None
        if last is not None and last.kind == sheet.kind == "programme" and squeeze(last.name) == squeeze(sheet.name):
            head = document.text[sheet.spans[0].start : sheet.spans[0].start + 200]
            if _CONTINUED.search(normalize(head).text) or _unlike(document, last, sheet):
                joined[-1] = replace(last, spans=(*last.spans, *sheet.spans))
                continue
        joined.append(sheet)
    return joined


def _unlike(document: Document, one: Sheet, other: Sheet) -> bool:
    """Whether two stretches print different labels, as the two pages of one form do."""

    def labels(sheet: Sheet) -> set[str]:
        lines = rows(view(document, sheet.spans[-1]))
        return {f for row in lines for c in row.cells if len(c.text) <= 14 and (f := canonical(c.text.split(" ")[0]))}

    a, b = labels(one), labels(other)
    return bool(a and b) and len(a & b) < 0.4 * min(len(a), len(b))


def _with_year_of_neighbours(sheets: list[Sheet]) -> list[Sheet]:
    """A sheet whose year is not printed takes the year that the file's other sheets agree on."""
    years = Counter(s.fiscal_year for s in sheets if s.fiscal_year is not None)
    if len(years) != 1:
        return sheets
    only = next(iter(years))
    return [s if s.fiscal_year is not None else replace(s, fiscal_year=only) for s in sheets]


def _numbered(sheets: list[Sheet]) -> list[Sheet]:
    """Stable identifiers from file, kind, name and the ordinal among the same names."""
    seen: Counter[tuple[str, str]] = Counter()
    numbered = []
    for sheet in sheets:
        key = (sheet.kind, sheet.name)
        seen[key] += 1
        digest = hashlib.sha256("\0".join((sheet.file, *key, str(seen[key]))).encode()).hexdigest()[:12]
        numbered.append(replace(sheet, sheet_id=f"{sheet.kind[0]}{digest}"))
    return numbered
