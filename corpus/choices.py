"""The one that was ticked: a choice or a rating printed with all that could be chosen."""

from __future__ import annotations

import re

_EMPTY, _TICKED = "□☐◻○◯", "■☑☒◼●✓✔☒レ"
_AT_FIRST = re.compile(rf"\s*[{_EMPTY}{_TICKED}]")
_BOX = re.compile(rf"(?P<box>[{_EMPTY}{_TICKED}])\s*(?P<what>[^\s{_EMPTY}{_TICKED}]+)")
# 「A：良い B：普通 C：悪い」 explains the marks.
_LEGEND = re.compile(r"(?:^|[\s、,/(（])[A-EＡ-ＥSＳ◎○△×1-5１-５]\s*[:：=＝…]")


def has_boxes(text: str) -> bool:
    """Whether a text begins with a box to be ticked."""
    return _AT_FIRST.match(text) is not None


def chosen(text: str) -> str:
    """What was chosen: the text itself where it is one answer, the ticked one of several, "" where that cannot be told.

    >>> chosen("一部委託"), chosen("□直営 ■委託 □補助"), chosen("A：良い B：普通 C：悪い"), chosen("□直営 □委託")
    ('一部委託', '委託', '', '')
    """
    boxes = list(_BOX.finditer(text))
    ticked = [box for box in boxes if box["box"] in _TICKED]
    if len(boxes) >= 2 and text[: boxes[0].start()].strip() == "":
        return ticked[0]["what"] if len(ticked) == 1 else ""
    return "" if len(_LEGEND.findall(text)) >= 2 else text
