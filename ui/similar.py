"""Programmes about the like of a sheet, with the words both say. All pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from corpus.documents import Sheet
from index.types import SimilarSheet
from ui.comparelinks import compare_url
from ui.render import breadcrumb, sheet_url

NOTE = "文章の意味が近い順です。様式に共通の言葉は除いて比べています。同じ事業の別の年度のシートは含みません。"


def render_similar(sheet: Sheet, similar: Sequence[SimilarSheet]) -> str:
    """The list with a way to each sheet and to the comparison with it; empty without any."""
    items = []
    for one in similar:
        words = "、".join(one.words)
        reason = f"<small>共通する言葉：{escape(words)}</small>" if words else "<small>文章の意味が近い事業です</small>"
        beside = compare_url([sheet.sheet_id, one.sheet.sheet_id], root="..")
        items.append(
            f'<li><a href="{escape(sheet_url(one.sheet.sheet_id))}">{escape(one.sheet.name)}</a>'
            f'<span class="hy-where">{breadcrumb(one.sheet)}</span>{reason}'
            f'<a class="hy-beside" href="{escape(beside)}" target="_blank" rel="noopener"'
            f' aria-label="{escape(one.sheet.name)}と並べて比較">並べて比較</a></li>'
        )
    if not items:
        return ""
    return (
        f'<section id="similar"><h2>似ている事業</h2><p class="hy-small">{NOTE}</p>'
        f'<ul class="hy-similar">{"".join(items)}</ul></section>'
    )
