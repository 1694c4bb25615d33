"""The report page, its intervals and its calibration."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from eval_fakes import GOOD, LATER, VOID, Fake, lines

from evals.intervals import right_interval
from evals.plots import calibration_groups
from evals.report import page, write_report
from evals.run import examine
from evals.runs import keep, load


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
