"""Numbers as sheets print them, with their units.

▲ and △ before a figure are the minus sign of Japanese accounts. Money is always returned in 円, whatever the sheet
prints (千円, 百万円, 億 and 万 mixed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corpus.normalize import normalize

# Money units and how many 円 they are; also written as 「（単位：千円）」 over a table.
YEN = {"円": 1, "千円": 1_000, "万円": 10_000, "百万円": 1_000_000, "億円": 100_000_000}
_SCALES = {"万": 10_000, "億": 100_000_000, "兆": 1_000_000_000_000}

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_NUMBER = re.compile(
    rf"(?P<sign>▲\s*|(?<![\dA-Za-z])-\s?(?=\d))?"
    rf"(?P<head>{_DIGITS})(?P<more>(?:\s*(?:兆|億|万)\s*(?:{_DIGITS})?)*)"
    r"\s?(?P<unit>百万円|千円|円|%|パーセント|ポイント|か所|箇所|ヶ所|か年|か月|[^\W\d_]{1,3}(?:/[^\W\d_]{1,2})?)?"
)
# Words that may follow a number and are its unit; anything else after a number is the next word of the sentence.
UNITS = """
    円 千円 万円 百万円 億円 % パーセント ポイント 件 人 名 台 回 本 枚 冊 点 校 校園 か所 箇所 ヶ所 カ所 施設 団体 世帯 戸 区 市 町 村 課
    業務 手続 種 種類 項目 時間 分 秒 日 週 か月 ヶ月 カ月 月 年 か年 年度 時 t kg km m m2 ha kWh GB TB Mbps Gbps 人工 システム 事業
    講座 企業 社 店 店舗 品目 食 匹 頭 羽 ページ 部 通 票 組 園 棟 路線 橋 基 口 株 倍 割 位 点満点 機 つ 個 両 便 隻 床 室
""".split()
_UNIT = re.compile("|".join(sorted((re.escape(u) for u in UNITS), key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit; ``value`` is in 円 when ``unit`` is 円. ``start:end`` are raw offsets of number and unit."""

    value: float
    unit: str
    start: int
    end: int


def find_amounts(text: str) -> list[Amount]:
    """Every number in ``text`` with its unit, in order.

    >>> [(a.value, a.unit) for a in find_amounts("約769万円、▲ 22,425千円、稼働率 99.5％")]
    [(7690000.0, '円'), (-22425000.0, '円'), (99.5, '%')]
    """
    norm = normalize(text)
    amounts = []
    for found in _NUMBER.finditer(norm.text):
        value = _value(found["head"], found["more"] or "")
        end = found.end("more") if found["more"] else found.end("head")
        unit = ""
        tail = _UNIT.match(norm.text, end) or _UNIT.match(
            norm.text, end + 1 if norm.text[end : end + 1] == " " else end
        )
        if tail is not None:
            unit, end = tail.group(), tail.end()
        if unit in YEN:
            value, unit = value * YEN[unit], "円"
        elif unit == "パーセント":
            unit = "%"
        if found["sign"]:
            value = -value
        start, stop = norm.raw(found.start(), end)
        amounts.append(Amount(round(value, 6), unit, start, stop))
    return amounts


def _value(head: str, more: str) -> float:
    """「1億2,000」-> 120002000 … each scale word multiplies what stands before it, the rest is added."""
    total = 0.0
    number = float(head.replace(",", ""))
    for scale, tail in re.findall(rf"(兆|億|万)\s*({_DIGITS})?", more):
        total += number * _SCALES[scale]
        number = float(tail.replace(",", "")) if tail else 0.0
    return total + number


def parse_number(text: str) -> float | None:
    """The one number a cell holds, without its unit; None when there is none (「-」, 「／」, blank) or more than one.

    >>> parse_number("▲ 380,543"), parse_number("100％"), parse_number("-")
    (-380543.0, 100.0, None)
    """
    numbers = list(_NUMBER.finditer(normalize(text).text))
    if len(numbers) != 1:
        return None
    value = _value(numbers[0]["head"], numbers[0]["more"] or "")
    return -value if numbers[0]["sign"] else value


def format_yen(value: float) -> str:
    """``format_yen(46081200)`` is ``46,081,200円``; a minus is written ▲ as in accounts."""
    return f"{'▲' if value < 0 else ''}{abs(value):,.0f}円"


def format_number(value: float, unit: str = "") -> str:
    """A figure as people write it: 円 grouped without decimals, others without trailing zeros.

    >>> format_number(99.50, "%"), format_number(27753, "人")
    ('99.5%', '27,753人')
    """
    if unit == "円":
        return format_yen(value)
    text = f"{abs(value):,.4f}".rstrip("0").rstrip(".")
    return f"{'▲' if value < 0 else ''}{text}{unit}"
