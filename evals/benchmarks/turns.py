"""A measurement in a process, watched: what it takes of memory, within what limits, and in turns with other work."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOOK = 0.2  # seconds between looks at the memory
_POLITE = 1.0  # seconds before another turn is taken: who waits is woken, but does not have the lock yet
MIB = 1024  # KiB, the unit of /proc


@dataclass(frozen=True, slots=True)
class Limits:
    """What a measurement may take: CPU seconds of the process and its children, MiB of memory of their own."""

    cpu_s: float
    anonymous_mib: float


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of it: its JSON, or why there is none. ``wall_s`` leaves out the time it stood still."""

    told: dict[str, Any]
    failed: str
    began_at: float
    wall_s: float
    peak_resident_mib: float
    peak_anonymous_mib: float


class Turns:
    """Runs processes one at a time; with ``lock``, only while nobody else holds that file's lock.

    A turn lasts for as many processes as begin within ``seconds``; one that may be paused stands still after them until
    it is its turn again. Then others have theirs.
    """

    def __init__(self, lock: Path | None = None, seconds: float = 280.0) -> None:
        self._handle = None if lock is None else lock.open("a")
        self._seconds = seconds
        self._until: float | None = None  # the end of the turn; None while it is not ours

    def take(self) -> None:
        """Waits for a turn, unless there is one."""
        if self._handle is not None and self._until is None:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            self._until = time.monotonic() + self._seconds

    def give(self) -> None:
        """Ends the turn."""
        if self._handle is not None:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
            self._until = None
            time.sleep(_POLITE)

    @property
    def over(self) -> bool:
        """Whether others should have their turn."""
        return self._until is not None and time.monotonic() > self._until

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        limits: Limits | None = None,
        pausable: bool = False,
    ) -> Ran:
        """Waits until the process is through, or past a limit."""
        self.take()
        began_at, began, paused = time.time(), time.monotonic(), 0.0
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,  # not a session of its own: there the kernel would not heed how nice we are
        )
        resident = anonymous = 0.0
        failed = ""
        try:
            while True:
                try:
                    out, errors = process.communicate(timeout=_LOOK)
                    break
                except subprocess.TimeoutExpired:
                    pass
                used = usage(process.pid)
                resident, anonymous = max(resident, used.resident_mib), max(anonymous, used.anonymous_mib)
                if limits is not None and not failed:
                    failed = passed(used, limits)
                    if failed:
                        os.killpg(process.pid, signal.SIGKILL)
                if pausable and not failed and self.over:
                    paused += self._pause(process.pid)
        except BaseException:  # whoever is stopped leaves nothing running
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        wall = time.monotonic() - began - paused
        if self.over:
            self.give()
        told: dict[str, Any] = {}
        if process.returncode == 0:
            told = json.loads(out.strip().splitlines()[-1])
        elif not failed:
            failed = (errors.strip().splitlines() or [f"exit status {process.returncode}"])[-1][:300]
        return Ran(told, failed, began_at, round(wall, 2), round(resident, 1), round(anonymous, 1))

    def _pause(self, group: int) -> float:
        """Lets others run; seconds it took."""
        began = time.monotonic()
        os.killpg(group, signal.SIGSTOP)
        self.give()
        self.take()
        os.killpg(group, signal.SIGCONT)
        return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children take now (pages that they share are counted for each)."""

    resident_mib: float
    anonymous_mib: float
    cpu_s: float


def usage(pid: int) -> Usage:
    """Read from /proc (Linux); a process that is gone takes nothing."""
    resident = anonymous = cpu = 0.0
    for one in _family(pid):
        try:
            status = Path(f"/proc/{one}/status").read_text()
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        lines = {line.split(":")[0]: line.split() for line in status.splitlines() if line}
        resident += int(lines["VmRSS"][1]) / MIB if "VmRSS" in lines else 0
        anonymous += int(lines["RssAnon"][1]) / MIB if "RssAnon" in lines else 0
        # user and system time, its own and that of the children it has waited for
        cpu += sum(int(fields[at]) for at in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")
    return Usage(resident, anonymous, cpu)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path("/proc").glob(f"{pid}/task/*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def passed(used: Usage, limits: Limits) -> str:
    """Which limit is passed, in words; empty while none is."""
    if used.cpu_s > limits.cpu_s:
        return f"stopped after {limits.cpu_s:.0f} s of CPU time"
    if used.anonymous_mib > limits.anonymous_mib:
        return f"stopped at {limits.anonymous_mib / 1024:.1f} GiB of memory, after {used.cpu_s:.0f} s of CPU time"
    return ""
