"""Makes the bundle: one archive that installs hyoka on a machine without a network.

    make bundle                                  # everything for this Python and platform, with the extras ocr and postgres
    python -m bundle.make --extras ocr,milvus --out dist

The versions are those of the environment this runs in, which are those the tests ran with; torch is the CPU build if the
environment has that. Wheels come through pip, from wherever pip is set up to look; what has no wheel is built into one.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.billofmaterials import ENCODER, bill
from bundle.licences import judge
from bundle.lock import locks, sha256, sums, written
from bundle.notice import notice
from bundle.parts import Part, installed, of_wheels

ROOT = Path(__file__).parents[1]
HANDED = Path(__file__).parent / "handed"
SAMPLES = ROOT / "corpus" / "samples" / "files"
READ = ("docs", "deploy")  # what is read or copied from by hand at the target
PRODUCT = ("corpus", "index", "assistant", "ui", "evals")  # and what setuptools reads beside it
BESIDE = ("pyproject.toml", "README.md", "LICENSE", "NOTICE")


class BundleError(Exception):
    """The bundle cannot be made; the message says why."""


@dataclass(frozen=True)
class Made:
    """A bundle that was made: its folder, before it is packed, and what is in it."""

    folder: Path
    parts: Mapping[str, Part]


def application(into: Path) -> Path:
    """The wheel of this checkout, built without a network from a copy, because setuptools writes beside what it builds."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        for name in PRODUCT:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in BESIDE:
            shutil.copy(ROOT / name, copy)
        _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(into), str(copy))
    (wheel,) = into.glob("hyoka-*.whl")
    return wheel


def gather(into: Path, extras: Sequence[str]) -> None:
    """The wheel of hyoka and those of all it needs with these extras, in the versions of this environment."""
    wheel = application(into)
    held = "".join(f"{part.key}=={part.version}\n" for part in installed().values() if part.key != "hyoka")
    with tempfile.TemporaryDirectory() as place:
        constraints = Path(place, "constraints.txt")
        constraints.write_text(held, "utf-8")
        asked = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
        _pip("wheel", "--wheel-dir", str(into), "--constraint", str(constraints), asked)


def pack_folder(folder: Path, wheels: Path, pip: Path, root: str = "hyoka", extras: Sequence[str] = ()) -> Made:
    """Lays out a bundle in ``folder``: the wheels with everything that says what they are and that they are all there.

    ``root`` is the package that is installed, ``pip`` the wheel of pip that installs it. BundleError if a licence may not be
    given away; IncompleteError (bundle.parts) if a wheel is missing. Wheels that nothing needs are left out.
    """
    parts = of_wheels(wheels)
    found = locks(parts, root, extras)
    needed = {part.key: part for parts_ in found.values() for part in parts_}
    for judged in (judge(part, extras=extras) for part in needed.values()):
        if judged.objection:
            raise BundleError(f"{judged.part.name} {judged.part.version} {judged.objection} (bundle/licences.toml)")
    (folder / "wheels").mkdir(parents=True)
    (folder / "locks").mkdir()
    (folder / "pip").mkdir()
    for part in needed.values():
        assert part.wheel is not None
        shutil.copy(part.wheel, folder / "wheels")
    shutil.copy(pip, folder / "pip")
    for name, lock in found.items():
        (folder / "locks" / f"{name}.txt").write_text(written(lock), "utf-8")
    for file in sorted(HANDED.iterdir()):
        shutil.copy(file, folder)
    shutil.copytree(SAMPLES, folder / "sheets")
    for name in READ:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    everything = [needed[name] for name in sorted(needed)]
    (folder / "NOTICE").write_text(notice(everything, extras), "utf-8")
    (folder / "sbom.cdx.json").write_text(bill(everything, ROOT / ENCODER, root, extras), "utf-8")
    (folder / "VERSION").write_text(_version(needed[root], extras), "utf-8")
    (folder / "SHA256SUMS").write_text(sums(folder), "utf-8")
    return Made(folder, needed)


def archive(folder: Path, into: Path) -> Path:
    """Packs a folder as ``NAME.tar.gz`` with its SHA-256 beside it; the same folder gives the same bytes."""
    file = into / f"{folder.name}.tar.gz"
    into.mkdir(parents=True, exist_ok=True)
    # Wheels are packed already, so more than the lightest compression would cost minutes and save nothing.
    with (
        file.open("wb") as raw,
        gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for one in sorted(folder.rglob("*")):
            tar.add(one, f"{folder.name}/{one.relative_to(folder).as_posix()}", recursive=False, filter=_anybody)
    Path(f"{file}.sha256").write_text(f"{sha256(file)}  {file.name}\n", "utf-8")
    return file


def _anybody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
    return entry


def _version(part: Part, extras: Sequence[str]) -> str:
    return (
        f"name: {part.key}\nversion: {part.version}\npython: {'.'.join(platform.python_version_tuple()[:2])}\n"
        f"platform: {sysconfig.get_platform()}\nextras: {' '.join(extras)}\ncommit: {_git('rev-parse', 'HEAD') or '-'}\n"
    )


def _git(*words: str) -> str:
    """What git says of this checkout; nothing where it is no checkout."""
    try:
        ended = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return ended.stdout.strip()


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check"]
    # The wheel that is built bears the time of the commit, so that the same commit makes the same wheel.
    settings = {**os.environ, "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct") or "315532800"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=settings)
    if ended.returncode != 0:
        raise BundleError(f"pip {words[0]}: {ended.stderr.strip()[-2_000:]}")


def own_pip(into: Path) -> Path:
    """The wheel of pip that goes along, fetched like the others."""
    _pip("download", "--no-deps", "--only-binary", ":all:", "--dest", str(into), "pip")
    (wheel,) = into.glob("pip-*.whl")
    return wheel


def main(arguments: Sequence[str]) -> int:
    """Makes the archive; its path to standard output, with its size and hash."""
    parser = argparse.ArgumentParser(
        prog="python -m bundle.make", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--extras", default="ocr,postgres", help="extras to carry, with commas (none: an empty word)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the archive goes")
    given = parser.parse_args(arguments)
    extras = [one for one in given.extras.split(",") if one]
    given.out.mkdir(parents=True, exist_ok=True)
    os.umask(0o022)
    with tempfile.TemporaryDirectory(dir=given.out) as place:
        wheels, pip = Path(place, "wheels"), Path(place, "pip")
        wheels.mkdir()
        pip.mkdir()
        try:
            gather(wheels, extras)
            found = of_wheels(wheels)
            if any(one.startswith("nvidia-") for one in found):
                sys.stderr.write(
                    "This environment has the CUDA build of torch, gigabytes that hyoka does not need; README.md says how to\n"
                    "install the CPU build (the torch pin).\n"
                )
            version = found["hyoka"].version
            name = f"hyoka-{version}-cp{sys.version_info[0]}{sys.version_info[1]}-{sysconfig.get_platform()}"
            made = pack_folder(Path(place, name), wheels, own_pip(pip), extras=extras)
        except BundleError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        file = archive(made.folder, given.out)
    sys.stdout.write(
        f"{file}\n{len(made.parts)} packages, {file.stat().st_size / 1e6:.0f} MB, SHA-256 {sha256(file)}\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
