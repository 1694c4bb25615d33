"""How a question was read, as HTML: the 解釈 line, and for whatever can be read otherwise a button that asks again so.

The chat keeps ``name`` and ``value`` of a button and drops its aria- and data- attributes: the two say what is asked
again and how, and ``hy-on`` what holds now, which ui/assets/chat.js tells screen readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import get_args

from assistant.interpretation import CARRIED, CARRIED_FROM
from assistant.types import (
    NO_CHOICES,
    Carried,
    CarriedKind,
    Choices,
    Interpretation,
    Namesake,
    ReadingName,
    YearReading,
)

SHOWN_NAMESAKES = 6
COUNTED: Mapping[ReadingName, str] = {"calendar": "暦年だけ", "fiscal": "年度だけ"}


def render_reading(read: Interpretation, filtered: str = "", choices: Choices = NO_CHOICES) -> str:
    """The line and what can be changed about it; ``filtered`` are the filters in words, ``choices`` what was decided."""
    text = read.text.partition(CARRIED_FROM)[0] if read.carried else read.text  # the chips below say it
    if not text:
        return ""
    parts = [f'<p class="hy-read">{escape(text)}</p>']
    if filtered:
        parts.append(f'<p class="hy-read hy-filtered">{escape(filtered)}</p>')
    parts += [_years(read.readings), _namesakes(read.namesakes), _carried(read.carried, choices.without)]
    return f'<div class="hy-reading">{"".join(parts)}</div>'


def decided(choices: Choices, name: str, value: str) -> Choices | None:
    """The choices after a button of :func:`render_reading` was pressed; None for one that does not exist.

    >>> decided(Choices(without=("sheet",)), "without", "period").without
    ('sheet', 'period')
    """
    if name == "without" and value in get_args(CarriedKind):
        return replace(choices, without=tuple(dict.fromkeys((*choices.without, value))))  # type: ignore[arg-type]
    if name == "without" and value == "":
        return replace(choices, without=())
    if name == "reading" and value in ("calendar", "fiscal", "both"):
        return replace(choices, reading=value)  # type: ignore[arg-type]
    if name == "sheet":
        return replace(choices, sheet=value or None)
    return None


def _years(readings: Sequence[YearReading]) -> str:
    if not readings:
        return ""
    used = [one.name for one in readings if one.used]
    both = len(used) == len(readings)
    every = "と".join(one.label for one in readings)
    buttons = [_switch("reading", "both", "暦年と年度の両方", f"{every}で探します", both)]
    buttons += [
        _switch("reading", one.name, COUNTED[one.name], f"{one.label}で探します", one.used and not both)
        for one in readings
    ]
    return _line("年の数え方", buttons)


def _namesakes(sakes: Sequence[Namesake]) -> str:
    if not sakes:
        return ""
    every = all(one.used for one in sakes)
    # What is used is always among those shown.
    shown = sorted(sakes, key=lambda one: every or not one.used)[:SHOWN_NAMESAKES]
    shown.sort(key=sakes.index)
    buttons = [_switch("sheet", "", "すべて", "同じ名前のシートのすべてから答えます", every)]
    buttons += [
        _switch("sheet", one.sheet_id, one.label, f"{one.label}のシートだけから答えます", one.used and not every)
        for one in shown
    ]
    more = (
        f'<span class="hy-small">ほか{len(sakes) - len(shown)}件（自治体や課の名前を付けて質問すると選べます）</span>'
        if len(sakes) > len(shown)
        else ""
    )
    cited = [one.label for one in sakes if one.cited]
    only = every and 0 < len(cited) < len(sakes)
    note = f'<p class="hy-read">{escape("、".join(cited))}のシートから答えています。</p>' if only else ""
    return _line(f"同じ名前のシートが{len(sakes)}件あります", [*buttons, more]) + note


def _carried(carried: Sequence[Carried], without: Sequence[CarriedKind]) -> str:
    chips = [
        f'<button type="button" class="hy-button hy-again hy-drop" name="without" value="{one.kind}"'
        f' title="これを引き継がずに聞き直します">{escape(_chip(one))}<span class="hy-unseen">を外す</span></button>'
        for one in carried
    ]
    line = _line("前の質問から", chips) if chips else ""
    if not without:
        return line
    gone = "・".join(CARRIED[kind] for kind in without)
    back = (
        '<button type="button" class="hy-button hy-again" name="without" value=""'
        ' title="前の質問から引き継いで聞き直します">引き継ぎを元に戻す</button>'
    )
    return line + _line(f"引き継がないもの：{gone}", [back], "")


def _chip(one: Carried) -> str:
    """A chip needs its kind only where the words do not say it: 「自治体 みなと野市」, 「前の回答のシート」."""
    return one.text if one.kind == "subset" else f"{CARRIED[one.kind]} {one.text}"


def _line(label: str, parts: Sequence[str], mark: str = "：") -> str:
    return f'<p class="hy-choose"><span class="hy-choose-what">{escape(label)}{mark}</span>{"".join(parts)}</p>'


def _switch(name: str, value: str, label: str, title: str, on: bool) -> str:
    state = " hy-on" if on else ""
    return (
        f'<button type="button" class="hy-button hy-again hy-switch{state}" name="{name}" value="{escape(value)}"'
        f' title="{escape(title)}">{escape(label)}</button>'
    )
