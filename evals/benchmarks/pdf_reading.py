"""How fast one-page PDFs are read: ``python -m evals.benchmarks.pdf_reading`` (needs the dev extras).

Draws evaluation sheets as PDFs (A4, ruled tables; the same seed gives the same bytes), reads them in one process (CPU
seconds a file, memory on the way) and by the processes of ``hyoka index`` (seconds on the clock). Seconds differ
between machines, so each is also given as a ratio to two baselines of the same run on the same files: pdfplumber's
text and tables, and pdfium's bare text.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.intake import Intake
from assistant.settings import load_settings
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.sources import SourceFile
from evals.benchmarks.http import resident
from evals.runs import code

FONT = "HeiseiKakuGo-W5"
NAMES = "窓口 図書館 公園 水道 保育 防災 観光 農道 税務 住宅 斎場 河川".split()
DOINGS = "運営事業 維持管理事業 整備事業 支援事業 啓発事業 更新事業".split()
SENTENCES = (
    "市民の利便性を高め、待ち時間を短くすることを目的として実施する。",
    "老朽化した設備を計画的に更新し、安全に利用できる状態を保つ。",
    "委託の範囲を見直し、経費の節減と質の確保を両立させる必要がある。",
    "利用者は前年度より増えており、成果指標の目標をおおむね達成した。",
    "申請の受付を電子化し、職員が相談に充てる時間を増やした。",
    "関係する団体との協議を続け、地域の実情に合った進め方を検討する。",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds a file, and the ratio to the baselines'."""

    seconds: float
    to_pdfplumber: float
    to_pdfium_text: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run found; memory in MiB.

    ``wall_seconds`` is for all files by ``jobs`` processes; where other work runs beside them, their CPU seconds divided
    by the processors are what it would be without.
    """

    files: int
    letters: float
    cells: float
    facts: float
    read: Cost
    read_and_sheets: Cost
    pdfplumber_seconds: float
    pdfium_text_seconds: float
    wall_seconds: float
    processes_cpu_seconds: float
    jobs: int
    refused: int
    mib_after_a_tenth: float
    mib_at_the_end: float
    peak_mib_of_a_process: float
    cores: int
    python: str
    hyoka: str
    commit: str


def draw(path: Path, number: int) -> None:
    """One sheet: head, purpose, indicators, costs, evaluation; ``number`` decides what stands in it."""
    from reportlab import rl_config
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    rl_config.invariant = 1
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    dice = random.Random(number)
    canvas = Canvas(str(path), pagesize=A4)
    y = A4[1] - 40

    def table(widths: Sequence[float], rows: Sequence[Sequence[str]]) -> None:
        nonlocal y
        for row in rows:
            lines = [_wrapped(text, int(width / 7.4)) for text, width in zip(row, widths, strict=True)]
            height = 9 * max(map(len, lines)) + 5
            x = 40.0
            for width, cell in zip(widths, lines, strict=True):
                canvas.rect(x, y - height, width, height)
                for n, line in enumerate(cell):
                    canvas.drawString(x + 3, y - 10 - 9 * n, line)
                x += width
            y -= height
        y -= 8

    canvas.setFont(FONT, 12)
    canvas.drawString(40, y, "令和6年度 事務事業評価シート（令和5年度実績）")
    y -= 12
    canvas.setFont(FONT, 7)
    name = f"{dice.choice(NAMES)}{dice.choice(DOINGS)}{number}"
    table(
        (70, 190, 70, 185),
        [
            ("事務事業名", name, "担当課", f"{dice.choice(NAMES)}課"),
            ("自治体名", "みなと野市", "事業番号", f"{number:05}"),
            ("根拠法令", "地方自治法", "実施方法", dice.choice(("直営", "一部委託", "全部委託"))),
        ],
    )
    table((70, 445), [(label, _prose(dice, 4)) for label in ("目的", "対象", "事業内容", "取組実績")])
    years = ("令和4年度", "令和5年度", "令和6年度")
    table(
        (70, 130, 50, 55, 70, 70, 70),
        [("区分", "指標名", "単位", "", *years)]
        + [
            (kind, f"{dice.choice(NAMES)}の利用者数", "人", side, *(f"{dice.randrange(100, 90_000):,}" for _ in years))
            for kind in ("活動指標", "成果指標")
            for side in ("目標", "実績")
        ],
    )
    table(
        (110, 135, 135, 135),
        [("区分（単位：千円）", *years)]
        + [
            (label, *(f"{dice.randrange(100, 900_000):,}" for _ in years))
            for label in ("予算額", "決算額", "人件費", "総事業費")
        ],
    )
    table((70, 445), [(label, _prose(dice, 5)) for label in ("評価の理由", "課題", "今後の計画", "所見")])
    canvas.save()


def _prose(dice: random.Random, count: int) -> str:
    return "".join(dice.choice(SENTENCES) for _ in range(count))


def _wrapped(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, max(len(text), 1), width)]


def measure(folder: Path, count: int, jobs: int, baseline: int = 100) -> Measurement:
    """Draw ``count`` sheets into ``folder`` and read them; the baselines read the first ``baseline`` of them."""
    paths = [folder / f"{number:05}.pdf" for number in range(count)]
    for number, path in enumerate(paths):
        draw(path, number)
    for path in paths[:3]:  # what is loaded once
        read_sheets(read_document(path))
    few = paths[:baseline]
    plumber, bare = _seconds(_by_pdfplumber, few), _seconds(_by_pdfium, few)
    reading, both, letters, cells, facts = 0.0, 0.0, 0, 0, 0
    early = 0.0
    for number, path in enumerate(paths):
        began = time.process_time()
        document = read_document(path)
        reading += time.process_time() - began
        sheets = read_sheets(document)
        both += time.process_time() - began
        letters += len(document.text)
        cells += len(document.places)
        facts += sum(len(sheet.facts) for sheet in sheets)
        if number == max(count // 10 - 1, 0):
            early = resident(os.getpid())
    late = resident(os.getpid())
    files = [SourceFile(path, path.name) for path in paths]
    intake = Intake(files, load_settings().max_bytes, jobs=jobs)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = before.ru_utime + before.ru_stime
    began = time.perf_counter()
    for _ in intake:
        pass
    wall = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)

    def cost(seconds: float) -> Cost:
        each = seconds / count
        return Cost(round(each, 4), round(each / plumber, 2), round(each / bare, 2))

    return Measurement(
        files=count,
        letters=round(letters / count, 1),
        cells=round(cells / count, 1),
        facts=round(facts / count, 1),
        read=cost(reading),
        read_and_sheets=cost(both),
        pdfplumber_seconds=round(plumber, 4),
        pdfium_text_seconds=round(bare, 4),
        wall_seconds=round(wall, 1),
        processes_cpu_seconds=round(used.ru_utime + used.ru_stime - spent, 1),
        jobs=jobs,
        refused=len(intake.refused),
        mib_after_a_tenth=early,
        mib_at_the_end=late,
        peak_mib_of_a_process=round(used.ru_maxrss / 1024, 1),
        cores=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        **code(),
    )


def _seconds(read: Callable[[Path], object], paths: Sequence[Path]) -> float:
    """CPU seconds a file, after one to warm up."""
    read(paths[0])
    began = time.process_time()
    for path in paths:
        read(path)
    return (time.process_time() - began) / len(paths)


def _by_pdfplumber(path: Path) -> object:
    import pdfplumber

    with pdfplumber.open(path) as document:
        return [(page.extract_text(), page.extract_tables()) for page in document.pages]


def _by_pdfium(path: Path) -> object:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range() for page in document]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: JSON on stdout."""
    parser = argparse.ArgumentParser(prog="evals.benchmarks.pdf_reading", description="PDFを読む速さを測ります。")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hyoka-pdfs-") as folder:
        told = measure(Path(folder), max(1, chosen.files), max(1, chosen.jobs))
    print(json.dumps(asdict(told), ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
