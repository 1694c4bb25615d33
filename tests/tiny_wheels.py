"""Wheels of invented packages, written by hand: as small as a wheel can be, so that nothing is downloaded or built."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path


def tiny_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    code: str = "",
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
    licence: str = "License-Expression: MIT",
    command: bool = False,
) -> Path:
    """``code`` is the package's only module; with ``command`` its ``main`` is installed as a command of the same name."""
    info = f"{name}-{version}.dist-info"
    needs = [f"Requires-Dist: {one}" for one in requires] + [f"Provides-Extra: {one}" for one in extras]
    files = {
        f"{name}.py": code or f"value = {version!r}\n",
        f"{info}/METADATA": "\n".join(
            ("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", licence, *needs, "")
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/licenses/LICENSE": f"The licence of {name}.\n",
    }
    if command:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {name}:main\n"
    record = f"{info}/RECORD"
    files[record] = "".join(f"{file},,\n" for file in (*files, record))
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return wheel
