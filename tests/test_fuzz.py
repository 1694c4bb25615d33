"""Damaged files and scrambled sheets: read or refused, never anything else.

The long run is ``python -m evals.benchmarks.fuzz_readers --inputs 10000``; these are a few hundred of its inputs, drawn
anew each time, and what it found before.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import corpus.events
import corpus.readers.excel
from assistant.workers import Workers
from corpus.documents import Document
from corpus.errors import DocumentError, DocumentTooLarge, UnreadableDocument
from corpus.readers import document_from
from corpus.readers.numberformat import shown
from corpus.reading import read_sheets
from evals.benchmarks.damage import KINDS, damaged, scrambled, seeds
from evals.benchmarks.fuzz_readers import MAX_SECONDS, lost, main, summary
from evals.benchmarks.probes import Input, Probe, file_input, probe_file, probe_sheets, sheets_input

fuzzed = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def files() -> Iterator[Workers[Input, Probe]]:
    """A guarded process, since one damaged number can ask for all memory there is."""
    with Workers(probe_file, 1, MAX_SECONDS) as workers:
        yield workers


@pytest.fixture(scope="module")
def sheets() -> Iterator[Workers[Input, Probe]]:
    with Workers(probe_sheets, 1, MAX_SECONDS) as workers:
        yield workers


@given(number=st.integers(0, 10**9))
@settings(fuzzed, max_examples=300)
def test_a_damaged_file_is_read_or_refused(files: Workers[Input, Probe], number: int) -> None:
    probe = files.submit(file_input(number)).result()
    assert probe.end in ("read", "refused"), probe.trace


@given(number=st.integers(0, 10**9))
@settings(fuzzed, max_examples=40)
def test_a_scrambled_sheet_is_read(sheets: Workers[Input, Probe], number: int) -> None:
    probe = sheets.submit(sheets_input(number)).result()
    assert probe.end == "read", probe.trace


@pytest.mark.parametrize("kind", KINDS)
def test_an_undamaged_file_of_each_kind_is_read(kind: str) -> None:
    number = KINDS.index(kind)
    assert damaged(number)[1] == seeds()[kind]
    assert probe_file(file_input(number)).end == "read"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != ".zip"])
@pytest.mark.parametrize("change", ["cut", "flip"])
def test_cut_and_flipped_files_of_each_kind(kind: str, change: str) -> None:
    data = seeds()[kind]
    for at in range(0, len(data), max(1, len(data) // 40)):
        spoilt = data[:at] if change == "cut" else data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]
        try:
            document = document_from(spoilt, f"評価{kind}")
        except DocumentError as error:
            assert error.message.startswith(f"評価{kind}: ") and error.message.endswith("。")
        else:
            assert document.text.encode() and document.file == f"評価{kind}"


def test_no_damaged_file_is_lost_from_the_account() -> None:
    assert lost(range(160), jobs=1) == []


def test_the_same_number_is_the_same_input() -> None:
    assert [damaged(number) for number in range(400, 480)] == [damaged(number) for number in range(400, 480)]
    assert scrambled(7) == scrambled(7) != scrambled(8)


def test_the_summary_counts_what_went_wrong() -> None:
    probes = [Probe(0, ".txt", "read", 0.5), Probe(1, ".csv", "ValueError in x.py:f", 0.1, "trace")]
    found = summary(probes)
    assert (found["inputs"], found["wrong"]) == (2, 1)
    assert found["first"]["ValueError in x.py:f"]["number"] == 1
    assert found["slowest"][0] == {"number": 0, "kind": ".txt", "seconds": 0.5}


def test_the_long_run_ends_with_0_when_all_is_well(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "result.json"
    assert main(["--inputs", "16", "--sheets", "2", "--jobs", "1", "--out", str(out)]) == 0
    assert out.read_text("utf-8") == capsys.readouterr().out


# What the long run found


WORD_XML = zipfile.ZipFile(io.BytesIO(seeds()[".docx"])).read("word/document.xml").decode()
WORD_XML = re.sub(r"(<w:tr)( [^>]*)?>(\s*<w:trPr/>)?", "<w:tr>", WORD_XML)


def word(xml: str) -> bytes:
    """The Word seed with another text part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seeds()[".docx"])) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            target.writestr(info, xml if info.filename == "word/document.xml" else source.read(info))
    return out.getvalue()


@pytest.mark.parametrize("columns", ["100000000000", "x", "", "-5"])
def test_a_made_up_number_of_columns_in_word(columns: str) -> None:
    before = f'<w:tr><w:trPr><w:gridBefore w:val="{columns}"/></w:trPr>'
    indented = re.sub("<w:tr>", before, WORD_XML, count=1)
    spanned = WORD_XML.replace('<w:gridSpan w:val="2"/>', f'<w:gridSpan w:val="{columns}"/>')
    for xml in (indented, spanned):
        assert xml != WORD_XML
        text = document_from(word(xml), "a.docx").text
        assert "火葬場運営事業" in text and len(text) < 1000


def excel(rows: Iterator[bytes]) -> bytes:
    """The Excel seed with other rows in its first worksheet."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(seeds()[".xlsx"])) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for info in source.infolist():
            if info.filename == "xl/worksheets/sheet1.xml":
                head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                target.writestr(info.filename, b"".join([head, *rows, b"</sheetData></worksheet>"]))
            else:
                target.writestr(info.filename, source.read(info))
    return out.getvalue()


@pytest.mark.parametrize("cell", [b"", b'<c r="A%d" s="1"/>', b'<c r="A%d" s="1"></c>', b'<c r="A%d"><v/></c>'])
def test_a_million_empty_rows_never_reach_openpyxl(cell: bytes) -> None:
    name = '<row r="1"><c r="A1" t="inlineStr"><is><t>事務事業名</t></is></c></row>'.encode()
    row = b'<row r="%d" spans="1:9" customFormat="1">' + cell + b"</row>"
    count = 1_000_000 if not cell else 50_000
    data = excel(row % ((number,) * row.count(b"%d")) if number > 1 else name for number in range(1, count))
    slim, _ = corpus.readers.excel._slimmed(data, "a.xlsx")
    assert len(slim) < 100_000
    assert document_from(data, "a.xlsx").text.startswith("事務事業名\n")


def test_a_worksheet_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.readers.excel._MAX_SHEET", 10_000)
    rows = (b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (number, number) for number in range(1, 1000))
    with pytest.raises(DocumentTooLarge, match=r"a\.xlsx: 展開すると大きすぎます.*分けて保存し直してください。"):
        document_from(excel(rows), "a.xlsx")


def test_a_word_part_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.readers.word.MAX_PART", 1000)
    with pytest.raises(DocumentTooLarge, match="展開すると大きすぎます"):
        document_from(seeds()[".docx"], "a.docx")


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td"])
def test_a_page_that_nests_without_end(tag: str) -> None:
    deep = f"<{tag}>" * 1500 + "本文"
    assert document_from(deep.encode(), "a.html").text == "本文\n"
    with pytest.raises(UnreadableDocument, match=r"入れ子が深すぎます。.*保存し直してください。"):
        document_from(f"<{tag}>".encode() * 50_000 + b"x", "a.html")


def test_a_page_that_hides_its_depth_is_read_all_the_same() -> None:
    assert document_from(("<div></b>" * 5000 + "本文").encode(), "a.html").text == "本文\n"


def test_comparisons_in_a_script_are_no_elements() -> None:
    page = "<script>" + "if(i<n)x<y;" * 5000 + "</script><p>本文</p>"
    assert document_from(page.encode(), "a.html").text == "本文\n"


@given(
    st.one_of(
        st.integers(-(10**40), 10**40),
        st.floats(),
        st.booleans(),
        st.datetimes(),
        st.dates(),
        st.times(),
        st.timedeltas(),
        st.text(),
    ),
    st.one_of(
        st.text(alphabet='#0?.,;%"\\_*[]$-gemdyhsa年月日@E+/ <>=', max_size=30),
        st.sampled_from(
            ["General", "0" * 300, "0." + "0" * 60, 'ggge"年"m"月"d"日"', "[h]:mm:ss", "yyyy/m/d h:mm", "@"]
        ),
    ),
)
@settings(fuzzed, max_examples=400)
def test_any_value_is_shown_under_any_format(value: object, number_format: str) -> None:
    assert isinstance(shown(value, number_format), str)


def test_a_long_sentence_of_dates_is_cut_and_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"split_sentences": 0, "_is_statement": 0}

    def counted(name: str) -> None:
        function = getattr(corpus.events, name)

        def call(*arguments: object) -> object:
            calls[name] += 1
            return function(*arguments)

        monkeypatch.setattr(corpus.events, name, call)

    for name in calls:
        counted(name)
    text = "事務事業名\t火葬場運営\n事業の目的\t" + "令和5年4月1日に改修し、" * 300 + "保つ。\n"
    (reading,) = read_sheets(Document("a.txt", text, "", "text"))
    assert len(reading.events) == 300
    assert calls["split_sentences"] == len([s for s in reading.sections if "令和" in s.text])
    assert calls["_is_statement"] <= 2
