"""A changed copy of a corpus with its questions, to see whether a score is general: ``python -m evals.perturb``.

Municipalities get other names, systems and programmes a new word in front, and every year moves by some years, in the
documents and in the questions and their gold alike. An assistant that has learnt nothing by heart scores the same on
both. What to rename is read from the questions; nothing here knows a real name.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from corpus.errors import HyokaError, SettingsError
from evals.cases import CaseFile, read_cases
from evals.metrics import squash

#: Invented municipalities, in the two scripts such names are written in.
CITIES_KANJI = ("碧原", "樫森", "霧里", "椿台", "朝凪", "遠見野", "灯谷", "雲井沢")
CITIES_KANA = ("みなせ", "こもれび", "あさひな", "ゆいの")
#: Words to put before a name: of another script than the name's first letter, so that both stay words of their own.
WORDS_KATAKANA = (
    "アカネ",
    "ヒバリ",
    "ツバキ",
    "カエデ",
    "ホタル",
    "スズラン",
    "モミジ",
    "アジサイ",
    "コブシ",
    "ナズナ",
)
WORDS_KANJI = ("若葉", "白樺", "青葉", "紅葉", "朝霧", "千鳥", "桔梗", "浜風", "雪椿", "山吹")

_GAP = r"[ \t\u3000]*\n?[ \t\u3000]*"
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_NUMBER = r"[0-9０-９]{1,2}(?![0-9０-９])"
_ERA = rf"(?P<era>令\s*和|平\s*成|昭\s*和|(?<![A-Za-zＡ-Ｚａ-ｚ])[RHSＲＨＳ])(?P<gap>\s{{0,2}})(?P<in>{_NUMBER}|元)"
_YEAR = r"(?<![0-9０-９,，.．])(?P<year>(?:19[89]|20[0-4])[0-9]|(?:１９[８９]|２０[０-４])[０-９])(?![0-9０-９]|[,，][0-9０-９])"
# 27→28→29年度, 28年度, 29年4月: years whose era stands elsewhere. 3年間 and 5年 are durations and stay.
_LINK = r"(?:年度?)?\s*(?:→|～|〜|~|・|、|から|と|及び)\s*"
_FISCAL = rf"(?<![0-9０-９,，.．])(?P<bare>(?:{_NUMBER}{_LINK})*(?:{_NUMBER}|元)\s*年\s*度)"
_MONTH = rf"(?<![0-9０-９,，.．])(?P<month>{_NUMBER})(?=\s*年\s*{_NUMBER}\s*月(?!間))"
DATES = re.compile("|".join((_ERA, _YEAR, _FISCAL, _MONTH)))


@dataclass(frozen=True, slots=True)
class Perturbation:
    """What becomes of a text: names to new names, then years forward by ``years``."""

    names: dict[str, str]
    years: int = 0

    def text(self, text: str) -> str:
        """``"所見市の戸籍システム、令和3年度" -> "碧原市のアカネ戸籍システム、令和5年度"``, in both widths, over line breaks."""
        if self.names:
            text = _pattern(tuple(self.names)).sub(self._name, text)
        return shift_years(text, self.years) if self.years else text

    def case(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row of a question file with all its strings changed but ``id`` and ``type``."""
        return {key: value if key in ("id", "type") else self._any(value) for key, value in row.items()}

    def _any(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._any(part) for part in value]
        if isinstance(value, dict):
            return {key: self._any(part) for key, part in value.items()}
        return value

    def _name(self, found: re.Match[str]) -> str:
        old = _ordered(tuple(self.names))[(found.lastindex or 1) - 1]
        new, printed = self.names[old], str(found.group())
        # A new first word leaves the printed name as it is, widths and line breaks and all.
        return new.removesuffix(old) + printed if new.endswith(old) else new


@dataclass(frozen=True, slots=True)
class Report:
    """What was written: cases kept, and those left out with the reason (the copy would not hold their evidence)."""

    kept: int
    left_out: dict[str, str]
    files: int
    names: dict[str, str]


def shift_years(text: str, years: int) -> str:
    """Move every written year: ``"H29年度、平成30(2018)年7月、28→29年度" -> "H31年度、平成32(2020)年7月、30→31年度"``.

    Eras are counted on, not changed: documents of 2018 print 平成38年度 themselves.
    """

    def move(found: re.Match[str]) -> str:
        if found["era"]:
            return found["era"] + found["gap"] + _add(found["in"], years)
        if found["year"] or found["month"]:
            return _add(found["year"] or found["month"], years)
        return re.sub(r"[0-9０-９]+|元", lambda number: _add(number.group(), years), found["bare"])

    return DATES.sub(move, text)


def plan(cases: CaseFile, years: int = 2, swap: bool = False) -> Perturbation:
    """Names from the questions: municipalities to invented ones (or to each other), gold sheets with a new first word."""
    cities = sorted({city for case in cases.cases for city in case.municipality if city})
    sheets = sorted({gold.partition("@")[0] for case in cases.cases for gold in case.sheets})
    return Perturbation({**_cities(cities, swap), **_sheets(sheets)}, years)


def perturb(corpus: Path, questions: Path, out: Path, years: int = 2, swap: bool = False) -> Report:
    """Write ``out/corpus/`` and ``out/questions.jsonl``; raises SettingsError if ``corpus`` holds no UTF-8 text."""
    cases = read_cases(questions)
    if not cases.cases:
        raise SettingsError(f"質問がありません: {questions}。JSON Lines の質問ファイルを指定してください。")
    if questions.suffix != ".jsonl":
        raise SettingsError(f"JSON Lines の質問ファイルを指定してください: {questions.name}")
    change = plan(cases, years, swap)
    texts = {path: path.read_bytes().decode("utf-8") for path in sorted(corpus.rglob("*.txt"))}
    if not texts:
        raise SettingsError(f"テキスト(.txt)の資料がありません: {corpus}。フォルダーを確かめてください。")
    changed = {path: change.text(text) for path, text in texts.items()}
    for path, text in changed.items():
        target = out / "corpus" / path.relative_to(corpus)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8"))
    old, new = squash("".join(texts.values())), squash("".join(changed.values()))
    usable = {case.id for case in cases.cases}
    rows, left_out = [], {}
    for row in _rows(questions):
        if row.get("id") not in usable:
            continue
        made = change.case(row)
        lost = _lost(row, made, old, new)
        if lost:
            left_out[str(row["id"])] = lost
        else:
            rows.append(json.dumps(made, ensure_ascii=False))
    (out / "questions.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return Report(len(rows), left_out, len(texts), change.names)


def _lost(row: dict[str, Any], made: dict[str, Any], old: str, new: str) -> str:
    """Why a changed case no longer fits the changed corpus; empty when it does.

    A string cut out of a document may begin behind an era or in the middle of a name, so that alone it changes
    otherwise than in its place.
    """
    pairs = [*zip(row.get("evidence", []), made.get("evidence", []), strict=True)]
    pairs += (
        [(a.partition("@")[0], b.partition("@")[0]) for a, b in zip(row["sheets"], made["sheets"], strict=True)]
        if row.get("sheets")
        else []
    )
    for before, after in pairs:
        if squash(before) in old and squash(after) not in new:
            return str(after)
    return ""


def _rows(questions: Path) -> Iterable[dict[str, Any]]:
    for line in questions.read_text(encoding="utf-8-sig").splitlines():
        try:
            row: Any = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict):
            yield row


def _cities(cities: Sequence[str], swap: bool) -> dict[str, str]:
    """Names with and without the kind of municipality: 所見市 and 所見, which people write as well."""
    names: dict[str, str] = {}
    pools = {True: iter(CITIES_KANA), False: iter(CITIES_KANJI)}
    for number, city in enumerate(cities):
        stem, kind = city[:-1], city[-1]
        other = cities[(number + 1) % len(cities)][:-1]
        new = other if swap else next(pools[_script(stem) == "HIRAGANA"], f"新{stem}")
        names[city] = new + kind
        if len(stem) > 1:  # the stem of a one-letter city stands in too many other words
            names[stem] = new
    return names


def _sheets(sheets: Sequence[str]) -> dict[str, str]:
    names = {}
    for number, sheet in enumerate(sheets):
        words = WORDS_KANJI if _script(sheet) == "KATAKANA" else WORDS_KATAKANA
        names[sheet] = words[number % len(words)] + sheet
    return names


def _script(text: str) -> str:
    return unicodedata.name(unicodedata.normalize("NFKC", text[0]), "").split(" ")[0]


@cache
def _ordered(names: tuple[str, ...]) -> list[str]:
    # The longest first: a name may be the end or the beginning of another.
    return sorted(names, key=len, reverse=True)


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({_loose(name)})" for name in _ordered(names)))


def _loose(name: str) -> str:
    """A pattern for a name in either width, with a line break or blanks between its letters."""
    letters = [letter for letter in unicodedata.normalize("NFKC", name) if not letter.isspace()]
    return _GAP.join(f"[{re.escape(''.join(_widths(letter)))}]" for letter in letters)


def _widths(letter: str) -> tuple[str, ...]:
    wide = chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter
    return tuple(dict.fromkeys((letter, wide, letter.upper(), letter.lower(), wide.upper(), wide.lower())))


def _add(number: str, years: int) -> str:
    value = 1 if number == "元" else int(number.translate(_DIGITS))
    told = str(value + years)
    return told.translate(_WIDE) if "０" <= number[0] <= "９" else told


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: prints what was kept and left out."""
    parser = argparse.ArgumentParser(prog="evals.perturb", description="名前と年を変えた資料と質問の写しを作ります。")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("out", type=Path, help="資料を置いてよい一時フォルダー")
    parser.add_argument("--years", type=int, default=2)
    parser.add_argument("--swap", action="store_true", help="自治体名を架空の名前ではなく互いに入れ替えます")
    chosen = parser.parse_args(arguments)
    try:
        told = perturb(chosen.corpus, chosen.questions, chosen.out, chosen.years, chosen.swap)
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    sys.stdout.write(f"{told.files} 件の資料、{told.kept} 件の質問を {chosen.out} に書きました。\n")
    for name, lost in told.left_out.items():
        sys.stdout.write(f"除いた質問 {name}: 根拠が変わった資料にありません: {lost}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
