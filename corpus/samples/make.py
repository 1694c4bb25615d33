"""Writes the bundled sheets: ``python -m corpus.samples.make`` (needs the dev extras for reportlab).

The same content gives the same bytes: dates inside the files are fixed, and the zip containers of Word and Excel are
packed again with one date for every member.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from corpus.samples.book import write_book
from corpus.samples.content import load_programmes, load_system_report
from corpus.samples.pages import write_html, write_word
from corpus.samples.ruled import write_programmes, write_system_report
from corpus.samples.scrambled import write_text
from corpus.samples.truth import collect

HERE = Path(__file__).parent
FILES = HERE / "files"
STAMP = (2025, 7, 1, 9, 0, 0)


def repack(path: Path) -> None:
    """Rewrites a zip container so that its bytes do not depend on the time it was made."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    fixed = b"2025-07-01T09:00:00Z"
    core = "docProps/core.xml"
    members[core] = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fixed, members[core])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def make(folder: Path = FILES) -> list[Path]:
    """Writes every file into ``folder`` and returns their paths in a fixed order."""
    folder.mkdir(parents=True, exist_ok=True)
    city, town, ward = (load_programmes(name) for name in ("minatomi", "sakurazaka", "hokuto"))
    written = []
    for year, short in ((2023, "r5"), (2024, "r6")):
        path = folder / f"minatomi_jimujigyo_{short}.pdf"
        write_programmes(path, city, year)
        book = folder / f"sakurazaka_chosho_{short}.xlsx"
        write_book(book, town, year)
        repack(book)
        written += [path, book]
    report = folder / "minatomi_system_r5.pdf"
    write_system_report(report, load_system_report())
    word = folder / "sakurazaka_seika_r6.docx"
    write_word(word, town, 2024)
    repack(word)
    text, page = folder / "hokuto_hyoka_r5.txt", folder / "hokuto_hyoka_r6.html"
    write_text(text, ward, 2023)
    write_html(page, ward, 2024)
    return [*written, report, word, text, page]


def main() -> None:
    """Writes the files and ``truth.json`` beside the folder."""
    paths = make()
    truth = json.dumps(collect(), ensure_ascii=False, indent=1) + "\n"
    (HERE / "truth.json").write_bytes(truth.encode("utf-8"))
    print(f"{len(paths)} files, {sum(path.stat().st_size for path in paths):,} bytes")


if __name__ == "__main__":
    main()
