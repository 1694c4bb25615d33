"""Who may change things on the 管理 screen: the one place to ask."""

from __future__ import annotations

from typing import Any

from assistant.access.caller import caller_of

REFUSED = (
    "この操作は、管理者だけができます。管理者でログインするか、サーバーを動かしているパソコンから"
    "（http://127.0.0.1 か http://localhost で開いて）行ってください。"
)


def may_administer(request: Any) -> bool:
    """Whether a request (of FastAPI or of Gradio) may change the server.

    Where people log in: a 管理者; else whoever sits at the machine it runs on (see :func:`assistant.access.door.own_machine`).
    """
    return caller_of(request).may("admin")
