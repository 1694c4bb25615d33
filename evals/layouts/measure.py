"""How well generated forms are read: ``python -m evals.layouts --forms 100:160``.

Every form is drawn by a seed and printed as text, PDF and Excel; hyoka reads the files without knowing the form, and what
it finds is compared with what was printed. A figure counts as right with its role, year, kind and value in 円.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.amounts import YEN
from corpus.documents import Fact, SheetReading
from corpus.errors import DocumentError
from corpus.normalize import squeeze
from corpus.readers import read_document
from corpus.reading import read_sheets
from evals.layouts.blocks import Kind, Press, Printed
from evals.layouts.design import Design, design
from evals.layouts.truth import TrueSheet, invented_sheets, review_sheets
from evals.layouts.writers import write_excel, write_pdf, write_text

MEDIA: dict[str, tuple[str, Callable[[Path, Design, list[Printed]], None]]] = {
    "text": (".txt", write_text),
    "pdf": (".pdf", write_pdf),
    "excel": (".xlsx", write_excel),
}
# Which facts speak of which printed row; 予算額 and 決算額 say their kind themselves.
_ROLES = {
    "予算額": "cost", "決算額": "cost", "事業費": "cost", "国庫支出金": "national", "県支出金": "pref", "一般財源": "general",
    "人件費": "staff", "総コスト": "total", "総事業費": "total",
}  # fmt: skip
_KINDS: dict[str, Kind] = {"予算額": "plan", "決算額": "actual"}
REVIEWS = Path(__file__).resolve().parents[3] / "shared" / "data" / "judgit-sheets.jsonl.gz"


@dataclass
class Score:
    """Counts over many sheets: of what was printed, what was found, and what of it was right."""

    counts: Counter[str] = field(default_factory=Counter)

    def share(self, right: str, of: str) -> float:
        """A share between 0 and 1; nan when there was nothing to find."""
        return self.counts[right] / self.counts[of] if self.counts[of] else float("nan")

    def shares(self) -> dict[str, float]:
        """Recall of names, departments, years and of the two texts (目的, 内容: whole and nothing else), figures both ways."""
        return {
            "name": self.share("name", "sheets"),
            "department": self.share("department", "sheets"),
            "year": self.share("year", "sheets"),
            "texts": self.share("texts right", "texts"),
            "amount precision": self.share("amounts right", "amounts found"),
            "amount recall": self.share("amounts right", "amounts"),
            "indicator precision": self.share("indicators right", "indicators found"),
            "indicator recall": self.share("indicators right", "indicators"),
        }


def measure(truth: Sequence[TrueSheet], seeds: Sequence[int], folder: Path, show: int = 0) -> dict[str, Score]:
    """Scores by medium over the forms of ``seeds``; ``show`` prints that many misses a form."""
    scores = {media: Score() for media in MEDIA}
    at = 0
    for seed in seeds:
        form = design(seed)
        chosen = [truth[(at + i) % len(truth)] for i in range(form.sheets)]
        at += form.sheets
        for media, (suffix, write) in MEDIA.items():
            printed = [Press(form).print(sheet) for sheet in chosen]
            path = folder / f"form{seed}{suffix}"
            write(path, form, printed)
            misses = _read(path, printed, scores[media])
            if show and misses:
                _say(
                    f"form {seed} {media}: {form.scramble if media == 'text' else ''} {form.head} | {form.money} | {form.indicators}"
                )
                for miss in misses[:show]:
                    _say(f"    {miss}")
    return scores


def _read(path: Path, printed: list[Printed], score: Score) -> list[str]:
    try:
        document = read_document(path)
        found = [reading for reading in read_sheets(document) if reading.sheet.kind == "programme"]
    except DocumentError as error:
        found = []
        _say(error.message)
    misses: list[str] = []
    left = list(found)
    for one in printed:
        wanted = squeeze(one.sheet.name)
        match = next((r for r in left if squeeze(r.sheet.name) == wanted), None)
        if match is None:
            # A sheet under another name still has to answer for its figures: the next in order is taken for it.
            index = printed.index(one)
            match = found[index] if len(found) == len(printed) and found[index] in left else None
            misses.append(f"name: {one.sheet.name} <- {[r.sheet.name for r in found]}")
        else:
            score.counts["name"] += 1
        if match is not None:
            left.remove(match)
        score.counts["sheets"] += 1
        misses += _compare(one, match, score)
    for reading in left:
        amounts = [f for f in reading.facts if f.field in _ROLES and f.value is not None]
        score.counts["amounts found"] += len(amounts)
        misses.append(f"too many: {reading.sheet.name} with {len(amounts)} amounts")
    return misses


def _compare(one: Printed, reading: SheetReading | None, score: Score) -> list[str]:
    misses: list[str] = []
    score.counts["amounts"] += len(one.amounts)
    score.counts["indicators"] += len(one.indicators)
    if reading is None:
        return [f"nothing of {one.sheet.name}"]
    sheet = reading.sheet
    department = squeeze(sheet.department)
    if department in (squeeze(one.sheet.section), squeeze(one.sheet.division + one.sheet.section)):
        score.counts["department"] += 1
    else:
        misses.append(f"department: {one.sheet.division} {one.sheet.section} <- {sheet.department}")
    if sheet.fiscal_year == one.sheet.year:
        score.counts["year"] += 1
    else:
        misses.append(f"year: {one.sheet.year} <- {sheet.fiscal_year}")
    for label, text in (("目的", one.sheet.purpose), ("内容", one.sheet.content)):
        score.counts["texts"] += 1
        if any(s.field == label and squeeze(s.text) == squeeze(text) for s in reading.sections):
            score.counts["texts right"] += 1
        else:
            misses.append(f"text: {label} <- {[s.text[:30] for s in reading.sections if s.field == label]}")
    misses += _figures(one, [f for f in reading.facts if f.value is not None], score)
    return misses


def _figures(one: Printed, facts: list[Fact], score: Score) -> list[str]:
    misses: list[str] = []
    got: set[tuple[str, int, Kind]] = set()
    for fact in facts:
        if fact.field not in _ROLES:
            continue
        role, kind = _ROLES[fact.field], _KINDS.get(fact.field, fact.kind)
        score.counts["amounts found"] += 1
        kinds: tuple[Kind, ...] = (kind, None)
        keys = [(role, fact.period.fiscal_year, k) for k in kinds] if fact.period is not None else []
        hit = next((key for key in keys if fact.unit == "円" and one.amounts.get(key) == round(fact.value or 0)), None)
        if hit is None:
            misses.append(
                f"wrong amount: {fact.field}/{fact.label} {fact.period and fact.period.label} {fact.kind} {fact.value} {fact.unit} {fact.text!r}"
            )
            continue
        score.counts["amounts right"] += hit not in got
        score.counts["amounts found"] -= hit in got
        got.add(hit)
    misses += [f"missing amount: {key} {value}" for key, value in one.amounts.items() if key not in got]
    seen: set[tuple[str, int, Kind]] = set()
    for fact in facts:
        if fact.field not in ("指標", "成果指標", "活動指標", "実績の推移") or fact.period is None:
            continue
        score.counts["indicators found"] += 1
        names = [n for n, _, _ in one.indicators if squeeze(n) in squeeze(fact.label)]
        name = max(names, key=len, default="")
        key = (name, fact.period.fiscal_year, fact.kind)
        unit = next((i.unit for i in one.sheet.indicators if i.name == name), "")
        # An odd unit (決議等数) that is left in the label is shown to the reader there; another one is wrong.
        shown = not fact.unit and squeeze(unit) in squeeze(fact.label)
        named = shown or squeeze(fact.unit) == squeeze("円" if unit in YEN else unit)
        if named and key in one.indicators and abs(one.indicators[key] - (fact.value or 0)) < 1e-6:
            score.counts["indicators right"] += key not in seen
            score.counts["indicators found"] -= key in seen
            seen.add(key)
        else:
            misses.append(
                f"wrong indicator: {fact.field}/{fact.label} {fact.period.label} {fact.kind} {fact.value} {fact.unit!r}"
            )
    misses += [f"missing indicator: {key} {value}" for key, value in one.indicators.items() if key not in seen]
    return misses


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table of shares by medium, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m evals.layouts", description=__doc__)
    parser.add_argument("--forms", default="0:30", help="seeds FROM:TO of the forms")
    parser.add_argument("--show", type=int, default=0, help="print so many misses a form")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--reviews", type=Path, default=REVIEWS, help="judgit-sheets.jsonl.gz")
    parser.add_argument("--keep", type=Path, help="leave the files in this folder")
    given = parser.parse_args(arguments)
    first, last = (int(part) for part in given.forms.split(":"))
    count = 4 * (last - first)
    truth = review_sheets(given.reviews, count, first) if given.reviews.exists() else invented_sheets(count, first)
    with tempfile.TemporaryDirectory() as made:
        folder = given.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        scores = measure(truth, range(first, last), folder, given.show)
    total = Score(sum((score.counts for score in scores.values()), Counter()))
    table = {media: score.shares() for media, score in [*scores.items(), ("all", total)]}
    if given.json:
        _say(json.dumps(table, ensure_ascii=False, indent=1))
        return
    names = list(total.shares())
    _say("       " + "  ".join(names) + "  sheets")
    for media, shares in table.items():
        counts = (scores.get(media) or total).counts
        _say(
            f"{media:6} "
            + "  ".join(f"{shares[name]:.3f}".rjust(len(name)) for name in names)
            + f"  {counts['sheets']}"
        )
