"""Training pairs and held-out rows, read from the open data and from the rows written for hyoka."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWN_DATA = Path(__file__).parent / "data"
OWN_WORDS = "words.jsonl"  # an official word and plain ways to say it

# Whole domains of the everyday-phrasing files that training never sees.
HELD_OUT_DOMAINS = frozenset(
    "環境 障害 健康 戸籍 水道 選挙 議会 観光 保育 防災 消費 会計 衛生 公園 斎場 統計 消防 窓口 広報 農業".split()
)
LAY_FILES = (
    "lay-admin", "lay-it", "lay-itstate", "lay-phrases", "lay-programmes", "lay-resident", "lay-things", "lay-town",
)  # fmt: skip
SHEETQA_FILES = ("sheetqa-general", "sheetqa-general2", "sheetqa-it", "sheetqa-it2")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a text that answers it.

    ``group`` names the batches it goes into; pairs of one ``key`` are never each other's negatives.
    """

    group: str
    key: str
    query: str
    passage: str


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A retrieval test: ``gold[i]`` is the place in ``passages`` of what answers ``queries[i]``."""

    name: str
    queries: list[str]
    passages: list[str]
    gold: list[int]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file, gzipped or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def share(text: str) -> float:
    """A number in 0..1 that depends on the text alone: splits stay the same from run to run."""
    return int.from_bytes(hashlib.sha1(text.encode()).digest()[:4], "big") / 2**32


def training_pairs(data: Path, seed: int = 7, hold_out: bool = True) -> list[Pair]:
    """Every pair that training may see, in a fixed order."""
    rng = random.Random(seed)
    pairs: list[Pair] = []
    pairs += _lay_pairs(data, hold_out)
    pairs += _own_pairs(hold_out)
    for row in read_rows(OWN_DATA / OWN_WORDS):
        pairs += [Pair("civic", row["word"], plain, row["word"]) for plain in row["plain"]]
    pairs += _sheet_pairs(data, hold_out)
    for row in _rows(data, "staff-queries"):
        pairs.append(Pair("civic", row["formal"], row["q"], row["formal"]))
    for row in _rows(data, "jimujigyo-summary-train"):
        pairs.append(Pair("civic", row["query"], row["query"], row["positive"]))
    for row in _rows(data, "field-synonyms"):
        for spoken in row["spoken"]:
            pairs += [Pair("civic", row["field"], spoken, label) for label in row["labels"]]
    pairs += _word_pairs(data, rng)
    pairs += _state_pairs(data)
    pairs += _law_pairs(data, rng)
    pairs += _open_pairs(data)
    return [pair for pair in pairs if pair.query.strip() and pair.passage.strip() and pair.query != pair.passage]


def raw_texts(data: Path) -> Iterator[str]:
    """Running text for counting words and for the contexts of words without a vector."""
    for name in ("judgit-text", "nta-text", "govit-text"):
        for row in _rows(data, name):
            yield row["text"][:600]
    seen: set[str] = set()
    for row in _rows(data, "jaquad-train"):
        if row["positive"] not in seen:
            seen.add(row["positive"])
            yield row["positive"][:600]


def held_out(data: Path) -> list[HeldOut]:
    """The retrieval tests of ``measure``: nothing in them was trained on."""
    lay = [row for row in _lay_rows(data) if _lay_is_held_out(row)]
    own = [row for row in own_rows() if row["held_out"]]
    sheets = [row for row in _sheet_rows(data) if _sheet_is_held_out(row)]
    tests = [
        _test("lay", [(q, f"{row['term']} {row['formal']}") for row in lay for q in row["lay"]]),
        _test("own", [(q, f"{row['term']} {row['formal']}") for row in own for q in row["lay"]]),
        _test("sheetqa", [(q["q"], _sheet_text(row)) for row in sheets for q in row["questions"]], extra_from=None),
        _test("sheetqa-lay", [
            (q["q"], _sheet_text(row)) for row in sheets for q in row["questions"] if q["kind"] == "lay"
        ]),
    ]  # fmt: skip
    for name in ("jsquad-dev", "niilc-test", "nta-qa-dev", "judgit-pairs-dev", "jimujigyo-summary-dev"):
        rows = list(_rows(data, name))
        queries = [(row["query"], row["positive"]) for row in rows]
        tests.append(_test(name, queries, limit=1500))
    return [test for test in tests if test.queries]


def _test(
    name: str, pairs: list[tuple[str, str]], limit: int | None = None, extra_from: list[str] | None = None
) -> HeldOut:
    passages = list(dict.fromkeys([passage for _, passage in pairs] + (extra_from or [])))
    place = {passage: number for number, passage in enumerate(passages)}
    if limit and len(pairs) > limit:
        pairs = random.Random(7).sample(pairs, limit)
    return HeldOut(name, [query for query, _ in pairs], passages, [place[passage] for _, passage in pairs])


def _rows(data: Path, name: str) -> Iterator[dict[str, Any]]:
    return read_rows(data / f"{name}.jsonl.gz")


def _lay_rows(data: Path) -> Iterator[dict[str, Any]]:
    for name in LAY_FILES:
        yield from _rows(data, name)


def _lay_is_held_out(row: dict[str, Any]) -> bool:
    # The IT files have one domain each, so a tenth of their terms stands in for a held-out domain.
    return row["domain"] in HELD_OUT_DOMAINS or (
        row["domain"] in {"IT", "事物", "表現", "評価"} and share(row["term"]) < 0.08
    )


def own_rows() -> Iterator[dict[str, Any]]:
    """The rows in ``data/`` but ``words.jsonl``: term, formal, lay, domain, held_out."""
    for path in sorted(OWN_DATA.glob("*.jsonl")):
        if path.name != OWN_WORDS:
            yield from read_rows(path)


def _phrasing_pairs(rows: list[dict[str, Any]], group: str) -> list[Pair]:
    pairs: list[Pair] = []
    for row in rows:
        term, formal, phrasings = row["term"], row["formal"], row["lay"]
        for number, phrasing in enumerate(phrasings):
            pairs.append(Pair(group, term, phrasing, f"{term} {formal}"))
            pairs.append(Pair(group, term, phrasing, formal if number % 2 else term))
            pairs.append(Pair(group, term, phrasing, phrasings[number - 1]))
    return pairs


def _lay_pairs(data: Path, hold_out: bool) -> list[Pair]:
    rows = list(_lay_rows(data))
    hidden = {row["term"] for row in rows if hold_out and _lay_is_held_out(row)}
    return _phrasing_pairs([row for row in rows if row["term"] not in hidden], "civic")


def _own_pairs(hold_out: bool) -> list[Pair]:
    return _phrasing_pairs([row for row in own_rows() if not (hold_out and row["held_out"])], "civic")


def _sheet_rows(data: Path) -> Iterator[dict[str, Any]]:
    for name in SHEETQA_FILES:
        yield from _rows(data, name)


def _sheet_is_held_out(row: dict[str, Any]) -> bool:
    return share(row["sheet"]) < 0.3


def _sheet_text(row: dict[str, Any]) -> str:
    return f"{row['sheet']} {row['section']} {row['text']}"


def _sheet_pairs(data: Path, hold_out: bool) -> list[Pair]:
    pairs: list[Pair] = []
    for row in _sheet_rows(data):
        if hold_out and _sheet_is_held_out(row):
            continue
        for question in row["questions"]:
            pairs.append(Pair("civic", row["sheet"], question["q"], _sheet_text(row)))
            pairs.append(Pair("civic", row["sheet"], question["q"], row["text"]))
    return pairs


def _word_pairs(data: Path, rng: random.Random) -> list[Pair]:
    pairs: list[Pair] = []
    for name in ("it-def", "ejdict-def", "textdef", "stdguide-glossary"):
        pairs += [Pair("words", row["positive"], row["query"], row["positive"]) for row in _rows(data, name)]
    for name in ("sudachi-syn", "omw-wikt-syn", "abbrev-syn", "staff-synonyms", "ejdict-syn"):
        for row in _rows(data, name):
            if str(row.get("note", "")).startswith("risky"):
                continue
            terms = list(row["terms"])
            rng.shuffle(terms)
            pairs += [Pair("words", terms[0], one, other) for one, other in zip(terms, terms[1:3], strict=False)]
    return pairs


def _state_pairs(data: Path) -> list[Pair]:
    judgit = _rows(data, "judgit-pairs-train")
    pairs = [Pair("state", row["positive"][:40], row["query"], row["positive"]) for row in judgit]
    pairs += [Pair("tax", row["query"], row["query"], row["positive"]) for row in _rows(data, "nta-qa-train")]
    pairs += [Pair("it", row["query"], row["query"], row["positive"]) for row in _rows(data, "itdocs-pairs-train")]
    return pairs


def _law_pairs(data: Path, rng: random.Random) -> list[Pair]:
    """A sentence of a text on tax law and the rest of that text; without the questions and answers, which are tests."""
    measured = {
        line
        for row in _rows(data, "nta-qa-dev")
        for text in (row["query"], row["positive"])
        for line in _sentences(text)
        if len(line) > 25
    }
    pairs: list[Pair] = []
    for row in _rows(data, "nta-text"):
        sentences = _sentences(row["text"][:600])
        if "質疑応答" in row["source"] or len(sentences) < 2 or measured.intersection(_sentences(row["text"])):
            continue
        place = rng.randrange(len(sentences))
        rest = "".join(sentences[:place] + sentences[place + 1 :])
        pairs.append(Pair("law", rest[:40], sentences[place], rest))
    return pairs


def _sentences(text: str) -> list[str]:
    return [line for part in re.split(r"(?<=[。\n])", text) if len(line := part.strip()) > 15]


def _open_pairs(data: Path) -> list[Pair]:
    pairs = [Pair("open", row["positive"][:60], row["query"], row["positive"]) for row in _rows(data, "jaquad-train")]
    measured = {row["positive"] for row in _rows(data, "niilc-test")}  # some sentences answer questions of both splits
    pairs += [
        Pair("open", row["positive"][:60], row["query"], row["positive"])
        for row in _rows(data, "niilc-dev")
        if row["positive"] not in measured
    ]
    pairs += [Pair("words", row["positive"], row["query"], row["positive"]) for row in _rows(data, "jcqa-train")]
    for name, lowest in (("jsts-train", 4.0), ("jsick-train", 4.5), ("tmup", 1), ("enja-paraphrase", None)):
        for row in _rows(data, name):
            if lowest is None or float(row["label"]) >= lowest:
                pairs.append(Pair("pairs", row["sentence1"], row["sentence1"], row["sentence2"]))
    return pairs
