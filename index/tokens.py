"""Words of Japanese text: for the lexical index, for the bundled encoder and for highlights.

>>> words("サーバーの更改に12,155千円（令和７年度）")
['サーバ', '更改', '12155', '千', '円', 'y2025']

The text is brought to one form first (NFKC, old and variant characters, white space that only wraps lines), then
numbers, years and codes are cut out whole by a regular expression, and MeCab segments what is left between them.
Offsets of a :class:`Token` always point into the text as it was given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import fugashi

from corpus.normalize import variants

# Old forms beside those of corpus/variants.txt, which hold what stands in names and in the text of PDF fonts.
_OLD = dict(
    zip(
        "櫻體條榮德惠藏舘峯黃靑淸淨滿當發變寫擴數樣號萬與讀豐辨辯鐵驛龍龜亞惡壓圍醫壹奧價假壞懷覺樂觀氣歸繼劍險權廳帶擔單團斷晝敕轉傳燈盜稻腦拜賣祕佛竝步每藥譯來亂覽兩勞灣裏",
        "桜体条栄徳恵蔵館峰黄青清浄満当発変写拡数様号万与読豊弁弁鉄駅竜亀亜悪圧囲医壱奥価仮壊懐覚楽観気帰継剣険権庁帯担単団断昼勅転伝灯盗稲脳拝売秘仏並歩毎薬訳来乱覧両労湾裏",
        strict=True,
    )
)
_VARIANTS = variants() | _OLD
_BEFORE: dict[int, str] = {
    ord(c): f" {unicodedata.normalize('NFKC', c)} " for c in map(chr, range(0x2460, 0x249C))
}  # ①
_BEFORE |= {ord(old): new for old, new in _VARIANTS.items()}
# MeCab takes neither a NUL nor half a surrogate pair.
_BEFORE |= dict.fromkeys([c for c in range(0x20) if chr(c) not in "\t\n\v\f\r"] + [*range(0xD800, 0xE000)], " ")
_AFTER: dict[int, str] = {ord(old): new for old, new in _VARIANTS.items()}
# Variation selectors choose a drawing of the same character; soft hyphens and zero-width spaces draw nothing.
_AFTER |= dict.fromkeys([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0xAD, 0x200B, 0xFEFF], "")

_JA = "ぁ-ゖァ-ヺー々〆一-鿿㐀-䶿豈-﫿\U00020000-\U0003134f"
# A line break between two Japanese characters is layout (justified PDF text breaks words over lines), a tab is a cell
# border. Characters set apart one by one (氏 名) are one word.
_WRAP = re.compile(rf"(?<=[{_JA}])[ \r\f\v]*+\n[ \n\r\f\v]*+(?=[{_JA}])")
_SPACED = re.compile(rf"(?<!\S)[{_JA}](?: [{_JA}])+(?!\S)")

_ERA_START = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "R": 2018, "H": 1988, "S": 1925}
_WHOLE = re.compile(
    r"(?P<era>令和|平成|昭和|大正)\s*(?P<n>元|\d{1,2})\s*年\s*度?"
    r"|(?<![A-Za-z0-9-])(?P<e1>[RrHh])(?P<n1>\d{1,2})(?![A-Za-z0-9]|[-.]\d)(?:年度|年)?"
    r"|(?<![A-Za-z0-9-])(?P<e2>[Ss])(?P<n2>\d{1,2})年度?"
    r"|(?<!\d)(?P<west>(?:19|20)\d\d)\s*年\s*度?"
    r"|(?P<unit>(?<![\d,.])\d{1,2}(?:年度|月(?!額)))"
    r"|(?P<code>(?=[0-9]*[A-Za-z])[A-Za-z0-9]+(?:[-_&+'][A-Za-z0-9]+|\.\d+)*)"
    r"|(?P<dashed>\d+(?:-\d+)+)"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)?%?)"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_CODE_PART = re.compile(r"[A-Za-z0-9]+")

_NOUNS = frozenset(["名詞", "接尾辞", "接頭辞"])
_STOP_POS = frozenset(["助詞", "助動詞", "補助記号", "記号", "空白", "感動詞", "接続詞"])
# Verbs and nouns with no meaning of their own (する, ある, いる, なる, できる, こと, ため, もの, よう …).
_STOP_LEMMAS = frozenset(
    "為る 有る 居る 成る 出来る 致す 御座る 居らっしゃる 下さる 頂く 其れ 此れ 彼れ 其の 此の 彼の 事 為 物 様 御 因る 於く 就く 無い 又".split()
)
_KATAKANA = re.compile(r"[ァ-ヺー]+\Z")
_KATAKANA_RUN = re.compile(r"[ァ-ヺー]{2,}")
_SHORT_PIECE = 2  # of a run of katakana: MeCab lost its way (オン and プレ, コンサ and ル)
_KANJI = re.compile(r"[一-鿿㐀-䶿々]")


class Token(NamedTuple):
    """One word: ``text[start:end]`` is its stretch of the given text, ``surface`` that stretch brought to one form.

    ``norm`` is what words are compared by. A ``part`` overlaps a word or joins two, for recall only: the letters of
    AI-OCR, the pairs of characters of a word the dictionary does not know, 住基 where it was cut into 住 and 基. A part
    as long as its word is another form of it (見直し of 見直す, 28年度 of H28).
    """

    surface: str
    norm: str
    start: int
    end: int
    part: bool = False


class _Piece(NamedTuple):
    norm: str
    start: int  # in the cleaned text
    end: int
    part: bool = False


_idle: list[fugashi.Tagger] = []


@contextmanager
def tagger() -> Iterator[fugashi.Tagger]:
    """MeCab for the length of a ``with``; it is not documented as safe to share, so nobody else has it meanwhile.

    One for each thread would be 40 in a server, each with 25 ms to start and a mapping of the dictionary of its own.
    """
    try:
        mecab = _idle.pop()
    except IndexError:
        mecab = fugashi.Tagger()
    try:
        yield mecab
    finally:
        _idle.append(mecab)


def normalize(text: str) -> str:
    """The one form words are compared in, white space kept: ``ｼｽﾃﾑ`` -> ``システム``, ``髙`` -> ``高``."""
    return unicodedata.normalize("NFKC", text.translate(_BEFORE)).translate(_AFTER)


@lru_cache(maxsize=1 << 14)
def _normalize_cluster(cluster: str) -> str:
    return normalize(cluster)


# A character with the marks that compose with it under NFKC (half-width voicing marks, combining marks).
_CLUSTER = re.compile("(?s).[\uff9e\uff9f\u3099\u309a\u0300-\u036f\ufe00-\ufe0f\U000e0100-\U000e01ef]*")


def _kept(text: str) -> list[tuple[int, int]]:
    """Stretches of a normalised text that stay when white space of the layout is taken out."""
    drops = [m.span() for m in _WRAP.finditer(text)]
    for spaced in _SPACED.finditer(text):
        drops += [(i, i + 1) for i in range(spaced.start() + 1, spaced.end(), 2)]
    kept, at = [], 0
    for start, end in sorted(drops):
        kept.append((at, start))
        at = end
    return [*kept, (at, len(text))]


def clean(text: str) -> str:
    """:func:`normalize` without the white space that only wraps lines: ``デ\\n\\nータ`` -> ``データ``."""
    flat = normalize(text)
    return "".join(flat[a:b] for a, b in _kept(flat))


def clean_with_offsets(text: str) -> tuple[str, list[int], list[int]]:
    """:func:`clean`, and for each character of it where its origin starts and ends in ``text``."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for m in _CLUSTER.finditer(text):
        form = _normalize_cluster(m.group())
        for c in form:
            chars.append(c)
            starts.append(m.start())
            ends.append(m.end())
    flat = "".join(chars)
    kept = _kept(flat)
    return (
        "".join(flat[a:b] for a, b in kept),
        [s for a, b in kept for s in starts[a:b]],
        [e for a, b in kept for e in ends[a:b]],
    )


def _norm(surface: str, lemma: str | None, proper: bool) -> str:
    """Lemma without UniDic's origin (``サーバー-server``); names keep their writing, since their lemma is a reading."""
    form = surface if proper or not lemma else normalize(lemma.split("-", 1)[0]) or surface
    if len(form) > 3 and form.endswith("ー") and _KATAKANA.match(form):
        form = form.rstrip("ー")  # サーバー and サーバ, ユーザー and ユーザ
    return form.lower()


_VERB_ENDS = str.maketrans("うくぐすつぬぶむる", "いきぎしちにびみり")


def _noun_of_verb(lemma: str, conjugation: str) -> str:
    """The noun a verb makes, which sheets use as freely as the verb: 見直す -> 見直し, 遅れる -> 遅れ; else empty."""
    if "一段" in conjugation and lemma.endswith("る"):
        noun = lemma[:-1]
    else:
        noun = lemma[:-1] + lemma[-1:].translate(_VERB_ENDS) if conjugation.startswith("五段") else ""
    return noun if len(noun) > 1 else ""


class _Reading(NamedTuple):
    """What MeCab said of a word, as far as it is asked for."""

    norm: str
    verb_noun: str
    noun: bool


_NOTHING = _Reading("", "", False)  # a word without a meaning of its own
# Taking a node's features apart costs fugashi twice as long as MeCab needs to find the node, and the same few words
# come again and again.
_readings: dict[tuple[str, str], _Reading] = {}
_MOST_READINGS = 1 << 17


def _reading(node: fugashi.Node) -> _Reading:
    key = (node.surface, node.feature_raw)
    found = _readings.get(key)
    if found is None:
        if len(_readings) >= _MOST_READINGS:
            _readings.clear()
        found = _readings[key] = _read(node.surface, node.feature)
    return found


def _read(surface: str, feature: Any) -> _Reading:
    if feature.pos1 in _STOP_POS:
        return _NOTHING
    norm = _norm(surface, feature.lemma, feature.pos2 == "固有名詞")
    if norm in _STOP_LEMMAS:
        return _NOTHING
    noun = _noun_of_verb(norm, feature.cType) if feature.pos1 == "動詞" else ""
    return _Reading(norm, noun, feature.pos1 in _NOUNS)


def _year(era: str, number: str) -> str:
    return f"y{_ERA_START[era.upper() if era.isascii() else era] + (1 if number == '元' else int(number))}"


def _whole(m: re.Match[str]) -> Iterator[_Piece]:
    """Years, numbers and codes, kept whole. A year of any calendar becomes the western one: R3, 令和3年度 -> y2021."""
    start, end = m.span()
    era, number = m["era"] or m["e1"] or m["e2"], m["n"] or m["n1"] or m["n2"]
    if era:
        yield _Piece(_year(era, number), start, end)
        yield _Piece(f"{number}年度", start, end, True)  # tables print 28年度 where the text says H28年度
    elif m["west"]:
        yield _Piece(f"y{m['west']}", start, end)
    elif m["code"] or m["dashed"]:
        yield _Piece(re.sub(r"[-_&+']", "" if m["code"] else "-", m.group()).lower(), start, end)
        parts = list(_CODE_PART.finditer(m.group()))
        for part in parts if len(parts) > 1 else ():
            year = "y" if m["dashed"] and _YEAR.fullmatch(part.group()) else ""  # 2019-2021
            if part.end() - part.start() > 1:
                yield _Piece(year + part.group().lower(), start + part.start(), start + part.end(), True)
    else:
        yield _Piece(m.group().replace(",", ""), start, end)


def _pieces(text: str, parts: bool) -> list[_Piece]:
    """Words of a cleaned text: what :data:`_WHOLE` finds stays whole, MeCab's words fill the rest."""
    with tagger() as mecab:
        found = list(_pieces_of(text, mecab, parts))
    return _with_whole_runs(text, found) if parts else [piece for piece in found if not piece.part]


def _with_whole_runs(text: str, pieces: list[_Piece]) -> list[_Piece]:
    """The pieces, and as a part each run of katakana that MeCab cut small or took for another word.

    New and shortened words are read differently in every place (コンサ+ル業務, こん+猿, ハブ the snake): their writing
    stays the same.
    """
    runs = list(_KATAKANA_RUN.finditer(text))
    if not runs:
        return pieces
    out: list[_Piece] = []
    at = 0
    for run in runs:
        while at < len(pieces) and pieces[at].start < run.start():
            out.append(pieces[at])
            at += 1
        first = at
        while at < len(pieces) and pieces[at].end <= run.end():
            at += 1
        inside = pieces[first:at]
        out += inside
        norm = _norm(run.group(), None, proper=False)
        if any(p.norm == norm for p in inside):
            continue
        if any(p.end - p.start <= _SHORT_PIECE or not _KATAKANA.match(p.norm) for p in inside if not p.part):
            out.append(_Piece(norm, run.start(), run.end(), True))
    return out + pieces[at:]


def _pieces_of(text: str, mecab: fugashi.Tagger, parts: bool) -> Iterator[_Piece]:
    # MeCab reads the text with the numbers and codes in it, since it needs them to see that 化 in RPA化 is a suffix.
    wholes = list(_WHOLE.finditer(text))
    if wholes:
        wholes.append(wholes[-1])  # so that there is always a next one to look at; it is never passed
    following = 0
    before: tuple[int, int, bool] | None = None  # the noun just left of this one, for joins: start, end, one character
    position = 0
    for node in mecab(text):
        surface = node.surface
        start = position if node.rlength == node.length else position + len(node.white_space)
        position = start + len(surface)
        while following < len(wholes) - 1 and wholes[following].start() < position:
            yield from _whole(wholes[following])
            following += 1
        if following and wholes[following - 1].end() > start:
            before = None
            continue
        reading = _reading(node)
        if reading is _NOTHING:
            before = None
            continue
        yield _Piece(reading.norm, start, position)
        if not parts:
            continue
        if reading.verb_noun:
            yield _Piece(reading.verb_noun, start, position, True)
        if node.is_unk and len(surface) > 2:
            for i in range(start, position - 1):
                yield _Piece(text[i : i + 2].lower(), i, i + 2, True)
        if not reading.noun:
            before = None
            continue
        single = len(surface) == 1 and bool(_KANJI.match(surface))
        if before and before[1] == start and (single or (before[2] and _KANJI.match(surface[-1]))):
            yield _Piece(text[before[0] : position].lower(), before[0], position, True)
        before = (start, position, single)


def tokenize(text: str, parts: bool = False) -> list[Token]:
    """Words of ``text`` in order, with offsets into ``text`` as given; ``parts`` adds the overlapping ones."""
    cleaned, starts, ends = clean_with_offsets(text)
    return [
        Token(cleaned[p.start : p.end], p.norm, starts[p.start], ends[p.end - 1], p.part)
        for p in _pieces(cleaned, parts)
    ]


def words(text: str, parts: bool = False) -> list[str]:
    """The ``norm`` of every token: what the encoder reads (``parts=False``) and the lexical index (``parts=True``)."""
    return list(_short_words(text, parts) if len(text) <= _SHORT else _words(text, parts))


def _words(text: str, parts: bool) -> tuple[str, ...]:
    return tuple(p.norm for p in _pieces(clean(text), parts))


# A question, a label or a sentence is read for its words by one part of the program after the other.
_SHORT = 200
_short_words = lru_cache(maxsize=1 << 13)(_words)
