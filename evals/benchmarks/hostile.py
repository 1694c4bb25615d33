"""Requests nobody sends by mistake, each with a number and the same for the same number: ``python -m
evals.benchmarks.fuzz_http`` sends them to a server, and the tests send a few thousand of the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote_from_bytes

from evals.benchmarks.hostilewords import (
    METHODS,
    NAMES,
    NUMBERS,
    ORDERS,
    PIECES,
    PLACES,
    TYPES,
    dumped,
    or_any,
    text,
    value,
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire. ``broken``: no answer but the end of the connection is an answer too."""

    number: int
    kind: str
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    broken: bool = False
    raw: bytes | None = None

    def wire(self) -> bytes:
        """The bytes to send."""
        if self.raw is not None:
            return self.raw
        names = {name.lower() for name, _ in self.headers}
        lines = [f"{self.method} ".encode() + self.target + b" HTTP/1.1", b"Host: 127.0.0.1"]
        lines += [name + b": " + value for name, value in self.headers]
        if (self.body or self.method in ("POST", "PUT", "PATCH")) and not names & {
            b"content-length",
            b"transfer-encoding",
        }:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Known:
    """What of the server the requests name: sheets, files, municipalities, the numbers and inputs of Gradio's events."""

    sheets: tuple[str, ...] = ("x",)
    places: tuple[str, ...] = ("湊見市",)
    events: tuple[tuple[int, int], ...] = ()


def drawn(number: int, known: Known) -> Request:
    """The request of that number."""
    draw = random.Random(number)
    kinds, weights = _kinds()
    kind = draw.choices(kinds, weights)[0]
    method, target, headers, body, more = _KINDS[kind][1](draw, known)
    return Request(number, kind, method, target, tuple(headers), body, **more)


Made = tuple[str, bytes, list[tuple[bytes, bytes]], bytes, dict[str, Any]]
JSON = (b"Content-Type", b"application/json")


def _filters(draw: random.Random, known: Known) -> Any:
    names = ("municipality", "fiscal_year", "department", "section", "rating", "budget", "x")
    return {
        name: or_any(
            draw,
            [
                draw.choice((text(draw), draw.choice(known.places), 2021, 10**30, -5))
                for _ in range(draw.choice((0, 1, 3)))
            ],
        )
        for name in draw.sample(names, draw.choice((0, 1, 2)))
    }


def _ask(draw: random.Random, known: Known) -> Made:
    body: dict[str, Any] = {"question": or_any(draw, text(draw))}
    if draw.random() < 0.3:
        turns = [
            {"role": draw.choice(("user", "assistant")), "content": text(draw)} for _ in range(draw.choice((1, 2, 6)))
        ]
        body["history"] = or_any(draw, turns)
    if draw.random() < 0.3:
        body["filters"] = or_any(draw, _filters(draw, known))
    if draw.random() < 0.2:
        body |= {
            "without": or_any(draw, ["period"], 0.5),
            "reading": or_any(draw, "both", 0.3),
            "sheet": or_any(draw, draw.choice(known.sheets), 0.5),
        }
    if draw.random() < 0.1:
        body[text(draw)[:60]] = value(draw)
    return "POST", b"/api/v1/ask", [JSON], dumped(body, draw), {}


def _feedback(draw: random.Random, known: Known) -> Made:
    body = {
        "question": or_any(draw, text(draw)), "answer": or_any(draw, text(draw)), "rating": or_any(draw, draw.choice(("up", "down"))),
        "comment": or_any(draw, text(draw)), "reason": or_any(draw, draw.choice(("", "evidence"))),
        "citations": or_any(draw, [draw.choice((1, 2, -1, 10**300)) for _ in range(3)]), "index_version": or_any(draw, text(draw)),
    }  # fmt: skip
    chosen = {name: body[name] for name in draw.sample(sorted(body), draw.choice((2, 5, 7)))}
    return (
        "POST",
        b"/api/v1/feedback",
        [JSON],
        dumped(chosen | {"question": body["question"], "rating": body["rating"]}, draw),
        {},
    )


def _spoilt(draw: random.Random, known: Known) -> Made:
    target = draw.choice(
        (b"/api/v1/ask", b"/api/v1/feedback", b"/export/table.xlsx", b"/gradio_api/queue/join", b"/gradio_api/cancel")
    )
    good = json.dumps({"question": "図書館の決算額は？"}).encode()
    depth = draw.choice((1_000, 10_000, 100_000))
    body = draw.choice((
        b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b'{"question":' + b"[" * depth + b"]" * depth + b"}",
        b'{"question":"a","question":"\\u0000b"}', b'{"question":"a","question":1}', b'{"question":1e400}', b'{"question":"\xff\xfe"}',
        b'{"question":"\\ud800"}', b'{"question":"\\ud83d"', b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), good[:-3], good + good, b"",
        b"null", b"true", b"NaN", b"Infinity", b'"x"', b"9" * 100_000, b'{"question":' + b"9" * 10_000 + b"}", b"\x00" * 100, b"\x1f\x8b\x08",
        b'{"history":' + json.dumps([{"role": "user", "content": "x"}] * 201).encode() + b',"question":"a"}',
        b'{"question":"' + "あ".encode() * 700_000 + b'"}', b" " * 4_100_000, draw.randbytes(200), b"question=a&rating=up",
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="../../x"\r\n\r\ny\r\n--x--\r\n',
    ))  # fmt: skip
    headers = [(b"Content-Type", draw.choice(TYPES) if draw.random() < 0.5 else JSON[1])]
    if draw.random() < 0.1:
        headers.append((b"Content-Encoding", draw.choice((b"gzip", b"br", b"x"))))
    return "POST", target, headers, body, {}


def _query(draw: random.Random, names: Sequence[str], known: Known) -> bytes:
    parts = []
    for _ in range(draw.choice((0, 1, 2, 4, 8))):
        name = draw.choice(names)
        chance = draw.random()
        if name == "sheet" and chance < 0.6:
            given = draw.choice(known.sheets)
        elif name == "municipality" and chance < 0.5:
            given = draw.choice(known.places)
        elif name == "sort":
            given = draw.choice(ORDERS)
        elif name in ("k", "offset", "limit", "fiscal_year", "year", "start", "end", "p") and chance < 0.8:
            given = draw.choice(NUMBERS)
        else:
            given = text(draw)
        raw = given.encode("utf-8", "surrogatepass")
        parts.append(
            name.encode()
            + b"="
            + (quote_from_bytes(raw).encode() if draw.random() < 0.9 else bytes(b for b in raw if b > 0x20))
        )
        if draw.random() < 0.05:
            parts.append(draw.choice((b"&", b"==", b"%", b"%zz=%zz", b"q[]=1", b"a" * 3_000, b"q=%ff%fe", b"=")))
    return b"&".join(parts)


def _asks(target: str, names: Sequence[str], always: str = "") -> Callable[[random.Random, Known], Made]:
    def made(draw: random.Random, known: Known) -> Made:
        query = _query(draw, names, known)
        if always and draw.random() < 0.9:
            query = (
                f"{always}=".encode()
                + quote_from_bytes(text(draw).encode("utf-8", "surrogatepass")).encode()
                + b"&"
                + query
            )
        return "GET", target.encode() + b"?" + query, [], b"", {}

    return made


_FILTERS = ("municipality", "fiscal_year", "department", "section", "rating", "budget")
_SCREENS = (
    _asks("/compare", ("sheet", "sheet", "municipality", "year", "q")),
    _asks("/compare.xlsx", ("sheet", "sheet", "sheet", "municipality", "municipality", "year")),
    _asks("/compare.csv", ("sheet", "sheet", "sheet", "municipality", "municipality", "year")),
    _asks("/export/search.csv", (*_FILTERS, "sort", "p"), "q"),
    _asks("/export/search.xlsx", (*_FILTERS, "sort", "p"), "q"),
    _asks("/status/questions.csv", ("kind",)),
    _asks("/evaluation/cases.csv", ("state",)),
    _asks("/", (*NAMES, "tab")),
    _asks("/config", ("__theme", "x")),
)


def _screen(draw: random.Random, known: Known) -> Made:
    return draw.choice(_SCREENS)(draw, known)


def _sheet(draw: random.Random, known: Known) -> Made:
    name = (
        quote_from_bytes(draw.choice(known.sheets).encode(), safe="").encode() if draw.random() < 0.7 else _piece(draw)
    )
    ending = draw.choice((b"", b"", b"/page/1.png", b"/page/%s.png" % _piece(draw)))
    if draw.random() < 0.5:
        return (
            "GET",
            b"/sheet/" + name + ending + b"?" + _query(draw, ("start", "end", "whole", "print", "source"), known),
            [],
            b"",
            {},
        )
    return "GET", b"/api/v1/sheets/" + name + draw.choice((b"", b"/source", b"/x")), [], b"", {}


def _piece(draw: random.Random) -> bytes:
    return (
        quote_from_bytes(text(draw).encode("utf-8", "surrogatepass"), safe="/").encode()
        if draw.random() < 0.3
        else draw.choice(PIECES)
    )


def _path(draw: random.Random, known: Known) -> Made:
    place = draw.choice(PLACES).encode()
    while b"{}" in place:
        place = place.replace(b"{}", b"/".join(_piece(draw) for _ in range(draw.choice((1, 1, 1, 3)))), 1)
    method = draw.choice(METHODS) if draw.random() < 0.4 else "GET"
    query = b"?" + _query(draw, NAMES, known) if draw.random() < 0.3 else b""
    body = draw.choice((b"", b"{}", b"x", b"[]")) if method in ("POST", "PUT", "PATCH", "DELETE") else b""
    return method, place + query, [JSON] if body else [], body, {"broken": not place.isascii() or b" " in place}


def _head(draw: random.Random, known: Known) -> Made:
    target = draw.choice(
        (
            b"/",
            b"/healthz",
            b"/api/v1/sheets",
            b"/compare",
            b"/search/results",
            b"/gradio_api/queue/data?session_hash=a",
        )
    )
    choices: tuple[tuple[bytes, bytes], ...] = (
        (b"Cookie", b"hyoka_visitor=" + b"A" * 43), (b"Cookie", b"hyoka_visitor=../../x; a=\xff; ;;;=="), (b"Cookie", b"a" * 8_000),
        (b"X-Forwarded-For", b"127.0.0.1, \xff"), (b"X-Forwarded-Host", b"evil.invalid"), (b"X-Forwarded-Proto", b"javascript"),
        (b"Host", b"evil.invalid:99999"), (b"Host", b""), (b"Host", b"[::"), (b"Host", b"a b"), (b"Range", b"bytes=0-,5-,-9" + b"9" * 99), (b"Range", b"x"),
        (b"If-Modified-Since", b"\xff"), (b"If-None-Match", b"*"), (b"Accept", b"x/y;q=9"), (b"Accept-Encoding", b"gzip;q=nan, *"),
        (b"Accept-Language", b"\xe3\x81\x82"), (b"Origin", b"null"), (b"Referer", b"http://evil.invalid/\x01"), (b"X-Large", b"x" * 30_000),
        (b"X-Large", b"x" * 70_000), (b"Content-Length", b"-1"), (b"Content-Length", b"9" * 5_000), (b"Content-Length", b"99999999999"),
        (b"Transfer-Encoding", b"chunked, gzip"), (b"Expect", b"100-continue"), (b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"),
        (b"Content-Type", draw.choice(TYPES)), (b"Authorization", b"Bearer " + b"\xff" * 20), (b"Authorization", b"Basic !!!"), (b"X" * 3_000, b"1"),
        (b"X-Http-Method-Override", b"DELETE"),
    )  # fmt: skip
    chosen = draw.sample(choices, draw.choice((1, 1, 2, 4)))
    return draw.choice(("GET", "GET", "HEAD")), target, chosen, b"", {"broken": True}


def _wire(draw: random.Random, known: Known) -> Made:
    body = b'{"question":"a"}'
    start = b"POST /api/v1/ask HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    raw = draw.choice((
        b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http://evil.invalid/ HTTP/1.1\r\nHost: a\r\n\r\n", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"CONNECT evil.invalid:80 HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /?" + b"q=" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        start + b"Transfer-Encoding: chunked\r\n\r\n", start + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", start + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        start + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nab\r\n", start + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        start + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 3_000 + b"0\r\n\r\n", start + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        start + b"Content-Length: 16\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", start + b"Content-Length: 5\r\n\r\n{", start + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        start + b"Content-Length: 16\r\n\r\n" + body + body, start, start[:40], b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        draw.randbytes(300), b"GET / HTTP/1.1\r\nHost: a\r\nA: b\x00c\r\n\r\n",
    ))  # fmt: skip
    return "GET", b"", [], b"", {"raw": raw, "broken": True}


def _event(draw: random.Random, known: Known) -> Made:
    number, inputs = draw.choice(known.events) if known.events else (0, 1)
    session = "fuzz" + str(draw.randrange(50))
    body: dict[str, Any] = {
        "data": or_any(draw, [value(draw) for _ in range(or_any(draw, inputs, 0) + draw.choice((0, 0, 0, 1, -1)))]),
        "event_data": or_any(draw, None, 0.5), "fn_index": or_any(draw, number), "trigger_id": or_any(draw, draw.choice((None, 1, 9999))),
        "session_hash": or_any(draw, session),
    }  # fmt: skip
    if draw.random() < 0.1:
        body |= {draw.choice(("event_id", "batched", "oauth_token", "simple_format", "request", "x")): value(draw)}
    target = b"/gradio_api/queue/join"
    if draw.random() < 0.2:
        target = draw.choice((b"/gradio_api/cancel", b"/gradio_api/reset"))
        body = {
            "event_id": or_any(draw, "x"),
            "session_hash": or_any(draw, session),
            "fn_index": or_any(draw, number),
        }
    return "POST", target, [JSON], dumped(body, draw), {}


def _stream(draw: random.Random, known: Known) -> Made:
    session = b"fuzz%d" % draw.randrange(50) if draw.random() < 0.7 else _piece(draw)
    target = draw.choice((b"/gradio_api/queue/data?session_hash=", b"/gradio_api/heartbeat/"))
    return "GET", target + session, [(b"Accept", b"text/event-stream")], b"", {}


def _table(draw: random.Random, known: Known) -> Made:
    width = draw.choice((0, 1, 3, 100, 101))
    columns = [text(draw) for _ in range(min(width, 5))] + ["x"] * max(0, width - 5)
    rows = [
        [
            draw.choice(
                (text(draw), draw.choice((0, -1234, 10**18, 10**400, float("nan"), float("inf"), None, True, 1e308)))
            )
            for _ in range(draw.choice((width, width, 1, 120)))
        ]
        for _ in range(draw.choice((0, 1, 5)))
    ]
    if draw.random() < 0.02:
        rows.append(["x"] * 17_000)
    body = {"columns": or_any(draw, columns), "rows": or_any(draw, rows)}
    return "POST", b"/export/table.xlsx", [JSON], dumped(body, draw), {}


_KINDS: dict[str, tuple[int, Callable[[random.Random, Known], Made]]] = {
    "ask": (16, _ask),
    "search": (12, _asks("/api/v1/search", ("k", "offset", "sort", *_FILTERS), "q")),
    "results": (8, _asks("/search/results", ("p", "sort", *_FILTERS), "q")),
    "list": (6, _asks("/api/v1/sheets", ("limit", "offset", *_FILTERS))),
    "sheet": (9, _sheet),
    "feedback": (6, _feedback),
    "spoilt body": (6, _spoilt),
    "screen": (8, _screen),
    "table": (4, _table),
    "path": (14, _path),
    "header": (4, _head),
    "wire": (3, _wire),
    "event": (8, _event),
    "stream": (2, _stream),
}


@cache
def _kinds() -> tuple[list[str], list[int]]:
    return list(_KINDS), [weight for weight, _ in _KINDS.values()]
