"""What ``hyoka forms`` says of a file: the same account as JSON and for people."""

from __future__ import annotations

from typing import Any

from assistant import console
from corpus.certainty import THRESHOLD
from corpus.documents import Fact
from corpus.inspection import Inspection, SheetInspection
from corpus.origins import SAID, Origin
from corpus.whereabouts import Locator, Whereabouts
from index.types import PERSON_FIELD

SHOWN = 12
HEAD = {"name": "名称", "municipality": "自治体", "department": "担当課", "year": "年度"}


def inspection_json(found: Inspection) -> dict[str, Any]:
    """The whole account. Values of fields that name persons are left out."""
    return {
        "file": found.document.file,
        "warnings": list(found.document.warnings),
        "forms": [
            {"form": one.form, "file": one.file, "chosen": one.chosen, "missing": list(one.missing)}
            for one in found.trials
        ],
        "sheets": [_sheet_json(sheet, found.locator) for sheet in found.sheets],
        "new_labels": [
            {
                "label": one.label,
                "count": one.count,
                "example": one.example,
                "where": where_json(found.locator.at(one.span.start)),
                "field": one.field,
                "similarity": one.similarity,
            }
            for one in found.new_labels
        ],
    }


def _sheet_json(one: SheetInspection, locator: Locator) -> dict[str, Any]:
    reading, sheet = one.reading, one.reading.sheet
    sure = reading.certainty
    return {
        "sheet_id": sheet.sheet_id,
        "kind": sheet.kind,
        "form": sheet.form,
        "where": where_json(one.where),
        "certainty": None
        if sure is None
        else {
            "score": sure.score,
            "reasons": [{"what": r.what, "share": round(r.share, 3), "text": r.text} for r in sure.reasons],
        },
        "head": {key: _origin_json(getattr(one.origins, key), locator) for key in HEAD},
        "sections": [
            {
                "label": s.label,
                "field": s.field,
                "where": where_json(locator.at(s.span.start)),
                "characters": len(s.text),
            }
            for s in reading.sections
        ],
        "facts": [
            {
                "field": fact.field,
                "label": fact.label,
                "year": fact.period.label if fact.period else None,
                "kind": fact.kind,
                "value": fact.value,
                "unit": fact.unit,
                "text": "" if fact.field == PERSON_FIELD else fact.text,
                "inferred": fact.inferred,
                "where": where_json(locator.at(fact.span.start)),
            }
            for fact in reading.facts
        ],
        "unread_figures": [
            {"text": u.text, "reason": u.reason, "where": where_json(locator.at(u.span.start))} for u in one.unread
        ],
        "stray_lines": [{"text": s.text, "where": where_json(s.where)} for s in one.stray],
        "warnings": list(reading.warnings),
    }


def where_json(where: Whereabouts) -> dict[str, Any]:
    """A place in a file."""
    return {"page": where.page, "line": where.line, "cell": where.cell}


def _origin_json(origin: Origin, locator: Locator) -> dict[str, Any]:
    where = where_json(locator.at(origin.span.start)) if origin.span is not None else None
    return {"value": origin.value, "how": origin.how, "printed": origin.printed, "where": where}


def show_inspection(found: Inspection) -> None:
    """The account for a person: families, sheets with what was read of them, and labels to describe."""
    _show_trials(found)
    programmes = [one for one in found.sheets if one.reading.sheet.kind == "programme"]
    parts = len(found.sheets) - len(programmes)
    console.say(f"\n■ シート {len(programmes)}" + (f"（ほかに文書の部分 {parts}）" if parts else ""))
    for warning in found.document.warnings:
        console.note(f"注意: {warning}")
    if not programmes:
        for one in found.sheets:
            for warning in one.reading.warnings:
                console.note(f"注意: {warning}")
        console.say("事業のシートが見つかりません。下の「語彙にないラベル」から、名称のラベルを足してください。")
    for one in programmes:
        _show_sheet(one, found.locator)
    _show_stray(found)
    _show_labels(found)


def _show_trials(found: Inspection) -> None:
    chosen = next((one for one in found.trials if one.chosen), None)
    console.say(f"■ 様式: {chosen.form if chosen else 'なし（一般の読み方）'}")
    for one in found.trials:
        if not one.chosen:
            missing = "、".join(one.missing) or "なし（先に当てはまった様式が使われます）"
            console.say(f"  {one.form}: 見つからない印 {missing}")


def _show_sheet(one: SheetInspection, locator: Locator) -> None:
    reading, sheet = one.reading, one.reading.sheet
    score = f"{reading.certainty.score:.2f}" if reading.certainty else "-"
    mark = "（要確認）" if reading.certainty and reading.certainty.score < THRESHOLD else ""
    console.say(f"\n● {sheet.name}（{one.where}）　確かさ {score}{mark}")
    rows = []
    for key, what in HEAD.items():
        origin: Origin = getattr(one.origins, key)
        where = f"{locator.at(origin.span.start)}" if origin.span is not None else ""
        rows.append((what, origin.value or "―", SAID[origin.how], origin.printed[:60], where))
    console.say_table(("項目", "値", "読み取り方", "印刷されている文字", "場所"), rows)
    if reading.certainty is not None:
        console.say("  確かさの理由: " + "、".join(f"{r.text}（{r.share:.2f}）" for r in reading.certainty.reasons))
    fields = dict.fromkeys((s.label, s.field) for s in reading.sections)
    console.say("  欄: " + "、".join(f"{label}→{field}" if label != field else label for label, field in fields))
    facts = [fact for fact in reading.facts if fact.field != PERSON_FIELD]
    console.say(f"  数値・評価 {len(facts)}")
    console.say_table(
        ("欄", "ラベル", "年度", "種類", "値"),
        [(f.field, f.label, f.period.label if f.period else "", _kind(f), _value(f)) for f in facts],
    )
    for unread in one.unread[:SHOWN]:
        console.say(f"  読み取っていない数値: {unread.text}（{locator.at(unread.span.start)}）: {unread.reason}")
    if len(one.unread) > SHOWN:
        console.say(f"  読み取っていない数値: ほか{len(one.unread) - SHOWN}個（--json で全部）")
    for warning in reading.warnings:
        console.note(f"注意: {sheet.name}: {warning}")


def _kind(fact: Fact) -> str:
    return {"plan": "予定", "actual": "実績"}.get(fact.kind or "", "") + ("（推定）" if fact.inferred else "")


def _value(fact: Fact) -> str:
    return " ".join(fact.text.split())[:40] if fact.value is None else f"{fact.value:,.12g}{fact.unit}"


def _show_stray(found: Inspection) -> None:
    stray = [line for one in found.sheets for line in one.stray]
    if stray:
        console.say(f"\n■ どの欄にも入らない行 {len(stray)}")
        for line in stray[:SHOWN]:
            console.say(f"  {line.where}: {line.text[:60]}")
        if len(stray) > SHOWN:
            console.say(f"  ほか{len(stray) - SHOWN}行（--json で全部）")


def _show_labels(found: Inspection) -> None:
    console.say(f"\n■ 語彙にないラベル {len(found.new_labels)}（fields.toml に足す候補）")
    if found.new_labels:
        console.say_table(
            ("ラベル", "回数", "値の例", "似ている欄", "似かた", "場所"),
            [
                (n.label, n.count, n.example[:30], n.field, f"{n.similarity:.2f}", str(found.locator.at(n.span.start)))
                for n in found.new_labels
            ],
        )
