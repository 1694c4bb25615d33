"""The definition of right, rule by rule, by hand; then a second scorer of other make on random answers."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from evals.cases import Case, read_cases
from evals.figures import Scored, figures, latency
from evals.metrics import Cause, answer_text, failed, fold, is_gold, score, squash

TEXT = "戸籍システムの令和３年度の予算額は 12,155 千円である。図書館電算システムはＢ評価。"
QUOTE = "令和３年度の予算額は 12,155 千円"
START = TEXT.index(QUOTE)


def source(citation: Any) -> str | None:
    return TEXT if citation["source"]["file"] == "a.txt" else None


def cite(n: int = 1, sheet: str = "戸籍システム", **changes: Any) -> dict[str, Any]:
    place = {"file": "a.txt", "page": None, "start": START, "end": START + len(QUOTE)}
    return {
        "n": n,
        "sheet": sheet,
        "sheet_id": f"id-{sheet}-{changes.get('department', '')}",
        "department": "市民課",
        "municipality": "みほん市",
        "section": "予算額",
        "quote": QUOTE,
        "source": place,
    } | changes


def case(**changes: Any) -> Case:
    plain = {
        "id": "a",
        "type": "lookup-number",
        "question": "戸籍システムの予算は？",
        "sheets": ["戸籍システム"],
        "answer": {"must": [["12,155", "1,215万"], ["千円"]], "must_not": ["9,999"]},
    }
    return Case.model_validate(plain | changes)


def payload(answer: str = "12,155千円です[1]", **changes: Any) -> dict[str, Any]:
    return {"answer": answer, "abstained": False, "citations": [cite()], "table": None} | changes


def causes(made: Case, given: dict[str, Any]) -> list[str]:
    return [str(cause) for cause in score(made, given, source).causes]


def test_the_plain_right_answer() -> None:
    told = score(case(), payload(), source)
    assert told.right and told.exact
    assert (told.recall, told.precision, told.quotes, told.faithful) == (1.0, 1.0, 1, 1)


@pytest.mark.parametrize(
    "answer",
    ["１２１５５ 千円", "12,155\n千 円", "12，155千円", "1,215万5千円"],  # NFKC, white space, wide comma, other form
)
def test_forms_are_compared_folded(answer: str) -> None:
    assert causes(case(), payload(answer)) == []


def test_letters_are_compared_in_lower_case() -> None:
    made = case(answer={"must": [["gov-cloud"]]})
    assert causes(made, payload("Ｇｏｖ-Cloud")) == []
    assert fold("25℃") == fold("25°c")  # NFKC makes a capital letter, so lower case comes after it


def test_each_inner_list_needs_one_form() -> None:
    told = score(case(), payload("12,155です"), source)
    assert told.causes == (Cause.MISSING_MUST,)
    assert told.missing_must == (("千円",),)
    assert not told.exact


def test_the_table_counts_as_answer() -> None:
    table = {"columns": ["システム", "額"], "rows": [["戸籍", "12,155千円"]], "citations": [[1]]}
    assert causes(case(), payload("表のとおりです", table=table)) == []
    assert causes(case(), payload("表のとおりです")) == ["missing-must"]


def test_two_cells_do_not_make_a_form() -> None:
    table = {"columns": [], "rows": [["12", "155千円"]], "citations": [[1]]}
    assert answer_text(payload("表", table=table)) == "表|12|155千円"
    assert causes(case(), payload("表", table=table)) == ["missing-must"]


def test_numbers_and_empty_cells() -> None:
    table = {"columns": ["額"], "rows": [[12155, None]], "citations": [[1]]}
    assert causes(case(), payload("単位は千円", table=table)) == []


def test_must_not_in_text_or_table() -> None:
    assert causes(case(), payload("12,155千円、９９９９ではない")) == ["must-not"]
    table = {"columns": [], "rows": [["9,999"]], "citations": [[1]]}
    assert causes(case(), payload(table=table)) == ["must-not"]


def test_every_gold_sheet_is_cited() -> None:
    two = case(sheets=["戸籍システム", "図書館電算システム"])
    told = score(two, payload(), source)
    assert told.causes == (Cause.MISSING_SHEET,)
    assert (told.recall, told.missing_sheets) == (0.5, ("図書館電算システム",))
    assert causes(two, payload(citations=[cite(), cite(2, "図書館電算システム")])) == []


def test_no_gold_sheet_cited() -> None:
    assert causes(case(), payload(citations=[])) == ["wrong-sheet"]
    told = score(case(), payload(citations=[cite(sheet="図書館電算システム")]), source)
    assert told.causes == (Cause.WRONG_SHEET, Cause.PRECISION)
    assert told.other_sheets == ("図書館電算システム",)


def test_half_of_the_cited_sheets_must_be_gold() -> None:
    half = [cite(), cite(2, "図書館電算システム")]
    assert causes(case(), payload(citations=half)) == []  # 1 of 2
    third = [*half, cite(3, "税系システム")]
    told = score(case(), payload(citations=third), source)
    assert told.causes == (Cause.PRECISION,)
    assert told.precision == pytest.approx(1 / 3)
    # Sheets are counted, not citations: three quotes of one other sheet are one other sheet.
    assert causes(case(), payload(citations=[*half, half[1], half[1]])) == []


def test_names_are_compared_squashed() -> None:
    assert is_gold("地理空間情報システム（公開型 GIS）", cite(sheet="地理空間情報システム\n(公開型ＧＩＳ)"))
    assert squash("ＩＣＴ－ＢＣＰ") == squash("ICT-BCP")
    assert not is_gold("戸籍システム", cite(sheet="戸籍システム等"))


@pytest.mark.parametrize(
    ("gold", "department", "fits"),
    [
        ("財務会計システム@財政課", "財政課", True),
        ("財務会計システム@財政課", "財務部 財政課", True),
        ("財務会計システム@財政課", "市民医療センター事務部総務課", False),
        ("財務会計システム@市民医療センター事務部総務課", "市民医療センター事務部 総務課", True),
        ("財務会計システム@市民医療センター事務部総務課", "総務課", False),
        ("財務会計システム@みほん市", "財政課", True),
        ("財務会計システム@みほん", "財政課", False),  # a municipality is compared whole
        ("財務会計システム@", "財政課", False),
        ("財務会計システム", "財政課", True),
    ],
)
def test_the_place_after_the_at_sign_decides(gold: str, department: str, fits: bool) -> None:
    assert is_gold(gold, cite(sheet="財務会計システム", department=department)) is fits


def test_two_sheets_of_one_name_are_two() -> None:
    two = case(sheets=["財務会計システム@財政課", "財務会計システム@医療総務課"])
    one = [cite(sheet="財務会計システム", department="財政課")]
    assert causes(two, payload(citations=one)) == ["missing-sheet"]
    both = [*one, cite(2, sheet="財務会計システム", department="医療総務課")]
    assert causes(two, payload(citations=both)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"quote": QUOTE.replace("３", "3")},  # NFKC-equal is not verbatim
        {"quote": QUOTE.replace(" ", "")},
        {"quote": ""},
        {"source": {"file": "a.txt", "start": START + 1, "end": START + 1 + len(QUOTE)}},
        {"source": {"file": "b.txt", "start": START, "end": START + len(QUOTE)}},
        {"source": {"file": "a.txt", "start": START - len(TEXT), "end": START - len(TEXT) + len(QUOTE)}},
        {"source": {"file": "a.txt", "start": None, "end": None}},
        {"source": None, "quote": "x"},
    ],
)
def test_a_quote_is_verbatim_at_its_offsets(change: dict[str, Any]) -> None:
    def found(citation: Any) -> str | None:
        return TEXT if (citation.get("source") or {}).get("file") == "a.txt" else None

    told = score(case(), payload(citations=[cite(), cite(2, **change)]), found)
    assert told.causes == (Cause.QUOTE,)
    assert (told.quotes, told.faithful) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "length", "fine"),
    [("lookup-number", 600, True), ("lookup-number", 601, False), ("semantic", 601, False), ("follow-up", 601, False)]
    + [("list", 601, True), ("aggregate", 5000, True)],
)
def test_six_hundred_characters(kind: str, length: int, fine: bool) -> None:
    answer = "12,155千円".ljust(length, "あ")
    assert len(answer) == length
    assert causes(case(type=kind), payload(answer)) == ([] if fine else ["too-long"])


def test_a_long_table_is_no_long_text() -> None:
    table = {"columns": [], "rows": [["あ" * 700]], "citations": [[1]]}
    assert causes(case(), payload(table=table)) == []


def test_abstaining_from_an_answerable_question() -> None:
    told = score(case(), payload(abstained=True), source)
    assert told.causes == (Cause.ABSTAINED,) and not told.exact


def test_the_unanswerable() -> None:
    made = case(type="unanswerable", unanswerable=True, sheets=[], answer={})
    assert causes(made, payload("該当なし", abstained=True, citations=[])) == []
    assert causes(made, payload("12,155千円")) == ["false-answer"]
    assert score(made, payload("12,155千円"), source).recall is None


def test_the_type_does_not_make_a_case_unanswerable() -> None:
    """The flag decides: a follow-up may be unanswerable too."""
    made = case(type="follow-up", unanswerable=True, sheets=[], answer={})
    assert causes(made, payload(abstained=True, citations=[])) == []


def test_sections_and_evidence_are_told_not_judged() -> None:
    made = case(sections=["予算 額"], evidence=["令和3年度の予算額", "どこにもない"])
    told = score(made, payload(), source)
    assert told.right and told.section_hit is True and told.evidence == 0.5
    other = score(made, payload(citations=[cite(section="課題")]), source)
    assert other.right and other.section_hit is False


def test_figures_by_hand() -> None:
    void = case(id="v", type="unanswerable", unanswerable=True, sheets=[], answer={})
    two = case(id="t", sheets=["戸籍システム", "図書館電算システム"])
    results = [
        Scored(case(id="r"), score(case(), payload(), source), 10.0),  # right
        Scored(two, score(two, payload(citations=[cite(), cite(2, quote="x")]), source), 20.0),  # half, one bad quote
        Scored(case(id="a"), score(case(), payload("なし", abstained=True, citations=[]), source), 30.0),
        Scored(void, score(void, payload(abstained=True, citations=[]), source), 40.0),  # right
    ]
    told = figures(results)
    assert (told.n, told.right, told.right_share) == (4, 2, 0.5)
    assert told.answer_exact == 3 / 4
    assert told.citation_recall == (1 + 0.5 + 0) / 3
    assert told.citation_precision == (1 + 1) / 2  # the one that cites nothing has no precision
    assert told.quote_fidelity == 2 / 3
    assert (told.abstention.precision, told.abstention.recall) == (1 / 2, 1.0)
    assert told.abstention.false == pytest.approx(1 / 3)
    assert told.latency_ms.p50 == 25.0 and told.latency_ms.p95 == 40.0
    assert told.causes == {"missing-sheet": 1, "abstained": 1}


def test_percentiles_by_hand() -> None:
    assert latency([]).p95 == 0.0
    assert latency([float(ms) for ms in range(1, 21)]).p95 == 19.0
    assert latency([float(ms) for ms in range(1, 21)]).p50 == 10.5
    assert latency([3.0, 1.0, 2.0]).p50 == 2.0


def test_a_failed_question_recalls_nothing() -> None:
    assert failed(case()).causes == (Cause.ERROR,)
    assert failed(case()).recall == 0.0


# The witness: written from the README's sentence alone, over sets and regular expressions, sharing no code.


def witness(gold: dict[str, Any], given: dict[str, Any], texts: dict[str, str]) -> bool:
    def bare(value: object) -> str:
        return re.sub(r"[\s,]", "", unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", str(value)).casefold()))

    def name(value: object) -> str:
        return re.sub(r"\s", "", unicodedata.normalize("NFKC", str(value)))

    if gold["unanswerable"]:
        return bool(given["abstained"])
    if given["abstained"]:
        return False
    if gold["type"] not in ("list", "aggregate") and len(given["answer"]) > 600:
        return False
    said = [bare(given["answer"])]
    if given["table"]:
        said += [bare(cell) for row in [given["table"]["columns"], *given["table"]["rows"]] for cell in row]
    for forms in gold["answer"]["must"]:
        if not [1 for form in forms for part in said if part.find(bare(form)) >= 0]:
            return False
    for form in gold["answer"]["must_not"]:
        if [1 for part in said if part.find(bare(form)) >= 0]:
            return False
    cited = {(name(c["sheet"]), name(c["department"]), name(c["municipality"])) for c in given["citations"]}
    hit: set[tuple[str, str, str]] = set()
    for wanted in gold["sheets"]:
        title, _, place = name(wanted).partition("@")
        these = {c for c in cited if c[0] == title and (not place or place in c[1] or place == c[2])}
        if not these:
            return False
        hit |= these
    if cited and gold["sheets"] and 2 * len(hit) < len(cited):
        return False
    for c in given["citations"]:
        text = texts.get(c["source"]["file"], "")
        if not c["quote"] or not text[c["source"]["start"] :].startswith(c["quote"]):
            return False
        if c["source"]["end"] - c["source"]["start"] != len(c["quote"]):
            return False
    return True


def test_agrees_with_the_witness() -> None:
    draw = random.Random(20261121)
    names = ["戸籍 システム", "税系システム", "ＧＩＳ"]
    places = ["財政課", "企画部 総務課"]
    words = ["12,155", "１２１５５", "gov-CLOUD", "Ｂ評価", "千円", "該当なし"]
    texts = {"a.txt": TEXT, "b.txt": TEXT[::-1]}
    verdicts = []
    for _ in range(6000):
        golds = [
            draw.choice(names) + draw.choice(["", "", "@総務課", "@みほん市"]) for _ in range(draw.choice([1, 1, 2]))
        ]
        kind = draw.choice(["lookup-text", "list", "semantic"])
        row = {
            "id": "x",
            "type": kind,
            "question": "？",
            "sheets": golds,
            "answer": {
                "must": [draw.sample(words, draw.choice([2, 3])) for _ in range(draw.choice([0, 1, 1]))],
                "must_not": draw.sample(words, draw.choice([0, 0, 1])),
            },
            "unanswerable": draw.random() < 0.1,
        }
        citations = []
        for n in range(draw.choice([1, 1, 2, 3])):
            file = draw.choice(list(texts))
            start = draw.randrange(len(TEXT) - 8)
            end = start + draw.choice([3, 5])
            quote = texts[file][start : end + draw.choice([0] * 15 + [1])]
            at = {"file": draw.choice([file] * 15 + ["c.txt"]), "start": start, "end": end}
            sheet, where = draw.choice([*golds, *names]).partition("@")[0], draw.choice(places)
            key = f"{squash(sheet)}/{where}"
            citations.append(cite(n, sheet=sheet, department=where, sheet_id=key, quote=quote, source=at))
        given = {
            "answer": "。".join(draw.sample(words, draw.choice([1, 2, 3]))) + "あ" * draw.choice([0, 0, 0, 600]),
            "abstained": draw.random() < 0.1,
            "citations": citations,
            "table": draw.choice(
                [None, {"columns": ["列"], "rows": [[draw.choice(words), 12155]], "citations": [[1]]}]
            ),
        }
        told = score(Case.model_validate(row), given, lambda c: texts.get(c["source"]["file"])).right
        assert told == witness(row, given, texts), json.dumps([row, given], ensure_ascii=False)
        verdicts.append(told)
    share = sum(verdicts) / len(verdicts)
    assert 0.1 < share < 0.9, "the random answers must be right often and wrong often, or they witness nothing"


def test_an_answer_of_sixty_sheets_is_scored_row_by_row() -> None:
    many = [cite(n, f"第{n}システム") for n in range(60)]
    made = case(type="list", sheets=[f"第{n}システム" for n in range(60)], answer={"must": [["12,155"]] * 60})
    given = payload(citations=many, table={"columns": [], "rows": [["12,155", n] for n in range(60)], "citations": []})
    assert score(made, given, source).right
    assert not score(made, given | {"citations": many[1:]}, source).right


@pytest.mark.corpus
def test_the_real_set_reads_whole() -> None:
    path = Path(__file__).parent.parent.parent / "shared" / "evals" / "dev.jsonl"
    if not path.exists():
        pytest.skip("the development set ../shared/evals/dev.jsonl is not here")
    read = read_cases(path)
    assert not read.bad
    assert len(read.cases) == len(path.read_text(encoding="utf-8").splitlines())
