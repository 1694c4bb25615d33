"""The NOTICE of a bundle, made from what is in it: licences and their texts, the encoder and its data, what browsers get.

    python -m bundle.notice            # of the running environment, to standard output

The words on the encoder and its data stand in NOTICE at the root of the repository, written by hand; the rest is read from
the packages. pip-licenses does the like for an installed environment; here the wheels themselves are read, for what counts
is what is given away, and the same reading gives the locks and the bill of materials.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.licences import judge
from bundle.parts import Part, closure, declared, installed

ROOT = Path(__file__).parents[1]
LINE = "=" * 100
# A comment that a bundler keeps because of the licence in it: /*! … */, or one that says @license, @preserve or Copyright.
_BANNER = re.compile(
    r"/\*!(.{10,2000}?)\*/|/\*((?:(?!\*/).){0,200}?(?:@licen[cs]e|@preserve|Copyright)(?:(?!\*/).){0,1500})\*/", re.S
)
_SHARED = re.compile(r"(?:\.libs|^torch/lib)/(lib.+\.so[.\d]*)$")


@dataclass(frozen=True)
class Assets:
    """Scripts and styles for browsers in a package, and the licence comments that stand in them."""

    part: Part
    files: int
    banners: tuple[str, ...]


def notice(parts: Sequence[Part], extras: Iterable[str] = ()) -> str:
    """The whole text. ``extras`` are those the exceptions of the rules are made for (bundle.licences)."""
    return "".join(f"{block.rstrip()}\n\n" for block in _blocks(parts, tuple(extras)))


def _blocks(parts: Sequence[Part], extras: tuple[str, ...]) -> Iterator[str]:
    yield (ROOT / "NOTICE").read_text("utf-8")
    yield f"{LINE}\nPython packages ({len(parts)}): name, version, licence (SPDX), home\n{LINE}"
    judged = [judge(part, extras=extras) for part in parts]
    yield "\n".join(
        f"{one.part.name} {one.part.version}  {one.spdx or '?'}  {one.part.home}".rstrip() for one in judged
    )
    if shared := {part.name: names for part in parts if (names := shared_libraries(part))}:
        yield (
            f"{LINE}\nShared libraries that came packed in these wheels (their terms stand in the wheel's licence text below).\n"
            "libgomp and libgfortran are under the GPL with the GCC runtime library exception, libquadmath is under the LGPL;\n"
            f"all three are loaded as they are, and nothing of them is changed.\n{LINE}"
        )
        yield "\n".join(f"{name}: {', '.join(names)}" for name, names in shared.items())
    yield f"{LINE}\nScripts and styles that browsers are sent\n{LINE}"
    for assets in filter(None, map(browser_assets, parts)):
        said = "\n\n".join(assets.banners) or "(no licence comments in them)"
        yield f"-- in {assets.part.name} {assets.part.version}: {assets.files} files; licence comments in them --\n\n{said}"
    yield f"{LINE}\nLicence texts and notices, as the packages carry them\n{LINE}"
    for part in parts:
        for name, text in part.texts.items():
            yield f"-- {part.name} {part.version}: {name} --\n\n{text.strip()}"
        if not part.texts:
            yield f"-- {part.name} {part.version}: carries no text of its licence, {part.licence} ({part.home}) --"


def shared_libraries(part: Part) -> list[str]:
    """The libraries that auditwheel packed into a wheel, by name without the hash it puts in."""
    found = {match[1] for name in _names(part) if (match := _SHARED.search(name))}
    return sorted({re.sub(r"-[0-9a-f]{8}(?=[.-])", "", name) for name in found})


def browser_assets(part: Part) -> Assets | None:
    """The scripts and styles of a package that serves a page, None if it has none."""
    names = [
        name for name in _names(part) if name.endswith((".js", ".css")) and re.search(r"frontend|static|assets", name)
    ]
    if not names or part.key == "hyoka":
        return None
    banners: dict[str, None] = {}
    for name in names:
        text = _read(part, name)
        for groups in _BANNER.findall(text):
            said = re.sub(r"^[ \t]*\*+ ?", "", next(filter(None, groups), ""), flags=re.M).strip()
            if re.search(r"licen[cs]|copyright|\bMIT\b|\(c\)|\bv?\d+\.\d+\.\d+", said, re.I):
                banners[said] = None
    return Assets(part, len(names), tuple(sorted(banners)))


def _names(part: Part) -> list[str]:
    if part.wheel is not None:
        with zipfile.ZipFile(part.wheel) as archive:
            return archive.namelist()
    return [str(file) for file in _files(part)]


def _files(part: Part) -> list[Path]:
    from importlib.metadata import files

    return [Path(str(file)) for file in files(part.name) or ()]


def _read(part: Part, name: str) -> str:
    if part.wheel is not None:
        with zipfile.ZipFile(part.wheel) as archive:
            return archive.read(name).decode("utf-8", "replace")
    from importlib.metadata import distribution

    place = Path(str(distribution(part.name).locate_file(name)))
    return place.read_text("utf-8", "replace") if place.is_file() else ""


def main(extras: Sequence[str]) -> None:
    """Prints the notice of hyoka as it is installed here, with these extras."""
    sys.stdout.write(
        notice(closure({**installed(), "hyoka": declared(ROOT / "pyproject.toml")}, "hyoka", extras), extras)
    )


if __name__ == "__main__":
    main(sys.argv[1:])
