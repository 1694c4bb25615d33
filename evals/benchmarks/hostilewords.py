"""Texts, pieces of addresses and JSON values that somebody, somewhere, takes for something else."""

from __future__ import annotations

import json
import random
from typing import Any

# What a text may hold that somebody, somewhere, takes for something else.
TEXTS = (
    "", " ", "\x00", "決算\x00額", "\x1b[31m赤\x1b[0m", "\x9b31m", "\u202e額算決", "\u2066あ\u2069", "\u200b決\u200d算", "\ufeff",
    "\ufffe\uffff", "\ud800", "\udfff決算", "😀" * 50, "か\u3099" * 40, "\u0301" * 200, "ﷺ" * 100, "\r\nSet-Cookie: a=b",
    "a\r\nX-Injected: 1\r\n\r\n", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)",
    "[x](javascript:alert(1))", "![x](http://evil.invalid/x.png)", "$$\\frac{1}{0}$$", "&lt;b&gt;&#x3c;", "{{7*7}}", "${7*7}",
    "%s%n%d{0}{x}", "=1+1", "=HYPERLINK(\"http://evil.invalid\",\"x\")", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1",
    "' OR 1=1 --", "\"; DROP TABLE sheets; --", "\" AND NEAR(a b)", "*", "?", "(((", "[[[", "a^5 b~2 \"c", "title:(", "\\", "\\\\",
    "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "C:\\x", "file:///etc/passwd", "con", "NaN", "Infinity", "-0",
    "1e400", "9" * 400, "９" * 40, "令和999999年度", "令和元年元月元日", "平成0年13月45日", "R99999", "2021年度" * 100,
    "1000000000000000000000兆円以上", "令和5年度から令和3年度まで", "前年比と前々年比と" * 30, "あ" * 2_000, "あ" * 2_001,
    "決算額が" * 400, "図書館" + "の" * 1_500, "1" * 2_000, "（" * 1_900, "、" * 1_900, " " * 1_990 + "決算", "令和" * 900,
    "決算額が大きい順に3つ教えて", "図書館の今後の計画は？", "令和6年度の決算額の合計", "それはいつからですか", "なぜですか",
)  # fmt: skip
PIECES = (
    b"..", b"%2e%2e", b"%2e%2e%2f%2e%2e%2f", b"..%2f..%2f..%2fetc%2fpasswd", b"%00", b"x%00.png", b"%5c..%5c", b"..\\..\\x", b"%2f", b"%252e%252e",
    b"//etc/passwd", b"etc/passwd", b"C:%5cWindows", b"%ff%fe", b"%c0%ae%c0%ae", b"%ed%a0%80", b"%e2%80%ae", b"%0d%0aX-Injected:%201", b"%",
    b"%zz", b"~root", b"-", b".", b"con", b"nul.png", b"a" * 300, b"a" * 5_000, b"1", b"0", b"-1", b"9" * 30, b"9" * 5_000, b"1e3", b"NaN",
    b"page", b"source", b"page/1.png", b"page/-1.png", b"page/99999999999999999999.png", b"page/%00.png", b";a=b", b"*", b"?x", b"#x", b"x.docx",
    b"pyproject.toml", b"app.py", b"..%2fapp.py", b"%2e%2e/app.py", b"....//app.py", b"__init__.py", b".hyoka", b"index.html",
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 40)
TYPES = (
    b"application/json", b"application/json; charset=utf-16", b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data",
    b"multipart/form-data; boundary=x", b"application/xml", b"", b"application/json\xff", b"application/json, text/html", b"image/png",
)  # fmt: skip
# Addresses with what they hold; {} is a piece.
PLACES = (
    "/", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/api/v1/ask", "/api/v1/search", "/api/v1/sheets",
    "/api/v1/sheets/{}", "/api/v1/sheets/{}/source", "/api/v1/feedback", "/api/{}", "/api/v1/{}", "/v1", "/v1/{}", "/v1/chat/completions", "/v1/models", "/v1/models/{}", "/sheet/{}", "/sheet/{}/page/{}.png",
    "/sheet/{}/{}", "/compare", "/compare.xlsx", "/compare.csv", "/compare.{}", "/export/table.xlsx", "/export/search.csv",
    "/export/search.xlsx", "/export/{}", "/status/report.csv", "/status/questions.csv", "/status/{}", "/evaluation/cases.csv",
    "/evaluation/cases.jsonl", "/evaluation/cases.xlsx", "/evaluation/cases.{}", "/evaluation/report.html", "/papers/{}.docx",
    "/papers/{}/{}.xlsx", "/papers/{}/1.docx", "/search/results", "/hyoka-assets/{}", "/hyoka-assets/{}/{}", "/docs-assets/{}", "/assets/{}",
    "/static/{}", "/static/js/{}", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/gradio_api/info",
    "/gradio_api/app_id", "/gradio_api/startup-events", "/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/cancel",
    "/gradio_api/reset", "/gradio_api/heartbeat/{}", "/gradio_api/file={}", "/gradio_api/file=/etc/passwd", "/gradio_api/file/{}",
    "/gradio_api/upload", "/gradio_api/proxy=http://{}", "/gradio_api/call/{}", "/gradio_api/run/{}", "/gradio_api/api/{}",
    "/gradio_api/component_server", "/gradio_api/process_recording", "/gradio_api/stream/{}", "/gradio_api/vibe-edit/",
    "/gradio_api/deep_link", "/gradio_api/{}", "/monitoring", "/monitoring/{}", "/login", "/logout", "/svelte/{}", "/pwa_icon/{}", "/{}", "/{}/{}",
)  # fmt: skip
NAMES = (
    "q", "k", "offset", "limit", "municipality", "fiscal_year", "department", "section", "rating", "budget", "sort", "sheet",
    "year", "start", "end", "whole", "print", "source", "p", "tab", "kind", "state", "session_hash", "__theme", "view", "page", "x",
)  # fmt: skip
NUMBERS = (
    "0",
    "-1",
    "1",
    "2021",
    "200",
    "201",
    "10000",
    "1e400",
    "NaN",
    "Infinity",
    "9" * 400,
    "9" * 5_000,
    "0x10",
    "１０",
    "1.5",
    "",
    "-0",
    "+1",
)
ORDERS = ("relevance", "year", "amount", "name", "x", "")


def text(draw: random.Random) -> str:
    """One hostile text, two of them, or characters from anywhere."""
    chance = draw.random()
    if chance < 0.6:
        return draw.choice(TEXTS)
    if chance < 0.8:
        return draw.choice(TEXTS)[:500] + draw.choice(TEXTS)[:500]
    return "".join(
        chr(draw.choice((draw.randrange(0x80), draw.randrange(0x3000, 0x9FFF), draw.randrange(0x110000))))
        for _ in range(draw.choice((1, 5, 30)))
    )


def value(draw: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    chance = draw.randrange(12 if depth < 4 else 8)
    if chance < 4:
        return text(draw)
    if chance < 8:
        return draw.choice(
            (0, -1, 1, 2021, 10**18, 10**400, float("nan"), float("inf"), -float("inf"), 1e308, 0.1, True, False, None)
        )
    if chance < 10:
        return [value(draw, depth + 1) for _ in range(draw.choice((0, 1, 2, 5)))]
    return {text(draw)[:50]: value(draw, depth + 1) for _ in range(draw.choice((0, 1, 3)))}


def dumped(given: Any, draw: random.Random) -> bytes:
    """JSON, with surrogates as escapes or as bytes that are no UTF-8."""
    if draw.random() < 0.5:
        return json.dumps(given).encode()
    return json.dumps(given, ensure_ascii=False).encode("utf-8", "surrogatepass")


def or_any(draw: random.Random, good: Any, odds: float = 0.08) -> Any:
    """A good value, or now and then any other."""
    return value(draw) if draw.random() < odds else good
