"""Question files, runs over a fake assistant, kept runs and their comparison."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import unquote

import numpy as np
import openpyxl
import pytest
from fakes import FakeAssistant, FakeIndex

from corpus.errors import SettingsError
from evals import baselines as baselines_module
from evals import run as run_module
from evals.baselines import answering, baselines, chunks, dense
from evals.cases import Case, CaseFile, Expected, read_cases
from evals.compare import compare, fallen, mcnemar
from evals.intervals import right_interval
from evals.metrics import is_faithful
from evals.peers import peers
from evals.plots import calibration_groups
from evals.ranking import available, ranking
from evals.report import page, write_report
from evals.run import examine, examine_cases, main, run
from evals.runs import keep, load, previous
from evals.target import Target, local

GOOD = {
    "id": "a",
    "type": "lookup-text",
    "question": "戸籍システムの課題は？",
    "sheets": ["戸籍システム"],
    "answer": {"must": [["法務省"]], "must_not": []},
}
VOID = {"id": "v", "type": "unanswerable", "question": "人口は？", "unanswerable": True}
LATER = {
    "id": "f",
    "type": "follow-up",
    "question": "理由は？",
    "history": ["戸籍システムの評価は？", "いつ？"],
    "sheets": ["戸籍システム"],
    "answer": {"must": [["法務省"]]},
}
TEXT = "法務省の日程がずれた"


def lines(path: Path, *rows: object) -> Path:
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows),
        encoding="utf-8",
    )
    return path


def reply(answer: str, *, abstained: bool = False, sheet: str = "戸籍システム") -> dict[str, Any]:
    citation = {
        "n": 1,
        "sheet": sheet,
        "sheet_id": sheet,
        "department": "市民課",
        "municipality": "みほん市",
        "section": "評価理由",
        "quote": TEXT[:3],
        "source": {"file": "a.txt", "page": None, "start": 0, "end": 3},
    }
    return {"answer": answer, "abstained": abstained, "citations": [] if abstained else [citation], "table": None}


class Fake:
    """Knows one thing: whatever is asked about 戸籍 or 理由 is answered with 法務省, the rest is refused."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[dict[str, str]]]] = []

    def __call__(self, question: str, history: list[dict[str, str]], filters: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((question, list(history)))
        if "壊" in question:
            raise RuntimeError("壊れた")
        known = "戸籍" in question or "理由" in question
        return reply("法務省の日程[1]") if known else reply("該当なし", abstained=True)

    def target(self) -> Target:
        return Target(self, lambda citation: TEXT, {"index_version": "fake"})


def test_bad_lines_are_reported_by_number_and_stop_nothing(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "q.jsonl",
        GOOD,
        "{not json",
        "",
        GOOD | {"id": "b", "type": "poem"},
        "[1, 2]",
        VOID,
        GOOD,  # the same id again
        GOOD | {"id": "c", "question": "  "},
        GOOD | {"id": "d", "answer": {"must": ["法務省"]}},  # a flat list
        {"id": "e", "type": "list", "question": "一覧"},  # nothing to be right about
        GOOD | {"id": "z"},
    )
    read = read_cases(path)
    assert [case.id for case in read.cases] == ["a", "v", "z"]
    assert [case.line for case in read.cases] == [1, 6, 11]
    assert [bad.line for bad in read.bad] == [2, 4, 5, 7, 8, 9, 10]
    assert "type" in read.bad[1].message
    assert "1 行目" in read.bad[3].message
    assert "question" in read.bad[4].message


def test_one_line_of_broken_utf8_costs_one_case(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\xff\xfe\n" + json.dumps(VOID).encode() + b"\n"
    )
    read = read_cases(path)
    assert [case.id for case in read.cases] == ["a", "v"]
    assert [bad.line for bad in read.bad] == [2]


HEAD = "id,type,question,history,municipality,sheets,must,must_not,unanswerable"
ROWS = (
    '1,list,"一覧は, 何？",,みほん市,"税系システム\n地理空間（公開型 GIS）@デジタル課","自治体クラウド; Gov-Cloud|ガバメントクラウド",9,',
    "2,,人口は？,,,,,,true",
    '3,follow-up,理由は？,"一つ目\n二つ目",,戸籍システム,法務省,,no',
    "4,list,だめ,,,税系システム,,,たぶん",
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp932"])
def test_csv_as_a_person_fills_it_in(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "q.csv"
    path.write_bytes("\r\n".join([HEAD, *ROWS]).encode(encoding))
    read = read_cases(path)
    first, void, later = read.cases
    assert first.sheets == ("税系システム", "地理空間（公開型 GIS）@デジタル課")
    assert first.answer.must == (("自治体クラウド",), ("Gov-Cloud", "ガバメントクラウド"))
    assert first.answer.must_not == ("9",)
    assert first.question == "一覧は, 何？"
    assert void.unanswerable and void.type == "unanswerable"
    assert later.history == ("一つ目", "二つ目") and not later.unanswerable
    assert [bad.line for bad in read.bad] == [7]  # the quoted line breaks count as lines of the file


def test_excel_with_japanese_headings(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["番号", "種別", "質問", "正解シート", "必須", "回答不能"])
    sheet.append([1, "lookup-number", "予算は？", "戸籍システム", 12155, None])
    sheet.append([None] * 6)
    sheet.append([2, None, "人口は？", None, None, True])
    sheet.append([3, "poem", "？", "戸籍システム", "x", None])
    path = tmp_path / "q.xlsx"
    book.save(path)
    read = read_cases(path)
    assert [case.id for case in read.cases] == ["1", "2"]
    assert read.cases[0].answer.must == (("12155",),)
    assert read.cases[1].unanswerable
    assert [bad.line for bad in read.bad] == [5]


@pytest.mark.parametrize(
    ("name", "content"),
    [("q.docx", b"x"), ("q.csv", "見出し,なし\n1,2".encode()), ("q.xlsx", b"not a zip"), ("missing.jsonl", None)],
)
def test_a_file_of_no_use_names_the_next_step(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_cases(tmp_path / name)
    assert caught.value.message.endswith("ください。") or "ください" in caught.value.message


def test_history_is_replayed_with_its_answers() -> None:
    fake = Fake()
    outcome = run([Case.model_validate(LATER)], fake, lambda citation: TEXT)[0]
    assert outcome.score.right
    assert [question for question, _ in fake.asked] == ["戸籍システムの評価は？", "いつ？", "理由は？"]
    assert fake.asked[0][1] == []
    assert fake.asked[2][1] == [
        {"role": "user", "content": "戸籍システムの評価は？"},
        {"role": "assistant", "content": "法務省の日程[1]"},
        {"role": "user", "content": "いつ？"},
        {"role": "assistant", "content": "該当なし"},
    ]


def test_an_exception_costs_its_own_case_only(tmp_path: Path) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD | {"id": "x", "question": "壊れる？"}, GOOD, VOID)
    result = examine(path, Fake().target())
    assert [outcome.score.right for outcome in result.outcomes] == [False, True, True]
    told = result.payload()["cases"][0]
    assert told["causes"] == ["error"]
    assert "RuntimeError: 壊れた" in told["why"][0]


def test_the_json_has_the_shape_of_the_contract(tmp_path: Path) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD, VOID, LATER, GOOD | {"id": "w", "sheets": ["税系システム"]}, "oops")
    told = json.loads(json.dumps(examine(path, Fake().target()).payload()))
    overall = told["overall"]
    assert (overall["n"], overall["right"]) == (4, 3)
    assert overall["citation_recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert overall["quote_fidelity"] == 1.0
    assert overall["abstention"]["precision"] == 1.0 and overall["abstention"]["recall"] == 1.0
    assert set(overall["latency_ms"]) == {"p50", "p95"}
    assert list(told["by_type"]) == ["lookup-text", "unanswerable", "follow-up"]
    assert told["by_type"]["lookup-text"]["n"] == 2 and told["by_type"]["lookup-text"]["right"] == 1
    assert set(told["by_type"]["follow-up"]) == set(overall)
    assert told["malformed"][0]["line"] == 5
    wrong = told["cases"][3]
    assert wrong["causes"] == ["wrong-sheet", "citation-precision"]
    assert wrong["expected"]["sheets"] == ["税系システム"]
    assert wrong["got"]["sheets"] == ["戸籍システム@市民課"]


@pytest.fixture
def fake_local(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setattr(run_module, "local", lambda folder: fake.target())
    return fake


def test_the_command_line(tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD, "oops", VOID)
    options = [str(path), "--index-dir", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert main([*options, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["overall"]["right"] == 2
    assert "2行目" in err
    assert main(options) == 0
    out = capsys.readouterr().out
    assert "2/2" in out
    assert "直った 0、壊れた 0" in out  # against the run just before


def test_nothing_to_run_is_a_failure(tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    assert main([str(lines(tmp_path / "q.jsonl", "oops")), "--json", *runs]) == 1
    assert main([str(tmp_path / "missing.jsonl"), *runs]) == 1
    assert "ありません" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_what_cannot_be_written_costs_no_figures(
    tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD)
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main([str(path), "--runs", str(tmp_path / "file" / "runs"), "--index-dir", "x"]) == 0
    out, err = capsys.readouterr()
    assert "1/1" in out and "保存できませんでした" in err
    options = ["--runs", str(tmp_path / "runs"), "--index-dir", "x", "--report"]
    assert main([str(path), *options, str(tmp_path / "file" / "r.html")]) == 1
    assert "1/1" in capsys.readouterr().out
    assert main([str(path), *options, str(tmp_path / "r.html")]) == 0
    assert "コード" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_kept_runs_are_found_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    path = lines(tmp_path / "q.jsonl", GOOD, VOID)
    first = keep(examine(path, Fake().target()), runs)
    second = keep(examine(path, Fake().target()), runs)
    other = keep(examine(lines(tmp_path / "other.jsonl", VOID), Fake().target()), runs)
    kept = load(str(first), runs)
    assert kept["about"]["index_version"] == "fake"
    assert set(kept) >= {"run", "at", "hyoka", "commit", "overall", "by_type", "cases"}
    assert load(first.stem, runs) == kept
    assert load("last", runs)["run"] == other.stem
    found = previous("q.jsonl", runs)
    assert found is not None and found["run"] == second.stem
    second.write_text("{broken", encoding="utf-8")
    found = previous("q.jsonl", runs)
    assert found is not None and found["run"] == first.stem
    assert previous("new.jsonl", runs) is None
    for wrong in ("2001", str(second), str(path)):
        with pytest.raises(SettingsError):
            load(wrong, runs)


def verdicts(**right: bool) -> dict[str, Any]:
    cases = [
        {"id": name, "type": "list" if name < "m" else "semantic", "question": name, "right": good, "causes": []}
        for name, good in right.items()
    ]
    kinds = {kind: [case for case in cases if case["type"] == kind] for kind in ("list", "semantic")}
    counts = {kind: {"n": len(part), "right": sum(case["right"] for case in part)} for kind, part in kinds.items()}
    overall = {"n": len(cases), "right": sum(right.values())}
    return {"cases": cases, "by_type": {kind: part for kind, part in counts.items() if part["n"]}, "overall": overall}


def test_fixed_and_broken() -> None:
    before = verdicts(a=True, b=False, c=False, s=True, gone=True)
    after = verdicts(a=True, b=True, c=True, s=False, new=False)
    change = compare(before, after)
    assert [case.id for case in change.fixed] == ["b", "c"]
    assert [case.id for case in change.broken] == ["s"]
    assert (change.only_a, change.only_b, change.common) == (("gone",), ("new",), 4)
    assert change.shares == {"overall": (0.5, 0.75), "list": (0.3333, 1.0), "semantic": (1.0, 0.0)}
    assert change.p_value == 1.0  # 2 against 1: a coin does at least that always


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    # By hand: both tails of the binomial with a half, (C(6,0)) * 2 / 64, (C(9,0) + C(9,1)) * 2 / 512.
    [(0, 0, 1.0), (6, 0, 2 / 64), (0, 6, 2 / 64), (8, 1, 20 / 512), (3, 3, 1.0)],
)
def test_mcnemar_by_hand(fixed: int, broken: int, p: float) -> None:
    assert mcnemar(fixed, broken) == pytest.approx(p)


def test_a_fall_under_the_baseline() -> None:
    before = verdicts(a=True, b=True, c=True, d=True, s=True)
    after = verdicts(a=True, b=True, c=True, d=False, s=True)
    assert fallen(before, before, 0.0) == []
    assert [line.split("の")[0] for line in fallen(before, after, 0.0)] == ["全体", "list"]
    assert [line.split("の")[0] for line in fallen(before, after, 0.2)] == ["list"]  # 0.2 over all, 0.25 of the lists
    assert fallen(before, after, 0.25) == []
    assert "semantic" in fallen(before, verdicts(a=True), 0.0)[-1]


def test_the_baseline_decides_the_exit_status(
    tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--runs", str(tmp_path / "runs")]
    good = lines(tmp_path / "q.jsonl", GOOD, VOID)
    committed = keep(examine(good, fake_local.target()), tmp_path)
    assert main([str(good), *options, "--baseline", str(committed)]) == 0
    worse = lines(tmp_path / "q.jsonl", GOOD | {"answer": {"must": [["総務省"]]}}, VOID)
    assert main([str(worse), *options, "--baseline", str(committed)]) == 2
    assert "全体の正答率が 1.000 から 0.500" in capsys.readouterr().err
    assert main([str(worse), *options, "--baseline", str(committed), "--margin", "1"]) == 0
    assert main([str(worse), *options, "--baseline", str(tmp_path / "missing.json")]) == 1


def test_compare_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = keep(examine(lines(tmp_path / "q.jsonl", GOOD | {"sheets": ["税系システム"]}, VOID), Fake().target()), tmp_path)
    b = keep(examine(lines(tmp_path / "q.jsonl", GOOD, VOID), Fake().target()), tmp_path)
    assert main(["--compare", str(a), str(b), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [case["id"] for case in told["fixed"]] == ["a"]
    assert told["broken"] == [] and told["p_value"] == 1.0
    assert main(["--compare", a.stem, "last", "--runs", str(tmp_path)]) == 0
    assert "○ 直った a" in capsys.readouterr().out
    assert main(["--compare", "nowhere", "last", "--runs", str(tmp_path)]) == 1


def test_the_interval_covers_what_it_should() -> None:
    assert right_interval(0, 10) == (0.0, 0.0)
    assert right_interval(10, 10) == (1.0, 1.0)
    assert right_interval(0, 0) == (0.0, 1.0)
    low, high = right_interval(50, 100)
    # By hand: the normal interval is 0.5 +- 1.96 * 0.05.
    assert low == pytest.approx(0.402, abs=0.015) and high == pytest.approx(0.598, abs=0.015)
    assert right_interval(50, 100) == (low, high)


def test_calibration_groups_by_hand() -> None:
    points = [(0.9, True), (0.1, False), (0.9, True), (0.3, True)]
    assert calibration_groups(points, 2) == [(pytest.approx(0.2), 0.5, 2), (0.9, 1.0, 2)]
    assert [n for _, _, n in calibration_groups(points, 9)] == [1, 1, 1, 1]
    assert calibration_groups([], 3) == []


class Outside(HTMLParser):
    """Collects what a page would load, and whether its tags close."""

    VOID = frozenset({"meta", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.failures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loads += [str(found[name]) for name in ("src", "srcset", "data", "xlink:href") if name in found]
        if tag == "link" or (tag == "a" and not str(found.get("href")).startswith("#")):
            self.loads.append(str(found.get("href")))
        self.failures += "failure" in str(found.get("class")).split()
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def hostile() -> list[object]:
    nasty = "<script>alert(1)</script>\"'&"
    rows = [GOOD | {"id": f"g{n}"} for n in range(14)]
    return [*rows, GOOD | {"id": nasty, "question": nasty, "sheets": [nasty], "note": nasty}, LATER, VOID, nasty]


def test_the_report_is_one_page_without_outside_assets(tmp_path: Path) -> None:
    path = lines(tmp_path / "q.jsonl", *hostile())
    result = examine(path, Fake().target())
    before = load(str(keep(result, tmp_path / "runs")), tmp_path / "runs")
    before["cases"][0]["right"] = False
    before["cases"][0]["causes"] = ["missing-must"]
    write_report(result.payload(), before, tmp_path / "out" / "r.html")
    html = (tmp_path / "out" / "r.html").read_text(encoding="utf-8")
    found = Outside()
    found.feed(html)
    assert found.open == [] and found.loads == []
    assert found.failures == len(result.failures) == 1
    assert "<script>alert" not in html and "url(" not in html and "@import" not in html
    assert "直った質問（1）" in html and "18行目" in html
    assert html.count("<svg") == 2  # no scores, no calibration


def test_the_calibration_is_about_answers_given(tmp_path: Path) -> None:
    told = examine(lines(tmp_path / "q.jsonl", *hostile()), Fake().target()).payload()
    for number, case in enumerate(told["cases"]):
        case["confidence"] = number / len(told["cases"])
    assert page(told).count("<svg") == 3
    for case in told["cases"][:8]:
        case["got"]["abstained"] = True
    assert page(told).count("<svg") == 2
    assert "スコアの付いた回答が 7 件しかない" in page(told)  # 17, less 8, less the two that were


def test_the_report_without_a_case_or_a_run_before(tmp_path: Path) -> None:
    result = examine(lines(tmp_path / "q.jsonl", "oops"), Fake().target())
    write_report(result.payload(), None, tmp_path / "r.html")
    assert "前回の評価はありません" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_filters_of_the_report(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    wrong = [GOOD | {"id": "w1", "sheets": ["税系システム"]}, LATER | {"id": "w2", "answer": {"must": [["総務省"]]}}]
    result = examine(lines(tmp_path / "q.jsonl", GOOD, *wrong), Fake().target())
    write_report(result.payload(), None, tmp_path / "r.html")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "r.html").as_uri())
        visible = page.locator(".failure:visible")
        assert visible.count() == 2
        page.select_option("#type", "follow-up")
        assert [row.get_attribute("id") for row in visible.all()] == ["case-w2"]
        page.select_option("#type", "")
        page.select_option("#cause", "wrong-sheet")
        assert [row.get_attribute("id") for row in visible.all()] == ["case-w1"]
        page.select_option("#cause", "")
        page.fill("#words", "総務省")
        assert [row.get_attribute("id") for row in visible.all()] == ["case-w2"]
        assert page.text_content("#shown") == "1 件"
        assert errors == []
        browser.close()


@pytest.mark.skipif(not available(), reason="the extra eval (ir-measures) is not installed")
def test_ranking_by_hand() -> None:
    index = FakeIndex()
    sheets = [hit.sheet for hit in index.search("システム", 50).hits]
    order = list(dict.fromkeys((sheet.name, sheet.sheet_id) for sheet in sheets))
    assert len(order) >= 2
    second = case_of("a", "システム", order[1][0])
    void = Case.model_validate(VOID)
    told = ranking([second, void], lambda question, k: index.search(question, k).hits)
    assert told["R@1"] == 0.0 and told["R@5"] == 1.0
    assert told["RR@10"] == 0.5
    assert told["nDCG@10"] == pytest.approx(1 / 1.58496, abs=1e-4)  # 1 / log2(3)
    assert ranking([void], lambda question, k: ()) == {}
    assert set(ranking([second], lambda question, k: ()).values()) == {0.0}


def case_of(name: str, question: str, sheet: str) -> Case:
    return Case.model_validate(GOOD | {"id": name, "question": question, "sheets": [sheet]})


def test_baselines_answer_with_their_best_passage() -> None:
    index = FakeIndex()
    pieces = chunks(index)
    for piece in pieces:
        sheet = piece.found.sheet
        assert index.document(sheet.file).text[piece.span.start : piece.span.end] == piece.text
    road = case_of("road", "道路台帳の電子化", "道路台帳整備").model_copy(
        update={"answer": Expected(must=(("閲覧",),))}
    )
    later = case_of("nothing", "ヌヌヌ", "道路台帳整備")
    cases = CaseFile("q", (road, later), ())
    with baselines(index) as searches:
        assert list(searches) == ["bm25", "dense", "fused"]
        told = examine_cases(cases, answering(searches["bm25"], index, "bm25"), ranked=False)
    assert [outcome.score.right for outcome in told.outcomes] == [True, False]
    assert told.outcomes[1].score.causes[0] == "abstained"
    assert told.overall.quote_fidelity == 1.0


def test_the_baselines_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = Target(Fake(), lambda citation: TEXT, {}, FakeIndex())
    monkeypatch.setattr(baselines_module, "local", lambda folder: target)
    path = lines(tmp_path / "q.jsonl", GOOD, VOID)
    assert baselines_module.main([str(path), "--index-dir", "x"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("assistant", "bm25", "dense", "fused", "lookup-text"))
    assert baselines_module.main([str(path), "--index-dir", "x", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["assistant"]["overall"]["right"] == 2
    assert told["bm25"]["overall"]["abstention"]["recall"] == 1.0  # no word of 人口は stands in the fake sheets
    assert baselines_module.main([str(tmp_path / "missing.jsonl"), "--index-dir", "x"]) == 1


def test_dense_ranks_by_the_cosine() -> None:
    class Letters(FakeIndex):
        def encode(self, texts: list[str], kind: str = "query") -> Any:
            rows = np.array([[text.count(letter) + 1e-6 for letter in "道図広"] for text in texts], dtype=np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    index = Letters()
    best = dense(chunks(index), index)("道道道", 2)
    assert {hit.sheet.name for hit in best} == {"道路台帳整備"}
    assert best[0].score >= best[1].score


@pytest.mark.parametrize("name", ["txtai", "haystack"])
def test_peers_find_what_stands_there(name: str) -> None:
    if find_spec(name) is None:
        pytest.skip(f"the extra bench ({name}) is not installed")
    index = FakeIndex()
    pieces = chunks(index)
    hits = peers(pieces, index)[name]("道路台帳を電子化", 3)
    assert hits[0].sheet.name == "道路台帳整備"
    assert index.document(hits[0].sheet.file).text[hits[0].span.start : hits[0].span.end] == hits[0].text


def test_a_local_target_gives_what_the_api_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Snapshot(FakeIndex):
        manifest = SimpleNamespace(encoder="fake", encoder_digest="0" * 64, counts={"sheets": 4})

    monkeypatch.setattr("evals.target.open_index", lambda folder: Snapshot())
    monkeypatch.setattr("assistant.session.Assistant", FakeAssistant)
    found = local(tmp_path)
    assert found.about == {"index_version": "fake-1", "encoder": "fake 000000000000", "sheets": "4"}
    told = found.ask("図書館システムの今後の計画は？", [{"role": "user", "content": "前"}], {})
    assert told["citations"]
    for citation in told["citations"]:
        assert is_faithful(citation, found.source)
    assert found.source({"source": {"file": "nowhere.txt"}}) is None


class Server(BaseHTTPRequestHandler):
    """The three routes a run uses, answered from memory."""

    received: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        path = unquote(self.path)
        known = {"/healthz": b"{}", "/api/v1/sheets/戸籍システム/source": TEXT.encode()}
        self.reply(200 if path in known else 404, known.get(path, b"{}"))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append(body)
        self.reply(200, json.dumps(reply("法務省の日程[1]"), ensure_ascii=False).encode())

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        pass


def test_a_server_is_asked_over_http(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=listening.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{listening.server_port}/"
    path = lines(tmp_path / "q.jsonl", GOOD, LATER, GOOD | {"id": "x", "sheets": ["税系システム"]})
    options = [str(path), "--server", url, "--runs", str(tmp_path / "runs")]
    try:
        assert main([*options, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [case["right"] for case in told["cases"]] == [True, True, False]
        assert told["overall"]["quote_fidelity"] == 1.0
        assert Server.received[-2]["history"][1] == {"role": "assistant", "content": "法務省の日程[1]"}
    finally:
        listening.shutdown()
        listening.server_close()
    assert main(options) == 1
    assert "hyoka serve" in capsys.readouterr().err
