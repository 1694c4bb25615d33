"""LibreOffice without a window, for tests that open what hyoka saves the way a city hall opens it."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

SOFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(
    SOFFICE is None, reason="LibreOffice がありません（Debian の libreoffice-calc と libreoffice-writer）"
)
# UTF-8, commas and quotes: what the window for opening a CSV offers by itself when the file starts with a BOM.
UTF8 = "44,34,76,1"


def converted(file: Path, to: str, into: Path, reading: str = "") -> Path:
    """``file`` opened and saved as ``to`` by LibreOffice, with a profile of its own, so that runs stay apart."""
    command = [str(SOFFICE), f"-env:UserInstallation={(into / 'profile').as_uri()}", "--headless", "--norestore"]
    command += [f"--infilter={reading}"] if reading else []
    subprocess.run(
        [*command, "--convert-to", to, "--outdir", str(into), str(file)], check=True, timeout=180, capture_output=True
    )
    made = [path for path in into.iterdir() if path.is_file() and path != file and path.stem.startswith(file.stem)]
    assert len(made) == 1, made
    return made[0]


def rows_of_book(file: Path, into: Path) -> list[list[str]]:
    """The first worksheet of an Excel file as LibreOffice shows it."""
    out = converted(file, f"csv:Text - txt - csv (StarCalc):{UTF8},,0,false,true", into)
    return list(csv.reader(out.read_text("utf-8").splitlines()))


def rows_of_csv(file: Path, into: Path) -> list[list[object]]:
    """A CSV file as LibreOffice takes it into a table."""
    import openpyxl

    assert file.read_bytes().startswith(b"\xef\xbb\xbf"), (
        "without a BOM, Excel and LibreOffice take UTF-8 for something else"
    )
    book = openpyxl.load_workbook(converted(file, "xlsx", into, f"CSV:{UTF8}"))
    return [list(row) for row in book.active.values]
