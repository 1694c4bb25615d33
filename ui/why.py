"""How an answer came about, behind a fold under it: the steps, and what search weighed. Pure, like ``render``."""

from __future__ import annotations

from html import escape

from assistant.types import Considered, Why


def render_why(why: Why) -> str:
    """The fold この答えの作り方; nothing where no steps are told."""
    if not why.steps:
        return ""
    steps = "".join(f"<dt>{escape(step.what)}</dt><dd>{escape(step.text)}</dd>" for step in why.steps)
    return (
        '<details class="hy-why"><summary>この答えの作り方</summary>'
        f"<dl>{steps}</dl>{_considered(why.considered)}</details>"
    )


def _considered(passages: tuple[Considered, ...]) -> str:
    if not passages:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one.sheet)}</td><td>{escape(one.section)}</td>"
        + "".join(f'<td class="hy-num">{value:.2f}</td>' for value in (one.score, one.words, one.meaning))
        + f'<td class="hy-num">{one.chance:.0%}</td></tr>'
        for one in passages
    )
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("シート", "欄", "点数", "ことば", "意味", "当たる見込み")
    )
    return (
        '<p class="hy-why-note">検索で比べた記載（上位）</p><div class="hy-scroll" tabindex="0" role="region"'
        f' aria-label="検索で比べた記載"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
