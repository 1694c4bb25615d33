"""The test box of the synonyms as HTML: the words of a question, what else is looked for, and the hits before and after."""

from __future__ import annotations

from html import escape

from assistant.wordtrial import Way, WordTrial
from index.types import Passage
from ui.render import sheet_url, year_label

SHOWN_TEXT = 90
SHOWN_WAYS = 40


def render_trial(now: WordTrial, after: WordTrial | None) -> str:
    """``now`` with the synonyms in force; ``after`` with the change that is not saved yet, None where there is none."""
    pieces = "".join(
        f'<li class="{"hy-sought" if sought else "hy-framing"}">{escape(word)}'
        f"{'' if sought else '<small>探さない</small>'}</li>"
        for word, sought in now.pieces
    )
    words = f'<ul class="hy-words">{pieces}</ul>' if pieces else "<p>探せることばがありません。</p>"
    return (
        '<div class="hy-box hy-status hy-trial"><h3>ことばの分け方</h3>'
        f"{words}<h3>言いかえ</h3>{_ways(now, after)}"
        f"<h3>見つかる記載（上位5件）</h3>{_both(now, after)}</div>"
    )


def _ways(now: WordTrial, after: WordTrial | None) -> str:
    before = set(now.ways)
    ways = after.ways if after is not None else now.ways
    lost = [way for way in now.ways if way not in set(ways)]
    if not ways and not lost:
        return "<p>当てはまる言いかえはありません。</p>"
    lines: dict[str, list[str]] = {}
    for way in ways[:SHOWN_WAYS]:
        new = after is not None and way not in before
        lines.setdefault(way.asked, []).append(_way(way, "hy-new" if new else "", "増える" if new else ""))
    for way in lost[:SHOWN_WAYS]:
        lines.setdefault(way.asked, []).append(_way(way, "hy-lost", "なくなる"))
    rows = "".join(f"<dt>{escape(asked)}</dt><dd>{'、'.join(others)}</dd>" for asked, others in lines.items())
    return f'<dl class="hy-synonym-ways">{rows}</dl><p>数字は重みです。もとのことばを1として数えます。</p>'


def _way(way: Way, name: str, told: str) -> str:
    mark = f"<small>（{told}）</small>" if told else ""
    return f'<span class="{name}">{escape(way.other)} {way.weight:.2g}{mark}</span>'


def _both(now: WordTrial, after: WordTrial | None) -> str:
    if after is None:
        return _hits(now, {})
    places = {hit.section_id: at for at, hit in enumerate(now.hits, 1)}
    return (
        '<div class="hy-two"><section aria-label="今の結果"><h4>今</h4>'
        f"{_hits(now, {})}</section>"
        '<section aria-label="保存した場合の結果"><h4>保存した場合</h4>'
        f"{_hits(after, places, compared=True)}</section></div>"
    )


def _hits(trial: WordTrial, places: dict[int, int], compared: bool = False) -> str:
    if not trial.hits:
        return "<p>見つかりません。</p>"
    items = "".join(_hit(hit, at, places.get(hit.section_id), compared) for at, hit in enumerate(trial.hits, 1))
    return f"<p>全{trial.total:,}件</p><ol>{items}</ol>"


def _hit(hit: Passage, at: int, before: int | None, compared: bool) -> str:
    moved = ""
    if compared and before is None:
        moved = '<span class="hy-new">上位に入る</span>'
    elif compared and before is not None and before != at:
        moved = f"<span>{before}位から</span>"
    sheet = hit.sheet
    text = " ".join(hit.text.split())
    return (
        f'<li><a href="{escape(sheet_url(sheet.sheet_id))}" target="_blank" rel="noopener">{escape(sheet.name)}</a> '
        f"<small>{escape(sheet.municipality)} {year_label(sheet.fiscal_year)}・{escape(hit.section.label)}</small> {moved}"
        f"<br>{escape(text[:SHOWN_TEXT])}{'…' if len(text) > SHOWN_TEXT else ''}</li>"
    )
