"""The question set as files, and the newest run as a report: what the 管理 screen's links open."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from assistant.casebook import State
from evals.casefiles import WRITERS
from evals.desk import Desk, cases_of
from evals.report import page

MEDIA = {
    "jsonl": "application/jsonl; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def add_case_files(app: FastAPI, desk: Desk) -> None:
    """Adds ``GET /evaluation/cases.{jsonl,csv,xlsx}?state=accepted``, files for ``hyoka eval``, and the report."""

    @app.get("/evaluation/cases.{ending}", include_in_schema=False)
    def cases(ending: Literal["jsonl", "csv", "xlsx"], state: State = "accepted") -> Response:
        content = WRITERS[f".{ending}"](cases_of(desk.book, state))
        name = f'attachment; filename="hyoka-{state}.{ending}"'
        return Response(content, media_type=MEDIA[ending], headers={"Content-Disposition": name})

    @app.get("/evaluation/report.html", include_in_schema=False)
    def report() -> HTMLResponse:
        newest = desk.history(2)
        if not newest:
            raise HTTPException(404, "評価はまだ実行されていません。管理の「評価を実行」で実行してください。")
        return HTMLResponse(page(newest[0], newest[1] if len(newest) > 1 else None))
