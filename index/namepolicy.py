"""Whether the names of staff are shown: one policy for a process, as its settings say. It needs no other index."""

from __future__ import annotations

import os
from typing import Literal

StaffNames = Literal["mask", "admins", "show"]
"""``mask``: nobody sees them; ``admins``: a 管理者 does, on the page of a sheet and in its source; ``show``: everybody."""

# The policy in use. A variable, because the processes that answer get their environment from their parent.
_IN_USE = "_HYOKA_STAFF_NAMES_IN_USE"


def use_staff_names(policy: StaffNames) -> None:
    """From now on indexes are opened so, here and in processes started."""
    os.environ[_IN_USE] = policy


def staff_names() -> StaffNames:
    """The policy in force: names are masked where nobody said otherwise."""
    told = os.environ.get(_IN_USE)
    return "show" if told == "show" else "admins" if told == "admins" else "mask"


def masks_names() -> bool:
    """Whether what an index gives out has ＊ for names: answers, hits and figures are the same for everybody who asks."""
    return staff_names() != "show"
