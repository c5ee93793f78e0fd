import contextlib
import itertools
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.api import LimitHeaders, RateLimit
from antiphon.limits import Limiter

SEARCH = "https://api.example.org/people/search"
OTHER = "https://api.example.org/people?limit=5"
HEADERS = LimitHeaders("X-Limit", "X-Left", "X-Interval-Ms")
REAL_SLEEP = time.sleep


class World:
    """A clock that only sleeping moves; answers that are due meanwhile come in."""

    def __init__(self, *limits, share=1.0, paths=(None,)):
        self.now = 1000.0
        self.limiters = [
            Limiter(limits, share, paths=[path] if path else [], clock=lambda: self.now, sleep=self.sleep)
            for path in paths
        ]
        self.limiter = self.limiters[0]
        self.under_way = []
        self.sent = []

    def sleep(self, seconds):
        assert seconds > 0
        until = self.now + seconds + 1e-9
        while self.under_way and min(self.under_way)[0] <= until:
            answered = min(self.under_way)
            self.under_way.remove(answered)
            at, url, headers, sent, who = answered
            self.now = max(self.now, at)
            self.limiters[who].release(url, dict(headers), sent)
        self.now = max(self.now, until)

    def call(self, url=OTHER, latency=0.0, headers=(), who=0):
        """Send a call whose answer comes after *latency*; return when it was sent."""
        sent = self.limiters[who].acquire(url)
        assert sent == self.now
        self.under_way.append((sent + latency, url, tuple(headers), sent, who))
        self.sent.append(sent)
        if not latency:
            self.answered()
        return sent

    def answered(self):
        """Wait for all answers."""
        if self.under_way:
            self.sleep(max(0.0, max(self.under_way)[0] - self.now) + 1e-9)


def most_in_a_window(instants, seconds):
    """Return the largest number of instants that lie within less than *seconds*."""
    instants, most = sorted(instants), 0
    for first, start in enumerate(instants):
        most = max(most, sum(1 for t in instants[first:] if t < start + seconds - 1e-6))
    return most


numbers = st.floats(0.01, 30, allow_nan=False)
calls = st.lists(
    st.tuples(st.floats(0, 3), st.floats(0, 1), st.floats(0, 2), st.integers(1, 5)), min_size=1, max_size=25
)


@given(st.floats(0.3, 8), numbers, st.floats(0.1, 1), calls)
def test_no_window_of_time_at_the_server_holds_more_calls_than_allowed(limit, seconds, share, made):
    world = World(RateLimit(limit, seconds), share=share)
    at_server = []
    for latency, fraction, pause, at_once in made:
        for _ in range(at_once):
            sent = world.call(latency=latency)
            at_server.append(sent + latency * fraction)
        if pause:
            world.sleep(pause)
    allowed = limit * share
    if allowed >= 1:
        assert most_in_a_window(at_server, seconds) <= int(allowed)
    else:
        assert most_in_a_window(at_server, seconds / allowed) <= 1


@given(st.integers(1, 8), numbers, st.integers(1, 40))
def test_no_call_waits_longer_than_it_must(limit, seconds, count):
    world = World(RateLimit(limit, seconds))
    start = world.now
    for _ in range(count):
        world.call()
    assert world.now - start <= (count - 1) // limit * seconds + 1e-3


@given(st.lists(st.sampled_from([SEARCH, OTHER]), min_size=1, max_size=40), st.floats(0, 0.5))
def test_a_call_counts_towards_every_limit_that_applies_to_it(urls, latency):
    world = World(RateLimit(6, 1), RateLimit(2, 1, paths=("/search",)))
    sent = [(world.call(url, latency), url) for url in urls]
    assert most_in_a_window([t for t, _ in sent], 1) <= 6
    assert most_in_a_window([t for t, url in sent if url == SEARCH], 1) <= 2


def test_a_limit_of_some_paths_leaves_the_others_alone():
    world = World(RateLimit(1, 60, paths=("/search", "/export")))
    for _ in range(20):
        world.call(OTHER)
    world.call(SEARCH + "?q=1")
    assert world.now < 1001
    world.call(SEARCH)
    assert world.now > 1059


def test_without_limits_nobody_waits():
    world = World()
    for _ in range(100):
        world.call()
    assert world.now < 1000.001


def test_a_call_under_way_takes_its_place_until_its_answer_and_a_window_longer():
    world = World(RateLimit(1, 10))
    world.call(latency=5)
    assert world.call() >= 1000 + 5 + 10


def test_a_call_that_got_no_answer_counts_too():
    limiter = World(RateLimit(1, 10))
    limiter.limiter.release(OTHER, {}, limiter.limiter.acquire(OTHER))
    assert limiter.call() >= 1010


def test_the_server_may_lower_the_limit():
    world = World(RateLimit(100, 1, headers=HEADERS))
    world.call(headers={"X-Limit": "2"}.items())
    assert most_in_a_window([world.call() for _ in range(10)], 1) <= 2


def test_the_server_may_raise_the_limit():
    world = World(RateLimit(2, 10, headers=HEADERS))
    world.call(headers={"X-Limit": "50", "X-Interval-Ms": "1000"}.items())
    sent = [world.call() for _ in range(40)]
    assert sent[-1] - sent[0] < 1


def test_the_share_is_a_share_of_what_the_server_says_too():
    world = World(RateLimit(2, 1, headers=HEADERS), share=0.5)
    world.call(headers={"X-Limit": "8"}.items())
    assert most_in_a_window([world.call() for _ in range(20)], 1) <= 4


def test_room_is_left_for_the_calls_of_others():
    world = World(RateLimit(10, 10, headers=HEADERS))
    world.call(headers={"X-Limit": "10", "X-Left": "3"}.items())  # six are others'
    assert [world.call() for _ in range(4)][-2:] == pytest.approx([1000, 1010], abs=0.1)


def test_our_own_calls_are_not_taken_for_those_of_others():
    world = World(RateLimit(5, 10, headers=HEADERS))
    sent = [world.call(headers={"X-Limit": "5", "X-Left": str(max(0, 4 - n % 5))}.items()) for n in range(15)]
    assert sent[-1] - sent[0] < 20.1


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 12)), min_size=1, max_size=40), st.integers(1, 6))
def test_others_who_leave_us_one_call_do_not_get_us_refused(turns, calls):
    world, served = World(RateLimit(calls, 10, headers=HEADERS)), []

    def left():
        return calls - sum(at > world.now - 10 for at in served)

    for others, pause in turns:
        served += [world.now] * min(others, left() - 1)
        sent = world.limiter.acquire(OTHER)
        assert left() > 0
        served.append(sent)
        world.limiter.release(OTHER, {"X-Limit": str(calls), "X-Left": str(left())}, sent)
        world.sleep(pause + 1e-6)


@given(
    st.integers(1, 5), st.lists(st.tuples(st.integers(0, 2), st.floats(0, 2), st.floats(0, 1)), min_size=1, max_size=25)
)
def test_limiters_with_one_file_keep_one_limit(limit, made):
    with TemporaryDirectory() as folder:
        world = World(RateLimit(limit, 5), paths=[Path(folder, "account.calls")] * 3)
        at_server = [world.call(latency=latency, who=who) + latency * fraction for who, latency, fraction in made]
    assert most_in_a_window(at_server, 5) <= limit


@pytest.mark.parametrize("value", ["", "lots", "nan", "inf", "-inf", "-5", "0", "1e999", "100, 100;w=60"])
def test_a_header_that_makes_no_sense_changes_nothing(value):
    world = World(RateLimit(3, 1, headers=HEADERS))
    world.call(headers={"X-Limit": value, "X-Left": value, "X-Interval-Ms": value}.items())
    world.call(headers={"X-Limit": "3", "X-Left": value if value != "0" else "", "X-Interval-Ms": value}.items())
    sent = [world.call() for _ in range(12)]
    assert most_in_a_window(sent, 1) <= 3
    assert sent[-1] - sent[0] <= 4.001


@pytest.mark.parametrize("latency", [0.0, 0.2])
def test_what_can_wait_is_spread_while_a_list_goes_a_page_at_a_time_and_uses_the_whole_limit(latency):
    world = World(RateLimit(100, 10))
    with world.limiter.singly(), world.limiter.spread():
        sent = [world.call(latency=latency) for _ in range(500)]
    assert most_in_a_window(sent, 1) == 10
    assert most_in_a_window(sent, 10) >= 97
    assert sent[-1] - sent[0] < 50 + 5 * latency


def test_what_a_limit_of_a_long_time_has_room_for_is_not_spread_over_it():
    world = World(RateLimit(1000, 3600))
    with world.limiter.singly(), world.limiter.spread():
        sent = [world.call() for _ in range(1000)]
    assert sent[-1] - sent[0] < 0.01


class GivenUpError(Exception):
    """Nobody waits any more."""


def test_what_can_wait_lets_a_page_of_such_a_list_go_first():
    world = World(RateLimit(100, 10))
    limiter, naps = world.limiter, []
    with limiter.singly():
        for _ in range(100):
            world.call()

        def sleep(seconds):
            """While the list waits until there is room, what can wait asks at the very moment at which there is."""
            world.sleep(seconds)
            limiter._sleep = refuse
            with limiter.spread(), pytest.raises(GivenUpError):
                limiter.acquire(OTHER)
            limiter._sleep = sleep

        def refuse(seconds):
            naps.append(seconds)
            raise GivenUpError

        limiter._sleep = sleep
        world.call()
        limiter._sleep = world.sleep
        assert naps
        with limiter.spread():
            world.call()
    assert world.sent[-1] - world.sent[-2] < 0.2


def test_a_page_that_is_waited_for_no_more_lets_others_go():
    world = World(RateLimit(100, 10))

    def give_up(_seconds):
        raise GivenUpError

    with world.limiter.singly():
        for _ in range(100):
            world.call()
        world.limiter._sleep = give_up
        with pytest.raises(GivenUpError):
            world.limiter.acquire(OTHER)
        world.limiter._sleep = world.sleep
        world.sleep(10.1)
        with world.limiter.spread():
            before = world.now
            world.call()
    assert world.now - before < 0.001


def test_what_can_wait_waits_for_nobody_where_there_is_no_such_list():
    world = World(RateLimit(100, 10))
    with world.limiter.singly():
        pass
    with world.limiter.spread():
        sent = [world.call() for _ in range(100)]
    assert sent[-1] - sent[0] < 0.01


def test_what_can_wait_waits_for_no_list_that_is_asked_for_nothing():
    world = World(RateLimit(100, 10))
    with world.limiter.singly() as one, world.limiter.spread():
        one.given()
        first = [world.call() for _ in range(11)]
        world.sleep(2)
        sent = [world.call() for _ in range(50)]
        one.asked()
        asked = [world.call() for _ in range(21)]
    assert first[-1] - first[0] >= 1
    assert sent[-1] - sent[0] < 0.1
    assert asked[-1] - asked[0] >= 2


def test_a_list_that_goes_a_page_at_a_time_has_room_while_others_take_all_they_can():
    world = World(RateLimit(100, 10))
    waited = []
    with world.limiter.singly():
        for _ in range(300):
            with world.limiter.spread():
                world.call(latency=0.2)
            before = world.now
            world.call(latency=0.2)
            waited.append(world.now - before)
            world.answered()
    assert max(waited) < 0.3
    assert most_in_a_window(world.sent, 10) <= 100


def test_the_end_of_such_a_list_is_seen_by_what_waits():
    world = World(RateLimit(100, 10))
    with contextlib.ExitStack() as reading, world.limiter.spread():
        reading.enter_context(world.limiter.singly())

        def sleep(seconds):
            reading.close()
            world.sleep(seconds)

        world.limiter._sleep = sleep
        sent = [world.call() for _ in range(50)]
    assert sent[-1] - sent[0] < 0.2


@pytest.mark.parametrize("calls", [1, 2, 9, 10, 19, 49, 51])
def test_spread_calls_go_under_any_limit(calls):
    world = World(RateLimit(calls, 1))
    with world.limiter.singly(), world.limiter.spread():
        sent = [world.call() for _ in range(3 * calls + 1)]
    assert most_in_a_window(sent, 1) <= calls
    assert sent[-1] - sent[0] < 4


@settings(max_examples=5)
@given(st.integers(2, 6))
def test_threads_together_keep_the_limit(workers):
    limiter = Limiter([RateLimit(10, 0.05)], sleep=REAL_SLEEP)
    instants, counted = [], Counter()

    def work(worker):
        for _ in range(10):
            sent = limiter.acquire(OTHER)
            instants.append(time.monotonic())
            limiter.release(OTHER, {}, sent)
            counted[worker] += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(instants) == workers * 10
    assert len(counted) == workers
    assert most_in_a_window(instants, 0.05) <= 10
    assert all(later >= earlier for earlier, later in itertools.pairwise(sorted(instants)))
