"""Evaluation runs as HTML, in the words of people who do not evaluate software for a living."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from assistant.casebook import DraftCase
from evals.compare import Comparison
from evals.runs import Run
from ui.times import moment

TYPE_LABELS: Mapping[str, str] = {
    "lookup-text": "記述を答える",
    "lookup-number": "数値を答える",
    "temporal": "時期を答える",
    "list": "一覧を挙げる",
    "aggregate": "合計や比較",
    "semantic": "別の言葉で聞く",
    "unanswerable": "答えがない",
    "follow-up": "続けて聞く",
}
ORIGIN_LABELS = {
    "down": "役に立たなかった",
    "unanswered": "答えられなかった",
    "proposed": "索引から作成",
    "written": "手で作成",
}
SHOWN_TEXT = 400
ENOUGH = 20


def type_label(kind: str) -> str:
    """The type of a case as the screen names it."""
    return TYPE_LABELS.get(kind, kind)


def render_run(run: Run, change: Comparison | None) -> str:
    """A run: how many were right, by type, what changed since the last one, and every failure with its reasons."""
    overall = run["overall"]
    wrong = [case for case in run["cases"] if not case["right"]]
    low, high = overall["right_interval"]
    # Of a handful of questions the interval is as wide as everything or, where all are right, of no width at all.
    sure = f"質問を選び直しても {low:.0%}〜{high:.0%} に収まると見込まれます（95%）。" if overall["n"] >= ENOUGH else ""
    return (
        '<div class="hy-box hy-status hy-figures hy-run"><h3>結果</h3>'
        f'<p class="hy-verdict"><b>{overall["n"]:,}問のうち {overall["right"]:,}問が正答</b>（{_percent(overall)}）</p>'
        f"<p>{sure}{escape(_when(run))}</p>"
        f"{render_change(change)}{_types(run, change)}{_failures(wrong)}</div>"
    )


def render_change(change: Comparison | None) -> str:
    """What was fixed and what broke since the run before, as a sentence and two lists."""
    if change is None:
        return "<p>前回の実行がないため、比べるものはまだありません。</p>"
    before, after = change.shares["overall"]
    if not change.fixed and not change.broken:
        told = "前回と同じ結果です。"
    else:
        chance = "偶然とは考えにくい差です" if change.p_value < 0.05 else "偶然でも起こりうる差です"
        told = (
            f"前回 {before:.0%} → 今回 {after:.0%}。直った質問 {len(change.fixed)}、誤りになった質問 {len(change.broken)}"
            f"（{chance}）。"
        )
    lists = "".join(
        f"<h4>{title}</h4><ul>{''.join(f'<li>{escape(one.question)}</li>' for one in changed)}</ul>"
        for title, changed in (("前回から直った質問", change.fixed), ("前回は正しく、今回誤った質問", change.broken))
        if changed
    )
    others = f"<p>比べたのは、前回もあった {change.common:,}問です。</p>" if change.only_a or change.only_b else ""
    return f"<p>{told}</p>{others}{lists}"


def _types(run: Run, change: Comparison | None) -> str:
    rows = ""
    for kind, part in run["by_type"].items():
        before = change.shares.get(kind) if change is not None else None
        last = f"{before[0]:.0%}" if before is not None else "―"
        rows += (
            f'<tr><th scope="row">{type_label(kind)}</th><td class="hy-num">{part["n"]}</td>'
            f'<td class="hy-num">{part["right"]}</td><td class="hy-num">{part["n"] - part["right"]}</td>'
            f'<td class="hy-num">{_percent(part)}</td><td class="hy-num">{last}</td></tr>'
        )
    return _table("種別ごとの結果", ("種別", "問", "正答", "誤答", "正答率", "前回"), rows)


def _failures(wrong: Sequence[Mapping[str, Any]]) -> str:
    if not wrong:
        return "<h3>誤った質問</h3><p>ありません。</p>"
    return "<h3>誤った質問</h3>" + "".join(_failure(case) for case in wrong)


def _failure(case: Mapping[str, Any]) -> str:
    expected, got = case["expected"], case["got"]
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in case["why"])
    wanted = [
        ("正解に含まれるべき語", "、".join(" または ".join(forms) for forms in expected["must"])),
        ("含まれてはいけない語", "、".join(expected["must_not"])),
        ("引用すべきシート", "、".join(expected["sheets"])),
        ("答え", "「見つかりません」と答えるのが正解" if expected["abstain"] else ""),
        ("備考", expected["note"]),
    ]
    came = [
        ("回答", "" if got["error"] else " ".join(str(got["answer"]).split())[:SHOWN_TEXT]),
        ("引用したシート", "、".join(got["sheets"][:8])),
        ("解釈", got["interpretation"].removeprefix("解釈:").strip()),
    ]
    earlier = "".join(f"<li>{escape(question)}</li>" for question in case["history"])
    return (
        f'<details class="hy-failure"><summary>{escape(case["question"])}<span class="hy-chip">'
        f"{type_label(case['type'])}</span></summary>{f'<p>前の質問</p><ul>{earlier}</ul>' if earlier else ''}"
        f"<h4>誤りの理由</h4><ul>{reasons}</ul><h4>期待した内容</h4>{_pairs(wanted)}<h4>実際の回答</h4>{_pairs(came)}</details>"
    )


def render_runs(runs: Sequence[Run]) -> str:
    """The runs kept so far, newest first, each with its difference from the one before."""
    rows = ""
    for at, run in enumerate(runs):
        overall = run["overall"]
        before = runs[at + 1]["overall"] if at + 1 < len(runs) else None
        rows += (
            f'<tr><td>{escape(_when(run))}</td><td class="hy-num">{overall["n"]:,}</td>'
            f'<td class="hy-num">{overall["right"]:,}</td><td class="hy-num">{_percent(overall)}</td>'
            f'<td class="hy-num">{_difference(overall, before)}</td>'
            f"<td>{escape(str(run['about'].get('index_version', '')))}</td></tr>"
        )
    if not rows:
        return '<div class="hy-box hy-status"><h3>これまでの実行</h3><p>まだありません。</p></div>'
    table = _table("これまでの実行", ("日時", "問", "正答", "正答率", "前回との差", "索引の版"), rows)
    return (
        f'<div class="hy-box hy-status hy-figures">{table}<p><a class="hy-report" href="evaluation/report.html" target="_blank" '
        'rel="noopener">最新の結果を報告書で開く</a></p></div>'
    )


def render_origin(draft: DraftCase | None) -> str:
    """Where a draft comes from: the opinion, what was answered, what was cited."""
    if draft is None:
        return (
            '<div class="hy-box hy-status"><p>新しい質問です。書き終えたら「採用する」か「保存」を押します。</p></div>'
        )
    told = [
        ("きっかけ", f"{ORIGIN_LABELS[draft.origin]}{f'（{draft.times:,}回）' if draft.times > 1 else ''}"),
        ("寄せられた意見", draft.comment),
        ("そのときの回答", " ".join(draft.answer.split())[:SHOWN_TEXT]),
        ("そのとき引用したシート", "、".join(draft.cited)),
    ]
    return f'<div class="hy-box hy-status"><h3>質問 {draft.id}</h3>{_pairs(told)}</div>'


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in pairs if text)
    return f'<dl class="hy-pairs">{told}</dl>'


def _table(title: str, columns: Sequence[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    return (
        f'<h3>{title}</h3><div class="hy-scroll" tabindex="0" role="region" aria-label="{title}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _percent(part: Mapping[str, Any]) -> str:
    return f"{part['right'] / part['n']:.0%}" if part["n"] else "―"


def _difference(after: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Points of the share of right answers: the number of questions may have changed in between."""
    if before is None or not before["n"] or not after["n"]:
        return "―"
    points = round(100 * after["right"] / after["n"]) - round(100 * before["right"] / before["n"])
    return f"{points:+d}ポイント" if points else "±0"


def _when(run: Run) -> str:
    """The local time of a run: ``令和8年11月21日 18:05``."""
    try:
        return moment(datetime.fromisoformat(str(run.get("at", ""))))
    except ValueError:
        return ""
