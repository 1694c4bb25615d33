"""Who may change things on the 管理 screen: the one place to ask, until people can log in."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

REFUSED = (
    "この操作は、サーバーを動かしているパソコンから（http://127.0.0.1 か http://localhost で開いて）行ってください。"
)


def may_administer(request: Any) -> bool:
    """Whether a request (of FastAPI or of Gradio) may change the server: only at the machine it runs on.

    The caller, and the name it was called by, have to be this machine's own; a page of another origin may not ask in a
    person's name, nor a foreign name that was pointed at this machine (DNS rebinding).
    """
    headers = request.headers
    host = headers.get("host", "")
    if not _own(urlsplit(f"//{host}").hostname) or not _own(getattr(request.client, "host", None)):
        return False
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return False
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


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
