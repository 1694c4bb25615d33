"""The ruled-table PDFs: one page a sheet (plan, do, check, action), and the progress report on systems.

The Japanese font is one that every PDF viewer has (a CID font), so no font file is shipped and files stay small.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from corpus.samples.content import FUNDS, Costs, Indicator, Programme, System, SystemReport, era

FONT = "HeiseiKakuGo-W5"
FUND_NAMES = dict(zip(FUNDS, ("国庫支出金", "県支出金", "地方債", "その他特定財源", "一般財源"), strict=True))
RATING_NAMES = ("妥当性", "有効性", "効率性", "総合評価")
SYSTEM_RATINGS = {"Ａ": "Ａ：適切", "Ｂ": "Ｂ：おおむね適切", "Ｃ": "Ｃ：改善の余地あり", "－": "－"}

# Without this reportlab writes the time and a random id into every file.
rl_config.invariant = 1
pdfmetrics.registerFont(UnicodeCIDFont(FONT))

BODY = ParagraphStyle("body", fontName=FONT, fontSize=8, leading=10.5, wordWrap="CJK")
RIGHT = ParagraphStyle("right", parent=BODY, alignment=TA_RIGHT)
CENTER = ParagraphStyle("center", parent=BODY, alignment=TA_CENTER)
HEAD = ParagraphStyle("head", parent=BODY, fontSize=13, leading=18)
TEXT = ParagraphStyle("text", parent=BODY, fontSize=10, leading=16)
LABEL = colors.HexColor("#e8eef4")
GRID = ("GRID", (0, 0), (-1, -1), 0.5, colors.black)


def _p(text: str, style: ParagraphStyle = BODY) -> Paragraph:
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


def _number(value: int) -> str:
    return f"▲{-value:,}" if value < 0 else f"{value:,}"


def _label_table(rows: list[tuple[str, str]], width: float = 180) -> Table:
    cells = [[_p(label), _p(value)] for label, value in rows]
    style = [GRID, ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("BACKGROUND", (0, 0), (0, -1), LABEL)]
    return Table(cells, colWidths=[34 * mm, (width - 34) * mm], style=style)


def _title_table(sheet: Programme, year: int) -> Table:
    division, _, section = sheet.department.partition(" ")
    rows = [
        ["事業番号", sheet.number, "事務事業名", sheet.name(year)],
        ["所管部", division, "所管課", section],
        ["担当係", sheet.unit, "担当者名", sheet.person],
        ["総合計画の施策", sheet.policy, "根拠法令等", sheet.law],
        ["事業開始", sheet.since, "実施方法", sheet.method],
        ["評価対象年度", era(year), "評価実施年度", era(year + 1)],
    ]
    style = [GRID, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    style += [("BACKGROUND", (column, 0), (column, -1), LABEL) for column in (0, 2)]
    widths = [26 * mm, 60 * mm, 26 * mm, 68 * mm]
    return Table([[_p(cell) for cell in row] for row in rows], colWidths=widths, style=style)


def _indicator_table(sheet: Programme, year: int) -> Table:
    years = (year - 1, year, year + 1)
    header = ["区分", "指標名", "単位", "", *(era(one) for one in years)]
    rows = [[_p(cell, CENTER) for cell in header]]
    style = [GRID, ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("BACKGROUND", (0, 0), (-1, 0), LABEL)]
    both: list[tuple[str, Indicator]] = [("活動指標", one) for one in sheet.activities]
    both += [("成果指標", one) for one in sheet.outcomes]
    for kind, one in both:
        top = len(rows)
        name = one.name + (f"\n※{one.note}" if one.note else "")
        rows.append(
            [_p(kind), _p(name), _p(one.unit, CENTER), _p("目標", CENTER), *(_p(one.goal(y), RIGHT) for y in years)]
        )
        results = [_p(one.result(y) if y <= year else "", RIGHT) for y in years]
        rows.append(["", "", "", _p("実績", CENTER), *results])
        style += [("SPAN", (column, top), (column, top + 1)) for column in (0, 1, 2)]
    widths = [18 * mm, 72 * mm, 16 * mm, 14 * mm, 20 * mm, 20 * mm, 20 * mm]
    return Table(rows, colWidths=widths, style=style)


def _cost_table(sheet: Programme, year: int) -> Table:
    years = (year - 1, year, year + 1)
    settled: list[Costs] = [sheet.costs(one, "actual" if one <= year else "plan") for one in years]
    rows: list[list[str]] = [["", "区分（単位：千円）", *(era(one) for one in years)]]
    rows.append(["事業費", "予算額", *(_number(sheet.costs(one, "plan").amount) for one in years)])
    rows.append(["", "決算額", *(_number(one.amount) if one.kind == "actual" else "－" for one in settled)])
    for place, fund in enumerate(FUNDS):
        rows.append(
            ["財源内訳" if place == 0 else "", FUND_NAMES[fund], *(_number(one.funds[place]) for one in settled)]
        )
    rows.append(["人件費", "従事職員数（人）", *(f"{one.staff:.1f}" for one in settled)])
    rows.append(["", "人件費", *(_number(one.staff_cost) for one in settled)])
    rows.append(["総事業費", "事業費＋人件費", *(_number(one.total) for one in settled)])
    cells = [[_p(cell, RIGHT if column > 1 else BODY) for column, cell in enumerate(row)] for row in rows]
    style = [GRID, ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("BACKGROUND", (0, 0), (-1, 0), LABEL)]
    style += [("SPAN", (0, 1), (0, 2)), ("SPAN", (0, 3), (0, 7)), ("SPAN", (0, 8), (0, 9))]
    return Table(cells, colWidths=[26 * mm, 46 * mm, 36 * mm, 36 * mm, 36 * mm], style=style)


def _rating_table(ratings: tuple[str, ...]) -> Table:
    cells = [[cell for pair in zip(RATING_NAMES, ratings, strict=True) for cell in pair]]
    style = [GRID] + [("BACKGROUND", (column, 0), (column, 0), LABEL) for column in (0, 2, 4, 6)]
    widths = [28 * mm, 17 * mm] * 4
    return Table([[_p(cell, CENTER) for cell in row] for row in cells], colWidths=widths, style=style)


def write_programmes(path: Path, programmes: tuple[Programme, ...], year: int) -> None:
    """One page a programme, for those that report on ``year``."""
    story: list[object] = []
    for sheet in programmes:
        if year not in sheet.reports:
            continue
        report = sheet.reports[year]
        if story:
            story.append(PageBreak())
        gap = Spacer(1, 2 * mm)
        story += [
            _p(f"{sheet.municipality} {era(year + 1)} 事務事業評価シート（{era(year)}実績）", HEAD),
            _title_table(sheet, year),
            gap,
            _p("１ 事業の概要（PLAN）"),
            _label_table([("目的", sheet.purpose), ("対象", sheet.target), ("事業内容", sheet.content)]),
            gap,
            _p("２ 事業の実施（DO）"),
            _label_table([(f"{era(year)}の取組実績", report.did)]),
            gap,
            _indicator_table(sheet, year),
            _p("※事業費の推移（財源内訳は決算額、最終年度は予算額の内訳）"),
            _cost_table(sheet, year),
            gap,
            _p("３ 事業の評価（CHECK）"),
            _rating_table(report.ratings),
            gap,
            _label_table([("評価の理由", report.reason), ("目標未達成の理由", report.missed or "－")]),
            gap,
            _p("４ 今後の方向性（ACTION）"),
            _label_table([("課題", report.issue), ("今後の方向性", report.direction), ("今後の取組", report.plan)]),
        ]
    _build(path, story, f"{programmes[0].municipality} 事務事業評価シート {era(year)}実績")


def _system_table(system: System, first: int) -> Table:
    years = [f"Ｒ{first - 2018 + place}年度" for place in range(3)]
    rows: list[list[str]] = [
        ["システム名", system.name, "", ""],
        ["担当課名", system.department, "", ""],
        ["業務システムの課題", system.issue, "", ""],
        ["業務システムの目指す姿", system.aim, "", ""],
        ["事業段階", system.stage, "", ""],
        ["", *years],
        ["予算額（円）", *(_number(one) for one in system.budget)],
        ["決算額（円）", *(_number(one) for one in system.actual)],
        ["取組状況", f"{years[2]}の取組予定内容", f"{years[2]}の業績評価指標", f"{years[2]}実績"],
        ["", system.tasks, system.kpi, system.done],
        ["目標達成状況", "目標達成指標", "基準値", "実績"],
        ["", system.goal, system.base, system.result],
        ["評価", f"{years[2]}取組状況の評価", "", "目標達成状況の評価（総括）"],
        ["", SYSTEM_RATINGS[system.ratings[2]], "", SYSTEM_RATINGS[system.ratings[3]]],
        ["評価理由", system.reason, "", ""],
        ["今後の計画", system.plan, "", ""],
    ]
    amounts = (6, 7)
    cells = [
        [_p(cell, RIGHT if line in amounts and column else BODY) for column, cell in enumerate(row)]
        for line, row in enumerate(rows)
    ]
    style = [GRID, ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("BACKGROUND", (0, 0), (0, -1), LABEL)]
    style += [("SPAN", (1, line), (3, line)) for line in (0, 1, 2, 3, 4, 14, 15)]
    style += [("SPAN", (0, 8), (0, 9)), ("SPAN", (0, 10), (0, 11)), ("SPAN", (0, 12), (0, 13))]
    style += [("SPAN", (1, line), (2, line)) for line in (12, 13)]
    return Table(cells, colWidths=[38 * mm, 48 * mm, 46 * mm, 48 * mm], style=style)


def _summary_table(report: SystemReport, all_years: bool) -> Table:
    first = report.fiscal_year - 2 - 2018
    years = [f"Ｒ{first + place}" for place in range(3)] if all_years else [f"Ｒ{first + 2}"]
    rows = [["No.", "システム名", "担当課", *years, "総括"]]
    for number, system in enumerate(report.systems, start=1):
        ratings = system.ratings if all_years else system.ratings[2:]
        rows.append([str(number), system.name, system.department, *ratings])
    style = [GRID, ("BACKGROUND", (0, 0), (-1, 0), LABEL)]
    widths = [12 * mm, 62 * mm, 42 * mm, *([14 * mm] * len(years)), 16 * mm]
    return Table([[_p(cell) for cell in row] for row in rows], colWidths=widths, style=style)


def write_system_report(path: Path, report: SystemReport) -> None:
    """The progress report: front matter, summary table, one page a system, an appendix and a glossary."""
    year = era(report.fiscal_year)
    story: list[object] = [
        _p(report.title, HEAD),
        _p("はじめに", HEAD),
        _p(report.intro, TEXT),
        _p("第１章 評価の結果", HEAD),
        _p(report.result, TEXT),
        _p(report.following, TEXT),
        _p("評価の基準は、Ａ：適切、Ｂ：おおむね適切、Ｃ：改善の余地あり、Ｄ：見直しの是非を検討の４段階です。", TEXT),
        PageBreak(),
        _p(f"表１ {year} 評価結果一覧", HEAD),
        _summary_table(report, all_years=False),
    ]
    for system in report.systems:
        story += [
            PageBreak(),
            _p("第２章 個別システムの進捗状況", CENTER),
            _system_table(system, report.fiscal_year - 2),
            Spacer(1, 3 * mm),
            _p("＜情報政策課の所見＞"),
            _p(system.opinion),
        ]
    story += [PageBreak(), _p("参考資料 年度別の評価結果", HEAD), _summary_table(report, all_years=True)]
    story += [PageBreak(), _p("用語集", HEAD)]
    for term, text in report.glossary:
        story += [_p(f"◆ {term}", TEXT), _p(text, TEXT)]
    _build(path, story, report.title)


def _build(path: Path, story: list[object], title: str) -> None:
    def page_number(canvas: object, document: object) -> None:
        canvas.setFont(FONT, 8)  # type: ignore[attr-defined]
        canvas.drawCentredString(A4[0] / 2, 8 * mm, f"- {canvas.getPageNumber()} -")  # type: ignore[attr-defined]

    margins = dict(leftMargin=15 * mm, rightMargin=15 * mm, topMargin=12 * mm, bottomMargin=14 * mm)
    pages = SimpleDocTemplate(str(path), pagesize=A4, title=title, author="hyoka samples (invented)", **margins)
    pages.build(story, onFirstPage=page_number, onLaterPages=page_number)
