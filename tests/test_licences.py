"""Whatever an installation of hyoka brings along may be given away; the rules are bundle/licences.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle.licences import judge, rules
from bundle.parts import IncompleteError, Part, closure, declared, installed

RULES = {
    "allowed": ["MIT", "BSD-3-Clause", "Apache-2.0"],
    "allowed_exceptions": ["LLVM-exception"],
    "words": {"bsd license": "BSD-3-Clause", "the mit license": "MIT"},
    "read": [{"package": "wakaba", "says": "see file", "licence": "MIT", "reason": "The file is the MIT licence."}],
    "exception": [{"package": "midori", "licence": "LGPL-3.0-only", "extra": "db", "reason": "A library of its own."}],
}


def part(licence: str, name: str = "minato") -> Part:
    return Part(name, "1.0", "", "", licence, (), (), {})


@pytest.fixture(scope="module")
def here():
    return {**installed(), "hyoka": declared(Path(__file__).parents[1] / "pyproject.toml")}


def brought(here, *extras: str) -> list[Part]:
    """What an installation gets; without the parts of CUDA, which come where somebody took that build of torch, and which
    no bundle may hold (their licence is judged there like any other)."""
    return [one for one in closure(here, "hyoka", extras) if not one.key.startswith(("nvidia-", "cuda-"))]


def test_everything_that_every_installation_gets_is_under_a_permissive_licence(here):
    needed = brought(here)
    assert len(needed) > 60
    assert [f"{one.part.name} {one.objection}" for one in map(judge, needed) if one.objection] == []


@pytest.mark.parametrize("extra", ["ocr", "postgres", "milvus", "ray", "eval"])
def test_what_an_extra_adds_is_permissive_or_an_exception_with_a_reason(here, extra):
    try:
        needed = brought(here, extra)
    except IncompleteError as error:
        pytest.skip(str(error))
    assert {one.key for one in needed} > {one.key for one in brought(here)}, "the extra adds something"
    judged = [judge(one, extras=[extra]) for one in needed]
    assert [f"{one.part.name} {one.objection}" for one in judged if one.objection] == []


def test_every_exception_and_reading_has_a_reason_and_is_still_needed(here):
    for one in (*rules()["exception"], *rules()["read"]):
        assert len(one["reason"]) > 20
    needed = {found.key for found in closure(here, "hyoka")}
    assert {one["package"] for one in rules()["read"]} <= needed
    assert not {one["package"] for one in rules()["exception"]} & needed, "exceptions are for extras only"


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "BSD License",
        "(The MIT License) AND (BSD License)",
        "GPL-3.0-only OR MIT",
        "Apache-2.0 WITH LLVM-exception",
    ],
)
def test_permissive_words_are_read(licence):
    assert judge(part(licence), RULES).objection == ""


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        ("", "says nothing"),
        ("GPL-3.0-only", "is under GPL-3.0-only"),
        ("MIT AND GPL-2.0-or-later", "is under"),
        ("AGPL-3.0-only OR GPL-3.0-only", "is under"),
        ("Apache-2.0 WITH Classpath-exception-2.0", "is under"),
        ("Freeware", "no licence we know"),
        ("MIT AND Freeware", "no licence we know"),
    ],
)
def test_other_words_and_none_are_objected_to(licence, why):
    assert why in judge(part(licence), RULES).objection


def test_an_exception_counts_for_its_package_its_licence_and_its_extra_alone():
    assert judge(part("LGPL-3.0-only", "midori"), RULES, ["db"]).reason == "A library of its own."
    assert judge(part("LGPL-3.0-only", "midori"), RULES).objection
    assert judge(part("LGPL-3.0-only", "minato"), RULES, ["db"]).objection
    assert judge(part("GPL-3.0-only", "midori"), RULES, ["db"]).objection


def test_what_a_person_read_is_read_again_when_the_package_says_something_else():
    assert judge(part("see file", "wakaba"), RULES).spdx == "MIT"
    assert "was read when it said" in judge(part("see files", "wakaba"), RULES).objection


def test_an_extra_that_does_not_exist_is_no_empty_extra(here):
    with pytest.raises(IncompleteError, match="hyoka has no extra postgress"):
        closure(here, "hyoka", ["postgress"])
