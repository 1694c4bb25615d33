"""What systemd is told of the server (Type=notify): that it is ready, that it ends, that it is alive."""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> bool:
    """Sends ``READY=1`` and the like to whoever has started this process; False where nobody listens.

    The address is a Unix socket that systemd names in ``NOTIFY_SOCKET``; ``@`` begins one without a file.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    place = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(place)
            sender.sendall("\n".join(lines).encode())
    except OSError:
        return False  # systemd itself notices what it was not told
    return True


def watchdog_seconds() -> float:
    """How often systemd wants to hear that the server is alive (half of ``WatchdogSec``); 0 where it does not."""
    wanted = os.environ.get("WATCHDOG_USEC", "")
    mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(wanted) / 2_000_000 if wanted.isdecimal() and mine else 0.0
