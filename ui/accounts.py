"""The parse report on the 管理 screen: a line for each file that opens to its sheets."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from html import escape

from assistant.accounts import HEAD, FileAccount, SheetAccount
from corpus.certainty import THRESHOLD

PAGE = 50  # files at a time; the CSV has all of them
SHEETS_SHOWN = 200  # sheets of one file

KINDS = {
    "": "すべて",
    "doubtful": "要確認",
    "refused": "読めなかった",
    "empty": "シートが見つからない",
    "noted": "注意がある",
    "unsure": "確かさが低い",
    "headless": "名称・自治体・年度・担当課が欠けている",
}


def kinds_of(account: FileAccount) -> set[str]:
    """Which of :data:`KINDS` a file belongs to; every file belongs to the empty one."""
    sheets = account.sheets
    found = {
        "": True,
        "doubtful": account.doubtful,
        "refused": bool(account.refusal),
        "empty": not account.refusal and not account.programmes,
        "noted": bool(account.notes),
        "unsure": any(one.certainty is not None and one.certainty.score < THRESHOLD for one in sheets),
        "headless": any(not HEAD.isdisjoint(one.missing) for one in sheets),
    }
    return {kind for kind, is_so in found.items() if is_so}


def kind_choices(accounts: Sequence[FileAccount]) -> list[tuple[str, str]]:
    """The kinds with how many files each has: ``要確認（3）``."""
    counts = Counter(kind for account in accounts for kind in kinds_of(account))
    return [(f"{label}（{counts[kind]:,}）", kind) for kind, label in KINDS.items()]


def chosen_accounts(accounts: Sequence[FileAccount], words: str, kind: str) -> list[FileAccount]:
    """The files of one kind whose name, or a sheet's name, municipality or department, holds every word.

    Those to look at come first.
    """
    wanted = unicodedata.normalize("NFKC", words).lower().split()
    found = [one for one in accounts if kind in kinds_of(one) and all(word in _searched(one) for word in wanted)]
    return sorted(found, key=lambda one: not one.doubtful)


def _searched(account: FileAccount) -> str:
    told = [account.file]
    for one in account.sheets:
        told += [one.sheet.name, one.sheet.municipality, one.sheet.department]
    return unicodedata.normalize("NFKC", " ".join(told)).lower()


def render_accounts(found: Sequence[FileAccount], whole: int, at: int = 0, kind: str = "") -> str:
    """One page, number ``at``, of the files found among ``whole``; of a kind that is looked for, only sheets to look at."""
    if not found:
        none = "確認の要るファイルはありません。" if kind == "doubtful" else "当てはまるファイルはありません。"
        return f'<div class="hy-box hy-status"><p class="hy-all-fine" role="status">{none}</p></div>'
    first = at * PAGE
    last = min(first + PAGE, len(found))
    place = f"のうち{first + 1:,}〜{last:,}件目" if len(found) > PAGE else ""
    return (
        f'<div class="hy-box hy-status"><p class="hy-count" role="status">{whole:,}件中 {len(found):,}件{place}</p>'
        f"{''.join(_file(one, bool(kind)) for one in found[first:last])}</div>"
    )


def _file(account: FileAccount, only_doubtful: bool) -> str:
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
        f"{f'<ul>{listed}</ul>' if listed else ''}{_sheets(account, only_doubtful)}</details>"
    )


def _sheets(account: FileAccount, only_doubtful: bool) -> str:
    if not account.sheets:
        return (
            ""
            if account.refusal
            else "<p>評価シートの欄が見つかりません。hyoka forms でこのファイルを確かめてください。</p>"
        )
    doubtful = [one for one in account.sheets if one.doubtful]
    fine = [one for one in account.sheets if not one.doubtful]
    ordered = [*doubtful, *([] if only_doubtful and doubtful else fine)][:SHEETS_SHOWN]
    more = len(account.sheets) - len(ordered)
    what = "確認の要らない" if only_doubtful and doubtful else ""
    rest = f"<p>ほかに{what}シートが{more:,}枚あります。</p>" if more else ""
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
