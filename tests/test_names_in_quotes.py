"""What stands in quotation marks in a programme's name is a name of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_answers import assistant_over

from assistant.session import Assistant

SHEET = "事務事業評価シート（令和5年度）\nみなと野市\n事業名 {name}\n担当課 交通課\n事業の目的\n{purpose}\n今後の計画\n{plan}\n"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    folder: Path = tmp_path_factory.mktemp("quoted")
    (folder / "sheets").mkdir()
    for number, (name, purpose, plan) in enumerate(
        [
            ("コミュニティバス「しおかぜ号」運行事業", "交通の不便な地区の足を守る。", "運賃を200円にする。"),
            ("公共交通計画策定事業", "交通の計画を作る。", "令和7年度に計画を改める。"),
            ("駅前駐輪場管理事業", "放置自転車をなくす。", "料金を見直す。"),
        ]
    ):
        text = SHEET.format(name=name, purpose=purpose, plan=plan)
        (folder / "sheets" / f"{number}.txt").write_text(text, "utf-8")
    return assistant_over(folder / "sheets", folder / "index")


def test_a_sheet_is_meant_by_the_name_in_quotation_marks(town: Assistant):
    answer = town.ask("しおかぜ号の今後の計画は？")
    assert {citation.sheet.name for citation in answer.citations} == {"コミュニティバス「しおかぜ号」運行事業"}
    assert "運賃を200円にする。" in answer.answer
