"""The calls of one account, counted by all processes together."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import budget
from antiphon.api import LimitHeaders, RateLimit
from antiphon.budget import Budget, file_name
from antiphon.limits import Limiter

URL = "https://api.example.org/people"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "limits" / "account.calls"


def limiter(path, *limits, share=1.0):
    """Return a limiter that does not wait but says that it would have to."""
    return Limiter(limits or (RateLimit(2, 60),), share, paths=[path] if path else [], sleep=_never)


def _never(seconds):
    raise TimeoutError(seconds)


def call(one, answered=True):
    sent = one.acquire(URL)
    if answered:
        one.release(URL, {}, sent)


def in_another_process(code, path):
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60)
    return done.returncode


DIES = """
import os, sys
from pathlib import Path
from antiphon.api import LimitHeaders, RateLimit
from antiphon.limits import Limiter
limiter = Limiter([RateLimit(2, 60)], paths=[Path(sys.argv[1])])
limiter.acquire("https://api.example.org/people")
os._exit(9)
"""


def test_two_limiters_of_one_account_keep_one_limit(path):
    one, other = limiter(path), limiter(path)
    call(one)
    call(other, answered=False)
    for full in (one, other):
        with pytest.raises(TimeoutError):
            call(full)


def test_without_a_file_each_keeps_its_own():
    for one in (limiter(None), limiter(None)):
        call(one)
        call(one)


def test_a_share_is_one_of_what_all_use_together(path):
    whole, half = limiter(path, RateLimit(4, 60)), limiter(path, RateLimit(4, 60), share=0.5)
    call(whole)
    call(half)
    with pytest.raises(TimeoutError):
        call(half)
    call(whole)


def test_what_a_dead_process_had_under_way_counts_as_answered_and_no_more(path):
    assert in_another_process(DIES, path) == 9
    living = limiter(path)
    call(living)
    with pytest.raises(TimeoutError) as waits:
        call(living)
    assert 55 < waits.value.args[0] <= 60  # not the moment in which one waits for an answer


def test_a_process_that_had_the_same_id_before_is_another(path, monkeypatch):
    one = limiter(path)
    call(one, answered=False)
    monkeypatch.setattr(budget, "_token", lambda _: 7)
    again = limiter(path)
    call(again)
    with pytest.raises(TimeoutError) as waits:
        call(again)
    assert waits.value.args[0] > 55


def test_a_process_that_comes_later_finds_the_calls_of_those_before_it(path):
    call(limiter(path))
    assert in_another_process(DIES, path) == 9
    with pytest.raises(TimeoutError):
        call(limiter(path))


def test_a_child_counts_for_itself(path):
    one = limiter(path, RateLimit(4, 60))
    call(one)
    child = multiprocessing.get_context("fork").Process(target=call, args=(one, False))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    call(one)
    call(one)
    with pytest.raises(TimeoutError):
        call(one)


def test_the_calls_of_others_count_for_all(path):
    limit = RateLimit(10, 60, headers=LimitHeaders("X-Limit", "X-Left"))
    one, other = limiter(path, limit), limiter(path, limit)
    one.release(URL, {"X-Limit": "10", "X-Left": "2"}, one.acquire(URL))
    call(other)
    call(other)
    with pytest.raises(TimeoutError):
        call(other)


def test_what_the_server_says_of_the_limit_is_heard_by_all(path):
    limit = RateLimit(100, 60, headers=LimitHeaders("X-Limit"))
    one, other = limiter(path, limit), limiter(path, limit)
    one.release(URL, {"X-Limit": "2"}, one.acquire(URL))
    call(other)
    with pytest.raises(TimeoutError):
        call(other)


@pytest.mark.parametrize("content", [b"", b"\x00" * 10, b"no such thing" * 9000])
def test_a_file_that_holds_something_else_is_begun_anew(path, content):
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    one = limiter(path)
    call(one)
    call(one)
    with pytest.raises(TimeoutError):
        call(limiter(path))


def test_where_the_first_file_cannot_be_the_next_one_is_shared(tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    paths = [tmp_path / "taken" / "account.calls", tmp_path / "state" / "account.calls"]
    one, other = (Limiter([RateLimit(2, 60)], paths=paths, sleep=_never) for _ in range(2))
    call(one)
    call(other, answered=False)
    with pytest.raises(TimeoutError):
        call(one)


def test_where_there_can_be_no_file_the_limit_is_kept_all_the_same(tmp_path, caplog):
    (tmp_path / "taken").write_text("a file where a folder should be")
    caplog.set_level("INFO")
    one = limiter(tmp_path / "taken" / "account.calls")
    call(one)
    call(one)
    with pytest.raises(TimeoutError):
        call(one)
    assert "the rate limit is not shared" in caplog.text


def test_a_full_disk_leaves_each_process_its_own_limit(path, monkeypatch):
    monkeypatch.setattr(budget.os, "pwrite", lambda *_: 0)
    call(limiter(path))
    call(limiter(path))


def test_only_the_user_may_read_it_and_its_name_tells_nothing(path):
    call(limiter(path))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "s3cr3t" not in file_name("crm", "s3cr3t")
    assert file_name("crm", "s3cr3t") == file_name("crm", "s3cr3t") != file_name("crm", "other")


def test_files_that_nobody_has_opened_for_long_go(path):
    call(limiter(path))
    old = path.with_name("old.calls")
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    call(limiter(path.with_name("new.calls")))
    assert sorted(p.name for p in path.parent.iterdir()) == ["account.calls", "new.calls"]


@given(st.lists(st.floats(0, 100), max_size=30), st.floats(-1, 101))
def test_the_calls_since_a_moment_are_counted(times, moment):
    one = Budget([5])
    with one:
        for at in sorted(times):
            one.begin(0, at)
            one.end(0, at)
        one.begin(0, 100)
        assert one.since(0, moment) == sum(at > moment for at in times) + 1


def test_a_call_costs_well_below_a_tenth_of_a_millisecond(path):
    one = limiter(path, RateLimit(1e6, 1), RateLimit(1e5, 1))
    costs = []
    for _ in range(20):
        start = time.process_time()
        for _ in range(50):
            call(one)
        costs.append((time.process_time() - start) / 50)
    assert min(costs) < 0.0001


def test_a_damaged_count_of_a_dead_process_holds_nobody_up(path):
    assert in_another_process(DIES, path) == 9
    cells = memoryview(bytearray(path.read_bytes())).cast("q")
    [under_way] = [cell for cell in range(1, 200) if cells[cell] == 1 and cells[cell - 4] != 0]
    cells[under_way] = 2**62
    path.write_bytes(cells.tobytes())
    started = time.monotonic()
    one = limiter(path)
    assert time.monotonic() - started < 60
    with pytest.raises(TimeoutError):
        call(one)
