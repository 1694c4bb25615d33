"""Damaged files: small valid ones of every kind, changed at random, the same for the same number."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

_NOON = (2020, 1, 1, 12, 0, 0)  # the same number is the same file, whenever it is made
KINDS = (".txt", ".csv", ".html", ".docx", ".xlsx", ".pdf", ".zip", ".md")
SAMPLES = Path(__file__).parents[2] / "corpus" / "samples" / "files"

_ROWS = (
    ("令和5年度 事務事業評価シート", ""),
    ("事務事業名", "火葬場運営事業"),
    ("所管課", "市民生活部 生活環境課"),
    ("予算額", "12,155千円"),
    ("決算額", "△1,000千円"),
    ("成果指標", "利用者の満足度（％） 目標 91.1 実績 88.0"),
    ("事業の目的", "市民が安心して利用できる施設を保つ。"),
    ("今後の方向性", "令和7年1月に設備を更新する。"),
)
# What has broken readers before, elsewhere: signs, limits of numbers, halves of characters, things that nest.
_BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1b$B",
    b"\x1b(J",
    b"\x81",
    b"\xed\xa0\x80",
    b"PK\x03\x04",
    b"%PDF-",
)
_TEXTS = (
    *(
        "<table>",
        "</td>",
        '<td colspan="99999999999">',
        '<td rowspan="-1">',
        "<div>" * 300,
        "<!--",
        "]]>",
        "&#x110000;",
    ),
    *('w:val="99999999999"', 'w:val="x"', 's="4294967295"', 't="d"', 't="s"', 'r="ZZZ1"', 'r="A99999999999"', 't="e"'),
    *(
        "1e308",
        "-1e-320",
        "NaN",
        "Infinity",
        "9" * 400,
        "2958466",
        "-1",
        '"',
        "\t" * 50,
        "\f",
        "\u3000",
        "\ud7ff",
        "\ue000",
    ),
    *(
        "令和元年度",
        "昭和99年",
        "▲",
        "①",
        "（",
        "千円",
        "％",
        "年度",
        "事務事業名",
        "/Length 99999999",
        "/Kids [1 0 R]",
    ),
)


_VALUE = re.compile(rb'(?<==")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)|[0-9]+')
_VALUES = (
    *(
        "",
        "0",
        "-1",
        "x",
        "1",
        "99999999999",
        "100000000",
        "70000",
        "1e309",
        "NaN",
        "9" * 400,
        "0.5",
        "2958466",
        "-99999999",
    ),
    *(
        "A1:XFD1048576",
        "B2:A1",
        "#REF!",
        "A1:B",
        "zz",
        "true",
        "@",
        '#,##0;"△"#,##0;;',
        "ggge年m月d日",
        "[h]:mm:ss",
        "0" * 300,
    ),
    *(
        "\\",
        "[$-411]",
        "yyyy/m/d h:mm AM/PM",
        "0." + "0" * 60,
        "# ??/??",
        "continue",
        "restart",
        "rId99",
        "n",
        "str",
        "inlineStr",
    ),
    *(
        "../../../etc/passwd",
        "http://example.invalid/",
        "\t",
        "令和元年度",
        "\u3000" * 40,
        "hidden",
        "&#10;",
        "&#xFFFE;",
    ),
)


def damaged(number: int) -> tuple[str, bytes]:
    """A name and bytes: every eighth is of the same kind, every fortieth is the undamaged file."""
    kind = KINDS[number % len(KINDS)]
    data = seeds()[kind]
    draw = random.Random(number)
    if number % (5 * len(KINDS)) >= len(KINDS):
        inner = kind in (".docx", ".xlsx", ".zip") and draw.random() < 0.7
        for _ in range(draw.choice((1, 1, 2, 5))):
            data = _inside(data, draw) if inner else _changed(data, draw)
    return f"{number:06}{kind}", data


@cache
def seeds() -> dict[str, bytes]:
    """One small valid file of each kind."""
    text = "\n".join("\t".join(row) for row in _ROWS)
    rows = "".join(f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in _ROWS)
    html = f"<html><head><title>x</title></head><body><h1>評価</h1><table>{rows}</table><p>本文</p></body></html>"
    found = {
        ".txt": text.encode("cp932"),
        ".md": text.encode(),
        ".csv": "\r\n".join(f'"{label}","{value}"' for label, value in _ROWS).encode("utf-8-sig"),
        ".html": html.encode(),
        ".docx": _word(),
        ".xlsx": _excel(),
        ".pdf": _pdf(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind, data in found.items():
            archive.writestr(f"資料/評価{kind}", data)
        archive.writestr("中.zip", out.getvalue())
    return {**found, ".zip": out.getvalue()}


def _excel() -> bytes:
    import datetime

    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in _ROWS:
        sheet.append(row)
    values = (12155000, 0.911, datetime.datetime(2024, 4, 1), datetime.time(9, 30), True, "=1+1", -3)
    formats = ('#,##0,"千円"', "0.0%", 'ggge"年"m"月"d"日"', "h:mm", "General", "0.00E+00", '#,##0;"△"#,##0')
    for column, (value, number_format) in enumerate(zip(values, formats, strict=True), start=1):
        sheet.cell(10, column, value).number_format = number_format
    sheet.merge_cells("A12:C12")
    sheet["A12"] = "特記事項"
    sheet.row_dimensions[13].hidden = True
    book.create_sheet("別表").append(["合計", 1])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _word() -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("事務事業評価", 1)
    table = document.add_table(0, 2)
    for row in _ROWS:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = row
    table.cell(0, 0).merge(table.cell(0, 1))
    document.add_paragraph("以上")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _pdf() -> bytes:
    from reportlab.lib.pagesizes import A5
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen import canvas

    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A5, invariant=True, pageCompression=0)
    page.setFont("HeiseiKakuGo-W5", 9)
    for number, (label, value) in enumerate(_ROWS):
        top = 540 - 24 * number
        page.rect(40, top - 8, 100, 24)
        page.rect(140, top - 8, 220, 24)
        page.drawString(44, top, label)
        page.drawString(144, top, value)
    page.showPage()
    page.save()
    return out.getvalue()


def _changed(data: bytes, draw: random.Random) -> bytes:
    """One change of the bytes: another value, a bit, a cut, a hole, a piece twice or elsewhere, something strange put in."""
    if not data:
        return draw.choice(_BYTES)
    if draw.random() < 0.5 and (places := list(_VALUE.finditer(data))):
        place = draw.choice(places)
        return data[: place.start()] + draw.choice(_VALUES).encode() + data[place.end() :]
    at, length = draw.randrange(len(data)), draw.choice((1, 2, 8, 64, 512))
    piece = data[at : at + length]
    to = draw.randrange(len(data))
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :],
        lambda: data[:at],
        lambda: data[:at] + data[at + length :],
        lambda: data[:at] + piece * draw.choice((2, 3, 200)) + data[at + length :],
        lambda: data[:to] + piece + data[to:],
        lambda: data[:at] + draw.randbytes(length) + data[at + length :],
        lambda: data[:at] + draw.choice(_BYTES) + data[at:],
        lambda: data[:at] + draw.choice(_TEXTS).encode("utf-8", "surrogatepass") + data[at:],
        lambda: data[:at] + draw.choice(_TEXTS).encode("utf-8", "surrogatepass") + data[at + length :],
    )
    return draw.choice(changes)()


def _inside(data: bytes, draw: random.Random) -> bytes:
    """A change within one part of a package, packed again with sizes and checksums that hold."""
    try:
        source = zipfile.ZipFile(io.BytesIO(data))
        parts = {info.filename: source.read(info) for info in source.infolist()}
    except Exception:  # changed before
        return _changed(data, draw)
    if not parts:
        return data
    name = draw.choice(sorted(parts))
    if draw.random() < 0.1:
        del parts[name]
    else:
        parts[name] = _changed(parts[name], draw)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part, content in parts.items():
            target.writestr(zipfile.ZipInfo(part, _NOON), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@cache
def sheet_texts() -> tuple[str, ...]:
    """The texts of the bundled sheets, as their readers give them."""
    from corpus.readers import read_document

    files = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".md")
    return tuple(read_document(path).text for path in files)


def scrambled(number: int) -> str:
    """The text of a bundled sheet with its lines, cells and characters moved, lost, doubled or replaced."""
    draw = random.Random(number)
    lines = draw.choice(sheet_texts()).split("\n")
    start = draw.randrange(max(1, len(lines) - 150))
    lines = lines[start : start + draw.choice((20, 80, 150))]
    for _ in range(draw.choice((1, 3, 10))):
        if not lines:
            break
        at, to = draw.randrange(len(lines)), draw.randrange(len(lines))
        change = draw.randrange(10)
        if change == 0:
            lines.insert(to, lines.pop(at))
        elif change == 1:
            del lines[at : at + draw.choice((1, 5))]
        elif change == 2:
            lines[at:at] = [lines[at]] * draw.choice((2, 20, 300))
        elif change == 3:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
        elif change == 4:
            cells = lines[at].split("\t")
            draw.shuffle(cells)
            lines[at] = "\t".join(cells)
        elif change == 5:
            lines[at] = lines[at].replace("\t", draw.choice((" ", "", "\t\t", "\u3000")))
        elif change == 6 and lines[at]:
            cut = draw.randrange(len(lines[at]))
            lines[at : at + 1] = [lines[at][:cut], lines[at][cut:]]
        elif change == 7:
            lines[at] = "".join(draw.choice("0123456789,.▲△%－−") if char.isdigit() else char for char in lines[at])
        elif change == 8:
            cut = draw.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:cut] + draw.choice(_TEXTS) * draw.choice((1, 1, 100)) + lines[at][cut:]
        else:
            rest = lines[at:]
            draw.shuffle(rest)
            lines[at:] = rest
    return "\n".join(lines)
