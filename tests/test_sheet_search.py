"""Search sheet by sheet: ratings and amounts read from facts, facets that hold when chosen, orders over all hits."""

from __future__ import annotations

from itertools import product

import pytest
from fake_encoder import FakeEncoder

import index.passagesearch
from corpus.documents import Document, Fact, Section, Sheet, SheetReading, Span
from corpus.periods import Period, fiscal_year
from index.build import build
from index.sheetvalues import amount_class, mark, sheet_values, wanted
from index.snapshot import Snapshot
from index.types import Filters, SheetValues

CITIES, YEARS = ("碧原市", "みなと野市"), (2020, 2021, 2022)
# (name, department, text, settled and planned yen of the first year, rating)
PROGRAMMES = [
    ("図書館システム運用", "生涯学習課", "図書館の蔵書検索を止めずに提供する。", 900_000.0, 1_000_000.0, "Ａ：適切"),
    ("移動図書館運営", "生涯学習課", "移動図書館の車両を更改する。", None, 12_000_000.0, "B: おおむね適切"),
    ("道路台帳整備", "道路管理課", "台帳を電子化し、図書館でも閲覧できるようにする。", 150_000_000.0, None, "A"),
    ("駐輪場管理", "道路管理課", "自転車の整理を委託する。", 0.0, 0.0, "判定できないため、来年度にあらためて評価する"),
]  # fmt: skip


def reading(at: int, city: str, year: int) -> tuple[Document, list[SheetReading]]:
    name, department, text, settled, planned, rating = PROGRAMMES[at]
    file = f"{city}{year}{name}.txt"
    body = f"{name}\n{text}\n担当者 見本花子（図書館）\n"
    facts = [fact("総合評価", None, rating, fiscal_year(year)), fact("総合評価", None, "D", fiscal_year(year - 1))]
    for kind, field, yen in (("actual", "決算額", settled), ("plan", "予算額", planned)):
        if yen is not None:
            # The whole beside a part of it, and the year before: neither is the sheet's amount.
            facts += [fact(field, yen * share, "", fiscal_year(year), kind) for share in (0.5, 1.0)]
            facts.append(fact(field, yen + 5e8, "", fiscal_year(year - 1), kind))
    sections = tuple(
        Section(label, label, Span(body.index(part), body.index(part) + len(part)), part)
        for label, part in (("事務事業名", name), ("目的", text), ("担当者", "見本花子（図書館）"))
    )
    sheet = Sheet(f"{city}-{year}-{at}", file, "programme", name, city, year, department, (Span(0, len(body)),))
    return Document(file, body, "0", "text"), [SheetReading(sheet, sections, tuple(facts))]


def fact(field: str, value: float | None, text: str, period: Period | None, kind: str | None = None) -> Fact:
    return Fact(field, field, value, text, "円" if value is not None else "", period, kind, Span(0, 1), Span(0, 1))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    readings = [reading(at, city, year) for at, city, year in product(range(len(PROGRAMMES)), CITIES, YEARS)]
    return build(readings, FakeEncoder(), tmp_path_factory.mktemp("index"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ａ：適切", "A"), ("B: 成果を維持して継続", "B"), ("ａ", "A"), ("ランク１", "ランク1"), ("◎", "◎"), ("達成できた", "達成できた"),
        ("中:適切な成果が得られている", "中"), ("AI-OCRを使うため、評価しない理由がここに続く", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_rating_is_told_by_its_mark(text: str, said: str) -> None:
    assert mark(text) == said


def test_amounts_fall_into_the_classes_of_the_table() -> None:
    names = [one.name for one in wanted().classes]
    assert [amount_class(yen) for yen in (0.0, 999_999.0, 1e6, 1e7, 1e8, 3e11)] == [
        names[0], names[0], names[1], names[2], names[3], names[3],
    ]  # fmt: skip
    assert amount_class(None) == "" and wanted().classes[-1].below is None
    limits = [one.below for one in wanted().classes if one.below is not None]
    assert limits == sorted(limits)


def test_only_facts_of_the_sheets_own_year_count(found: Snapshot) -> None:
    assert found.values("碧原市-2021-0") == SheetValues(("総合評価：A",), 900_000.0, 1_000_000.0)
    assert found.values("碧原市-2021-1") == SheetValues(("総合評価：B",), None, 12_000_000.0)
    assert found.values("碧原市-2021-3") == SheetValues((), 0.0, 0.0)
    assert found.values("nothing") == SheetValues()


def test_a_summary_table_has_no_rating_of_its_own() -> None:
    sheets = [Sheet("a", "f", "document", "一覧", "碧原市", 2021, "", ())]
    assert sheet_values(sheets, [(0, "総合評価", None, "A", "2021-04-01", None)]) == [SheetValues()]


def test_a_card_a_sheet_with_its_other_passages(found: Snapshot) -> None:
    result = found.search_sheets("図書館", 100, others=3)
    assert result.total == 18 and result.passages == found.search("図書館", 0).total
    assert len({hit.best.sheet.sheet_id for hit in result.hits}) == 18
    for hit in result.hits:
        assert len(hit.others) == hit.count - 1 <= 3
        assert all(other.sheet == hit.best.sheet and other.score <= hit.best.score for other in hit.others)
        assert all("見本花子" not in passage.text for passage in (hit.best, *hit.others))
    pages = [found.search_sheets("図書館", 5, offset=offset).hits for offset in range(0, 20, 5)]
    assert [hit.best for page in pages for hit in page] == [hit.best for hit in result.hits]


@pytest.mark.parametrize("query", ["図書館", "台帳の更改", "道路管理課 令和3年度"])
@pytest.mark.parametrize("before", [Filters(), Filters(fiscal_year=(2021,)), Filters(rating=("総合評価：A",))])
def test_a_facet_that_says_how_many_gives_as_many_when_it_is_chosen(
    found: Snapshot, query: str, before: Filters
) -> None:
    facets = found.search_sheets(query, 0, before).facets
    assert any(facets.values())
    for name, counts in facets.items():
        for value, count in counts.items():
            chosen = {**{one: getattr(before, one) for one in ("fiscal_year", "rating")}, name: (value,)}
            if name == "fiscal_year":
                chosen[name] = (int(value),)
            assert found.search_sheets(query, 0, Filters(**chosen)).total == count, (name, value)  # type: ignore[arg-type]


def test_where_words_meet_too_much_a_filter_still_finds_all_of_a_town(
    found: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = found.search_sheets("図書館", 100, Filters(municipality=("碧原市",)))
    monkeypatch.setattr(index.passagesearch, "DENSE_CANDIDATES", 1)
    monkeypatch.setattr(index.passagesearch.PassageSearch.find, "__defaults__", (4, True))  # four candidates by words
    small = Snapshot.open(found.path.parent.parent, FakeEncoder())
    cut = small.search_sheets("図書館", 100)
    assert cut.total < 18
    for city in CITIES:
        hits = small.search_sheets("図書館", 100, Filters(municipality=(city,))).hits
        assert hits and all(hit.best.sheet.municipality == city for hit in hits)
    assert len(whole.hits) == 9


def test_every_order_is_over_all_hits(found: Snapshot) -> None:
    def column(order: str, k: int = 100) -> list[object]:
        hits = found.search_sheets("図書館", k, order=order).hits  # type: ignore[arg-type]
        keys = {"year": lambda h: h.best.sheet.fiscal_year, "amount": lambda h: h.values.amount, "name": lambda h: h.best.sheet.name}  # fmt: skip
        return [keys[order](hit) for hit in hits]

    assert column("year", 6) == [2022] * 6 and column("year") == sorted(column("year"), reverse=True)  # type: ignore[type-var]
    assert column("amount") == [150_000_000.0] * 6 + [12_000_000.0] * 6 + [900_000.0] * 6
    # いどうとしょかん, どうろだいちょう, としょかん
    assert column("name") == ["移動図書館運営"] * 6 + ["道路台帳整備"] * 6 + ["図書館システム運用"] * 6
    passages = found.search("図書館", 100, order="amount").hits
    amounts = [found.values(hit.sheet.sheet_id).amount or 0.0 for hit in passages]
    assert amounts == sorted(amounts, reverse=True) and len(passages) == found.search("図書館", 0).total


def test_ratings_and_budgets_filter_sheets_and_passages_alike(found: Snapshot) -> None:
    for filters, names in (
        (Filters(rating=("総合評価：A",)), {"図書館システム運用", "道路台帳整備"}),
        (Filters(rating=("ａ",)), {"図書館システム運用", "道路台帳整備"}),  # the mark alone, in any width
        (Filters(rating=("D",)), set()),
        (Filters(budget=("1,000万〜1億円",)), {"移動図書館運営"}),
        (Filters(budget=("１億円以上",), rating=("A",)), {"道路台帳整備"}),
    ):
        assert {sheet.name for sheet in found.sheets(filters)} == names
        assert {hit.sheet.name for hit in found.search("図書館", 100, filters).hits} == names
        assert {hit.best.sheet.name for hit in found.search_sheets("図書館", 100, filters).hits} == names


def test_a_hit_says_in_which_part_the_words_stand(found: Snapshot) -> None:
    def parts(query: str, name: str) -> set[tuple[str, ...]]:
        hits = found.search_sheets(query, 100, others=9).hits
        passages = [passage for hit in hits for passage in (hit.best, *hit.others)]
        return {
            passage.matched for passage in passages if passage.sheet.name == name and passage.section.field == "目的"
        }

    assert parts("図書館", "図書館システム運用") == {("name", "text")}
    assert parts("図書館", "道路台帳整備") == {("text",)}
    assert parts("生涯学習課", "移動図書館運営") == {("department",)}
    assert parts("目的", "駐輪場管理") == {("label",)}
    of = found.search_sheets("生涯学習課", 1).hits[0].best
    assert "".join(of.sheet.department[start:end] for start, end in of.department_highlights) == "生涯学習課"
    hit = found.search_sheets("図書館", 1).hits[0].best
    assert [hit.sheet.name[start:end] for start, end in hit.name_highlights] == ["図書館"]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("図書館", ()),
        ("としょかん", ("移動図書館運営", "図書館システム運用")),
        ("生涯学修課", ("生涯学習課",)),
        ("シテスム", ("システム",)),
        ("昆虫採集", ()),
    ],
)
def test_what_was_perhaps_meant(found: Snapshot, query: str, meant: tuple[str, ...]) -> None:
    assert set(found.respelled(query)) == set(meant)


def test_wide_digits_and_spaces_search_like_narrow_ones(found: Snapshot) -> None:
    def hits(query: str) -> list[str]:
        return [hit.best.sheet.sheet_id for hit in found.search_sheets(query, 100).hits]

    assert hits("２０２１年度　図書館") == hits("2021年度 図書館") != []
    assert hits("Ｒ３ 図書館") == hits("R3 図書館") == hits("令和３年度　図書館")
