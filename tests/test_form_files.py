"""Form files of one's own: found in their folder, laid over the bundled ones, and every mistake named by file, line, key."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.documents import Document
from corpus.errors import FormError, SettingsError
from corpus.forms.family import Source, families, form_of_family, vocabulary
from corpus.forms.loader import (
    OTHER,
    bundled,
    canonical,
    clean_label,
    expand,
    fields,
    form_named,
    forms,
    kind_of,
    use_forms,
)
from corpus.forms.mistakes import parsed
from corpus.forms.patterns import FLAGS, compiled, runs_away
from corpus.forms.schema import FormFile
from corpus.reading import read_sheets

FORM = """strategy = "labels"
recognise = ['みなと野点検票']
unit = "千円"

[sheet]
start = '^点検票番号[ ]+\\d+'
name = '^対象[ ]+(?P<name>{L})'

[[label]]
text = "対象"
field = "事務事業名"
[[label]]
text = "結果"
field = "評価理由"

[[fact]]
regex = '^予算と決算[ ](?P<plan>{N})[ ](?P<spent>{N})[ ](?P<rate>{N})%'
checks = [{ percent = ["spent", "plan", "rate"] }]
values = [
  { group = "plan", field = "予算額", label = "予算", year = 0, kind = "plan" },
  { group = "spent", field = "決算額", label = "決算", year = 0, kind = "actual" },
]
"""
TEXT = """みなと野点検票 令和６年度
点検票番号 1
対象 図書館システム
予算と決算 4,000 3,600 90.0%
結果 待ち時間が短くなった。
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "様式"
    folder.mkdir()
    return folder


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")


def read(text: str = TEXT) -> list[tuple[str, str]]:
    return [(r.sheet.form, r.sheet.name) for r in read_sheets(Document("a.txt", text, "0", "text"))]


def test_a_form_of_ones_own_reads_its_sheets_and_is_gone_when_the_folder_is(folder):
    write(folder, point_check=FORM)
    use_forms(folder)
    assert read() == [("point_check", "図書館システム")]
    use_forms(None)
    assert form_named("point_check") is None


def test_own_forms_are_tried_before_the_bundled_ones_and_take_the_place_of_one_with_their_name(folder):
    names = [form.name for form in forms()]
    write(folder, zzz=FORM, **{names[0]: FORM})
    use_forms(folder)
    assert [form.name for form in forms()] == [names[0], "zzz", *names[1:]]
    assert next(f for f in forms() if f.name == names[0]).file == str(folder / f"{names[0]}.toml")


def test_the_folder_reaches_a_process_that_is_started(folder):
    write(folder, point_check=FORM)
    use_forms(folder)
    code = "from corpus.forms.loader import forms; print([f.name for f in forms()][0])"
    root = str(Path(__file__).parents[1])
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "point_check"


def test_own_labels_are_added_and_go_before_the_bundled_meaning(folder):
    assert canonical("町のねらい") is None and canonical("摘要") == "備考"
    write(
        folder,
        fields='["目的"]\nlabels = ["町のねらい", "摘要"]\n["停電回数"]\nkind = "indicator"\nlabels = ["停電"]\n',
    )
    use_forms(folder)
    assert [canonical(x) for x in ("町のねらい", "摘要", "事業目的", "停電")] == ["目的", "目的", "目的", "停電回数"]
    assert kind_of("停電回数") == "indicator" and kind_of("目的") == "text"
    use_forms(None)
    assert canonical("町のねらい") is None and canonical("摘要") == "備考" and "停電回数" not in fields()


# ---- extends --------------------------------------------------------------------------------------------------------

CHILD = """extends = "base"
recognise = ['みなと野点検票', '^対象']

[sheet]
department = '^所管[ ](?P<department>{L})'

[[fact]]
regex = '^人手[ ](?P<staff>{N})'
unit = "人"
values = [{ group = "staff", field = "職員数", label = "人手", year = 0 }]
"""


def test_a_form_inherits_what_it_does_not_say_and_is_tried_first(folder):
    write(folder, base=FORM, aa_child=CHILD, zz_child=CHILD)
    use_forms(folder)
    assert [f.name for f in forms()][:3] == ["aa_child", "zz_child", "base"]
    child = forms()[0]
    assert child.strategy == "labels" and child.data["unit"] == "千円"
    assert set(child.data["sheet"]) == {"start", "name", "department"}
    assert [len(child.data[key]) for key in ("label", "fact")] == [2, 2]
    sheet = read_sheets(Document("a.txt", TEXT + "所管 図書館課\n人手 3\n", "0", "text"))[0]
    assert (sheet.sheet.form, sheet.sheet.department) == ("aa_child", "図書館課")
    amounts = {(f.label, f.value) for f in sheet.facts if f.value is not None}
    assert amounts == {("予算", 4_000_000), ("決算", 3_600_000), ("人手", 3)}


def test_own_sections_take_the_place_of_inherited_ones_with_their_label(folder):
    section = "[[section]]\nlabel = '{}'\nfield = '目的'\nregex = '(?P<value>{})'\n"
    head = "strategy = 'patterns'\nrecognise = ['x']\nsheet = { start = 'x' }\n"
    write(folder, base=head + section.format("甲", "1") + section.format("乙", "2"))
    write(folder, child="extends = 'base'\n" + section.format("甲", "3"))
    use_forms(folder)
    assert [(s["label"], s["regex"]) for s in forms()[0].data["section"]] == [
        ("甲", "(?P<value>3)"),
        ("乙", "(?P<value>2)"),
    ]


def test_a_form_may_extend_a_bundled_one(folder):
    name = next(form.name for form in forms() if form.strategy == "patterns")
    write(folder, mine=f"extends = '{name}'\nrecognise = ['みなと野']\n")
    use_forms(folder)
    assert forms()[0].data["section"] == form_named(name).data["section"]


# ---- mistakes -------------------------------------------------------------------------------------------------------


def broken(folder: Path, **files: str) -> FormError:
    write(folder, **files)
    with pytest.raises(FormError) as found:
        use_forms(folder)
    assert re.search(r"(ください|ます)[。）]?", found.value.message), found.value.message
    return found.value


# (what is put into FORM in place of what, line, key, words of the sentence)
MISTAKES = {
    "an unknown key": ('unit = "千円"', 'uint = "千円"', 3, "uint", "もしかして: unit"),
    "a wrong type": ("recognise = ['みなと野点検票']", "recognise = 'みなと野'", 2, "recognise", "リスト"),
    "an unknown strategy": ('"labels"', '"label"', 1, "strategy", "labels、patterns、cells"),
    "an unknown key deep down": ("year = 0, kind = \"plan\" },", "yaer = 0 },", 20, "fact[1].values[1].yaer", "もしかして: year"),
    "no start": ("start = '^点検票番号[ ]+\\d+'\n", "", 5, "sheet.start", "書き足して"),
    "no regular expression": ("(?P<name>{L})", "(?P<name>{L}", 7, "sheet.name", "正規表現"),
    "a group left out": ("(?P<name>{L})", "{L}", 7, "sheet.name", "?P<name>"),
    "an unknown field": ('"評価理由"', '"評価のわけ"', 14, "label[2].field", "近い欄: "),
    "a pattern without an end": ("'^対象[ ]+", "'^対象(?:[^ ]+ ?)+", 7, "sheet.name", "くり返し"),
    "an unknown group": ('group = "spent"', 'group = "spend"', 21, "fact[1].values[2].group", "plan、rate、spent"),
    "an unknown kind": ('kind = "actual"', 'kind = "real"', 21, "fact[1].values[2].kind", "plan、actual"),
    "a check of no group": ('["spent", "plan"', '["spend", "plan"', 18, "fact[1].checks[1].percent", "spend"),
    "a check of two figures": (', "rate"]', "]", 18, "fact[1].checks[1].percent", "3個"),
    "a placeholder of no group": ('"予算", year', '"{item}", year', 20, "fact[1].values[1].label", "item"),
    "an unknown unit": ('"千円"', '"千ドル"', 3, "unit", "百万円"),
    "a year that is no year": ("year = 0, kind = \"plan\"", "year = 1.5, kind = \"plan\"", 20, "fact[1].values[1].year", ""),
    "a quotation mark left out": ('field = "評価理由"', 'field = "評価理由', 14, "", "TOML"),
    "a key twice": ('unit = "千円"', 'strategy = "cells"', 3, "", "二度"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_named_with_file_line_and_key(folder, what):
    old, new, line, key, words = MISTAKES[what]
    assert FORM.count(old) >= 1
    error = broken(folder, point_check=FORM.replace(old, new, 1))
    assert (error.file, error.line, error.key) == (str(folder / "point_check.toml"), line, key)
    assert f"{error.file} {line}行目" in error.message and words in error.message


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_its_lines(folder):
    text = (
        FORM.replace('"評価理由"', '"評価のわけ"').replace('unit = "千円"', 'uint = "千円"').replace('"spent"]', '"x"]')
    )
    error = broken(folder, point_check=text)
    assert [int(n) for n in re.findall(r" (\d+)行目", error.message)] == [3, 14]


def test_mistakes_of_the_own_vocabulary(folder):
    assert (e := broken(folder, fields='["目的"]\nkind = "amount"\nlabels = []\n')).key == "目的.kind" and e.line == 2
    assert (e := broken(folder, fields='\n["新しい欄"]\nlabels = ["甲"]\n')).key == "新しい欄" and e.line == 2
    assert (
        e := broken(folder, fields='["新"]\nkind = "money"\nlabels = ["甲"]\n')
    ).key == "新.kind" and "amount" in e.message
    assert (
        e := broken(folder, fields='["目的"]\nlabel = ["甲"]\n')
    ).key == "目的.labels" and "もしかして: labels" in e.message
    twice = '["目的"]\nlabels = ["甲"]\n["対象"]\nlabels = ["乙",\n "甲"]\n'
    assert (e := broken(folder, fields=twice)).key == "対象.labels[2]" and e.line == 5 and "目的" in e.message
    assert (e := broken(folder, fields='目的 = "甲"\n')).line == 1


def test_a_circle_of_extends_names_both_files(folder):
    error = broken(folder, a="extends = 'b'\n", b="\nextends = 'a'\n")
    assert str(folder / "a.toml") in error.message and str(folder / "b.toml") in error.message
    assert "輪" in error.message and error.key == "extends"
    (folder / "b.toml").unlink()
    assert "輪" in broken(folder, a="extends = 'a'\n").message


def test_extending_a_form_that_is_not_there_names_those_that_are(folder):
    error = broken(folder, a="strategy = 'cells'\nextends = 'nothing'\n")
    assert (error.line, error.key) == (2, "extends") and forms()[0].name in error.message


def test_a_mistake_in_what_is_inherited_is_told_of_the_file_it_stands_in(folder):
    error = broken(folder, base=FORM.replace('"評価理由"', '"評価のわけ"'), child=CHILD)
    assert error.file == str(folder / "base.toml")


def test_a_file_in_another_encoding_and_a_missing_folder(folder, tmp_path):
    (folder / "a.toml").write_bytes("# よし\nstrategy = 'cells'\n".encode("cp932"))
    with pytest.raises(FormError, match="1行目.*UTF-8"):
        use_forms(folder)
    with pytest.raises(FormError, match="フォルダー"):
        use_forms(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(FormError, match="フォルダー"):
        use_forms(tmp_path / "file")


def test_a_byte_order_mark_and_line_ends_of_windows_do_no_harm(folder):
    (folder / "point_check.toml").write_bytes(b"\xef\xbb\xbf" + FORM.replace("\n", "\r\n").encode())
    use_forms(folder)
    assert read() == [("point_check", "図書館システム")]
    (folder / "point_check.toml").write_bytes(
        FORM.replace("'labels'", "").replace("unit", "uint").replace("\n", "\r\n").encode()
    )
    use_forms(None)
    assert broken(folder).line == 3


def test_after_a_mistake_the_files_in_use_before_stay_in_use(folder, tmp_path):
    write(folder, point_check=FORM)
    use_forms(folder)
    bad = tmp_path / "bad"
    bad.mkdir()
    broken(bad, a="x = 1")
    assert forms()[0].name == "point_check"


def test_a_form_error_is_a_settings_error():
    assert issubclass(FormError, SettingsError)


# ---- patterns that would not end ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", [r"(\S+ ?)+$", r"x(?:あ+\s*)*y", r"(?:.*\n)*終", r"(?P<v>(?:\d+,?)+)円", r"((a|b)+c?)+d"]
)
def test_repeats_of_repeats_are_refused(pattern):
    assert runs_away(pattern)


@pytest.mark.parametrize(
    "pattern", ["{B}{P}{B}", r"(?:[^\n]+\n)*終", r"(?:\d+,)+円", r"(?:[ ]{N})+", r"\S+(?: \S+)*", r"^(a+)\1$"]
)
def test_repeats_that_cannot_be_cut_in_two_ways_are_fine(pattern):
    assert not runs_away(pattern)


def patterns_of(value: object, key: str = "") -> list[str]:
    if isinstance(value, dict):
        return [p for name, inner in value.items() for p in patterns_of(inner, name if key != "pieces" else "regex")]
    if isinstance(value, list):
        return [p for inner in value for p in patterns_of(inner, key)]
    keys = ("regex", "regexes", "recognise", "start", "name", "department", "year", "head", "line", "block", "first",
            "after", "bare", "not_labels")  # fmt: skip
    return [value] if key in keys and isinstance(value, str) else []


ADVERSE = [
    "事業" * 1500,
    "1,234 " * 500,
    "\n" * 3000,
    " \n" * 1500,
    "12年度 " * 500 + "\n",
    "No1\nNo2\n" * 400,
    "あ\n\n" * 1000,
    "\t" * 3000,
]


@pytest.mark.parametrize("source", [s for s in bundled() if s.name != "fields"], ids=lambda s: s.name)
def test_the_bundled_patterns_end_on_texts_made_to_hold_them_up(source):
    found = patterns_of(parsed(source.raw, source.file)[1])
    assert len(found) > 5
    for pattern in found:
        assert not runs_away(pattern)
        for text in ADVERSE:
            began = process_time()
            re.compile(expand(pattern), FLAGS).search(text)
            assert process_time() - began < 5, pattern
        assert compiled(pattern)


# ---- whatever a file holds, it loads or its mistake is a sentence ------------------------------------------------------


def tried(raw: bytes) -> None:
    try:
        for family in families([Source("a", "a.toml", raw, own=True)], {OTHER, *fields()}):
            form_of_family(family, clean_label)
        vocabulary([*bundled(), Source("fields", "fields.toml", raw, own=True)], clean_label)
    except FormError as error:
        assert error.file in ("a.toml", "fields.toml") and error.line >= 1
        assert error.line <= raw.count(b"\n") + 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_form_file_with_anything_put_into_it_loads_or_names_a_line(data):
    at = data.draw(st.integers(0, len(FORM)))
    cut = data.draw(st.integers(0, 30))
    put = data.draw(st.text("ab名\n\"'[]{}=,.#()?P<>+*\\^$|0-9 \t{N}", max_size=12))
    tried((FORM[:at] + put + FORM[at + cut :]).encode())


VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["a", "(?P<a>x)", "{L}", ""])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "group", "field", "regex"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {inline(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(inline(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else repr(value)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FormFile.model_fields)), VALUES)
def test_a_value_of_any_shape_at_any_key_loads_or_names_a_line(key, value):
    kept = "".join(line for line in FORM.splitlines(keepends=True) if not line.startswith(key))
    tried(f"{key} = {inline(value)}\n{kept}".encode())


@settings(max_examples=300, deadline=None)
@given(st.text("ab(|)*+?.[]{}^$\\dsS12,あ ", max_size=16))
def test_any_pattern_is_judged_in_time(pattern):
    try:
        compiled(pattern)
    except (re.error, OverflowError, RecursionError):
        return
    began = process_time()
    runs_away(pattern)
    assert process_time() - began < 5


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_bytes_that_are_no_toml_name_a_line(raw):
    tried(raw)
