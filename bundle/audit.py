"""Known vulnerabilities of what hyoka needs, told by pip-audit: over the network, or from a copy of the advisories.

    make audit                                                     # asks PyPI
    make audit ADVISORIES=PyPI-all.zip                             # no network: the file that osv.dev gives for PyPI
    python -m bundle.audit --lock locks/base.txt                   # what a bundle holds, in place of the environment

The copy is https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip, fetched elsewhere and carried in; a folder of such
JSON files does too. It is served on the loopback in the form of osv.dev's own service, so that pip-audit judges both alike.

Exit status: 0 everything was looked up and nothing is known, 1 something is known, 2 something could not be looked up. The
last is not a detail: asked where PyPI does not answer, pip-audit skips every package and reports that it found nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from bundle.parts import IncompleteError, closure, declared, installed, key

CLEAN, KNOWN, NOT_LOOKED_UP = 0, 1, 2
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
EXTRAS = ("ocr", "postgres", "milvus", "ray")


@dataclass(frozen=True)
class Advisories:
    """A copy of the advisories, by package; each is the JSON of osv.dev (https://ossf.github.io/osv-schema/)."""

    by_package: Mapping[str, Sequence[Mapping[str, Any]]]
    latest: str  # when the newest of them was changed, as written there; "" if it holds none

    def of(self, package: str, version: str) -> list[Mapping[str, Any]]:
        """Those that concern this version."""
        return [one for one in self.by_package.get(key(package), ()) if concerns(one, package, version)]


@dataclass
class Report:
    """What came of an audit."""

    looked_up: int = 0
    known: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The exit status."""
        if self.known:
            return KNOWN
        return NOT_LOOKED_UP if self.skipped or not self.looked_up else CLEAN


def read_advisories(place: Path) -> Advisories:
    """Reads a ZIP or a folder of advisories; SystemExit with the next step if it is neither."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    latest = ""
    for text in _files(place):
        one = json.loads(text)
        latest = max(latest, one.get("modified", ""))
        names = {key(about["package"]["name"]) for about in _about_pypi(one)}
        for name in names:
            found.setdefault(name, []).append(one)
    return Advisories(found, latest)


def concerns(advisory: Mapping[str, Any], package: str, version: str) -> bool:
    """Whether an advisory is about this version: named in its list, or within one of its ranges."""
    for about in _about_pypi(advisory):
        if key(about["package"]["name"]) != key(package):
            continue
        if _named(version, about.get("versions", ())):
            return True
        ranges = [one["events"] for one in about.get("ranges", ()) if one["type"] == "ECOSYSTEM"]
        if any(_within(Version(version), events) for events in ranges):
            return True
    return False


def _about_pypi(advisory: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in advisory.get("affected", ()) if one.get("package", {}).get("ecosystem") == "PyPI"]


def _named(version: str, versions: Iterable[str]) -> bool:
    def read(text: str) -> Version | str:
        try:
            return Version(text)
        except InvalidVersion:
            return text

    return read(version) in {read(one) for one in versions}


def _within(version: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """Events in their order of versions: introduced opens, fixed closes before itself, last_affected after itself."""
    inside = False
    for event in events:
        (what, at), *_ = event.items()
        if what == "introduced" and (at == "0" or version >= Version(at)):
            inside = True
        elif (what == "fixed" and version >= Version(at)) or (what == "last_affected" and version > Version(at)):
            inside = False
    return inside


def _files(place: Path) -> Iterator[bytes]:
    if place.is_dir():
        yield from (file.read_bytes() for file in sorted(place.rglob("*.json")))
    elif zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            yield from (archive.read(name) for name in archive.namelist() if name.endswith(".json"))
    else:
        raise SystemExit(
            f"{place} is neither a folder nor a ZIP of advisories; fetch PyPI/all.zip as the head of bundle/audit.py says"
        )


@contextmanager
def served(advisories: Advisories) -> Iterator[str]:
    """The advisories as a service on the loopback; gives its address."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = advisories.of(asked["package"]["name"], asked["version"])
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()


def audit(versions: Mapping[str, str], service: Sequence[str]) -> Report:
    """Asks pip-audit about packages and their versions; ``service`` are the options that say where it looks."""
    report = Report()
    with tempfile.TemporaryDirectory() as place:
        listed = Path(place, "requirements.txt")
        # 2.13.0+cpu is 2.13.0 built in another way, and advisories name the latter.
        listed.write_text("".join(f"{name}=={one.partition('+')[0]}\n" for name, one in versions.items()), "utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--no-deps", "--disable-pip"]
        options = ["--format", "json", "--progress-spinner", "off", "--cache-dir", str(Path(place, "cache"))]
        ended = subprocess.run([*command, *options, *service], capture_output=True, text=True, check=False)
    try:
        found = json.loads(ended.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        last = ended.stderr.strip().splitlines()[-1:] or ["no answer"]
        report.skipped = [f"{name}: {last[0][:300]}" for name in versions]
        return report
    for one in found:
        if "skip_reason" in one:
            report.skipped.append(f"{one['name']}: {one['skip_reason']}")
            continue
        report.looked_up += 1
        for vulnerability in one["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            report.known.append(f"{one['name']} {one['version']}: {vulnerability['id']} (fixed in: {fixed})")
    missing = set(map(key, versions)) - {key(one["name"]) for one in found}
    report.skipped += sorted(f"{name}: not answered" for name in missing)
    return report


def locked(lock: Path) -> dict[str, str]:
    """The packages and versions of a lock."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock.read_text("utf-8"), re.M)
    return {name: version for name, version in lines if name != "hyoka"}


def here() -> dict[str, str]:
    """The packages and versions that hyoka needs in this environment, with the extras that are installed."""
    parts = {**installed(), "hyoka": declared(PROJECT)}
    names: dict[str, str] = {}
    for extra in ("", *EXTRAS):
        try:
            needed = closure(parts, "hyoka", [extra] if extra else [])
        except IncompleteError:  # an extra that is not installed
            if not extra:
                raise
            continue
        names |= {part.key: part.version for part in needed if part.key != "hyoka"}
    return names


def main(arguments: Sequence[str]) -> int:
    """Audits and says what came of it, to standard output."""
    parser = argparse.ArgumentParser(prog="python -m bundle.audit")
    parser.add_argument("--advisories", type=Path, help="a copy of the advisories: ZIP or folder")
    parser.add_argument("--lock", type=Path, action="append", default=[], help="a lock of a bundle (can be repeated)")
    given = parser.parse_args(arguments)
    versions = {name: one for lock in given.lock for name, one in locked(lock).items()} or here()
    if given.advisories:
        advisories = read_advisories(given.advisories)
        told = f"the copy {given.advisories}, of which the newest is of {advisories.latest or 'no date'}"
        with served(advisories) as address:
            report = audit(versions, ["--vulnerability-service", "osv", "--osv-url", address])
    else:
        told = "PyPI"
        report = audit(versions, ["--vulnerability-service", "pypi"])
    say = sys.stdout.write
    say(f"{report.looked_up} of {len(versions)} packages looked up in {told}.\n")
    for line in report.known:
        say(f"KNOWN {line}\n")
    for line in report.skipped[:5]:
        say(f"NOT LOOKED UP {line}\n")
    if len(report.skipped) > 5:
        say(f"NOT LOOKED UP and {len(report.skipped) - 5} more\n")
    say(
        {
            CLEAN: "Nothing is known against any of them.\n",
            KNOWN: f"{len(report.known)} known vulnerabilities: raise the versions in pyproject.toml and make the bundle anew.\n",
            NOT_LOOKED_UP: "This was no full audit. Without a network, carry in a copy: make audit ADVISORIES=FILE\n",
        }[report.status]
    )
    return report.status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
