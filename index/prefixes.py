"""What a model wants to read before a question and before a passage, and where that is known from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from index.modelfolder import ModelFolder


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The text put before a question and before a passage; ``known_from`` says in Japanese who says so."""

    query: str = ""
    passage: str = ""
    known_from: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Models of one training: a pattern of their names, and the prefixes they were trained with."""

    name: str
    pattern: str
    query: str
    passage: str


# The first whose name fits counts. Sources: the models' own cards.
FAMILIES = (
    Family(
        "E5 instruct",
        r"e5.*instruct",
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
        "",
    ),
    Family("E5", r"(multilingual-)?e5", "query: ", "passage: "),
    Family("Ruri v3", r"ruri-v3", "検索クエリ: ", "検索文書: "),
    Family("Ruri", r"ruri", "クエリ: ", "文章: "),
    Family("GLuCoSE v2", r"glucose-base-ja-v2", "query: ", "passage: "),
)


def recognise(folder: ModelFolder, prompts: Mapping[str, str]) -> Prefixes:
    """A model's own prompts where it has any; else those of the family its name, its config or its card names.

    The name of a folder may say nothing (``model``), so config.json's ``_name_or_path`` and the card are looked at too;
    a card that spells out both prefixes of a family is as good as a name. Without any of it there are no prefixes.
    """
    query = prompts.get("query") or ""
    passage = prompts.get("passage") or prompts.get("document") or ""
    if query or passage:
        return Prefixes(query, passage, "モデルの設定")
    if folder.is_model2vec or "StaticEmbedding" in folder.kinds:
        return Prefixes()  # a mean of word vectors has nothing to learn from a prefix
    named = [folder.name, str(folder.config.get("_name_or_path") or ""), *_card_names(folder.card)]
    for name in named:
        for family in FAMILIES:
            if re.search(rf"(?<![a-z0-9]){family.pattern}(?![a-z0-9])", name.lower().replace("_", "-")):
                return Prefixes(family.query, family.passage, f"{family.name} 系のモデル")
    for family in FAMILIES:
        if family.passage and family.query.strip() in folder.card and family.passage.strip() in folder.card:
            return Prefixes(family.query, family.passage, f"{family.name} 系のモデル（説明書きによる）")
    return Prefixes()


def _card_names(card: str) -> list[str]:
    """The names in the head of a model card: ``model-index`` and ``base_model``."""
    if not card.startswith("---"):
        return []
    head = card[3:].split("\n---", 1)[0]
    return re.findall(r"^[^\S\n]*+(?:-[^\S\n]*+)?(?:name|base_model):\s*(\S+)\s*$", head, re.MULTILINE)
