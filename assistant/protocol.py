"""uvicorn's HTTP, with refusals of its own that read like all others."""

from __future__ import annotations

import asyncio
import json

from assistant.refusals import MESSAGES


def refusing() -> type[asyncio.Protocol]:
    """uvicorn's protocol, which says in the one shape of all errors, and in Japanese, that what came is no HTTP."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Refusing(H11Protocol):
        def send_400_response(self, msg: str) -> None:
            if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # the answer is under way, or given
                self.transport.close()
                return
            code, words = MESSAGES[400]
            body = json.dumps({"error": {"code": code, "message": words}}, ensure_ascii=False).encode()
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    return Refusing
