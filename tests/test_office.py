"""Saved files opened by LibreOffice: every Japanese character is there, and no cell becomes a formula."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from office import needs_office, rows_of_book, rows_of_csv

from assistant.store import FeedbackStore
from tests.fakes import FakeAssistant
from ui.app import create_app

pytestmark = needs_office
TABLE = {
    "columns": ["自治体", "事業", "決算額（円）", "年度"],
    "rows": [
        ["あおば市", "図書館〜①髙﨑ｼｽﾃﾑ", 3_000_000, 2023],
        ["ひので市", '=HYPERLINK("http://a.example","押す")', -1.5, 2022],
        ["碧原市", "一行目\n二行目、\"かぎ\"", None, 2021],
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def client():
    app = create_app(FakeAssistant(), FeedbackStore())
    with TestClient(app) as client:
        assert app.state.readiness.wait(120)
        yield client


def test_the_table_of_an_answer_opens_as_a_book(client, tmp_path):
    file = tmp_path / "回答.xlsx"
    file.write_bytes(client.post("/export/table.xlsx", json=TABLE).content)
    (tmp_path / "out").mkdir()
    assert rows_of_book(file, tmp_path / "out")[:3] == [
        ["自治体", "事業", "決算額（円）", "年度"],
        ["あおば市", "図書館〜①髙﨑ｼｽﾃﾑ", "3,000,000", "2023"],
        ["ひので市", '=HYPERLINK("http://a.example","押す")', "-1.5", "2022"],
    ]


def test_the_parse_report_and_the_questions_open_as_tables(client, tmp_path):
    for number, address in enumerate(("/status/report.csv", "/evaluation/cases.csv")):
        file = tmp_path / f"{number}.csv"
        response = client.get(address)
        file.write_bytes(response.content)
        (tmp_path / f"out{number}").mkdir()
        rows = rows_of_csv(file, tmp_path / f"out{number}")
        head = response.content.decode("utf-8-sig").splitlines()[0].split(",")
        assert [str(name) for name in rows[0]] == head
        if number == 0:
            assert {row[1] for row in rows[1:]} >= {"図書館システム運用", "道路台帳整備"}
