"""The printed rows of the sheets in focus, and which of them a question asks for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.context import Context
from assistant.counters import asked_counter, counts_alike
from assistant.rows import printed_rows
from assistant.statements import Statement
from assistant.vocabulary import AskedField
from corpus.documents import Fact, Sheet, Span
from corpus.normalize import squeeze
from index.tokens import words

TYPES = ("amount", "number")
# A label must hold this share of what is asked (by weight) when no field names it.
LABEL_COVER = 0.45
# A sheet that was found, not named, must share this much with the question in its name and label together.
_FOUND_COVER = 0.3
_REACH = 0.55
_SOLE_COVER = 0.2
# A sheet that search puts here is the one meant, even if its labels share little with the question.
_CLEAR = 1.0
# 決算額 and 予算額 name a kind of figure as well as a field; these labels stand for the whole where a form prints both.
_WHOLE = ("決算額", "予算額", "事業費", "事業経費", "直接事業費", "総事業費", "総事業コスト")
_MOST_GROUPS = 4
# A row of the very field; a label of this length names its row.
_OWN_ROW, _SAID = 0.85, 4
_EACH = re.compile(r"それぞれ|すべての|全ての|各(?:指標|項目)|全部")
# Words of the calculation that a question asks for; no label holds them.
_ASIDES = frozenset(
    "増える 減る 増加 減少 増減 計算 見込み 見込む 使う 掛かる 比べる 比較 変わる 動く 差 台 件 回 人 名 本 枚 "
    "冊 千 円 万 実績 目標 計画 予定 届く 超える 上回る 下回る 充てる 分 当初 計上 多い 少ない 大きい 小さい".split()
)


@dataclass(frozen=True, slots=True)
class Group:
    """The facts of one printed row: one sheet and label over its periods and kinds.

    ``tier`` says how well the row is the asked field, ``cover`` how much of the rest of the question its label holds,
    ``reach`` the same for label and sheet name together. ``origin`` are the sheets of other years that facts come from.
    """

    sheet: Sheet
    field: str
    label: str
    facts: tuple[Fact, ...]
    tier: float
    cover: float
    reach: float
    weight: float = 0.0
    origin: Mapping[Fact, Sheet] = dataclasses.field(default_factory=dict)

    @property
    def score(self) -> float:
        """Tier of the field, the share of the question's words in the label, and the sheet's own standing."""
        return self.tier + self.cover + self.weight


def groups(context: Context, asked: Sequence[AskedField], topic: Sequence[str], over_years: bool) -> list[Group]:
    """Every row of figures of the sheets in focus, judged; ``over_years`` completes them from the sheets of other years."""
    focus = context.focus()
    named = [f for f in focus if f.named]
    candidates = named or focus[:5]
    top = max((f.score for f in candidates), default=1.0) or 1.0
    standing = {f.sheet.sheet_id: 0.0 if named else 0.3 * f.score / top for f in candidates}
    rows, origin = printed_rows(context, [f.sheet for f in candidates], over_years)
    by_id = {f.sheet.sheet_id: f.sheet for f in candidates}
    labels = [label for _, label in rows]
    covers = label_covers(context, topic, labels)
    reaches = label_covers(context, topic, [f"{label} {by_id[sheet_id].name}" for sheet_id, label in rows])
    counter = asked_counter(context.query.key)
    found = []
    for ((sheet_id, label), facts), cover, reach in zip(rows.items(), covers, reaches, strict=True):
        tier = max((field_tier(f, x.field, label, [x]) for f in asked for x in facts), default=0.0)
        if counter and not any(counts_alike(counter, x.unit) for x in facts):
            continue
        found.append(
            Group(by_id[sheet_id], facts[0].field, label, tuple(facts), tier, cover, reach, standing[sheet_id], origin)
        )
    return found


def topic_words(context: Context, asked: Sequence[AskedField]) -> list[str]:
    """The question's words less those that only name the field."""
    phrases = "".join(phrase for f in asked for phrase in f.ask)
    expanded = context.statements.wanted(context.query.focus).query.words
    return [word for word in expanded if word not in phrases and word not in _ASIDES]


def field_tier(asked: AskedField, name: str, label: str, facts: Sequence[Fact]) -> float:
    """How well a row answers an asked field: 1 for its own label, less for a part of it, 0 for another row."""
    key, field_key = squeeze(label), squeeze(name)
    is_money = facts[0].unit == "円"
    if (asked.type == "amount") != is_money:
        return 0.0
    if key == asked.labels[0] or field_key == asked.labels[0]:
        return 1.0
    if key in asked.labels:
        return 0.9 - 0.02 * asked.labels.index(key)
    if any(label_part in key or label_part in field_key for label_part in asked.labels):
        return 0.6
    if asked.name in ("予算額", "決算額") and is_money and any(f.kind == asked.kind for f in facts):
        return 0.5 - 0.02 * next((i for i, whole in enumerate(_WHOLE) if squeeze(whole) == key), len(_WHOLE))
    return 0.0


def label_covers(context: Context, topic: Sequence[str], labels: Sequence[str]) -> list[float]:
    """For each label the share of the topic's words (by weight) that it holds, by itself, a synonym or a near word."""
    if not topic or not labels:
        return [0.0] * len(labels)
    statements = [_as_statement(context, label, order) for order, label in enumerate(labels)]
    ranked = context.statements.rank(context.statements.wanted(" ".join(topic)), statements)
    covers = {r.statement.order: r.cover for r in ranked}
    return [covers[order] for order in range(len(labels))]


def _as_statement(context: Context, text: str, order: int) -> Statement:
    key = squeeze(text)
    sheet = context.catalogue.sheets[0]
    return Statement(sheet, "", "", Span(0, 0), text, key, frozenset(words(text)), frozenset(), order)


def choose(context: Context, rows: Sequence[Group], topic: Sequence[str]) -> list[Group]:
    """The rows that answer, best first; none when the question is about something the rows do not hold."""
    query = context.query
    strong = [f for f in query.asks(*TYPES) if not f.weak]
    named = {n.sheet.sheet_id for n in query.named}
    focus = context.focus()
    clear = focus[0].sheet if focus and focus[0].score >= _CLEAR and not focus[0].named else None

    said = _said(rows, query.key)
    counter = asked_counter(query.key)
    counted = {g.label for g in rows if counter and any(counter in f.unit for f in g.facts)}
    alone = next(iter(counted)) if len(counted) == 1 else None  # the only row that is counted as asked (何g)

    def answers(group: Group) -> bool:
        if group.cover >= (LABEL_COVER if len(named) < 2 else _FOUND_COVER):
            return True
        if group.cover >= _FOUND_COVER and group.reach >= _REACH:
            return True
        if group.label == alone and group.sheet.sheet_id in named and group.cover >= _SOLE_COVER:
            return True
        if group in said and group.cover >= _FOUND_COVER and {g.sheet for g in said} == {focus[0].sheet}:
            return True  # 「スマホ市役所の利用者数」: one sheet has a row of that name, and search puts it first
        if group.tier < 0.45 or not (strong or not topic):
            return False
        if group.sheet.sheet_id in named or not topic or group.reach >= _FOUND_COVER:
            return True
        return group.sheet == clear and group.reach >= _FOUND_COVER / 2

    able = [g for g in rows if answers(g)]
    if not able:
        return []
    best = max(able, key=lambda g: g.score)
    said = [g for g in said if g in able]
    if said and best.facts[0].unit != "円" and best.score > max(g.score for g in said):
        # 「研修会参加人数は何人」: the row of that name, be it blank for the year, and no other that counts persons
        able = [g for g in able if g in said or (g.facts[0].unit == "円" and g.tier >= _OWN_ROW)]
        best = max(said, key=lambda g: g.score)
    # 「目標値はそれぞれいくつ」 wants every row of the kind
    most = _MOST_GROUPS if _EACH.search(query.key) else 2
    chosen: list[Group] = []
    for sheet_id in dict.fromkeys(g.sheet.sheet_id for g in [best, *able]):
        own = [g for g in able if g.sheet.sheet_id == sheet_id]
        top = max(own, key=lambda g: g.score)
        # A sheet beside the best one is shown only where the name could mean either.
        if sheet_id != best.sheet.sheet_id and (sheet_id not in named or top.score < best.score - 0.5):
            continue
        chosen.extend(sorted((g for g in own if g.score >= top.score - 0.08), key=lambda g: -g.score)[:most])
        # Each further field asked for by name brings its own row (予算額と決算額).
        for asked in strong:
            row = max(own, key=lambda g: (max(field_tier(asked, f.field, g.label, [f]) for f in g.facts), g.cover))
            if said and row not in said and row.facts[0].unit != "円":
                continue
            if max(field_tier(asked, f.field, row.label, [f]) for f in row.facts) >= _OWN_ROW and row not in chosen:
                chosen.append(row)
    return chosen[:_MOST_GROUPS]


def _said(rows: Sequence[Group], key: str) -> list[Group]:
    """The indicators whose printed labels stand whole in the question; a label inside a longer one gives way."""
    found = [(squeeze(g.label), g) for g in rows if g.facts[0].unit != "円"]
    found = [(label, g) for label, g in found if len(label) >= _SAID and label in key]
    return [g for label, g in found if not any(label != other and label in other for other, _ in found)]
