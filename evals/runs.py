"""Runs kept in a folder: one JSON file each, with the figures and all that made them."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from corpus.errors import SettingsError
from evals.outcomes import RunResult

Run = dict[str, Any]


def keep(result: RunResult, folder: Path) -> Path:
    """Write a run as ``<folder>/<time>-<question file>.json`` and return the path."""
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S%f}-{Path(result.file).stem}"
    kept = {"run": name, "at": now.isoformat(timespec="seconds"), **code(), **result.payload()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def load(run: str, folder: Path) -> Run:
    """A kept run by path, by name, or by the beginning of its name; ``last`` is the newest."""
    path = Path(run)
    if not path.is_file():
        kept_runs = sorted(folder.glob("*.json"))
        found = kept_runs if run == "last" else [kept for kept in kept_runs if kept.name.startswith(run)]
        if not found:
            raise SettingsError(
                f"保存した評価がありません: {run}。{folder} の中の名前かファイルのパスを書いてください。"
            )
        path = found[-1]
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"保存した評価を読めません: {path}。別の評価を選んでください。({error})") from error
    if not isinstance(kept, dict) or not isinstance(kept.get("cases"), list):
        raise SettingsError(f"評価の結果ではありません: {path}。hyoka eval が保存したファイルを選んでください。")
    return kept


def previous(file: str, folder: Path) -> Run | None:
    """The newest kept run of the same question file, None when there is none."""
    return next(iter(kept_runs(file, folder, 1)), None)


def kept_runs(file: str, folder: Path, limit: int) -> list[Run]:
    """The newest ``limit`` kept runs of one question file, newest first."""
    found: list[Run] = []
    for path in sorted(folder.glob(f"*-{Path(file).stem}.json"), reverse=True):
        if len(found) == limit:
            break
        try:
            found.append(load(str(path), folder))
        except SettingsError:  # a damaged old run must not stop a new one
            continue
    return found


def code() -> dict[str, str]:
    """The version of hyoka and, in a checkout, its commit."""
    try:
        found = {"hyoka": version("hyoka")}
    except PackageNotFoundError:
        found = {"hyoka": ""}
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
        )
        found["commit"] = told.stdout.strip() if told.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        found["commit"] = ""
    return found
