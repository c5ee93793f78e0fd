"""The token store: written whole or not at all, for nobody else to read, one renewal at a time."""

import signal
import stat
import subprocess
import sys
import time

import pytest

from antiphon.errors import Busy, Storage
from antiphon.tokens import Token, TokenStore

NOW = 1_800_000_000.0
TOKEN = Token("access-1", got_at=NOW, expires_at=NOW + 3600, refresh_token="refresh-1")


@pytest.fixture
def store(tmp_path):
    return TokenStore(tmp_path / "state" / "crm")


def other_process(code, *args):
    """Start a Python that runs *code* and says a line when it is where the test wants it."""
    started = subprocess.Popen([sys.executable, "-c", code, *map(str, args)], stdout=subprocess.PIPE, text=True)
    assert started.stdout.readline().strip() == "ready"
    return started


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_saved_is_loaded(store):
    assert store.load() is None
    with store.locked():
        store.save(TOKEN)
    assert TokenStore(store.path.parent).load() == TOKEN


def test_nobody_else_may_read_it(store):
    with store.locked():
        store.save(TOKEN)
    assert mode(store.path) == 0o600
    assert mode(store.path.parent) == 0o700
    assert {mode(path) for path in store.path.parent.iterdir()} == {0o600}


def test_a_token_is_not_shown_by_accident(store):
    assert "access-1" not in repr(TOKEN)
    assert "refresh-1" not in f"{TOKEN}"


def test_a_file_that_a_killed_process_left_open_to_others_is_not_written_into(store):
    store.path.parent.mkdir(parents=True)
    left = store.path.with_suffix(".new")
    left.write_text("half a tok")
    left.chmod(0o644)
    with store.locked():
        store.save(TOKEN)
    assert mode(store.path) == 0o600
    assert store.load() == TOKEN


@pytest.mark.parametrize("where", ["os.fsync", "pathlib.Path.replace"])
def test_a_crash_while_saving_leaves_the_old_token(store, where):
    with store.locked():
        store.save(TOKEN)
    code = f"""
import os, pathlib, signal, sys
from antiphon.tokens import Token, TokenStore
def crash(*args):
    print("ready", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
{where} = crash
store = TokenStore(pathlib.Path(sys.argv[1]))
with store.locked():
    store.save(Token("access-2", got_at=0, refresh_token="refresh-2"))
"""
    crashed = other_process(code, store.path.parent)
    assert crashed.wait(10) == -signal.SIGKILL
    assert store.load() == TOKEN
    with store.locked():  # nor is the lock held any more
        store.save(Token("access-3", got_at=NOW))
    assert store.load().access_token == "access-3"


def test_the_lock_of_a_killed_process_is_free(store, monkeypatch):
    code = """
import pathlib, sys, time
from antiphon.tokens import TokenStore
with TokenStore(pathlib.Path(sys.argv[1])).locked():
    print("ready", flush=True)
    time.sleep(60)
"""
    holder = other_process(code, store.path.parent)
    try:
        monkeypatch.setattr("antiphon.tokens._PATIENCE", 0.2)
        with pytest.raises(Busy, match="another process has been renewing the token"), store.locked():
            pass
    finally:
        holder.kill()
        holder.wait(10)
    with store.locked():
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", '{"access_token": 5}', '{"got_at": 1}', "\xff"])
def test_a_file_that_holds_no_token_is_told_and_not_shown(store, text):
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Storage, match="holds no token") as raised:
        store.load()
    assert "log in again" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "state").write_text("a file")
    store = TokenStore(tmp_path / "state" / "crm")
    with pytest.raises(Storage, match="cannot be locked: Not a directory"), store.locked():
        pass


def test_a_token_that_cannot_be_written_is_told(store):
    store.path.mkdir(parents=True)
    with pytest.raises(Storage, match="cannot be written"):
        store.save(TOKEN)
    with pytest.raises(Storage, match="cannot be read: Is a directory"):
        store.load()


def test_without_a_folder_it_is_kept_in_memory(tmp_path):
    store = TokenStore(None)
    with store.locked():
        store.save(TOKEN)
    assert store.load() == TOKEN
    assert not list(tmp_path.rglob("token*"))


def test_what_is_removed_is_gone(store):
    assert not store.remove()
    assert not store.path.parent.exists()
    with store.locked():
        store.save(TOKEN)
    assert store.remove()
    assert store.load() is None
    assert not store.remove()


@pytest.mark.parametrize(
    ("life", "age", "ending"),
    [(3600, 3539, False), (3600, 3541, True), (5, 3.9, False), (5, 4.1, True), (0, 10**9, False), (3600, 7200, True)],
)
def test_a_token_ends_a_minute_early_or_a_fifth_of_its_life(monkeypatch, life, age, ending):
    monkeypatch.setattr(time, "time", lambda: NOW + age)
    assert Token("a", got_at=NOW, expires_at=NOW + life if life else 0).ending() is ending
