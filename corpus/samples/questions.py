"""Writes the curated questions on the bundled sheets: ``python -m corpus.samples.questions evals/cases/bundled.jsonl``.

The questions are written by hand in ``content/questions.toml``; amounts, sums and lists in their gold are computed
from the same truth as the sheets, so that a changed figure cannot leave a wrong gold behind.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from corpus.samples.content import CONTENT
from corpus.samples.truth import collect

_TERM = re.compile(r"(?:^=|\s([+-])\s)([^\s/]+)/([^\s/]+)/(\d{4})")


def forms_of(yen: int) -> list[str]:
    """The ways an amount may be written in an answer, without commas: 257,733,000 -> 円, 千円, 万円, 億."""
    forms = [str(yen)]
    if yen % 1000 == 0 and yen >= 1_000_000:
        forms.append(f"{yen // 1000:,}")
    ten_thousands = yen // 10_000
    if ten_thousands:
        forms.append(f"{ten_thousands:,}万")
    if ten_thousands >= 10_000:
        forms.append(f"{ten_thousands // 10_000}億{ten_thousands % 10_000:,}万")
    return forms


def _amount(sheets: dict[str, dict[str, Any]], key: str, label: str, year: int) -> int:
    amounts = sheets[key]["amounts"]
    found = [row["yen"] for row in amounts if row["label"] == label and row["year"] == year]
    if label in ("国庫支出金", "一般財源"):
        found = [
            row["yen"] for row in amounts if row["label"] == label and row["year"] == year and row["kind"] == "actual"
        ]
    if len(set(found)) != 1:
        raise KeyError(f"{key}/{label}/{year}: {found}")
    return int(found[0])


def _computed(sheets: dict[str, dict[str, Any]], expression: str) -> int:
    """``=a/決算額/2023 - b/決算額/2023`` as an amount in 円."""
    total = 0
    for sign, key, label, year in _TERM.findall(expression):
        value = _amount(sheets, key, label, int(year))
        total += -value if sign == "-" else value
    return total


def _picked(sheets: dict[str, dict[str, Any]], pick: dict[str, Any]) -> list[dict[str, Any]]:
    """The sheets that match every key of ``pick``, in the order of the truth."""
    found = []
    for sheet in sheets.values():
        wanted = {
            "municipality": sheet["municipality"],
            "year": sheet["fiscal_year"],
            "department": sheet["department"],
        }
        if "rating" in pick and sheet["ratings"].get(pick["rating"]) != pick["value"]:
            continue
        if "text" in pick and sheet["texts"].get(pick["text"]) != pick["value"]:
            continue
        if all(key not in pick or pick[key] == value for key, value in wanted.items()):
            found.append(sheet)
    if not found:
        raise KeyError(f"no sheet for {pick}")
    return found


def _gold_name(sheet: dict[str, Any], places: dict[str, set[tuple[str, str]]]) -> str:
    """The printed name, with its department or municipality where another sheet has the same one."""
    name: str = sheet["sheet"]
    others = places[name]
    if len({municipality for municipality, _ in others}) > 1:
        return f"{name}@{sheet['municipality']}"
    return f"{name}@{sheet['department']}" if len(others) > 1 else name


def _short_forms(name: str) -> list[str]:
    """A name as printed and without what stands in brackets at its end."""
    return list(dict.fromkeys((name, re.sub(r"（[^（）]*）$", "", name))))


def questions() -> list[dict[str, Any]]:
    """Every question with its gold in the format of the question files."""
    sheets = {sheet["id"]: sheet for sheet in collect()["sheets"]}
    places: dict[str, set[tuple[str, str]]] = {}
    for sheet in sheets.values():
        places.setdefault(sheet["sheet"], set()).add((sheet["municipality"], sheet["department"]))
    data = tomllib.loads((CONTENT / "questions.toml").read_text(encoding="utf-8"))
    rows = []
    for number, row in enumerate(data["question"], start=1):
        gold, must = list(row.get("sheets", ())), []
        towns = list(row.get("municipality", ()))
        for form in row.get("must", ()):
            must.append(forms_of(_computed(sheets, form)) if isinstance(form, str) else form)
        if "pick" in row:
            picked = _picked(sheets, row["pick"])
            gold = list(dict.fromkeys(_gold_name(sheet, places) for sheet in picked))
            must += [_short_forms(name) for name in dict.fromkeys(sheet["sheet"] for sheet in picked)]
            towns = list(dict.fromkeys(sheet["municipality"] for sheet in picked))
        rows.append(
            {
                "id": f"bd-{number:03d}",
                "type": row["type"],
                "question": row["question"],
                "history": row.get("history", []),
                "municipality": towns,
                "sheets": gold,
                "sections": row.get("sections", []),
                "evidence": row.get("evidence", []),
                "answer": {"must": must, "must_not": row.get("must_not", [])},
                "unanswerable": row["type"] == "unanswerable",
                "note": row.get("note", ""),
            }
        )
    return rows


def main() -> None:
    """Writes the file named on the command line and prints the counts by type."""
    rows = questions()
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    Path(sys.argv[1]).write_bytes(("\n".join(lines) + "\n").encode("utf-8"))
    print(len(rows), dict(Counter(row["type"] for row in rows)))


if __name__ == "__main__":
    main()
