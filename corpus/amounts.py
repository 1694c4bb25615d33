"""Numbers as sheets print them, with their units.

▲ and △ before a figure are the minus sign of Japanese accounts. Money is always returned in 円, whatever the sheet
prints (千円, 百万円, 億 and 万 mixed).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from corpus.normalize import normalize

# Money units and how many 円 they are; also written as 「（単位：千円）」 over a table.
YEN = {"円": 1, "千円": 1_000, "万円": 10_000, "百万円": 1_000_000, "億円": 100_000_000}
_PLACES = 2  # of a 円: 4.1百万円 are 4,100,000円, and not 4,099,999.9999999995
_SCALES = {"万": 10_000, "億": 100_000_000, "兆": 1_000_000_000_000}
_TENS = {"千": 1_000, "百": 100}
# Longer runs of digits are no amounts (and no floats that keep every digit).
_MOST_DIGITS = 15

# A sign, 約 and ¥, then digits as far as they go: what is grouped in an odd way (1,2345) or has two points (1.2.3) must be
# seen whole to be left out.
_FIGURE = re.compile(
    r"(?P<sign>▲\s?|(?<![\dA-Za-z])-\s?(?=[\d¥]))?(?P<yen>¥\s?(?P<minus>▲\s?|-)?)?"
    r"(?<![A-Za-z\d])(?<!\d[.,])(?P<run>\d[\d,]*(?:\.\d+)*)(?P<power>[eE][+-]?\d+)?"
)
_GROUPED = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_LIST = re.compile(r"\d{1,2}(?:,\d{1,2})+")
# A cell whose figure was cut after a comma: 「12, 345」.
_CUT = re.compile(r"[▲約¥\s-]{0,3}\d{1,3}(?:,\s?\d{3})+(?:\.\d+)?\D{0,8}")
_GAP = re.compile(r"(?<=\d,)\s(?=\d{3})")
_TIMES = re.compile(r"\s?(千|百)(?=\s?(?:[\d兆億万円]|[^\w]|$|%s))")
_SCALE = re.compile(r"\s?(兆|億|万)")
_MORE = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,4})(?:\.\d+)?(?![\d,.])")
# Words that may follow a number and are its unit; anything else after a number is the next word of the sentence.
UNITS = """
    円 千円 万円 百万円 億円 % パーセント ポイント 件 人 名 台 回 本 枚 冊 点 校 校園 か所 箇所 ヶ所 カ所 施設 団体 世帯 戸 区 市 町 村 課
    業務 手続 種 種類 項目 時間 分 秒 日 週 か月 ヶ月 カ月 月 年 か年 年度 時 t kg km m m2 ha kWh GB TB Mbps Gbps 人工 システム 事業
    講座 企業 社 店 店舗 品目 食 匹 頭 羽 ページ 部 通 票 組 園 棟 路線 橋 基 口 株 倍 割 位 点満点 機 つ 個 両 便 隻 床 室
""".split()
_UNIT = re.compile(r"\s?(" + "|".join(sorted((re.escape(u) for u in UNITS), key=len, reverse=True)) + ")")
_TIMES = re.compile(_TIMES.pattern % "|".join(re.escape(u) for u in UNITS if u not in YEN))


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit; ``value`` is in 円 when ``unit`` is 円. ``start:end`` are raw offsets of number and unit."""

    value: float
    unit: str
    start: int
    end: int


def find_amounts(text: str, cell: bool = False) -> list[Amount]:
    """Every number in ``text`` with its unit, in order.

    What is grouped as no number is (1,2345), has two points (1.2.3) or is glued to a Latin letter (R7, A4) is left out.
    A bracket says nothing about the sign: 「(1,234)」 is 1,234 here, and no figure in :func:`parse_number`. ``cell`` says that
    the text is the whole of a cell: one figure cut after a comma (「12, 345」) is then put together.

    >>> [(a.value, a.unit) for a in find_amounts("約769万円、▲ 22,425千円、稼働率 99.5％")]
    [(7690000.0, '円'), (-22425000.0, '円'), (99.5, '%')]
    """
    norm = normalize(text)
    printed = norm.text
    cut = cell and _GAP.search(printed) is not None and _CUT.fullmatch(printed.strip()) is not None
    amounts: list[Amount] = []
    at = 0
    while (found := _FIGURE.search(printed, at)) is not None:
        at = found.end()
        begin, run = found.start("run"), found["run"].rstrip(",")
        end = begin + len(run)
        if cut:  # the whole text is one figure with a blank after its comma
            at = end = max(i for i, c in enumerate(printed) if c.isdigit()) + 1
            run = _GAP.sub("", printed[begin:end])
        if found["power"] or _GROUPED.fullmatch(run) is None or sum(c.isdigit() for c in run) > _MOST_DIGITS:
            if _LIST.fullmatch(run):  # 「2,3日」
                *first, last = re.finditer(r"\d+", run)
                amounts += [Amount(float(m.group()), "", *norm.raw(begin + m.start(), begin + m.end())) for m in first]
                unit, end = _unit(printed, end)
                amounts.append(Amount(float(last.group()), unit, *norm.raw(begin + last.start(), end)))
            continue
        value, end = _scaled(printed, float(run.replace(",", "")), end)
        unit, end = _unit(printed, end)
        value = -value if found["sign"] or found["minus"] else value
        unit = unit or ("円" if found["yen"] else "")
        amounts.append(Amount(round(value, 6) + 0.0, unit, *norm.raw(found.start(), end)))
        at = max(at, end)
    return amounts


def _unit(text: str, end: int) -> tuple[str, int]:
    tail = _UNIT.match(text, end)
    if tail is None:
        return "", end
    return ("%" if tail[1] == "パーセント" else tail[1]), tail.end()


def _scaled(text: str, number: float, end: int) -> tuple[float, int]:
    """「1億2,345万6千」 -> 123456000: 千 and 百 multiply the digits before them, 兆, 億 and 万 all since the last of these.

    A scale as large as the one before begins another number (100万200万円 are two).
    """
    total = block = 0.0
    largest = math.inf
    before = (number, end)  # the reading without the digits looked at last
    while True:
        times = _TIMES.match(text, end)
        block += number * (_TENS[times[1]] if times is not None else 1)
        end = times.end() if times is not None else end
        scale = _SCALE.match(text, end)
        if scale is not None:
            if _SCALES[scale[1]] >= largest:
                return before
            largest = _SCALES[scale[1]]
            total, block, end = total + block * largest, 0.0, scale.end()
        more = _MORE.match(text, end) if scale is not None or times is not None else None
        if more is None:
            return total + block, end
        before = (total + block, end)
        number, end = float(more.group().replace(",", "")), more.end()


def parse_number(text: str) -> float | None:
    """The one number a cell holds, 千, 万 and 億 counted, without its unit.

    None when there is none (「-」, 「／」, blank, 皆減) or more than one, and for a figure in brackets, which is a minus in some
    accounts and an aside in others.

    >>> parse_number("▲ 380,543"), parse_number("100％"), parse_number("-")
    (-380543.0, 100.0, None)
    """
    numbers = find_amounts(text, cell=True)
    if len(numbers) != 1 or re.match(r"\(\s*[▲\-]?[\d,.]+\s*\)", normalize(text).text.strip()):
        return None
    return numbers[0].value


def format_yen(value: float) -> str:
    """``format_yen(46081200)`` is ``46,081,200円``; a minus is written ▲ as in accounts."""
    return f"{'▲' if value < 0 else ''}{abs(value):,.0f}円"


def in_yen(value: float, unit: str) -> tuple[float, str]:
    """A figure with its unit: of a money unit in 円, of another as it is.

    >>> in_yen(4.1, "百万円"), in_yen(12.3, "人")
    ((4100000.0, '円'), (12.3, '人'))
    """
    return (round(value * YEN[unit], _PLACES), "円") if unit in YEN else (value, unit)


def format_number(value: float, unit: str = "") -> str:
    """A figure as people write it: 円 grouped without decimals, others without trailing zeros.

    >>> format_number(99.50, "%"), format_number(27753, "人")
    ('99.5%', '27,753人')
    """
    if unit == "円":
        return format_yen(value)
    text = f"{abs(value):,.4f}".rstrip("0").rstrip(".")
    return f"{'▲' if value < 0 else ''}{text}{unit}"
