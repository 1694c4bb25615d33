"""How staff ask: wordings of questions by kind, ways of writing a year, and the forms an answer may take.

A wording names its slots in braces: ``{name}の{year}の{label}はいくらですか。``
"""

from __future__ import annotations

import re
import unicodedata
from random import Random

from corpus.periods import Period, era_name

WORDINGS: dict[str, tuple[str, ...]] = {
    "amount": (
        "{name}の{year}の{label}はいくらですか。",
        "{year}の{name}の{label}を教えてください。",
        "{name}　{year}　{label}",
        "{name}、{year}の{label}って何円？",
        "{name}について、{year}の{label}を確認したいのですが。",
    ),
    "figure": (
        "{name}の「{label}」は、{year}の{side}でいくつですか。",
        "{year}の{name}の「{label}」の{side}を教えてください。",
        "{name}　{label}　{year}　{side}",
        "「{label}」の{year}{side}はいくつ？（{name}）",
    ),
    "text": (
        "{name}の{label}を教えてください。",
        "{name}の{label}には何と書いてありますか。",
        "{name}　{label}",
        "{name}について、{label}を議会答弁用に確認したいです。",
        "{name}の{label}は？",
    ),
    "rating": (
        "{town}の{year}のシートで、{label}が「{value}」の事業をすべて挙げてください。",
        "{label}が{value}だった{town}の事業は？（{year}）",
        "{town}　{year}　{label}　{value}　一覧",
    ),
    "department": (
        "{town}の{department}が担当する{year}の事業をすべて教えてください。",
        "{department}（{town}）の{year}のシートを一覧にして",
        "{town}　{department}　{year}　事業一覧",
    ),
    "largest": (
        "{town}で{year}の{label}が最も大きい事業はどれですか。",
        "{year}の{label}が一番多い{town}の事業は？",
        "{town}の{year}の{label}で最大の事業と金額を教えてください。",
    ),
    "sum": (
        "{town}の{department}の{year}の{label}を合計するといくらですか。",
        "{town}　{department}　{year}　{label}　合計",
        "{department}（{town}）が担当する事業の{year}の{label}の合計額は？",
    ),
    "event": (
        "{name}で「{what}」とあるのはいつですか。",
        "{name}の「{what}」という記述の時期を教えてください。",
        "「{what}」のはいつ？（{name}）",
    ),
    "follow": (
        "では{year}は？",
        "{year}はどうですか。",
        "{year}だと？",
    ),
    "other-year": (
        "{name}の{year}の{label}はいくらですか。",
        "{year}の{name}の{label}を教えて",
        "{name}　{year}　{label}",
    ),
    "other-topic": (
        "{name}の{topic}を教えてください。",
        "{name}の{topic}は？",
        "{name}　{topic}",
    ),
}

#: What evaluation sheets do not print as a rule, with the words whose presence in a sheet would speak against that.
TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("担当窓口の電話番号", ("電話", "TEL", "連絡先")),
    ("委託先を選んだときの応札者数", ("応札", "入札")),
    ("利用者の平均年齢", ("平均年齢",)),
    ("住民監査請求の件数", ("監査請求",)),
    ("情報公開請求の件数", ("情報公開", "公開請求")),
    ("議会で出た質疑の内容", ("議会", "質疑")),
    ("職員の時間外勤務の時間数", ("時間外", "残業")),
    ("パブリックコメントに寄せられた意見の数", ("パブリックコメント", "意見公募")),
)

_ERA = re.compile(r"(明治|大正|昭和|平成|令和)(元|\d+)年")


def worded(kind: str, random: Random, **slots: str) -> str:
    """One wording of a kind with its slots filled."""
    return random.choice(WORDINGS[kind]).format(**slots)


def year_words(year: int, random: Random) -> str:
    """A fiscal year in one of the ways people write it: 令和5年度, R5年度, ２０２３年度."""
    era = era_name(year)
    short = era.replace("令和", "R").replace("平成", "H").replace("昭和", "S").replace("元", "1")
    forms = (f"{era}年度", f"{era}年度", f"{short}年度", f"{year}年度", _wide(f"{era}年度"))
    return random.choice(forms)


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isdigit() else letter for letter in text)


def amount_forms(yen: int) -> list[str]:
    """The ways an answer may write an amount: 257,733,000 -> 257733000, 257,733 (千円), 25,773万, 2億5,773万."""
    forms = [f"{yen:,}"]
    if yen % 1000 == 0 and yen >= 1_000_000:
        forms.append(f"{yen // 1000:,}")
    if yen % 10_000 == 0 and yen >= 10_000:
        forms.append(f"{yen // 10_000:,}万")
        if yen >= 100_000_000:
            forms.append(f"{yen // 100_000_000}億{yen % 100_000_000 // 10_000:,}万")
    return forms


def figure_forms(value: float, printed: str, unit: str) -> list[str]:
    """A figure with its unit, as printed and as a plain number: 13.0, ``13.0``, % -> 13.0%, 13%."""
    plain = f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    digits = unicodedata.normalize("NFKC", printed).strip()
    numbers = [digits] if re.fullmatch(r"[\d,.\-]+", digits) else []
    return list(dict.fromkeys(f"{number}{unit}" for number in (*numbers, plain)))


def date_forms(period: Period) -> list[str]:
    """The ways an answer may write a date: 令和6年12月, 2024年12月, R6.12; the printed one first."""
    era, year = era_name(period.fiscal_year if period.kind == "fiscal_year" else period.start.year), period.start.year
    month = period.start.month
    printed = unicodedata.normalize("NFKC", period.label)
    if period.kind == "fiscal_year":
        forms = [f"{era}年度", f"{year}年度"]
    elif period.kind == "calendar_year":
        forms = [f"{era}年", f"{year}年"]
    else:
        forms = [f"{era}年{month}月", f"{year}年{month}月"]
        if period.kind == "day":
            forms = [f"{form}{period.start.day}日" for form in forms]
    return list(dict.fromkeys((printed, *forms)))


def dated(label: str) -> bool:
    """Whether a date names its own year: 令和6年12月 and 2025年 do, 12月 and 前年度 do not."""
    text = "".join(unicodedata.normalize("NFKC", label).split())
    return bool(_ERA.match(text) or re.match(r"(19|20)\d\d年|[RHS]\d{1,2}", text))


def name_forms(name: str) -> tuple[str, ...]:
    """A name as printed and without what stands in brackets at its end."""
    return tuple(dict.fromkeys((name, re.sub(r"（[^（）]*）$", "", name))))


def short_label(label: str) -> str:
    """A label without its notes and its year: ``待機児童数 ※5月1日現在`` -> 待機児童数, ``Ｒ5年度総合評価(a＋b)`` -> 総合評価."""
    words = " ".join(label.split())
    return (
        re.sub(r"^[^\s\d０-９]{1,2}[\d０-９]+年度の?|(?:(?<!\s)\s+)?(?:※.*|[(（][^()（）]*[)）]$)", "", words) or label
    )
