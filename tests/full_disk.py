"""For test_faults: what becomes of an index on a disk that is full; run inside a mount namespace of its own.

    unshare -m python tests/full_disk.py DISK OLD NEW ROOM...

mounts a small disk on DISK, makes an index of the sheets in OLD there, and for every ROOM (KiB that are left free) tries to
take in those of NEW. Prints a line of JSON for each: the exit status, what was said, and what the index then says.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from fake_encoder import FakeEncoder  # noqa: E402

import index.encoder  # noqa: E402
import index.snapshot  # noqa: E402
from assistant.cli import run  # noqa: E402
from corpus.errors import IndexFolderError  # noqa: E402
from index.fusion import Weights  # noqa: E402
from index.manifest import current  # noqa: E402
from index.tuning.store import Tuning, save  # noqa: E402

SIZE = 24  # MiB


def said(arguments: list[str]) -> tuple[int, str, str]:
    """The status of a command, what it printed and what it said."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = run(arguments)
    return code, out.getvalue(), err.getvalue()


def fill(disk: Path, room: int) -> None:
    """Fills the disk up to ``room`` KiB."""
    subprocess.run(["dd", "if=/dev/zero", f"of={disk / 'filler'}", "bs=4k"], stderr=subprocess.DEVNULL, check=False)
    with (disk / "filler").open("r+b") as stream:
        stream.truncate(max(0, (disk / "filler").stat().st_size - room * 1024))


def main() -> None:
    """See above."""
    disk, old, new, *rooms = sys.argv[1:]
    encoder = FakeEncoder("fake")
    for module in (index.encoder, index.snapshot):
        module.load_encoder = lambda source=None: encoder  # type: ignore[attr-defined]
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", disk], check=True)
    folder = Path(disk) / "index"
    named = ["--index-dir", str(folder)]
    code, _, told = said(["index", old, *named])
    assert code == 0, told
    for room in map(int, rooms):
        before = current(folder)
        fill(Path(disk), room)
        code, _, told = said(["index", new, "--whole", *named])
        seen = said(["sheets", *named])
        tuned = said(["tune", "--reset", *named])[0]
        print(json.dumps([room, code, told, seen[0], seen[1], current(folder) == before, tuned]), flush=True)
        (Path(disk) / "filler").unlink()
        if code == 0:
            assert said(["index", old, "--whole", *named])[0] == 0
    code, _, told = said(["index", new, *named])
    rest = sorted(one.name for one in folder.iterdir()) + sorted(one.name for one in (folder / "snapshots").glob(".*"))
    print(json.dumps([-1, code, told, *said(["sheets", *named])[:2], rest]))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    asked = said(["ask", "図書館運営事業の今後の計画は", *named])
    reading = {
        "asked": asked[0],
        "sheets": said(["sheets", *named])[1],
        "index": said(["index", old, *named])[2],
        "compact": said(["index", "--compact", *named])[2],
    }
    try:
        save(folder, Tuning(Weights(), encoder.digest, "v", datetime.now(UTC), {}))
    except IndexFolderError as problem:
        reading["tune"] = problem.message
    print(json.dumps(reading))


if __name__ == "__main__":
    main()
