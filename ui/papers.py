"""One's own conversations and single answers as files: what the links of :mod:`ui.paperlinks` open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from assistant.conversations import ConversationBook
from assistant.excelpaper import excel_paper
from assistant.papers import Paper, file_name, talk_paper
from assistant.wordpaper import word_paper
from ui.visitors import owner_of

Ending = Literal["docx", "xlsx"]
WRITERS: dict[Ending, tuple[Callable[[Paper], bytes], str]] = {
    "docx": (word_paper, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": (excel_paper, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def add_papers(app: FastAPI, book: ConversationBook) -> None:
    """Adds ``GET /papers/{talk}.docx`` and ``.xlsx``, and one answer of it: ``/papers/{talk}/{entry}.docx``.

    Who asks is known by the cookie: another's conversation is not found, like one that was never there.
    """

    def paper(request: Request, talk: str, ending: Ending, entry: int) -> Response:
        found = book.find(owner_of(request), talk)
        made = talk_paper(found, datetime.now(UTC), str(request.base_url), entry) if found is not None else None
        if made is None:
            raise HTTPException(404, "その会話はありません。質問の画面を開き、履歴から会話を選び直してください。")
        write, media = WRITERS[ending]
        return Response(write(made), media_type=media, headers=saved_as(file_name(made, ending), ending))

    @app.get("/papers/{talk}.{ending}", include_in_schema=False)
    def whole(request: Request, talk: str, ending: Ending) -> Response:
        return paper(request, talk, ending, 0)

    @app.get("/papers/{talk}/{entry}.{ending}", include_in_schema=False)
    def one(request: Request, talk: str, entry: int, ending: Ending) -> Response:
        if entry < 1:
            raise HTTPException(404)
        return paper(request, talk, ending, entry)


def saved_as(name: str, ending: str) -> dict[str, str]:
    """The headers of a file to save: its Japanese name as RFC 5987 asks, a plain one for what does not know that; and
    no copy of somebody's conversation in a cache."""
    return {
        "Content-Disposition": f"attachment; filename=\"hyoka.{ending}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "no-store",
    }
