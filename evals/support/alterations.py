"""Altered sentences: a faithful one with one thing made wrong, in every way that a language model gets things wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from assistant.support.check import MARK
from corpus.days import era_name
from evals.support.casefile import Case, Quote
from evals.support.faithful import mark, sentences

_NUMBER = re.compile(r"(?<![A-Za-z第\d,.])\d[\d,]*+(?:\.\d++)?+(?![年月日\]])")
_ERA = re.compile(r"(令和|平成|R)(元|\d{1,2})(?=年|[^\d])")
_WEST = re.compile(r"20[12]\d(?=年)")
_MONTH = re.compile(r"(?<=年)(1[0-2]|[1-9])(?=月)")
_UNITS = {
    "千円": ("万円", "円", "百万円"), "万円": ("千円", "億円"), "億円": ("万円",), "円": ("千円", "人"), "人": ("件", "千人", "世帯"), "件": ("人", "回"), "％": ("件", "ポイント"), "%": ("件", "ポイント"),
    "か所": ("校", "か月"), "台": ("件", "棟"), "回": ("件", "人"), "時間": ("日", "分"), "日": ("時間", "か月"), "校": ("か所", "件"), "戸": ("件", "棟"), "頭": ("人", "件"), "室": ("人", "か所"),
}  # fmt: skip
_SWAPS = (("予算", "決算"), ("決算", "予算"), ("目標", "実績"), ("実績", "目標"))
_TURNS = (
    ("増加", "減少"), ("増え", "減り"), ("減少", "増加"), ("減り", "増え"), ("減っ", "増え"), ("増やし", "減らし"), ("減らし", "増やし"), ("拡充", "縮小"), ("上回", "下回"), ("下回", "上回"), ("悪化", "改善"),
    ("改善", "悪化"), ("向上", "低下"), ("短縮", "延長"), ("延期", "前倒し"), ("早め", "遅らせ"), ("不足", "充足"), ("高い", "低い"), ("低い", "高い"), ("多く", "少なく"), ("少な", "多"), ("開始", "終了"), ("廃止", "継続"),
)  # fmt: skip
_DENIALS = (
    ("でした[", "ではありませんでした["), ("です[", "ではありません["), ("します", "しません"), ("しました", "しませんでした"), ("する[", "しない["), ("した[", "しなかった["), ("しています", "していません"), ("している[", "していない["),
    ("行います", "行いません"), ("あります", "ありません"), ("なりました", "なりませんでした"), ("できました", "できませんでした"), ("できなかった", "できた"), ("ませんでした", "ました"),
    ("ない[", "る["), ("れます", "れません"),
)  # fmt: skip
_ADDED = (
    "、市民から高い評価を得ており", "、他市の先進事例として国から表彰され", "、議会からは見直しを求められており", "、新たに専門の職員を配置し", "、民間事業者との連携協定を結び",
    "、ドローンによる点検も始め", "、利用者アンケートで満足の声が多く", "、来年は有料化する方針であり", "、学校との共同研究も行い", "、土砂崩れの恐れがあることから",
)  # fmt: skip
_COMPANY = re.compile(
    r"(?:株式会社|有限会社|社会福祉法人)[ァ-ヴー一-龥ぁ-んA-Za-z]{2,8}?(?=[にがをはと])|[一-龥ァ-ヴー]{2,10}(?:株式会社)"
)
_OTHER_COMPANIES = ("株式会社青嶺システムズ", "有限会社みずほ台興産", "社会福祉法人ことり会", "東雲テクノ株式会社")
_KATAKANA = re.compile(r"[ァ-ヴー]{4,}")
_PLACES = re.compile(r"[一-龥]{2,3}(?:小学校|中学校|小|地区|駅|川|公園|橋)(?![一-龥])")
_OTHER_PLACES = {
    "小学校": "富士見小学校",
    "中学校": "緑が丘中学校",
    "小": "桐生小",
    "地区": "日向地区",
    "駅": "新柳駅",
    "川": "鵜飼川",
    "公園": "城址公園",
    "橋": "八雲橋",
}

Alter = Callable[[Case, "Maker"], str | None]


class Maker:
    """What alterations choose from: passages of other sheets, and chance."""

    def __init__(self, quotes: Sequence[Quote], rng: random.Random) -> None:
        self.quotes = {quote.key: quote for quote in quotes}
        self.rng = rng
        self.sheets = sorted({quote.sheet for quote in quotes})
        self.departments = sorted({quote.department for quote in quotes})
        self.towns = sorted({quote.municipality for quote in quotes} | {"碧原市", "藤代町"})

    def ambiguous(self, case: Case) -> bool:
        """Whether a row prints one value for several years or kinds, so that another year may be true too."""
        values = [fact.value for key in case.passages for fact in self.quotes[key].facts]
        return len(values) != len(set(values))

    def text_of(self, case: Case) -> str:
        """Everything that the passages of a case say, to see that an alteration is one."""
        parts = [self.quotes[key] for key in case.passages]
        return "".join(f"{p.municipality}{p.department}{p.sheet}{p.section}{''.join(p.quote.split())}" for p in parts)


def digit(case: Case, maker: Maker) -> str | None:
    """A digit of a number is another."""
    places = list(_NUMBER.finditer(MARK.sub("", case.sentence)))
    if not places:
        return None
    place = maker.rng.choice(places)
    text = place.group()
    at = maker.rng.choice([i for i, c in enumerate(text) if c.isdigit()])
    others = [c for c in "123456789" if c != text[at]]
    changed = text[:at] + maker.rng.choice(others) + text[at + 1 :]
    return case.sentence.replace(text, changed, 1)


def unit(case: Case, maker: Maker) -> str | None:
    """A number has another unit."""
    places = [
        (m, name)
        for name in sorted(_UNITS, key=len, reverse=True)
        for m in re.finditer(rf"(?<=\d){re.escape(name)}(?!間|額|度)", case.sentence)
    ]
    if not places:
        return None
    place, name = places[0]
    if re.search(r"(?<![\d.,])0$", case.sentence[: place.start()]):
        return None  # 0円 and 0千円 are the same
    other = maker.rng.choice(_UNITS[name])
    return case.sentence[: place.start()] + other + case.sentence[place.end() :]


def year(case: Case, maker: Maker) -> str | None:
    """A year, or a month, is another."""
    text, rng = case.sentence, maker.rng
    for pattern in rng.sample([_ERA, _WEST, _MONTH], 3):
        places = list(pattern.finditer(text))
        if not places:
            continue
        place = rng.choice(places)
        step = rng.choice([-2, -1, 1, 2])
        if pattern is _ERA:
            number = 1 if place[2] == "元" else int(place[2])
            other = place[1] + str(max(1, number + step) if number + step > 0 else number + 3)
        elif pattern is _WEST:
            other = str(int(place.group()) + step)
        else:
            other = str((int(place.group()) + step - 1) % 12 + 1)
        if other != place.group():
            return text[: place.start()] + other + text[place.end() :]
    return None


def kind(case: Case, maker: Maker) -> str | None:
    """予算 and 決算, 目標 and 実績 are exchanged."""
    for said, other in _SWAPS:
        if said in case.sentence and other not in case.sentence:
            return case.sentence.replace(said, other, 1)
    return None


def sheet(case: Case, maker: Maker) -> str | None:
    """The sheet has the name of another."""
    own = maker.quotes[case.passages[0]].sheet
    other = maker.rng.choice([name for name in maker.sheets if name not in own and own not in name])
    if own in case.sentence:
        return case.sentence.replace(own, other, 1)
    return f"{other}では、{case.sentence}" if maker.rng.random() < 0.3 else None


def department(case: Case, maker: Maker) -> str | None:
    """The department is another one."""
    own = maker.quotes[case.passages[0]].department
    other = maker.rng.choice([name for name in maker.departments if name not in own and own not in name])
    if own in case.sentence:
        return case.sentence.replace(own, other, 1)
    return f"{other.split()[-1]}は、{case.sentence}" if maker.rng.random() < 0.2 else None


def town(case: Case, maker: Maker) -> str | None:
    """The municipality is another one."""
    own = maker.quotes[case.passages[0]].municipality
    other = maker.rng.choice([name for name in maker.towns if name != own])
    return f"{other}では、{case.sentence}" if maker.rng.random() < 0.2 else None


def name(case: Case, maker: Maker) -> str | None:
    """A company, a place or a product is another one."""
    text = case.sentence
    company = _COMPANY.search(text)
    if company is not None:
        return text.replace(company.group(), maker.rng.choice(_OTHER_COMPANIES), 1)
    place = _PLACES.search(text)
    if place is not None:
        end = next(e for e in sorted(_OTHER_PLACES, key=len, reverse=True) if place.group().endswith(e))
        return text.replace(place.group(), _OTHER_PLACES[end], 1)
    word = _KATAKANA.search(text)
    if word is not None:
        said = maker.text_of(case)
        others = [k for q in maker.quotes.values() for k in _KATAKANA.findall(q.quote) if k not in said]
        if others:
            return text.replace(word.group(), maker.rng.choice(sorted(set(others))), 1)
    return None


def negation(case: Case, maker: Maker) -> str | None:
    """What is so is said not to be so."""
    for said, other in _DENIALS:
        at = case.sentence.rfind(said)
        if at >= 0 and at > len(case.sentence) - 20 - len(said):
            return case.sentence[:at] + other + case.sentence[at + len(said) :]
    return None


def direction(case: Case, maker: Maker) -> str | None:
    """More is less, better is worse."""
    for said, other in _TURNS:
        if said in case.sentence:
            return case.sentence.replace(said, other, 1)
    return None


def added(case: Case, maker: Maker) -> str | None:
    """A clause says something new."""
    clause = maker.rng.choice(_ADDED)
    at = case.sentence.find("、")
    if 0 < at < len(case.sentence) - 10 and maker.rng.random() < 0.5:
        return case.sentence[:at] + clause + case.sentence[at:]
    end = clause.removeprefix("、")
    return f"{end}、{case.sentence}"


def year_name(number: int) -> str:
    """令和6年度."""
    return f"{era_name(number)}年度"


ALTERATIONS: dict[str, Alter] = {
    "digit": digit, "unit": unit, "date": year, "plan/actual": kind, "sheet name": sheet, "department": department,
    "municipality": town, "name": name, "negation": negation, "direction": direction, "added clause": added,
}  # fmt: skip
HARD = ("number", "digit", "unit", "date", "sheet name", "department", "municipality", "name", "merged figures")
"""The kinds that are a number, a date or a name: none of these may pass."""


def moved(case: Case, maker: Maker) -> Case | None:
    """The mark stands at another passage."""
    own = {maker.quotes[key].programme for key in case.passages}
    others = [q for q in maker.quotes.values() if q.programme not in own]
    if len(case.passages) != 1 or not others:
        return None
    return Case(case.sentence, (maker.rng.choice(others).key,), False, "moved mark")


def merged(one: Quote, other: Quote, maker: Maker) -> Case | None:
    """Half of one sheet and half of another as if they were one programme's."""
    firsts = [s for s in sentences(one) if "、" in s]
    seconds = [s for s in sentences(other) if "、" in s]
    if not firsts or not seconds:
        return None
    head = maker.rng.choice(firsts).split("、")[0]
    tail = maker.rng.choice(seconds).split("、", 1)[1]
    text = f"{one.sheet}では、{head}、{tail}"
    return Case(mark(text, 1, 2), (one.key, other.key), False, "merged halves")


def merged_figures(one: Quote, other: Quote, maker: Maker, faithful: Case) -> Case | None:
    """The figure of another sheet under this one's name, both cited."""
    if one.sheet == other.sheet or other.sheet in faithful.sentence:
        return None
    text = MARK.sub("", faithful.sentence)
    return Case(mark(f"{one.sheet}の{text}", 1, 2), (one.key, other.key), False, "merged figures")


def make_altered(faithful: Sequence[Case], quotes: Sequence[Quote], rng: random.Random) -> list[Case]:
    """For every faithful sentence some of its alterations, those left out that happen to be true."""
    maker = Maker(quotes, rng)
    found: list[Case] = []
    for case in faithful:
        said = maker.text_of(case)
        for label, alter in ALTERATIONS.items():
            if label in ("date", "plan/actual") and maker.ambiguous(case):
                continue
            text = alter(case, maker)
            if text is None or text == case.sentence or MARK.sub("", text).rstrip("。") in said:
                continue
            found.append(Case(text, case.passages, False, label))
        if (other := moved(case, maker)) is not None and rng.random() < 0.5:
            found.append(other)
    rows = [case for case in faithful if case.kind == "figure" and len(case.passages) == 1]
    for case in rows:
        source = maker.quotes[case.passages[0]]
        others = [q for q in quotes if q.facts and q.sheet != source.sheet and q.section == source.section]
        if others and (made := merged_figures(rng.choice(others), source, maker, case)) is not None:
            values = {(f.value, f.period) for f in maker.quotes[made.passages[0]].facts}
            if not values & {(f.value, f.period) for f in source.facts}:
                found.append(made)
    texts = [q for q in quotes if not q.facts]
    for quote in texts:
        stranger = rng.choice([q for q in texts if q.programme != quote.programme])
        if rng.random() < 0.5 and (halves := merged(quote, stranger, maker)) is not None:
            found.append(halves)
    return found
