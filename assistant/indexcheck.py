"""Whether an index is what was written, all of it: every file is read, whatever was read of it before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from assistant.findings import CAREFUL, WELL, WRONG, Finding, State, size
from corpus.errors import HyokaError
from index.manifest import (
    CURRENT,
    DAMAGED,
    LEXICAL,
    MANIFEST,
    MEND,
    PERMISSION,
    RECORDS,
    SNAPSHOTS,
    UNREADABLE,
    VECTORS,
    Manifest,
    current,
    differences,
    read_manifest,
)

if TYPE_CHECKING:
    from index.types import Encoder

AREA = "索引"
_SAME_AGAIN = "前に止まったものと同じ hyoka index をもう一度実行してください（続きから進みます）。"
_CLEARED = "次に hyoka index を実行すると消えます。"
_TABLES = ("documents", "sheets", "sections", "chunks", "facts", "events")


def check_index(folder: Path, encoder: Encoder | None, now: datetime | None = None) -> Iterator[Finding]:
    """CURRENT, the manifest, every SHA-256, SQLite's own check, counts, what stands beside it and what killed runs left.

    ``encoder`` is the one of the settings, None where it cannot be loaded.
    """
    try:
        name = current(folder)
        yield _finding(CURRENT, WELL, name)
        manifest = read_manifest(folder, name)
    except HyokaError as problem:
        yield _finding("使う索引", WRONG, *_divided(problem.message))
        yield from _left_over(folder, "")
        return
    path = folder / SNAPSHOTS / name
    counts = manifest.counts
    yield _finding("目録", WELL, f"文書 {counts.get('documents', 0)}、欄 {counts.get('sections', 0)}")
    broken = list(_files(path, manifest))
    yield from broken
    if all(one.state == WELL for one in broken):
        yield from _insides(path, manifest)
    if encoder is not None and encoder.digest != manifest.encoder_digest:
        yield _finding(
            "埋め込みモデル",
            WRONG,
            f"索引は {manifest.encoder} で作られ、今の設定は {encoder.name} です",
            "HYOKA_ENCODER を元に戻すか、hyoka index で索引を作り直してください。",
        )
    if (path / DAMAGED).exists():
        yield _finding("傷の印", CAREFUL, "前に壊れたファイルが見つかりました", MEND)
    ahead = manifest.created - (now or datetime.now(UTC))
    if ahead > timedelta(minutes=5):
        yield _finding("時計", CAREFUL, "索引が未来に作られたことになっています", "機械の時計を合わせてください。")
    yield from _beside(folder, manifest, encoder)
    yield from _left_over(folder, name)


def _finding(name: str, state: State, told: str, step: str = "") -> Finding:
    return Finding(AREA, name, state, told, step)


def _divided(message: str) -> tuple[str, str]:
    """A message and its last sentence, the next step."""
    said, mark, step = message.rstrip("。").rpartition("。")
    return (said, f"{step}。") if mark else (message, MEND)


def _files(path: Path, manifest: Manifest) -> Iterator[Finding]:
    began = monotonic()
    found = 0
    for name, what in differences(path, manifest):
        found += 1
        yield _finding(f"ファイル {name}", WRONG, f"このファイル{what}", PERMISSION if what == UNREADABLE else MEND)
    if not found:
        whole = sum((path / name).stat().st_size for name in manifest.files)
        told = f"{len(manifest.files)}件（{size(whole)}）の SHA-256 が一致します（{monotonic() - began:.1f}秒）"
        yield _finding("ファイル", WELL, told)


def _insides(path: Path, manifest: Manifest) -> Iterator[Finding]:
    """What the files say of each other. They are as they were written, so what is wrong here was wrong from the start."""
    from index.joinedtables import open_tables
    from index.lexical import LexicalIndex
    from index.manifest import TABLES
    from index.removed import Removed
    from index.vectors import open_vectors

    wrong = []
    rows = dict.fromkeys(_TABLES, 0)
    removed = Removed.read(path)
    for file in manifest.places(path, RECORDS):
        try:
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
                told = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
                wrong += [] if told == ["ok"] else told
                for table in _TABLES:
                    rows[table] += db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        except sqlite3.Error as error:
            wrong.append(str(error))
    told_of = f"{len(manifest.places(path, RECORDS))}件、SQLite の検査で"
    state: State = WRONG if wrong else WELL
    yield _finding("記録", state, f"{told_of}{'; '.join(wrong) or '問題はありません'}", MEND if wrong else "")
    try:
        tables = open_tables(manifest.places(path, TABLES), removed)
        vectors = len(open_vectors(manifest.places(path, VECTORS)))
        words = LexicalIndex(path / LEXICAL).chunks
    except (OSError, ValueError, RuntimeError) as error:
        yield _finding("件数", WRONG, f"数えられません（{error}）", MEND)
        return
    chunks = rows["chunks"]
    pairs = {
        "文書（記録と目録）": (rows["documents"] - len(removed), manifest.counts["documents"]),
        "区切り（記録と目録）": (chunks - removed.chunks, manifest.counts["chunks"]),
        "文書（記録と表）": (rows["documents"], len(tables.files)),
        "シート（記録と表）": (rows["sheets"], len(tables.document)),
        "欄（記録と表）": (rows["sections"], len(tables.section_sheet)),
        "区切り（記録と表）": (chunks, len(tables.chunk_section)),
        "区切り（記録とベクトル）": (chunks, vectors),
        "区切り（目録と単語の索引）": (manifest.counts["chunks"], words),
    }
    apart = [f"{what} {one}と{other}" for what, (one, other) in pairs.items() if one != other]
    if apart:
        yield _finding("件数", WRONG, f"食い違います: {'、'.join(apart)}", MEND)
    else:
        yield _finding("件数", WELL, "記録、表、ベクトル、単語の索引の件数が合います")


def _beside(folder: Path, manifest: Manifest, encoder: Encoder | None) -> Iterator[Finding]:
    """What stands beside the snapshots: weights, synonyms, originals."""
    from index.originals import ENDING, FOLDER, keeps_originals
    from index.synonymfile import read_synonyms
    from index.tuning.store import TUNING, load

    if (folder / TUNING).exists():
        _, problem = load(folder, encoder.digest if encoder is not None else manifest.encoder_digest)
        if problem:
            yield _finding("検索の調整", CAREFUL, *_divided(problem))
        else:
            yield _finding("検索の調整", WELL, "使われています")
    if (folder / "synonyms.toml").exists():
        try:
            read_synonyms(folder / "synonyms.toml")
            yield _finding("言いかえ辞書", WELL, "読めます")
        except HyokaError as error:
            yield _finding("言いかえ辞書", CAREFUL, *_divided(error.message))
    if keeps_originals(folder):
        kept = sorted((folder / FOLDER).glob(f"*{ENDING}"))
        broken = [file.name for file in kept if not _same(file)]
        if broken:
            step = f"{folder / FOLDER} からそのファイルを消し、hyoka index をもう一度実行してください。"
            yield _finding("元のPDF", WRONG, f"{len(broken)}件が壊れています（{broken[0]} など）", step)
        else:
            yield _finding("元のPDF", WELL, f"{len(kept)}件の SHA-256 が一致します")


def _same(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest() == file.stem
    except OSError:
        return False


def _left_over(folder: Path, live: str) -> Iterator[Finding]:
    snapshots = folder / SNAPSHOTS
    rest = sorted(one.name for one in snapshots.glob(".*")) if snapshots.is_dir() else []
    if rest:
        yield _finding("作りかけ", CAREFUL, f"止められた作成の残りがあります（{rest[0]} など{len(rest)}件）", _CLEARED)
    if (folder / "building").exists():
        yield _finding("作りかけ", CAREFUL, "索引の作成が途中で止まっています（または、いま作成中です）", _SAME_AGAIN)
    others = sorted(one.parent.name for one in snapshots.glob(f"[!.]*/{MANIFEST}") if one.parent.name != live)
    newer = [name for name in others if live and name > live]
    if newer:
        told = f"使われていない新しい索引があります（{newer[-1]}）"
        yield _finding(
            "作りかけ", CAREFUL, told, "Milvus を使うときは hyoka milvus を、ほかは hyoka index を実行してください。"
        )
    if not live and others:
        told = f"使える目録のある索引が {len(others)}件残っています（{others[-1]}）"
        yield _finding("残っている索引", CAREFUL, told, MEND)
    elif not rest and not newer and not (folder / "building").exists():
        yield _finding("作りかけ", WELL, "ありません")
