"""Changes of the access file: written whole beside the old one, readable by its owner alone, comments kept."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from assistant.access.register import KEY_PREFIX, key_digest, read_register
from corpus.errors import SettingsError

_HEAD = "hyoka のログインと鍵。hyoka access で書きかえます。パスワードそのものは入っていません。"


def new_key() -> str:
    """A key for a program: 256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def put(file: Path, kind: str, match: Mapping[str, object], values: Mapping[str, object]) -> bool:
    """Adds an entry of ``kind`` or replaces the one whose values ``match``; whether one was replaced.

    What ``values`` gives as None is left out, what the old entry had of it too. Raises SettingsError, with the file as
    it was, where the result could not be read.
    """
    document = _open(file)
    entries = document.setdefault(kind, tomlkit.aot())
    assert isinstance(entries, AoT)
    found = next((one for one in entries if all(one.get(name) == value for name, value in match.items())), None)
    entry = tomlkit.table() if found is None else found
    for name, value in {**match, **values}.items():
        if value is None:
            entry.pop(name, None)
        else:
            entry[name] = value
    if found is None:
        entries.append(entry)
    _write(file, document)
    return found is not None


def put_key(file: Path, name: str, values: Mapping[str, object]) -> str:
    """Gives the program ``name`` a new key and returns it: it is nowhere else."""
    key = new_key()
    put(file, "keys", {"name": name}, {**values, "digest": key_digest(key)})
    return key


def drop(file: Path, kind: str, match: Mapping[str, object]) -> bool:
    """Takes the matching entries of ``kind`` out; whether there were any."""
    document = _open(file)
    entries = document.get(kind)
    if entries is None:
        return False
    left = [one for one in entries if any(one.get(name) != value for name, value in match.items())]
    if len(left) == len(entries):
        return False
    kept = tomlkit.aot()
    for one in left:
        kept.append(one)
    document[kind] = kept
    _write(file, document)
    return True


def _open(file: Path) -> Any:
    read_register(file)  # a file with mistakes is not written over
    try:
        return tomlkit.parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        document = tomlkit.document()
        document.add(tomlkit.comment(_HEAD))
        return document
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise SettingsError(f"{file} を読めません（{error}）。ファイルの権限を確かめてください。") from error


def _write(file: Path, document: Any) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    except OSError as error:
        raise SettingsError(
            f"{file} に書けません（{error.strerror}）。フォルダーの権限と空き容量を確かめてください。"
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(tomlkit.dumps(document))
            stream.flush()
            os.fsync(stream.fileno())
        read_register(Path(name))
        if file.exists():  # the server may run as another user: who may read it stays as it was
            status = file.stat()
            Path(name).chmod(status.st_mode & 0o777)
            if os.geteuid() == 0:
                os.chown(name, status.st_uid, status.st_gid)
        Path(name).replace(file)
    except SettingsError as error:
        Path(name).unlink(missing_ok=True)
        raise SettingsError(error.message.replace(name, str(file))) from error
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise SettingsError(
            f"{file} に書けません（{error.strerror}）。フォルダーの権限と空き容量を確かめてください。"
        ) from error
