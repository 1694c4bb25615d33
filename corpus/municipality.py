"""Which municipality a document is of, told from its text: own plans and rules name their town, others only pass by."""

from __future__ import annotations

import re
from collections import defaultdict

from corpus.layout import normalized

# A name that begins cleanly: after a line's or cell's start, a bracket, a mark, a number or a prefecture.
_CLEAN = re.compile(
    r"(?:(?<![一-龥々ヶケノぁ-んァ-ヴーA-Za-z0-9])|(?<=[都道府県])|(?<=[0-9]次))"
    r"(?P<name>[一-龥々ヶケノぁ-んァ-ヴー]{1,7}?[市区町村])(?![一-龥]?(?:町村|区町村)|街地|場調査|販|[分間域画別])"
)
_NOT_A_NAME = re.compile(
    r"^(?:都|地|学|校|街|工|特|管|行政|選挙|投票|通学|自治|特別|中核|政令|指定|政令指定都|近隣|周辺|隣接|他|各|全|本|当|同|両|貴|某|"
    r".*県内|都内|管内|[市区町村都道府県国]+|農|山|漁|下|城下|大都|類似.*|先進.*|特例|構成|関係|多く|一部|対象|旧|新|住所|合併|姉妹都|友好都|"
    r"河川|保護|禁猟|処理|配水|給水|排水|調整|[ァ-ヴー]+|.*(?:[はがをにでのやるたびもへし]|より|から|まで|する|した|ある|いる|いう))$"
)
_PLAN = re.compile(
    r"(?:教育委員会|CSIRT|[^\s、。,()「」]{0,18}(?:計画|方針|プラン|条例|規則|規程|要綱|要領|ポリシー|ビジョン|戦略|憲章|大綱|構想|マネジメント))"
)
_OFFICE = re.compile(r"(?:役所|役場|議会|長(?![さ期い所])|公式|ホームページ)")
_PASSING = tuple("民内立税債道営域外有制史")
TITLE_WORDS = re.compile(r"評価|シート|調書|報告書|自治体名|市町村名|団体名")


def _candidates(text: str) -> dict[str, float]:
    scores: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        title = 3.0 if TITLE_WORDS.search(line) and len(line.strip()) <= 60 else 0.0
        for found in _CLEAN.finditer(line):
            name = found["name"]
            if _NOT_A_NAME.match(name[:-1]):
                continue
            after = line[found.end() : found.end() + 1]
            if _PLAN.match(line, found.end()):
                scores[name] += 3.0 + title
            elif _OFFICE.match(line, found.end()):
                scores[name] += 1.5 + title
            elif after in _PASSING:
                scores[name] += 0.3
            elif after == "、" or line[: found.start()].endswith("、"):
                scores[name] += 0.4  # one of a list: 「(千代田区、江戸川区以外)」
            else:
                scores[name] += 1.0 + title
    return scores


def municipality_of(text: str, file: str = "") -> str:
    """The municipality whose document this is, "" when nothing tells.

    ``file`` (the path as indexed) counts too: people keep files in folders named after the town.

    >>> municipality_of("みなと野市情報化計画に基づく。隣の川下市とは別。")
    'みなと野市'
    """
    plain = normalized(text).text
    scores = _candidates(plain)
    for name, score in _candidates(re.sub(r"[/_.\\-]", "\n", normalized(file).text)).items():
        scores[name] = scores.get(name, 0.0) + 4 * score
    # Once a name is known, its other mentions in running prose count a little too.
    for name in scores:
        if len(name) > 2:
            scores[name] += 0.2 * min(plain.count(name), 20)
    if not scores:
        return ""
    best = max(scores, key=lambda name: (scores[name], len(name)))
    return best if scores[best] >= 1.0 else ""
