"""A run as one HTML page that needs nothing but itself: figures, charts, failures, the difference from the last run."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from evals.cases import CASE_TYPES
from evals.compare import Change, Comparison, compare
from evals.metrics import CAUSE_LABELS, CAUSE_MARKS, Cause
from evals.plots import Bar, Dots, bars, calibration, latencies
from evals.runs import Run

#: Under this many scored answers a calibration curve shows noise only.
ENOUGH = 12

COLUMNS = (
    ("answer_exact", "語句"),
    ("citation_recall", "引用の再現"),
    ("citation_precision", "引用の適合"),
    ("quote_fidelity", "引用文の一致"),
    ("section_hit", "項目の一致"),
    ("evidence_quoted", "根拠の引用"),
)


def write_report(run: Run, before: Run | None, path: Path) -> None:
    """Write the page; ``before`` is the last run of the same file, None when this is the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(run, before), encoding="utf-8")


def page(run: Run, before: Run | None = None) -> str:
    """The whole page for a run as ``RunResult.payload`` or :func:`evals.runs.load` gives it."""
    change = compare(before, run) if before is not None else None
    body = "".join(
        [
            _header(run),
            _tiles(run, change),
            _section("種別ごとの正答率", _type_chart(run, before) + _figures(run)),
            _difference(change),
            _section("応答時間", _latency_chart(run)),
            _section("スコアと正答率", _calibration_chart(run)),
            _ranking(run),
            _failures(run),
            _malformed(run),
        ]
    )
    assets = files("evals") / "assets"
    style = (assets / "report.css").read_text(encoding="utf-8")
    script = (assets / "report.js").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="ja">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>評価レポート {escape(str(run['file']))}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _header(run: Run) -> str:
    about = {"実行": run.get("run"), "日時": run.get("at"), "コード": run.get("commit") or run.get("hyoka")}
    about |= {"索引": run["about"].get("index_version"), "対象": run["about"].get("server")}
    facts = "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in about.items() if value)
    return f'<header><h1>評価レポート</h1><p class="file">{escape(str(run["file"]))}</p><dl>{facts}</dl></header>\n'


def _tiles(run: Run, change: Comparison | None) -> str:
    overall = run["overall"]
    low, high = overall["right_interval"]
    tiles = [
        ("正答", f"{overall['right']}/{overall['n']}", f"{overall['right_share']:.3f}（95%区間 {low:.2f}–{high:.2f}）"),
        (
            "引用の再現 / 適合",
            f"{overall['citation_recall']:.2f} / {overall['citation_precision']:.2f}",
            "正解シートとの一致",
        ),
        ("引用文の一致", f"{overall['quote_fidelity']:.3f}", "原文と一字一句同じ割合"),
        (
            "棄権の適合 / 再現",
            f"{overall['abstention']['precision']:.2f} / {overall['abstention']['recall']:.2f}",
            f"答えられるのに棄権 {overall['abstention']['false']:.3f}",
        ),
        ("応答時間 p50 / p95", f"{overall['latency_ms']['p50']:.1f} / {overall['latency_ms']['p95']:.1f}", "ミリ秒"),
    ]
    if change is not None:
        before, after = change.shares["overall"]
        sign = f"{after - before:+.3f}"
        note = f"直った {len(change.fixed)}、壊れた {len(change.broken)}、p = {change.p_value:.3f}"
        tiles.append(("前回との差", sign, note))
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><h2>{escape(name)}</h2><p class="big">{escape(value)}</p><p>{escape(note)}</p></div>'
            for name, value, note in tiles
        )
        + "</div>\n"
    )


def _type_chart(run: Run, before: Run | None) -> str:
    old = before["by_type"] if before is not None else {}
    rows = [
        Bar(
            name,
            part["right"],
            part["n"],
            part["right_interval"][0],
            part["right_interval"][1],
            before=old[name]["right"] / old[name]["n"] if old.get(name, {}).get("n") else None,
        )
        for name, part in run["by_type"].items()
    ]
    note = "帯は正答率、細い線は95%区間（ブートストラップ）" + ("、ひし形は前回" if old else "") + "。"
    return f'{bars(rows)}<p class="note">{note}</p>' if rows else "<p>実行した質問がありません。</p>"


def _figures(run: Run) -> str:
    heads = "".join(
        f"<th>{name}</th>" for name in ("種別", "正答", "正答率", *(label for _, label in COLUMNS), "p50 ms", "p95 ms")
    )
    rows = []
    for name, part in [*run["by_type"].items(), ("全体", run["overall"])]:
        share = part["right"] / max(part["n"], 1)
        cells = [f"{part['right']}/{part['n']}", f"{share:.3f}", *(f"{part[key]:.3f}" for key, _ in COLUMNS)]
        cells += [f"{part['latency_ms']['p50']:.1f}", f"{part['latency_ms']['p95']:.1f}"]
        rows.append(f"<tr><th>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    table = f'<table class="figures"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return f'<div class="wide">{table}</div>'


def _difference(change: Comparison | None) -> str:
    if change is None:
        return _section("前回との差", "<p>同じ質問ファイルの前回の評価はありません。</p>")
    before, after = change.shares["overall"]
    text = (
        f"<p>{escape(change.a)} と共通の {change.common} 問で {before:.3f} → {after:.3f}。"
        f"変わった {len(change.fixed) + len(change.broken)} 問が偶然でもこれ以上偏る確率（正確なマクネマー検定）は"
        f" p = {change.p_value:.3f}。</p>"
    )
    lists = _changes("直った質問", change.fixed, "fixed") + _changes("壊れた質問", change.broken, "broken")
    return _section("前回との差", text + (lists or "<p>正誤が変わった質問はありません。</p>"))


def _changes(title: str, changes: Sequence[Change], kind: str) -> str:
    if not changes:
        return ""
    items = "".join(
        f"<li>{_reference(case)} {escape(case.question)} "
        f'<span class="causes">{_labels(case.after or case.before)}</span></li>'
        for case in changes
    )
    shown = " open" if kind == "broken" or len(changes) <= 10 else ""
    return f'<details{shown}><summary class="{kind}">{title}（{len(changes)}）</summary><ul>{items}</ul></details>'


def _reference(case: Change) -> str:
    """The id, linked to the failure further down when it is one now."""
    name = escape(case.id, quote=True)
    return f'<a href="#case-{name}">{name}</a>' if case.after else f'<span class="id">{name}</span>'


def _latency_chart(run: Run) -> str:
    rows = []
    for name, part in run["by_type"].items():
        values = tuple(case["latency_ms"] for case in run["cases"] if case["type"] == name)
        rows.append(Dots(name, values, part["latency_ms"]["p50"], part["latency_ms"]["p95"]))
    return f'{latencies(rows)}<p class="note">点は一問、長い線は中央値、短い線は95パーセンタイル。</p>' if rows else ""


def _calibration_chart(run: Run) -> str:
    # An abstention is right or wrong for other reasons than its score.
    answered = [case for case in run["cases"] if not case["got"]["abstained"]]
    points = [(case["confidence"], case["right"]) for case in answered if case["confidence"] is not None]
    if len(points) < ENOUGH:
        return f"<p>スコアの付いた回答が {len(points)} 件しかないため描けません（{ENOUGH} 件から）。</p>"
    return f'{calibration(points)}<p class="note">棄権しなかった回答をスコア順に同じ数ずつ分けた組の平均。縦線は95%区間。</p>'


def _ranking(run: Run) -> str:
    if not run.get("retrieval"):
        return ""
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{value:.3f}</td></tr>" for name, value in run["retrieval"].items())
    return _section("検索だけの順位", f'<table class="ranks">{cells}</table>')


def _failures(run: Run) -> str:
    failures = [case for case in run["cases"] if not case["right"]]
    if not failures:
        return _section("失敗", "<p>失敗はありません。</p>")
    types = [name for name in CASE_TYPES if any(case["type"] == name for case in failures)]
    causes = [str(cause) for cause in Cause if any(str(cause) in case["causes"] for case in failures)]
    controls = (
        '<form class="filters" aria-label="失敗の絞り込み">'
        f'<label>種別 <select id="type">{_options(types, {})}</select></label>'
        f'<label>原因 <select id="cause">{_options(causes, {str(c): t for c, t in CAUSE_LABELS.items()})}</select></label>'
        '<label>語 <input id="words" type="search" placeholder="質問・回答・シート名"></label>'
        f'<output id="shown">{len(failures)} 件</output></form>'
    )
    return _section(f"失敗（{len(failures)}）", controls + "".join(_failure(case) for case in failures))


def _options(values: Sequence[str], labels: dict[str, str]) -> str:
    rest = "".join(
        f'<option value="{escape(value, quote=True)}">{escape(labels.get(value, value))}</option>' for value in values
    )
    return f'<option value="">すべて</option>{rest}'


def _failure(case: dict[str, Any]) -> str:
    expected, got = case["expected"], case["got"]
    asked = "".join(f"<li>{escape(earlier)}</li>" for earlier in case["history"])
    wanted = _pairs(
        ("棄権", "すること" if expected["abstain"] else ""),
        ("シート", "、".join(expected["sheets"])),
        ("項目", "、".join(expected["sections"])),
        ("必須", " ／ ".join("｜".join(forms) for forms in expected["must"])),
        ("禁止", "、".join(expected["must_not"])),
        ("備考", expected["note"]),
    ) + "".join(f"<blockquote>{escape(text)}</blockquote>" for text in expected["evidence"])
    answer = f'<p class="answer">{escape(got["answer"])}</p>' if got["answer"] else ""
    came = (
        _pairs(
            ("解釈", got["interpretation"].removeprefix("解釈:").strip()),
            ("シート", "、".join(got["sheets"])),
            ("エラー", got["error"]),
        )
        + answer
        + _rows(got["rows"])
        + "".join(
            f"<blockquote>[{quote['n']}] {escape(str(quote['sheet']))}・{escape(str(quote['section']))}"
            f"<br>{escape(str(quote['quote'])[:400])}</blockquote>"
            for quote in got["citations"][:8]
        )
    )
    why = "".join(f"<li>{escape(text)}</li>" for text in case["why"])
    name = escape(case["id"], quote=True)
    return (
        f'<details class="failure" id="case-{name}" data-type="{case["type"]}" data-causes="{" ".join(case["causes"])}">'
        f'<summary><span class="id">{name}</span> <span class="type">{case["type"]}</span> {escape(case["question"])}'
        f'<span class="causes">{_labels(case["causes"])}</span></summary>'
        f'{f"<ol>{asked}</ol>" if asked else ""}<ul class="why">{why}</ul>'
        f'<div class="sides"><div><h3>期待</h3>{wanted}</div><div><h3>結果</h3>{came}</div></div></details>'
    )


def _rows(rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    cells = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row if cell is not None)}</tr>" for row in rows[:10]
    )
    more = f'<p class="note">ほか {len(rows) - 10} 行</p>' if len(rows) > 10 else ""
    return f'<div class="wide"><table>{cells}</table></div>{more}'


def _pairs(*pairs: tuple[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in pairs if text) + "</dl>"


def _labels(causes: Sequence[str]) -> str:
    return "".join(f"<b>{CAUSE_MARKS[Cause(cause)]}</b>" for cause in causes)


def _malformed(run: Run) -> str:
    if not run["malformed"]:
        return ""
    items = "".join(f"<li>{bad['line']}行目: {escape(bad['message'])}</li>" for bad in run["malformed"])
    return _section("読めなかった行", f"<ul>{items}</ul>")


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>\n"
