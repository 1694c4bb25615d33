"""An assistant as each caller may see it: one for everything, and one of its own for each visibility that asks.

Catalogues, statements, word counts and kept answers all belong to one of them, so nothing that was made from a sheet reaches
somebody who may not see it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from assistant.access.caller import caller
from assistant.readiness import NO_FILTERS, Asker, warm
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from corpus.errors import SettingsError
from index.types import Filters, Index
from index.visibility import EVERYTHING, Visibility

MOST_VIEWS = 16
_CANNOT = "この索引では、見せる自治体やフォルダーを人ごとに変えられません。管理者に、利用者の設定を確かめるよう伝えてください。"


class Views:
    """Answers like ``whole``, from what the caller of the moment may see (:mod:`assistant.access.caller`).

    The views of the last ``most`` visibilities are kept, each made when it is first asked for.
    """

    def __init__(self, whole: Asker, most: int = MOST_VIEWS) -> None:
        self.whole, self._most = whole, most
        self._views: OrderedDict[Visibility, _View] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, visibility: Visibility) -> Asker:
        """The assistant of those who may see this much."""
        if visibility == EVERYTHING:
            return self.whole
        given_up: list[_View] = []
        with self._lock:
            view = self._views.setdefault(visibility, _View(self.whole, visibility))
            self._views.move_to_end(visibility)
            while len(self._views) > self._most:
                given_up.append(self._views.popitem(last=False)[1])
        for one in given_up:
            one.close()  # whoever still asks it can: the files are open as long as those of the whole
        return view.asker()

    @property
    def index(self) -> Index:
        """What the caller may see of the index."""
        return self.of(caller().visibility).index

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        """An answer from what the caller may see."""
        return self.of(caller().visibility).ask(question, history, filters, choices)

    def warm(self) -> None:
        """Warms the assistant of everything."""
        warm(self.whole)

    def forget(self) -> None:
        """Empties the caches of answers of the whole and of every view."""
        with self._lock:
            views = list(self._views.values())
        for asker in (self.whole, *(view.asker() for view in views)):
            forget = getattr(asker, "forget", None)
            if forget is not None:
                forget()

    def close(self) -> None:
        """Closes the views and the whole, whatever of it can be closed."""
        with self._lock:
            views, self._views = list(self._views.values()), OrderedDict()
        for view in views:
            view.close()
        _close(self.whole)


class _View:
    """The assistant of one visibility, made when it is first asked for."""

    def __init__(self, whole: Asker, visibility: Visibility) -> None:
        self._whole, self._visibility = whole, visibility
        self._lock = threading.Lock()
        self._made: Asker | None = None
        self._closed = False

    def asker(self) -> Asker:
        with self._lock:
            if self._made is None:
                self._made = restricted(self._whole, self._visibility)
                if self._closed:
                    _close(self._made)
            return self._made

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._made is not None:
                _close(self._made)


def restricted(whole: Asker, visibility: Visibility) -> Asker:
    """An assistant that answers from some of the sheets of another; SettingsError where its index cannot be restricted."""
    seen_by: Callable[[Visibility], Asker] | None = getattr(whole, "seen_by", None)
    if seen_by is None:
        raise SettingsError(_CANNOT)
    return seen_by(visibility)


def view_of(index: Index, visibility: Visibility) -> Index:
    """The index as somebody may see it; SettingsError where it cannot be restricted."""
    seen_by: Callable[[Visibility], Index] | None = getattr(index, "seen_by", None)
    if seen_by is None:
        raise SettingsError(_CANNOT)
    return seen_by(visibility)


def _close(asker: Asker) -> None:
    close: Callable[[], None] | None = getattr(asker.index, "close", None)
    if close is not None:
        close()
