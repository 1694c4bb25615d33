"""Text as a PDF extractor leaves it: values before labels, labels broken over lines, widths mixed.

No file of this kind is ever tidy, and programmes that read evaluation sheets meet it more often than clean tables.
The disorder is the same for every sheet, as it is when one form is extracted many times.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from corpus.samples.content import Programme, era

LINE = 40


def _wide(text: str) -> str:
    """Digits as full-width ones: 令和5年度 -> 令和５年度."""
    return "".join(chr(ord(one) + 0xFEE0) if one.isascii() and one.isdigit() else one for one in text)


def _broken(text: str, width: int = LINE) -> str:
    """The text cut into lines of a fixed display width, in the middle of words."""
    lines, line, used = [], "", 0
    for one in text:
        size = 2 if unicodedata.east_asian_width(one) in "WF" else 1
        if used + size > width * 2:
            lines.append(line)
            line, used = "", 0
        line += one
        used += size
    return "\n".join([*lines, line])


def _change(goal: str, result: str) -> str:
    """達成率 as printed, "" where a cell is no number: ("16,000", "16,884") -> 105.5."""
    try:
        return f"{float(result.replace(',', '')) / float(goal.replace(',', '')) * 100:.1f}"
    except ValueError:
        return ""


def _sheet(sheet: Programme, year: int, number: int, count: int) -> str:
    report = sheet.reports[year]
    before, plan, now = sheet.costs(year - 1, "actual"), sheet.costs(year, "plan"), sheet.costs(year, "actual")
    coming = sheet.costs(year + 1, "plan")
    old_plan = sheet.costs(year - 1, "plan")
    columns = (old_plan, before, plan, now)
    r = year - 2018

    def amounts(name: str, place: int) -> str:
        values = " ".join(f"{one.funds[place]:,}" for one in columns)
        return f"{name} {values} {coming.funds[place]:,}".strip()

    activity, outcome = sheet.activities[0], sheet.outcomes[0]
    rate = f"{now.amount / plan.amount * 100:.1f}%"
    parts = [
        f"{era(year)}（{era(year + 1)}実施）事務事業評価表\n事業整理番号 {sheet.number}　　{number}／{count}",
        "財\n源\n内\n訳",
        f"{_wide(str(r - 1))}年度 {_wide(str(r))}年度 {_wide(str(r + 1))}年度\n予算 決算 予算 決算 執行率 予算\n増減\n（R{r}決算比）",
        "２．事業費の推移\n単位\n　　金額の項目：千円\n　　人数の項目：人",
        f"事務事業名 {sheet.name(year)} 担当組織 {sheet.department}",
        f"事業特性\n事業開始年度 {sheet.since} 運営形態 {sheet.method}\n根拠法令 {sheet.law}",
        f"１．事業の概要・指標の達成状況\n（１）実施の対象\n{_broken(sheet.target)}",
        f"（２）\n事業の目的・\n期待する効果\n{_broken(sheet.purpose)}",
        f"（３）事業概要\n{_broken(sheet.content)}",
        f"事業費 Ａ {old_plan.amount:,} {before.amount:,} {plan.amount:,} {now.amount:,} {rate} {coming.amount:,} "
        f"{coming.amount - now.amount:,}".replace(" -", " ▲"),
        amounts("国庫支出金", 0) if any(sheet.funds["national"]) else "国庫支出金 ― ― ― ― ―",
        amounts("都支出金", 1),
        amounts("地方債・その他", 3),
        amounts("一般財源", 4),
        f"人件費 Ｂ ― {before.staff_cost:,} ― {now.staff_cost:,} {coming.staff_cost:,}\n"
        f"正規職員人数※小数点第1位まで {before.staff:.1f} {now.staff:.1f} {coming.staff:.1f}\n"
        f"総事業費 Ａ＋Ｂ ― {before.total:,} ― {now.total:,} {coming.total:,}",
        f"(\n５\n)\n取\n組\n実\n績\n{era(year)}の取組内容\n{_broken(report.did)}",
        f"活動指標\n事業の\n実施状況\n目指す\n方向性 単位 {_wide(str(r - 1))}年度 {_wide(str(r))}年度 {_wide(str(r + 1))}年度\n"
        f"（実績） （計画） （実績） （達成率） （計画値）\n"
        f"① {activity.name} ↗ {activity.unit} {activity.result(year - 1)} {activity.goal(year)} "
        f"{activity.result(year)} {_change(activity.goal(year), activity.result(year))} {activity.goal(year + 1)}",
        f"成果指標\n事業目標\nの\n達成度\n"
        f"① {outcome.name} {'↘' if outcome.note.startswith('少ない') else '↗'} {outcome.unit} {outcome.result(year - 1)} "
        f"{outcome.goal(year)} {outcome.result(year)} {_change(outcome.goal(year), outcome.result(year))} "
        f"{outcome.goal(year + 1)}",
        f"達成状況 {'一部未達成' if report.missed else '達成'}\n未達成または\n一部未達成の理由\n{_broken(report.missed or 'なし')}",
        f"３．総合評価及び{era(year + 1)}以降に向けての対応・改善策",
        f"【指標の達成状況（a）】 {report.ratings[0]} 根拠\n{_broken(report.reason)}",
        f"【業務（事務）改善に向けての取組み（b）】 {report.ratings[1]}\n【区が実施する必要性（c）】 {report.ratings[2]}\n"
        f"総合評価（a＋b＋c） {report.ratings[3]}",
        f"①目標に対する成果状況を踏まえた課題\n{_broken(report.issue)}",
        f"今後の事業の方向性 {report.direction}\n③{era(year + 1)}以降の取組方針(事業展開）\n{_broken(report.plan)}",
    ]
    return "\n\n".join(parts) + "\n"


def write_text(path: Path, programmes: tuple[Programme, ...], year: int) -> None:
    """Every sheet that reports on ``year``, one after the other, with page feeds between them."""
    sheets = [one for one in programmes if year in one.reports]
    pages = [_sheet(one, year, number, len(sheets)) for number, one in enumerate(sheets, start=1)]
    cover = f"{programmes[0].municipality}\n{era(year)}　事務事業評価結果\n政策部　企画調整課\n"
    path.write_bytes("\f".join([cover, *pages]).encode("utf-8"))
