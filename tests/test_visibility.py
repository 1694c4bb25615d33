"""A hidden sheet leaks nowhere: a view of an index answers like an index that was built without what it hides."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_update import ALWAYS, NAMES, PARTS, TOLERANCE, TOWNS, Reading, Sheets, assert_alike, built, document_of, told

from corpus.documents import Sheet
from index.build import build
from index.lexical import LexicalIndex
from index.snapshot import Snapshot
from index.types import Filters
from index.update import update
from index.visibility import EVERYTHING, Visibility

FOLDERS = ("総務部", "市民部", "市民部/窓口", "市民部門")
FILES = st.sampled_from([f"{folder}/{letter}.txt" for folder in FOLDERS for letter in "ab"])
SHEETS = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.sampled_from(TOWNS), st.integers(2020, 2023), st.sampled_from(("環境課", "総務課")), PARTS
    ),
    max_size=4,
)  # fmt: skip
CITY = st.dictionaries(FILES, SHEETS, min_size=1, max_size=6)
VISIBLE = st.builds(
    Visibility,
    st.none() | st.lists(st.sampled_from((*TOWNS, "遠野原市")), unique=True, max_size=2).map(tuple),
    st.none() | st.lists(st.sampled_from((*FOLDERS, "市民部/窓口/a.txt", "市")), unique=True, max_size=3).map(tuple),
)
# Making a failure smaller costs minutes: each try builds two indexes.
ONE = (Phase.explicit, Phase.reuse, Phase.generate)
REFUSED = (("市民部/壊.pdf", "読めません。"), ("総務部/壊.pdf", "読めません。"))


def without(readings: Mapping[str, Reading], visibility: Visibility) -> Iterator[Reading]:
    """The readings as they would be if nobody had ever handed in what is hidden."""
    for file, (document, sheets) in readings.items():
        seen = [one for one in sheets if visibility.sees(one.sheet.municipality, file)]
        if not visibility.sees_file(file) or (visibility.municipalities is not None and not seen):
            continue
        if len(seen) < len(sheets):
            text = list("\n" if one == "\n" else "　" for one in document.text)
            for one in seen:
                (span,) = one.sheet.spans
                text[span.start : span.end] = document.text[span.start : span.end]
            document = replace(document, text="".join(text), warnings=())
        if seen or not sheets:
            yield document, seen


def counted(index: Snapshot) -> dict[str, list[tuple[Sheet, int, int, int]]]:
    """The sheets of every file, each with the numbers of its sections, facts and events."""
    return {
        document.file: [(one.sheet, len(one.sections), len(one.facts), len(one.events)) for one in sheets]
        for document, sheets in index.readings()
    }


@given(files=CITY, visibility=VISIBLE, updated=st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=ONE)
def test_a_view_answers_like_an_index_built_without_what_it_hides(
    files: dict[str, Sheets], visibility: Visibility, updated: bool
) -> None:
    with tempfile.TemporaryDirectory() as place:
        base = {"always.txt": ALWAYS, **files}
        live = Path(place) / "live"
        built(live, base, REFUSED).close()
        if updated:
            changed = {"総務部/a.txt": list(files.values())[0], "市民部/b.txt": ALWAYS}
            update(live, FakeEncoder(), [document_of(*one) for one in changed.items()], refused=lambda: REFUSED)
            base |= changed
        readings = {file: document_of(file, sheets) for file, sheets in sorted(base.items())}
        expected = list(without(readings, visibility))
        refused = [one for one in REFUSED if visibility.municipalities is None and visibility.sees_file(one[0])]
        whole = Snapshot.open(live, FakeEncoder())
        before = told(whole)
        view = whole.seen_by(visibility)
        ids = {one.sheet.sheet_id for _, sheets in expected for one in sheets}
        assert {one.sheet_id for one in view.sheets()} == ids
        for sheet in view.sheets():
            assert {one.sheet_id for one in view.timeline(sheet.sheet_id)} <= ids
            assert {one.sheet.sheet_id for one in view.similar(sheet.sheet_id, 10)} <= ids
        for sheet in whole.sheets():
            if sheet.sheet_id not in ids:
                assert not any(
                    (view.sections([sheet.sheet_id]), view.facts([sheet.sheet_id]), view.events([sheet.sheet_id]))
                )
                assert not view.timeline(sheet.sheet_id) and not view.similar(sheet.sheet_id, 10)
        if ids:
            clean = build(iter(expected), FakeEncoder(), Path(place) / "clean", refused=lambda: refused)
            # Sheets are linked over the years when they are indexed: a hidden one may have joined two that are seen, or taken
            # the place of the link between them. What is told of a timeline are sheets that are seen, as asserted above.
            assert_alike(view, clean, TOLERANCE, ("timelines", "readings"))
            # A view is read, never built from: its readings have the names of staff masked, as everything that is shown.
            assert counted(view) == counted(clean)
            clean.close()
        assert told(whole) == before  # and the origin still has everything
        view.close()
        assert told(whole) == before
        whole.close()


def test_who_may_see_nothing_finds_nothing_and_counts_nothing(tmp_path: Path) -> None:
    whole = built(tmp_path, {"a.txt": ALWAYS}, REFUSED)
    for visibility in (
        Visibility(()),
        Visibility(folders=()),
        Visibility(("遠野原市",)),
        Visibility(folders=("b.txt",)),
    ):
        view = whole.seen_by(visibility)
        assert view.sheets() == view.files() == view.sections() == view.facts() == view.events() == view.refused() == []
        assert set(view.counts().values()) == {0} and view.report().warnings == {}
        found = view.search("広報紙", 10)
        assert found.total == 0 and not any(found.facets.values())
        assert view.search_sheets("広報紙", 10).total == 0 and view.nearest_sheets("広報紙", 3) == []
        assert view.respelled("公報紙") == ()
        counts = view.word_counts()
        assert counts is not None and (counts.sections, dict(counts.counts)) == (0, {})
        with pytest.raises(KeyError):
            view.document("a.txt")
        with pytest.raises(KeyError):
            view.original("a.txt")
    assert [one.municipality for one in whole.seen_by(EVERYTHING).sheets()] == [TOWNS[0]]


def test_words_of_hidden_sheets_correct_no_spelling(tmp_path: Path) -> None:
    files: dict[str, Sheets] = {
        "市民部/a.txt": [
            ("戸籍の附票", TOWNS[0], 2021, "市民課", {"事業の目的": "セキュリティを高める。斎場を保つ。"})
        ],
        "総務部/b.txt": [("庁舎の管理", TOWNS[1], 2021, "総務課", {"事業の目的": "庁舎を保つ。窓口を開く。"})],
    }
    whole = built(tmp_path, files)
    asked = ("セキリュティの窓口", "戸籍の不評", "こせきのふひょう")
    assert [whole.respelled(one) for one in asked] != [()] * 3
    for visibility in (Visibility((TOWNS[1],)), Visibility(folders=("総務部",))):
        view = whole.seen_by(visibility)
        clean = built(tmp_path.parent / f"{tmp_path.name}-clean", {"総務部/b.txt": files["総務部/b.txt"]})
        assert [view.respelled(one) for one in asked] == [clean.respelled(one) for one in asked] == [()] * 3


def test_hidden_hits_do_not_take_the_places_of_seen_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hidden passages the words meet first, the seen ones are found, and whether there are more is theirs."""
    plan = {"事業の目的": "斎場斎場斎場を直す。"}
    files: dict[str, Sheets] = {
        f"総務部/{n:02}.txt": [("斎場管理", TOWNS[0], 2021, "総務課", plan)] * 3 for n in range(20)
    }
    seen = {"事業の目的": "道路と公園と橋と川と学校と斎場のある町を見て回る。"}
    files |= {f"市民部/{n}.txt": [("町の見回り", TOWNS[0], 2021, "総務課", seen)] for n in range(3)}
    whole = built(tmp_path, files)
    monkeypatch.setattr("index.passagesearch.LEXICAL_CANDIDATES", 8)
    monkeypatch.setattr("index.passagesearch.DENSE_CANDIDATES", 1)
    view = whole.seen_by(Visibility(folders=("市民部",)))
    assert view.search("斎場", 10).total == 3
    fetched: list[int] = []
    search = LexicalIndex.search

    def watched(self: LexicalIndex, terms: list[tuple[str, float]], limit: int, facets: list[list[str]]) -> object:
        fetched.append(limit)
        return search(self, terms, limit, facets)

    monkeypatch.setattr(LexicalIndex, "search", watched)
    assert view.search("斎場を", 10).total == 3 and fetched[0] == 8 and len(fetched) > 1


def test_of_a_document_with_hidden_sheets_only_the_others_are_read(tmp_path: Path) -> None:
    mixed: Sheets = [
        ("戸籍システム更改", TOWNS[0], 2021, "市民課", {"事業の目的": "戸籍の事務を正しく行う。"}),
        ("防災無線整備", TOWNS[1], 2021, "環境課", {"事業の目的": "無線の機器を入れ替える。"}),
    ]
    whole = built(tmp_path, {"まとめ.txt": mixed})
    view = whole.seen_by(Visibility((TOWNS[1],)))
    (sheet,) = view.sheets()
    text, full = view.document("まとめ.txt").text, whole.document("まとめ.txt").text
    assert len(text) == len(full) and "戸籍" not in text and text.count("\n") == full.count("\n")
    assert (
        all(text[a.start : a.end] == full[a.start : a.end] for a in sheet.spans) and "無線の機器を入れ替える。" in text
    )
    assert view.document("まとめ.txt").warnings == () and view.report().warnings == {
        "まとめ.txt": ("防災無線整備の注意",)
    }
    assert [one.sheet.name for _, found in view.readings() for one in found] == ["防災無線整備"]
    assert set(view.judgements("まとめ.txt")) == {sheet.sheet_id}
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / f"{whole.document('まとめ.txt').sha256}.pdf").write_bytes(b"%PDF")
    assert whole.original("まとめ.txt") is not None and view.original("まとめ.txt") is None


def test_a_view_outlives_no_origin_and_other_synonyms_show_no_more(tmp_path: Path) -> None:
    whole = built(
        tmp_path, {"a/1.txt": ALWAYS, "b/1.txt": [("斎場管理", TOWNS[1], 2021, "環境課", {"事業の目的": "炉。"})]}
    )
    view = whole.seen_by(Visibility(folders=("b",)))
    other = view.with_synonyms(whole.synonyms)
    assert [one.name for one in other.sheets()] == ["斎場管理"] == [one.name for one in view.sheets()]
    nested = view.seen_by(Visibility((TOWNS[0],)))
    assert nested.sheets() == [] and nested.search("斎場", 5).total == 0
    nested.close(), other.close(), view.close()
    assert len(whole.sections()) == 2  # none of them closed the files
    assert whole.search("広報紙", 5).total and whole.sheets(Filters(municipality=(TOWNS[1],)))
    whole.close()


def test_folders_are_whole_names_in_one_form_and_never_climbed_out_of() -> None:
    seen = Visibility(folders=("市民部", "./総務部//庶務/"))
    assert seen.sees("", "市民部/a.pdf") and seen.sees("", "総務部/庶務/まとめ.zip/b.pdf")
    assert not seen.sees("", "市民部門/a.pdf") and not seen.sees("", "総務部/人事/a.pdf") and not seen.sees("", "a.pdf")
    assert not seen.sees("", "市民部/../総務部/人事/a.pdf")
    assert Visibility(folders=("がくしゅう",)).sees("", "がくしゅう/a.pdf")  # as a Mac writes it
    assert Visibility(("みなと野市",)).sees("みなと 野市", "a.pdf") and not Visibility(("みなと",)).sees(
        "みなと野市", "a"
    )
