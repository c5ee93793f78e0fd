"""What is remembered is bounded in number and in time."""

import pytest

from antiphon.kept import Kept


@pytest.fixture
def clock():
    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    return Clock()


def test_what_was_put_is_there_for_its_time_and_no_longer(clock):
    kept = Kept(10, 60, clock)
    kept.put("a", 1)
    clock.now += 60
    assert kept.get("a") == 1
    clock.now += 0.1
    assert kept.get("a") is None
    kept.put("a", 2)
    assert kept.get("a") == 2
    kept.drop("a")
    kept.drop("b")
    assert kept.get("a") is None


def test_no_more_are_kept_than_said_and_the_oldest_go(clock):
    kept = Kept(3, 60, clock)
    for key in ("a", "b", "c", "a", "d"):  # a is young again
        kept.put(key, key)
    assert [key for key in "abcd" if kept.get(key)] == ["a", "c", "d"]
    assert len(kept) == 3
