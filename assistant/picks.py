"""Of one sheet the statements that answer a question, with the proof that they do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.context import Context
from assistant.counters import counts
from assistant.drafts import readable
from assistant.question import Query
from assistant.quotes import CLAUSE
from assistant.statements import Ranked, Statement, Wanted
from assistant.vocabulary import AskedField, field
from corpus.documents import Sheet
from corpus.normalize import squeeze
from corpus.periods import find_periods
from index.types import PERSON_FIELD

# A statement below this share of the question's words (by weight) proves nothing; fitted on unanswerable questions.
COVER = 0.34
# Without a word in common the whole must be this close in meaning, and the sheet be named or be found by search.
DENSE = 0.22
NAMED_COVER = 0.15
# A figure, date or firm of a sheet that was found, not named, needs more of the question's words.
TYPED_COVER = 0.4
NAMED_TYPED_COVER = 0.25
DENSE_ALONE = 0.42
DENSE_TYPED = 0.45
# The share of a question that must be in words unknown to the index for meaning alone to prove a figure.
_EVERYDAY = 0.5
_MARGIN, _TIMES, _TIMES_NEAR = 0.25, 1.7, 1.4
# What the asking clause must share with a statement where other clauses tell the sheet; set on 12 refused questions that
# the sheets do answer and 16 that they do not.
_TIMES_ASKING, _ASKING_COVER, _ASKING_DENSE = 1.3, 0.2, 0.35
_CLAUSE_END, _CLAUSE = re.compile(r"[、。,?!]"), 4
_INTERROGATIVE = re.compile(r"何|いつ|どれ|どの|いくら|いくつ|なん|[数率額](?:は|$)")
# A row of a table is no answer to a question that asks for words.
_PROSE = re.compile(r"[ぁ-ゖ].*[ぁ-ゖ]")
_ROW = 0.35
_LONG = 220
_REASON = re.compile(r"理由|要因|原因|背景(?!・経過)|評価の根拠|備考")
_REASON_BONUS = 0.4
# How far behind the best statement another one may stand and still be shown.
NEXT_BEST, NEXT_BEST_BY_MEANING = 0.62, 0.5
_MOST = 4
# A section that is asked for by its name is shown complete up to this length.
_FIELD = 400

# What the head of every answer says already; a word of a name or a department is no answer.
# A cell of a word or two without a figure (決算, 区分) is a heading of some table.
_WORD = 6
_HEADINGS = frozenset(["事務事業名", "担当課", "担当部", "担当係", "コード", "区分", "予算事業", "根拠法令"])

# 「R5年度の取組予定内容」 within a section is the heading of a column.
_DATED = re.compile(r"^(?:(?:r|h|令和|平成)?\d{1,4}年度?の?)")
_ENTRUSTED = re.compile(r"委託|受託|請け?負|発注|指定管理|リース|運営")
_FEW_FIRMS = 2

_ITEM = re.compile(r"^(?:\(\d{1,2}\)|\d{1,2}[.、)])")
_KINDS = {
    "amount": re.compile(r"\d[\d,.]{0,40}(?:億|百?万|千)?円"),
    "number": re.compile(r"(?<![\d,.rhs令和平成昭])\d[\d,.]*+(?!年|月)"),
    # a NPO法人 without its name is no firm's name
    "organisation": re.compile(r"\(株\)|㈱|株式会社|有限会社|\(有\)|法人(?=[^とがはをにへのもや、。,)等・])|公社|協会"),
    "date": re.compile(r"年|月|日"),
}
_SENTENCE_END = re.compile(r"[?。]")
_SENTENCE = 6


def pick(context: Context, sheet: Sheet, wanted: Wanted, named: bool) -> list[Ranked]:
    """The statements of one sheet worth quoting, best first; empty when none answers."""
    query = context.query
    asked = asked_text(context)
    every = context.statements.of([sheet])
    titles = {squeeze(s.label) for s in every}
    statements = [
        s
        for s in every
        if s.field != PERSON_FIELD
        and _DATED.sub("", s.key) not in titles
        and (len(s.key) >= _WORD or any(c.isdigit() for c in s.key) or any(f.fits(s.label, s.field) for f in asked))
        and (s.field not in _HEADINGS or any(f.fits(s.label, s.field) for f in asked))
    ]
    ranked = _distinct(context.statements.rank(wanted, statements))
    if not ranked:
        return []
    in_field = [r for r in ranked if any(f.fits(r.statement.label, r.statement.field) for f in asked)]
    typed = query.expects & set(_KINDS) | figures_asked(query)
    if figures_asked(query):
        in_field = [r for r in in_field if _of_the_year(context, r.statement)]
    if named and in_field and _says_only_the_field(context, wanted):
        fits = all(any(_holds(kind, r.statement) for r in in_field[:8]) for kind in typed)
        if fits:
            return sorted(in_field[:8], key=lambda r: r.statement.order)
    ranked = (
        [r for r in ranked if _of_the_year(context, r.statement)]
        if typed & {"amount", "number"} or (typed and not named)
        else ranked
    )
    ranked = sorted(_with_reasons_first(query.intent, ranked), key=lambda r: -(r.score if typed else worth(r)))
    lay = bool(typed) and not named and _in_everyday_words(context, wanted)
    # Of the one sheet that can be meant, the statement of near meaning that holds what is asked: 何台 → 47台.
    near = bool(typed) and not named and sheet == context.focus()[0].sheet and _clear(context, _TIMES_NEAR)
    why = query.intent == "reason" and named
    proof = [
        r
        for r in ranked
        if _proves(r, named, typed, lay)
        or (near and r.dense >= DENSE_TYPED)
        or (named and r in in_field[:2])
        or (why and _explains(r.statement))
    ]
    for kind in typed:
        answering = [r for r in proof if _holds(kind, r.statement)]
        if not answering:
            sole = named and typed == {"organisation"} and _asks_nothing_else(context, sheet, wanted)
            return _firms(ranked) if sole else _of_the_asking(context, sheet, statements, typed)
        if answering[0] not in proof[:_MOST]:
            proof = [answering[0], *proof]
    if "number" in typed and not any(counts(query.key, r.statement) for r in proof[:4]):
        return _of_the_asking(context, sheet, statements, typed)
    if not proof:
        return []
    best = max(r.score for r in proof)
    # Where only the meaning speaks for it, scores lie close together and the second statement may be the one.
    share = NEXT_BEST if max(r.cover for r in proof) >= COVER else NEXT_BEST_BY_MEANING
    chosen = [r for r in proof if r.score >= best * share or (why and _explains(r.statement))][:_MOST]
    whole = [r for r in in_field if r.statement.label_key == in_field[0].statement.label_key] if in_field else []
    if named and not typed and len(whole) > 1 and sum(len(readable(r.statement.text)) for r in whole) <= _FIELD:
        # 「…の課題を整理して」: the section asked for, complete, and what else speaks to the question
        chosen = [*whole, *(r for r in chosen if r not in whole)]
    return chosen + [r for r in _of_parts(context, statements) if r.statement not in {c.statement for c in chosen}]


def _holds(kind: str, statement: Statement) -> bool:
    """Whether a statement holds a figure, date or firm; the (1) before an item and a year are no figures."""
    return _KINDS[kind].search(_ITEM.sub("", statement.key)) is not None


def figures_asked(query: Query) -> frozenset[str]:
    """``amount`` or ``number`` where every field asked for is one (「…の平成27年度決算」 without いくら)."""
    strong = [f for f in query.fields if not f.weak]
    if not strong or query.intent not in ("text", "number", "trend", "compare") or not query.periods:
        return frozenset()
    types = {f.type for f in strong}
    return frozenset(types) if types <= {"amount", "number"} else frozenset()


def labels(fields: Sequence[AskedField]) -> list[str]:
    """The labels under which sheets print the fields."""
    return [label for f in fields for label in f.labels]


def _asks_nothing_else(context: Context, sheet: Sheet, wanted: Wanted) -> bool:
    """Whether the question's words are all made of the sheet's name and of the asked fields (運行 of 運行事業)."""
    known = squeeze(sheet.name) + "".join(phrase for f in context.query.fields for phrase in f.ask)
    return all(character in known for word in wanted.query.words for character in word)


def _firms(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The statements of a named sheet that say which firm does the work, where there are only a few."""
    firms = [r for r in ranked if _holds("organisation", r.statement) and _ENTRUSTED.search(r.statement.key)]
    return firms if len(firms) <= _FEW_FIRMS else []


def sentences(question: str) -> list[str]:
    """The sentences of a question that has more than one; none where it is a single one.

    >>> sentences("管を追うものがあると聞きました。古い機械はどこへ移しますか?")
    ['管を追うものがあると聞きました', '古い機械はどこへ移しますか']
    """
    found = [part for part in _SENTENCE_END.split(question) if len(part.strip()) >= _SENTENCE]
    return found if len(found) > 1 else []


def asking(question: str) -> str:
    """The clause of a question that asks, where other clauses say of what; "" where there is only one.

    >>> asking("葬儀の場所を押さえる仕組みで、昨年に起きた故障は何回?"), asking("故障は何回?")
    ('昨年に起きた故障は何回', '')
    """
    clauses = [clause for clause in _CLAUSE_END.split(question) if len(clause.strip()) >= _CLAUSE]
    asked = [clause for clause in clauses if _INTERROGATIVE.search(clause)]
    return asked[-1] if len(clauses) > 1 and asked else ""


def _of_the_asking(
    context: Context, sheet: Sheet, statements: Sequence[Statement], typed: frozenset[str] | set[str]
) -> list[Ranked]:
    """The figure or date that the asking clause alone finds in the one sheet that the other clauses can mean.

    「お葬式の場所を押さえる仕組みで、令和3年度に起きたトラブルは何回」: 障害が2件 is near to the asking clause, not to the whole.
    """
    focus = context.focus()
    clause = asking(context.query.focus)
    if not clause or focus[0].named or sheet != focus[0].sheet or not _clear(context, _TIMES_ASKING):
        return []
    wanted = context.statements.wanted(clause, context.query.expects, labels(asked_text(context)))
    ranked = [
        r
        for r in _distinct(context.statements.rank(wanted, statements))
        if all(_holds(kind, r.statement) for kind in typed)
        and ("number" not in typed or counts(context.query.key, r.statement))
        and _of_the_year(context, r.statement)
        and r.cover >= _ASKING_COVER
        and r.dense >= _ASKING_DENSE
    ]
    ranked.sort(key=lambda r: -r.dense)
    return [r for r in ranked[:2] if r.dense >= NEXT_BEST * ranked[0].dense]


def _of_parts(context: Context, statements: Sequence[Statement]) -> list[Ranked]:
    """For a question of two or more sentences, the best statement for each of them."""
    best = []
    for part in sentences(context.query.focus):
        wanted = context.statements.wanted(part, context.query.expects)
        ranked = context.statements.rank(wanted, statements) if wanted.query.words else []
        if ranked and ranked[0].cover >= COVER:
            best.append(ranked[0])
    return best


def _of_the_year(context: Context, statement: Statement) -> bool:
    """Whether a statement may speak of the asked year: by a date of its own, or by the year its sheet reports on."""
    asked = [p.period for p in context.query.periods if p.period.kind == "fiscal_year"]
    year = statement.sheet.fiscal_year
    if not asked or year is None:
        return True
    dates = [found.period for found in find_periods(statement.text, year)]
    if dates:
        return any(a.overlaps(d) for a in asked for d in dates)
    return any(abs(a.fiscal_year - year) <= 1 for a in asked)


def _in_everyday_words(context: Context, wanted: Wanted) -> bool:
    """Whether most of the question (by weight) is in words that no sheet uses.

    A word that the sheets know and this statement lacks tells against it; a word that none of them uses tells nothing,
    and the meaning has to do. The sheet must then stand clear of the next one.
    """
    weights = {word: context.statements.weight(word) for word in wanted.query.words}
    strange = sum(weight for word, weight in weights.items() if not context.statements.known(word))
    return _clear(context) and strange >= _EVERYDAY * (sum(weights.values()) or 1.0)


def _clear(context: Context, times: float = _TIMES) -> bool:
    """Whether the first sheet found stands clear of the next one."""
    focus = context.focus()
    return len(focus) == 1 or (
        len(focus) > 1 and (focus[0].score - focus[1].score >= _MARGIN or focus[0].score >= times * focus[1].score)
    )


def _with_reasons_first(intent: str, ranked: Sequence[Ranked]) -> list[Ranked]:
    """For a why-question what stands under a reason's label, since a reason seldom repeats what it explains."""
    if intent != "reason":
        return list(ranked)
    return [r._replace(score=r.score + _REASON_BONUS) if _explains(r.statement) else r for r in ranked]


def worth(ranked: Ranked) -> float:
    """The score less what a row of figures loses as an answer in words."""
    text = ranked.statement.key
    figures = sum(c.isdigit() for c in text) > 0.25 * len(text)
    return ranked.score - (
        _ROW if figures or len(text) > _LONG or (len(text) > 20 and not _PROSE.search(text)) else 0.0
    )


def _explains(statement: Statement) -> bool:
    """Whether a statement stands under a label that gives reasons."""
    return len(statement.key) >= CLAUSE and _REASON.search(statement.label_key) is not None


def _proves(ranked: Ranked, named: bool, typed: frozenset[str] | set[str], lay: bool) -> bool:
    """Whether a statement is close enough: by words where a figure, date or firm is asked, else also by meaning."""
    if ranked.cover >= (COVER if named or not typed else TYPED_COVER) or (lay and ranked.dense >= DENSE_ALONE):
        return True
    if typed:
        least = NAMED_COVER if typed == {"date"} else NAMED_TYPED_COVER
        return named and ranked.cover >= least and ranked.dense >= DENSE
    return ranked.dense >= DENSE or (named and ranked.cover >= NAMED_COVER)


def _distinct(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Without repetitions of the same words (tables print a cell many times)."""
    seen: set[str] = set()
    kept = []
    for r in ranked:
        if r.statement.key not in seen:
            seen.add(r.statement.key)
            kept.append(r)
    return kept


def asked_text(context: Context) -> list[AskedField]:
    """The fields whose sections answer: for a reason the explaining ones, not the rating that is to be explained."""
    fields = [f for f in context.query.fields if not f.weak]
    if context.query.intent == "reason":
        fields = [f for f in fields if f.type not in ("rating", "amount", "number", "date")]
        if context.query.grade or any(f.type == "rating" for f in context.query.fields):
            fields.append(field("評価理由"))
    return fields


def _says_only_the_field(context: Context, wanted: Wanted) -> bool:
    """Whether nothing but the field is asked of the sheet (戸籍システムの今後の計画は?)."""
    asked = "".join(phrase for f in context.query.fields for phrase in f.ask) + "理由評価"
    rest = [w for w in wanted.query.words if w not in asked and context.statements.weight(w) > 1.2]
    return not rest
