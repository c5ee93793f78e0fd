"""SIGTERM, SIGINT and SIGHUP: the batch in hand is finished and its STATE written; then the run ends."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from antiphon.sandbox.exchange import json_response

from .pipes import Gate, record, schema, state, until
from .pipes import crm as an_account

PEOPLE = schema("contacts", "email")
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}


def person(n):
    return record("contacts", email=f"p{n}@example.com")


@pytest.mark.parametrize("number", CODES)
def test_a_signal_in_a_batch_lets_it_be_finished_and_the_next_run_goes_on(tmp_path, number):
    with an_account(tmp_path) as crm:
        gate = Gate(crm, "batch/read")
        process = crm.started(batch_size_rows=300)
        messages = [message for n in range(1, 501) for message in (person(n), state({"n": n}))]
        process.give(PEOPLE, *messages)
        until(gate.reached.is_set)  # nothing is written yet
        process.popen.send_signal(number)
        until(lambda: process.err)
        gate.open()
        ran = process.ended()
        [covered] = [value["n"] for value in ran.states]
        assert ran.code == CODES[number]
        assert 290 <= covered <= 300  # of 500 STATEs that wait, not all are kept
        assert ran.err.splitlines() == [
            f"target-hubspot: {number.name}: finishing what is under way",
            f"target-hubspot: ended by {number.name}; run again with the last state to go on",
        ]
        assert len(crm.emails()) == 300
        crm.app.reset_calls()
        rest = [message for n in range(covered + 1, 501) for message in (person(n), state({"n": n}))]
        again = crm.command(PEOPLE, *rest)
        assert (again.code, again.states[-1]) == (0, {"n": 500})
        assert set(crm.emails().values()) == {1}
        assert len(crm.emails()) == 500
        assert crm.app.count("batch/read") == 2  # nothing was left open, and those up to the 300th are recognised


@pytest.mark.parametrize("number", CODES)
def test_a_signal_while_waiting_for_input_ends_at_once_and_what_is_held_is_not_covered(tmp_path, number):
    with an_account(tmp_path) as crm:
        process = crm.started(batch_size_rows=2)
        process.give(PEOPLE, person(1), person(2), state({"n": 2}), person(3), state({"n": 3}))
        until(lambda: process.out)
        process.popen.send_signal(number)
        code = process.popen.wait(60)  # its input is still open
        ran = process.ended()
        assert (code, ran.states) == (CODES[number], [{"n": 2}])
        assert len(crm.emails()) == 2


def test_a_second_signal_does_not_wait_and_what_was_under_way_is_found_out_by_the_next_run(tmp_path):
    with an_account(tmp_path) as crm:
        gate = Gate(crm, "batch/read")
        process = crm.started()
        process.give(PEOPLE, *map(person, range(300)), state({"n": 1}), close=True)
        until(gate.reached.is_set)
        process.popen.send_signal(signal.SIGTERM)
        until(lambda: process.err)
        process.popen.send_signal(signal.SIGTERM)
        ran = process.ended()
        assert (ran.code, ran.states) == (143, [])
        gate.open()
        assert crm.command(PEOPLE, *map(person, range(300)), state({"n": 1})).states == [{"n": 1}]
        assert set(crm.emails().values()) == {1}
        assert len(crm.emails()) == 300


def test_an_error_ends_a_run_that_was_to_be_ended_with_its_own_line(tmp_path):
    with an_account(tmp_path) as crm:
        gate = Gate(crm, "batch/read")
        process = crm.started()
        process.give(PEOPLE, *map(person, range(300)), state({"n": 1}), close=True)
        until(gate.reached.is_set)
        crm.app.expire_token()
        process.popen.send_signal(signal.SIGTERM)
        until(lambda: process.err)
        gate.open()
        ran = process.ended()
        assert (ran.code, ran.states) == (1, [])
        assert ran.last.startswith("hubspot: ")
        assert "401" in ran.last


class Busy:
    """Lets an account ask for a minute's wait, each time that there is a request under an address that has *part* in it, until it has time."""

    def __init__(self, crm, part, status):
        self.asked, self.count, handle = threading.Event(), 0, crm.app.handle

        def busy(request):
            if part not in request.target:
                return handle(request)
            self.count += 1
            self.asked.set()
            return json_response(status, {"message": "busy"}, {"Retry-After": "60"})

        self._app, self._handle = crm.app, handle
        crm.app.handle = busy

    def over(self):
        self._app.handle = self._handle


@pytest.mark.parametrize("parallel", [1, 8])
@pytest.mark.parametrize(("part", "status"), [("batch/read", 503), ("batch/create", 429), ("batch/create", 503)])
def test_a_signal_ends_a_wait_to_try_again_at_once_and_the_next_run_writes_what_is_open(
    tmp_path, part, status, parallel
):
    with an_account(tmp_path) as crm:
        process = crm.started(batch_size_rows=100, parallel=parallel)
        process.give(PEOPLE, *map(person, range(100)), state({"n": 1}))
        until(lambda: process.out)
        busy = Busy(crm, part, status)
        process.give(*map(person, range(100, 300)), state({"n": 2}))
        until(busy.asked.is_set)
        time.sleep(0.5)  # whatever else was on its way has come
        count, began = busy.count, time.monotonic()
        process.popen.send_signal(signal.SIGTERM)
        ran = process.ended()
        assert time.monotonic() - began < 5
        assert (ran.code, ran.states, busy.count) == (143, [{"n": 1}], count)
        assert ran.err.splitlines()[-2:] == [
            "target-hubspot: SIGTERM: finishing what is under way",
            "target-hubspot: ended by SIGTERM; run again with the last state to go on",
        ]
        busy.over()
        assert crm.command(PEOPLE, *map(person, range(300)), state({"n": 2})).states == [{"n": 2}]
        assert set(crm.emails().values()) == {1}
        assert len(crm.emails()) == 300
