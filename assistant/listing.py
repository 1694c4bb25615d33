"""Answers over many sheets: lists, counts and aggregates, each match named, counted and cited."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from assistant import cells, ranking, selection
from assistant.context import Context
from assistant.drafts import Draft, readable, shorten
from assistant.measures import amounts_asked
from assistant.question import NAMED
from assistant.selection import Matches, Proof
from corpus.documents import Sheet
from corpus.normalize import squeeze
from index.types import PERSON_FIELD

# A statement must hold this share of the topic (by weight) for its sheet to join a list by topic.
_TOPIC_COVER = 0.5
_TOPIC_NEAR_BEST = 0.62
_QUOTE = 110
# So many proofs of a sheet are cited.
_PROOFS = 4
# Figures beside money that can be ranked and added up over sheets.
ADDED = ("職員数", "執行率")
_CERTAIN = 0.9
_QUOTED = re.compile(r"[「『\"]([^」』\"]{2,30})[」』\"]")
_CLASS = re.compile(r"(システム|ネットワーク|センター|講座|補助金?)(?:の中|のうち)?(?:で|では|のうち)")
# 事業 may mean any sheet (事務事業), システム only what is called so.
_ALL = re.compile(r"全部で|全体で|全シート|シート(?:の)?数|何シート|何枚の?シート")
_CLASS_OF_SHEETS = "システム"
_EITHER = re.compile(r"(?<=[一-龥ァ-ヴー])や(?=[一-龥ァ-ヴー])|または|もしくは|とか")
_CLAUSE_END = re.compile(r"について|に関|など|を(?=[一-龥])|が(?=[一-龥])|[(、。?]")
_WHOLE_PART = 0.85
_GENERIC = frozenset(
    "対象 事業 事務 システム 個別 各 評価 シート 一覧 並べる 出す 挙げる 教える 全部 全て 令和 年度 分 件 数 何 調書".split()
)
_PARTNER = re.compile(
    r"([一-龥々ァ-ヴーa-z0-9・&㈱()]{2,20})(?:に|へ)(?:は)?(?:業務|全部|一部)?を?(?:委託|外注|発注|頼|任せ|請け負)"
)
_NOBODY = re.compile(r"業者|会社|事業者|民間|外部|企業|団体|法人|他社|ベンダー?|どこ|(?:全部|一部|業務)$")
_NAMED_CLASS = re.compile(r"名の付く|名前の|という名|同じ名|名のつ")


def listing(context: Context) -> Draft | None:
    """A list, count, rank, sum or comparison over the sheets in scope; None when the question has no such condition."""
    query = context.query
    sheets = candidates(context)
    if not sheets:
        return None
    amounts = amounts_asked(query) or tuple(f for f in query.fields if f.name in ADDED)
    if amounts and query.intent in ("rank", "sum"):
        chosen = narrowed(context, sheets)
        some = sheets if not chosen else [s for s in sheets if s.sheet_id in chosen]
        return (
            ranking.ranking(context, amounts, some) if query.intent == "rank" else ranking.total(context, amounts, some)
        )
    named = [f.sheet for f in context.focus() if f.named]
    if amounts and query.intent == "compare" and len(named) >= 2:
        return ranking.comparison(context, amounts, named)
    if query.intent in ("rank", "sum", "compare"):
        return None
    return (
        _by_conditions(context, sheets)
        or _everything(context, sheets)
        or (_by_topic(context, sheets) if not query.periods or _dated_by_sheet(context, sheets) else None)
    )


def _dated_by_sheet(context: Context, sheets: Sequence[Sheet]) -> bool:
    """Whether the asked year only chooses among the sheets of several years."""
    years = {asked.year for asked in context.query.periods}
    return (
        len(years) == 1
        and None not in years
        and len(context.catalogue.years) > 1
        and all(s.fiscal_year in years for s in sheets)
    )


def _everything(context: Context, sheets: Sequence[Sheet]) -> Draft | None:
    """All sheets in scope, where the question asks for nothing but a town, a year or a department."""
    query = context.query
    if not (query.municipalities or query.periods or _ALL.search(query.bare)) or query.expects - {"number"}:
        return None
    words = [w for w in context.statements.wanted(query.focus).query.words if w not in _GENERIC]
    if words or any(not f.weak for f in query.asks("amount", "rating", "date", "text")):
        return None
    if _ALL.search(query.bare):  # 「全部で何シート」: those of every year
        sheets = [s for s in context.every() if s.kind == "programme"]
    matches = {s.sheet_id: [selection.name_proof(context, s)] for s in sheets}
    return listed(context, matches, sheets, "everything")


def candidates(context: Context) -> list[Sheet]:
    """Programme sheets in scope, narrowed to those named together and to the departments asked for."""
    query = context.query
    sheets = [s for s in selection.titled(context, context.scope()) if s.kind == "programme"]
    # A list asks for many: a sheet counts as named here only where its name stands in full.
    sure = query.intent in ("sum", "compare") or bool(_NAMED_CLASS.search(query.key))
    named = [n.sheet for n in query.named if n.exact or n.score >= (NAMED if sure else _CERTAIN)]
    if sure and query.named:
        best = query.named[0]
        part = query.key[best.start : best.end]
        named += [s for s in sheets if s not in named and len(part) >= 4 and part in squeeze(s.name)]
    quoted = [squeeze(q) for q in _QUOTED.findall(query.text)]
    if _NAMED_CLASS.search(query.key) and quoted:
        of_class = [s for s in sheets if any(q in squeeze(s.name) for q in quoted)]
        if of_class:
            return of_class
    programmes = {(s.municipality, squeeze(s.name), s.department) for s in named}
    if len(programmes) >= 2 or (named and _NAMED_CLASS.search(query.key)):
        ids = {s.sheet_id for s in named}
        return [s for s in sheets if s.sheet_id in ids]
    if len(programmes) == 1 and not query.subset:
        return []
    if query.departments:
        return [s for s in sheets if s.department in query.departments]
    sheets = _reporting_on(context, sheets)
    kind = _CLASS.search(query.key)
    if kind:  # 「情報システムで決算額が一番大きいもの」: of what is called a system
        files = _files_of_class(sheets) if kind[1] == _CLASS_OF_SHEETS else set()
        of_kind = [s for s in sheets if kind[1] in squeeze(s.name) or s.file in files]
        if 2 <= len(of_kind) < len(sheets):
            return of_kind
    return _of_class(context, sheets)


def _of_class(context: Context, sheets: list[Sheet]) -> list[Sheet]:
    """「A市のシステムを」: the sheets of the files whose sheets are mostly called so, where some files' are."""
    if _CLASS_OF_SHEETS not in context.query.bare or "事業" in context.query.bare:
        return sheets
    files = _files_of_class(sheets)
    return [s for s in sheets if s.file in files] if 0 < len(files) < len({s.file for s in sheets}) else sheets


def _files_of_class(sheets: Sequence[Sheet]) -> set[str]:
    """The files whose sheets are mostly called システム: a plan of systems, in which each sheet is one."""
    files: dict[str, list[bool]] = defaultdict(list)
    for sheet in sheets:
        files[sheet.file].append(_CLASS_OF_SHEETS in squeeze(sheet.name))
    return {file for file, called in files.items() if sum(called) * 2 >= len(called) > 1}


def _reporting_on(context: Context, sheets: list[Sheet]) -> list[Sheet]:
    """The sheets that report on the asked year, in the towns that have sheets of that year at all."""
    years = {year for asked in context.query.periods if (year := asked.year) is not None}
    towns = {s.municipality for s in sheets if s.fiscal_year in years}
    older = {
        s.municipality for s in sheets if len({o.fiscal_year for o in sheets if o.municipality == s.municipality}) > 1
    }
    return [s for s in sheets if s.municipality not in towns & older or s.fiscal_year in years]


def names_a_class(key: str) -> bool:
    """Whether a name in a question stands for all sheets that bear it (「財務会計」と名の付く)."""
    return _NAMED_CLASS.search(key) is not None


def chosen_values(context: Context) -> list[cells.Choice]:
    """The values of choice cells that the question asks for, among the sheets it may be about."""
    return cells.choices(context, candidates(context))


def narrowed(context: Context, sheets: Sequence[Sheet]) -> Matches | None:
    """The sheets with the grades, choices and departments asked for; None where none of these is asked."""
    query = context.query
    wishes = selection.grade_wishes(context)
    found = [selection.by_grade(context, wish, sheets) for wish in wishes]
    chosen = cells.choices(context, sheets)
    if wishes:  # beside a grade only what is no rating itself: 直営 in 「直営でＢ評価の」
        chosen = [choice for choice in chosen if not any(selection.is_rating(label) for label in choice.labels)]
    found += [cells.by_choice(context, choice, sheets) for choice in chosen]
    manner = cells.by_manner(context, sheets)
    if manner and not any("委託" in choice.value or "直営" in choice.value for choice in chosen):
        found.append(manner)
    if query.departments and not found:
        found.append(selection.by_department(context, sheets))
    if not found:
        return None
    matches = found[0]
    for more in found[1:]:
        matches = selection.overlap(matches, more)
    return matches


def _by_conditions(context: Context, sheets: Sequence[Sheet]) -> Draft | None:
    matches = narrowed(context, sheets)
    if not matches:
        return None
    partner = _partner(context)
    if partner:
        matches = selection.overlap(matches, _saying(context, partner, sheets))
        if not matches:
            context.missing = f"{partner}についての記載はありません。"
            return Draft(context.index, how="conditions")  # no list of all that is entrusted to others
    return listed(context, matches, sheets, "conditions")


def _partner(context: Context) -> str:
    """Whom 「リコージャパンに委託している」 names, as written in the squeezed question; "" where it names nobody."""
    found = _PARTNER.search(context.query.bare)
    return found[1] if found and not _NOBODY.search(found[1]) else ""


def _saying(context: Context, words: str, sheets: Sequence[Sheet]) -> Matches:
    """The sheets that print the words, with the first statement that does."""
    matches: Matches = {}
    for s in context.statements.of(sheets):
        if words in s.key and s.field != PERSON_FIELD and s.sheet.sheet_id not in matches:
            matches[s.sheet.sheet_id] = [Proof(s.sheet, s.label, s.span, readable(s.text))]
    return matches


def _by_topic(context: Context, sheets: Sequence[Sheet]) -> Draft | None:
    """Sheets with a statement about the topic, in the section asked for where one is."""
    query = context.query
    fields = [f for f in query.fields if f.type == "text" and not f.weak]
    wanted = context.statements.wanted(query.focus)
    if not wanted.query.words:
        return None
    statements = [s for s in context.statements.of(sheets) if s.field != PERSON_FIELD]
    if fields:
        inside = [s for s in statements if any(f.fits(s.label, s.field) for f in fields)]
        statements = inside or statements
    ranked = context.statements.rank(wanted, statements)
    if not ranked or ranked[0].cover < _TOPIC_COVER:
        return None
    limit = max(_TOPIC_COVER, ranked[0].cover * _TOPIC_NEAR_BEST)
    fitting = [r.statement for r in ranked if r.cover >= limit]
    for part in _alternatives(
        query.focus
    ):  # 「仮想化や…への移行」: either will do, but then it has to stand there whole
        one = context.statements.wanted(part)
        if len(one.query.words) >= 2:
            fitting += [r.statement for r in context.statements.rank(one, statements) if r.cover >= _WHOLE_PART]
    matches: Matches = defaultdict(list)
    for s in fitting:
        if s.sheet.sheet_id not in matches:
            matches[s.sheet.sheet_id].append(Proof(s.sheet, s.label, s.span, readable(s.text)))
    return listed(context, matches, sheets, "topic")


def _alternatives(focus: str) -> list[str]:
    """The sides of an 「AやB」 in a question, each up to where the clause about it ends; none without one."""
    parts = _EITHER.split(focus)
    return [cut for part in parts if (cut := _CLAUSE_END.split(part.strip())[0])] if len(parts) > 1 else []


def listed(context: Context, matches: Matches, sheets: Sequence[Sheet], how: str) -> Draft:
    """The matching sheets as lines and as a table, each with its proofs and counted against all that were looked at."""
    draft = Draft(context.index, how=how)
    ordered = [s for s in sheets if s.sheet_id in matches]
    draft.add(f"該当するシートは {len(ordered)}件です（全{len(sheets)}件中{len(ordered)}件）。")
    figured = any(p.figure for s in ordered for p in matches[s.sheet_id])
    draft.columns = ("シート", "自治体", "担当課", *(("数値",) if figured else ()), "根拠")
    for sheet in ordered:
        proofs = matches[sheet.sheet_id]
        numbers = [draft.cite(p.sheet, p.label, p.span) for p in proofs[:_PROOFS]]
        if all(p.sheet.sheet_id != sheet.sheet_id for p in proofs[:_PROOFS]):
            own = selection.name_proof(context, sheet)
            numbers.append(draft.cite(sheet, own.label, own.span))
        figures = " / ".join(dict.fromkeys(p.figure for p in proofs if p.figure))
        reason = " / ".join(dict.fromkeys(readable(p.reading) for p in proofs[:_PROOFS] if p.reading != p.figure))
        draft.item(sheet, shorten(figures, _QUOTE), numbers)
        cells = (readable(sheet.name), sheet.municipality, sheet.department, *((figures,) if figured else ()))
        draft.row((*cells, shorten(reason, _QUOTE)), numbers)
    return draft
