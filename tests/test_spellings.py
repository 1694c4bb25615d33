"""Words that stand nowhere in the corpus are looked for by their sound or by their letters too."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.spellings import MISTYPED, SAME_SOUND, Spellings
from index.synonyms import Alternative, Synonyms
from index.tokens import words
from index.wordlists import WordLists, WordListsWriter

TEXTS = (
    "校務支援システムを更改する。",
    "課税の資料を電算室に保管する。",
    "パトロールの予約をオンラインで受け付ける。",
    "昆布を最終便で送る。",
)


@pytest.fixture(scope="module")
def spellings(tmp_path_factory: pytest.TempPathFactory) -> Spellings:
    writer = WordListsWriter()
    for text in TEXTS:
        writer.head([])
        writer.body(words(text, parts=True))
    folder: Path = tmp_path_factory.mktemp("lists") / "words"
    writer.write(folder)
    return Spellings(WordLists(folder))


def added(spellings: Spellings, query: str, synonyms: Synonyms | None = None) -> list[Alternative]:
    looked_for = (synonyms or Synonyms([])).expand(query)
    corrected = spellings.corrected(query, looked_for)
    assert corrected.words == looked_for.words
    assert corrected.alternatives[: len(looked_for.alternatives)] == looked_for.alternatives
    return list(corrected.alternatives[len(looked_for.alternatives) :])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("公務支援の更改", [Alternative(0, 1, ("校務",), SAME_SOUND)]),
        ("資料の保観", [Alternative(1, 3, ("保管",), SAME_SOUND)]),  # no word to MeCab, but 保 and 観
        ("パトロルの予約", [Alternative(0, 1, ("パトロール",), MISTYPED)]),  # MeCab reads パ and トロール
        ("オンラオンで予約", [Alternative(0, 2, ("オンライン",), MISTYPED)]),
        ("校務支援の更改", []),  # every word stands somewhere
        ("道路の予約", []),  # and sounds like no other
    ],
)
def test_what_was_meant_is_looked_for_beside_the_word(
    spellings: Spellings, query: str, expected: list[Alternative]
) -> None:
    assert added(spellings, query) == expected


def test_a_question_about_something_else_is_not_bent_to_the_corpus(spellings: Spellings) -> None:
    """採集 sounds like 最終, but no word of the question stands anywhere: the city just has no insects."""
    assert added(spellings, "昆虫採集") == []


def test_a_synonym_that_is_there_is_better_than_a_guess(spellings: Spellings) -> None:
    synonyms = Synonyms([(("公務", "課税"), 0.8)])
    assert added(spellings, "公務支援", synonyms) == []
