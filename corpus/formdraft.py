"""A form file to start from: marks, the beginning of a sheet and labels as one document shows them, in TOML.

What is proposed here is a guess by repetition and likeness; the comments say what to look at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.documents import Span
from corpus.forms.loader import OTHER, canonical, clean_label, kind_of
from corpus.forms.patterns import compiled
from corpus.inspection import Inspection
from corpus.layout import Row, rows, view
from corpus.newlabels import LIKELY, NewLabel
from corpus.normalize import squeeze
from corpus.periods import find_periods

_NAME, _DEPARTMENT, _DIVISION, _YEAR = "事務事業名", "担当課", "担当部", "評価年度"
_UNIT = re.compile(r"単位\s*+(?:[::]\s*+)?\(?(千円|百万円|万円|億円|円)")
_SPLIT = re.compile(r"(?:(?<!\s)\s+)?:\s*|[ \u3000]+")
_KANA = re.compile(r"[ぁ-んァ-ヶ一-龥]{2}")
_MARKS = 3
_HEAD = """# 下書きです。「確認」と書いた所を、ほかの年度や課のファイルでも合うか見てください。
# ためし方: hyoka forms ファイル --forms このファイルを置いたフォルダー
"""


@dataclass(frozen=True, slots=True)
class _Label:
    """A label seen on the sheets: as printed, its field ("" for none), how alike, whether it begins its line."""

    text: str
    field: str
    similarity: float
    known: bool
    first: bool
    tabbed: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with where it begins in the normalised text, what repeats of it, and whether it is all that repeats."""

    at: int
    row: Row
    head: str
    template: str


def draft(inspection: Inspection) -> str:
    """A TOML form file for the documents of one family; it loads as it is.

    ``inspection`` is of a document of the family, best one with several sheets.
    """
    document = inspection.document
    whole = view(document, Span(0, len(document.text)))
    lines = list(_lines(whole.text, rows(whole)))
    labels = _labels(lines, inspection.new_labels)
    town = next((s.reading.sheet.municipality for s in inspection.sheets if s.reading.sheet.municipality), "")
    named = _named(lines, labels, inspection)
    start = _start(whole.text, lines, named, town)
    cells = sum(line.row.tabbed for line in lines) > len(lines) * 0.3 or not any(_at_line(label) for label in labels)
    unit = {found[1] for found in _UNIT.finditer(whole.text)}
    parts = [
        _HEAD,
        f"strategy = {_quoted('cells' if cells else 'labels')}",
        "# 確認: この様式のどのファイルにもあり、ほかの様式にはない印か。自治体名や年度は入れない。",
        f"recognise = [{', '.join(_quoted(mark) for mark in _marks(whole.text, lines, len(named), town))}]",
        *([f"unit = {_quoted(unit.pop())}"] if len(unit) == 1 else []),
        "",
        "[sheet]",
        f"# 確認: シートの始まり（このファイルでは{len(compiled(start).findall(whole.text))}か所）。",
        f"start = {_quoted(start)}",
        *_head_rules(labels, inspection),
        "",
        *(_cell_labels(labels) if cells else _line_labels(labels)),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _lines(text: str, found: Sequence[Row]) -> Iterator[_Line]:
    at = 0
    for row in found:
        first = next((cell for cell in row.cells if cell.text), None)
        if first is None:
            continue
        place = text.find(first.text, at)
        at = place if place >= 0 else at
        head = first.text if row.tabbed else _SPLIT.split(first.text, maxsplit=1)[0]
        yield _Line(max(0, text.rfind("\n", 0, at) + 1), row, head, re.sub(r"[\d元]+", "0", row.text))


def _labels(lines: Sequence[_Line], new: Sequence[NewLabel]) -> list[_Label]:
    """Every label of the document in the order printed, once."""
    unknown = {clean_label(one.label): one for one in new}
    found: dict[str, _Label] = {}
    for line in lines:
        told = [cell for cell in line.row.cells if cell.text]
        for at, cell in enumerate(told):
            text = line.head if at == 0 else cell.text
            clean = clean_label(text)
            field, other = canonical(text), unknown.get(clean)
            if len(text) > 24 or clean in found or find_periods(text) or (field is None and other is None):
                continue
            if field is not None:
                found[clean] = _Label(text, field, 1.0, True, at == 0, line.row.tabbed)
            elif other is not None:
                found[clean] = _Label(text, other.field, other.similarity, False, at == 0, line.row.tabbed)
    return list(found.values())


def _named(lines: Sequence[_Line], labels: Sequence[_Label], inspection: Inspection) -> list[int]:
    """Where the lines with the programmes' names begin: by the label that names most sheets."""
    sheets = sum(s.reading.sheet.kind == "programme" for s in inspection.sheets)
    best: list[int] = []
    for anywhere in (False, True):
        for label in labels:
            if label.field == _NAME and (label.known or label.similarity >= LIKELY):
                own = [line.at for line in lines if label.text in _printed(line, anywhere)]
                if len(own) == sheets and sheets:
                    return own
                best = max(best, own, key=len)
    return best


def _printed(line: _Line, anywhere: bool) -> list[str]:
    return [line.head, *(cell.text for cell in line.row.cells if anywhere)]


def _start(text: str, lines: Sequence[_Line], named: Sequence[int], town: str) -> str:
    """A pattern for the first line that stands once above every name; the beginning of the text for one sheet."""
    if len(named) < 2:
        return r"\A"
    for shape in ("template", "head"):
        seen: dict[str, list[_Line]] = {}
        for line in lines:
            seen.setdefault(getattr(line, shape), []).append(line)
        told = [found for key, found in seen.items() if _KANA.search(key)]
        for repeated in sorted(told, key=lambda found: found[0].at):
            places = [line.at for line in repeated]
            if len(places) == len(named) and all(
                place <= name and (i == 0 or named[i - 1] < place)
                for i, (place, name) in enumerate(zip(places, named, strict=True))
            ):
                printed = repeated[0].row.text if shape == "template" else repeated[0].head
                pattern = rf"^[ \t\f]*{_pattern(printed, town)}" + (r"[ \t]*$" if shape == "template" else r"(?=\s|:)")
                if [text.rfind("\n", 0, m.end()) + 1 for m in compiled(pattern).finditer(text)] == places:
                    return pattern
    return r"\A"


def _marks(text: str, lines: Sequence[_Line], sheets: int, town: str) -> list[str]:
    """Patterns of lines and labels that stand on every sheet: first the ones that no other form has."""
    often = max(1, sheets)
    heads = Counter(line.head for line in lines)
    templates = Counter(line.template for line in lines)
    candidates = [
        (line.row.text, r"[ \t]*$")
        for line in lines
        if templates[line.template] == often
        and not line.row.tabbed
        and 6 <= len(line.row.text) <= 40
        and "。" not in line.row.text
        and re.search("評価|シート|調書|点検|表|票", line.row.text)
    ]
    candidates += [
        (line.head, r"(?=\s|:)")
        for known in (False, True)
        for line in lines
        if heads[line.head] == often
        and (canonical(line.head) is not None) == known
        and 3 <= len(line.head) <= 24
        and not re.search(r"[。○●]|(?:部|課|室|局|所|館|係)$", line.head)
        and not find_periods(line.head)
        and _KANA.search(line.head.replace(town, "") if town else line.head)
    ]
    kept: dict[str, str] = {}
    for printed, end in candidates:
        mark = rf"^[ \t\f]*{_pattern(printed, town)}{end}"
        if mark in kept.values() or any(other.startswith(printed) for other in kept):
            continue
        if len(kept) < _MARKS and re.search(mark, text, re.M):
            kept[printed] = mark
    return list(kept.values()) or [r"\A"]


def _pattern(printed: str, town: str) -> str:
    """A printed line as a pattern: figures stand for any, blanks for any blanks, the town's name for any town."""
    pattern = ""
    for piece in re.split(r"(\s+|[\d元]+)", printed.replace(town, "\0") if town else printed):
        if not piece:
            continue
        if piece.isspace():
            pattern += r"\s+"
        elif re.fullmatch(r"[\d元]+", piece):
            pattern += r"[\d元]+"
        else:
            pattern += r"\S+?".join(_escaped(part) for part in piece.split("\0"))
    return pattern


def _escaped(text: str) -> str:
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)


def _head_rules(labels: Sequence[_Label], inspection: Inspection) -> list[str]:
    """Rules for the name, and for the department and the year where the general reader has not found them."""
    sheets = [s.reading.sheet for s in inspection.sheets if s.reading.sheet.kind == "programme"]
    texts = [view(inspection.document, sheet.spans[0]).text for sheet in sheets]
    rules = []
    for key, fields, found in (
        ("name", (_NAME,), [sheet.name for sheet in sheets]),
        ("department", (_DEPARTMENT, _DIVISION), [sheet.department for sheet in sheets]),
        ("year", (_YEAR,), [str(sheet.fiscal_year or "") for sheet in sheets]),
    ):
        told = [label for label in labels if label.field in fields and (label.known or label.similarity >= LIKELY)]
        if not told:
            continue
        label = max(told, key=lambda one: (one.field == fields[0], one.similarity))
        rule = _rule(key, label, texts, found)
        if key == "name" or not all(found) or not found or _right(rule, texts, found) == len(found):
            rules.append(f"{key} = {_quoted(rule)}")
    return rules


def _rule(key: str, label: _Label, texts: Sequence[str], found: Sequence[str]) -> str:
    """Of the ways a value may stand behind its label the one that gives most sheets the value they were read with."""
    edge, value = (r"(?:^|\t)", r"[^\t\n]+") if label.tabbed else ("^[ ]*", r"[^\n]+")
    group = f"(?P<{key}>" if key != "year" else "("
    before = edge + _pattern(label.text, "") + r"[\s:]+"
    plain = value if key != "year" else r"\S+"
    ways = [f"{before}{group}{plain})", rf"{before}[\d-]+\s+{group}{plain})"]
    for stop in [one for text in texts[:1] for one in _after(text, label)]:
        ways += [rf"{before}{group}[^\n]+?)(?=[ \t]+{stop})", rf"{before}[\d-]+\s+{group}[^\n]+?)(?=[ \t]+{stop})"]
    return max(ways, key=lambda way: _right(way, texts, found))


def _right(rule: str, texts: Sequence[str], found: Sequence[str]) -> int:
    """How many sheets a rule gives the value they were read with."""
    hits = [compiled(rule).search(text) for text in texts]
    return sum(hit is not None and squeeze(hit[1]) == squeeze(told) for hit, told in zip(hits, found, strict=True))


def _after(text: str, label: _Label) -> Iterator[str]:
    """Patterns of the words that a known field's label begins with, later in the label's own line."""
    line = re.search(rf"^[^\n]*{_pattern(label.text, '')}[ \t:]+([^\n]*)$", text, re.M)
    for word in re.split(r"[ \t:]+", line[1]) if line is not None else ():
        if canonical(word) is not None:
            yield _pattern(word, "")


def _line_labels(labels: Sequence[_Label]) -> list[str]:
    lines = ["# 確認: 上から順に、シートに印刷されている順で。field は hyoka forms の「欄」の名前。"]
    for label in labels:
        if _at_line(label):
            lines += [
                "[[label]]",
                f"text = {_quoted(label.text)}",
                f"field = {_quoted(label.field or OTHER)}{_doubt(label)}",
            ]
    return lines


def _at_line(label: _Label) -> bool:
    return label.first and kind_of(label.field) != "group"


def _cell_labels(labels: Sequence[_Label]) -> list[str]:
    lines = ["# この様式だけで使うラベル = 欄。ほかの様式でも使うものは fields.toml に足す。", "[labels]"]
    for label in labels:
        if not label.known:
            off = "" if label.similarity >= LIKELY else "# "
            lines.append(f"{off}{_quoted(label.text)} = {_quoted(label.field or OTHER)}{_doubt(label)}")
    return lines


def _doubt(label: _Label) -> str:
    if label.known:
        return ""
    return f"  # 確認: 似ている欄（{label.similarity:.2f}）" if label.field else "  # 確認: 似ている欄がありません"


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
