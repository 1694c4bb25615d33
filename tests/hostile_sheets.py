"""Sheets whose text somebody wrote to be taken for something else, in every kind of file, and an index of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

SCRIPT = "<script>window.hit=1</script>"
IMAGE = '<img src="http://evil.invalid/x.png" onerror="window.hit=2">'
LINK = "[押す](javascript:window.hit=3) ![図](http://evil.invalid/y.png) <a href='http://evil.invalid/z'>外</a>"
FRAME = "<iframe srcdoc='<script>parent.hit=4</script>'></iframe><svg onload=window.hit=5><style>@import 'http://evil.invalid/s.css';</style>"
MATHS = (
    "$$\\frac{1}{0}$$ &lt;b&gt;太字&lt;/b&gt; &#x3c;i&#x3e; {{7*7}} ${7*7} data:text/html,<script>window.hit=6</script>"
)
ESCAPE = "\x1b[31m赤\x1b[0m\x1b]0;題\x07 \x9b2J 消す"
TURNED = "\u202e円千1\u202c \u2066間\u2069 \u200b零\u200d幅"
FORMULA = '=HYPERLINK("http://evil.invalid/","押す")'
COMMAND = "+cmd|' /C calc'!A0"
AT = "@SUM(1+1)*cmd|' /C calc'!A0"
MINUS = "-2+3+cmd|' /C calc'!A0"

# The labels of an ordinary sheet, each with a text of the kind.
ROWS: tuple[tuple[str, str], ...] = (
    ("自治体名", "みなと野市"),
    ("対象年度", "令和5年度"),
    ("事務事業名", f"図書館管理{SCRIPT}"),
    ("所管課", f"教育部 図書館課{IMAGE}"),
    ("事業の目的", f"図書館の蔵書を守る。{SCRIPT}{IMAGE}{LINK}"),
    ("事業内容", f"{FORMULA} 図書館の貸出と返却を行う。{FRAME}"),
    ("現状と課題", f"{COMMAND} 図書館の利用者が減っている。{MATHS}"),
    ("今後の方向性", f"{AT} 図書館の開館時間を延ばす。{TURNED}"),
    ("改善内容", f"{MINUS} 図書館の予約を電子化する。{ESCAPE}"),
    ("総合評価", "A"),
    ("予算額", "12,155千円"),
    ("決算額", "11,200千円"),
)
NAME = '図書館"><b onclick=window.hit=7>表\r\nX-Injected: 1\x1b[31m'  # of the files; only "/" and NUL are impossible


def texts() -> list[str]:
    """What must come out as it is, wherever it is shown."""
    return [SCRIPT, IMAGE, LINK, FRAME, MATHS, FORMULA, COMMAND, AT, MINUS]


def rows(kind: str) -> list[tuple[str, str]]:
    """The rows of one kind of file: its own name, and what the format itself cannot hold left out."""
    found = [(label, text.replace("図書館管理", f"図書館管理{kind}")) for label, text in ROWS]
    if kind not in ("txt", "csv"):  # XML and PDF have no control characters
        found = [
            (label, "".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text)) for label, text in found
        ]
    return found


def write(folder: Path) -> list[Path]:
    """One file of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "txt": "事務事業評価シート\n" + "".join(f"{label}\t{text}\n" for label, text in rows("txt")),
        "csv": "".join('"{}","{}"\r\n'.format(label, text.replace('"', '""')) for label, text in rows("csv")),
        "html": _html(),
    }
    for kind, text in made.items():
        (folder / f"{NAME}.{kind}").write_bytes(text.encode())
    _excel(folder / f"{NAME}.xlsx")
    _word(folder / f"{NAME}.docx")
    _pdf(folder / f"{NAME}.pdf")
    return sorted(folder.iterdir())


def _html() -> str:
    lines = "".join(f"<tr><th>{label}</th><td>{escape(text)}</td></tr>" for label, text in rows("html"))
    return f"<html><head><meta charset=utf-8><title>{escape(SCRIPT)}</title></head><body><table>{lines}</table></body></html>"


def _excel(path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "=cmd<b>'表"
    for at, row in enumerate(rows("xlsx"), 1):
        for across, text in enumerate(row, 1):
            cell = sheet.cell(at, across, text)
            cell.data_type = "s"
    book.save(path)


def _word(path: Path) -> None:
    import docx

    document = docx.Document()
    table = document.add_table(0, 2)
    for row in rows("docx"):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = row
    document.save(path)


def _pdf(path: Path) -> None:
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen import canvas

    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    page = canvas.Canvas(str(path), pagesize=landscape(A4))
    page.setFont("HeiseiKakuGo-W5", 5)
    for number, (label, text) in enumerate(rows("pdf")):
        top = 560 - 24 * number
        page.rect(20, top - 8, 80, 24)
        page.rect(100, top - 8, 720, 24)
        page.drawString(24, top, label)
        page.drawString(104, top, text)
    page.save()


def build_index(folder: Path) -> Any:
    """A snapshot of these sheets."""
    from assistant.intake import Intake
    from corpus.sources import find_files
    from index.build import build
    from tests.fake_encoder import FakeEncoder

    write(folder / "files")
    intake = Intake(find_files([str(folder / "files")]), 50 * 2**20, lambda name, done: None)
    return build(intake, FakeEncoder(), folder / "index")


def xml_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """The parts of an Office file."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for name in package.namelist():
            if name.endswith((".xml", ".rels")):
                yield name, package.read(name).decode("utf-8")
