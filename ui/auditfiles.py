"""The audit trail as a file, from the 管理 screen: for a 管理者 alone."""

from __future__ import annotations

from datetime import date
from typing import Literal

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from assistant.accounting import csv_pieces, json_lines
from assistant.audit import AuditTrail
from ui.permission import REFUSED, may_administer

_MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson; charset=utf-8"}


def add_audit_files(app: FastAPI, trail: AuditTrail) -> None:
    """Adds ``GET /status/audit.csv`` and ``.jsonl``, with ``from`` and ``to`` as days; itself recorded like any export."""

    @app.get("/status/audit.{ending}", include_in_schema=False)
    def audit(request: Request, ending: Literal["csv", "jsonl"]) -> StreamingResponse:
        if not may_administer(request):
            raise HTTPException(403, REFUSED)
        since, until = _day(request, "from"), _day(request, "to")
        pieces = csv_pieces(trail, since, until) if ending == "csv" else json_lines(trail, since, until)
        headers = {
            "Content-Disposition": f'attachment; filename="hyoka-audit.{ending}"',
            "Cache-Control": "no-store",
        }
        return StreamingResponse(pieces, media_type=_MEDIA[ending], headers=headers)


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HTTPException(422, "日付は 2026-04-01 の形で指定してください。") from None


def audit_links(trail: AuditTrail) -> str:
    """The links to the files, where a trail is kept; empty elsewhere."""
    if not trail.on:
        return ""
    return (
        '<p class="hy-note">監査の記録を残しています（だれが、いつ、何を聞き、どのシートを見たか）。'
        '<a href="status/audit.csv" download>CSVで保存</a>　<a href="status/audit.jsonl" download>JSON Linesで保存</a></p>'
    )
