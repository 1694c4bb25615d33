"""The parse report on the 管理 screen: a line for each file that opens to its sheets."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from assistant.accounts import FileAccount, SheetAccount

SHOWN = 300  # files on the page; the CSV has all of them
SHEETS_SHOWN = 200  # sheets of one file


def render_accounts(accounts: Sequence[FileAccount]) -> str:
    """Every file with its sheets, those to look at first; a box hides the ones that are fine."""
    doubtful = [one for one in accounts if one.doubtful]
    ordered = [*doubtful, *(one for one in accounts if not one.doubtful)]
    rest = (
        f"<p>ほかに{len(ordered) - SHOWN:,}件のファイルがあります。CSVには全件が入ります。</p>"
        if len(ordered) > SHOWN
        else ""
    )
    none = "" if doubtful else '<p class="hy-all-fine">確認の要るファイルはありません。</p>'
    return (
        '<div class="hy-report"><input type="checkbox" id="hy-only-doubtful">'
        f'<label for="hy-only-doubtful">要確認のみ（{len(doubtful):,}件）</label>'
        '<a class="hy-report-csv" href="status/report.csv" download>CSVで保存</a>'
        f"{none}{''.join(_file(one) for one in ordered[:SHOWN])}{rest}</div>"
    )


def _file(account: FileAccount) -> str:
    """One file: its sums in the line, its warnings and sheets behind it."""
    fine = "" if account.doubtful else " hy-fine"
    mark = '<span class="hy-chip hy-doubt">要確認</span>' if account.doubtful else ""
    towns = "・".join(dict.fromkeys(one.sheet.municipality for one in account.sheets if one.sheet.municipality))
    said = [
        escape(towns),
        "読めませんでした" if account.refusal else f"シート {len(account.programmes):,}",
        f"数値 {sum(one.facts for one in account.sheets):,}" if account.sheets else "",
        f"確かさ {account.certainty:.2f}" if account.certainty is not None else "",
        f"注意 {account.notes:,}" if account.notes else "",
    ]
    notes = [account.refusal, *account.warnings]
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes if note)
    return (
        f'<details class="hy-file{fine}"><summary><span class="hy-file-name">{escape(account.file)}</span>'
        f'<span class="hy-file-sums">{"　".join(part for part in said if part)}</span>{mark}</summary>'
        f"{f'<ul>{listed}</ul>' if listed else ''}{_sheets(account)}</details>"
    )


def _sheets(account: FileAccount) -> str:
    if not account.sheets:
        return (
            ""
            if account.refusal
            else "<p>評価シートの欄が見つかりません。hyoka forms でこのファイルを確かめてください。</p>"
        )
    ordered = sorted(account.sheets, key=lambda one: not one.doubtful)[:SHEETS_SHOWN]
    more = len(account.sheets) - len(ordered)
    rest = f"<p>ほかに{more:,}枚のシートがあります。</p>" if more else ""
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("シート", "場所", "年度・担当", "欄", "数値", "確かさ", "見つからない項目と注意")
    )
    return (
        f'<div class="hy-scroll" tabindex="0" role="region" aria-label="{escape(account.file)}のシート"><table class="hy-file-sheets">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(_sheet(one) for one in ordered)}</tbody></table></div>{rest}"
    )


def _sheet(one: SheetAccount) -> str:
    sheet = one.sheet
    year = f"{sheet.fiscal_year}年度" if sheet.fiscal_year is not None else ""
    about = " ".join(part for part in (year, sheet.department) if part)
    score, reasons = "", ""
    if one.certainty is not None:
        score = f"{one.certainty.score:.2f}"
        told = "".join(f"<li>{escape(reason.text)}（{reason.share:.2f}）</li>" for reason in one.certainty.reasons)
        reasons = f"<details><summary>確かさの理由</summary><ul>{told}</ul></details>"
    missing = f"<p>見つからない項目: {escape('・'.join(one.missing))}</p>" if one.missing else ""
    notes = "".join(f"<li>{escape(text)}</li>" for text in one.warnings)
    part = '<small class="hy-small">（文書の部分）</small>' if sheet.kind == "document" else ""
    return (
        f'<tr class="{"hy-doubtful" if one.doubtful else "hy-fine"}">'
        f'<td><a href="sheet/{escape(sheet.sheet_id)}">{escape(sheet.name)}</a>{part}</td>'
        f'<td data-name="場所">{escape(str(one.where))}</td><td>{escape(about)}</td>'
        f'<td class="hy-num" data-name="欄">{one.sections:,}</td><td class="hy-num" data-name="数値">{one.facts:,}</td>'
        f'<td class="hy-num" data-name="確かさ">{score}</td>'
        f"<td>{missing}{f'<ul>{notes}</ul>' if notes else ''}{reasons}</td></tr>"
    )
