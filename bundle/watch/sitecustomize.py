"""Python imports this before anything else where the folder is on PYTHONPATH: it writes down who wants to leave the machine.

``bundle.alone`` puts it there. Nothing is forbidden here, only noted; an audit hook cannot be taken off again.
"""

import json
import os
import sys
import traceback

_LOG = os.environ.get("HYOKA_ALONE_LOG", "")
_HOMES = ("localhost", "::1", "0.0.0.0", "::", "")  # the last three listen, or mean this machine when connected to
_ADDRESSED = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}  # event: where its address stands
_NAMED = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0, "socket.getnameinfo": 0}


def _host(event: str, args: tuple[object, ...]) -> str | None:
    """The host that an event is about; None if it is about none (another event, a socket in the file system)."""
    at = _ADDRESSED.get(event, _NAMED.get(event))
    if at is None or at >= len(args):
        return None
    value = args[at]
    if event in _ADDRESSED or event == "socket.getnameinfo":
        if not isinstance(value, tuple):
            return None
        value = value[0]
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value if isinstance(value, str) else None


def _note(event: str, args: tuple[object, ...]) -> None:
    host = _host(event, args)
    if host is None or host in _HOMES or host.startswith(("127.", "::ffff:127.")):
        return
    lines = "".join(traceback.format_stack(limit=12)[:-1])
    said = json.dumps(f"{event} {host}\n{lines}", ensure_ascii=False)
    file = os.open(_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, said.encode() + b"\n")
    finally:
        os.close(file)


if _LOG:
    sys.addaudithook(_note)
