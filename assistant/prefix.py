"""The application under a path of its own (``/hyoka``) behind a reverse proxy, whether or not the proxy takes that path away."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """The outermost layer: what stands behind it sees the paths it would see without a prefix, and the prefix in
    ``root_path``.

    The scope is changed in place, so that the layers before it see what is written into it.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Does nothing without a prefix."""
        if self.root and scope["type"] in ("http", "websocket"):
            if scope["path"] == self.root or scope["path"].startswith(self.root + "/"):
                scope["path"] = scope["path"][len(self.root) :] or "/"
                scope["raw_path"] = scope.get("raw_path", b"").removeprefix(self.root.encode()) or b"/"
            scope["root_path"] = self.root
        await self.app(scope, receive, send)


class AtRoot:
    """A mounted application, such as a folder of files, that is to know nothing of where it stands: it sees the rest of
    the path alone."""

    def __init__(self, app: ASGIApp, place: str) -> None:
        self.app, self.place = app, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """For paths below its place."""
        await self.app({**scope, "path": scope["path"].removeprefix(self.place), "root_path": ""}, receive, send)
