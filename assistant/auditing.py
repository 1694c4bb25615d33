"""The requests that the audit trail tells of, written down before the first byte of their answer goes out."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.caller import OWNER, caller_of, calling
from assistant.access.places import own_path
from assistant.audit import UNWRITTEN, AuditTrail, Note, Origin, coming_from, noting
from assistant.completionerrors import refusal_at
from assistant.line import apart
from assistant.refusals import error_response
from corpus.errors import DatabaseError

# Which addresses show something of the sheets or of what was asked; ``id`` is a sheet that is shown.
_AUDITED = tuple(
    (re.compile(pattern), what)
    for pattern, what in (
        (r"/api/v1/ask", "ask"),
        (r"/v1/chat/completions", "ask"),
        (r"/api/v1/search", "search"),
        (r"/search/results", "search"),
        (r"/api/v1/sheets", "list"),
        (r"/api/v1/sheets/(?P<id>[^/]+)(?:/source)?", "sheet"),
        (r"/sheet/(?P<id>[^/]+)(?:/page/[^/]+)?", "sheet"),
        (r"/compare", "compare"),
        (r"/compare\.\w+|/export/.+|/papers/.+|/status/.+|/evaluation/.+", "export"),
        (r"/api/v1/feedback", "feedback"),
    )
)
_LONGEST = 2_000  # characters of a question that an address carries


class AuditRequests:
    """Writes a line for each audited request; where that fails the answer is a 503 and nothing else."""

    def __init__(self, app: ASGIApp, trail: AuditTrail) -> None:
        self.app, self.trail = app, trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Costs nothing where no trail is kept."""
        if scope["type"] not in ("http", "websocket") or not self.trail.on:
            await self.app(scope, receive, send)
            return
        origin = origin_of(scope)
        note = _note(scope) if scope["type"] == "http" else None
        if note is None:
            with coming_from(origin):
                await self.app(scope, receive, send)
            return
        refused = False

        def written(status: int) -> None:
            with calling(caller_of(_Scoped(scope))), coming_from(origin):
                outcome = note.outcome if status < 400 and note.outcome else _outcome(status)
                self.trail.record(note.what, note.question, list(note.sheets), note.index_version, outcome)

        async def after_writing(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                try:
                    await apart(lambda: written(int(message["status"])))
                except DatabaseError:
                    refused = True
                    told = error_response(503, "not_recorded", UNWRITTEN)
                    await refusal_at(own_path(scope), told)(scope, receive, send)
            if not refused:
                await send(message)

        with coming_from(origin), noting(note):
            await self.app(scope, receive, after_writing)


class _Scoped:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope


def origin_of(scope: Scope) -> Origin:
    """Where a request comes from; behind a trusted proxy, what that says."""
    return Origin(str((scope.get("client") or ("",))[0]), str(scope.get(OWNER, "")))


def _note(scope: Scope) -> Note | None:
    path = own_path(scope)
    for pattern, what in _AUDITED:
        found = pattern.fullmatch(path)
        if found is not None:
            asked = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), max_num_fields=1_000)
            note = Note(what, asked.get("q", [""])[0][:_LONGEST])
            shown = asked.get("sheet", []) if path.startswith("/compare") else []
            note.sheets |= dict.fromkeys([*shown, *(value for value in found.groupdict().values() if value)])
            return note
    return None


def _outcome(status: int) -> str:
    if status < 400:
        return "shown"
    known = {HTTPStatus.NOT_FOUND: "not found", HTTPStatus.SERVICE_UNAVAILABLE: "busy"}
    return known.get(HTTPStatus(status), "error" if status >= 500 else "refused")
