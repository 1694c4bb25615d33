"""Who is written down and who is logged in: the access file, passwords, sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assistant.access.passwords import hashed, right
from assistant.access.register import OpenRegister, read_register
from assistant.access.registerfile import drop, put
from assistant.access.sessions import Sessions
from assistant.store import FeedbackStore
from corpus.errors import SettingsError
from index.database import SQLiteDatabase
from tests.doors import ADMIN, USER, access_file, behind, log_in, policy_of


@pytest.fixture(scope="module")
def file_and_key(tmp_path_factory):
    return access_file(tmp_path_factory.mktemp("access"))


def test_the_file_holds_no_password_and_no_key_and_is_its_owners(file_and_key):
    file, key = file_and_key
    text = file.read_text()
    assert USER not in text and ADMIN not in text and key not in text and text.count("$argon2id$") == 4
    assert file.stat().st_mode & 0o777 == 0o600


def test_whoever_is_dropped_from_the_file_is_out_at_once(tmp_path):
    file, key = access_file(tmp_path)
    store = FeedbackStore()
    with behind(policy_of(file, store, auth="users"), store) as browser:
        log_in(browser, USER, "田中")
        assert browser.get("/api/v1/me").status_code == 200
        put(file, "users", {"name": "田中"}, {"hash": hashed("新しいことばですよね")})
        assert browser.get("/api/v1/me").status_code == 401  # a new password ends the sessions of the old one
        log_in(browser, "新しいことばですよね", "田中")
        assert browser.get("/api/v1/me").status_code == 200
        assert drop(file, "users", {"name": "田中"}) and browser.get("/api/v1/me").status_code == 401
        assert browser.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        drop(file, "keys", {"name": "連携"})
        assert browser.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_a_file_that_cannot_be_read_lets_nobody_in(tmp_path):
    file, key = access_file(tmp_path)
    register = OpenRegister(file)
    assert register.now().key(key) is not None
    file.write_text("[[users]]\nname = 'x'\nnam = 'x'\n")
    assert register.now().key(key) is None
    with pytest.raises(SettingsError, match="nam という項目はありません"):
        read_register(file)


@pytest.mark.parametrize(
    "text",
    [
        "users = 3", "[[users]]\nname = ''", "[[users]]\nname = 'a'\nrole = 'root'", "[[keys]]\nname = 'a'\ndigest = 'x'",
        "[[users]]\nname = 'a'\n[[users]]\nname = 'a'", "[[users]]\nname = 'a'\nfolders = 'x'", "x", "\udc80",
    ],
)  # fmt: skip
def test_mistakes_in_the_file_are_told_and_nothing_is_lost(tmp_path, text):
    file = tmp_path / "access.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(SettingsError) as told:
        put(file, "users", {"name": "b"}, {})
    assert str(file) in told.value.message and told.value.message.endswith("。") and file.read_bytes() == before


def test_a_change_keeps_comments_and_other_entries(tmp_path):
    file, _ = access_file(tmp_path)
    file.write_text(f"# 2026年4月の異動で見直す\n{file.read_text()}")
    put(file, "users", {"name": "佐藤"}, {"hash": hashed(USER), "municipalities": ["みなと野市"], "folders": None})
    text = file.read_text()
    assert text.startswith("# 2026年4月の異動で見直す\n") and list(file.parent.iterdir()) == [file]
    found = read_register(file)
    assert [one.name for one in found.users] == ["田中", "鈴木", "佐藤"] and len(found.keys) == 1
    assert found.users[2].caller().visibility.municipalities == ("みなと野市",)


def test_a_password_is_hashed_anew_each_time_and_short_ones_are_refused():
    assert hashed(USER) != hashed(USER) and right(hashed(USER), USER) and not right(hashed(USER), ADMIN)
    assert not right("", "nobody has this password") and not right("broken", USER)
    for bad in ("短い", "あ" * 201):
        with pytest.raises(SettingsError, match="10文字以上"):
            hashed(bad)


# ---- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_outlives_a_restart_and_ends_when_its_time_is_up(tmp_path):
    path, now = tmp_path / "store.sqlite", datetime(2026, 4, 1, 8, tzinfo=UTC)
    first = SQLiteDatabase(path)
    token = Sessions(first, 12).begin("田中", "hash", now)
    first.close()
    assert token.encode() not in path.read_bytes()
    again = Sessions(SQLiteDatabase(path), 12)
    found = again.find(token, now + timedelta(hours=12))
    assert found is not None and found.name == "田中"
    assert again.find(token, now + timedelta(hours=12, seconds=1)) is None and again.find("other", now) is None
