"""A reverse proxy for tests: takes a prefix away, passes everything on as it comes, and lets nothing else in."""

from __future__ import annotations

import http.client
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from running import ROOT, free_port

NGINX = Path("/usr/sbin/nginx")


@contextmanager
def proxy(port: int, prefix: str) -> Iterator[tuple[str, list[str]]]:
    """The address of a proxy in front of a port, and the paths outside its prefix that somebody asked it for."""
    outside: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            if self.path != prefix and not self.path.startswith((f"{prefix}/", f"{prefix}?")):
                outside.append(f"{self.path} from {self.headers.get('Referer')}")
                self.send_error(404)
                return
            path = self.path.removeprefix(prefix) or "/"
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            behind.request(self.command, path, body or None, headers | {"X-Forwarded-Proto": "http"})
            response = behind.getresponse()
            self.send_response_only(response.status)
            for name, value in response.getheaders():
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                while part := response.read1(65536):  # as it comes: what is streamed stays streamed
                    self.wfile.write(part)
                    self.wfile.flush()
            except OSError:
                pass  # the browser has left
            self.close_connection = True

        do_GET = do_POST = do_HEAD = answer  # noqa: N815  names of the library

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a page that was closed

    server = Quiet(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}", outside
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def nginx(folder: Path, behind: int) -> Iterator[int]:
    """The example as it is but for the ports, the certificate and the user; gives the port."""
    port = free_port()
    site = (ROOT / "deploy" / "proxy" / "nginx.conf").read_text("utf-8")
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{behind}").replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    site = re.sub(r"^\s*ssl_.*\n", "", site, flags=re.M).replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    (folder / "site.conf").write_text(site, "utf-8")
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log stderr;\n"
        f"events {{ worker_connections 64; }}\nhttp {{\n{places}include {folder}/site.conf;\n}}\n",
        "utf-8",
    )
    program = [str(NGINX), "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    checked = subprocess.run([*program, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    running = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        running.terminate()
        running.wait(120)
