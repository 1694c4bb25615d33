"""``GET /api/v1/me``: who asks, as the server knows it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from assistant.access.caller import Role, caller_of

BY_PASSWORD = "by_password"
"""The attribute of the application's state that says whether people log in here."""


class MeJson(BaseModel):
    """Who asks and what they may do; ``login``: whether there is anything to log out of."""

    name: str
    role: Role
    scopes: list[str]
    login: bool


def me_routes() -> APIRouter:
    """The one route."""
    router = APIRouter(prefix="/api/v1", tags=["運用"])

    @router.get("/me", summary="自分")
    async def me(request: Request) -> MeJson:
        """だれとして使っているか、何ができるか。"""
        who = caller_of(request)
        login = bool(getattr(request.app.state, BY_PASSWORD, False))
        return MeJson(name=who.name, role=who.role, scopes=sorted(who.scopes), login=login)

    return router
