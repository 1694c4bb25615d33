from hypothesis import given
from hypothesis import strategies as st

from corpus.normalize import normalize, squeeze


def test_offsets_lead_back_to_the_raw_characters():
    raw = "ﾊﾟｿｺﾝ\n運營 ①㈱"
    norm = normalize(raw, squeeze=True)
    assert norm.text == "パソコン運営1(株)"
    at = norm.text.index("運営")
    assert raw[slice(*norm.raw(at, at + 2))] == "運營"
    assert raw[slice(*norm.raw(0, 2))] == "ﾊﾟｿ"


def test_radicals_and_old_forms_are_folded():
    assert squeeze("⻘森の髙﨑") == "青森の高崎"
    assert squeeze("葛󠄀飾") == "葛飾"


@given(st.text())
def test_every_stretch_maps_into_the_raw_text(raw: str):
    norm = normalize(raw)
    assert len(norm.text) == len(norm.starts) == len(norm.ends)
    assert all(0 <= a < b <= len(raw) for a, b in zip(norm.starts, norm.ends, strict=True))
    assert list(norm.starts) == sorted(norm.starts)
