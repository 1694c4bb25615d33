"""What a question asks for that the sheets do not hold: a town, a time, a blank cell, a half of a year.

Each is told before (or, for a part of a year, after) an answer is composed, so that nothing is answered from a neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz

from assistant.context import Absence, Context
from assistant.drafts import Draft, readable
from corpus.documents import Sheet
from corpus.normalize import squeeze
from corpus.periods import Period, fiscal_year

_PART_OF_YEAR = re.compile(r"[上下]半期|[上下]期|前半|後半|第?[1-4一二三四]四半期")
# A thing's own name: several words written as one.
_COMPOUND = re.compile(r"[一-龥々ァ-ヴー]{4,12}|[a-z]{3,12}")
# What stands before システム or 事業 as one word with it; a verb before it describes.
_CALLED = re.compile(
    r"([^のをがはで、。?!()「」 \0]{2,14}(?<![るたいうなつくすむぶぐぬ0-9]))(?:システム|事業)(?!者|費|名|経費)"
)
_WORD = 2
_SLIP = 70  # percent of the letters: 契約菅理 is 契約管理
# A word that more sheets than these print (トラブル) is no thing's own name.
_RARE = 3
# A label that so many sheets of a file fill in is one of its form.
_A_FORM = 2


def absence(context: Context) -> Absence | None:
    """The first thing asked for that the sheets do not hold; None where nothing stands against an answer.

    Looked for once a context: the answer, the refusal and what was searched all ask.
    """
    if context.absent is None:
        context.absent = (_of_town(context) or _of_time(context) or _of_field(context),)
    return context.absent[0]


def _of_town(context: Context) -> Absence | None:
    query = context.query
    if not query.strangers or query.municipalities:
        return None
    return Absence("自治体", f"{'・'.join(query.strangers)}の評価シートは索引にありません。")


def _of_time(context: Context) -> Absence | None:
    """No figure, dated statement or sheet of the named sheets (or of any in scope) is of the asked time."""
    query = context.query
    if not query.periods or not all(_is_a_year(asked.period) for asked in query.periods):
        return (
            None  # 「令和4年度以降」 reaches into years that nobody prints, 「来年度」 is counted from the sheet's own
        )
    named = [f.sheet for f in context.focus() if f.named]
    sheets = _with_other_years(context, named) if named else context.scope()
    if not named and context.narrowed:
        return None  # nobody looked at all of them
    told = _times(context, sheets)
    readings = [reading for asked in query.periods for reading in asked.readings]
    if not told or any(one.overlaps(reading) for one in told for reading in readings):
        return None
    years = sorted({p.fiscal_year for p in told if p.kind == "fiscal_year"})
    held = f"（数値のある年度は{years[0]}年度から{years[-1]}年度まで）" if years else ""
    whose = f"「{readable(named[0].name)}」のシート" if named else "索引にある評価シート"
    asked = "・".join(one.period.label for one in query.periods)
    return Absence("時期", f"{whose}に{asked}の記載はありません{held}。")


def _is_a_year(period: Period) -> bool:
    """Whether a time was asked as a year with its number."""
    return period.kind in ("fiscal_year", "calendar_year") and any(c.isdigit() or c == "元" for c in period.label)


def _with_other_years(context: Context, named: Sequence[Sheet]) -> list[Sheet]:
    """The named sheets, those of the same programmes in other years, and the documents of their files."""
    ids = {one.sheet_id for sheet in named for one in (sheet, *context.index.timeline(sheet.sheet_id))}
    held = (context.catalogue.by_id.get(sheet_id) for sheet_id in ids)
    files = {sheet.file for sheet in held if sheet is not None}
    of_files = [sheet for file in files for sheet in context.catalogue.of_file(file)]
    own = [context.catalogue.by_id[sheet_id] for sheet_id in ids if sheet_id in context.catalogue.by_id]
    return list({s.sheet_id: s for s in (*own, *of_files) if s.sheet_id in ids or s.kind == "document"}.values())


def _times(context: Context, sheets: Iterable[Sheet]) -> list[Period]:
    kept = list(sheets)
    ids = [sheet.sheet_id for sheet in kept]
    periods = [found.fact.period for found in context.index.facts(ids) if found.fact.period is not None]
    periods += [found.event.period for found in context.index.events(ids)]
    periods += [fiscal_year(sheet.fiscal_year) for sheet in kept if sheet.fiscal_year]
    return list(dict.fromkeys(periods))


def _of_field(context: Context) -> Absence | None:
    """The named sheet leaves blank what other sheets of its file fill in, and nothing else is asked."""
    query = context.query
    named = [f.sheet for f in context.focus() if f.named]
    strong = [f for f in query.fields if not f.weak and f.type == "text"]
    if len(named) != 1 or len(strong) != 1 or query.expects or query.intent not in ("text", "reason"):
        return None
    asked, sheet = strong[0], named[0]
    if not _left_blank(context, sheet, asked.labels[0]):
        return None
    return Absence("項目", f"「{readable(sheet.name)}」のシートでは「{asked.name}」の欄に記載がありません。")


def _left_blank(context: Context, sheet: Sheet, label: str) -> bool:
    """Whether other sheets of the file fill in a section of that label and this one does not."""
    form = [s for s in context.catalogue.of_file(sheet.file) if s.kind == "programme"]
    sections = context.index.sections([s.sheet_id for s in form])
    fill = {found.sheet.sheet_id for found in sections if label in squeeze(found.section.label)}
    return sheet.sheet_id not in fill and len(fill) >= _A_FORM


def speaks_of_it(context: Context, draft: Draft) -> bool:
    """Whether a figure, date or firm of a sheet that was only found comes from a sheet that says the thing's own name.

    「電子図書館はいつから」 must not be answered from a sheet about 図書館 where another sheet does print 電子図書館.
    """
    query = context.query
    typed = query.expects & {"amount", "date", "organisation", "number"}
    if not typed or query.named or draft.table is not None or not draft.citations:
        return True
    # a programme's sheet of another year may be the one that says the name
    cited = {s.sheet_id for c in draft.citations for s in (c.sheet, *context.index.timeline(c.sheet.sheet_id))}
    texts = [(s.sheet.sheet_id, s.key) for s in context.statements.of(context.scope())]
    names = "\0".join(squeeze(c.sheet.name) for c in draft.citations)
    for thing in _COMPOUND.findall(squeeze(query.focus)):
        holders = {sheet_id for sheet_id, key in texts if thing in key}
        if 0 < len(holders) <= _RARE and not holders & cited and thing not in names:
            return False
    return True


def has_the_name(context: Context, draft: Draft) -> bool:
    """Whether an answer from sheets that were only found speaks of the system or programme that the question names.

    「子育て支援システムの更改時期」 must not be answered from 校務支援システム: the words before システム stand in the sheet, by
    themselves or as a synonym, or the answer is of another.
    """
    query = context.query
    if query.named or draft.table is not None or not draft.citations:
        return True
    stems = [found[1] for found in _CALLED.finditer(squeeze(query.bare.replace("\0", " ")))]
    sheets = dict.fromkeys(citation.sheet for citation in draft.citations)
    return all(_speaks_of(context, stem, sheet) for stem in stems for sheet in sheets)


def _speaks_of(context: Context, stem: str, sheet: Sheet) -> bool:
    """Whether a sheet holds each word of a name, itself or by a synonym, or its name is the same with a slip."""
    if fuzz.partial_ratio(stem, squeeze(sheet.name)) >= _SLIP:
        return True
    asked = context.statements.wanted(stem).query
    statements = context.statements.of([sheet])
    held = frozenset(word for s in statements for word in s.words)
    text = "\0".join([squeeze(sheet.name), *(s.key for s in statements)])
    said = [word in held or (len(word) >= _WORD and word in text) for word in asked.words]
    for other in asked.alternatives:
        if all(word in held or (len(word) >= _WORD and word in text) for word in other.words):
            said[other.first : other.last] = [True] * (other.last - other.first)
    return all(said)


def says_the_part(context: Context, draft: Draft) -> bool:
    """Whether an answer about a half or a quarter of a year cites something of it, and not of the whole year."""
    asked = {
        found[0].lstrip("第") for one in context.query.periods for found in _PART_OF_YEAR.finditer(one.period.label)
    }
    if not asked or draft.how in ("dates", "when"):
        return True
    return any(part in squeeze(c.section + c.quote) for c in draft.citations for part in asked)
