"""The door of reading: a document becomes sheets with their sections, facts and events."""

from __future__ import annotations

from dataclasses import replace

from corpus.certainty import THRESHOLD, certainty
from corpus.documents import Document, Sheet, SheetReading
from corpus.events import extract_events
from corpus.facts import extract_facts, read_facts
from corpus.heads import TITLE
from corpus.layout import normalized
from corpus.sections import split_sections
from corpus.sheets import find_sheets
from corpus.unread import unread_figures
from corpus.whereabouts import Locator

_NAMED = 3  # figures named in a warning

__all__ = ["extract_events", "extract_facts", "find_sheets", "read_sheets", "split_sections"]


def read_sheets(document: Document) -> list[SheetReading]:
    """Every sheet of a document with all that was read from it, in order; what fails becomes a warning of its sheet."""
    readings = [_judged(document, _read(document, sheet)) for sheet in find_sheets(document)]
    if readings and all(reading.sheet.kind == "document" for reading in readings):
        title = TITLE.search(normalized(document.text).text)
        if title is not None:
            readings[0] = _warned(
                readings[0],
                f"「{title.group().strip()}」とありますが、事業のシートを見つけられませんでした。"
                "事業名の欄のラベルが語彙にないようです。hyoka forms でこのファイルを確かめてください。",
            )
    return readings


def _judged(document: Document, reading: SheetReading) -> SheetReading:
    """The reading with its certainty, and a warning where that is low."""
    try:
        judged = replace(reading, certainty=certainty(document, reading))
    except Exception as error:
        return _warned(reading, f"「{reading.sheet.name}」の確かさを計算できませんでした（{error}）。")
    sure = judged.certainty
    if sure is None or sure.score >= THRESHOLD:
        return judged
    figures = next((reason for reason in sure.reasons if reason.what == "数値"), None)
    if figures is not None and figures.share < THRESHOLD:
        judged = _warned(judged, _unread(document, judged))
    poor = "、".join(reason.text for reason in sure.reasons if reason.share < THRESHOLD)
    return _warned(
        judged,
        f"読み取りの確かさが{sure.score:.2f}です（{poor}）。hyoka forms でこのファイルを確かめてください。",
    )


def _unread(document: Document, reading: SheetReading) -> str:
    """The first figures that became no fact, each with its place and the reason."""
    locator = Locator(document)
    left = unread_figures(document, reading)
    told = [f"{locator.at(one.span.start)}の「{one.text}」: {one.reason}" for one in left[:_NAMED]]
    more = f"ほかに{len(left) - _NAMED}個あります。" if len(left) > _NAMED else ""
    return f"読み取っていない数値があります。{''.join(told)}{more}"


def _read(document: Document, sheet: Sheet) -> SheetReading:
    reading = SheetReading(sheet, (), warnings=tuple(_about(sheet)))
    # One odd sheet must not lose the others, and one odd table must not lose the sheet's text.
    try:
        reading = replace(reading, sections=tuple(split_sections(document, sheet)))
    except Exception as error:
        return _warned(reading, f"「{sheet.name}」の項目を読み取れませんでした（{error}）。")
    try:
        facts, doubts = read_facts(document, sheet, reading.sections)
        reading = replace(reading, facts=tuple(facts), warnings=(*reading.warnings, *doubts))
    except Exception as error:
        reading = _warned(reading, f"「{sheet.name}」の数値を読み取れませんでした（{error}）。")
    try:
        return replace(reading, events=tuple(extract_events(document, sheet, reading.sections)))
    except Exception as error:
        return _warned(reading, f"「{sheet.name}」の日付を読み取れませんでした（{error}）。")


def _warned(reading: SheetReading, warning: str) -> SheetReading:
    return replace(reading, warnings=(*reading.warnings, warning))


def _about(sheet: Sheet) -> list[str]:
    """What a person should know about a sheet's head."""
    missing = []
    if not sheet.municipality:
        missing.append("自治体名")
    if sheet.kind == "programme":
        if sheet.fiscal_year is None:
            missing.append("年度")
        if not sheet.department:
            missing.append("担当課")
    return [f"「{sheet.name}」の{'・'.join(missing)}が書かれていないか、読み取れませんでした。"] if missing else []
