"""Answers that turn on dates: which sheets have something in a period, and when something happens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.captions import Captions
from assistant.context import Context
from assistant.drafts import MAX_CHARS, Draft, plain, readable, title
from assistant.statements import Statement
from assistant.vocabulary import AskedField, asked_fields
from corpus.documents import Event, Sheet, Span
from corpus.normalize import squeeze
from corpus.periods import Period, era_name
from index.synonyms import Synonyms, load_synonyms
from index.tokens import words
from index.types import SheetEvent

# The share of the question's words (by weight) that the dated sentence must hold to be about the same thing.
_COVER = 0.42
_NEAR_BEST = 0.66
# Where the date's own cue was met, other words narrow the list only if some sentence holds most of them.
_MOVED_NEAR = 0.1
_NARROWING, _NARROW_NEAR_BEST = 0.5, 0.5
_MOST_DATES = 3
_SENTENCE, _PART = re.compile(r"[?。]"), 6
_WHEN = re.compile(r"いつ|何年|何月|何日")
_MOVED = re.compile(r"当初|延期|延び|遅れ|前倒し|変更後|変わった")
_DATE = re.compile(r"\d月|\d年度|\d年(?!間|延|[以前後])")
# Every sheet is a system's or a programme's: these words narrow nothing.
_GENERIC = ("業務システム", "システム", "事務事業", "事業", "シート")
_PLANNED = re.compile(r"予定|計画")
# How far from its date a word may stand, in characters, and what ends a thought.
_REACH_BEFORE, _REACH_AFTER = 40, 40
_THOUGHT = re.compile(r"。|ため、|ことから、|ので、|が、|により、")


@dataclass(frozen=True, slots=True)
class Dated:
    """An event of a sheet with how well its sentence fits the question."""

    sheet: Sheet
    event: Event
    cover: float
    score: float


def dated(context: Context) -> Draft | None:
    """Sheets with a dated statement in the asked period about the asked thing, as a list; None without a period."""
    query = context.query
    if not query.periods or (query.intent != "list" and query.named):
        return None
    readings: list[Period] = [reading for asked in query.periods for reading in asked.readings]
    scope = {s.sheet_id for s in context.scope() if s.kind == "programme"}
    named = {n.sheet.sheet_id for n in query.named if n.exact}
    events = [
        found
        for found in context.index.events(sorted(named & scope or scope))
        if any(inside(found.event.period, reading) for reading in readings)
    ]
    hits = _about(context, events, over_all=True)
    if not hits:
        return None
    draft = Draft(context.index, how="dates")
    sheets = list(dict.fromkeys(h.sheet.sheet_id for h in hits))
    asked = "・".join(asked.period.label for asked in query.periods)
    draft.add(f"{asked}に該当する記載は {len(sheets)}件のシートにあります（全{len(scope)}件中{len(sheets)}件）。")
    draft.columns = ("シート", "自治体", "担当課", "時期", "記載")
    for sheet_id in sheets:
        best = max((h for h in hits if h.sheet.sheet_id == sheet_id), key=lambda h: h.score)
        n = draft.cite(best.sheet, "", best.event.quote)
        quote = readable(draft.citations[-1].quote)
        at = with_year(best.event.period)
        draft.item(best.sheet, at, [n])
        name = readable(best.sheet.name)
        draft.row((name, best.sheet.municipality, best.sheet.department, at, quote), [n])
    draft.confidence = max(h.cover for h in hits)
    return draft


def when(context: Context) -> Draft | None:
    """When something of the sheets in focus happens: the dated statements about it, in both ways of counting years."""
    focus = context.focus()
    named = [f.sheet for f in focus if f.named]
    sheets = named or [f.sheet for f in focus[:3]]
    if _MOVED.search(context.query.key):  # 「当初はいつで、いつに延びた」: every year's sheet says its own
        sheets = over_years(context, named or sheets[:1])
    parts = _parts(context)
    if len(parts) > 1:
        return _each(context, parts, sheets)
    hits = _about(context, context.index.events([s.sheet_id for s in sheets]))
    if named and not hits:  # the sheet of another year may tell it
        sheets = [s for s in reversed(over_years(context, named)) if s not in named]
        hits = _about(context, context.index.events([s.sheet_id for s in sheets]))
    if not hits or (not named and hits[0].cover < _COVER):
        return None
    best = hits[0]
    statements = context.statements.of(sheets)
    undated = context.statements.rank(context.statements.wanted(context.query.focus, frozenset({"date"})), statements)
    if undated and undated[0].cover > best.cover + 0.1 and _DATE.search(undated[0].statement.key):
        span = undated[0].statement.span
        dates = [h for h in hits if h.event.quote.start < span.end and span.start < h.event.quote.end]
        if not dates:
            return None  # a statement without a full date (8月19日) is more to the point
        best = dates[0]
    moved = {s.sheet_id for s in sheets} if _MOVED.search(context.query.key) else {best.sheet.sheet_id}
    shown = [
        h
        for h in hits
        if h.sheet.sheet_id in moved and h.score >= best.score * (_NEAR_BEST if len(moved) == 1 else _MOVED_NEAR)
    ]
    distinct = list({h.event.quote: h for h in reversed(shown)}.values())[::-1][:_MOST_DATES]
    draft = Draft(context.index, how="when", confidence=best.cover)
    draft.add(title(best.sheet))
    for hit in distinct:
        n, quote = _cited(context, draft, hit)
        inside = [h.event.period for h in hits if h.sheet == hit.sheet and h.event.quote == hit.event.quote]
        line = f"- **{'、'.join(dict.fromkeys(both_ways(p) for p in inside))}**：{quote} [{n}]"
        if len(draft.text) + len(line) < MAX_CHARS:
            draft.add(line)
    return draft if len(draft.lines) > 1 else None


def _cited(context: Context, draft: Draft, hit: Dated) -> tuple[int, str]:
    """The number of the quote of a dated statement, and how it reads with what it stands under."""
    under, quote = Captions(context.index).of(hit.sheet, hit.event.quote), hit.event.quote
    if under is None:
        n = draft.cite(hit.sheet, "", quote)
        return n, readable(draft.citations[n - 1].quote)
    text = context.index.document(hit.sheet.file).text
    if not text[under.end : quote.start].strip():  # right before it: one quote shows both
        n = draft.cite(hit.sheet, "", Span(under.start, quote.end))
        return n, readable(draft.citations[n - 1].quote)
    n = draft.cite(hit.sheet, "", quote)
    return n, readable(f"{text[under.start : under.end]} {draft.citations[n - 1].quote}")


def _parts(context: Context) -> list[str]:
    """The sentences of a question that ask for two dates (…はいつまで？…はいつから？), else the whole."""
    parts = [part for part in _SENTENCE.split(context.query.focus) if len(part.strip()) >= _PART]
    return parts if len(parts) > 1 and len(_WHEN.findall(context.query.key)) > 1 else [context.query.focus]


def _each(context: Context, parts: Sequence[str], sheets: Sequence[Sheet]) -> Draft | None:
    """The best date for each sentence of a question; None where one of them has none."""
    events = context.index.events([s.sheet_id for s in sheets])
    best: list[Dated] = []
    for part in parts:
        hits = _about(context, events, focus=part)
        if not hits:
            return None
        best.append(hits[0])
    draft = Draft(context.index, how="when", confidence=min(hit.cover for hit in best))
    for hit in dict.fromkeys(best):
        n, quote = _cited(context, draft, hit)
        draft.add(f"- {title(hit.sheet)} **{both_ways(hit.event.period)}**：{quote} [{n}]")
    return draft


def over_years(context: Context, sheets: Sequence[Sheet]) -> list[Sheet]:
    """The sheets with those of the same programmes in other years."""
    return list({s.sheet_id: s for one in sheets for s in (one, *context.index.timeline(one.sheet_id))}.values())


def with_year(period: Period) -> str:
    """The date as printed, with its year where the sheet leaves that to the context (9月 -> 令和7年9月)."""
    label = plain(period.label)
    if period.kind not in ("month", "day") or re.search(r"年|[./-]|^[A-Za-z]", label):
        return label
    return f"{era_name(period.start.year)}年{label}"


def both_ways(period: Period) -> str:
    """A date with the other way of counting its year: 令和7年1月（2025年1月、令和6年度）."""
    label = with_year(period)
    if period.kind in ("month", "day"):
        western = f"{period.start.year}年{period.start.month}月"
        other = f"{western}、" if western not in label else ""
        return f"{label}（{other}{era_name(period.fiscal_year)}年度）"
    if period.kind == "fiscal_year":
        western = f"{period.start.year}年度"
        return label if western == label else f"{label}（{western}）"
    return label


def inside(period: Period, asked: Period) -> bool:
    """A date counts when it lies in the asked period; a longer one (2019-2021) that merely touches it does not."""
    return asked.covers(period) or (period.kind != "range" and period.covers(asked) and period.kind == asked.kind)


def _about(
    context: Context, events: Sequence[SheetEvent], over_all: bool = False, focus: str | None = None
) -> list[Dated]:
    """The events whose sentence is about what is asked, best first; ``over_all``: of all sheets those with such an event."""
    query = context.query
    cued = [f for f in query.fields if f.cues]
    if (
        not cued and not over_all
    ):  # 「現行契約はいつ終わる」: said in the sheets' words, if not in those people mostly use
        cued = [f for f in asked_fields() if f.cues and f.happens and f.dates(query.bare)][:1]
    happens = {what for f in cued for what in f.happens}
    if not over_all and any(found.event.what in happens for found in events):
        events = [found for found in events if found.event.what in happens]
    topic = _MOVED.sub(" ", query.focus if focus is None else focus)
    for phrase in sorted({p for f in cued for p in f.ask}, key=len, reverse=True):
        topic = topic.replace(phrase, " ")
    for word in _GENERIC:
        topic = topic.replace(word, " ")
    if over_all:  # 「更改や移行を予定しているシステム」: other words for what happens narrow nothing
        for cue in (_PLANNED, *(cue for f in cued for cue in f.cues)):
            topic = cue.sub(" ", topic)
    wanted = context.statements.wanted(topic)
    literal = _literal(query.key, cued)
    statements = []
    captions = Captions(context.index)
    for order, found in enumerate(events):
        document = context.index.document(found.sheet.file)
        text = document.text[found.event.quote.start : found.event.quote.end]
        under = None if over_all else captions.of(found.sheet, found.event.quote)
        if under is not None:  # 「≪施設予約システム≫ 平成13年12月 運用開始」 is about what it stands under
            text = f"{document.text[under.start : under.end]} {text}"
        key = squeeze(text)
        told = found.event.what in happens or any(f.dates(_beside(found, document.text)) for f in cued)
        if cued and not told:
            continue  # 「契約満了」 is asked and the sentence dates something else
        statements.append(
            Statement(found.sheet, "", "", found.event.quote, text, key, frozenset(words(text)), frozenset(), order)
        )
    # Where sentences say the very word of the question or its synonym, cousins of it (リニューアル for 更改) stand back.
    if cued and any(literal.search(s.key) for s in statements if not happens or over_all):
        statements = [s for s in statements if literal.search(s.key)]
    if not statements:
        return []
    ranked = context.statements.rank(wanted, statements)
    best = max(r.cover for r in ranked)
    if cued:  # the cue is the thing itself, the rest of the question narrows it
        limit = 0.0 if best < _NARROWING else best * _NARROW_NEAR_BEST
        if _MOVED.search(query.key):  # the later sheet repeats little of what the earlier one called it
            limit = 0.0
    elif best < _COVER:
        return []
    else:
        limit = max(_COVER, best * _NEAR_BEST)
    hits = [Dated(r.statement.sheet, events[r.statement.order].event, r.cover, r.score) for r in ranked]
    return [hit for hit in hits if hit.cover >= limit]


def _beside(found: SheetEvent, text: str) -> str:
    """What stands beside a date in its sentence: the clause before and after, up to where another thought begins.

    「保守延長を行っても令和7年3月までとなるため、…更新準備を進める」 dates the maintenance and not the renewal.
    """
    event = found.event
    before = _THOUGHT.split(squeeze(text[event.quote.start : event.span.start]))[-1]
    after = _THOUGHT.split(squeeze(text[event.span.end : event.quote.end]))[0]
    return f"{before[-_REACH_BEFORE:]}\0{after[:_REACH_AFTER]}"


@lru_cache(maxsize=2)
def _other_ways(synonyms: Synonyms) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for term, other in synonyms.rewrites():
        table.setdefault(squeeze(term), []).append(squeeze(other))
    return table


def _literal(key: str, cued: Sequence[AskedField]) -> re.Pattern[str]:
    """The asked phrases as they stand in the question, their synonyms, and the cues that the question itself holds."""
    phrases = {p for f in cued for p in f.ask if p in key}
    synonyms = {other for phrase in phrases for other in _other_ways(load_synonyms()).get(phrase, ())}
    cues = [cue.pattern for f in cued for cue in f.cues if cue.search(key)]
    return re.compile("|".join([*(re.escape(p) for p in sorted(phrases | synonyms)), *cues]) or r"(?!)")
