"""STATE comes out once everything before it is accounted for, and not a record earlier."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import schema as fields
from antiphon.api import Api, Resource
from antiphon.errors import Unavailable
from antiphon.outcome import Kind, Outcome, rejected
from antiphon.singer.target import Target
from target_hubspot import TargetHubSpot

from .pipes import Gate, encoded, record, schema, state, until
from .pipes import crm as an_account


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path) as made:
        yield made


PEOPLE = schema("contacts", "email", "firstname", "city")


def person(n, **more):
    return record("contacts", email=f"p{n}@example.com", **more)


def test_the_last_state_comes_out_at_the_end(crm):
    ran = crm.pipe(PEOPLE, person(1), state({"a": 1}), person(2), state({"a": 2}))
    assert (ran.code, ran.states) == (0, [{"a": 2}])
    assert len(crm.shown()) == 2


def test_a_state_before_any_schema_is_passed_on(crm):
    assert crm.pipe(state({"bookmarks": {}}), PEOPLE, person(1), state({"a": 1})).states == [
        {"bookmarks": {}},
        {"a": 1},
    ]


def test_records_after_the_last_state_are_not_covered_by_one(crm):
    ran = crm.pipe(PEOPLE, person(1), state({"a": 1}), person(2), batch_size_rows=1)
    assert ran.states == [{"a": 1}]
    assert len(crm.shown()) == 2


def test_a_state_leaves_as_it_came(crm):
    line = b'{"type":"STATE","value":{"n":1.50,"big":123456789012345678901234567890,"t":"\\u00e9","x":null,"e":1e-7,"l":[1,true]}}'
    ran = crm.pipe(line)
    assert json.loads(ran.out) == json.loads(line)["value"]
    assert "1.50" in ran.out


def test_a_state_comes_out_before_the_end_of_the_input_as_soon_as_a_batch_is_durable(crm):
    process = crm.started(batch_size_rows=2)
    process.give(PEOPLE, person(1), state({"a": 1}), person(2))
    until(lambda: process.states == [{"a": 1}])
    process.give(state({"a": 2}))
    until(lambda: process.states == [{"a": 1}, {"a": 2}])
    process.give(person(3), state({"a": 3}))
    time.sleep(0.3)
    assert process.states == [{"a": 1}, {"a": 2}]
    assert process.ended().states == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_what_is_held_is_written_when_it_is_old_though_the_pipe_stays_open(crm, monkeypatch):
    monkeypatch.setattr(TargetHubSpot, "_MAX_RECORD_AGE_IN_MINUTES", 0.5 / 60)
    there, into = os.pipe()
    written = []

    def feed():
        with os.fdopen(into, "wb", buffering=0) as pipe:
            for n in (1, 2):
                pipe.write(encoded([PEOPLE, person(n)]))
                end = time.monotonic() + 20
                while len(crm.emails()) < n and time.monotonic() < end:
                    time.sleep(0.01)
                written.append(len(crm.emails()))

    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(there, "rb") as source:
        assert crm.pipe(source=source).code == 0
    feeder.join()
    assert written == [1, 2]


def test_a_state_waits_for_every_stream_that_came_before_it(crm):
    process = crm.started(batch_size_rows=2)
    process.give(
        PEOPLE,
        schema("companies", "domain"),
        record("companies", domain="a.example"),
        person(1),
        person(2),  # a full batch of contacts; the company is held
        state({"a": 1}),
        person(3),
    )
    until(lambda: len(crm.shown("contacts")) == 2)
    time.sleep(0.3)
    assert process.states == []
    process.give(record("companies", domain="b.example"))  # and now a full batch of companies
    until(lambda: process.states == [{"a": 1}])
    assert process.ended().states == [{"a": 1}]
    assert [len(crm.shown(name)) for name in ("contacts", "companies")] == [3, 2]


def test_a_thousand_states_for_one_batch_leave_the_last_one(crm):
    messages = [message for n in range(1000) for message in (person(n % 7), state({"n": n}))]
    assert crm.pipe(PEOPLE, *messages, batch_size_rows=2000).states == [{"n": 999}]


@pytest.mark.parametrize("count", [255, 256, 257, 258, 513])
def test_the_newest_of_many_pending_states_is_never_dropped(crm, count):
    messages = [message for n in range(count) for message in (person(n), state({"n": n}))]
    assert crm.pipe(PEOPLE, *messages).states == [{"n": count - 1}]


def test_a_state_is_not_moved_by_what_could_not_be_sent(crm):
    crm.app.fail_next(20, "429", "batch/create")
    with pytest.raises(Unavailable, match="hubspot: creating contacts -> 429"):
        crm.pipe(PEOPLE, person(1), state({"a": 1}))
    crm.app.fail_next(20, "429", "batch/create")
    process = crm.started(hasty=True)
    process.give(PEOPLE, person(1), state({"a": 1}), close=True)
    ran = process.ended()
    assert (ran.code, ran.states) == (1, [])


def test_rejected_records_are_accounted_for_and_on_the_disk_before_the_state(crm):
    ran = crm.pipe(PEOPLE, record("contacts", email="bad"), state({"a": 1}))
    assert (ran.code, ran.states) == (1, [{"a": 1}])
    assert len(crm.kept()) == 2


def test_a_schema_that_changes_midway_has_the_records_before_it_written_first(crm):
    wider = schema("contacts", "email", "firstname", "city", "zip")
    ran = crm.pipe(
        PEOPLE,
        person(1, city="Ulm"),
        record("contacts", email="bad"),
        state({"a": 1}),
        wider,
        person(1, city="Bonn", zip="53111"),
        record("contacts", email="worse", zip="1"),
        state({"a": 2}),
    )
    assert ran.states == [{"a": 1}, {"a": 2}]
    assert crm.shown("contacts", "city", "zip") == [{"city": "Bonn", "zip": "53111"}]
    kept = crm.kept()
    assert [m["type"] for m in kept] == ["SCHEMA", "RECORD", "SCHEMA", "RECORD"]
    assert [sorted(m["schema"]["properties"]) for m in kept if m["type"] == "SCHEMA"] == [
        ["city", "email", "firstname"],
        ["city", "email", "firstname", "zip"],
    ]


def test_a_schema_that_is_only_said_again_splits_no_batch(crm):
    marked = schema("contacts", "email", "_sdc_deleted_at", "_sdc_batched_at", keys=["email"])
    crm.pipe(
        marked,
        person(1),
        marked,
        person(2),
        schema("contacts", "email", "_sdc_deleted_at", "_sdc_batched_at", keys=["email"]),
        person(3),
    )
    assert crm.app.count("batch/create") == 1


def test_what_was_created_is_known_after_a_schema_has_changed(tmp_path):
    with an_account(tmp_path, index_lag=600) as crm:
        crm.pipe(
            schema("companies", "domain"),
            record("companies", domain="a.example"),
            schema("companies", "domain", "city"),
            record("companies", domain="a.example", city="Ulm"),
        )
        assert crm.shown("companies", "city") == [{"city": "Ulm"}]


def test_of_two_streams_to_one_resource_nothing_is_created_twice(tmp_path):
    with an_account(tmp_path, index_lag=600) as crm:
        plans = {name: {"resource": "companies"} for name in ("buyers", "sellers")}
        ran = crm.pipe(
            schema("buyers", "domain"),
            schema("sellers", "domain"),
            record("buyers", domain="a.example"),
            record("sellers", domain="a.example"),
            state({"a": 1}),
            streams=plans,
        )
        assert (ran.code, ran.states) == (0, [{"a": 1}])
        assert len(crm.shown("companies")) == 1


def test_what_came_before_a_broken_line_is_written_and_covered(tmp_path):
    with an_account(tmp_path, latency_ms=50) as crm:
        people = [person(n) for n in range(6)]
        ran = crm.command(
            PEOPLE, *people[:2], state({"a": 2}), *people[2:], state({"a": 6}), b"no message", batch_size_rows=2
        )
        assert (ran.code, ran.states[-1]) == (1, {"a": 6})
        assert "line 10 is no JSON object" in ran.last
        assert len(crm.emails()) == 6


def test_several_batches_are_under_way_and_no_state_is_ahead_of_them(tmp_path):
    with an_account(tmp_path, latency_ms=20) as crm:
        gate = Gate(crm, "batch/create")
        process = crm.started(batch_size_rows=100)
        people = [message for n in range(2000) for message in (person(n), *([state({"n": n + 1})] * (n % 50 == 49)))]
        feeding = threading.Thread(target=process.give, args=(PEOPLE, *people), kwargs={"close": True})
        feeding.start()
        until(lambda: len(crm.emails()) > 100)  # more than one batch is written ahead of the STATE
        gate.open()
        while process.popen.poll() is None:
            covered = process.states[-1]["n"] if process.states else 0
            there = crm.emails().keys()
            assert {f"p{n}@example.com" for n in range(covered)} <= there
        feeding.join()
        assert process.ended().states[-1] == {"n": 2000}


# Any interleaving of records of three streams and states


LOG: list[tuple[str, object]] = []


def take(client, resource, changes):
    """Write nothing but a log, and refuse every fifth."""
    for change in changes:
        LOG.append((resource.name, change.record["n"]))
        bad = change.record["n"] % 5 == 4
        yield rejected(change, "every fifth") if bad else Outcome(change, Kind.CREATED, "1")


SHELF = Api(
    "shelf",
    "Shelf",
    "https://shelf.example",
    resources=tuple(
        Resource(name, fields.record({"id": "string!", "n": "integer"}, readonly=["id"]), create=take) for name in "abc"
    ),
)


class TargetShelf(Target):
    """Takes everything."""

    api = SHELF


STEPS = st.lists(st.one_of(st.sampled_from("abc"), st.just("state"), st.just("schema")), max_size=60)


@settings(max_examples=60)
@given(steps=STEPS, rows=st.integers(1, 7))
def test_no_state_covers_a_record_that_is_not_accounted_for_and_the_last_one_comes_out(tmp_path_factory, steps, rows):
    folder = tmp_path_factory.mktemp("shelf")
    sent: Counter[str] = Counter()
    messages, covered = [schema(name, n={"type": "integer"}) for name in "abc"], {}
    width = 0
    for step in steps:
        if step == "state":
            number = len(covered)
            covered[number] = dict(sent)
            messages.append(state({"number": number}))
        elif step == "schema":
            width += 1
            messages.append(schema("a", n={"type": "integer"}, **{f"more_{width}": {}}))
        else:
            messages.append(record(step, n=sent[step]))
            sent[step] += 1
    LOG.clear()
    seen: list[dict[str, int]] = []

    class Watched(io.StringIO):
        """Notes what had been written when a state came out."""

        def write(self, text):
            if text.strip():
                done = Counter(name for name, _ in LOG)
                needed = covered[json.loads(text)["number"]]
                assert all(done[name] >= n for name, n in needed.items()), (text, done, needed)
                seen.append(json.loads(text))
            return super().write(text)

    config = {"state_dir": str(folder), "batch_size_rows": rows, "max_rejects": "100%"}
    with redirect_stdout(Watched()), redirect_stderr(io.StringIO()):
        target = TargetShelf(config=config)
        target.listen(io.BytesIO(encoded(messages)))
    numbers = [value["number"] for value in seen]
    assert numbers == sorted(set(numbers))
    assert numbers[-1:] == ([len(covered) - 1] if covered else [])
    assert Counter(name for name, _ in LOG) == sent
    for name in "abc":
        assert [n for stream, n in LOG if stream == name] == list(range(sent[name]))
    kept = [line for path in folder.glob("rejects/*") for line in path.read_text().splitlines() if '"RECORD"' in line]
    assert len(kept) == sum(n % 5 == 4 for count in sent.values() for n in range(count))
