"""Two towns with two programmes each, and an index of their sheets: small enough to add up by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_encoder import FakeEncoder

from assistant.intake import Intake
from corpus.sources import find_files
from index.build import build
from index.snapshot import Snapshot

HEAD = "事務事業評価シート（令和{year}年度）\n{town}\n"
SHEET = (
    "事業名 {name}\n担当課 {department}\n担当者 見本太郎\n事業の目的\n{name}を続ける。\n今後の計画\n{plan}\n"
    "        {years}\n予算額（千円） {budget}\n決算額（千円） {settled}\n"
)
TOWNS = {
    "みなと野市": [
        ("花火大会", "観光課", "会場を港に移す。", "900 1,000 1,100", "800 1,500 ―"),
        ("港湾清掃", "環境課", "清掃船を更新する。", "500 500 500", "400 450 ―"),
    ],
    "碧原市": [
        ("花火大会", "企画課", "打ち上げを増やす。", "300 300 300", "250 280 ―"),
        ("森林巡視", "環境課", "巡視路を直す。", "700 750 800", "650 725 ―"),
    ],
}


# What was settled of the first programme when its own year was over; the sheet of the next year prints 800.
BEFORE = ("花火大会", "観光課", "警備を増やす。", "700 900 ―", "600 790 ―")


def sheets(folder: Path) -> Path:
    """A file a town, and one of the year before for the first."""
    folder.mkdir(exist_ok=True)

    def written(town: str, year: int, programmes: list[tuple[str, ...]]) -> None:
        years = "  ".join(f"R{one}年度" for one in (year - 1, year, year + 1))
        keys = ("name", "department", "plan", "budget", "settled")
        text = HEAD.format(year=year, town=town) + "".join(
            SHEET.format(years=years, **dict(zip(keys, one, strict=True))) for one in programmes
        )
        (folder / f"{town}{year}.txt").write_text(text, "utf-8")

    for town, programmes in TOWNS.items():
        written(town, 5, programmes)
    written("みなと野市", 4, [BEFORE])
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("mcp")
    build(Intake(find_files([sheets(place / "sheets")]), 2**20, jobs=0), FakeEncoder(), place / "index").close()
    return place / "index"


@pytest.fixture(scope="module")
def index(folder):
    snapshot = Snapshot.open(folder, FakeEncoder())
    yield snapshot
    snapshot.close()
