"""Pairs of writings that must meet, offsets that must hold."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import index.tokens
from index.tokens import clean, tokenize, words

SAME = [
    ("サーバ", "サーバー"),
    ("ユーザ管理", "ユーザー管理"),
    ("ｼｽﾃﾑ", "システム"),
    ("ﾃﾞｰﾀﾍﾞｰｽ", "データベース"),
    ("㈱", "(株)"),
    ("令和７年度", "R7"),
    ("令和 7 年\n度", "令和7年度"),
    ("2025年度", "R7年度"),
    ("平成31年度", "H31"),
    ("平成元年", "1989年"),
    ("12,155", "１２１５５"),
    ("高橋", "髙橋"),
    ("山崎", "山﨑"),
    ("葛飾", "葛󠄀飾"),
    ("民間", "⺠間"),
    ("デ\n\nータ", "データ"),
    ("シス\n  テム", "システム"),
    ("氏　名", "氏名"),
    ("ＡＩ‐ＯＣＲ", "AI-OCR"),
    ("Wi-Fi", "wifi"),
    ("Gov-Cloud", "GovCloud"),
    ("取組", "取り組み"),
    ("申込", "申し込み"),
    ("受付", "受け付け"),
    ("問合せ", "問い合わせ"),
    ("入替え", "入れ替え"),
    ("切替", "切り替え"),
    ("支払", "支払い"),
    ("手続", "手続き"),
    ("子ども", "子供"),
    ("こども", "子供"),
    ("障がい", "障害"),
    ("障碍者", "障害者"),
    ("コンピュータ", "コンピューター"),
    ("ウィルス", "ウイルス"),
    ("ソフトウエア", "ソフトウェア"),
    ("インタフェース", "インターフェイス"),
    ("ディスプレー", "ディスプレイ"),
    ("ごみ", "ゴミ"),
    ("改ざん", "改竄"),
    ("橋りょう", "橋梁"),
    ("稼動", "稼働"),
    ("附属", "付属"),
    ("國勢調査", "国勢調査"),
    ("檢査", "検査"),
    ("廣報", "広報"),
    ("學校敎育", "学校教育"),
    ("⽔道", "水道"),
    ("㍻３１年度", "平成31年度"),
    ("２０２５年度", "令和７年度"),
    ("Ｒ７年度", "2025年度"),
    ("１２，１５５千円", "12155千円"),
    ("ＬＧＷＡＮ", "lgwan"),
    ("ﾏｲﾅﾝﾊﾞｰｶｰﾄﾞ", "マイナンバーカード"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_writings_that_mean_the_same_give_the_same_words(a: str, b: str) -> None:
    assert words(a) == words(b) != []


DIFFERENT = [("サバ", "サーバー"), ("ビル", "ビール"), ("令和3年度", "平成3年度"), ("12,155", "12"), ("S3", "R3")]


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_writings_that_differ_stay_apart(a: str, b: str) -> None:
    assert not set(words(a)) & set(words(b))


def test_numbers_years_and_codes_stay_whole_and_particles_go() -> None:
    assert words("ICT-BCPの費用は12,155千円、達成率99.5%（R7）") == [
        "ictbcp", "費用", "12155", "千", "円", "達成", "率", "99.5%", "y2025",
    ]  # fmt: skip


def test_context_reaches_over_a_code() -> None:
    assert words("RPA化") == ["rpa", "化"]  # alone, MeCab reads 化 as the verb 化ける


def test_parts_help_recall_and_are_asked_for() -> None:
    assert "市民課" in words("市民課の窓口", parts=True)
    assert {"aiocr", "ocr"} <= set(words("AI-OCR", parts=True))
    assert {"y2019", "y2021"} <= set(words("2019-2021", parts=True))
    assert "ocr" not in words("AI-OCR")
    assert {"見直す", "見直し"} == set(words("見直した", parts=True))
    assert {"遅れる", "遅れ"} == set(words("遅れて", parts=True))


def test_an_unknown_word_is_found_by_its_pairs_of_characters() -> None:
    assert {"ネソ", "ソラ", "ラブ"} <= set(words("ネソラブのシステム", parts=True))
    assert {"ネソ", "ソラ"} <= set(words("ネソラの会", parts=True)) & set(words("ネソラブ", parts=True))


def test_a_run_of_katakana_that_mecab_cuts_small_is_a_part_in_every_place() -> None:
    """Alone コンサル is read as こん and 猿, before 業務 as こん and 去る: its writing is what stays."""
    for text in ("コンサル", "コンサル業務", "今後のコンサルを"):
        assert "コンサル" in words(text, parts=True)
        assert "コンサル" not in words(text)
    assert "オンプレ" in words("オンプレで動く", parts=True)
    assert "マイナンバー" not in words("マイナンバーカード", parts=True)  # the run as a whole
    assert words("クラウドサービス", parts=True) == ["クラウド", "サービス"]  # cut where its words end


def test_offsets_point_into_the_text_as_given() -> None:
    text = "庁内の㈱ﾃﾞｰﾀ\n\nﾍﾞｰｽと髙﨑市、令和\n７年度"
    got = [(text[t.start : t.end], t.norm) for t in tokenize(text)]
    assert ("ﾃﾞｰﾀ\n\nﾍﾞｰｽ", words("データベース")[0]) in got
    assert got[-1] == ("令和\n７年度", "y2025")
    assert ("髙﨑", "高崎") in got


def test_a_line_break_between_letters_still_separates() -> None:
    assert words("Gov\nCloud") == ["gov", "cloud"]
    assert clean("表\t金額") == "表\t金額"  # a tab is a cell border


@given(
    st.text(
        alphabet=st.sampled_from("サーバーﾊﾞ㈱髙令和７年度R7 \n\t,1.5%AI-OCR課市民の①葛󠄀\0か\u3099") | st.characters(),
        max_size=40,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_ordered_spans_and_one_answer(text: str) -> None:
    tokens = tokenize(text, parts=True)
    assert [t.norm for t in tokens] == words(text, parts=True)
    assert all(0 <= t.start < t.end <= len(text) and t.norm for t in tokens)
    plain = tokenize(text)
    assert all(a.start <= b.start for a, b in zip(plain, plain[1:], strict=False))


@given(
    st.lists(
        st.sampled_from("辛い 今日 は 市場 人気 の 見直す 見直し ハブ 上手 行った 一日 千 ABC 、\n".split(" ")),
        max_size=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_what_was_read_before_changes_no_word(parts: list[str]) -> None:
    text = "".join(parts)
    warm = tokenize(text, parts=True)
    index.tokens._readings.clear()
    assert tokenize(text, parts=True) == warm


def test_threads_agree() -> None:
    text = "住民基本台帳ネットワークシステムの更改に12,155千円" * 20
    with ThreadPoolExecutor(4) as pool:
        assert len({tuple(r) for r in pool.map(words, [text] * 40)}) == 1
