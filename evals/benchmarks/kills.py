"""Commands killed at random (SIGKILL), and what is found afterwards: the index of before or the new one, never half of it.

One process imports everything once and forks for each command, so that a kill costs a fraction of a second. A command
dies after a random share of the time it takes, or at a random one of the moments at which it opens, renames, links or
removes a file of the index folder: those are few and close together, and publishing is made of them. Then the index is
opened (which compares every SHA-256) and asked, the same command runs again, and what is left over is listed.

    python -m evals.benchmarks.kills --kills 240 --out evals/benchmarks/results/kills.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import IndexMissing
from evals.benchmarks.forking import Watch, command, ended, forked, preload, touches
from index.manifest import current, read_manifest

# Files of the small index that is built; three that change are less than a tenth, so an update takes them in.
SHEETS = 32
QUESTIONS = ("図書館運営事業の今後の計画は", "令和5年度の決算額が大きい順に3つ教えて", "道路補修事業の目的は")
QUERIES = ("図書館", "設備を更新する", "市民の安全")
_THINGS = ("図書館運営", "道路補修", "防災無線整備", "学校給食", "斎場管理", "公園緑地", "下水道整備", "保育所運営")
_DOES = ("を計画どおり続ける", "の設備を更新する", "の利用者を増やす", "を民間に委託する", "の費用を見直す")
_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "shutil.", "sqlite3.connect")
_NONE = "none"  # what is served where there is no index


@dataclass(frozen=True)
class Scene:
    """A command, and the index folder that it finds. ``jobs`` are the processes that read the files for it."""

    name: str
    arguments: tuple[str, ...]
    start: Path
    jobs: int = 0


@dataclass
class Found:
    """What came of one kill: what was served after it and after the next run, and what was wrong (nothing, one hopes)."""

    scene: str
    way: str
    at: float
    killed: bool
    served: str = ""
    wrong: list[str] = field(default_factory=list)


def write_sheets(folder: Path, count: int, plan: str = "") -> None:
    """``count`` text files of a sheet each, the same ones every time; ``plan`` replaces the plan of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        draw = random.Random(number)
        name = f"{_THINGS[number % len(_THINGS)]}事業" + ("" if number < len(_THINGS) else str(number))
        does = draw.choice(_DOES)
        text = (
            f"事務事業評価シート（令和5年度）\nみなと野市\n事業名 {name}\n担当課 企画課\n予算額 {12000 + number * 311}千円\n"
            f"決算額 {11000 + number * 297}千円\n事業の目的\n市民の安全と便利のために{name}{does}。\n"
            f"今後の計画\n{(plan if number < 1 else '') or f'令和{6 + number % 3}年度に{name}{does}。'}\n"
        )
        (folder / f"sheet{number:02}.txt").write_text(text, "utf-8")


def look(folder: Path) -> str:
    """What an index folder serves, as a short sum over its sheets, weights, searches and answers."""
    from assistant.payload import answer_json
    from assistant.session import Assistant
    from index.fusion import Weights
    from index.snapshot import Snapshot

    try:
        snapshot = Snapshot.open(folder)
    except IndexMissing:
        return _NONE
    told: list[Any] = [[asdict(sheet) for sheet in snapshot.sheets()], snapshot.manifest.counts]
    told.append("default" if snapshot.weights == Weights() else asdict(snapshot.weights))
    for query in QUERIES:
        told.append([(hit.sheet.sheet_id, hit.text) for hit in snapshot.search(query, 10).hits])
    assistant = Assistant(snapshot)
    for question in QUESTIONS:
        answer = answer_json(assistant.ask(question), snapshot).model_dump(mode="json")
        told.append({key: value for key, value in answer.items() if key not in ("took_ms", "index_version")})
    snapshot.close()
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, default=str).encode()).hexdigest()[:12]


def left_over(folder: Path) -> list[str]:
    """What no finished run leaves in an index folder."""
    rest = [one for one in folder.iterdir() if one.name.endswith(".new") or one.name.startswith(".tuning")]
    rest += [one for one in (folder / "building",) if one.exists()]
    snapshots = folder / "snapshots"
    for one in snapshots.iterdir() if snapshots.exists() else ():
        if one.name.startswith(".") or not (one / "manifest.json").exists():
            rest.append(one)
    return sorted(str(one.relative_to(folder)) for one in rest)


# ---- a kill -------------------------------------------------------------------------------------------------------


class Killing:
    """Scenes over one set of sheets; each kill begins with a fresh copy of the scene's folder."""

    def __init__(self, place: Path, seed: int, names: Sequence[str] = ()) -> None:
        self.place, self.draw = place, random.Random(seed)
        self.log = place / "log.txt"
        self.old, self.new = place / "old", place / "new"
        write_sheets(self.old, SHEETS - 1)
        write_sheets(self.new, SHEETS, plan="来年度に大きく見直す。")
        (self.new / "sheet05.txt").unlink()
        # One name for the sources of before and after: an update sees what has changed in it.
        self.sources = place / "sources"
        self.scenes = [scene for scene in self._scenes() if not names or scene.name in names]
        self.measured = {scene.name: self._measure(scene) for scene in self.scenes}

    def _scenes(self) -> list[Scene]:
        empty, built, piled = (self.place / name for name in ("empty", "built", "piled"))
        empty.mkdir()
        index = ("index", "SOURCES")
        self._use(self.old)
        self._run(Scene("build", index, empty), built)
        shutil.copytree(built, piled)
        self._use(self.new)
        self._run(Scene("update", index, built), piled)
        return [
            Scene("build", index, empty),
            Scene("build with two readers", index, empty, jobs=2),
            Scene("update", index, built),
            Scene("whole", (*index, "--whole"), built),
            Scene("compaction", ("index", "--compact"), piled),
            Scene("tune", ("tune", "--count", "60", "--minutes", "0.1"), built),
        ]

    def _use(self, sheets: Path) -> None:
        """Copied with their times, so that what has not changed is not taken for new."""
        shutil.rmtree(self.sources, ignore_errors=True)
        shutil.copytree(sheets, self.sources)

    def _run(self, scene: Scene, folder: Path) -> int:
        pid, pipe = forked(lambda: self._command(scene, folder), self.log)
        code: int = ended(pid, pipe, self.log)
        if code:
            raise RuntimeError(f"{scene.name}: {self.log.read_text('utf-8', 'replace')[-400:]}")
        return code

    def look(self, folder: Path) -> str:
        """What :func:`look` says, from a process of its own."""
        try:
            pid, pipe = forked(lambda: look(folder), self.place / "look.txt")
            served: str = ended(pid, pipe, self.place / "look.txt")
            return served
        except RuntimeError as problem:
            return f"does not open: {problem}"

    def _fresh(self, scene: Scene) -> Path:
        folder = self.place / "index"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(scene.start, folder)
        return folder

    def _measure(self, scene: Scene) -> tuple[float, int, str, str]:
        """The seconds that the command takes, how often it touches a file, and what is served before and after it."""
        folder = self._fresh(scene)
        before = self.look(folder)
        watch, count = touches(folder)
        began = time.monotonic()

        def counted() -> int:
            self._command(scene, folder, watch)
            return count[0]

        pid, pipe = forked(counted, self.log)
        touched: int = ended(pid, pipe, self.log)
        seconds = time.monotonic() - began
        parts = read_manifest(folder, current(folder)).parts
        if bool(parts) != (scene.name == "update"):
            raise RuntimeError(f"{scene.name} has made an index of {len(parts)} additions")
        if rest := left_over(folder):
            raise RuntimeError(f"{scene.name} leaves {rest} though nothing killed it")
        return seconds, touched, before, self.look(folder)

    def _command(self, scene: Scene, folder: Path, watch: Watch | None = None) -> int:
        arguments = [argument.replace("SOURCES", str(self.sources)) for argument in scene.arguments]
        return command(arguments, folder, scene.jobs, watch)

    def kill(self, scene: Scene, way: str) -> Found:
        """One kill of a scene's command, ``way`` being ``time``, ``touch`` or ``publishing``, and what was found after it."""
        seconds, touched, before, after = self.measured[scene.name]
        folder = self._fresh(scene)
        if way == "time":
            at = self.draw.uniform(0, 1.05 * seconds)
            pid, pipe = forked(lambda: self._command(scene, folder), self.log)
            time.sleep(at)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        else:
            # The last third is publishing and what comes after it.
            at = self.draw.randrange(2 * touched // 3 if way == "publishing" else 0, touched)
            watch, count = touches(folder)

            def dies(event: str, values: Sequence[Any]) -> None:
                watch(event, values)
                if count[0] > at:  # before what is told of is done
                    os.kill(os.getpid(), signal.SIGKILL)

            pid, pipe = forked(lambda: self._command(scene, folder, dies), self.log)
        os.close(pipe)
        _, status = os.waitpid(pid, 0)
        found = Found(scene.name, way, round(at / (seconds if way == "time" else touched), 3), os.WIFSIGNALED(status))
        if not self._alone(pid):
            found.wrong.append("processes of the killed command live on")
        served = self.look(folder)
        found.served = {before: "before", after: "new"}.get(served, "neither") if before != after else "neither"
        if before == after == served:
            found.served = "the same"
        if found.served == "neither":
            found.wrong.append(f"after the kill: {served}")
        try:
            self._run(scene, folder)
        except RuntimeError as problem:
            found.wrong.append(f"the next run: {problem}")
        if (served := self.look(folder)) != after:
            found.wrong.append(f"after the next run: {served}")
        if rest := left_over(folder):
            found.wrong.append(f"left over: {', '.join(rest)}")
        return found

    def _alone(self, group: int) -> bool:
        """Whether no process of the killed command's group is left after a moment."""
        for _ in range(100):
            try:
                os.killpg(group, 0)
            except (ProcessLookupError, PermissionError):
                return True
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
        return False


# How often each scene comes in twenty kills: starting processes that read files, and tuning, take longer than all the rest.
SHARES = {"build": 6, "update": 6, "compaction": 4, "whole": 2, "tune": 1, "build with two readers": 1}


def run(kills: int, seed: int = 1, names: Sequence[str] = (), seconds: float = 1e9) -> list[Found]:
    """Kills ``kills`` times, or as often as goes in ``seconds``; a third of them by the clock and the others at a touch. Says what was found each time."""
    began = time.monotonic()
    preload(tuning=not names or "tune" in names)
    with tempfile.TemporaryDirectory(prefix="hyoka-kills-") as place:
        killing = Killing(Path(place), seed, names)
        shares = [SHARES[scene.name] for scene in killing.scenes]
        found: list[Found] = []
        while len(found) < kills and time.monotonic() - began < seconds:
            scene = killing.draw.choices(killing.scenes, shares)[0]
            found.append(killing.kill(scene, killing.draw.choice(("time", "touch", "publishing"))))
    return found


def summary(found: Sequence[Found]) -> dict[str, Any]:
    """The counts, and every case in which something was wrong."""
    table = {}
    for name in SHARES:
        own = [one for one in found if one.scene == name]
        if own:
            table[name] = {
                "killed": sum(one.killed for one in own),
                "of_these_at_a_touch": sum(one.killed and one.way != "time" for one in own),
                "ended_before_the_kill": sum(not one.killed for one in own),
                "served_after_the_kill": dict(Counter(one.served for one in own if one.killed)),
                "wrong": sum(bool(one.wrong) for one in own),
            }
    return {
        "killed": sum(one.killed for one in found),
        "wrong": sum(bool(one.wrong) for one in found),
        "commands": table,
        "what_was_wrong": [asdict(one) for one in found if one.wrong],
        "runs": [
            ",".join((one.scene, one.way, str(one.at), "killed" if one.killed else "ended", one.served))
            for one in found
        ],
    }


def main() -> None:
    """Kills, prints the table as JSON, and exits with 1 where something was wrong. ``--out`` adds to what the file has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scene", action="append", default=[])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found = run(asked.kills, asked.seed, asked.scene, asked.seconds)
    if asked.out is not None:
        if asked.out.exists():
            before = json.loads(asked.out.read_text("utf-8"))
            wrong = {(one["scene"], one["at"]): one["wrong"] for one in before["what_was_wrong"]}
            earlier = []
            for run_before in before["runs"]:
                scene, way, at, how, served = run_before.split(",")
                earlier.append(Found(scene, way, float(at), how == "killed", served, wrong.get((scene, float(at)), [])))
            found = earlier + found
        asked.out.write_text(json.dumps(summary(found), ensure_ascii=False, indent=1) + "\n", "utf-8")
    told = summary(found)
    del told["runs"]
    print(json.dumps(told, ensure_ascii=False, indent=1))
    sys.exit(1 if told["wrong"] else 0)


if __name__ == "__main__":
    main()
