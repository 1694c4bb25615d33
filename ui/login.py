"""The login page, for browsers of any age: a form, no script."""

from __future__ import annotations

import logging
from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assistant.access.caller import Caller, caller_of
from assistant.access.door import COOKIE, address
from assistant.access.me import BY_PASSWORD
from assistant.access.passwords import LONGEST, right
from assistant.access.places import LOGIN, LOGOUT, root_of
from assistant.access.policy import Policy
from assistant.audit import record
from assistant.line import apart
from ui.cookies import set_cookie

logger = logging.getLogger(__name__)

_LONGEST_FORM = 8_192
_WRONG = {
    "users": "名前かパスワードが違います。確かめて、もう一度入力してください。",
    "password": "パスワードが違います。確かめて、もう一度入力してください。",
}
_BARRED = "間違いが続いたため、{minutes}分ほど入力を受け付けません。待ってから、もう一度お試しください。"


def add_login(app: FastAPI, policy: Policy) -> None:
    """The routes of logging in and out."""
    setattr(app.state, BY_PASSWORD, policy.by_password)
    router = APIRouter()

    @router.get(LOGIN, include_in_schema=False)
    def page(request: Request, next: str = "") -> Response:
        return _page(request, policy, next) if policy.by_password else _onward(request, "/")

    @router.post(LOGIN, include_in_schema=False)
    async def enter(request: Request) -> Response:
        if not policy.by_password or policy.sessions is None:
            return _onward(request, "/")
        sent = await _form(request)
        name, password, wanted = sent.get("name", ""), sent.get("password", ""), sent.get("next", "")
        return await apart(lambda: _entered(request, policy, name, password, wanted))

    @router.post(LOGOUT, include_in_schema=False)
    async def leave(request: Request) -> Response:
        token = request.cookies.get(COOKIE, "")
        sessions = policy.sessions
        if token and sessions is not None:
            await apart(lambda: sessions.end(token))
            who = caller_of(request).name
            await apart(lambda: record("logout", who, address(request)))
        answer = _onward(request, LOGIN if policy.by_password else "/")
        answer.headers.append("Set-Cookie", set_cookie(request.scope, COOKIE, "", 0))
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    app.include_router(router)


def _entered(request: Request, policy: Policy, name: str, password: str, wanted: str) -> Response:
    assert policy.sessions is not None
    whom = [f"address:{address(request)}", *([f"name:{name}"] if name else [])]
    seconds = policy.limits.barred(*whom)
    if seconds:
        return _page(request, policy, wanted, _BARRED.format(minutes=-(-seconds // 60)), name, 429)
    found = _known(policy, name, password)
    if found is None:
        policy.limits.failed(*whom)
        logger.warning("login refused: %s", address(request))
        record("login", name[:100], address(request), "refused")
        return _page(request, policy, wanted, _WRONG.get(policy.mode, ""), name, 401)
    who, kept = found
    record("login", who.name, address(request), "shown")  # before the door opens: what is not on record does not happen
    token = policy.sessions.begin(who.name, kept)
    answer = _onward(request, wanted)
    seconds = round(policy.sessions.hours * 3600)
    answer.headers.append("Set-Cookie", set_cookie(request.scope, COOKIE, token, seconds))
    return answer


def _known(policy: Policy, name: str, password: str) -> tuple[Caller, str] | None:
    """Who a name and a password belong to, with the hash that the session depends on."""
    if policy.register is None or len(password) > LONGEST:
        return None
    register = policy.register.now()
    if policy.mode == "users":
        user = register.user(name)
        kept = "" if user is None else user.hash
        # A name that is not there takes as long as one that is: nobody finds out which names are.
        return (user.caller(), kept) if right(kept, password) and user is not None else None
    shared = next((one for one in register.passwords if right(one.hash, password)), None)
    return None if shared is None else (shared.caller(), shared.hash)


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return {}
    return {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace"), max_num_fields=10).items()}


def local(wanted: str) -> str:
    """An address of this server to go on to; anything that could lead elsewhere becomes the first page.

    >>> local("/?tab=search"), local("//evil.example/"), local("https://evil.example"), local("/" + chr(92) + "evil")
    ('/?tab=search', '/', '/', '/')
    """
    plain = wanted.startswith("/") and wanted[1:2] not in ("/", "\\") and wanted.isprintable() and "\\" not in wanted
    return wanted if plain and not wanted.startswith((LOGIN, LOGOUT)) else "/"


def _onward(request: Request, wanted: str) -> Response:
    return RedirectResponse(f"{root_of(request.scope)}{local(wanted)}", 303)


def _page(
    request: Request, policy: Policy, wanted: str, problem: str = "", name: str = "", status: int = 200
) -> HTMLResponse:
    root = escape(root_of(request.scope), quote=True)
    told = f'<p class="hy-login-problem" role="alert">{escape(problem)}</p>' if problem else ""
    who = (
        f'<label for="name">名前</label><input id="name" name="name" value="{escape(name, quote=True)}"'
        ' autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required autofocus>'
        if policy.mode == "users"
        else ""
    )
    body = (
        '<main class="hy-login"><h1>評価シートに聞く</h1><p>使うにはログインしてください。</p>'
        f'{told}<form method="post" action="{root}{LOGIN}">'
        f'<input type="hidden" name="next" value="{escape(local(wanted), quote=True)}">{who}'
        '<label for="password">パスワード</label><input id="password" name="password" type="password"'
        f' autocomplete="current-password" maxlength="{LONGEST}" required{"" if who else " autofocus"}>'
        '<button type="submit">ログイン</button></form>'
        '<p class="hy-login-help">パスワードが分からないときは、hyoka の管理者に聞いてください。</p></main>'
    )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>ログイン｜評価シートに聞く</title><link rel="icon" href="{root}/hyoka-assets/favicon.svg">'
        f'<link rel="stylesheet" href="{root}/hyoka-assets/login.css">'
    )
    page = f'<!doctype html><html lang="ja"><head>{head}</head><body class="hy-page">{body}</body></html>'
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})
