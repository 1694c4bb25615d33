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


def chosen(text: str, several: bool = False) -> str:
    """What was chosen: the text itself where it is one answer, the ticked one of several, "" where that cannot be told.

    With ``several`` more than one may be ticked, though not all.

    >>> chosen("一部委託"), chosen("□直営 ■委託 □補助"), chosen("A：良い B：普通 C：悪い"), chosen("□直営 □委託")
    ('一部委託', '委託', '', '')
    >>> chosen("■直営 ■補助・助成 □委託", several=True), chosen("■直営 ■委託", several=True)
    ('直営、補助・助成', '')
    """
    boxes = list(_BOX.finditer(text))
    ticked = [box for box in boxes if box["box"] in _TICKED]
    if len(boxes) >= 2 and text[: boxes[0].start()].strip() == "":
        enough = len(ticked) == 1 or (several and 1 < len(ticked) < len(boxes))
        return "、".join(box["what"].strip() for box in ticked) if enough else ""
    return "" if len(_LEGEND.findall(text)) >= 2 else text
