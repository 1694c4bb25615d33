import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import amounts
from corpus.amounts import YEN, find_amounts, format_number, format_yen, parse_number


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("46,081,200円", 46_081_200, "円"),
        ("12,155千円", 12_155_000, "円"),
        ("約769万円", 7_690_000, "円"),
        ("1億2,000万円", 120_000_000, "円"),
        ("3,160万件", 31_600_000, "件"),
        ("▲ 22,425", -22_425, ""),
        ("△5", -5, ""),
        ("９９．５％", 99.5, "%"),
        ("407時間", 407, "時間"),
        ("6業務", 6, "業務"),
        ("19 百万円", 19_000_000, "円"),
    ],
)
def test_numbers_and_units(text: str, value: float, unit: str):
    (amount,) = find_amounts(text)
    assert (amount.value, amount.unit) == (value, unit)


def test_offsets_cover_number_and_unit():
    text = "年間換算約４０７時間の削減"
    (amount,) = find_amounts(text)
    assert text[amount.start : amount.end] == "４０７時間"


def test_a_cell_holds_one_number_or_none():
    assert parse_number("▲ 380,543") == -380_543
    assert parse_number("-") is None and parse_number("／") is None and parse_number("1 2") is None


@given(st.integers(-(10**12), 10**12))
def test_yen_comes_back(value: int):
    (amount,) = find_amounts(format_yen(value))
    assert (amount.value, amount.unit) == (value, "円")


def test_format_drops_empty_decimals():
    assert format_number(99.50, "%") == "99.5%"
    assert format_number(27753, "人") == "27,753人"


# ---- every way to print an amount ---------------------------------------------------------------------------------

WIDE = str.maketrans("0123456789,.", "０１２３４５６７８９，．")
WHOLE = st.integers(0, 999_999_999_999)


@given(
    WHOLE, st.sampled_from(sorted(YEN)), st.sampled_from(["", "▲", "▲ ", "△", "△ ", "-", "－", "−", "‐"]), st.booleans()
)
def test_an_integer_comes_back_from_every_unit_sign_and_width(number: int, unit: str, sign: str, wide: bool):
    number %= 10**15 // YEN[unit]  # above it a float no longer holds every 円
    for printed in (f"{number:,}", str(number)):
        text = f"{sign}{printed}{unit}"
        text = text.translate(WIDE) if wide else text
        (amount,) = find_amounts(text)
        want = number * YEN[unit] * (-1 if sign else 1)
        assert (amount.value, amount.unit) == (want, "円"), text
        assert text[amount.start : amount.end] == text


@given(WHOLE, st.sampled_from(["", "約", "計 "]), st.sampled_from(["", "（税込）", "(税込み)", "余", "程度", "/年"]))
def test_what_stands_around_an_amount_changes_nothing(number: int, before: str, after: str):
    (amount,) = find_amounts(f"{before}{number:,}円{after}")
    assert (amount.value, amount.unit) == (number, "円")
    for yen in ("¥", "￥", "¥ "):
        (amount,) = find_amounts(f"{before}{yen}{number:,}{'－' if after == '' else after}")
        assert (amount.value, amount.unit) == (number, "円")


@given(st.integers(0, 99), st.integers(0, 9_999), st.integers(0, 9), st.integers(0, 999))
def test_mixed_scales_add_up(oku: int, man: int, sen: int, rest: int):
    """3億1,234万5千67円 is 300,000,000 + 12,340,000 + 5,000 + 67."""
    parts = [f"{oku}億" * (oku > 0), f"{man:,}万" * (man > 0), f"{sen}千" * (sen > 0), f"{rest}" * (rest > 0)]
    if not any(parts):
        return
    (amount,) = find_amounts("".join(parts) + "円")
    assert (amount.value, amount.unit) == (oku * 10**8 + man * 10**4 + sen * 1000 + rest, "円")


@given(st.integers(1, 9_999), st.integers(0, 9), st.sampled_from(["万円", "億円", "千円", "百万円"]))
def test_a_decimal_before_a_scale(whole: int, tenth: int, unit: str):
    (amount,) = find_amounts(f"{whole}.{tenth}{unit}")
    assert amount.value == pytest.approx((whole + tenth / 10) * YEN[unit], abs=1e-3)


@given(st.integers(1, 999_999_999), st.sampled_from([" ", "\n", "　"]), st.sampled_from(["", "円", "千円"]))
def test_a_cell_cut_after_a_comma_is_one_figure(number: int, gap: str, unit: str):
    printed = f"{number:,}"
    text = printed.replace(",", "," + gap, 1) + unit
    assert parse_number(text) == number * YEN.get(unit, 1)
    # In a sentence the same characters may be two figures.
    if "," in printed:
        assert [a.value for a in find_amounts(f"対象は{printed.replace(',', ', ', 1)}の二つ")] != [number]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1億2,345万6千円", 123_456_000, "円"),
        ("2億5千万円", 250_000_000, "円"),
        ("3千2百万円", 32_000_000, "円"),
        ("1万2千件", 12_000, "件"),
        ("2,000千人", 2_000_000, "人"),
        ("約1,200万", 12_000_000, ""),
        ("1.5億円", 150_000_000, "円"),
        ("▲¥1,234", -1_234, "円"),
        ("0", 0, ""),
        ("▲0", 0, ""),
        ("10,000㎡", 10_000, "m2"),
    ],
)
def test_amounts_seen_in_the_wild(text: str, value: float, unit: str):
    (amount,) = find_amounts(text)
    assert (amount.value, amount.unit) == (value, unit) and str(amount.value) != "-0.0"


@pytest.mark.parametrize(
    "text",
    ["－", "―", "-", "皆減", "皆増", "／", "", "…", "※1,2345", "1,2345", "12,34,567", "1.2.3", "1.2E+05", "1e5", "百万円", "数千円",
     "9" * 40, "R7", "A4", "Windows10"],
)  # fmt: skip
def test_what_is_no_amount_is_left_out(text: str):
    assert find_amounts(text) == []


@pytest.mark.parametrize(
    "text", ["(1,234)", "（1,234）", "( 1,234 )", "(▲1,234)", "1 234", "100～200", "12/15", "1,234 (567)"]
)
def test_a_cell_that_may_mean_two_things_holds_no_number(text: str):
    assert parse_number(text) is None


def test_two_amounts_side_by_side_stay_two():
    assert [a.value for a in find_amounts("100万200万円")] == [1_000_000, 2_000_000]
    assert [(a.value, a.unit) for a in find_amounts("別紙1, 200円")] == [(1, ""), (200, "円")]
    assert [(a.value, a.unit) for a in find_amounts("2,3日")] == [(2, ""), (3, "日")]
    assert [a.value for a in find_amounts("3千葉")] == [3]


@given(st.text("0123456789,.▲-¥千百万億兆円件 　\n()eE約", max_size=50))
def test_any_text_gives_sound_amounts(text: str):
    found = find_amounts(text)
    assert all(0 <= a.start < a.end <= len(text) and a.value == a.value and abs(a.value) < 1e32 for a in found)
    assert [a.start for a in found] == sorted(a.start for a in found)


@pytest.mark.parametrize(
    "unit", ["1", "1,", "1, ", "12,345千円", "1万", "1億", "▲", "¥", "1.", "1 ", "千", "(1,234)", "-1", ",", "9千"]
)
def test_100_000_letters_are_searched_through_once(unit: str, monkeypatch: pytest.MonkeyPatch):
    scanned = 0
    inner = amounts._FIGURE

    class Counting:
        def search(self, text: str, at: int) -> re.Match[str] | None:
            nonlocal scanned
            found = inner.search(text, at)
            scanned += (found.end() if found else len(text)) - at
            return found

    monkeypatch.setattr(amounts, "_FIGURE", Counting())
    text = (unit * 100_000)[:100_000]
    found = find_amounts(text)
    assert scanned <= 2 * len(text) and len(found) <= len(text)
