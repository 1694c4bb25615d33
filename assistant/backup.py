"""What a backup holds, taken while servers answer and indexes are built.

In: the live snapshot, its original PDFs, the weights of ``hyoka tune``, the city's own synonyms and forms, ``hyoka.toml``, the
access file and the store (opinions, conversations, counted questions), from wherever it is. Out: the sources, models, Milvus
(``hyoka milvus`` sends the index anew), and memories that only save time.
"""

from __future__ import annotations

import resource
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

from assistant.archive import ArchiveWriter, Backup, writing_archive
from assistant.settings import FILE, Settings
from assistant.store import default_path
from assistant.storecheck import integrity
from assistant.storecopy import keep_store
from corpus.errors import BackupError, IndexDamaged, IndexMissing
from index.manifest import CURRENT, MANIFEST, MEND, SNAPSHOTS, current, read_manifest
from index.originals import ENDING, FOLDER, keeps_originals
from index.tuning.store import TUNING

INDEX, STORE, SYNONYMS, ACCESS, FORMS = "index", "store/feedback.sqlite", "synonyms.toml", "access.toml", "forms"
_TRIES = 20  # a snapshot is swept only after two newer ones have come, so one more try nearly always does
Told = Callable[[str, int, int], None]


def store_file(settings: Settings) -> Path | None:
    """The file that opinions and conversations are in; None where they are on a server."""
    return None if settings.database is not None else settings.feedback_file or default_path()


def back_up(settings: Settings, file: Path, tell: Told = lambda what, done, total: None, force: bool = False) -> Backup:
    """Writes a backup to ``file``. Raises BackupError where it is there already (without ``force``) or cannot be written,
    or there is nothing to keep; IndexDamaged where a file of the index is not what was written: then nothing is kept in
    place of an older, better backup."""
    if file.exists() and not force:
        raise BackupError(f"{file} はすでにあります。別の名前を指定するか、--force を付けてください。")
    if not file.parent.is_dir():
        raise BackupError(f"控えを書き出すフォルダー {file.parent} がありません。先に作ってください。")
    with writing_archive(file) as archive:
        holds: dict[str, int] = {}
        snapshot = _index(settings.index_dir, archive, holds, tell)
        files = {SYNONYMS: settings.synonyms_file, ACCESS: settings.access, str(FILE): FILE}
        for name, path in {**files, TUNING: settings.index_dir / TUNING}.items():
            if path.exists():
                archive.add_bytes(name, path.read_bytes())
                holds[name] = 1
        forms = sorted(settings.forms.glob("*.toml")) if settings.forms is not None else []
        for form in forms:
            archive.add_bytes(f"{FORMS}/{form.name}", form.read_bytes())
        if forms:
            holds[FORMS] = len(forms)
        _store(settings, archive, holds)
        if not holds:
            raise BackupError("控えるものがまだありません。hyoka index で資料を読み込んでください。")
        return archive.finish(snapshot, holds)


def _index(folder: Path, archive: ArchiveWriter, holds: dict[str, int], tell: Told) -> str:
    """The live snapshot. All its files are opened before the first is read: from then on a newer one may take its place and
    sweep it, and it can be read to its end."""
    with ExitStack() as stack:
        for attempt in range(_TRIES):
            try:
                name = current(folder)
                path = folder / SNAPSHOTS / name
                manifest = read_manifest(folder, name)
                _allow(len(manifest.files) + 64)
                opened = {one: stack.enter_context((path / one).open("rb")) for one in (MANIFEST, *manifest.files)}
                break
            except IndexMissing:
                return ""
            except (FileNotFoundError, IndexDamaged) as error:
                stack.close()
                if attempt + 1 == _TRIES or current(folder) == name:
                    if isinstance(error, IndexDamaged):
                        raise
                    raise IndexDamaged(f"索引 {folder} のファイル {error.filename} がありません。{MEND}") from error
        archive.add_bytes(f"{INDEX}/{CURRENT}", f"{name}\n".encode())
        for done, (one, stream) in enumerate(opened.items()):
            tell("索引", done, len(opened))
            found = archive.add(f"{INDEX}/{SNAPSHOTS}/{name}/{one}", stream, _size(stream))
            if manifest.files.get(one, found) != found:
                raise IndexDamaged(f"索引 {folder} のファイル {one} が壊れています。控えは作りませんでした。{MEND}")
        holds["documents"] = manifest.counts.get("documents", 0)
    if keeps_originals(folder):
        holds[FOLDER] = 0
        for kept in sorted((folder / FOLDER).glob(f"*{ENDING}")):
            with suppress(FileNotFoundError):  # an update has just taken it out
                data = kept.read_bytes()
                if sha256(data).hexdigest() == kept.stem:
                    archive.add_bytes(f"{INDEX}/{FOLDER}/{kept.name}", data)
                    holds[FOLDER] += 1
    return name


def _size(stream: IO[bytes]) -> int:
    size = stream.seek(0, 2)
    stream.seek(0)
    return size


def _allow(files: int) -> None:
    """As many open files as a snapshot has, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * files:
        with suppress(ValueError, OSError):
            most = 2 * files if hard == resource.RLIM_INFINITY else min(hard, 2 * files)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _store(settings: Settings, archive: ArchiveWriter, holds: dict[str, int]) -> None:
    """One moment of the store, whoever writes to it meanwhile (SQLite's online backup, or one snapshot of the server)."""
    file = store_file(settings)
    if file is not None and not file.exists():
        return
    with tempfile.TemporaryDirectory(prefix="hyoka-") as place:
        copy = Path(place) / "store.sqlite"
        if settings.database is not None:
            keep_store(settings.database, copy)
        elif file is not None:
            copied(file, copy)
        if problem := integrity(copy):
            raise BackupError(
                f"評価と会話の保存先 {file} が壊れています（{problem}）。控えは作りませんでした。"
                "hyoka doctor で確かめ、前の控えから戻してください。"
            )
        with copy.open("rb") as stream:
            archive.add(STORE, stream, _size(stream))
    holds["store"] = 1


def copied(source: Path, target: Path) -> None:
    """Copies one SQLite file into another, both of which may be in use: the target has all of it or is as it was."""
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as old,
            closing(sqlite3.connect(target, timeout=30)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise BackupError(
            f"{source} を {target} に写せません（{error}）。空き容量と権限を確かめ、もう一度試してください。"
        ) from error
