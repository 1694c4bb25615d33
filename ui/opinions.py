"""What people say about an answer: the buttons under it, and what comes of pressing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.refusals import clean_text
from assistant.store import FeedbackStore, Rating, Reason

MAX_COMMENT = 1_000


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody said about the answer that is the message number ``at``."""

    at: int
    rating: Rating
    reason: Reason = ""
    citations: tuple[int, ...] = ()
    comment: str = ""


def render_opinions(citations: int) -> str:
    """The buttons; 根拠が違う only where there are citations to be wrong. ui/assets/chat.js asks for the comment."""
    wrong = _button("evidence", "根拠が違う") if citations else ""
    return (
        '<p class="hy-opinion"><span class="hy-opinion-what">この回答は</span>'
        f"{_button('up', '役に立った')}{_button('down', '役に立たなかった')}{wrong}</p>"
    )


def _button(value: str, label: str) -> str:
    return f'<button type="button" class="hy-button hy-judge" name="opinion" value="{value}">{label}</button>'


def read_opinion(told: Mapping[str, Any], citations: int) -> Opinion | None:
    """An opinion out of what a browser sent about an answer with so many citations; None for what no button sends."""
    at, value, comment, numbers = (told.get(key) for key in ("at", "value", "comment", "citations"))
    if not isinstance(at, int) or value not in ("up", "down", "evidence"):
        return None
    said = clean_text(comment).strip()[:MAX_COMMENT] if isinstance(comment, str) else ""
    if value == "up":
        return Opinion(at, "up")
    kept = {n for n in numbers if isinstance(n, int) and 0 < n <= citations} if isinstance(numbers, list) else set()
    reason: Reason = "evidence" if value == "evidence" and citations else ""
    return Opinion(at, "down", reason, tuple(sorted(kept)) if reason else (), said)


def keep_opinion(
    store: FeedbackStore, opinion: Opinion, given: int | None, question: str, answer: str, index_version: str
) -> int:
    """Stores an opinion and returns its number; ``given`` is that of an earlier one on the same answer, which it replaces."""
    if given is None:
        return store.add(
            opinion.rating, question, answer, opinion.comment, index_version, opinion.reason, opinion.citations
        )
    store.revise(given, opinion.rating, opinion.comment, opinion.reason, opinion.citations)
    return given
