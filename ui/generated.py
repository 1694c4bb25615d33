"""The box of what a language model wrote: labelled, below the answer, and never mistaken for a quote. Pure."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from assistant.papers import GENERATED, GENERATED_NOTE, dropped_words
from assistant.types import Generated
from ui.text import markdown

WRITING = (
    '<p class="hy-wait hy-writing" role="status">AI生成の要約を待っています。上の回答はこのままお使いになれます。</p>'
)
NOTE = "回答は評価シートからの引用です（合計や順位は、引用した数値から計算します）。「AI生成」の枠の中だけは、言語モデルが書いた文です。"


def render_generated(generated: Generated | None, address: Callable[[int], str | None]) -> str:
    """The box; empty where there is nothing. ``address`` leads from a mark to its quote."""
    if generated is None:
        return ""
    left_out = dropped_words([(one.text, one.count) for one in generated.dropped])
    told = f"{GENERATED_NOTE}モデル: {generated.model}。{left_out}"
    return (
        f'<section class="hy-generated" aria-label="{GENERATED}の要約"><h4><span class="hy-chip">{GENERATED}</span>要約</h4>'
        f'{markdown(generated.text, address)}<p class="hy-small">{escape(told)}</p></section>'
    )
