import threading
import time
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import ahead as ahead_module
from antiphon.ahead import Ahead, interleaved


def pause(seconds):
    """Wait; ``time.sleep`` does not, in these tests."""
    threading.Event().wait(seconds)


def test_what_is_made_ahead_comes_in_order():
    assert list(Ahead(iter(range(100)))) == list(range(100))


def test_one_is_made_ahead_and_no_more():
    made = []

    def items():
        for number in range(10):
            pause(0.01)
            made.append(number)
            yield number

    ahead = Ahead(items())
    assert next(ahead) == 0
    deadline = time.monotonic() + 60
    while len(made) < 2 and time.monotonic() < deadline:
        pause(0.001)
    pause(0.02)
    assert made == [0, 1]
    ahead.close()


def test_what_is_made_without_waiting_is_made_by_who_takes_it(monkeypatch):
    makers, waited = [], [0.0]
    clock = SimpleNamespace(monotonic=lambda: waited[0], thread_time=lambda: 0.0)  # a busy machine lets wait as well
    monkeypatch.setattr(ahead_module, "time", clock)

    def items():
        for number in range(40):
            if number % 10 > 6:
                waited[0] += 0.01
            makers.append(threading.current_thread() is not threading.main_thread())
            yield number

    ahead = Ahead(items())
    assert list(ahead) == list(range(40))
    # The first is made by a thread, and after one that was waited for so is the next.
    assert makers == [True, *[False] * 7, True, True, *[True, *[False] * 7, True, True] * 3]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 0.006]), max_size=30), st.booleans())
def test_the_order_is_kept_and_the_end_is_the_end_whoever_makes_them(waits, fails):
    def items():
        for number, wait in enumerate(waits):
            if wait:
                pause(wait)
            yield number
        if fails:
            raise KeyError

    ahead = Ahead(items())
    assert [next(ahead) for _ in waits] == list(range(len(waits)))
    for _ in range(2):
        with pytest.raises(KeyError if fails else StopIteration):
            next(ahead)


def test_an_error_is_raised_after_what_came_before_it():
    def items():
        yield 1
        raise KeyError("gone")

    ahead = Ahead(items())
    assert next(ahead) == 1
    for _ in range(2):
        with pytest.raises(KeyError):
            next(ahead)


def test_the_thread_of_one_that_is_closed_ends():
    began = threading.active_count()
    ahead = Ahead(iter(range(10)))
    next(ahead)
    ahead.close()
    deadline = time.monotonic() + 60
    while threading.active_count() > began and time.monotonic() < deadline:
        pause(0.001)
    assert threading.active_count() <= began


def work(name, steps, done, closed):
    try:
        for _ in range(steps):
            done.append(name)
            yield name
    finally:
        closed.append(name)


def test_works_take_turns_and_the_next_begins_when_one_is_done():
    done, closed = [], []
    interleaved(
        (work(name, steps, done, closed) for name, steps in (("a", 3), ("b", 1), ("c", 2))), 2, threading.Event()
    )
    assert "".join(done) == "abaacc"
    assert sorted(closed) == ["a", "b", "c"]


def test_the_others_are_closed_when_one_fails():
    done, closed = [], []

    def failing():
        yield 1
        raise KeyError

    with pytest.raises(KeyError):
        interleaved(iter([work("a", 9, done, closed), failing()]), 2, threading.Event())
    assert closed == ["a"]


def test_who_waits_is_woken():
    arrived = threading.Event()

    def waiting():
        pages = Ahead(iter(_slowly()), arrived)
        while True:
            while not pages.ready:
                yield None
            if next(pages, None) is None:
                return
            yield 1

    began = time.process_time()
    interleaved(iter([waiting()]), 1, arrived)
    assert time.process_time() - began < 0.2


def _slowly():
    for number in range(1, 4):
        pause(0.1)
        yield number
