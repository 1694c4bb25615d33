"""The one guard in front of everything: pages, screens and their events, API, documentation, figures."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.access.caller import CALLER, NOBODY, OWNER, Caller, calling
from assistant.access.places import LOGIN, Place, own_path, place_of, root_of
from assistant.access.policy import Policy, anybody
from assistant.completionerrors import refusal_at
from assistant.line import apart
from assistant.refusals import MESSAGES, error_response

COOKIE = "hyoka_session"
PEER = "hyoka.peer"
"""The key of the ASGI scope under which the other end of the connection stands, whatever a proxy says of the caller."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FOREIGN = "別のサイトからの操作は受け付けません。hyoka の画面を開き直して、そこから操作してください。"
_NO_KEY = "この鍵は使えません。管理者に、新しい鍵を作ってもらってください。"


class Peer:
    """Writes down who is at the other end, before what a proxy says replaces it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Changes nothing else."""
        if scope["type"] in ("http", "websocket"):
            scope[PEER] = (scope.get("client") or ("", 0))[0]
        await self.app(scope, receive, send)


class Door:
    """Lets in who may come in, and says behind it who that is: under CALLER in the scope, and by ``caller()``."""

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses in the shape of the API, or sends a person to the login."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        place = place_of(own_path(scope))
        who, ambient = await self._who(request)
        refused = self._refused(request, place, who, ambient)
        if refused is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await refusal_at(own_path(scope), refused)(scope, receive, send)
            return
        known = who or NOBODY
        scope[CALLER] = known
        if known.owner:
            scope[OWNER] = known.owner
        with calling(known):
            await self.app(scope, receive, send)

    async def _who(self, request: HTTPConnection) -> tuple[Caller | None, bool]:
        """The caller, and whether the browser says so by itself, as with a cookie: then another site could make it."""
        policy = self.policy
        if not policy.on or policy.register is None or policy.sessions is None:
            return anybody(own_machine(request)), False
        if (given := sent_key(request)) is not None:
            key = policy.register.now().key(given)
            return (None if key is None else key.caller()), False
        if policy.mode == "proxy":
            return self._named(request), True
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None, True
        sessions = policy.sessions
        session = sessions.recent(token) or await apart(lambda: sessions.find(token))
        return (None if session is None else policy.logged_in(session)), True

    def _named(self, request: HTTPConnection) -> Caller | None:
        policy = self.policy
        names = request.headers.getlist(policy.user_header)
        # Two of them: somebody tries to pass for another one behind the proxy's back.
        if (
            policy.register is None
            or len(names) != 1
            or not names[0]
            or not policy.trusts(str(request.scope.get(PEER)))
        ):
            return None
        given = request.headers.get(policy.groups_header, "") if policy.groups_header else ""
        return policy.register.now().person(_plain(names[0]), [_plain(one) for one in given.split(",")])

    def _refused(self, request: HTTPConnection, place: Place, who: Caller | None, ambient: bool) -> Response | None:
        if self.policy.own_machine_only and not _own(_hostname(request.headers.get("host", ""))):
            return error_response(421, *MESSAGES[421])
        unsafe = request.scope.get("method", "GET") not in _SAFE
        if unsafe and not same_origin(request, ambient and who is not None):
            return error_response(403, MESSAGES[403][0], _FOREIGN)
        if self.policy.on and not place.everybody:
            if who is None:
                return self._turned_away(request)
            foreign = sent_key(request) is not None and not place.program
            if foreign or (place.scope is not None and not who.may(place.scope)):
                return error_response(403, *MESSAGES[403])
        if place.counted and (self.policy.on or not own_machine(request)):
            seconds = self.policy.limits.asked((who.owner if who is not None else "") or address(request))
            if seconds:
                told = error_response(429, *MESSAGES[429])
                told.headers["Retry-After"] = str(seconds)
                return told
        return None

    def _turned_away(self, request: HTTPConnection) -> Response:
        scope = request.scope
        page = scope.get("method") == "GET" and "text/html" in request.headers.get("accept", "")
        if page and self.policy.by_password and not own_path(scope).startswith("/api/"):
            wanted = own_path(scope) + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
            return RedirectResponse(f"{root_of(scope)}{LOGIN}?next={quote(wanted, safe='')}", 303)
        key = "authorization" in request.headers
        told = error_response(401, MESSAGES[401][0], _NO_KEY if key else MESSAGES[401][1])
        told.headers["WWW-Authenticate"] = "Bearer"
        return told


def sent_key(request: HTTPConnection) -> str | None:
    """The key of a program that a request bears, right or wrong; None for one that bears none."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else None


def same_origin(request: HTTPConnection, ambient: bool) -> bool:
    """Whether a request that changes something comes from our own pages, or from a program.

    A browser says where a request comes from (Origin, Sec-Fetch-Site: Fetch standard); a program need not, but then no
    cookie and no proxy may speak for it (``ambient``). See OWASP's cheat sheet on cross-site request forgery.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if origin is not None:
        return _leads_to(origin, host)
    site = request.headers.get("sec-fetch-site")
    return site in ("same-origin", "none") if site is not None else not ambient


def own_machine(request: HTTPConnection) -> bool:
    """Whether a request comes from the machine the server runs on, under a name of its own, and from our own pages.

    A page of another origin may not ask in a person's name, nor a foreign name that was pointed at this machine (DNS
    rebinding).
    """
    headers = request.headers
    host = headers.get("host", "")
    if not _own(_hostname(host)) or not _own(address(request)):
        return False
    origin = headers.get("origin")
    if origin is not None and not _leads_to(origin, host):
        return False
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def address(request: HTTPConnection) -> str:
    """The address of the caller."""
    return str(getattr(request.client, "host", "") or "")


def _leads_to(origin: str, host: str) -> bool:
    try:
        return bool(host) and urlsplit(origin).netloc == host
    except ValueError:
        return False


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _own(name: str | None) -> bool:
    """Whether a name or an address is this machine's."""
    if not name:
        return False
    if name == "localhost":
        return True
    try:
        return ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _plain(name: str) -> str:
    """A name as a header carries it: UTF-8 where it can be, without the control characters nobody is called by."""
    try:
        name = name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass
    return "".join(character for character in name if character.isprintable()).strip()[:100]
