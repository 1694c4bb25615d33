"""The door: who comes in, who does not, and what each may do; every address of the application is behind it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.access.door import COOKIE
from assistant.access.limits import TRIES, Limits
from assistant.access.places import PLACES
from assistant.access.policy import Policy, open_policy
from assistant.access.register import read_register
from assistant.access.registerfile import put_key
from assistant.audit import Auditing
from assistant.serving import check_open
from assistant.settings import Settings
from assistant.store import FeedbackStore
from corpus.errors import SettingsError
from tests.doors import ADMIN, USER, access_file, behind, log_in, policy_of
from tests.test_api import error_of
from ui.login import local

HERE = {"Origin": "http://hyoka.lan"}
QUESTION = {"question": "図書館の今後の計画は"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def file_and_key(folder):
    return access_file(folder)


@pytest.fixture(scope="module")
def by_users(file_and_key):
    store = FeedbackStore()
    with behind(policy_of(file_and_key[0], store, auth="users", requests_per_minute=0), store) as browser:
        yield browser


@pytest.fixture
def browser(by_users):
    by_users.cookies.clear()
    return by_users


# ---- who comes in -----------------------------------------------------------------------------------------------------


def test_a_page_leads_to_the_login_and_from_there_back(browser):
    sent = browser.get("/?tab=search&q=更改", headers={"Accept": "text/html"})
    assert sent.status_code == 303 and sent.headers["location"].startswith("/login?next=%2F%3Ftab%3Dsearch")
    page = browser.get(sent.headers["location"])
    assert page.status_code == 200 and 'name="next" value="/?tab=search' in page.text and "<script" not in page.text
    entered = log_in(browser, USER, "田中", "/?tab=search")
    assert (entered.status_code, entered.headers["location"]) == (303, "/?tab=search")
    assert "HttpOnly" in entered.headers["set-cookie"] and "SameSite=Lax" in entered.headers["set-cookie"]
    assert browser.get("/", headers={"Accept": "text/html"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("田中", ADMIN), ("田中", ""), ("", USER), ("だれか", USER), ("田中", USER + "x")]
)
def test_a_wrong_name_or_password_lets_nobody_in(browser, name, password):
    refused = log_in(browser, password, name)
    assert refused.status_code == 401 and "名前かパスワードが違います" in refused.text
    assert COOKIE not in browser.cookies and browser.get("/api/v1/sheets").status_code == 401


def test_who_logs_out_is_out_even_with_the_old_cookie(browser):
    log_in(browser, USER, "田中")
    token = browser.cookies[COOKIE]
    assert browser.get("/api/v1/me").json() == {
        "name": "田中", "role": "利用者", "scopes": ["ask", "feedback", "read"], "login": True,
    }  # fmt: skip
    assert browser.post("/logout", headers=HERE).headers["location"] == "/"
    browser.cookies.set(COOKIE, token)
    assert browser.get("/api/v1/me").status_code == 401


def test_the_shared_password_of_each_role_gives_that_role(file_and_key):
    store = FeedbackStore()
    with behind(policy_of(file_and_key[0], store, auth="password"), store) as browser:
        assert "名前" not in browser.get("/login").text
        for password, role in ((USER, "利用者"), (ADMIN, "管理者")):
            assert log_in(browser, password).status_code == 303
            assert browser.get("/api/v1/me").json()["role"] == role
        assert log_in(browser, "ちがうことばです").status_code == 401


def test_a_proxy_names_people_and_nobody_else_can(file_and_key):
    store = FeedbackStore()
    settings = {"auth": "proxy", "proxies": "192.0.2.7", "proxy_groups_header": "X-Groups"}
    policy = policy_of(file_and_key[0], store, **settings)
    with behind(policy, store) as proxy:
        name = "田中".encode()
        assert proxy.get("/api/v1/me", headers={"X-Forwarded-User": name}).json()["name"] == "田中"
        assert proxy.get("/api/v1/me", headers={"X-Forwarded-User": "yamada"}).status_code == 401
        group = {"X-Forwarded-User": "yamada", "X-Groups": "other, 職員".encode()}
        assert proxy.get("/api/v1/me", headers=group).json()["name"] == "yamada"
        twice = [("X-Forwarded-User", name), ("X-Forwarded-User", b"suzuki")]
        assert proxy.get("/api/v1/me", headers=twice).status_code == 401
        assert proxy.get("/api/v1/me").status_code == 401
        assert proxy.get("/", headers={"Accept": "text/html"}).status_code == 401  # there is no login to send them to
    with behind(policy, store, client=("192.0.2.8", 5000)) as other:
        assert other.get("/api/v1/me", headers={"X-Forwarded-User": name}).status_code == 401


def test_a_proxy_that_is_not_trusted_cannot_say_where_a_request_comes_from():
    policy = open_policy(Settings(proxies="192.0.2.7", without_login=True, requests_per_minute=1))
    for client, limited in ((("192.0.2.7", 1), False), (("192.0.2.8", 1), True)):
        with behind(policy, client=client) as browser:
            asked = [
                browser.get("/api/v1/sheets", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
                for n in (1, 2)
            ]
        assert asked == [200, 429 if limited else 200]


def test_a_key_opens_what_it_is_for_and_no_screen(browser, file_and_key):
    named = {"Authorization": f"Bearer {file_and_key[1]}"}
    assert browser.post("/api/v1/ask", json=QUESTION, headers=named).status_code == 200
    assert browser.get("/api/v1/me", headers=named).json()["name"] == "key:連携"
    for refused in ("/api/v1/sheets", "/metrics", "/", "/sheet/a", "/status/report.csv", "/gradio_api/info"):
        error_of(browser.get(refused, headers=named), 403)
    error_of(browser.post("/api/v1/ask", json=QUESTION, headers={"Authorization": "Bearer hyk_x"}), 401)


def test_a_key_ends_on_its_last_day(tmp_path):
    file = tmp_path / "access.toml"
    key = put_key(file, "連携", {"until": date(2026, 3, 31)})
    register = read_register(file)
    assert register.key(key, date(2026, 3, 31)) is not None and register.key(key, date(2026, 4, 1)) is None


# ---- one guard for everything -----------------------------------------------------------------------------------------


def _addresses(app) -> list[str]:
    known: list[str] = []
    queue = list(app.routes)
    while queue:
        one = queue.pop()
        inner = getattr(one, "original_router", None)
        if inner is not None:
            queue += inner.routes
        elif isinstance(getattr(one, "path", None), str):
            mounted = getattr(one, "app", None) if one.__class__.__name__ == "Mount" else None
            known += [one.path or "/"]
            if mounted is not None and one.path == "":
                queue += getattr(mounted, "routes", [])
    return sorted(set(known))


def test_every_address_of_the_application_is_behind_the_door(browser):
    everybody = {place.path for place in PLACES if place.everybody}
    seen = _addresses(browser.app)
    assert {"/api/v1/ask", "/metrics", "/docs", "/openapi.json", "/sheet/{sheet_id}", "/healthz"} <= set(seen)
    assert any("queue/join" in path for path in seen)  # Gradio's are among them
    for path in seen:
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
            answer = browser.request(method, path.replace("{", "").replace("}", "").replace(":path", ""), headers=HERE)
            opened = any(path == open_ or path.startswith(f"{open_}/") for open_ in everybody)
            assert opened or answer.status_code == 401, (method, path, answer.status_code)


def test_who_is_not_known_learns_nothing_from_the_probes(browser):
    assert browser.get("/healthz").json() == {"status": "ok"}
    assert browser.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/metrics", "/status/report.csv", "/status/questions.csv", "/evaluation/cases.csv"])
def test_what_belongs_to_the_administrator_is_refused_to_others(browser, path):
    log_in(browser, USER, "田中")
    error_of(browser.get(path), 403)
    log_in(browser, ADMIN, "鈴木")
    assert browser.get(path).status_code == 200


def test_events_of_the_administrators_screen_run_for_nobody_else(browser):
    log_in(browser, USER, "田中")
    config = browser.get("/config").json()
    named = {one["id"]: one for one in config["components"]}
    of_usage = [
        one["id"] for one in config["dependencies"]
        if any(named[output]["props"].get("elem_id") == "hy-usage" for output in one["outputs"])
    ]  # fmt: skip
    assert of_usage
    for who, password, told in (("田中", USER, "管理者だけ"), ("鈴木", ADMIN, "利用状況")):
        log_in(browser, password, who)
        sent = browser.post(
            "/gradio_api/queue/join",
            json={
                "data": [],
                "fn_index": of_usage[0],
                "session_hash": f"s{len(who)}{'a' if password == ADMIN else 'u'}",
                "trigger_id": None,
            },
            headers=HERE,
        )
        assert sent.status_code == 200, sent.text
        stream = browser.get(f"/gradio_api/queue/data?session_hash=s{len(who)}{'a' if password == ADMIN else 'u'}").text
        assert ("hy-usage" in stream or "回" in stream) or "管理者だけ" in stream
        completed = [line for line in stream.splitlines() if "process_completed" in line]
        assert completed and (('"success":true' in completed[0].replace(" ", "")) == (who == "鈴木")), told


def test_the_administrators_tab_is_not_in_the_page_of_others(browser):
    log_in(browser, USER, "田中")
    assert "status" in browser.get("/").text  # it is there, and hidden until the server shows it
    tabs = [one for one in browser.get("/config").json()["components"] if one["type"] == "tabitem"]
    assert [one["props"]["visible"] for one in tabs if one["props"]["label"] == "管理"] == [False]


# ---- other sites ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://hyoka.lan.evil.example"},
        {"Origin": "http://["}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {},
    ],
)  # fmt: skip
def test_another_site_cannot_ask_in_a_persons_name(browser, headers):
    log_in(browser, USER, "田中")
    error_of(browser.post("/api/v1/ask", json=QUESTION, headers=headers), 403)
    assert browser.post("/api/v1/ask", json=QUESTION, headers=HERE).status_code == 200


def test_another_site_cannot_log_anybody_in_or_out(browser):
    assert (
        browser.post("/login", data={"name": "田中", "password": USER}, headers={"Origin": "http://evil"}).status_code
        == 403
    )
    log_in(browser, USER, "田中")
    assert browser.post("/logout", headers={"Origin": "http://evil.example"}).status_code == 403
    assert browser.get("/api/v1/me").status_code == 200


def test_without_a_login_a_program_needs_no_origin_and_another_site_is_still_refused():
    with behind(Policy()) as browser:
        assert browser.post("/api/v1/ask", json=QUESTION).status_code == 200
        error_of(browser.post("/api/v1/ask", json=QUESTION, headers={"Origin": "http://evil.example"}), 403)


def test_a_server_for_its_own_machine_answers_to_no_other_name():
    with behind(open_policy(Settings()), client=("127.0.0.1", 5000)) as browser:
        error_of(browser.get("/api/v1/sheets"), 421)  # http://hyoka.lan that was pointed at 127.0.0.1
        for own in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
            assert browser.get("/api/v1/sheets", headers={"Host": own}).status_code == 200


@given(st.text(max_size=30))
def test_a_login_leads_to_no_other_site(wanted):
    for at in (wanted, "/" + wanted, "//" + wanted, "/\\" + wanted):
        led = local(at)
        assert led.startswith("/") and led[1:2] not in ("/", "\\") and led.isprintable()


# ---- limits -----------------------------------------------------------------------------------------------------------


def test_passwords_cannot_be_tried_out(file_and_key):
    store = FeedbackStore()
    with behind(policy_of(file_and_key[0], store, auth="users"), store) as browser:
        tried = [log_in(browser, f"まちがい{n:06}です", "田中").status_code for n in range(TRIES + 2)]
        assert tried == [401] * TRIES + [429] * 2
        assert log_in(browser, USER, "田中").status_code == 429  # right, and too late
        assert "待ってから" in log_in(browser, USER, "田中").text


def test_one_caller_cannot_ask_without_end_and_does_not_keep_others_out(file_and_key):
    store = FeedbackStore()
    with behind(policy_of(file_and_key[0], store, auth="users", requests_per_minute=3), store) as browser:
        log_in(browser, USER, "田中")
        answers = [browser.get("/api/v1/sheets") for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 61
        assert error_of(answers[-1], 429)["code"] == "too_many_requests"
        log_in(browser, ADMIN, "鈴木")
        assert browser.get("/api/v1/sheets").status_code == 200


def test_limits_of_zero_are_none():
    limits = Limits(0)
    assert [limits.asked("a") for _ in range(1000)] == [0] * 1000 and limits.barred("a") == 0


# ---- starting a server ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "hyoka.lan"])
def test_listening_to_others_without_a_login_has_to_be_said_twice(host):
    with pytest.raises(SettingsError, match="--without-login"):
        check_open(Settings(host=host))
    check_open(Settings(host=host, without_login=True))
    check_open(Settings(host=host, auth="users"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_a_server_for_its_own_machine_needs_no_login(host):
    check_open(Settings(host=host))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"auth": "password"}, "hyoka access password"),
        ({"auth": "users"}, "hyoka access user"),
        ({"auth": "proxy"}, "groups"),
        ({"proxies": "x"}, "proxies"),
    ],
)
def test_a_server_nobody_could_come_into_does_not_start(tmp_path, settings, told):
    with pytest.raises(SettingsError, match=told):
        open_policy(Settings(access_file=tmp_path / "access.toml", **settings))


def test_the_probes_and_the_login_are_all_that_is_open():
    assert {place.path for place in PLACES if place.everybody} == {
        "/login", "/logout", "/healthz", "/readyz", "/hyoka-assets/login.css", "/hyoka-assets/favicon.svg",
    }  # fmt: skip


# ---- on record --------------------------------------------------------------------------------------------------------


def test_logins_refused_logins_and_logouts_are_on_record(file_and_key):
    store = FeedbackStore(auditing=Auditing(on=True))
    with behind(policy_of(file_and_key[0], store, auth="users"), store) as browser:
        log_in(browser, "まちがいのことばです", "田中")
        log_in(browser, USER, "田中")
        browser.post("/logout", headers=HERE)
    found = [(line.what, line.who, line.address, line.outcome) for line in store.audit.lines()]
    assert [one for one in found if one[0] in ("login", "logout")] == [
        ("login", "田中", "192.0.2.7", "refused"), ("login", "田中", "192.0.2.7", "shown"), ("logout", "田中", "192.0.2.7", ""),
    ]  # fmt: skip
