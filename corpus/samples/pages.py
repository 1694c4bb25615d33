"""The Word file and the web page: the two forms that other software writes and people read on a screen."""

from __future__ import annotations

from html import escape
from pathlib import Path

from docx import Document as WordDocument
from docx.oxml.ns import qn

from corpus.samples.content import FUNDS, Programme, era

FUND_NAMES = dict(zip(FUNDS, ("国庫支出金", "都支出金", "特別区債", "その他", "一般財源"), strict=True))
HOKUTO_RATINGS = ("指標の達成状況", "改善に向けた取組", "区が実施する必要性", "総合評価")


def write_word(path: Path, programmes: tuple[Programme, ...], year: int) -> None:
    """主要施策の成果: a heading, a table and some paragraphs for each programme of the form ``word``."""
    word = WordDocument()
    word.styles["Normal"].font.name = "MS Mincho"
    word.styles["Normal"].element.rPr.rFonts.set(qn("w:eastAsia"), "ＭＳ 明朝")
    word.core_properties.author = "hyoka samples (invented)"
    town = programmes[0].municipality
    word.add_heading(f"{town}　{era(year)}　主要施策の成果", level=1)
    word.add_paragraph(f"地方自治法第233条第5項の規定により、{era(year)}における主要な施策の成果を報告します。")
    for sheet in programmes:
        if sheet.form != "word" or year not in sheet.reports:
            continue
        report, actual, plan = sheet.reports[year], sheet.costs(year, "actual"), sheet.costs(year, "plan")
        before, coming = sheet.costs(year - 1, "actual"), sheet.costs(year + 1, "plan")
        word.add_heading(f"施策名　{sheet.name(year)}", level=2)
        table = word.add_table(rows=0, cols=4)
        table.style = "Table Grid"

        def row(*cells: str, grid: object = table) -> None:
            made = grid.add_row().cells  # type: ignore[attr-defined]
            for cell, text in zip(made, cells, strict=False):
                cell.text = text
            if len(cells) == 2:
                made[1].merge(made[3])

        row("事業名", sheet.name(year))
        row("担当課", sheet.department, "担当係", sheet.unit)
        row("開始", sheet.since, "実施方法", sheet.method)
        row("目的", sheet.purpose)
        row("対象", sheet.target)
        row("内容", sheet.content)
        row("成果", report.did)
        row(f"{era(year)}当初予算額", f"{plan.amount:,}千円")
        row("区分（千円）", f"{era(year - 1)}決算", f"{era(year)}決算", f"{era(year + 1)}予算")
        row("事業費", *(f"{one.amount:,}" for one in (before, actual, coming)))
        row("うち一般財源", *(f"{one.funds[-1]:,}" for one in (before, actual, coming)))
        row("人件費", *(f"{one.staff_cost:,}" for one in (before, actual, coming)))
        row("総事業費", *(f"{one.total:,}" for one in (before, actual, coming)))
        row("指標名", f"{era(year - 1)}実績", f"{era(year)}目標", f"{era(year)}実績")
        for one in (*sheet.activities, *sheet.outcomes):
            row(f"{one.name}（{one.unit}）", one.result(year - 1), one.goal(year), one.result(year))
        row("総合評価", report.ratings[3])
        row("評価の理由", report.reason)
        if report.missed:
            row("目標に届かなかった理由", report.missed)
        row("課題", report.issue)
        row("今後の方向性", report.direction)
        row("今後の計画", report.plan)
        word.add_paragraph("")
    word.save(str(path))


def _table(rows: list[list[str]], head: bool = True) -> str:
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(
            f"<{'th' if column == 0 or (head and number == 0) else 'td'}>{escape(cell)}"
            f"</{'th' if column == 0 or (head and number == 0) else 'td'}>"
            for column, cell in enumerate(row)
        )
        lines.append(f"<tr>{cells}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def write_html(path: Path, programmes: tuple[Programme, ...], year: int) -> None:
    """A ward's web page with one article a programme."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="ja">',
        "<head>",
        '<meta charset="utf-8">',
        f"<title>{programmes[0].municipality} {era(year)} 事務事業評価</title>",
        "<style>table{border-collapse:collapse}th,td{border:1px solid #666;padding:.3em}</style>",
        "</head>",
        "<body>",
        "<nav><ul><li>トップページ</li><li>区政情報</li><li>行政評価</li></ul></nav>",
        f"<h1>{programmes[0].municipality} {era(year)} 事務事業評価</h1>",
        "<p>区が行う事務事業について、前年度の実績を評価した結果を公表します。</p>",
    ]
    years = (year - 1, year, year + 1)
    for sheet in programmes:
        if year not in sheet.reports:
            continue
        report = sheet.reports[year]
        costs = [sheet.costs(one, "actual" if one <= year else "plan") for one in years]
        basics = [
            ["事務事業名", sheet.name(year)],
            ["担当組織", sheet.department],
            ["事業整理番号", sheet.number.replace(" ", "")],
            ["事業開始年度", sheet.since],
            ["運営形態", sheet.method],
            ["根拠法令", sheet.law],
            ["実施の対象", sheet.target],
            ["事業の目的", sheet.purpose],
            ["事業概要", sheet.content],
            [f"{era(year)}の取組内容", report.did],
        ]
        money = [
            ["区分（千円）", *(f"{era(one.year)}{'決算' if one.kind == 'actual' else '予算'}" for one in costs)],
            ["事業費", *(f"{one.amount:,}" for one in costs)],
            *([FUND_NAMES[fund], *(f"{one.funds[place]:,}" for one in costs)] for place, fund in enumerate(FUNDS)),
            ["人件費", *(f"{one.staff_cost:,}" for one in costs)],
            ["総事業費", *(f"{one.total:,}" for one in costs)],
        ]
        results = [
            ["指標", "単位", f"{era(year - 1)}実績", f"{era(year)}計画", f"{era(year)}実績", f"{era(year + 1)}計画"]
        ]
        for kind, indicators in (("活動指標", sheet.activities), ("成果指標", sheet.outcomes)):
            for one in indicators:
                values = [one.result(year - 1), one.goal(year), one.result(year), one.goal(year + 1)]
                results.append([f"{kind}：{one.name}", one.unit, *values])
        checks = [list(pair) for pair in zip(HOKUTO_RATINGS, report.ratings, strict=True)]
        checks += [["評価の根拠", report.reason], ["未達成の理由", report.missed or "－"], ["課題", report.issue]]
        checks += [["今後の方向性", report.direction], ["今後の取組方針", report.plan]]
        parts += [
            f'<article id="{sheet.key}">',
            f"<h2>{escape(sheet.name(year))}</h2>",
            _table(basics, head=False),
            f"<h3>事業費の推移（{era(year)}予算額 {sheet.costs(year, 'plan').amount:,}千円）</h3>",
            _table(money),
            "<h3>指標</h3>",
            _table(results),
            "<h3>評価と今後の方向性</h3>",
            _table(checks, head=False),
            "</article>",
        ]
    parts += ["<footer>北都区役所　政策部企画調整課</footer>", "</body>", "</html>", ""]
    path.write_bytes("\n".join(parts).encode("utf-8"))
