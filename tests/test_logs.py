"""The lines of a log: their two forms, what never stands in them, and what a traceback tells."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.ending import Ending
from assistant.logs import REQUEST, Current, Hiding, fields, set_up, told
from assistant.pool import BrokeElsewhere
from assistant.requestlog import RequestLog, request_id
from assistant.settings import load_settings
from corpus.errors import DatabaseError, SettingsError

logger = logging.getLogger("hyoka.test")
ASKED = "市長の給料は？"  # not written where it is raised: a traceback shows that line


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The loggers of the other tests."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "gradio"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(capsys) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_has_the_time_the_fields_and_the_request(capsys):
    set_up("json", "info")
    token = REQUEST.set(Current("abcd1234"))
    logger.info("索引を\n替えました。", extra=fields("index", index="x", before="", count=0))
    REQUEST.reset(token)
    logger.debug("not at this level")
    (line,) = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info", "logger": "hyoka.test", "message": "索引を 替えました。", "event": "index", "index": "x",
        "count": 0, "request": "abcd1234",
    }  # fmt: skip


def test_text_is_one_line_whatever_stands_in_it(capsys):
    set_up("text", "info")
    logger.info(
        "a\r\n2026-01-01 00:00:00 ERROR forged\x1b[2J\u2028b",
        extra=fields("x", caller="山田 status=200", route="/a/{b}"),
    )
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "\x1b" not in said and "\u2028" not in said
    assert said.rstrip().endswith('caller="山田 status=200" route=/a/{b}')


@given(st.text())
def test_no_text_breaks_a_line_of_json(text):
    from assistant.logs import JsonLines

    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%s", (text,), None)
    line = JsonLines(Hiding(), False).format(record)
    assert len(line.splitlines()) == 1 and set(json.loads(line)) >= {"time", "level", "logger", "message"}


def test_secrets_are_hidden_wherever_they_stand(capsys, monkeypatch):
    monkeypatch.setenv("HYOKA_DATABASE_URL", "postgresql://hyoka:pa%20ss@db.example/hyoka")
    monkeypatch.setenv("HYOKA_MILVUS_TOKEN", "root:Milvus99")
    set_up("json", "info", load_settings().secrets)
    logger.info(
        "at %s with Milvus99, http://u:p@proxy/x",
        "postgresql://other:word@host/db",
        extra=fields("x", url="root:Milvus99"),
    )
    try:
        raise OSError("cannot reach postgresql://hyoka:pa%20ss@db.example/hyoka")
    except OSError:
        logger.exception("no")
    said = capsys.readouterr().err
    for secret in ("pa%20ss", "db.example", "Milvus99", "word", "host/db", "u:p"):
        assert secret not in said
    assert "http://***proxy/x" in said


def test_a_traceback_keeps_places_and_kinds_but_not_what_somebody_asked():
    def ask(question: str) -> None:
        raise ValueError(f"cannot parse {question}")

    try:
        try:
            ask(ASKED)
        except ValueError as cause:
            raise RuntimeError(ASKED) from cause
    except RuntimeError as error:
        kept, whole = told(error), told(error, whole=True)
    assert "市長" not in kept and "in ask" in kept and "ValueError\nled to\n" in kept and kept.endswith("RuntimeError")
    assert "ValueError: cannot parse 市長の給料は？" in whole


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("disk I/O error"),
        OSError(28, "No space left"),
        DatabaseError("x", "y"),
        BrokeElsewhere("x"),
    ],
)
def test_what_the_machine_says_is_kept(error):
    try:
        raise error
    except Exception as caught:
        assert told(caught).endswith(f"{error}")


def test_the_loggers_of_uvicorn_write_the_same_form_and_repeat_nothing(capsys):
    set_up("json", "info")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n")
    logging.getLogger("uvicorn.access").info("GET /?q=secret")
    logging.getLogger("httpx").info("GET http://x/?q=secret")
    assert [one["message"] for one in lines(capsys)] == ["Invalid HTTP request received."]


def test_what_gradio_would_print_goes_into_the_log(capsys):
    pytest.importorskip("gradio")
    import gradio.queueing

    from ui.gradiostart import log_errors

    log_errors()
    set_up("json", "info")
    try:
        raise ValueError(ASKED)
    except ValueError:
        gradio.queueing.traceback.print_exc()
    (line,) = lines(capsys)
    assert line["level"] == "error" and "ValueError" in str(line["traceback"]) and "市長" not in str(line)
    assert gradio.queueing.traceback.format_exc


def test_settings_name_what_is_possible(monkeypatch):
    monkeypatch.setenv("HYOKA_LOG_FORMAT", "xml")
    with pytest.raises(SettingsError, match="text か json"):
        load_settings()
    monkeypatch.delenv("HYOKA_LOG_FORMAT")
    for wrong in ("hyoka", "/hyoka/", "/a b", "/../x?", "//x"):
        with pytest.raises(SettingsError, match="/hyoka のように"):
            load_settings(root_path=wrong)
    assert load_settings(root_path="/a/b-c").root_path == "/a/b-c"


@given(st.text(max_size=80))
def test_an_id_is_always_short_and_plain(sent):
    one = request_id(sent)
    assert 8 <= len(one) <= 64 and one.isascii() and one.isprintable() and " " not in one


# ---- the layers, without a server -----------------------------------------------------------------------------------


def call(app, path: str = "/x", headers: tuple[tuple[bytes, bytes], ...] = ()) -> asyncio.Task[list[dict[str, object]]]:
    """One request to an application; what it sent, also where it broke."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": list(headers)}

    async def run() -> list[dict[str, object]]:
        sent: list[dict[str, object]] = []

        async def send(message) -> None:
            sent.append(message)

        await app(scope, None, send)
        return sent

    return asyncio.ensure_future(run())


async def ok(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ab", "more_body": False})


async def never(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"data: 1", "more_body": True})
    await asyncio.sleep(3600)


def test_a_page_that_stays_open_does_not_hold_up_the_end_and_is_closed_in_order():
    async def play() -> None:
        ending = Ending(never)
        page = call(ending, "/gradio_api/heartbeat/abc")
        await asyncio.sleep(0)
        assert ending.inside == 0
        ending.close()
        assert ending.clear() == 0
        sent = await page
        assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        later = await call(ending, "/gradio_api/heartbeat/abc")
        assert later[0]["status"] == 503

    asyncio.run(play())


def test_what_does_not_end_in_time_is_broken_off_and_what_has_not_begun_is_refused():
    async def silent(scope, receive, send) -> None:
        await asyncio.sleep(3600)

    async def play() -> None:
        begun, waiting = Ending(never), Ending(silent)
        one, two = call(begun), call(waiting)
        await asyncio.sleep(0)
        assert begun.inside == waiting.inside == 1
        assert begun.clear() == waiting.clear() == 1
        assert [message.get("body") for message in await one] == [None, b"data: 1", b""]
        assert (await two)[0]["status"] == 503
        assert begun.inside == waiting.inside == 0

    asyncio.run(play())


def test_a_cancelled_request_of_an_open_ending_stays_cancelled():
    async def play() -> None:
        task = call(Ending(never))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())


def test_an_error_after_the_answer_is_not_told_twice_and_one_within_it_closes_the_connection(capsys):
    async def after(scope, receive, send) -> None:
        await ok(scope, receive, send)
        raise ValueError("after")

    async def within(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError(ASKED)

    async def play() -> None:
        sent = await call(RequestLog(after), headers=((b"x-request-id", b"abcdefgh"),))
        assert (b"x-request-id", b"abcdefgh") in sent[0]["headers"]
        with pytest.raises(ValueError):
            await call(RequestLog(within), "/?q=secret")
        assert REQUEST.get().id == ""

    set_up("json", "info")
    asyncio.run(play())
    first, second, third = lines(capsys)
    assert (first["event"], first["bytes"], first["route"]) == ("request", 2, "(screens)")
    assert second["event"] == "error" and "市長" not in str(second) and third["event"] == "request"
    assert first["request"] == "abcdefgh" and second["request"] == third["request"] != "abcdefgh"


def test_the_name_of_the_caller_stands_in_the_line(capsys):
    from assistant.access.caller import CALLER, Caller

    async def named(scope, receive, send) -> None:
        scope[CALLER] = Caller("山田")
        await ok(scope, receive, send)

    async def play() -> None:
        await call(RequestLog(named))

    set_up("json", "info")
    asyncio.run(play())
    assert lines(capsys)[0]["caller"] == "山田"


def test_systemd_hears_over_a_socket_with_and_without_a_file(tmp_path, monkeypatch):
    import socket

    from assistant.notify import notify, watchdog_seconds

    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    for address, place in ((str(tmp_path / "n"), str(tmp_path / "n")), ("@hyoka-test", "\0hyoka-test")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            listening.bind(place)
            monkeypatch.setenv("NOTIFY_SOCKET", address)
            assert notify("READY=1", "STATUS=ready")
            assert listening.recv(100) == b"READY=1\nSTATUS=ready"
    assert not notify("READY=1")  # nobody there any more
    assert watchdog_seconds() == 0
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    assert watchdog_seconds() == 30
