"""What the bundled sheets say, from the same content that they were written from: the gold for tests and questions."""

from __future__ import annotations

from typing import Any

from corpus.samples.content import FUNDS, Costs, Programme, load_programmes, load_system_report

MINATOMI = ("国庫支出金", "県支出金", "地方債", "その他特定財源", "一般財源")
SAKURAZAKA = ("国庫支出金", "県支出金", "地方債", "その他", "一般財源")
HOKUTO = ("国庫支出金", "都支出金", "特別区債", "その他", "一般財源")
RATINGS = {
    "湊見市": ("妥当性", "有効性", "効率性", "総合評価"),
    "桜坂町": ("必要性", "有効性", "効率性", "総合評価"),
    "北都区": ("指標の達成状況", "改善に向けた取組", "区が実施する必要性", "総合評価"),
}


def _file(sheet: Programme, year: int) -> str:
    short = f"r{year - 2018}"
    if sheet.municipality == "湊見市":
        return f"minatomi_jimujigyo_{short}.pdf"
    if sheet.municipality == "桜坂町":
        return f"sakurazaka_seika_{short}.docx" if sheet.form == "word" else f"sakurazaka_chosho_{short}.xlsx"
    return f"hokuto_hyoka_{short}." + ("txt" if year == 2023 else "html")


def _amount(label: str, year: int, kind: str, thousands: int) -> dict[str, Any]:
    return {"label": label, "year": year, "kind": kind, "yen": thousands * 1000}


def _funds(columns: list[Costs], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        _amount(names[place], one.year, one.kind, one.funds[place]) for one in columns for place in range(len(FUNDS))
    ]


def _amounts(sheet: Programme, year: int) -> list[dict[str, Any]]:
    """Every amount that the sheet prints, in 円."""
    before, now, coming = (sheet.costs(year - 1, "actual"), sheet.costs(year, "actual"), sheet.costs(year + 1, "plan"))
    columns = [before, now, coming]
    budgets = [sheet.costs(one, "plan") for one in (year - 1, year, year + 1)]
    if sheet.form == "word" or sheet.municipality == "北都区" and year == 2024:
        budgets = budgets[1:]
    rows = [_amount("予算額", one.year, "plan", one.amount) for one in budgets]
    rows += [_amount("決算額", one.year, "actual", one.amount) for one in (before, now)]
    if sheet.form == "word":
        rows += [_amount("一般財源", one.year, one.kind, one.funds[-1]) for one in columns]
    elif sheet.municipality == "北都区" and year == 2023:
        printed = [sheet.costs(year - 1, "plan"), before, sheet.costs(year, "plan"), now, coming]
        wanted = (1, 3, 4) if not any(sheet.funds["national"]) else (0, 1, 3, 4)
        names = {0: "国庫支出金", 1: "都支出金", 3: "地方債・その他", 4: "一般財源"}
        rows += [_amount(names[place], one.year, one.kind, one.funds[place]) for place in wanted for one in printed]
    else:
        names_of = {"湊見市": MINATOMI, "桜坂町": SAKURAZAKA, "北都区": HOKUTO}
        rows += _funds(columns, names_of[sheet.municipality])
    rows += [_amount("人件費", one.year, one.kind, one.staff_cost) for one in columns]
    rows += [_amount("総事業費", one.year, one.kind, one.total) for one in columns]
    return rows


def _indicators(sheet: Programme, year: int) -> list[dict[str, Any]]:
    """The indicators with the goals and results that the sheet prints (an empty cell is "")."""
    goals: tuple[int, ...] = (year - 1, year, year + 1)
    if sheet.form == "word":
        goals = (year,)
    elif sheet.municipality == "北都区":
        goals = (year, year + 1)
    rows = []
    for kind, indicators in (("活動指標", sheet.activities), ("成果指標", sheet.outcomes)):
        for one in indicators:
            rows.append(
                {
                    "kind": kind,
                    "name": one.name,
                    "unit": one.unit,
                    "goals": {str(y): one.goal(y) for y in goals},
                    "results": {str(y): one.result(y) for y in (year - 1, year)},
                }
            )
    return rows


def _programme(sheet: Programme, year: int) -> dict[str, Any]:
    report = sheet.reports[year]
    ratings = dict(zip(RATINGS[sheet.municipality], report.ratings, strict=True))
    if sheet.form == "word":
        ratings = {"総合評価": report.ratings[3]}
    return {
        "id": f"{sheet.key}-{year}",
        "sheet": sheet.name(year),
        "municipality": sheet.municipality,
        "fiscal_year": year,
        "department": sheet.department,
        "file": _file(sheet, year),
        "person": sheet.person if sheet.municipality != "北都区" and sheet.form != "word" else "",
        "amounts": _amounts(sheet, year),
        "ratings": ratings,
        "indicators": _indicators(sheet, year),
        "texts": {
            "目的": sheet.purpose,
            "対象": sheet.target,
            "内容": sheet.content,
            "取組": report.did,
            "評価理由": report.reason,
            "未達成理由": report.missed,
            "課題": report.issue,
            "方向性": report.direction,
            "今後の計画": report.plan,
            "事業開始": sheet.since,
            "実施方法": sheet.method,
        },
    }


def collect() -> dict[str, Any]:
    """Every bundled sheet with its metadata, amounts in 円, ratings, indicators and texts."""
    sheets = []
    for name in ("minatomi", "sakurazaka", "hokuto"):
        programmes = load_programmes(name)
        sheets += [_programme(one, year) for year in (2023, 2024) for one in programmes if year in one.reports]
    report = load_system_report()
    first = report.fiscal_year - 2
    for system in report.systems:
        amounts: list[dict[str, Any]] = []
        for place in range(3):
            amounts.append({"label": "予算額", "year": first + place, "kind": "plan", "yen": system.budget[place]})
            amounts.append({"label": "決算額", "year": first + place, "kind": "actual", "yen": system.actual[place]})
        sheets.append(
            {
                "id": system.key,
                "sheet": system.name,
                "municipality": report.municipality,
                "fiscal_year": report.fiscal_year,
                "department": system.department,
                "file": "minatomi_system_r5.pdf",
                "person": "",
                "amounts": amounts,
                "ratings": {"取組状況の評価": system.ratings[2], "目標達成状況の評価": system.ratings[3]},
                "indicators": [
                    {
                        "kind": "目標達成指標",
                        "name": system.goal,
                        "unit": "",
                        "base": system.base,
                        "result": system.result,
                    }
                ],
                "texts": {
                    "課題": system.issue,
                    "目指す姿": system.aim,
                    "取組": system.tasks,
                    "業績評価指標": system.kpi,
                    "実績": system.done,
                    "評価理由": system.reason,
                    "今後の計画": system.plan,
                    "所見": system.opinion,
                },
            }
        )
    return {"note": "Invented municipalities, programmes, companies and people.", "sheets": sheets}
