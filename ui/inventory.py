"""What is indexed, and how a rebuild is going, as HTML for the 管理 screen."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from assistant.accounts import FileAccount
from assistant.datewords import length
from assistant.rebuild import Build, Outcome
from assistant.upkeep import Inventory
from ui.times import moment, size

SOURCES_SHOWN = 20
SHOWN = 200  # files that could not be read, after a rebuild


def render_status(
    version: str,
    accounts: Sequence[FileAccount],
    held: Inventory | None = None,
    problem: str = "",
    sources: Sequence[str] = (),
) -> str:
    """The index: its version, what it holds and where that comes from.

    ``problem`` says why a newer one is not served; ``sources`` are what a rebuild would read.
    """
    read = [one for one in accounts if not one.refusal]
    sheets = sum(len(one.programmes) for one in read)
    parts = sum(len(one.sheets) for one in read) - sheets
    beside = f"（ほかに文書の部分 {parts:,}）" if parts else ""
    refused = f"・読めなかったファイル {len(accounts) - len(read):,}" if len(accounts) > len(read) else ""
    sections = sum(one.sections for account in read for one in account.sheets)
    facts = sum(one.facts for account in read for one in account.sheets)
    counts = f"文書 {len(read):,}・シート {sheets:,}{beside}{refused}・欄 {sections:,}・数値 {facts:,}"
    pairs = [("内容", escape(counts)), *(_told(held, sources) if held is not None else ()), ("版", escape(version))]
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs)
    warning = (
        f'<p class="hy-problem" role="alert">新しい索引を使えないため、前の索引で答えています。{escape(problem)}</p>'
        if problem
        else ""
    )
    return f'<div class="hy-box hy-status"><h3>索引</h3>{warning}<dl class="hy-inventory">{rows}</dl></div>'


def _told(held: Inventory, sources: Sequence[str]) -> list[tuple[str, str]]:
    after = [("次に読む取り込み元", _listed(sources))] if sources and tuple(sources) != held.sources else []
    older = [count for name, count in held.snapshots if name != held.version]
    kept = f"（ほかに、前の版 {len(older)}つ {size(sum(older))} を残しています）" if older else ""
    whence = (
        [
            ("取り込み元", _listed(held.sources) or "記録がありません（次に作り直すと記録します）"),
            *after,
            ("大きさ", f"{size(held.size)}{kept}"),
        ]
        if held.snapshots
        else []
    )
    model = "同梱のモデル" if held.encoder == "bundled" else escape(held.encoder)
    return [
        ("作った日時", moment(held.created)),
        *whence,
        ("意味を比べるモデル", f"{model}（{held.dim}次元）"),
    ]


def _listed(sources: Sequence[str]) -> str:
    lines = "".join(f"<li>{escape(source)}</li>" for source in sources[:SOURCES_SHOWN])
    more = f"<li>ほか{len(sources) - SOURCES_SHOWN:,}件</li>" if len(sources) > SOURCES_SHOWN else ""
    return f"<ul>{lines}{more}</ul>" if lines else ""


def render_build(build: Build) -> str:
    """A rebuild while it runs, and how it ended; nothing where none was started since the server is up."""
    if build.phase == "idle":
        return ""
    if build.phase == "running":
        return _running(build)
    took = f"（{length(build.seconds)}）"
    if build.phase == "done" and build.outcome is not None:
        return _done(build.outcome, took)
    name = "hy-problem" if build.phase == "failed" else "hy-told"
    told = f"{escape(build.message.removesuffix('。'))}{took}。"
    return f'<div class="hy-box hy-status"><p class="{name}" role="status">{told}</p></div>'


def _running(build: Build) -> str:
    said = [f"{length(build.seconds)}経過"]
    if build.reading and build.total:
        step = f"ファイルを読んでいます　{build.done:,} / {build.total:,}件"
        if build.rate is not None and build.left is not None:
            pace = f"毎秒 {build.rate:.1f}件" if build.rate >= 1 else f"1件に約 {length(1 / build.rate)}"
            said += [pace, f"読み終わるまで約 {length(build.left)}"]
    elif build.total and build.done >= build.total:
        step = "仕上げをしています…"
    elif build.total:
        step = f"{escape(build.what)}を作っています　{round(100 * build.done / build.total)}%"
        said += [f"あと約 {length(build.left)}"] if build.left is not None else []
    else:
        step = f"{escape(build.what)}…"
    name = build.what.partition(" ")[2] if build.reading else ""
    known = build.total and (build.reading or build.done < build.total)
    value = f' value="{build.done}" max="{build.total}"' if known else ""
    return (
        f'<div class="hy-box hy-status hy-building"><p class="hy-step">{step}</p>'
        f'<progress aria-label="索引の作り直し"{value}></progress>'
        f"<p>{'・'.join(said)}{f'<br>{escape(name)}' if name else ''}</p>"
        "<p>その間も、前の索引で質問と検索に答えています。この画面を閉じても続きます。</p></div>"
    )


def _done(outcome: Outcome, took: str) -> str:
    parts = [
        f"文書 {outcome.documents:,}",
        f"シート {outcome.sheets:,}",
        f"欄 {outcome.sections:,}",
        f"数値 {outcome.facts:,}",
    ]
    if outcome.reused:
        parts.append(f"前回から変わらないファイル {outcome.reused:,}")
    if outcome.noted:
        parts.append(f"注意のあるファイル {outcome.noted:,}")
    refused = ""
    if outcome.refused:
        rows = "".join(f"<li>{escape(why)}</li>" for _, why in outcome.refused[:SHOWN])
        more = len(outcome.refused) - SHOWN
        rest = f"<p>ほかに{more:,}件あります。下の一覧とCSVで見られます。</p>" if more > 0 else ""
        refused = f"<details open><summary>読めなかったファイル {len(outcome.refused):,}件</summary><ul>{rows}</ul>{rest}</details>"
    return (
        f'<div class="hy-box hy-status"><p class="hy-told" role="status">索引を作り直しました{took}。'
        "新しい索引で答えています。</p>"
        f"<p>{'・'.join(parts)}</p>{refused}</div>"
    )
