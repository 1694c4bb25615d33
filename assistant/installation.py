"""Whether hyoka is installed as it has to be, and whether the machine has room for it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.findings import CAREFUL, WELL, WRONG, Finding, State, size

if TYPE_CHECKING:
    from assistant.settings import Settings

AREA = "導入"
OLDEST = (3, 11)
# Of the bundled encoder (index/model); a test compares it, so a new model comes with a new line here.
BUNDLED_DIGEST = "cbd1017811df414501663038c64cba1a205c3f5926b520096edd7be2a270c135"
LEAST_MEMORY = 2 << 30
LEAST_FREE, TIGHT_FREE = 64 << 20, 1 << 30
_AGAIN = "hyoka をインストールし直してください。"


def check_installation(settings: Settings) -> Iterator[Finding]:
    """Python, packages, the model, OCR, cores, memory, room on the disks and the right to write there."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < OLDEST
    yield _finding("Python", WRONG if old else WELL, version, "Python 3.11 以上でインストールし直してください。")
    yield from _packages(settings)
    yield from _model(settings)
    yield _ocr()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    step = "コアが1つでは、索引を作る間の回答が遅くなります。2つ以上を割り当ててください。"
    yield _finding("コア", CAREFUL if cores < 2 else WELL, f"{cores}", step)
    yield from _memory()
    yield from _rooms(settings)


def _finding(name: str, state: State, told: str, step: str) -> Finding:
    return Finding(AREA, name, state, told, "" if state == WELL else step)


def _packages(settings: Settings) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    try:
        told = metadata.requires("hyoka") or []
    except metadata.PackageNotFoundError:
        yield _finding("パッケージ", CAREFUL, "hyoka がパッケージとして入っていません", _AGAIN)
        return
    used = {"milvus": settings.engine == "milvus", "postgres": settings.database is not None}
    used |= {"ray": settings.ray_address is not None}
    wanted = [Requirement(one) for one in told]
    extras = ["", *(extra for extra, is_used in used.items() if is_used)]
    missing, other, seen = [], [], 0
    for one in wanted:
        if one.marker is not None and not any(one.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        seen += 1
        try:
            version = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            missing.append(str(one).partition(";")[0].strip())
            continue
        if not one.specifier.contains(version, prereleases=True):
            other.append(f"{one.name} {version}（必要: {one.specifier}）")
    if missing:
        yield _finding("パッケージ", WRONG, f"ありません: {'、'.join(missing)}", _AGAIN)
    if other:
        yield _finding("パッケージ", WRONG, f"版が合いません: {'、'.join(other)}", _AGAIN)
    if not missing and not other:
        yield _finding("パッケージ", WELL, f"{seen}件、必要な版がそろっています", "")


def _model(settings: Settings) -> Iterator[Finding]:
    from assistant.opening import encoder_of
    from corpus.errors import HyokaError
    from index.encoder import BUNDLED
    from index.modelfolder import digest

    try:
        same = digest(BUNDLED) == BUNDLED_DIGEST
        told = "SHA-256 が一致します" if same else "ファイルが配布時と違います"
        yield _finding("同梱の埋め込みモデル", WELL if same else WRONG, told, _AGAIN)
    except OSError as error:
        yield _finding("同梱の埋め込みモデル", WRONG, f"読めません（{error.strerror}）", _AGAIN)
        return
    if settings.encoder is not None:
        try:
            encoder = encoder_of(settings)
            yield _finding("設定した埋め込みモデル", WELL, f"{encoder.name}（{encoder.digest[:12]}…）", "")
        except HyokaError as problem:
            yield _finding("設定した埋め込みモデル", WRONG, settings.encoder, problem.message)


def _ocr() -> Finding:
    from corpus.readers.ocr import ocr_state

    state = ocr_state()
    told = {"ready": "使えます", "no extra": "入れていません（スキャンした資料がなければ要りません）"}
    install = "apt-get install tesseract-ocr tesseract-ocr-jpn を実行してください。"
    lacking = "tesseract がありません" if state == "no tesseract" else "日本語のデータがありません"
    return _finding(
        "OCR（tesseract）", WELL if state in told else CAREFUL, told.get(state, f"{lacking}（読み取れません）"), install
    )


def _memory() -> Iterator[Finding]:
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        told = {name: int(rest.split()[0]) << 10 for name, _, rest in (line.partition(":") for line in lines)}
        whole, free = told["MemTotal"], told["MemAvailable"]
    except (OSError, ValueError, KeyError):
        return
    state = CAREFUL if free < LEAST_MEMORY // 4 or whole < LEAST_MEMORY else WELL
    step = "メモリーを2GB以上にするか、ほかのプログラムを止めてください。"
    yield _finding("メモリー", state, f"{size(whole)}、空き {size(free)}", step)


def _rooms(settings: Settings) -> Iterator[Finding]:
    from assistant.store import default_path

    places = {"索引のフォルダー": settings.index_dir, "一時ファイルの場所": Path(tempfile.gettempdir())}
    if settings.database is None:
        places["評価と会話の保存先"] = (settings.feedback_file or default_path()).parent
    for name, place in places.items():
        here = next(one for one in (place.resolve(), *place.resolve().parents) if one.exists())
        if not _writable(here):
            step = f"{here} に、hyoka を動かす利用者が書き込めるようにしてください。"
            yield _finding(f"{name}への書き込み", WRONG, f"{place} に書き込めません", step)
            continue
        free = shutil.disk_usage(here).free
        # A whole build writes the index once more before the old one goes.
        needed = _bytes(settings.index_dir / "snapshots") if place == settings.index_dir else 0
        state: State = WRONG if free < LEAST_FREE else CAREFUL if free < max(TIGHT_FREE, needed) else WELL
        step = f"不要なファイルを消すか、ディスクを大きくしてください（目安: {size(max(TIGHT_FREE, needed))}以上）。"
        yield _finding(f"{name}の空き", state, f"{size(free)}（{place}）", step)


def _writable(folder: Path) -> bool:
    """By writing: permission bits say nothing of root, of a read-only disk or of a full one."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".hyoka-doctor-") as file:
            file.write(b"hyoka")
        return True
    except OSError:
        return False


def _bytes(folder: Path) -> int:
    """Of all files, one with several names once."""
    found = {}
    for file in folder.rglob("*") if folder.is_dir() else ():
        try:
            told = file.stat()
        except OSError:
            continue
        found[told.st_ino] = told.st_size
    return sum(found.values())
