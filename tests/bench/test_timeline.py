"""Where the time of a run went, from the moments at which its calls were answered."""

import pytest
from timeline import Timeline


def test_what_the_start_calls_that_are_alone_and_the_end_take_is_told():
    told = Timeline(10.0, [3.0, 5.0, 5.5, 9.0], latency=1.0).told()
    assert told.startswith(
        "2.0 s until the first call was sent, 0.5 with several calls under way, 3.0 with one, 3.5 with none, 1.0 after the last answer."
    )


def test_time_in_which_the_limit_is_full_is_no_fault_of_ours():
    spans = list(Timeline(14.0, [1.0, 1.0, 12.0], latency=1.0).spans((2, 10)))
    assert [(long, under_way) for long, under_way, full in spans if full] == [(1.0, 2), (10.0, 0)]
    told = Timeline(14.0, [1.0, 1.0, 12.0], latency=1.0).told("2/10")
    assert told.startswith(
        "0.0 s until the first call was sent, 11.0 in which the limit was full, 0.0 with several calls under way, 1.0 with one, 0.0 with none, 2.0"
    )


def test_calls_under_way_are_told_over_time():
    tenths = Timeline(10.0, [1.0, 1.0, 2.5], latency=1.0).tenths()
    assert tenths == pytest.approx([2.0, 0.5, 0.5, *[0.0] * 7])


def test_a_run_without_calls_has_nothing_to_tell():
    assert Timeline(1.0, [], latency=0.05).told() == "It made no call."
