"""What every page says in its first bytes, and how long a browser may keep its parts."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from assistant.store import FeedbackStore
from tests.fakes import FakeAssistant
from ui.app import ASSETS, create_app
from ui.dress import dressed, text_size


@pytest.fixture(scope="module")
def client():
    app = create_app(FakeAssistant(), FeedbackStore())
    with TestClient(app) as client:
        assert app.state.readiness.wait(120)
        yield client


def test_the_page_of_the_screens_is_japanese_and_links_our_files_before_any_script_has_run(client):
    html = client.get("/").text
    assert re.search(r"<html\b[^>]*>", html).group().startswith('<html lang="ja"')
    top = html.partition("</head>")[0]
    for file in set(ASSETS.glob("*.css")) - {ASSETS / "login.css"}:
        assert top.count(f'<link rel="stylesheet" href="/hyoka-assets/{file.name}">') == 1
    for file in ASSETS.glob("*.js"):
        assert len(re.findall(rf'<script nonce="[\w-]{{24}}" src="/hyoka-assets/{file.name}" defer>', html)) == 1
    assert "githubusercontent" not in top and "<meta property" not in top


@pytest.mark.parametrize("path", ["/", "/sheet/aoba-1", "/sheet/nothing"])
@pytest.mark.parametrize(
    "size, name", [("large", "hy-large"), ("largest", "hy-largest"), ('"><script>', None), ("", None)]
)
def test_a_text_size_is_written_into_the_page(client, path, size, name):
    response = client.get(path, headers={"cookie": f"other=1; hyoka-text={size}"})
    opening = re.search(r"<html\b[^>]*>", response.text).group()
    assert 'lang="ja"' in opening and opening.count("lang=") == 1
    assert re.findall(r'class="([^"]*)"', opening) == ([name] if name else [])
    assert int(response.headers.get("content-length", len(response.content))) > 0
    assert "cookie" in response.headers["vary"].lower()


def test_other_answers_are_left_alone(client):
    assert 'lang="ja"' not in client.get("/docs").text.partition("<head>")[0]
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.head("/sheet/aoba-1").content == b""


@given(st.text(), st.text(alphabet="<>html head/lang='\"x= \n"))
def test_dressing_changes_the_opening_and_nothing_behind_it(before, page):
    out = dressed(f'<!doctype html><html lang="en"><head>{before.replace("</head>", "")}</head>{page}', "large")
    assert out.startswith('<!doctype html><html class="hy-large" lang="ja"><head>') and out.endswith(f"</head>{page}")
    assert dressed("plain words") == "plain words"


@pytest.mark.parametrize(
    "cookie", ["", "hyoka-text=", "hyoka-text=huge", "hyoka-text=large2; x", "\x00;;=", "a" * 5_000]
)
def test_a_cookie_that_says_anything_else_is_the_usual_size(cookie):
    assert text_size(Headers({"cookie": cookie})) == ""


def test_parts_are_kept_as_long_as_they_cannot_change_and_travel_compressed(client):
    assert client.get("/hyoka-assets/hyoka.css").headers["cache-control"] == "no-cache"
    module = re.search(r'src="\./(assets/[^"]+\.js)"', client.get("/").text).group(1)
    assert "immutable" in client.get(f"/{module}").headers["cache-control"]
    assert "immutable" not in client.get("/assets/nothing.js").headers.get("cache-control", "")
    assert client.get("/", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/", headers={"accept-encoding": "identity"}).headers
