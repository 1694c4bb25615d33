"""What the 検索 screen shows for the search of an address: ``GET /search/results``."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from assistant.audit import AuditTrail
from assistant.line import Line, apart
from assistant.readiness import Asker
from assistant.refusals import INTERNAL, busy_response, clean_question
from assistant.stages import stage
from corpus.errors import Busy, HyokaError
from index.types import Index
from ui.facets import render_facets
from ui.hits import OTHERS, render_found
from ui.render import placed, render_notice
from ui.searches import PAGE, Search, read_search
from ui.searchhelp import hints
from ui.text import tame

logger = logging.getLogger(__name__)

HELP = "言葉でも文でも探せます。例：「窓口の待ち時間を短くする取組」。言い方が違っても、意味の近い記載を見つけます。"


def add_results(app: FastAPI, assistant: Asker, line: Line, audit: AuditTrail | None = None) -> None:
    """Adds ``GET /search/results``: what the screen shows for the search of an address."""

    @app.get("/search/results", include_in_schema=False, response_model=None)
    async def results(request: Request) -> dict[str, Any] | Response:
        search = read_search(request.query_params)
        if not search.words:
            known = await apart(lambda: known_scope(assistant.index, search))
            return {"results": render_notice(HELP), "facets": "", "scope": known}
        try:
            words = replace(search, words=clean_question(search.words))
            return await line.run("search-screen", lambda: JSONResponse(shown(assistant.index, words, audit)))
        except Busy as problem:
            return busy_response(problem, results=render_notice(problem.message), facets="")
        except HyokaError as problem:
            return {"results": render_notice(problem.message), "facets": ""}
        except Exception:
            logger.exception("a search broke")
            return {"results": render_notice(INTERNAL[1]), "facets": ""}


def shown(index: Index, search: Search, audit: AuditTrail | None = None) -> dict[str, Any]:
    """The results and the facets as HTML, and the chosen values that the shared filters know."""
    with stage("search"):
        found = index.search_sheets(
            search.words, PAGE, search.filters, (search.page - 1) * PAGE, search.order, others=OTHERS
        )
        helped = hints(index, search, found)
    if audit is not None:
        sheets = [hit.best.sheet.sheet_id for hit in found.hits]
        audit.tell("search", search.words, sheets, index.version, "shown")
    with stage("render"):
        return {
            "results": tame(render_found(search, found, helped, placed(index))),
            "facets": tame(render_facets(search, found.facets)),
            "scope": known_scope(index, search),
        }


def known_scope(index: Index, search: Search) -> list[list[Any]]:
    """The chosen municipalities, years and departments that stand in the index; an address may name others."""
    chosen = (search.filters.municipality, search.filters.fiscal_year, search.filters.department)
    if not any(chosen):
        return [[], [], []]
    sheets = index.sheets()
    known: list[set[Any]] = [
        {sheet.municipality for sheet in sheets},
        {sheet.fiscal_year for sheet in sheets},
        {sheet.department for sheet in sheets},
    ]
    return [[value for value in values if value in held] for values, held in zip(chosen, known, strict=True)]
