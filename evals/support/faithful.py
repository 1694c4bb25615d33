"""Faithful sentences: what a passage says, politely, shortened, reordered, in other units, calendars and everyday words."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from assistant.support.quantities import plain
from assistant.support.wording import wording
from corpus.days import era_name
from corpus.documents import Fact
from corpus.sentences import split_sentences
from evals.support.casefile import Case, Quote

_POLITE = (
    ("する。", "します。"), ("した。", "しました。"), ("いる。", "います。"), ("ある。", "あります。"), ("った。", "りました。"), ("できた。", "できました。"),
    ("ない。", "ないとのことです。"), ("行う。", "行います。"), ("減らす。", "減らします。"), ("図る。", "図ります。"), ("始める。", "始めます。"),
    ("なかった。", "ませんでした。"), ("ため。", "ためです。"), ("れる。", "れます。"), ("める。", "めます。"),
)  # fmt: skip
_EVERYDAY = (
    ("実施する", "行う"), ("実施した", "行った"), ("検討する", "考える"), ("完了した", "終えた"), ("増加", "増えること"), ("開始した", "始めた"),
    ("開始する", "始める"), ("とどまる", "止まる"), ("とどまった", "止まった"), ("導入した", "取り入れた"), ("導入する", "取り入れる"), ("設置した", "設けた"), ("更新する", "新しくする"),
    ("不足している", "足りない"), ("生じ", "出て"), ("困難", "難しいこと"), ("確保する", "確かなものにする"), ("高齢化", "高齢になること"), ("増やした", "多くした"),
    ("図る", "進める"), ("支援する", "手助けする"), ("整備する", "整える"), ("多く", "たくさん"), ("届かなかった", "達しなかった"), ("委託する", "任せる"), ("短縮した", "短くした"),
)  # fmt: skip
_ERA = re.compile(r"(令和|平成)(元|\d{1,2}|[０-９]{1,2})(?=年)")


def sentences(quote: Quote) -> list[str]:
    """The statements of a quote that end in 。, without line breaks."""
    found = [quote.quote[s.start : s.end] for s in split_sentences(quote.quote)]
    joined = ["".join(text.split()).lstrip("・○●◆■※①②③④⑤") for text in found]
    return [text for text in joined if text.endswith("。") and 12 <= len(text) <= 120]


def polite(text: str) -> str:
    """The sentence with a polite end."""
    for end, other in _POLITE:
        if text.endswith(end):
            if end == "った。" and not text.endswith(
                ("なった。", "回った。", "まった。", "行った。", "わった。", "下がった。")
            ):
                continue
            if end == "った。" and text.endswith(("行った。", "わった。")):
                return text[:-3] + "いました。" if text.endswith("行った。") else text[:-3] + "りました。"
            return text[: -len(end)] + other
    return text[:-1] + "とのことです。"


def western(text: str) -> str:
    """令和7年4月 as 2025年4月."""

    def year(found: re.Match[str]) -> str:
        number = 1 if found[2] == "元" else int(found[2])
        return str((2018 if found[1] == "令和" else 1988) + number)

    return _ERA.sub(year, text)


def mark(text: str, *numbers: int) -> str:
    """The sentence with its marks before the full stop."""
    return text.rstrip("。") + "".join(f"[{n}]" for n in numbers) + "。"


def prose(quote: Quote, rng: random.Random) -> list[Case]:
    """Faithful sentences of one passage of text."""
    key = (quote.key,)
    found: list[Case] = []

    def add(text: str, kind: str) -> None:
        found.append(Case(mark(text, 1), key, True, kind))

    for text in sentences(quote):
        add(
            rng.choice(
                [text, polite(text), f"{quote.sheet}では、{polite(text)}", f"{quote.department}は、{polite(text)}"]
            ),
            "prose",
        )
        if western(text) != text:
            add(polite(western(text)), "calendar")
        pieces = [p for p in re.split("(?<=、)", text)]
        if len(pieces) > 2 and wording(plain(pieces[0])).ends and len("".join(pieces[1:])) > 12:
            add(polite("".join(pieces[1:])), "shortened")
        if len(pieces) == 2 and pieces[0].endswith("ため、") and len(pieces[1]) > 8:
            add(f"{pieces[1].rstrip('。')}のは、{pieces[0][:-1]}です。", "reordered")
        for said, other in _EVERYDAY:
            if said in text:
                add(polite(text.replace(said, other, 1)), "everyday words")
                break
        if any(word in quote.section for word in ("課題", "計画", "理由", "目的")):
            add(f"{quote.section.split('（')[0]}として、「{text.rstrip('。')}」と記載されています。", "quoted")
    return found


def _yen(value: float, rng: random.Random) -> str:
    forms = [f"{value:,.0f}円", f"{value:.0f}円"]
    if value % 1_000 == 0 and value:
        forms += [f"{value / 1_000:,.0f}千円"] * 2
        man, rest = divmod(int(value), 10_000)
        oku, man_rest = divmod(man, 10_000)
        forms.append(f"{value / 10_000:,.1f}万円" if value % 10_000 else f"{man:,}万円")
        if not rest:
            forms.append((f"{oku}億" if oku else "") + (f"{man_rest:,}万円" if man_rest else "円"))
    return rng.choice(forms)


def amount(fact: Fact, rng: random.Random) -> str:
    """The figure of a fact in one of its spellings."""
    assert fact.value is not None
    if fact.unit == "円":
        return _yen(fact.value, rng)
    number = f"{fact.value:,.4f}".rstrip("0").rstrip(".")
    return f"{number}{fact.unit}"


def year(fact: Fact, rng: random.Random) -> str:
    """The year of a fact in one of its spellings."""
    assert fact.period is not None
    first = fact.period.start.year
    return rng.choice([f"{era_name(first)}年度", f"{first}年度", f"R{first - 2018}年度", f"R{first - 2018}"])


def _name(fact: Fact) -> str:
    """What a reader calls the row; 予算額 and 決算額 where one row holds both."""
    if fact.field in ("予算額", "決算額"):
        return fact.field
    if fact.unit == "円":
        return fact.label + ("の予算" if fact.kind == "plan" else "の決算")
    return fact.label + ("の目標" if fact.kind == "plan" else "の実績")


def usable(quote: Quote) -> list[Fact]:
    """The facts of a row that a sentence can be made of: of a whole fiscal year, with a unit."""
    return [f for f in quote.facts if f.unit and f.period is not None and f.period.kind == "fiscal_year" and f.kind]


def figures(quote: Quote, rng: random.Random) -> list[Case]:
    """Faithful sentences of one row of figures."""
    key, found = (quote.key,), []
    facts = usable(quote)
    if not facts:
        return []
    one = rng.choice(facts)
    text = f"{year(one, rng)}の{_name(one)}は{amount(one, rng)}です。"
    found.append(Case(mark(text, 1), key, True, "figure"))
    if rng.random() < 0.4:
        text = f"{quote.sheet}の{year(one, rng)}の{_name(one)}は、{amount(one, rng)}でした。"
        found.append(Case(mark(text, 1), key, True, "figure"))
    same = sorted((f for f in facts if (f.label, f.field, f.kind) == (one.label, one.field, one.kind)), key=_start)
    for first, last in zip(same, same[1:], strict=False):
        if first.value != last.value and first.period != last.period:
            grew = (last.value or 0) > (first.value or 0)
            word = rng.choice(["増加しました", "増えました"] if grew else ["減少しました", "減りました"])
            text = f"{_name(one)}は、{year(first, rng)}の{amount(first, rng)}から{year(last, rng)}の{amount(last, rng)}に{word}。"
            found.append(Case(mark(text, 1), key, True, "two years"))
            break
    plans = {f.period: f for f in facts if f.kind == "plan"}
    for fact in facts:
        plan = plans.get(fact.period)
        if fact.kind == "actual" and plan is not None and fact.label == plan.label and fact.unit != "円":
            text = (
                f"{year(fact, rng)}の{fact.label}は、目標{amount(plan, rng)}に対し、実績は{amount(fact, rng)}でした。"
            )
            found.append(Case(mark(text, 1), key, True, "plan and actual"))
            break
    return found


def _start(fact: Fact) -> str:
    return str(fact.period.start) if fact.period is not None else ""


def joined(one: Quote, other: Quote, rng: random.Random) -> list[Case]:
    """Two passages of one sheet in one sentence, with both marks at its end or each behind its half."""
    firsts, seconds = sentences(one), sentences(other)
    if not firsts or not seconds:
        return []
    first, second = rng.choice(firsts), rng.choice(seconds)
    if len(first) + len(second) > 150:
        return []
    head = polite(first).rstrip("。")
    if rng.random() < 0.5:
        text = f"{head}が[1]、{polite(second).rstrip('。')}[2]。"
    else:
        text = f"{head}が、{polite(second).rstrip('。')}[1][2]。"
    return [Case(text, (one.key, other.key), True, "two facts")]


def make_faithful(quotes: Sequence[Quote], rng: random.Random) -> list[Case]:
    """Faithful sentences about some passages."""
    found: list[Case] = []
    for quote in quotes:
        found += figures(quote, rng) if quote.facts else prose(quote, rng)
    texts = [quote for quote in quotes if not quote.facts]
    for one, other in zip(texts, texts[1:], strict=False):
        if one.key.split("-")[0] == other.key.split("-")[0] and rng.random() < 0.3:
            found += joined(one, other, rng)
    return found
