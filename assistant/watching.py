"""``hyoka watch``: takes into the index what changes in folders, for as long as it runs.

What the system tells of changes only wakes it; what has changed is seen by looking, so nothing hangs on a message that is
lost. An update is ``hyoka index`` in a process of its own, as from the 管理 screen.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from time import monotonic
from typing import Any, Protocol

from assistant.logs import fields
from assistant.rebuild import Build
from assistant.watchlist import Listing, changes, emptied, is_far, listing
from corpus.errors import SettingsError
from corpus.sources import left_out

logger = logging.getLogger(__name__)

MOST_WAITING = 600.0  # seconds: a folder that never comes to rest is updated all the same
SAFETY_SECONDS = 300.0  # so often one looks though nothing was told
RETRY_SECONDS = 60.0  # after an update that failed
MOST_TOLD = 50  # files that could not be read, told one by one


class Updates(Protocol):
    """What makes an update; :class:`assistant.rebuild.Rebuild` is the real one."""

    def start(self) -> None:
        """Starts one; raises SettingsError where it cannot."""
        ...

    def state(self) -> Build:
        """How far it is, or how the last one ended."""
        ...

    def cancel(self) -> None:
        """Ends a running one; the index stays as it was."""
        ...


class Watching:
    """Watches ``folders``; ``settle`` is how many seconds nothing may have changed before an update, so that a burst is one
    update and a file is whole; ``poll``: looks every ``settle`` seconds, because nothing is told."""

    def __init__(
        self,
        folders: Sequence[Path],
        updates: Updates,
        settle: float,
        poll: bool,
        look: Callable[[Sequence[Path]], Listing] = listing,
    ) -> None:
        self._folders, self._updates, self._settle, self._poll = tuple(folders), updates, settle, poll
        self._look, self._stop, self._wake = look, threading.Event(), threading.Event()
        self._told: set[tuple[str, str]] = set()
        self._version = self._gone = ""
        self._took = 0.0
        self._observer: Any = None

    def stop(self) -> None:
        """Ends :meth:`run`, and an update that is under way; may be called from a signal."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Updates once, then whenever something has changed, until it is stopped."""
        known: Listing = {}
        first, again = True, 0.0
        self._observe()
        try:
            while not self._stop.is_set():
                self._wake.clear()
                now = self._see()
                if now is None or self._missing(known, now):
                    self._pause(again)
                    continue
                if first or now != known or (again and monotonic() >= again):
                    settled = now if first else self._settled(now)
                    if settled is None or self._missing(known, settled) or (settled == known and not (first or again)):
                        self._pause(again)
                        continue
                    if not first:
                        added, changed, removed = changes(known, settled)
                        logger.info(
                            "変更を見つけました。",
                            extra=fields("changed", added=added, changed=changed, removed=removed),
                        )
                    well = self._update()
                    first, known, again = False, settled, 0.0 if well else monotonic() + RETRY_SECONDS
                    continue
                self._pause(again)
        finally:
            self._quiet()
            self._updates.cancel()

    def _pause(self, again: float) -> None:
        """Until something is told, or it is time to look."""
        seconds = max(self._settle, 3 * self._took) if self._observer is None or self._gone else SAFETY_SECONDS
        self._wake.wait(min(seconds, max(0.1, again - monotonic())) if again else seconds)

    def _see(self) -> Listing | None:
        """What stands in the folders; None, and a word about it, where one cannot be reached."""
        began = monotonic()
        try:
            seen = self._look(self._folders)
        except OSError as error:
            self._lost(str(error.filename or ""), error.strerror or str(error))
            return None
        self._took = monotonic() - began
        return seen

    def _missing(self, known: Listing, seen: Listing) -> bool:
        """Whether a folder looks as if its share were not mounted: then the index keeps what it had of it."""
        empty = emptied(known, seen)
        if empty:
            self._lost(str(empty[0]), "ファイルが一つもなくなりました")
        elif self._gone:
            logger.info("フォルダーがまた見えるようになりました。", extra=fields("back", folder=self._gone))
            self._gone = ""
            self._quiet()
            self._observe()
        return bool(empty)

    def _lost(self, folder: str, why: str) -> None:
        if not self._gone:
            logger.warning(
                "フォルダーを読めません。索引はそのままにして、つながるのを待ちます（本当に空にしたときは hyoka index で"
                "作り直してください）。",
                extra=fields("lost", folder=folder, why=why),
            )
        self._gone = folder or "?"

    def _settled(self, now: Listing) -> Listing | None:
        """The folders once they have come to rest; None where they are lost or it is time to end."""
        last, since, began = now, monotonic(), monotonic()
        while not self._stop.wait(max(self._settle / 4, 2 * self._took)):
            seen = self._see()
            if seen is None:
                return None
            if seen != last:
                last, since = seen, monotonic()
            elif monotonic() - since >= self._settle:
                return last
            if monotonic() - began >= MOST_WAITING:
                logger.warning("書き込みが続いていますが、いったん更新します。", extra=fields("restless"))
                return last
        return None

    def _update(self) -> bool:
        """Makes one update and tells how it went; whether it went well."""
        try:
            self._updates.start()
        except SettingsError as problem:
            logger.warning("%s", problem.message, extra=fields("failed"))
            return False
        while self._updates.state().phase == "running":
            if self._stop.wait(0.1):
                self._updates.cancel()
                return True
        build = self._updates.state()
        outcome = build.outcome
        if build.phase != "done" or outcome is None:
            logger.warning("%s", build.message, extra=fields("failed", seconds=round(build.seconds, 1)))
            return False
        same = outcome.version == self._version
        self._version = outcome.version
        logger.info(
            "索引は前と同じです。" if same else "索引を更新しました。",
            extra=fields(
                "same" if same else "updated",
                index=outcome.version,
                documents=outcome.documents,
                sheets=outcome.sheets,
                failed=len(outcome.refused),
                seconds=round(build.seconds, 1),
            ),
        )
        self._tell_refused(outcome.refused)
        return True

    def _tell_refused(self, refused: Sequence[tuple[str, str]]) -> None:
        """Each file that could not be read, once for each reason; read again when it changes."""
        new = [one for one in refused if one not in self._told]
        self._told = set(refused)
        for file, message in new[:MOST_TOLD]:
            logger.warning("読めませんでした: %s", message, extra=fields("unread", file=file))
        if len(new) > MOST_TOLD:
            logger.warning("ほかにも読めないファイルがあります。", extra=fields("unread", more=len(new) - MOST_TOLD))

    def _observe(self) -> None:
        """Has the system tell of changes, where it can."""
        if self._poll or any(is_far(folder) for folder in self._folders):
            if not self._poll:
                logger.info("ネットワークのフォルダーなので、一定の間隔で調べます。", extra=fields("polling"))
            return
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer

        wake = self._wake

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                # Opening and closing without writing is what an update does itself.
                if event.event_type not in ("opened", "closed_no_write") and not _passing(event):
                    wake.set()

        observer = Observer()
        try:
            for folder in self._folders:
                observer.schedule(Handler(), str(folder), recursive=True)
            observer.start()
        except OSError as error:
            logger.warning(
                "変更の知らせを受けられないため、一定の間隔で調べます（inotify の上限は fs.inotify.max_user_watches）。",
                extra=fields("polling", why=error.strerror or str(error)),
            )
            return
        self._observer = observer

    def _quiet(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join(5)


def _passing(event: Any) -> bool:
    """Whether it is about a file that is never read: ~$集計.xlsx, .tmp of an editor."""
    paths = [path for path in (event.src_path, event.dest_path) if path]
    return not event.is_directory and all(left_out(PurePath(str(path)).name) for path in paths)


@contextmanager
def ended_by_signals(watching: Watching) -> Iterator[None]:
    """Inside, SIGTERM and Ctrl+C end the watching in order."""
    before = {
        number: signal.signal(number, lambda number, frame: watching.stop())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch(folder: Path, sources: Sequence[Path], seconds: float, poll: bool) -> None:
    """Watches the ``sources`` for the index in ``folder``; returns when a signal has ended it.

    Raises SettingsError for a source that is no folder, or that holds the index.
    """
    from assistant.rebuild import Rebuild

    folders = []
    for source in dict.fromkeys(one.resolve() for one in sources):
        if not source.is_dir():
            raise SettingsError(f"フォルダー {source} がありません。つながっているか、パスを確かめてください。")
        index = folder.resolve()
        if index.is_relative_to(source) and not any(map(left_out, index.relative_to(source).parts)):
            raise SettingsError(
                f"索引 {folder} が見張るフォルダー {source} の中にあります。--index-dir で外に置いてください。"
            )
        folders.append(source)
    watching = Watching(folders, Rebuild(folder, lambda: [str(one) for one in folders]), seconds, poll)
    logger.setLevel(logging.INFO)  # what it does is its only word
    logger.info(
        "フォルダーを見張ります。", extra=fields("start", folders="、".join(map(str, folders)), index=str(folder))
    )
    with ended_by_signals(watching):
        watching.run()
    logger.info("停止しました。", extra=fields("stop"))
