import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.amounts import find_amounts, format_number, format_yen, parse_number


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
