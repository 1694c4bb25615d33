"""索引を作り直す on the 管理 screen: the buttons, the progress while it runs, the account at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.access.caller import caller
from assistant.rebuild import Build
from assistant.upkeep import Upkeep
from corpus.errors import HyokaError
from ui.inventory import render_build
from ui.permission import REFUSED, may_administer
from ui.questions import QUIET, spoken

HELP = (
    '<p class="hy-note">取り込み元のフォルダーを読み直します。変わっていないファイルは前回の読み取りを使うので、早く終わります。'
    "取り込み元からなくなったファイルは、索引からも消えます。</p>"
)
NO_UPKEEP = '<p class="hy-note">シートを増やすには、サーバーで hyoka index を実行します。</p>'


_ASK = "すべてのシートを見られる管理者に、理由を確かめてもらってください。"


def seen_build(build: Build) -> Build:
    """What the caller may see of a build: to somebody who may not see every sheet it names no file and counts nothing."""
    if caller().sees_all or build.phase == "idle":
        return build
    said = "索引を作り直しました。" if build.phase == "done" else "索引の作り直しは終わりませんでした。" + _ASK
    what = "索引を作り直しています"
    return replace(build, what=what, done=0, total=0, reading=False, rate=None, message=said, outcome=None)


def build_rebuild(upkeep: Upkeep | None, tab: Any, refresh: Callable[[], Any], shown: Any) -> None:
    """Adds the part to the current Blocks; ``refresh`` gives ``shown`` anew once a build has succeeded."""
    if upkeep is None:
        gr.HTML(NO_UPKEEP, apply_default_css=False)
        return
    rebuild = upkeep.rebuild
    gr.HTML(HELP, apply_default_css=False)
    with gr.Row(elem_classes="hy-rebuild-row"):
        start = gr.Button("索引を作り直す", variant="primary", min_width=160, scale=0, elem_id="hy-rebuild")
        stop = gr.Button(
            "やめる", variant="secondary", min_width=110, scale=0, visible=False, elem_id="hy-rebuild-stop"
        )
        add = gr.Checkbox(
            label="追加だけ読む（なくなったファイルも索引に残す）", elem_id="hy-rebuild-add", min_width=240
        )
    progress = gr.HTML("", apply_default_css=False, elem_id="hy-rebuild-progress")
    timer = gr.Timer(1.0, active=False)
    seen = gr.State("")

    def look(before: str) -> list[Any]:
        """The build as it is; the account of the index anew when the build that was watched has ended.

        Opening the tab while nothing is built changes nothing but the words: its answer may arrive after that of the
        button, and would stop the clock of the build that has just begun.
        """
        build: Build = seen_build(rebuild.state())
        running = build.phase == "running"
        ended = before == "running" and not running
        if not running and not ended:
            return [render_build(build), *[gr.skip()] * (len(outputs) - 1)]
        return [
            render_build(build),
            build.phase,
            gr.update(interactive=not running),
            gr.update(visible=running),
            gr.update(interactive=not running),
            gr.Timer(active=running),
            refresh() if ended else gr.skip(),
        ]

    outputs = [progress, seen, start, stop, add, timer, shown]

    def begin(only_add: bool, request: gr.Request) -> list[Any]:
        problem = "" if may_administer(request) else REFUSED
        if not problem:
            try:
                rebuild.start(bool(only_add))
            except HyokaError as refused:
                problem = refused.message if caller().sees_all else "索引の作り直しを始められません。" + _ASK
        return [spoken(problem), *[gr.skip()] * (len(outputs) - 1)] if problem else look("running")

    def end(before: str, request: gr.Request) -> list[Any]:
        if not may_administer(request):
            return [spoken(REFUSED), *[gr.skip()] * (len(outputs) - 1)]
        rebuild.cancel()
        return look(before)

    tab.select(look, seen, outputs, **QUIET)
    start.click(begin, add, outputs, **QUIET)
    stop.click(end, seen, outputs, **QUIET)
    timer.tick(look, seen, outputs, **QUIET)
