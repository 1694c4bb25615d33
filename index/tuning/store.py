"""``tuning.json`` in the index folder: the fitted weights, and what they were fitted and measured on.

It stands beside ``CURRENT``, never inside a snapshot, and is written at once or not at all. It is used only where it was
made for this ranker and this encoder; otherwise the defaults serve, and a Japanese sentence says what to do.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from corpus.errors import IndexFolderError
from index.fusion import Weights
from index.manifest import CHECKSUM, summed
from index.tuning.bounds import as_table, from_table

TUNING = "tuning.json"
FORMAT = 1
# A checksum that is missing is of a file written before there was one; a flipped bit makes an unknown key of it.
_KEYS = {"format", "created", "encoder_digest", "index_version", "base", "weights", "report", CHECKSUM}
_NEXT = "標準の重みで動きます。hyoka tune で調整し直すか、hyoka tune --reset で消してください。"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Fitted weights with their origin; ``report`` holds the counts of questions and the figures before and after.

    ``base`` are the defaults that the weights were fitted from: under other defaults they are worth nothing.
    """

    weights: Weights
    encoder_digest: str
    index_version: str
    created: datetime
    report: Mapping[str, Any]
    base: Weights = Weights()

    def dumps(self) -> str:
        """The JSON text."""
        table = {
            "format": FORMAT,
            "created": self.created.isoformat(timespec="seconds"),
            "encoder_digest": self.encoder_digest,
            "index_version": self.index_version,
            "base": as_table(self.base),
            "weights": as_table(self.weights),
            "report": dict(self.report),
        }
        return json.dumps({**table, CHECKSUM: summed(table)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def loads(cls, text: str) -> Tuning:
        """Reads what :meth:`dumps` wrote; ValueError, KeyError or TypeError for anything else."""
        table = json.loads(text)
        if not isinstance(table, dict) or table["format"] != FORMAT:
            raise ValueError("形式が違います")
        if not table.keys() <= _KEYS or table.pop(CHECKSUM, None) not in (None, summed(table)):
            raise ValueError("壊れています")
        if table["base"] != as_table(Weights()):
            raise ValueError("検索の標準の重みが、調整したときと違います")
        created = datetime.fromisoformat(table["created"])
        digest, version, report = table["encoder_digest"], table["index_version"], table["report"]
        if not (isinstance(digest, str) and isinstance(version, str) and isinstance(report, dict)):
            raise ValueError("項目の値が違います")
        return cls(from_table(table["weights"], Weights()), digest, version, created, report)


def save(folder: Path, tuning: Tuning) -> None:
    """Writes the file so that at every moment the old one or the new one is there, whole."""
    new = folder / f".{TUNING}.{os.getpid()}"
    for half in folder.glob(f".{TUNING}.*"):  # of a run that was killed while it wrote
        if not _runs(half.suffix[1:]):
            with suppress(OSError):
                half.unlink()
    try:
        with new.open("w", encoding="utf-8") as stream:
            stream.write(tuning.dumps())
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(folder / TUNING)
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        with suppress(OSError):  # not there, on a disk that cannot be written
            new.unlink()
        message = (
            f"{folder / TUNING} を書き込めません（{error.strerror}）。空き容量と書き込みの権限を確かめてください。"
        )
        raise IndexFolderError(message) from error


def _runs(number: str) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(int(number), 0)
    except ValueError:
        return False
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def reset(folder: Path) -> bool:
    """Removes the file; whether there was one."""
    try:
        (folder / TUNING).unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        message = f"{folder / TUNING} を消せません（{error.strerror}）。フォルダーの権限を確かめてください。"
        raise IndexFolderError(message) from error
    return True


def load(folder: Path, encoder_digest: str) -> tuple[Tuning | None, str]:
    """The tuning of an index folder, or None with a Japanese sentence that says why not (empty: there is none)."""
    file = folder / TUNING
    try:
        tuning = Tuning.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"{error.args[0]} がありません" if isinstance(error, KeyError) else str(error)
        return None, f"検索の調整 {file} は使えません（{why}）。{_NEXT}"
    if tuning.encoder_digest != encoder_digest:
        return None, f"検索の調整 {file} は別の埋め込みモデルのものです。{_NEXT}"
    return tuning, ""


def tuning_problem(folder: Path, encoder_digest: str) -> str:
    """Why the tuning of a folder is not used, for a person; empty where it is, or where there is none."""
    return load(folder, encoder_digest)[1]


def weights_for(folder: Path, encoder_digest: str) -> Weights:
    """The weights to search with; a file that cannot be used is reported and the defaults are returned."""
    tuning, problem = load(folder, encoder_digest)
    if problem:
        _log.warning(problem)
    return tuning.weights if tuning is not None else Weights()
