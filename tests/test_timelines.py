"""Sheets of one programme over the years: what links them, and above all what must not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.documents import Document, Section, Sheet, SheetReading, Span
from corpus.normalize import squeeze
from corpus.reading import read_sheets
from corpus.timelines import Head, head_of, link, slip


def head(year: int, name: str, department: str = "教育部 図書館課", city: str = "みなと野市", **more) -> Head:
    """The head of a sheet as it would be read; ``code`` and ``file`` may be given."""
    code, file = more.get("code", ""), more.get("file", f"{year}.pdf")
    sections = (Section("事務事業コード", "コード", Span(0, 1), code),) if code else ()
    if "former" in more:
        sections += (Section("旧事業名", "旧事業名", Span(0, 1), more["former"]),)
    sheet_id = f"{year}:{name}:{department}:{file}:{more.get('n', '')}"
    sheet = Sheet(sheet_id, file, "programme", name, city, year, department, (Span(0, 1),))
    found = head_of(SheetReading(sheet, sections))
    assert found is not None
    return found


def years(heads: list[Head]) -> list[list[tuple[int, str]]]:
    """The timelines as lists of (year, squeezed name)."""
    by_id = {one.sheet_id: one for one in heads}
    return [[(by_id[sheet_id].fiscal_year, by_id[sheet_id].name) for sheet_id in found] for found in link(heads)]


def linked(*heads: Head) -> bool:
    """Whether all of the sheets are one timeline."""
    found = link(heads)
    return len(found) == 1 and len(found[0]) == len(heads)


def test_one_name_in_one_department_is_one_programme():
    assert linked(head(2022, "移動図書館運営事業"), head(2023, "移動図書館 運営事業"), head(2024, "移動図書館運営事業"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("移動図書館運営事業", "移動図書館運営事業（新規）"),
        ("移動図書館運営", "移動図書館運営事業"),
        ("図書館サーバ更新事業", "図書館サーバー更新事業"),
        ("子ども読書推進事業", "第２期子ども読書推進事業"),
        ("令和4年度成人式事業", "令和5年度成人式事業"),
        ("図書館の取組みの発信", "図書館の取組の発信"),
        ("ゼロカーボン推進事業（旧：エコライフ推進事業）", "ゼロカーボン推進事業"),
    ],
)
def test_nearly_one_name_links_within_a_department_only(one, other):
    assert linked(head(2022, one), head(2023, other))
    if squeeze(one).partition("(")[0] != squeeze(other).partition("(")[0]:
        assert not link([head(2022, one, "総務部 庶務課"), head(2023, other, "市民部 窓口課")])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("東小学校改修事業", "西小学校改修事業"),
        ("第1保育所運営事業", "第2保育所運営事業"),
        ("上水道管路更新事業", "下水道管路更新事業"),
        ("市民まつり開催事業", "市民文化祭開催事業"),
        ("A地区整備事業費", "B地区整備事業費"),
        ("いきいき講座", "うきうき講座"),
    ],
)
def test_names_that_say_different_things_stay_apart(one, other):
    assert link([head(2022, one), head(2023, other)]) == []


def test_a_few_characters_apart_is_enough_under_one_code_unless_a_number_differs():
    assert linked(
        head(2022, "校務支援システム運用", code="0123-45"), head(2023, "公務支援システム運用", code="0123-45")
    )
    assert not link([head(2022, "校務支援システム運用", code="0123-45"), head(2023, "公務支援システム運用", code="9")])
    assert not link([head(2022, "第1庁舎管理費", code="0123"), head(2023, "第2庁舎管理費", code="0123")])
    assert not link([head(2022, "道路台帳整備", code="0123"), head(2023, "学校給食運営", code="0123")])


def test_a_serial_number_is_no_code():
    sheet = Sheet("a", "a.pdf", "programme", "校務支援", "みなと野市", 2022, "", (Span(0, 1),))
    found = head_of(SheetReading(sheet, (Section("整理番号", "コード", Span(0, 1), "00123"),)))
    assert found is not None and found.codes == frozenset()


@pytest.mark.parametrize(
    "written",
    [
        {"former": "エコライフ推進事業"},
        {"former": "エコライフ推進事業（令和5年度まで）"},
        {"name": "ゼロカーボン推進事業（旧エコライフ推進事業）"},
        {"name": "ゼロカーボン推進事業（旧：エコライフ推進事業）"},
        {"name": "ゼロカーボン推進事業（旧事業名：エコライフ推進事業）"},
        {"name": "ゼロカーボン推進事業（エコライフ推進事業から名称変更）"},
    ],
)
def test_a_former_name_links_across_renaming_and_moving(written):
    renamed = head(2024, **{"name": "ゼロカーボン推進事業", "department": "環境部 脱炭素課", **written})
    before = [head(2022, "エコライフ推進事業", "市民部 環境課"), head(2023, "エコライフ推進事業", "市民部 環境課")]
    after = head(2025, "ゼロカーボン推進事業", "環境部 脱炭素課")
    assert linked(*before, renamed, after)
    # A sheet of the same year or later is no former one.
    assert not link([renamed, head(2024, "エコライフ推進事業", "市民部 環境課")])
    # Two programmes had that name: which of them was renamed is not said.
    other = head(2023, "エコライフ推進事業", "教育部 学校課", n="2")
    assert years([*before, other, renamed]) == [[(2022, "エコライフ推進事業"), (2023, "エコライフ推進事業")]]


def test_a_moved_programme_is_followed_where_its_name_tells_it():
    moved = [head(2022, "移動図書館運営事業", "教育部 図書館課"), head(2023, "移動図書館運営事業", "文化部 生涯学習課")]
    assert linked(*moved)
    everyday = [head(2022, "一般管理事務", "教育部 図書館課"), head(2023, "一般管理事務", "文化部 生涯学習課")]
    assert link(everyday) == []


def test_homonyms_of_one_year_are_two_timelines():
    heads = [
        head(year, "広報紙発行事業", department)
        for year in (2022, 2023, 2024)
        for department in ("市長公室 広報課", "議会事務局 議事課")
    ]
    found = link(heads)
    departments = {one.sheet_id: one.department for one in heads}
    assert len(found) == 2 and all(len({departments[sheet_id] for sheet_id in one}) == 1 for one in found)
    # A third department in another year could continue either.
    assert len(link([*heads, head(2025, "広報紙発行事業", "総務部 総務課")])) == 2


def test_twins_that_nothing_tells_apart_are_not_linked():
    twins = [head(2022, "講座開催事業", n=str(n)) for n in (1, 2)]
    assert link([*twins, head(2023, "講座開催事業")]) == []
    coded = [head(year, "講座開催事業", code=code, n=code) for year in (2022, 2023) for code in ("1001", "1002")]
    assert [len(found) for found in link(coded)] == [2, 2]


def test_a_second_page_belongs_to_its_sheet():
    pages = [head(2022, "講座開催事業"), head(2022, "講座開催事業（その2）"), head(2023, "講座開催事業")]
    assert linked(*pages)


def test_towns_do_not_mix_and_the_unknown_stays_alone():
    assert link([head(2022, "移動図書館運営事業"), head(2023, "移動図書館運営事業", city="碧原市")]) == []
    for change in ({"municipality": ""}, {"fiscal_year": None}, {"kind": "document"}, {"name": "名称不明"}):
        fields = {"kind": "programme", "name": "a", "municipality": "みなと野市", "fiscal_year": 2022, **change}
        sheet = Sheet(sheet_id="a", file="a", department="", spans=(Span(0, 1),), **fields)  # type: ignore[arg-type]
        assert head_of(SheetReading(sheet, ())) is None


def test_a_slip_is_of_kana_only():
    assert slip("ゼロカーボン推進", "ゼロカボーン推進") and not slip("さくら橋", "さくら橋の")


NAMES = [
    "図書館運営事業",
    "図書館運営",
    "図書館サーバ更新",
    "図書館サーバー更新",
    "一般事務",
    "新名称事業（旧図書館運営事業）",
    "図書館運営事業（その2）",
]
HEADS = st.lists(
    st.tuples(
        st.integers(2020, 2024),
        st.sampled_from(NAMES),
        st.sampled_from(["", "教育部 図書館課", "文化部 図書館課", "総務課"]),
        st.sampled_from(["", "A-1001", "A-1002"]),
        st.sampled_from(["", "図書館運営事業"]),
        st.sampled_from(["みなと野市", "碧原市"]),
    ),
    max_size=14,
)


@given(HEADS, st.randoms(use_true_random=False))
def test_links_do_not_depend_on_the_order_of_the_sheets(rows, order: random.Random):
    heads = [
        head(year, name, department, city, code=code, n=str(n), **({"former": former} if former else {}))
        for n, (year, name, department, code, former, city) in enumerate(rows)
    ]
    found = link(heads)
    mixed = list(heads)
    order.shuffle(mixed)
    assert link(mixed) == found
    by_id = {one.sheet_id: one for one in heads}
    placed = [sheet_id for timeline in found for sheet_id in timeline]
    assert len(placed) == len(set(placed))
    for timeline in found:
        told = [by_id[sheet_id] for sheet_id in timeline]
        assert len({one.municipality for one in told}) == 1
        firsts = [one.fiscal_year for one in told if not one.continued]
        assert len(firsts) == len(set(firsts)) and len({one.fiscal_year for one in told}) >= 2


def sheet_text(year: str, name: str, department: str, more: str = "", table: bool = False) -> str:
    """One programme in two invented forms: a line a label, or a table."""
    if table:
        return (
            f"{year}事務事業評価シート\n自治体名\tみなと野市\n事務事業名\t{name}\n所管課\t{department}\n{more}"
            "事業の目的\t市民が本に親しむ。\n決算額\t1,200千円\n"
        )
    return f"みなと野市 事業評価調書（{year}）\n事業名：{name}\n担当課：{department}\n{more}目的：市民が本に親しむ。\n"


def test_sheets_of_three_forms_are_linked_as_they_are_read():
    texts = {
        "r4.txt": sheet_text("令和4年度", "移動図書館運営事業", "図書館課"),
        "r5.txt": sheet_text("令和5年度", "移動図書館運営事業", "生涯学習課", table=True),
        "r6.txt": sheet_text(
            "令和6年度", "本のある暮らし応援事業", "生涯学習課", "旧事業名\t移動図書館運営事業\n", table=True
        ),
    }
    heads = []
    for file, text in texts.items():
        for reading in read_sheets(Document(file, text, "0" * 64, "text")):
            one = head_of(reading)
            if one is not None:
                heads.append(one)
    assert years(heads) == [
        [(2022, "移動図書館運営事業"), (2023, "移動図書館運営事業"), (2024, "本のある暮らし応援事業")]
    ]
