"""The Python packages something consists of: from their metadata, in an environment or in a folder of wheels."""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution, distributions
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

# Licences, notices and whom they name, as files of a package are called.
_LEGAL = re.compile(r"(licen[cs]e|notice|copying|copyright|authors|third.?party)", re.I)
_HOMES = ("homepage", "home", "repository", "source", "source code", "github")
_CODE = (".py", ".pyc", ".pyi", ".so", ".js", ".css", ".html", ".map")


@dataclass(frozen=True)
class Part:
    """One package: what it is called, what it needs, what it says of its licence."""

    name: str  # as written by its authors
    version: str
    summary: str
    home: str
    licence: str  # the words of its metadata: an SPDX expression, or what stands in place of one; "" if nothing does
    requires: tuple[str, ...]
    extras: tuple[str, ...]
    texts: Mapping[str, str]  # file name: licence or notice
    wheel: Path | None = None

    @property
    def key(self) -> str:
        """The name as packages are compared."""
        return key(self.name)


class IncompleteError(Exception):
    """A package that is required is not there, or an extra that was asked for."""


def key(name: str) -> str:
    """A package name in the one spelling that tools compare (PEP 503): ``Jinja2`` and ``jinja2`` are the same."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, Part]:
    """The packages of the running environment, by key; the first found wins, as for an import."""
    found: dict[str, Part] = {}
    for one in distributions():
        if one.metadata["Name"]:
            found.setdefault(key(one.metadata["Name"]), _part(one, None))
    return found


def of_wheels(folder: Path) -> dict[str, Part]:
    """The packages in the wheels of a folder, by key."""
    found = {}
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            (info,) = {name.split("/")[0] for name in archive.namelist() if re.match(r"[^/]+\.dist-info/", name)}
            part = _part(PathDistribution(zipfile.Path(archive, f"{info}/")), wheel)
        found[part.key] = part
    return found


def declared(project: Path) -> Part:
    """The part that a pyproject.toml declares: what an editable installation says of itself is as old as itself."""
    said = tomllib.loads(project.read_text("utf-8"))["project"]
    requires = list(said["dependencies"])
    for extra, lines in said["optional-dependencies"].items():
        for one in map(Requirement, lines):
            marker = f"({one.marker}) and " if one.marker else ""
            one.marker = Marker(f'{marker}extra == "{extra}"')
            requires.append(str(one))
    extras = tuple(map(key, said["optional-dependencies"]))
    return Part(said["name"], said["version"], said["description"], "", said["license"], tuple(requires), extras, {})


def closure(parts: Mapping[str, Part], root: str, extras: Iterable[str] = ()) -> list[Part]:
    """``root`` and everything it needs on this machine, with these extras; IncompleteError if something is not there."""
    extras = tuple(extras)
    if unknown := set(map(key, extras)) - set(parts[key(root)].extras if key(root) in parts else ()):
        raise IncompleteError(f"{root} has no extra {', '.join(sorted(unknown))}")
    wanted: dict[str, set[str]] = {}
    waiting = [(key(root), frozenset(extras), root)]
    while waiting:
        name, asked, by = waiting.pop()
        if name in wanted and asked <= wanted[name]:
            continue
        if name not in parts:
            raise IncompleteError(f"{name}, which {by} requires, is missing")
        wanted[name] = wanted.get(name, set()) | asked
        for line in parts[name].requires:
            one = Requirement(line)
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in {"", *wanted[name]}):
                waiting.append((key(one.name), frozenset(one.extras), name))
    return [parts[name] for name in sorted(wanted)]


def _part(found: Distribution, wheel: Path | None) -> Part:
    said = found.metadata
    named = dict(url.lower().split(", ", 1) for url in said.get_all("Project-URL") or [] if ", " in url)
    homes = [said["Home-page"], *(named.get(name) for name in _HOMES), *named.values()]
    return Part(
        name=said["Name"],
        version=found.version,
        summary=(said["Summary"] or "").strip(),
        home=next((home for home in homes if home and home.startswith("http")), ""),
        licence=_licence(found),
        requires=tuple(found.requires or ()),
        extras=tuple(key(extra) for extra in said.get_all("Provides-Extra") or ()),
        texts=dict(sorted(_texts(found, wheel))),
        wheel=wheel,
    )


def _licence(found: Distribution) -> str:
    """The expression if there is one (PEP 639); else the short words; else the classifiers, all of which then apply."""
    said = found.metadata
    if expression := said["License-Expression"]:
        return str(expression)
    words = (said["License"] or "").strip()
    if words and "\n" not in words and len(words) <= 80:
        return words
    classes = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or [] if line.startswith("License")]
    return " AND ".join(f"({one})" if " " in one else one for one in classes)


def _texts(found: Distribution, wheel: Path | None) -> Iterator[tuple[str, str]]:
    if wheel is not None:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if _is_legal(name):
                    yield name, archive.read(name).decode("utf-8", "replace")
        return
    for file in found.files or ():
        if _is_legal(str(file)):
            place = Path(str(file.locate()))
            if place.is_file():
                yield str(file), place.read_text("utf-8", "replace")


def _is_legal(name: str) -> bool:
    *folders, last = name.split("/")
    if last.endswith(_CODE):
        return False
    return bool(_LEGAL.search(last)) or any(folder.lower() in ("licenses", "licences") for folder in folders)
