"""An application on a port of its own, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI


@contextmanager
def on_port(application: FastAPI, **config: Any) -> Iterator[str]:
    """Its address, once it is ready to answer; ``config`` goes to uvicorn."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(application, **{"port": 0, "log_level": "warning", **config}))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        assert application.state.readiness.wait(120)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
