import pytest

from assistant.conditions import Condition, find_conditions, holds
from assistant.vocabulary import asked_fields, find_fields, find_intents, plainly, preamble_end
from corpus.normalize import squeeze


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("決算額が1億円以上の事業", Condition(">=", 100_000_000, "円")),
        ("500千円未満", Condition("<", 500_000, "円")),
        ("達成率が80％を下回った", Condition("<", 80, "%")),
        ("2,000万円を超えた", Condition(">", 20_000_000, "円")),
        ("職員3人以上", Condition(">=", 3, "人")),
    ],
)
def test_limits_on_figures(question: str, expected: Condition):
    assert find_conditions(squeeze(question))[0] == [expected]


@pytest.mark.parametrize(
    ("question", "grade"),
    [("Ｂ評価だったシステム", "B"), ("総合評価がＡの事業", "A"), ("評価はどうか", ""), ("GIS評価", "")],
)
def test_grades(question: str, grade: str):
    assert find_conditions(squeeze(question))[1] == grade


def test_a_condition_holds_at_its_own_limit_only_when_it_says_so():
    assert holds(Condition(">=", 5, ""), 5) and not holds(Condition(">", 5, ""), 5)
    assert holds(Condition("<=", 5, ""), 5) and not holds(Condition("<", 5, ""), 5)


def names(question: str) -> list[str]:
    return [field.name for field, _, _ in find_fields(squeeze(question))]


def test_the_longer_phrase_names_the_field():
    assert names("総事業費の決算") == ["総事業費", "決算額"]
    assert names("概算人件費") == ["人件費"]


def test_an_everyday_word_gives_way_to_the_field_itself():
    assert names("決算額はいくら") == ["決算額"]
    assert names("いくらかかる見込み") == ["費用"]


def test_every_phrase_of_the_vocabulary_finds_its_own_field():
    """A phrase that is only ever shadowed by another field's is dead weight."""
    for asked in asked_fields():
        assert any(asked in [f for f, _, _ in find_fields(phrase)] for phrase in asked.ask), asked.name


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("どのシステムが2025年にサーバ更改?", "list"),
        ("決算額がいちばん大きい事業は？", "rank"),
        ("R5の人件費の合計", "sum"),
        ("B評価の事業は何件ありますか", "count"),
        ("デジタルアーカイブとは", "definition"),
        ("次の更改はいつ？", "when"),
        ("なぜ未達成？", "reason"),
        ("決算額は？", "number"),
        ("今後の計画", "text"),
        ("2つの課の決算額を合わせるといくら", "sum"),
        ("見守る人を洗い出しておくシステムはいつ新しいものに替わる?", "when"),
        ("一番新しいシステムはどれ?", "rank"),
        ("対象の事業を洗い出して", "list"),
        ("オンラインでできる手続きはいくつありますか", "number"),
        ("来年更改するものはいくつありますか", "count"),
    ],
)
def test_intents(question: str, intent: str):
    assert find_intents(squeeze(question))[0] == intent


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("お疲れさまです。決算額は?", "決算額は?"),
        ("すみません、ひとつ確認です。予算はいくら?よろしくお願いします。", "予算はいくら?"),
        ("参加者数は? ※部長に説明するためです", "参加者数は?"),
        ("参加者数は?(来週の委員会で使います)", "参加者数は?"),
        ("参加者数は?(住民説明会)", "参加者数は?(住民説明会)"),
        ("もっとも高いのは?", "最も高いのは?"),
        ("よろしくお願いします", "よろしくお願いします"),
    ],
)
def test_courtesies_are_taken_off(question: str, rest: str):
    assert plainly(question) == rest


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("財政課の者です。決算額は？", "決算額は?"),
        ("議員から聞かれそうなので確認です。予算は？", "予算は?"),
        ("監査対応で確認したいのですが、契約は何本？", "契約は何本?"),
        ("紙を減らすため、何を設定した？", "紙を減らすため、何を設定した?"),
    ],
)
def test_who_asks_is_left_out_of_the_search(question: str, rest: str):
    key = squeeze(question)
    assert key[preamble_end(key) :] == rest
