"""The 検索 screen: a box, facets with counts as filters, and cards that open the sheet."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.payload import PERSON_FIELD
from assistant.readiness import Asker
from assistant.refusals import INTERNAL, clean_question
from corpus.errors import HyokaError
from index.types import SearchResult
from ui.render import placed, render_hits, render_notice
from ui.scope import FACETS, facet_choices, facet_counts, scope

logger = logging.getLogger(__name__)

PAGE = 10
HELP = "言葉でも文でも探せます。例：「窓口の待ち時間を短くする取組」。言い方が違っても、意味の近い記載を見つけます。"


def build_search(assistant: Asker, shared: list[Any]) -> tuple[Any, Any, list[Any], list[Any]]:
    """Adds the screen to the current Blocks; ``shared`` are the inputs for municipality, year and department.

    Returns the search box, and the search with its inputs and outputs, for a search that an address asks for.
    """
    page = gr.State(0)
    box = gr.Textbox(
        label="検索",
        placeholder="例：システムの更改　窓口の待ち時間",
        lines=1,
        max_lines=1,
        max_length=2_000,
        submit_btn="検索する",
        elem_id="hy-search",
    )
    with gr.Row(elem_classes="hy-search-row"):
        with (
            gr.Column(scale=1, min_width=220, visible=False) as side,
            gr.Accordion("結果を絞り込む", open=True, elem_id="hy-facets"),
        ):
            facets = [
                gr.CheckboxGroup([], label=label, visible=False, elem_id=f"hy-facet-{name}")
                for name, label in FACETS.items()
            ]
        with gr.Column(scale=3, min_width=280):
            results = gr.HTML(render_notice(HELP), elem_id="hy-results", apply_default_css=False)
            with gr.Row():
                back = gr.Button("前の10件", size="sm", visible=False)
                more = gr.Button("次の10件", size="sm", visible=False)

    def search(query: str, at: int, *chosen: Any) -> list[Any]:
        hidden = gr.update(visible=False)
        try:
            question = clean_question(query)
            filters = scope(*chosen)
            result = assistant.index.search(question, PAGE, filters, at * PAGE)
            counts = facet_counts(assistant.index, question, filters, result.facets)
        except HyokaError as problem:
            return [render_notice(problem.message), 0, hidden, hidden, hidden, *[hidden] * len(facets)]
        except Exception:
            logger.exception("a search broke")
            return [render_notice(INTERNAL[1]), 0, hidden, hidden, hidden, *[hidden] * len(facets)]
        updates = []
        for name, values in zip(FACETS, chosen, strict=True):
            choices = facet_choices(name, counts[name], list(values or ()))
            updates.append(gr.update(choices=choices, value=list(values or ()), visible=bool(choices)))
        left = result.total - (at + 1) * PAGE
        return [
            render_hits(result, at * PAGE, persons(result), placed(assistant.index)),
            at,
            gr.update(visible=True),
            gr.update(visible=at > 0),
            gr.update(visible=left > 0),
            *updates,
        ]

    outputs = [results, page, side, back, more, *facets]
    zero = gr.State(0)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    # The shared inputs are the truth for municipality, year and department; the facet of sections is this screen's own.
    inputs = [*shared, facets[3]]
    box.submit(search, [box, zero, *inputs], outputs, **quiet)
    more.click(lambda at: at + 1, page, page, **quiet).then(
        search, [box, page, *inputs], outputs, js=SCROLL_UP, **quiet
    )
    back.click(lambda at: max(0, at - 1), page, page, **quiet).then(
        search, [box, page, *inputs], outputs, js=SCROLL_UP, **quiet
    )
    for facet, target in zip(facets, shared, strict=False):
        facet.input(lambda values: values, facet, target, **quiet).then(search, [box, zero, *inputs], outputs, **quiet)
    facets[3].input(search, [box, zero, *inputs], outputs, **quiet)
    for target in shared:
        target.input(
            lambda query, *rest: search(query, *rest) if (query or "").strip() else [gr.skip()] * len(outputs),
            [box, zero, *inputs],
            outputs,
            **quiet,
        )
    return box, search, [box, zero, *inputs], outputs


SCROLL_UP = "(...values) => { document.getElementById('hy-search')?.scrollIntoView(); return values; }"


def persons(result: SearchResult) -> int:
    """How many of the hits name persons and are therefore not shown."""
    return result.facets.get("section", {}).get(PERSON_FIELD, 0)
