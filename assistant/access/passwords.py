"""Passwords: hashed with Argon2id, and tried a few at a time."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from corpus.errors import SettingsError

SHORTEST, LONGEST = 10, 200
# Each trial takes 64 MiB: without a limit a crowd at the door would fill the memory.
_AT_ONCE = threading.BoundedSemaphore(2)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # RFC 9106's second recommendation: 64 MiB, three passes


def hashed(password: str) -> str:
    """What the access file keeps of a password; SettingsError for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise SettingsError(f"パスワードは{SHORTEST}文字以上{LONGEST}文字以内にしてください。")
    return _hasher().hash(password)


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody has this password")


def right(hash_: str, password: str) -> bool:
    """Whether a password is the one of a hash. An empty hash is nobody's, and takes as long to find out."""
    with _AT_ONCE:
        try:
            found = _hasher().verify(hash_ or _nobodys(), password[: LONGEST + 1])
        except (Argon2Error, InvalidHashError):
            return False
    return bool(hash_) and found
