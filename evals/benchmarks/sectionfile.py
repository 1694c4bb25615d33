"""The sections that a benchmark of size works on, the same for every system, and the questions asked of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random

from evals.benchmarks.manysheets import DATA, Reading, readings
from index.chunks import passage_text, split
from index.tokens import tagger

WARMING = 20  # questions asked before the clock runs
KNOWN = 200  # questions whose answer is known
_WORDS = 4  # of a question whose answer is known


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is; a chunk is a section, or a part of a long one."""

    sections: int
    chunks: int
    sheets: int


@dataclass(frozen=True, slots=True)
class Known:
    """A question, and the name of the programme it looks for: of the sheets of all years and towns any is right."""

    question: str
    name: str


@dataclass(frozen=True, slots=True)
class SectionFile:
    """A folder with the chunks of some thousand sections in files, as hyoka cuts and heads them."""

    folder: Path
    size: int
    data: Path = DATA

    def write(self) -> None:
        """Writes the files, unless they are there."""
        if (self.folder / "counts.json").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        sections = chunks = sheets = 0
        with (
            (self.folder / "texts.jsonl").open("w", encoding="utf-8") as texts,
            (self.folder / "names.txt").open("w", encoding="utf-8") as names,
        ):
            for document, found in self.readings():
                sheets += len(found)
                for reading in found:
                    sections += len(reading.sections)
                    for section in reading.sections:
                        text = document.text[section.span.start : section.span.end]
                        for piece in split(text):
                            headed = passage_text(reading.sheet, section, text[piece.start : piece.end])
                            texts.write(json.dumps(headed, ensure_ascii=False) + "\n")
                            names.write(reading.sheet.name + "\n")
                            chunks += 1
        from evals.benchmarks.vectors import questions_of  # reads FAISS, which not every system needs

        known = [asdict(one) for one in known_items(self.readings())]
        told = {"typed": questions_of(self.data.parent), "known": known}
        (self.folder / "questions.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")
        (self.folder / "counts.json").write_text(json.dumps(asdict(Counts(sections, chunks, sheets))), "utf-8")

    def readings(self) -> Iterator[Reading]:
        """What hyoka indexes: documents with their sheets."""
        return readings(self.size, self.data)

    def texts(self) -> Iterator[str]:
        """What the others index: every chunk under its sheet's name and its label, as hyoka encodes it."""
        with (self.folder / "texts.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def names(self) -> list[str]:
        """The name of each chunk's sheet."""
        return (self.folder / "names.txt").read_text("utf-8").split("\n")[:-1]

    def counts(self) -> Counts:
        """How much there is."""
        return Counts(**json.loads((self.folder / "counts.json").read_text("utf-8")))

    def typed(self) -> list[str]:
        """Questions as they are typed; the first :data:`WARMING` are for warming up."""
        told: list[str] = json.loads((self.folder / "questions.json").read_text("utf-8"))["typed"]
        return [*told[:: max(1, len(told) // WARMING)][:WARMING], *told]

    def known(self) -> list[Known]:
        """Questions whose answer is known."""
        told = json.loads((self.folder / "questions.json").read_text("utf-8"))["known"]
        return [Known(**one) for one in told]


def known_items(found: Iterator[Reading], limit: int = 60_000) -> list[Known]:
    """Four nouns out of a programme's purpose, as somebody types who half remembers it; from sheets spread over the
    first ``limit`` sections, so over all real ones. The same sheets give the same questions."""
    purposes: list[tuple[str, str]] = []
    seen = 0
    for _, sheets in found:
        for reading in sheets:
            purposes += [(reading.sheet.name, one.text) for one in reading.sections if one.field == "目的"]
            seen += len(reading.sections)
        if seen >= limit:
            break
    known = []
    with tagger() as mecab:
        for name, text in purposes[:: max(1, len(purposes) // KNOWN)]:
            nouns = [
                str(word) for word in mecab(text) if word.feature.pos1 == "名詞" and word.feature.pos2 == "普通名詞"
            ]
            telling = list(dict.fromkeys(word for word in nouns if len(word) > 1))
            if len(telling) >= _WORDS:
                chosen = Random(text).sample(range(len(telling)), _WORDS)
                known.append(Known(" ".join(telling[at] for at in sorted(chosen)), name))
    return list(islice(known, KNOWN))
