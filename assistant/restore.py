"""A backup put back: unpacked and compared with its checksums beside what is there, and only then put in its place.

A running server goes on: it takes up the index as it does any new one, and the store is replaced within SQLite. What is
replaced of files is kept under a name that ends in ``.before-restore``.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from assistant.archive import Backup, unpack
from assistant.backup import ACCESS, FORMS, INDEX, STORE, SYNONYMS, copied, store_file
from assistant.settings import FILE, Settings, load_settings
from assistant.storecheck import integrity
from assistant.storecopy import copy_store, count_store
from corpus.errors import BackupDamaged, BackupError, HyokaError
from index.manifest import CURRENT, SNAPSHOTS, check, current, read_manifest
from index.originals import FOLDER
from index.postgresurl import named
from index.publishing import clear_killed, go_live, lock, sweep, writing
from index.tuning.store import TUNING

BEFORE = ".before-restore"
_PLACES = ("index_dir", "feedback_file", "synonyms", "forms", "access_file")
_AGAIN = "ほかの控えを使ってください。"


def restore(file: Path, index_dir: Path | None = None, force: bool = False) -> tuple[Backup, list[str]]:
    """Puts back all that a backup holds; returns what it says of itself, and Japanese sentences about what was replaced.

    Where it goes say the settings, or where there are none the ``hyoka.toml`` of the backup. Raises BackupDamaged for an
    archive that is not what was written, and BackupError where something is there already and ``force`` is not given;
    nothing was changed then.
    """
    first = load_settings(index_dir=index_dir)
    first.index_dir.mkdir(parents=True, exist_ok=True)
    for half in first.index_dir.glob(".restoring-*"):
        if not _runs(half.suffix.rpartition("-")[2]):
            shutil.rmtree(half, ignore_errors=True)
    work = first.index_dir / f".restoring-{os.getpid()}"
    try:
        work.mkdir()
        told = unpack(file, work)
        settings = _settings(work, first, index_dir)
        if settings.index_dir.resolve() != first.index_dir.resolve():
            # The hyoka.toml of the backup names another place, which may be another disk: unpacked there once more.
            settings.index_dir.mkdir(parents=True, exist_ok=True)
            moved = settings.index_dir / work.name
            shutil.rmtree(moved, ignore_errors=True)
            shutil.move(work, moved)
            with suppress(OSError):
                first.index_dir.rmdir()
            work = moved
        _look(work, told)
        there = _there(work, settings)
        if there and not force:
            raise BackupError(
                f"すでにあるものは上書きしません: {'、'.join(there)}。置きかえてよければ --force を付けてください。"
            )
        return told, _put(work, settings)
    except OSError as error:
        raise BackupError(
            f"控え {file} を戻せません（{error.strerror or error}）。空き容量と権限を確かめてください。"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _runs(number: str) -> bool:
    return number.isdigit() and Path(f"/proc/{number}").exists()


def _settings(work: Path, first: Settings, index_dir: Path | None) -> Settings:
    """The settings in force; where there is no ``hyoka.toml`` here, with the places that the one of the backup names, unless
    the index folder was named by hand: then somebody is trying whether a backup can be put back."""
    if index_dir is not None or FILE.exists() or not (work / FILE).exists():
        return first
    try:
        told = tomllib.loads((work / FILE).read_text("utf-8"))
    except ValueError:
        return first
    named: dict[str, Any] = {
        name: told[name] for name in _PLACES if name in told and f"HYOKA_{name.upper()}" not in os.environ
    }
    return load_settings(**named)


def _look(work: Path, told: Backup) -> None:
    """The archive is what was written; whether this version can use it is another question, asked before anything moves."""
    try:
        if told.snapshot:
            index = work / INDEX
            check(index, index / SNAPSHOTS / told.snapshot, read_manifest(index, current(index)))
    except HyokaError as problem:
        if "別の版" in problem.message:
            raise
        raise BackupDamaged(f"控えの中の索引が使えません。{_AGAIN}") from problem
    wrong = integrity(work / STORE) if (work / STORE).exists() else ""
    if wrong:
        raise BackupDamaged(f"控えの中の評価と会話が壊れています（{wrong}）。{_AGAIN}")


def _targets(work: Path, settings: Settings) -> list[tuple[Path, Path]]:
    """The single files of a backup that were unpacked, and where they go."""
    pairs = [
        (work / SYNONYMS, settings.synonyms_file),
        (work / ACCESS, settings.access),
        (work / TUNING, settings.index_dir / TUNING),
        (work / FILE, FILE),
    ]
    if settings.forms is not None:
        pairs += [(form, settings.forms / form.name) for form in sorted((work / FORMS).glob("*.toml"))]
    return [(source, target) for source, target in pairs if source.exists()]


def _there(work: Path, settings: Settings) -> list[str]:
    """What would be replaced by something else; a store on a server that has something in it, which never is."""
    there: list[Path | str] = []
    if (work / INDEX).exists() and (settings.index_dir / CURRENT).exists():
        there.append(settings.index_dir)
    store = store_file(settings)
    if (work / STORE).exists() and store is not None and store.exists():
        there.append(store)
    if (work / STORE).exists() and settings.database is not None and any(count_store(settings.database).values()):
        there.append(f"{named(settings.database)} の評価と会話（--force を付けても置きかえません）")
    for source, target in _targets(work, settings):
        if target.exists() and target.read_bytes() != source.read_bytes():
            there.append(target)
    return [str(one) for one in there]


def _put(work: Path, settings: Settings) -> list[str]:
    """Moves everything into place; each step is one that happens whole or not at all."""
    said = []
    for source, target in _targets(work, settings):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.read_bytes() != source.read_bytes():
            _keep(target)
            said.append(f"前の {target} は {target.name}{BEFORE} に残してあります。")
        _place(source, target)
    if settings.forms is None and (work / FORMS).exists():
        _keep_forms(work / FORMS, settings.index_dir / FORMS)
        said.append(f"様式のファイルは {settings.index_dir / FORMS} にあります。HYOKA_FORMS に指定してください。")
    if (work / STORE).exists():
        said += _put_store(work / STORE, settings)
    if (work / INDEX).exists():
        _put_index(work / INDEX, settings.index_dir)
    return said


def _keep(target: Path) -> None:
    kept = target.with_name(target.name + BEFORE)
    shutil.copy2(target, kept)


def _place(source: Path, target: Path) -> None:
    """Onto what may be another disk, in one step."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            out.write(source.read_bytes())
            out.flush()
            os.fsync(out.fileno())
        beside.chmod(0o600 if source.name in (FILE.name, ACCESS) else 0o644)
        beside.replace(target)
    finally:
        with suppress(OSError):
            beside.unlink()


def _keep_forms(forms: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for form in forms.iterdir():
        _place(form, folder / form.name)


def _put_store(source: Path, settings: Settings) -> list[str]:
    """Into the file that a server may have open: it sees the one content or the other."""
    target = store_file(settings)
    if settings.database is not None:
        if any(count_store(settings.database).values()):
            return [
                f"評価と会話は戻していません。{named(settings.database)} にはすでに評価や会話があります。"
                "戻すには、空のデータベースを HYOKA_DATABASE_URL に指定してください。"
            ]
        copy_store(source, settings.database)
        return []
    assert target is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    said = []
    if target.exists():
        kept = target.with_name(target.name + BEFORE)
        kept.unlink(missing_ok=True)
        if integrity(target):
            for ending in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    target.with_name(target.name + ending).rename(kept.with_name(kept.name + ending))
        else:
            copied(target, kept)
        said.append(f"前の {target} は {kept.name} に残してあります。")
    copied(source, target)
    return said


def _put_index(source: Path, folder: Path) -> None:
    """The snapshot goes in beside the others under its own name; ``CURRENT`` moves last."""
    name = current(source)
    with lock(folder), writing(folder):
        clear_killed(folder)
        (folder / SNAPSHOTS).mkdir(exist_ok=True)
        target = folder / SNAPSHOTS / name
        if target.exists():
            try:
                check(folder, target, read_manifest(folder, name))
            except HyokaError:
                target.rename(folder / SNAPSHOTS / f".damaged-{os.getpid()}")
        if not target.exists():
            (source / SNAPSHOTS / name).rename(target)
        if (source / FOLDER).exists():
            (folder / FOLDER).mkdir(exist_ok=True)
            for one in (source / FOLDER).iterdir():
                one.replace(folder / FOLDER / one.name)
        go_live(folder, name, None, lambda what, done, total: None)
        sweep(folder, name)
