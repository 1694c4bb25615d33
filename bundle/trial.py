"""Tries a real bundle where there is no network: it is unpacked, installed, asked and served, then refused with a bit changed.

    python -m bundle.trial dist/hyoka-….tar.gz [--extras ocr,postgres]

Takes about 3 GB under the temporary folder and some minutes. The test suite does the same with tiny wheels.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bundle.alone import Attempts, alone

QUESTION = "湊見市の令和6年度の決算額が大きい順に3つ教えて"
_SERVED = """
to=$1 index=$2
"$to/current/bin/hyoka" serve --port 8000 --index-dir "$index" >/dev/null 2>&1 &
server=$!
"$to/current/bin/python" - <<'END'
import sys, time, urllib.request
for _ in range(600):
    try:
        with urllib.request.urlopen("http://127.0.0.1:8000/readyz", timeout=5) as answer:
            print(answer.status, answer.read().decode())
            break
    except OSError:
        time.sleep(0.2)
else:
    sys.exit("not ready after two minutes")
with urllib.request.urlopen("http://127.0.0.1:8000/", timeout=30) as answer:
    print(len(answer.read()))
END
status=$?
kill -TERM $server
wait $server || true
exit $status
"""


class Trial:
    """An unpacked bundle in a folder of its own, and what was measured with it."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.bundle, self.to, self.index = bundle, folder / "to", folder / "index"
        # Nothing of the machine's settings: a bare PATH, no PIP_* and no proxy.
        self.settings = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8"}
        self.measured: dict[str, Any] = {}

    def step(self, name: str, command: Sequence[str], status: int = 0) -> str:
        """Runs a command without a network; it must end with ``status`` and nobody may have tried to leave."""
        began = time.monotonic()
        ended, tried = alone(command, self.settings, self.bundle.parent)
        self.measured[name] = round(time.monotonic() - began, 1)
        sys.stderr.write(f"{name}: {self.measured[name]} s\n")
        if ended.returncode != status or tried != Attempts({}, ()):
            raise SystemExit(f"{name}: status {ended.returncode}, tried {tried}\n{ended.stdout}\n{ended.stderr}")
        return ended.stdout + ended.stderr if status else ended.stdout

    def install(self, name: str, extras: str, status: int = 0) -> str:
        """Runs install.sh with the Python that runs this."""
        more = ["--extras", extras] if extras else []
        command = ["sh", str(self.bundle / "install.sh"), "--to", str(self.to), "--python", sys.executable, *more]
        return self.step(name, command, status)

    def hyoka(self, name: str, *words: str) -> Any:
        """Runs the installed hyoka; what it printed, as JSON."""
        command = [str(self.to / "current/bin/hyoka"), *words, "--json", "--index-dir", str(self.index)]
        return json.loads(self.step(name, command))


def tried(file: Path, folder: Path, extras: str) -> dict[str, Any]:
    """All of it; seconds a step and sizes. SystemExit with the reason at the first thing that is not as it should be."""
    began = time.monotonic()
    subprocess.run(["tar", "-xzf", str(file), "-C", str(folder)], check=True)
    (bundle,) = folder.iterdir()
    trial = Trial(folder, bundle)
    trial.measured |= {"archive_mb": round(file.stat().st_size / 1e6), "unpack": round(time.monotonic() - began, 1)}
    trial.install("install", extras)
    size = sum(one.stat().st_size for one in trial.to.rglob("*") if one.is_file() and not one.is_symlink())
    trial.measured["installed_mb"] = round(size / 1e6)
    indexed = trial.hyoka("index", "index", str(bundle / "sheets"))
    answer = trial.hyoka("ask", "ask", QUESTION)
    if not answer["citations"] or "学校給食運営事業" not in answer["answer"]:
        raise SystemExit(f"the answer is not the one expected: {answer['answer']}")
    served = trial.step("serve until ready and stopped", ["sh", "-c", _SERVED, "sh", str(trial.to), str(trial.index)])
    trial.measured |= {"indexed": {key: indexed.get(key) for key in ("documents", "sheets", "sections", "facts")}}
    trial.measured["served"] = served.strip().splitlines()
    wheel = max((bundle / "wheels").iterdir(), key=lambda one: one.stat().st_size)
    with wheel.open("r+b") as stream:
        stream.seek(wheel.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte ^ 1]))
    said = trial.install(f"refuse {wheel.name} with one bit changed", extras, status=1)
    if wheel.name not in said:
        raise SystemExit(f"refused without naming the wheel: {said}")
    return trial.measured


def main(arguments: Sequence[str]) -> int:
    """Tries the archive; what was measured goes to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bundle.trial")
    parser.add_argument("archive", type=Path)
    parser.add_argument("--extras", default="", help="extras to install too, with commas")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="hyoka-trial-"))
    try:
        subprocess.run(
            ["sha256sum", "--check", "--quiet", f"{given.archive.name}.sha256"], cwd=given.archive.parent, check=True
        )
        measured = tried(given.archive.resolve(), folder, given.extras)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(json.dumps(measured, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
