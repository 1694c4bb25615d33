"""A PostgreSQL server of one's own in a temporary folder, for tests and benchmarks; nothing of the machine's own is touched."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

PASSWORD = "秘密 p@ss/word%41"  # everything that has to be escaped in an address
USER = "hyoka"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: on the PATH, or the newest of those Debian keeps off it."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    return kept[-1].parent if kept else None


class PostgresServer:
    """A cluster listening on a free port of 127.0.0.1, with the role ``hyoka``, which needs its password there.

    ``durable``: what is committed survives a power cut, as on a server that is in use. RuntimeError where a program is
    missing or fails.
    """

    def __init__(self, durable: bool = False) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("PostgreSQL のサーバーがありません。apt-get install postgresql で入れてください。")
        self._bin = found
        self.folder = Path(tempfile.mkdtemp(prefix="hyoka-pg-"))
        self.port = _free_port()
        self._made = 0
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        with (self.folder / "data" / "postgresql.conf").open("a") as conf:
            conf.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{self.folder}'\n"
                f"fsync = {'on' if durable else 'off'}\nmax_connections = 60\nshared_buffers = 128MB\n"
            )
        (self.folder / "data" / "pg_hba.conf").write_text(
            "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        self.start()
        self.sql(f"create role {USER} login createdb password '{PASSWORD}'")

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-t", "60", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stops the server; its clients lose their connections."""
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "-t", "60", "stop")

    def remove(self) -> None:
        """Stops the server and removes its folder."""
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for a statement, as the administrator."""
        socket_options = ("-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-d", database)
        return self._run("psql", *socket_options, "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", statement)

    def database(self, encoding: str = "UTF8") -> str:
        """The address of a new, empty database."""
        self._made += 1
        name = f"hyoka_{self._made}"
        locale = "C.UTF-8" if encoding == "UTF8" else "C"
        self.sql(
            f"create database {name} owner {USER} encoding '{encoding}' lc_collate '{locale}' lc_ctype '{locale}'"
            " template template0"
        )
        return self.url(name)

    def url(self, database: str, password: str = PASSWORD, user: str = USER) -> str:
        """The address of a database."""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._bin / program), *arguments]
        if os.geteuid() == 0:
            # Not subprocess's own ``user``: it then forks in the plain way, and the handlers that gRPC, once loaded, has
            # run in the child of a fork have been seen to crash there.
            command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", *command]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        # To a file: a server that was started keeps a pipe open for as long as it runs.
        with tempfile.TemporaryFile() as out:
            done = subprocess.run(
                command, cwd=self.folder, env=kept | {"LC_ALL": "C.UTF-8", "HOME": str(self.folder)},
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, timeout=120,
            )  # fmt: skip
            out.seek(0)
            said = out.read().decode()
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {said}")
        return said


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
