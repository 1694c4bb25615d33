"""Runs a command in a network namespace that has the loopback and nothing else, and says who tried to leave it.

    python -m bundle.alone hyoka index sheets

Taking the network away shows that a command works without one; it does not show that nobody tried. Two witnesses do:

- the kernel's counters of the namespace, for every process in it whatever it is written in: a connection or a datagram to an
  address without a route is counted (``OutNoRoutes``), and so is every datagram sent, to a name server on the loopback too;
- an audit hook in every Python process (``bundle/watch``), which writes down the address or the name asked for and the
  lines of code that asked.

The namespace needs root or the right to make user namespaces, which Debian gives to everybody.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
WATCH = Path(__file__).parent / "watch"
LOG = "HYOKA_ALONE_LOG"  # where the audit hook writes; read in bundle/watch/sitecustomize.py
REPORT = "HYOKA_ALONE_REPORT"  # where the counters go when the command has ended; standard error without it
IMPOSSIBLE = 125  # the status when no namespace can be made, as env(1) and docker(1) have it

_NEWUSER, _NEWNET = 0x1000_0000, 0x4000_0000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
_COUNTED = ("IpOutNoRoutes", "Ip6OutNoRoutes", "UdpOutDatagrams", "Udp6OutDatagrams")


@dataclass(frozen=True)
class Attempts:
    """What was tried in a namespace since it was made: nothing, if all are empty."""

    kernel: Mapping[str, int]  # counter: how often; those that are 0 are left out
    python: tuple[str, ...] = ()  # one a call: what was asked for, and by which lines


class NoNamespace(Exception):
    """The kernel gives no network namespace to this user."""


def counters() -> dict[str, int]:
    """The counters that stay 0 while nobody tries to leave, of the namespace of this process."""
    found: dict[str, int] = {}
    lines = Path("/proc/self/net/snmp").read_text("ascii").splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        protocol = names.split(":")[0]
        found |= {f"{protocol}{n}": int(v) for n, v in zip(names.split()[1:], values.split()[1:], strict=True)}
    six = Path("/proc/self/net/snmp6")  # not there where the kernel knows no IPv6
    for line in six.read_text("ascii").splitlines() if six.exists() else ():
        name, value = line.split()
        found[name] = int(value)
    return {name: found[name] for name in _COUNTED if found.get(name)}


def leave_the_network() -> None:
    """Moves this process, and those it will start, into a new namespace; NoNamespace where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    try:
        if libc.unshare(_NEWNET) != 0:
            if libc.unshare(_NEWUSER | _NEWNET) != 0:
                raise NoNamespace(os.strerror(ctypes.get_errno()))
            Path("/proc/self/setgroups").write_text("deny", "ascii")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1", "ascii")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1", "ascii")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            asked = fcntl.ioctl(any_socket, _GET_FLAGS, struct.pack("16sh14x", b"lo", 0))
            flags = struct.unpack("16sh14x", asked)[1]
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))
    except OSError as error:
        raise NoNamespace(str(error)) from error


def alone(
    command: Sequence[str], settings: Mapping[str, str] | None = None, folder: Path | None = None, seconds: float = 600
) -> tuple[subprocess.CompletedProcess[str], Attempts]:
    """Runs ``command`` without a network, in ``folder``, and gives what came of it and what was tried meanwhile.

    ``settings`` is the whole environment of the command (that of this process without it). NoNamespace where the kernel
    refuses, subprocess.TimeoutExpired after ``seconds``.
    """
    with tempfile.TemporaryDirectory() as place:
        log, report = Path(place, "log"), Path(place, "report")
        told = {**(os.environ if settings is None else settings), LOG: str(log), REPORT: str(report)}
        with subprocess.Popen(
            [sys.executable, str(Path(__file__)), *command],
            cwd=folder,
            env=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)  # with everything it started
                raise
        ended = subprocess.CompletedProcess(list(command), process.returncode, out, err)
        if ended.returncode == IMPOSSIBLE and not report.exists():
            raise NoNamespace(ended.stderr.strip())
        return ended, Attempts(json.loads(report.read_text("utf-8"))["kernel"], _read(log))


@cache
def possible() -> bool:
    """Whether this user may make network namespaces here."""
    try:
        alone(["true"])
    except NoNamespace:
        return False
    return True


def _read(log: Path) -> tuple[str, ...]:
    return tuple(json.loads(line) for line in log.read_text("utf-8").splitlines()) if log.exists() else ()


def main(command: Sequence[str]) -> int:
    """Runs the command; its exit status, or 1 if it succeeded and somebody tried to leave all the same."""
    if not command:
        raise SystemExit("usage: python -m bundle.alone COMMAND...")
    try:
        leave_the_network()
    except NoNamespace as error:
        sys.stderr.write(f"no network namespace: {error}\n")
        return IMPOSSIBLE
    with tempfile.TemporaryDirectory() as place:
        told = dict(os.environ)
        log = Path(told.setdefault(LOG, str(Path(place, "log"))))
        told["PYTHONPATH"] = os.pathsep.join(filter(None, (str(WATCH), told.get("PYTHONPATH"))))
        status = subprocess.run(command, env=told, check=False).returncode
        tried = Attempts(counters(), _read(log))
    if REPORT in os.environ:
        Path(os.environ[REPORT]).write_text(json.dumps(asdict(tried)), "utf-8")
        return status
    sys.stderr.write(json.dumps(asdict(tried), ensure_ascii=False, indent=1) + "\n")
    return status or int(bool(tried.kernel or tried.python))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
