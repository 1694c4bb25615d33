"""The same questions in other words: ``python -m evals.paraphrase FILE OUT.jsonl [--count 300] [--seed 1]``.

Every question is put through ways of writing that keep its meaning (greetings, other eras, full-width letters, keywords,
other words out of ``rewordings.toml``), so that the gold stays what it is. They say whether a score rests on the wording
of the curated questions. An id ends with the way: ``tk-001+era``.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

from corpus.errors import HyokaError
from evals.cases import Case, read_cases
from index.tokens import tagger

#: A question and a random source to the question in other words; the same text where the way does not apply.
Way = Callable[[str, Random], str]

_ERAS = {"令和": 2018, "平成": 1988, "R": 2018, "H": 1988}
_LONG = {"R": "令和", "H": "平成"}
_ERA_YEAR = re.compile(r"(令和|平成|(?<![A-Za-z])[RHＲＨ])([0-9０-９]{1,2}|元)(年度|年)?")
_END = re.compile(r"(?<![。？?！!\s])[。？?！!\s]++\Z")
_REQUESTS = (
    (re.compile(r"(?:を)?(?:教えて|出して|挙げて|示して)(?:ください|下さい|ほしい)?\Z"), "を調べてもらえますか"),
    (re.compile(r"(?<=[のか])(?:でしょうか|ですか)\Z"), "か知りたいです"),
    (re.compile(r"(?:でしょうか|ですか)\Z"), "なのか知りたいです"),
    (re.compile(r"は\Z"), "はどうなっているか知りたい"),
)
_KEYWORD_TYPES = ("lookup-text", "lookup-number")
_DROPPED = ("助詞", "助動詞", "補助記号", "記号", "空白", "感動詞", "代名詞", "接続詞")
_HALF = {unicodedata.normalize("NFKC", c): c for c in map(chr, range(0xFF66, 0xFF9E))}


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("evals").joinpath("rewordings.toml").read_text("utf-8"))


def greeting(question: str, rng: Random) -> str:
    """With a word of greeting before it."""
    return str(rng.choice(_table()["greetings"])) + question


def remark(question: str, rng: Random) -> str:
    """With a remark after it that asks nothing."""
    return question + str(rng.choice(_table()["remarks"]))


def request(question: str, rng: Random) -> str:
    """Asked for in another form: 教えてください → を調べてもらえますか."""
    text = _END.sub("", question)
    for pattern, other in _REQUESTS:
        if pattern.search(text):
            return pattern.sub(other, text) + "。"
    return question


def era(question: str, rng: Random) -> str:
    """Years of an era as western ones, and short forms as long ones: R3 → 令和3年度 or 2021年度."""

    def other(found: re.Match[str]) -> str:
        name = unicodedata.normalize("NFKC", found[1])
        number = 1 if found[2] == "元" else int(unicodedata.normalize("NFKC", found[2]))
        unit = found[3] or "年度"
        if name in _LONG and rng.random() < 0.5:
            return f"{_LONG[name]}{number}{unit}"
        return f"{_ERAS[name] + number}{unit}"

    return _ERA_YEAR.sub(other, question)


def full_width(question: str, rng: Random) -> str:
    """Letters and digits at full width."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in question)


def half_width(question: str, rng: Random) -> str:
    """Katakana at half width, as old terminals write it: システム → ｼｽﾃﾑ."""

    def half(c: str) -> str:
        parts = unicodedata.normalize("NFD", c)
        marks = {"\u3099": "ﾞ", "\u309a": "ﾟ"}
        turned = [_HALF.get(p) or marks.get(p) for p in parts]
        return "".join(t for t in turned if t) if all(turned) else c

    return "".join("ｰ" if c == "ー" else half(c) for c in question)


def keywords(question: str, rng: Random) -> str:
    """Its words alone, set apart by spaces."""
    with tagger() as mecab:
        found = [(w.surface, w.feature.pos1) for w in mecab(unicodedata.normalize("NFKC", question))]
    kept: list[str] = []
    joined = False
    for surface, pos in found:
        if pos in _DROPPED or (len(surface) == 1 and "ぁ" <= surface <= "ゖ"):
            joined = False
            continue
        if joined:
            kept[-1] += surface
        else:
            kept.append(surface)
        joined = pos in ("名詞", "接頭辞", "接尾辞")
    return "　".join(kept)


def other_words(question: str, rng: Random) -> str:
    """One of its words in another, by the table."""
    words: dict[str, str] = _table()["words"]
    here = [word for word in words if word in question]
    here = [word for word in here if not any(word != longer and word in longer for longer in here)]
    if not here:
        return question
    word = rng.choice(here)
    return question.replace(word, words[word], 1)


WAYS: dict[str, Way] = {
    "greeting": greeting,
    "remark": remark,
    "request": request,
    "era": era,
    "full-width": full_width,
    "half-width": half_width,
    "keywords": keywords,
    "words": other_words,
}


def paraphrases(cases: Sequence[Case], count: int, seed: int = 1) -> list[Case]:
    """``count`` cases (or as many as there are), each question in ways drawn by ``seed``, every way about as often."""
    rng = Random(seed)
    drawn: dict[str, list[Case]] = {}
    for name, way in WAYS.items():
        fits = _KEYWORD_TYPES if name == "keywords" else None
        usable = [case for case in cases if fits is None or case.type in fits]
        made = ((case, way(case.question, rng)) for case in usable)
        drawn[name] = [
            case.model_copy(update={"id": f"{case.id}+{name}", "question": text})
            for case, text in made
            if text != case.question
        ]
        rng.shuffle(drawn[name])
    taken: list[Case] = []
    while len(taken) < count and any(drawn.values()):
        for name in WAYS:
            if drawn[name] and len(taken) < count:
                taken.append(drawn[name].pop())
    return taken


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: writes the question file."""
    parser = argparse.ArgumentParser(prog="evals.paraphrase", description="質問をほかの言い方に書きかえます。")
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    try:
        made = paraphrases(read_cases(chosen.file).cases, chosen.count, chosen.seed)
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    lines = "".join(case.model_dump_json(exclude={"line"}) + "\n" for case in made)
    chosen.out.write_text(lines, encoding="utf-8")
    sys.stdout.write(f"{len(made)} 問を {chosen.out} に書きました。\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
