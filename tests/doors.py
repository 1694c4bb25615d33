"""An application behind a door, for tests: people, programs, and what they may see, in a real access file."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from assistant.access.policy import Policy, open_policy
from assistant.access.registerfile import put, put_key
from assistant.settings import Settings
from assistant.store import FeedbackStore
from tests.fakes import FakeAssistant
from ui.app import create_app

USER, ADMIN = "ひみつのことば一二三", "管理のことば二二二二二"

quickly = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash  # what a hash costs stands in the hash


def access_file(folder: Path, **more: object) -> tuple[Path, str]:
    """A file with both shared passwords, 田中 (利用者), 鈴木 (管理者), a proxy's group, and a key, which is returned."""
    file = folder / "access.toml"
    put(file, "passwords", {"role": "利用者"}, {"hash": quickly(USER)})
    put(file, "passwords", {"role": "管理者"}, {"hash": quickly(ADMIN)})
    put(file, "users", {"name": "田中"}, {"role": "利用者", "hash": quickly(USER), **more})
    put(file, "users", {"name": "鈴木"}, {"role": "管理者", "hash": quickly(ADMIN)})
    put(file, "groups", {"name": "職員"}, {"role": "利用者"})
    return file, put_key(file, "連携", {"scopes": ["ask"]})


def policy_of(file: Path, store: FeedbackStore, **settings: object) -> Policy:
    """The policy of a server with that file."""
    return open_policy(Settings(access_file=file, **settings), store.database)


@contextmanager
def behind(policy: Policy, store: FeedbackStore | None = None, client: tuple[str, int] = ("192.0.2.7", 5000)):
    """A client of the whole application behind a door, from another machine."""
    app = create_app(FakeAssistant(), store or FeedbackStore(), policy=policy)
    with TestClient(app, client=client, follow_redirects=False, base_url="http://hyoka.lan") as browser:
        assert app.state.readiness.wait(120)
        yield browser


def log_in(browser: TestClient, password: str, name: str = "", wanted: str = "/"):
    """Sends the form of the login page as a browser does."""
    return browser.post(
        "/login",
        data={"name": name, "password": password, "next": wanted},
        headers={"Origin": "http://hyoka.lan", "Sec-Fetch-Site": "same-origin"},
    )
