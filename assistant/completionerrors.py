"""Errors under ``/v1`` as OpenAI's clients read them: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

import json

from fastapi.responses import JSONResponse
from starlette.responses import Response

from corpus.errors import HyokaError

PREFIX = "/v1"
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class CompletionRefused(HyokaError):
    """A request that OpenAI's interface allows and hyoka does not do; ``param`` names the part of it that is meant."""

    code = "unsupported"

    def __init__(self, message: str, param: str, status: int = 422, code: str = "unsupported") -> None:
        super().__init__(message)
        self.param, self.status, self.code = param, status, code


def under_v1(path: str) -> bool:
    """Whether an address is one of OpenAI's.

    >>> under_v1("/v1/models"), under_v1("/v1"), under_v1("/v10"), under_v1("/api/v1/ask")
    (True, True, False, False)
    """
    return path == PREFIX or path.startswith(PREFIX + "/")


def completion_error(status: int, code: str, message: str, param: str | None = None) -> JSONResponse:
    """An error in OpenAI's shape."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status_code=status)


def refusal_at(path: str, refused: Response, param: str | None = None) -> Response:
    """A refusal in the shape of the address that was asked: one of our own becomes OpenAI's under ``/v1``, with its headers."""
    if not under_v1(path) or not isinstance(refused, JSONResponse):
        return refused
    told = json.loads(bytes(refused.body))["error"]
    shaped = completion_error(refused.status_code, told["code"], told["message"], param)
    for name, value in refused.headers.items():
        if name not in ("content-length", "content-type"):
            shaped.headers[name] = value
    return shaped
