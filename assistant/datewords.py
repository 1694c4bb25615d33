"""Times as a Japanese office writes them: 令和8年11月21日（土）10時5分, in Japan's time whatever the server's is."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

JAPAN = timezone(timedelta(hours=9), "JST")  # no summer time since 1951
_ERAS = ((date(2019, 5, 1), "令和"), (date(1989, 1, 8), "平成"), (date(1926, 12, 25), "昭和"))
_WEEK = "月火水木金土日"


def in_japan(at: datetime) -> datetime:
    """The same moment on a Japanese clock."""
    return at.astimezone(JAPAN)


def day_words(day: date) -> str:
    """A day with its era.

    >>> day_words(date(2026, 11, 21)), day_words(date(2019, 4, 30)), day_words(date(2019, 5, 1))
    ('令和8年11月21日', '平成31年4月30日', '令和元年5月1日')
    """
    for first, era in _ERAS:
        if day >= first:
            year = day.year - first.year + 1
            return f"{era}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"


def day_heading(day: date, today: date) -> str:
    """A day as a heading of a list: 今日, 昨日, else the day with its weekday.

    >>> day_heading(date(2026, 11, 20), date(2026, 11, 21)), day_heading(date(2026, 11, 19), date(2026, 11, 21))
    ('昨日', '令和8年11月19日（木）')
    """
    if day == today:
        return "今日"
    if day == today - timedelta(days=1):
        return "昨日"
    return f"{day_words(day)}（{_WEEK[day.weekday()]}）"


def moment_words(at: datetime) -> str:
    """A moment to the minute: 令和8年11月21日 10時05分."""
    local = in_japan(at)
    return f"{day_words(local.date())} {local.hour}時{local.minute:02}分"


def length(seconds: float) -> str:
    """A length of time, in as many words as it needs.

    >>> length(7.4), length(125), length(7_260)
    ('7秒', '2分5秒', '2時間1分')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}秒"
    if whole < 3600:
        return f"{whole // 60}分{f'{whole % 60}秒' if whole % 60 else ''}"
    return f"{whole // 3600}時間{f'{whole % 3600 // 60}分' if whole % 3600 // 60 else ''}"
