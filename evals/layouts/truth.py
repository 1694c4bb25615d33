"""What a generated sheet says: programmes with their department, amounts and indicators, known before they are printed."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from corpus.samples.content import Programme, load_programmes

TOWNS = ("みなと野市", "碧原市", "白砂町", "東雲村", "常陽台市", "川和区", "北山手町", "すずかけ市")
LAWS = ("地方自治法", "みどりの条例", "補助金等交付規則", "高齢者の医療の確保に関する法律", "なし")
METHODS = ("直営", "一部委託", "全部委託", "補助・助成", "指定管理")
PLANS = ("拡充", "現状のまま継続", "改善して継続", "縮小", "統合", "休止・廃止")
PEOPLE = ("山本 花子", "佐々木", "係長 大野", "高田 次郎")


@dataclass(frozen=True, slots=True)
class TrueIndicator:
    """An indicator with (fiscal year, actual, target) rows; a figure that is not known is None."""

    name: str
    unit: str
    years: tuple[tuple[int, float | None, float | None], ...]


@dataclass(frozen=True, slots=True)
class TrueSheet:
    """One programme in one fiscal year. ``budget`` and ``settled`` are 円 by fiscal year; ``parts`` split them by source."""

    name: str
    town: str
    division: str
    section: str
    year: int
    purpose: str
    content: str
    since: int
    budget: dict[int, int]
    settled: dict[int, int]
    staff_cost: dict[int, int]
    shares: tuple[float, float]
    indicators: tuple[TrueIndicator, ...]
    law: str
    method: str
    plan: str
    person: str
    ratings: tuple[str, str, str, str]
    code: str


def review_sheets(path: Path, count: int, seed: int) -> list[TrueSheet]:
    """``count`` programmes out of the open review sheets (``judgit-sheets.jsonl.gz``): real names, texts and figures."""
    rng = Random(f"truth-{seed}")
    found: list[TrueSheet] = []
    seen: set[str] = set()
    for record in _records(path, rng):
        sheet = _from_record(record, rng)
        if sheet is not None and sheet.name not in seen:
            seen.add(sheet.name)
            found.append(sheet)
        if len(found) == count:
            break
    return found


def invented_sheets(count: int, seed: int) -> list[TrueSheet]:
    """The same out of the programmes that come with hyoka, which are invented; for machines without the open data."""
    rng = Random(f"truth-{seed}")
    towns = ("minatomi", "sakurazaka", "hokuto")
    programmes = [(p, year) for town in towns for p in load_programmes(town) for year in sorted(p.reports)]
    rng.shuffle(programmes)
    return [_from_programme(*programmes[i % len(programmes)], rng) for i in range(count)]


def _records(path: Path, rng: Random) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        lines = stream.readlines()
    rng.shuffle(lines)
    return (json.loads(line) for line in lines)


def _from_record(record: dict[str, Any], rng: Random) -> TrueSheet | None:
    year = int(record["year"]) - 1  # a review sheet reports on the year before
    division = re.split(r"\s", str(record.get("division") or ""))[0]
    money = {int(y): (b, e) for y, b, e in record.get("budget_million_yen") or []}
    budget = {y: round(b * 1_000_000) for y, (b, _) in money.items() if b}
    settled = {y: round(e * 1_000_000) for y, (_, e) in money.items() if e and y <= year}
    name, purpose, content = (str(record.get(k) or "") for k in ("name", "purpose", "overview"))
    plain = 4 <= len(name) <= 40 and not re.search(r"[\t\n〔\[:：]|変更後", name)
    if (
        not plain
        or not re.fullmatch(r"\w{2,14}[課室係班]", division)
        or len(settled) < 2
        or year not in settled
        or not budget
    ):
        return None
    if not 20 <= len(purpose) <= 400 or not 20 <= len(content) <= 500 or max(budget.values()) > 2e11:
        return None
    indicators = [
        TrueIndicator(o["name"], o["unit"], tuple((int(y), a, t) for y, a, t in o["years"] if int(y) <= year))
        for o in record.get("outcomes") or []
        if o.get("name")
        and 4 <= len(o["name"]) <= 30
        and re.fullmatch(r"[^\d\s]{1,4}", o.get("unit") or "")
        and not re.search(r"\d|[、。\n()（）「」]|左記|上記", o["name"])
        and len(o.get("years") or []) >= 2
    ]
    if not indicators and rng.random() < 0.8:
        return None  # most of the sheets should have something to read under their indicators
    return _completed(
        rng,
        name=name,
        division=re.sub(r"\s", "", str(record.get("bureau") or "")) or "総務部",
        section=division,
        year=year,
        purpose=re.sub(r"\s+", "", purpose),
        content=re.sub(r"\s+", "", content),
        since=int(record.get("start") or year - 5),
        budget=budget,
        settled=settled,
        indicators=tuple({one.name: one for one in indicators}.values())[:2],
    )


def _from_programme(programme: Programme, year: int, rng: Random) -> TrueSheet:
    division, _, section = programme.department.partition(" ")
    years = range(max(year - 2, programme.first_year), year + 1)
    budget = {y: programme.costs(y, "plan").amount * 1000 for y in years}
    settled = {y: programme.costs(y, "actual").amount * 1000 for y in years}
    indicators = tuple(
        TrueIndicator(
            one.name,
            one.unit,
            tuple((y, _number(one.result(y)), _number(one.goal(y))) for y in years),
        )
        for one in (programme.activities[0], programme.outcomes[0])
    )
    return _completed(
        rng,
        name=programme.name(year),
        division=division,
        section=section or division,
        year=year,
        purpose=programme.purpose,
        content=programme.content,
        since=year - 6,
        budget=budget,
        settled=settled,
        indicators=indicators,
    )


def _number(printed: str) -> float | None:
    try:
        return float(printed.replace(",", ""))
    except ValueError:
        return None


def _completed(rng: Random, **known: Any) -> TrueSheet:
    """What the source does not tell is drawn: staff costs, shares of the sources, ratings, the town."""
    years = sorted({*known["budget"], *known["settled"]})
    a, b, c = (rng.uniform(0.05, 0.6) for _ in range(3))
    return TrueSheet(
        **known,
        town=rng.choice(TOWNS),
        staff_cost={y: rng.randrange(1, 60) * 137_000 for y in years},
        shares=(round(a / (a + b + c), 2), round(b / (a + b + c), 2)),
        law=rng.choice(LAWS),
        method=rng.choice(METHODS),
        plan=rng.choice(PLANS),
        person=rng.choice(PEOPLE),
        ratings=(rng.choice("ABC"), rng.choice("ABC"), rng.choice("ABC"), rng.choice("ABCD")),
        code=f"{rng.randrange(10, 99)}-{rng.randrange(1, 40):02d}",
    )
