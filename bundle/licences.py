"""Whether the licences of packages may stand in what we give away; the rules are data (``licences.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bundle.parts import Part

RULES = Path(__file__).parent / "licences.toml"


@dataclass(frozen=True)
class Judgement:
    """A package's licence as an SPDX expression, and why it may not be given away; ``objection`` is empty if it may."""

    part: Part
    spdx: str
    objection: str = ""
    reason: str = ""  # of an exception or of a reading by a person


@cache
def rules() -> Mapping[str, Any]:
    """The rules as they stand in the file."""
    return tomllib.loads(RULES.read_text("utf-8"))


def judge(part: Part, given: Mapping[str, Any] | None = None, extras: Iterable[str] = ()) -> Judgement:
    """Reads a package's licence and judges it; exceptions count only for the extra they are made for."""
    from license_expression import ExpressionError

    given = rules() if given is None else given
    for read in given.get("read", ()):
        if read["package"] == part.key:
            if read["says"] == part.licence:
                return Judgement(part, read["licence"], "", read["reason"])
            return Judgement(part, "", f"says {part.licence!r}, and was read when it said {read['says']!r}")
    if not part.licence:
        return Judgement(part, "", "says nothing of a licence")
    spdx = _in_spdx(part.licence, given["words"])
    try:
        tree = _licensing().parse(spdx, validate=True, simple=False)
    except ExpressionError:
        return Judgement(part, "", f"says {part.licence!r}, which is no licence we know")
    spdx = str(tree)
    if _holds(tree, given):
        return Judgement(part, spdx)
    for one in given.get("exception", ()):
        if one["package"] == part.key and one["licence"] == spdx and one["extra"] in extras:
            return Judgement(part, spdx, "", one["reason"])
    return Judgement(part, spdx, f"is under {spdx}, which the rules do not allow")


@cache
def _licensing() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()  # half a second


def _in_spdx(words: str, known: Mapping[str, str]) -> str:
    """Each operand of the words in SPDX; what stands in no table stays as it is and is judged by the parser."""
    whole = words.strip()
    if whole.lower() in known:
        return known[whole.lower()]
    operands = [one.strip() for one in whole.split(" AND ")]
    return " AND ".join(known.get(one.removeprefix("(").removesuffix(")").lower(), one) for one in operands)


def _holds(tree: Any, given: Mapping[str, Any]) -> bool:
    """OR: one of the choices is allowed. AND: all are. WITH: the licence is, and the exception takes nothing away."""
    name = type(tree).__name__
    if name == "OR":
        return any(_holds(one, given) for one in tree.args)
    if name == "AND":
        return all(_holds(one, given) for one in tree.args)
    if name == "LicenseWithExceptionSymbol":
        exception = tree.exception_symbol.key in given["allowed_exceptions"]
        return exception and _holds(tree.license_symbol, given)
    return tree.key in given["allowed"]
