"""Excel values as the reader of the sheet saw them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

_ERAS = (
    (date(2019, 5, 1), "令和", "R"),
    (date(1989, 1, 8), "平成", "H"),
    (date(1926, 12, 25), "昭和", "S"),
    (date(1912, 7, 30), "大正", "T"),
    (date(1868, 1, 25), "明治", "M"),
)
# One token of a format: quoted or escaped text, padding (_x, *x), a bracket, a placeholder run, or one character.
_TOKEN = re.compile(r'"[^"]{0,255}"|\\.|_.|\*.|\[[^\]]{0,255}\]|[#0?.,]+|[A-Za-z]+|.', re.DOTALL)
_DIGITS = re.compile(r"[#0?.,]+")
_WEEKDAYS = "月火水木金土日"


def shown(value: object, number_format: str = "General") -> str:
    """A cell's value under its number format.

    >>> shown(12155, "#,##0"), shown(0.911, "0.0%"), shown(-3, '#,##0;"△"#,##0'), shown(12155000, '#,##0,"千円"')
    ('12,155', '91.1%', '△3', '12,155千円')
    >>> shown(datetime(2024, 4, 1), 'ggge"年"m"月"d"日"'), shown(datetime(2024, 4, 1), "mm-dd-yy")
    ('令和6年4月1日', '2024-04-01')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    try:
        return _shown(value, number_format)
    except (ArithmeticError, ValueError):  # sixty decimals, or no number at all: the value as it is
        return str(value)


def _shown(value: object, number_format: str) -> str:
    if isinstance(value, (datetime, date, time)):
        return _moment(value, number_format)
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds()) // 60
        return f"{minutes // 60}:{minutes % 60:02}"
    if isinstance(value, (int, float, Decimal)):
        return _number(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), number_format)
    return str(value)


def _general(value: Decimal) -> str:
    if value == value.to_integral_value() and abs(value) < 10**15:
        return str(int(value))
    return f"{float(value):.12g}"


def _number(value: Decimal, number_format: str) -> str:
    sections = _sections(number_format or "General")
    if re.search(r"\[[<>=]", number_format):
        sections = sections[-1:]  # conditional sections: the last one is the rule for everything else
    section = sections[0]
    size = value
    if len(sections) > 1 and value < 0:
        section, size = sections[1], abs(value)
    elif len(sections) > 2 and value == 0:
        section = sections[2]
    tokens = _TOKEN.findall(section)
    digits = [token for token in tokens if _DIGITS.fullmatch(token) and re.search("[#0?]", token)]
    unusual = any(re.fullmatch("[A-Za-z]+", token) and token.lower() != "general" for token in tokens) or "/" in section
    if len(digits) > 1 or unusual or section.strip() == "@":
        return _general(value)  # fractions, exponents and the like
    if not digits:
        text = "".join(_literal(token, _general(size)) for token in tokens)
        # A section with neither digits nor text shows nothing ('#,##0;;'), as Excel does.
        return text.strip()
    if "%" in section.replace('"%"', ""):
        size = size * 100
    text, sign = "", "-" if size < 0 else ""
    for token in tokens:
        text += _digits(abs(size), token) if token == digits[0] else _literal(token, "")
    return (sign if re.search("[1-9]", text) else "") + text.strip()


def _sections(number_format: str) -> list[str]:
    """The parts between semicolons, quoted ones left alone."""
    parts = [""]
    for token in _TOKEN.findall(number_format):
        if token == ";":
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _literal(token: str, general: str) -> str:
    if token.startswith('"'):
        return token[1:-1]
    if token.startswith("\\"):
        return token[1:]
    if token.startswith("_"):
        return " "
    if token.startswith("*"):
        return ""
    if token.startswith("["):
        money = re.match(r"\[\$([^\]-]*)", token)
        return money.group(1) if money else ""
    return general if token.lower() == "general" else token


def _digits(size: Decimal, token: str) -> str:
    """``#,##0.0`` and its like; a comma after the last digit divides by a thousand."""
    whole, _, decimals = token.partition(".")
    thousands = len(token) - len(token.rstrip(","))
    whole, decimals = whole.rstrip(",") if not decimals else whole, decimals.rstrip(",")
    exact = size / (Decimal(1000) ** thousands)
    rounded = exact.quantize(Decimal(1).scaleb(-len(decimals)), rounding=ROUND_HALF_UP)
    text = f"{rounded:,f}" if "," in whole else f"{rounded:f}"
    integer, _, fraction = text.partition(".")
    optional = len(decimals) - len(decimals.rstrip("#?"))
    while optional and fraction.endswith("0"):
        fraction, optional = fraction[:-1], optional - 1
    least = whole.count("0")
    integer = integer.rjust(least, "0") if integer != "0" or least else ""
    return f"{integer}.{fraction}" if "." in token and (fraction or not decimals) else integer or ("" if least else "")


def _moment(value: datetime | date | time, number_format: str) -> str:
    if isinstance(value, time):
        return value.strftime("%H:%M")
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    section = _sections(number_format)[0]
    bare = re.sub(r'"[^"]{0,255}"|\\.|\[[^\]]{0,255}\]', "", section).lower()
    written_out = "年" in section or "月" in section or re.search(r"g|e|^yyyy/m", bare)
    if not written_out:
        clock = f" {moment:%H:%M}" if moment.hour or moment.minute else ""
        return f"{moment:%Y-%m-%d}{clock}"
    # After hours, m is minutes: "yyyy/m/d h:mm".
    section = re.sub(r"(?<!h)(h++):m+", lambda match: f'{match[1]}:"{moment:%M}"', section)
    return "".join(_date_token(token, moment) for token in _TOKEN.findall(section)).strip()


def _date_token(token: str, moment: datetime) -> str:
    _, era, letter = next((entry for entry in _ERAS if moment.date() >= entry[0]), _ERAS[-1])
    era_year = moment.year - next((start for start, *_ in _ERAS if moment.date() >= start), _ERAS[-1][0]).year + 1
    text = ""
    # "gggemd" is one run of letters: cut it into runs of the same letter.
    for run in re.findall(r"(?i)g+|e+|y+|m+|d+|a+|h+|s+", token) if token.isascii() and token.isalpha() else []:
        name, length = run[0].lower(), len(run)
        text += {
            "g": era if length >= 3 else era[0] if length == 2 else letter,
            "e": f"{era_year:0{length}d}",
            "y": f"{moment:%Y}" if length > 2 else f"{moment:%y}",
            "m": f"{moment.month:0{min(length, 2)}d}",
            "d": f"{moment.day:0{length}d}" if length < 3 else _WEEKDAYS[moment.weekday()],
            "a": _WEEKDAYS[moment.weekday()] + ("曜日" if length > 3 else ""),
            "h": f"{moment.hour:0{min(length, 2)}d}",
            "s": f"{moment.second:0{min(length, 2)}d}",
        }[name]
    return text or _literal(token, "")
