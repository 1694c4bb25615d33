"""The check of written sentences: no altered number, date or name may pass, and faithful sentences have to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.support.check import check
from assistant.support.evidence import source
from assistant.support.naming import names_of
from assistant.support.quantities import plain, quantities
from corpus.days import fiscal_year
from corpus.documents import Fact, Span
from evals.benchmarks.llmcheck import judge, summed, words_of_meaning
from evals.support.alterations import HARD
from evals.support.casefile import BLIND, BY_HAND, DEVELOPED, FREE, REPORTED, read_cases, read_quotes

ENCODE = words_of_meaning()
NOWHERE = Span(0, 0)


def cost(year: int, yen: float, kind: str = "actual") -> Fact:
    field = "決算額" if kind == "actual" else "予算額"
    return Fact(field, field, yen, "", "円", fiscal_year(year), kind, NOWHERE, NOWHERE)  # type: ignore[arg-type]


BOILER = source(
    1, "みなと野市", "学校給食運営事業", "教育部 学校給食課", "今後の計画", 2024,
    "ボイラーは令和8年8月に更新する。調理は株式会社みのり台フーズに委託している。令和8年度に給食費の改定を検討する。",
)  # fmt: skip
WAITING = source(
    2, "みなと野市", "放課後児童クラブ運営事業", "こども部 子育て支援課", "評価の理由", 2024,
    "目標の待機児童ゼロに対し41人となり、前年度より17人悪化した。支援員の欠員を解消できなかった。",
)  # fmt: skip
COSTS = source(
    3, "みなと野市", "学校給食運営事業", "教育部 学校給食課", "決算額", 2024, "決算額\t709,815\t772,418",
    [cost(2023, 709_815_000), cost(2024, 772_418_000)],
)  # fmt: skip
OTHER = source(
    4, "みなと野市", "図書館運営事業", "教育部 図書館課", "決算額", 2024, "決算額\t50,000\t60,000",
    [cost(2023, 50_000_000), cost(2024, 60_000_000)],
)  # fmt: skip
BUDGET = source(
    5, "みなと野市", "学校給食運営事業", "教育部 学校給食課", "予算額", 2024, "予算額\t712,460\t768,900",
    [cost(2023, 712_460_000, "plan"), cost(2024, 768_900_000, "plan")],
)  # fmt: skip
ALL = [BOILER, WAITING, COSTS, OTHER, BUDGET]


def why(sentence: str) -> str:
    return check(sentence, ALL, ENCODE).why


@pytest.mark.parametrize(
    "sentence",
    [
        "ボイラーは2026年8月に更新する予定です[1]。",
        "ボイラーはR8.8に更新します。[1]",
        "ボイラーは令和八年八月に更新する予定です［1］。",
        "調理は株式会社みのり台フーズに委託しています[1]。",
        "令和6年度の待機児童は41人で、前年度より17人悪化しました[2]。",
        "待機児童は四十一人となりました[2]。",
        "支援員の欠員は解消できませんでした[2]。",
        "令和6年度の決算額は772,418千円でした[3]。",
        "2024年度の決算額は7億7,241万8千円です[3]。",
        "決算額は、令和5年度の7億981.5万円から令和6年度の7億7,241.8万円に増加しました[3]。",
        "令和６年度の決算額は、学校給食運営事業が772,418,000円[3]、図書館運営事業が6,000万円です[4]。",
        "令和6年度の予算額は768,900千円、決算額は772,418千円でした[5][3]。",
    ],
)
def test_a_faithful_sentence_is_kept(sentence):
    assert why(sentence) == ""


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("ボイラーは令和8年8月に更新します。", "mark"),
        ("ボイラーは令和8年8月に更新します[9]。", "mark"),
        ("ボイラーは令和8年9月に更新します[1]。", "date"),
        ("ボイラーは令和6年度に更新します[1]。", "date"),  # the sheet's own year is not the year of the plan
        ("ボイラーは令和8年8月に廃止します[1]。", "meaning"),
        ("ボイラーは令和8年8月に更新しません[1]。", "polarity"),
        ("ボイラーは令和8年8月に更新しました[1]。", "polarity"),
        ("令和8年度に給食費を改定します[1]。", "polarity"),  # 検討する
        ("調理は株式会社きたの台フーズに委託しています[1]。", "name"),
        ("調理は直営で行っています[1]。", "meaning"),
        ("待機児童は17人となり、前年度より41人悪化しました[2]。", "number"),
        ("待機児童は41件となりました[2]。", "number"),
        ("待機児童は弐拾人となりました[2]。", "number"),
        ("待機児童は参人となりました[2]。", "number"),
        ("待機児童は41人となり、改善しました[2]。", "polarity"),
        ("令和6年度の決算額は709,815千円でした[3]。", "number"),
        ("令和6年度の予算額は772,418千円です[3]。", "number"),
        ("令和6年度の決算額は772,418円でした[3]。", "number"),
        ("令和6年度の決算額は772,418千円で、減少しました[3]。", "meaning"),
        ("決算額は、令和5年度の709,815千円から令和6年度の772,418千円に減少しました[3]。", "polarity"),
        ("図書館運営事業の令和6年度の決算額は772,418千円です[3][4]。", "number"),
        ("図書館課は、ボイラーを令和8年8月に更新します[1]。", "name"),
        ("令和6年度の決算額は約7億7千万円です[3]。", "number"),  # rounded: to the letter means to the letter
    ],
)
def test_an_unfaithful_sentence_is_dropped_with_its_reason(sentence, reason):
    assert why(sentence) == reason


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_an_amount_passes_only_when_it_is_the_printed_one(said, printed):
    fact = source(1, "市", "給食事業", "給食課", "決算額", 2024, "決算額\t1", [cost(2024, float(printed))])
    verdict = check(f"令和6年度の決算額は{said:,}円です[1]。", [fact], ENCODE)
    assert (verdict.why == "") == (said == printed)


@given(st.integers(2015, 2035), st.integers(1, 12), st.integers(2015, 2035), st.integers(1, 12))
def test_a_month_passes_only_when_it_is_the_printed_one(year, month, other, another):
    passage = source(1, "市", "給食事業", "給食課", "計画", 2024, f"ボイラーを{year}年{month}月に更新する。")
    verdict = check(f"ボイラーを{other}年{another}月に更新します[1]。", [passage], ENCODE)
    assert (verdict.why == "") == ((year, month) == (other, another))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("350人", "三百五十人"), ("1億2,000万円", "一億二千万円"), ("1,234千円", "123.4万円"), ("４割", "40％"),
        ("20名", "20人"), ("3か所", "3ヶ所"), ("6つの講座", "6講座"), ("▲5%", "マイナス５パーセント"),
    ],
)  # fmt: skip
def test_one_number_in_two_spellings_is_one_number(one, other):
    first, second = (quantities(plain(text), None).figures for text in (one, other))
    assert len(first) == len(second) == 1 and first[0].same(second[0])


@pytest.mark.parametrize("text", ["一部を委託する。", "一般財源", "十分に検討する。", "一体的に進める。"])
def test_words_that_only_look_like_numbers_are_none(text):
    assert quantities(plain(text), None).figures == ()


def test_names_are_found_by_their_ends_and_letters():
    found = names_of("浜手小クラブは生涯学習課がICカードで管理する。")
    assert {"浜手小クラブ", "生涯学習課", "ic"} <= set(found)


@pytest.fixture(scope="module")
def quotes():
    return read_quotes()


@pytest.mark.parametrize("file", [DEVELOPED, REPORTED], ids=["developed", "reported"])
def test_no_altered_number_date_or_name_passes_and_nine_in_ten_faithful_sentences_do(file, quotes):
    judged = judge(read_cases(file), quotes, ENCODE)
    told = summed(judged)
    passed = [one.case.sentence for one in judged if one.kept and one.case.kind in HARD]
    assert told["numbers, names, dates"]["n"] >= 300 and passed == []
    assert told["altered"]["n"] >= 300
    assert told["faithful"]["n"] >= 300
    assert told["faithful"]["kept"] >= 0.9 * told["faithful"]["n"]


@pytest.mark.parametrize(
    "quote, sentence",
    [
        ("参加者数は目標に届かなかった。", "参加者数は目標に足りた[1]。"), ("参加者数は目標に届かなかった。", "参加者数は目標に達した[1]。"),
        ("目標に不足した。", "目標に届いた[1]。"), ("職員が不足した。", "職員が足りた[1]。"),
        ("申込みを断った。", "申込みを受け入れた[1]。"), ("工事が滞った。", "工事が進んだ[1]。"), ("端末を借りた。", "端末を貸した[1]。"),
        ("周知が不足している。", "十分に周知されている[1]。"), ("巡回を続ける。", "巡回を取りやめる[1]。"),
        ("定員を40人増やした。", "定員を40人とした[1]。"), ("定員は40人である。", "定員は40人増えた[1]。"),
    ],
)  # fmt: skip
def test_no_group_of_paraphrases_holds_opposites(quote, sentence):
    assert check(sentence, [source(1, "湊見市", "図書館運営", "図書館", "実績", 2024, quote)], ENCODE).why


def test_sentences_written_freely(quotes):
    """Of the true ones those that say only what is printed: what was rounded or worked out is not to the letter."""
    judged = judge(read_cases(FREE), quotes, ENCODE)
    told = summed(judged)
    printed, worked_out = told["by_kind"]["faithful: faithful"], told["by_kind"]["faithful: worked out"]
    assert printed["kept"] >= 0.7 * printed["n"] and worked_out["kept"] == 0
    assert told["altered"]["n"] == 420 and told["altered"]["let_through"] <= 0.01 * 420


@pytest.mark.parametrize("file", [BY_HAND, BLIND], ids=["by hand", "blind"])
def test_sentences_written_by_hand(file, quotes):
    told = summed(judge(read_cases(file), quotes, ENCODE))
    assert told["faithful"]["kept"] >= 0.85 * told["faithful"]["n"]
    assert told["altered"]["let_through"] <= 0.05 * told["altered"]["n"]
