"""Runs of the target that are killed at any moment; and what must be so afterwards. The matrix kills at known ones."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from singer.pipes import Crm, Message, Ran, record, schema, state

RECORDS = 5000
STATE_EVERY = 500
PEOPLE = schema("contacts", "email", "firstname", "city", keys=["email"])
NOTES = schema("notes", "hs_note_body", "hs_timestamp")


def person(n: int) -> Message:
    """Return the n-th contact."""
    return record("contacts", email=f"p{n}@example.com", firstname=f"P{n}", city="New")


def note(n: int) -> Message:
    """Return the n-th note; nothing in it can be looked up."""
    return record("notes", hs_note_body=f"N{n}", hs_timestamp="2026-01-02T03:04:05Z")


def tapped(head: Message, one: Callable[[int], Message], done: int = 0, last: int = RECORDS) -> list[Message]:
    """Return what a tap sends that has been told it is *done* with so many: a STATE after every 500 records."""
    messages = [head]
    for n in range(done, last):
        messages.append(one(n))
        if (n + 1) % STATE_EVERY == 0 or n + 1 == last:
            messages.append(state({"done": n + 1}))
    return messages


def interrupted(crm: Crm, messages: Sequence[Message], number: signal.Signals, calls: int, **settings: Any) -> Ran:
    """Pipe *messages* in, and send the signal once the account has had so many *calls*."""
    process = crm.started(batch_size_rows=500, **settings)
    feeding = threading.Thread(target=process.give, args=messages, kwargs={"close": True}, daemon=True)
    feeding.start()
    crm.app.reset_calls()
    while sum(crm.app.calls.values()) < calls and process.popen.poll() is None:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.02))
    process.popen.send_signal(number)
    ran = process.ended()
    feeding.join(10)
    return ran


def resumed(
    crm: Crm,
    head: Message,
    one: Callable[[int], Message],
    points: Sequence[tuple[signal.Signals, int]],
    **settings: Any,
) -> Ran:
    """Write all the records, interrupted at each of *points* (a signal, and after how many calls); return the last run."""
    done = 0
    for number, calls in points:
        ran = interrupted(crm, tapped(head, one, done), number, calls, **settings)
        assert ran.code in {-number, 128 + number, 0, 1}, ran.err
        assert "Traceback" not in ran.err
        done = ran.states[-1]["done"] if ran.states else done
    process = crm.started(batch_size_rows=500, **settings)
    process.give(*tapped(head, one, done), close=True)
    last = process.ended()
    assert "Traceback" not in last.err
    if done < RECORDS:
        assert last.states[-1] == {"done": RECORDS}
    return last


def an_upsert_is_whole(crm: Crm, points: Sequence[tuple[signal.Signals, int]]) -> None:
    """Upsert 5,000 contacts, half of which are there: afterwards each is there once, and as it was sent."""
    for n in range(0, RECORDS, 2):
        crm.app.add("contacts", {"email": f"p{n}@example.com", "city": "Old"})
    last = resumed(crm, PEOPLE, person, points)
    assert last.code == 0, last.err
    assert crm.emails() == Counter(f"p{n}@example.com" for n in range(RECORDS))
    assert Counter(one["city"] for one in crm.shown("contacts", "city")) == {"New": RECORDS}


def a_creation_is_whole(crm: Crm, points: Sequence[tuple[signal.Signals, int]]) -> None:
    """Create 5,000 contacts with e-mail: afterwards each is there once."""
    last = resumed(crm, PEOPLE, person, points, streams={"contacts": {"mode": "create"}})
    assert last.code == 0, last.err
    assert crm.emails() == Counter(f"p{n}@example.com" for n in range(RECORDS))
    kinds = Counter(receipt["outcome"] for receipt in crm.receipted())
    assert set(kinds) <= {"created", "unchanged"}, kinds


def notes_are_at_most_once(crm: Crm, points: Sequence[tuple[signal.Signals, int]]) -> None:
    """Create 5,000 notes: afterwards none is there twice, and each that is missing is one of those that are unknown."""
    last = resumed(crm, NOTES, note, points, streams={"notes": {"mode": "create"}})
    there = Counter(one["hs_note_body"] for one in crm.shown("notes", "hs_note_body"))
    assert set(there.values()) == {1}
    receipts = crm.receipted()
    unknown = sum(receipt["outcome"] == "unknown" for receipt in receipts)
    ids = [receipt["remote_id"] for receipt in receipts if receipt["outcome"] == "created"]
    assert len(set(ids)) == len(there) - (unknown - (RECORDS - len(there)))
    assert RECORDS - len(there) <= unknown <= 100 * len(points)
    assert last.code == (1 if unknown and "unknown" in last.err else 0), last.err


def random_points(count: int, calls: int, *, numbers: Sequence[signal.Signals]) -> list[tuple[signal.Signals, int]]:
    """Return so many points: signals in turn, each after a random number of calls up to *calls*."""
    return [(numbers[n % len(numbers)], random.randint(1, calls)) for n in range(count)]
