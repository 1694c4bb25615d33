"""A snapshot that an engine has not got, or not all of: sent, made live, and what is older swept."""

from __future__ import annotations

from pathlib import Path

from index.build import go_live, lock, sweep
from index.firststage import Engine, Progress
from index.manifest import MANIFEST, SNAPSHOTS, current


def finish(folder: Path, engine: Engine, tell: Progress) -> str:
    """Sends the newest finished snapshot of an index folder to the engine and makes it live; returns its id.

    That is the live one where its engine has lost it or never had it, or a newer one whose sending broke off. Sending goes
    on where it stopped. Raises IndexMissing where there is no snapshot, EngineError where the engine does not take it.
    """
    with lock(folder):
        finished = [one.parent.name for one in (folder / SNAPSHOTS).glob(f"*/{MANIFEST}") if one.parent.name[0] != "."]
        name = max(finished, default="") or current(folder)
        engine.publish(folder, name, tell)
        go_live(folder, name)
        sweep(folder, name, engine)
    return name
