"""What a run found: each case with its answer and score, as values and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from evals.cases import BadLine
from evals.figures import Figures, Scored, as_payload, by_type, figures
from evals.metrics import CAUSE_LABELS, Payload, Score, cited_sheets


@dataclass(frozen=True, slots=True)
class Outcome(Scored):
    """A scored case with what came back; ``error`` is set when the question raised."""

    payload: Payload = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything one run found, in the order of the file."""

    file: str
    outcomes: tuple[Outcome, ...]
    bad: tuple[BadLine, ...] = ()
    about: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    retrieval: dict[str, float] = field(default_factory=dict)

    @property
    def overall(self) -> Figures:
        """Figures over all cases."""
        return figures(self.outcomes)

    @property
    def types(self) -> dict[str, Figures]:
        """Figures by type."""
        return by_type(self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The cases that are not right."""
        return tuple(outcome for outcome in self.outcomes if not outcome.score.right)

    def payload(self) -> dict[str, Any]:
        """What ``hyoka eval --json`` prints."""
        return {
            "file": self.file,
            "overall": as_payload(self.overall),
            "by_type": {name: as_payload(part) for name, part in self.types.items()},
            "retrieval": self.retrieval,
            "malformed": [{"line": bad.line, "message": bad.message} for bad in self.bad],
            "about": self.about,
            "seconds": round(self.seconds, 3),
            "cases": [describe(outcome) for outcome in self.outcomes],
        }


def describe(outcome: Outcome) -> dict[str, Any]:
    """One case for JSON: what was asked, expected and given, and why it is wrong."""
    case, score, payload = outcome.case, outcome.score, outcome.payload
    table = payload.get("table") or {}
    return {
        "id": case.id,
        "type": case.type,
        "question": case.question,
        "history": list(case.history),
        "right": score.right,
        "causes": [str(cause) for cause in score.causes],
        "why": _why(score, outcome.error),
        "expected": {
            "abstain": case.unanswerable,
            "sheets": list(case.sheets),
            "sections": list(case.sections),
            "must": [list(forms) for forms in case.answer.must],
            "must_not": list(case.answer.must_not),
            "evidence": list(case.evidence),
            "note": case.note,
        },
        "got": {
            "abstained": score.abstained,
            "answer": payload.get("answer") or "",
            "rows": table.get("rows") or [],
            "sheets": [
                "@".join(part for part in (str(sheet.get("sheet") or ""), str(sheet.get("department") or "")) if part)
                for sheet in cited_sheets(payload)
            ],
            "citations": [
                {key: citation.get(key) for key in ("n", "sheet", "section", "quote")}
                for citation in payload.get("citations") or ()
            ],
            "interpretation": (payload.get("interpretation") or {}).get("text") or "",
            "intent": (payload.get("interpretation") or {}).get("intent") or "",
            "error": outcome.error,
        },
        "exact": score.exact,
        "citation_recall": score.recall,
        "citation_precision": score.precision,
        "section_hit": score.section_hit,
        "evidence_quoted": score.evidence,
        "quotes": score.quotes,
        "faithful": score.faithful,
        "confidence": confidence(payload),
        "latency_ms": round(outcome.milliseconds, 3),
    }


def confidence(payload: Payload) -> float | None:
    """The best passage score an answer tells of, for the calibration plot; None where it tells none."""
    debug = payload.get("debug") or {}
    for key in ("top_score", "score", "confidence"):
        value = debug.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def _why(score: Score, error: str) -> list[str]:
    """The causes as Japanese sentences with the things themselves."""
    details = {
        "missing-must": " / ".join("｜".join(forms) for forms in score.missing_must),
        "must-not": "、".join(score.found_must_not),
        "wrong-sheet": "、".join(score.missing_sheets),
        "missing-sheet": "、".join(score.missing_sheets),
        "citation-precision": "、".join(score.other_sheets[:10]),
        "quote": f"{score.quotes - score.faithful}/{score.quotes}件",
        "too-long": f"{score.characters}字",
        "error": error,
    }
    return [CAUSE_LABELS[cause] + (f": {details[cause]}" if details.get(cause) else "") for cause in score.causes]
