"""What happens in a stretch of time, and since when something is done: read off the dates that the sheets print."""

from __future__ import annotations

import re

from assistant.context import Context
from assistant.dates import both_ways, inside, over_years, with_year
from assistant.drafts import MAX_CHARS, Draft, plain, readable, title
from corpus.normalize import squeeze

# 「2027年に何がある」 asks for whatever happens then.
_OPEN = re.compile(
    r"何(?:か|が|を|の(?:予定|動き))[^。]{0,6}?(?:あ[るり]|起き|起こ|予定|行[わいう]|始ま|変わ|する|される|控え)|どんな(?:予定|動き|出来事)"
    r"|(?:出来事|予定|動き|スケジュール)(?:は|を)(?:何|$|\?|教え|一覧|並べ)"
)
_SINCE = re.compile(
    r"(?:は|って|が)?いつ(?:から|始ま|開始|スタート)[^。?]{0,14}[?。]*$|(?:始まった|開始した|始めた)のは(?:いつ|何年)[^。?]{0,8}[?。]*$"
)


def happening(context: Context) -> Draft | None:
    """「2027年に何がある」: every dated statement in the asked time, of the named sheets or of all in scope."""
    query = context.query
    if not query.periods or query.carries("period") or not _OPEN.search(query.key):
        return None
    if any(not f.weak for f in query.fields if f.type != "text"):
        return None
    named = [f.sheet for f in context.focus() if f.named]
    sheets = over_years(context, named) if named else [s for s in context.scope() if s.kind == "programme"]
    readings = [reading for asked in query.periods for reading in asked.readings]
    events = [
        found
        for found in context.index.events([s.sheet_id for s in sheets])
        if any(inside(found.event.period, reading) for reading in readings) and (found.event.what or named)
    ]
    if not events:
        return None
    asked = "・".join(one.period.label for one in query.periods)
    draft = Draft(context.index, how="happenings")
    draft.add(f"{asked}の記載は次のとおりです。")
    draft.columns = ("時期", "出来事", "シート", "自治体", "担当課", "記載")
    seen: set[str] = set()
    for found in sorted(events, key=lambda one: (one.event.period.start, one.event.period.end)):
        sheet, event = found.sheet, found.event
        document = context.index.document(sheet.file)
        key = squeeze(document.text[event.quote.start : event.quote.end])
        if key in seen:
            continue
        seen.add(key)
        n = draft.cite(sheet, "", event.quote)
        quote = readable(draft.citations[-1].quote)
        line = f"- **{both_ways(event.period)}** {event.what}：{title(sheet)} {quote} [{n}]"
        if len(draft.text) + len(line) <= MAX_CHARS:
            draft.add(line)
        cells = (with_year(event.period), event.what, readable(sheet.name), sheet.municipality, sheet.department)
        draft.row((*cells, quote), [n])
    return draft


def begun(context: Context) -> Draft | None:
    """「…事業はいつから」: the year of beginning that a named sheet prints, where nothing else is asked about."""
    query = context.query
    if (
        not _SINCE.search(query.bare)
        or context.statements.wanted(_SINCE.sub(" ", query.bare).replace("\0", " ")).query.words
    ):
        return None
    draft = Draft(context.index, how="begun")
    for sheet in [f.sheet for f in context.focus() if f.named][:2]:
        for found in context.index.facts([sheet.sheet_id], ["開始年度"])[:1]:
            n = draft.cite(sheet, found.fact.label, found.fact.quote)
            when = both_ways(found.fact.period) if found.fact.period else plain(found.fact.text)
            draft.add(f"{title(sheet)}\n- {plain(found.fact.label)}：**{when}** [{n}]")
    return draft if draft.citations else None
