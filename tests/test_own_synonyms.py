"""The city's own synonyms: checked before they are written, written whole with a backup, in force beside the bundled."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.wordtrial import try_words
from corpus.errors import SettingsError
from evals.retrieval.sets import shelf
from index.build import build
from index.ownsynonyms import Change, OwnSynonyms, SynonymGroup, checked, matching, overlaps
from index.synonymfile import FILE
from index.synonyms import load_synonyms, use_synonyms
from tests.fake_encoder import FakeEncoder
from ui.synonyms import SynonymDesk, terms_of
from ui.wordtrial import render_trial


@pytest.fixture
def own(tmp_path) -> OwnSynonyms:
    return OwnSynonyms(tmp_path / "辞書" / "synonyms.toml")


def put(own: OwnSynonyms, kind: str, *terms: str) -> SynonymGroup:
    group = checked(kind, terms)
    own.save(own.changed(Change(None, group)))
    return group


def mine(own: OwnSynonyms) -> list[SynonymGroup]:
    return [one for one in own.groups() if one.own]


def test_groups_are_added_changed_and_taken_out_and_comments_stay(own):
    bus = put(own, "synonyms", "あおば号", "循環バス")
    one_way = put(own, "one_way", "端末", "碧原パッド")
    own.file.write_text(own.text().replace('"循環バス"],', '"循環バス"], # 令和6年度に名前が変わった'), "utf-8")
    better = checked("synonyms", ["あおば号", "循環バス", "コミュニティバス"])
    own.save(own.changed(Change(bus, better)))
    assert mine(own) == [better, one_way] and "# 令和6年度に名前が変わった" in own.text()
    moved = checked("old_names", ["端末", "碧原パッド"])
    own.save(own.changed(Change(one_way, moved)))
    own.save(own.changed(Change(better, None)))
    assert mine(own) == [moved]


def test_the_version_before_stays_as_a_backup_and_comes_back(own):
    with pytest.raises(SettingsError, match="1つ前の版がありません"):
        own.restore()
    put(own, "synonyms", "あおば号", "循環バス")
    first = own.text()
    put(own, "synonyms", "みなとカード", "市民カード")
    assert own.backup.read_text("utf-8") == first
    own.restore()
    assert own.text() == first and "みなとカード" in own.backup.read_text("utf-8")
    assert not [one for one in own.file.parent.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (["あおば号"], "2つ以上"),
        (["あおば号", "  ", "循環バス", "ｱｵﾊﾞ号", "アオバ号"], "4行目「アオバ号」は「ｱｵﾊﾞ号」と同じ"),
        (["あおば号", "長" * 101], "2行目が長すぎます"),
        ([str(n) for n in range(41)], "40個まで"),
    ],
)
def test_a_group_that_cannot_be_one_is_refused_with_its_place(terms, told):
    with pytest.raises(SettingsError, match=told):
        checked("synonyms", terms)


def test_a_mistake_made_by_hand_is_told_with_its_line_and_nothing_is_overwritten(own):
    put(own, "synonyms", "あおば号", "循環バス")
    broken = own.text() + 'old_names = [\n  ["旧庁舎", "旧庁舎"],\n]\n'
    own.file.write_text(broken, "utf-8")
    line = broken.splitlines().index('  ["旧庁舎", "旧庁舎"],') + 1
    for act in (own.groups, lambda: own.changed(Change(None, checked("synonyms", ["甲", "乙"])))):
        with pytest.raises(SettingsError, match=f"{line} 行目"):
            act()
    assert own.file.read_text("utf-8") == broken


def test_what_somebody_else_took_out_is_not_put_back(own):
    group = put(own, "synonyms", "あおば号", "循環バス")
    own.save(own.changed(Change(group, None)))
    with pytest.raises(SettingsError, match="ほかの人"):
        own.changed(Change(group, checked("synonyms", ["あおば号", "市営バス"])))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.text(max_size=12), min_size=2, max_size=4, unique=True), min_size=1, max_size=5, unique_by=tuple
    )
)
def test_whatever_is_typed_is_read_back_as_it_was_or_refused(tmp_path_factory, typed):
    own = OwnSynonyms(tmp_path_factory.mktemp("own") / "synonyms.toml")
    kept = []
    for terms in typed:
        try:
            group = checked("variants", terms)
            own.save(own.changed(Change(None, group)))
        except SettingsError:
            continue
        kept.append(group)
    assert mine(own) == kept


def test_own_groups_are_in_force_beside_the_bundled_ones_until_they_are_broken(own):
    before = load_synonyms()
    bundled = OwnSynonyms(FILE.with_name("none.toml")).groups()
    put(own, "synonyms", "あおば号", "循環バス")
    use_synonyms(own.file)
    assert ("あおば号", "循環バス") in load_synonyms().rewrites()
    assert set(before.rewrites()) < set(load_synonyms().rewrites())
    assert len(own.groups()) == len(bundled) + 1
    in_force = load_synonyms()
    own.file.write_text("synonyms = [[", "utf-8")
    with pytest.raises(SettingsError):
        use_synonyms(own.file)
    assert load_synonyms() is in_force
    use_synonyms(own.file.with_name("gone.toml"))
    assert load_synonyms() is before


def test_groups_are_found_by_any_writing_of_a_part_of_a_word(own):
    put(own, "abbreviations", "みなとカード", "Ｍカード")
    groups = own.groups()
    assert matching(groups, "mｶｰﾄﾞ", own=True)[0].terms == ("みなとカード", "Mカード".replace("M", "Ｍ"))
    assert all(one.kind == "one_way" for one in matching(groups, "", "one_way")) and len(groups) > 1_000
    assert overlaps(checked("abbreviations", ["Mカード", "みなとカード"]), groups)
    assert not overlaps(checked("abbreviations", ["Mカード", "湊カード"]), groups)


def test_the_test_box_shows_the_words_and_the_hits_before_and_after_an_unsaved_change(own, tmp_path):
    snapshot = build(
        shelf(["循環バスを走らせる。", "港で魚を釣る。", "<b>山</b>に登る。"]), FakeEncoder(), tmp_path / "index"
    )
    upkeep = SimpleNamespace(synonyms=own.file)
    desk = SynonymDesk(upkeep)
    change = desk.change(None, "synonyms", "あおば号\n循環バス")
    question = "あおば号はどうなりましたか"
    now = try_words(snapshot, own.trial(None), question)
    after = try_words(snapshot, own.trial(change), question)
    assert [way.other for way in now.ways if "バス" in way.other] == []
    assert any(way.other.replace("＋", "") == "循環バス" and way.weight == 0.8 for way in after.ways)
    assert all("循環バス" not in hit.text for hit in now.hits) and "循環バス" in after.hits[0].text
    assert ("どう", False) in now.pieces and now.pieces[0][1]
    html = render_trial(now, after)
    assert "上位に入る" in html and "増える" in html and "<b>" not in html
    assert snapshot.search("循環", 1).total == 1  # the files are still open
    assert desk.change(None, "synonyms", " \n") is None and not own.file.exists()


def test_a_box_of_words_is_read_by_line_and_by_comma():
    assert terms_of("あおば号、循環バス\n\nコミバス, 市営バス ") == ["あおば号", "循環バス", "コミバス", "市営バス"]
