"""Links the sheets of one programme over the years: name, department, budget code, and a name it had before.

A wrong link mixes the figures of two programmes, a missing one only leaves a list shorter: whatever several sheets of one
year claim, and whatever only resembles, stays unlinked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from rapidfuzz.distance import OSA

from corpus.documents import NO_NAME, SheetReading
from corpus.normalize import squeeze

CODE_FIELD, FORMER_FIELD = "コード", "旧事業名"

# 「ゼロカーボン推進事業(旧:エコライフ推進事業)」「市民まつり(産業まつりから名称変更)」
_FORMER = re.compile(
    r"\((?:旧(?:事務事業|事業)?(?:名称|名|称)?|(?:変更|改称)前(?:の?(?:事業)?名称?)?)[::]?(?P<old>[^()]{2,}(?:\([^()]*\))?)\)"
    r"|\((?P<renamed>[^()]{2,})(?:から|より)(?:の?(?:名称変更|改称|変更))\)"
)
_UNTIL = re.compile(r"\([^()]*まで\)$")
# Marks of a second page of the same sheet.
_CONTINUED = re.compile(r"\((?:続き|つづき|その[2-9二三]|[2-9]/[2-9]|裏面?|[2-9]枚目)\)$|no\.?[2-9]$")
# What a name carries in one year and not in the next.
_STATE = re.compile(
    r"[(【\[](?:新規|新|拡充|拡大|継続|廃止|休止|完了|終了|統合|再掲|重点|臨時|縮小|見直し|一部新規|一部拡充|繰越)(?:事業|分)?[)】\]]"
)
_YEAR = re.compile(r"(?:令和|平成|昭和|[rhs])(?:元|\d{1,2})年度?|20\d\d年度?|(?:元|\d{1,2})年度")
_TERM = re.compile(r"第(?:\d{1,2}|[一二三四五六七八九十]{1,3})(?:期|次)")
_LETTERS = re.compile(r"[\da-z一二三四五六七八九十]")
_KANA = re.compile(r"[ぁ-んァ-ヶー・、。()「」\-~〜]")
# Words that any department uses: a name made of these alone does not tell a programme from another department's.
_EVERYDAY = re.compile(
    r"一般|庶務|総務|事務|事業|業務|管理|運営|運用|維持|補助|推進|委託|人件|職員|経費|費|関係|その他|等|及び|共通|内部|調整|会議|"
    r"物品|庁用|給与|システム|改修|修繕|支援|施設|設備|研修|整備|計画|策定|統計|調査|負担金|積立金|基金|特別会計|繰出金|[・、のと()]"
)
_OFFICE = re.compile(r"^.*(?:部|局|本部|委員会)(?=(?!事務局$)..)")
_CODE_LABEL = re.compile(r"コード")
_MOST_NAMES = 50


Pair = tuple[int, int]
Keys = Callable[["Head"], Sequence[Hashable]]


@dataclass(frozen=True, slots=True)
class Head:
    """What a sheet says of its programme: squeezed names, its department, the codes of its budget and its former names."""

    sheet_id: str
    file: str
    municipality: str
    fiscal_year: int
    name: str
    department: str
    codes: frozenset[str] = frozenset()
    former: frozenset[str] = frozenset()
    continued: bool = False


def head_of(reading: SheetReading) -> Head | None:
    """The head of a programme's sheet; None for what cannot be linked: no name, no year, or no municipality."""
    sheet = reading.sheet
    name = squeeze(sheet.name)
    if sheet.kind != "programme" or sheet.fiscal_year is None or not sheet.municipality or name == NO_NAME:
        return None
    former = {found["old"] or found["renamed"] for found in _FORMER.finditer(name)}
    printed = (section.text for section in reading.sections if section.field == FORMER_FIELD)
    former |= {_UNTIL.sub("", squeeze(text)) for text in printed}
    codes = (
        squeeze(section.text)
        for section in reading.sections
        # A serial number (No, 整理番号) is given anew every year; a code stays.
        if section.field == CODE_FIELD and _CODE_LABEL.search(section.label)
    )
    whole = _FORMER.sub("", name)
    bare = _CONTINUED.sub("", whole)
    return Head(
        sheet.sheet_id,
        sheet.file,
        squeeze(sheet.municipality),
        sheet.fiscal_year,
        bare or name,
        squeeze(sheet.department),
        frozenset(code for code in codes if 4 <= len(code) <= 30),
        frozenset(former - {bare, name}),
        bool(bare) and bare != whole,
    )


def core(name: str) -> str:
    """A squeezed name without what changes from year to year: （新規）, the year, 第2期, a trailing 事業.

    >>> core("第2期子育て応援事業(拡充)"), core("令和6年度成人式事業")
    ('子育て応援', '成人式')
    """
    bare = _TERM.sub("", _YEAR.sub("", _STATE.sub("", _FORMER.sub("", name))))
    bare = re.sub(r"\(\)", "", bare).removesuffix("事業")
    return bare if len(bare) >= 2 else name


def telling(name: str) -> bool:
    """Whether a name alone tells a programme: 「移動図書館運営事業」 does, 「一般管理事務」 is any department's."""
    return len(_EVERYDAY.sub("", core(name))) >= 2


def office(department: str) -> str:
    """The last part of a squeezed department: what stays when a 部 is renamed.

    >>> office("健康福祉部高齢者支援課")
    '高齢者支援課'
    """
    return _OFFICE.sub("", department)


def slip(one: str, other: str) -> bool:
    """Whether two squeezed names differ by one slip in kana or signs (サーバ, サーバー): kanji and numbers say other things.

    >>> slip("情報サーバ更新", "情報サーバー更新"), slip("東小学校改修", "西小学校改修")
    (True, False)
    """
    if min(len(one), len(other)) < 6 or OSA.distance(one, other, score_cutoff=1) != 1:
        return False
    return _without_kana(one) == _without_kana(other)


def _without_kana(name: str) -> str:
    return _KANA.sub("", name)


def resembling(one: str, other: str) -> bool:
    """Whether two squeezed names may be one under the same code: a few characters apart, the numbers the same."""
    if _LETTERS.findall(one) != _LETTERS.findall(other):
        return False
    most = max(1, min(len(one), len(other)) // 4)
    return OSA.distance(one, other, score_cutoff=most) <= most


def link(heads: Iterable[Head]) -> list[tuple[str, ...]]:
    """Timelines of at least two years: the sheet ids of one programme, oldest year first, whatever the order of ``heads``.

    Evidence is taken strongest first: the same name in the same department, the same name under one code, a former name,
    the same name elsewhere, and last a name that is nearly the same in the same department or under the same code. What
    one kind of evidence would join is joined as a whole, or not at all if two of the sheets are of one year.
    """
    found: list[tuple[str, ...]] = []
    towns: dict[str, list[Head]] = defaultdict(list)
    for head in heads:
        towns[head.municipality].append(head)
    for town in towns.values():
        town.sort(key=lambda head: (head.fiscal_year, head.sheet_id))
        found += _Linker(town).timelines()
    return sorted(found)


class _Linker:
    """The sheets of one municipality, joined step by step; each sheet is known by its place in the list."""

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = heads
        self.group = list(range(len(heads)))
        self.members = {at: [at] for at in self.group}
        self._join_continued()
        for keys in (_in_department_by_code, _in_department, _by_code):
            self._join(self._alike(keys))
        self._join(self._renamed())
        for keys in (_in_office, _anywhere, _core_in_department, _core_in_office, _core_by_code):
            self._join(self._alike(keys))
        self._join(self._near(_kana_aside_in_department, slip))
        self._join(self._near(_code, resembling))

    def timelines(self) -> list[tuple[str, ...]]:
        """What was joined, where it spans at least two years."""
        return [
            tuple(self.heads[at].sheet_id for at in sorted(members))
            for members in self.members.values()
            if len({self.heads[at].fiscal_year for at in members}) > 1
        ]

    def _join_continued(self) -> None:
        """A page that says it goes on is its sheet's, if there is one sheet it can belong to."""
        firsts: dict[Hashable, list[int]] = defaultdict(list)
        for at, head in enumerate(self.heads):
            if not head.continued:
                firsts[head.file, head.fiscal_year, head.name].append(at)
        for at, head in enumerate(self.heads):
            if head.continued:
                own = [
                    first
                    for first in firsts.get((head.file, head.fiscal_year, head.name), ())
                    if head.department in ("", self.heads[first].department)
                ]
                if len(own) == 1:
                    self._merge([self.group[own[0]], self.group[at]])

    def _alike(self, keys: Keys) -> Iterator[Pair]:
        """Sheets that share a key."""
        first: dict[Hashable, int] = {}
        for at, head in enumerate(self.heads):
            for key in keys(head):
                yield first.setdefault(key, at), at

    def _near(self, keys: Keys, near: Callable[[str, str], bool]) -> Iterator[Pair]:
        """Sheets of different years that share a key and whose names are nearly the same."""
        sharing: dict[Hashable, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for at, head in enumerate(self.heads):
            for key in keys(head):
                sharing[key][core(head.name)].append(at)
        for names in sharing.values():
            if len(names) > _MOST_NAMES:  # what so many share tells nothing
                continue
            for one, other in combinations(sorted(names), 2):
                if near(one, other):
                    yield from ((names[one][0], at) for at in (*names[one][1:], *names[other]))

    def _renamed(self) -> Iterator[Pair]:
        """A sheet that names what it was called before, with the programme of that name in the years before it."""
        named: dict[str, list[int]] = defaultdict(list)
        for at, head in enumerate(self.heads):
            named[core(head.name)].append(at)
        for at, head in enumerate(self.heads):
            for former in sorted(head.former):
                before = [b for b in named.get(core(former), ()) if self.heads[b].fiscal_year < head.fiscal_year]
                exact = [b for b in before if self.heads[b].name == former] or before
                near = [b for b in exact if self.heads[b].department == head.department] or exact
                if len({self.group[b] for b in near}) == 1:
                    yield near[0], at

    def _join(self, pairs: Iterable[Pair]) -> None:
        """Joins what the pairs connect, each connected whole only if no two of its sheets are of one year."""
        parent: dict[int, int] = {}

        def root(group: int) -> int:
            while (up := parent.setdefault(group, group)) != group:
                parent[group] = group = parent.setdefault(up, up)
            return group

        for one, other in pairs:
            parent[root(self.group[one])] = root(self.group[other])
        wholes: dict[int, list[int]] = defaultdict(list)
        for group in list(parent):
            wholes[root(group)].append(group)
        for groups in wholes.values():
            years = [year for group in groups for year in self._years(group)]
            if len(groups) > 1 and len(years) == len(set(years)):
                self._merge(groups)

    def _years(self, group: int) -> set[int]:
        return {self.heads[at].fiscal_year for at in self.members[group]}

    def _merge(self, groups: Sequence[int]) -> None:
        first, *rest = sorted(groups)
        for group in rest:
            for at in self.members.pop(group):
                self.group[at] = first
                self.members[first].append(at)


def _in_department_by_code(head: Head) -> list[Hashable]:
    return [(head.name, head.department, code) for code in head.codes if head.department]


def _in_department(head: Head) -> list[Hashable]:
    return [(head.name, head.department)] if head.department else []


def _by_code(head: Head) -> list[Hashable]:
    return [(head.name, code) for code in head.codes]


def _in_office(head: Head) -> list[Hashable]:
    return [(head.name, office(head.department))] if head.department and telling(head.name) else []


def _anywhere(head: Head) -> list[Hashable]:
    return [head.name] if telling(head.name) else []


def _core_in_department(head: Head) -> list[Hashable]:
    return [(core(head.name), head.department)] if head.department else []


def _core_in_office(head: Head) -> list[Hashable]:
    return [(core(head.name), office(head.department))] if head.department and telling(head.name) else []


def _core_by_code(head: Head) -> list[Hashable]:
    return [(core(head.name), code) for code in head.codes]


def _kana_aside_in_department(head: Head) -> list[Hashable]:
    """Names that differ by a slip share all that is no kana, so few are compared."""
    return [(_without_kana(core(head.name)), head.department)] if head.department else []


def _code(head: Head) -> list[Hashable]:
    return list(head.codes)
