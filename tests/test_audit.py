"""The audit with a copy of the advisories: what is known is told, and what was not looked up is never called clean."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

from bundle.alone import Attempts, alone, possible
from bundle.audit import concerns, read_advisories

ROOT = Path(__file__).parents[1]


def advisory(number: int, package: str, **about: object) -> dict[str, object]:
    told = {"package": {"name": package, "ecosystem": "PyPI"}, **about}
    return {
        "schema_version": "1.6.0",
        "id": f"PYSEC-2026-{number}",
        "modified": f"2026-11-{number:02}T00:00:00Z",
        "summary": "An invented weakness.",
        "affected": [told],
    }


BEFORE_2 = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]
COPY = [
    advisory(1, "Wakaba", versions=["1.0", "1.1"]),
    advisory(2, "midori-no", ranges=BEFORE_2),
    advisory(3, "aoba", ranges=[{"type": "GIT", "events": [{"introduced": "0"}]}]),
]


@pytest.fixture
def copy(tmp_path) -> Path:
    file = tmp_path / "all.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for one in COPY:
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    return file


@pytest.mark.parametrize(
    ("events", "version", "inside"),
    [
        ([{"introduced": "0"}, {"fixed": "2.0"}], "1.9", True),
        ([{"introduced": "0"}, {"fixed": "2.0"}], "2.0", False),
        ([{"introduced": "1.0"}, {"last_affected": "1.5"}], "1.5", True),
        ([{"introduced": "1.0"}, {"last_affected": "1.5"}], "1.5.1", False),
        ([{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"fixed": "2.1"}], "2.0.5", True),
        ([{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"fixed": "2.1"}], "1.5", False),
        ([{"introduced": "2.0"}], "10.0", True),
    ],
)
def test_a_version_is_within_the_ranges_of_an_advisory_or_not(events, version, inside):
    told = advisory(9, "wakaba", ranges=[{"type": "ECOSYSTEM", "events": events}])
    assert concerns(told, "wakaba", version) is inside


def test_a_copy_is_read_by_package_whatever_its_spelling_and_says_how_old_it_is(copy):
    advisories = read_advisories(copy)
    assert advisories.latest.startswith("2026-11-03")
    assert [one["id"] for one in advisories.of("wakaba", "1.0.0")] == ["PYSEC-2026-1"]
    assert [one["id"] for one in advisories.of("Midori_No", "1.9")] == ["PYSEC-2026-2"]
    assert advisories.of("midori.no", "2.0") == [] and advisories.of("aoba", "1.0") == []
    with pytest.raises(SystemExit, match="neither a folder nor a ZIP"):
        read_advisories(Path(__file__))


def told(lock: Path, *more: str) -> tuple[int, str]:
    if not possible():
        pytest.skip("このユーザーは、ネットワーク名前空間を作れません（unshare -rn）")
    ended, tried = alone([sys.executable, "-m", "bundle.audit", "--lock", str(lock), *more], folder=ROOT)
    assert tried == Attempts({}, ()) or not more, "with a copy nobody asks outside"
    return ended.returncode, ended.stdout


def test_pip_audit_judges_by_the_copy_without_a_network(copy, tmp_path):
    lock = tmp_path / "base.txt"
    lock.write_text("hyoka==0.1.0 --hash=sha256:0\nwakaba==1.1 --hash=sha256:0\nmidori-no==2.0+cpu --hash=sha256:0\n")
    status, said = told(lock, "--advisories", str(copy))
    assert status == 1 and "2 of 2 packages looked up" in said and "KNOWN wakaba 1.1: PYSEC-2026-1" in said
    assert "midori-no" not in said
    lock.write_text("wakaba==1.2 --hash=sha256:0\nmidori-no==2.0 --hash=sha256:0\n")
    status, said = told(lock, "--advisories", str(copy))
    assert status == 0 and "Nothing is known against any of them." in said


def test_without_a_network_or_a_copy_it_says_that_nothing_was_audited(tmp_path):
    lock = tmp_path / "base.txt"
    lock.write_text("wakaba==1.1 --hash=sha256:0\n")
    status, said = told(lock)
    assert status == 2 and "0 of 1 packages looked up" in said and "make audit ADVISORIES=FILE" in said
