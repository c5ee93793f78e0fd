"""Runs one after the other, whose records are looked for by several fields: what a ledger says of one is so, and each leaves what it says.

A deletion that was done before is no other's: it takes only what it finds by the first of its values, or by one that the stream has
written a record by.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.api import Api
from antiphon.client import Client
from antiphon.outcome import Kind, Outcome
from antiphon.writeback.flights import Flights
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.mirror import take_away
from antiphon.writeback.underway import UnderWay
from antiphon.writeback.writer import Allowance, Writer

from . import test_one_after_the_other as one_run
from .test_one_after_the_other import ANIMALS, GONE, IDS, MATCHED, ORDERS, REST, ZOO, Zoo

MEMORY = Path("/dev/shm")
"""A folder that is in memory: nobody waits for a disk."""
CHIPPED = ("chip", "name")
THERE = st.lists(st.fixed_dictionaries({}, optional=MATCHED | REST), max_size=3)
WRITTEN = st.fixed_dictionaries(MATCHED, optional=REST | {"id": IDS})
DELETED = st.fixed_dictionaries(MATCHED, optional={"id": IDS}).map(lambda one: one | GONE)


def runs_of(records: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    """Return several runs in which the same few *records* come, in any order."""
    few = st.lists(records, min_size=1, max_size=6)
    return few.flatmap(lambda some: st.lists(st.lists(st.sampled_from(some), max_size=5), min_size=1, max_size=5))


class Model:
    """What is there where each record is written by itself, and is held against what was said of it."""

    def __init__(self, there: list[dict[str, Any]], match: list[str]) -> None:
        self.animals = {str(n): {"id": str(n), **one} for n, one in enumerate(there, 1)}
        self.match = match
        self.known: dict[tuple[str, str], str] = {}
        """Ids by the first value of what was written."""
        self.deleted: list[tuple[tuple[str, str], dict[str, Any]]] = []
        """What has taken one away: the first value, and the rest."""
        self._fresh = (f"made {n}" for n in itertools.count())

    def hits(self, values: dict[str, str]) -> tuple[str, list[str]]:
        """Return which of *values* decides, and the ids of what it finds."""
        by = ""
        for by, value in values.items():
            found = [id for id, one in self.animals.items() if str(one.get(by) or "").lower() == value]
            if found:
                return by, found
        return by, []

    def write_all(self, records: list[dict[str, Any]], outcomes: list[Outcome]) -> None:
        """Write a batch. What was done as a whole with a record that the ledger tells of is to that one."""
        whole: dict[int, str] = {}
        keys = [{(name, one[name].lower()) for name in self.match if one.get(name)} for one in records]
        for n, outcome in reversed(list(enumerate(outcomes))):
            later = {id for m, id in whole.items() if keys[n] & keys[m] or id == outcome.id}
            if outcome.kind is Kind.UNCHANGED and outcome.record is None:
                whole[n] = str(outcome.id)
            elif outcome.kind is Kind.SUPERSEDED and later:
                [whole[n]] = later
        for n, (record, outcome) in enumerate(zip(records, outcomes, strict=True)):
            if outcome.kind is not Kind.SUPERSEDED or n not in whole:
                self.write(record, outcome)
            elif "_sdc_deleted_at" not in record:
                self.animals.setdefault(whole[n], {}).update({k: v for k, v in record.items() if k != "id"})

    def write(self, record: dict[str, Any], outcome: Outcome) -> None:
        """Write *record*, of which that *outcome* was told."""
        values = {name: record[name].lower() for name in self.match if record.get(name)}
        fields = {name: value for name, value in record.items() if name not in {"id", *GONE}}
        first, kind = next(iter(values.items()), ("", "")), outcome.kind
        by, hits = self.hits(values)
        said = f"{record}: {outcome.kind} {outcome.id}, and by {by} there is {hits}"
        goes = "_sdc_deleted_at" in record
        again = goes and kind is Kind.SKIPPED and (first, fields) in self.deleted
        if kind is Kind.UNCHANGED:
            assert not goes, said
            if hits and hits[0].startswith("made"):
                self.animals[str(outcome.id)] = self.animals.pop(hits[0])
            assert outcome.id in self.animals or not hits, said  # it was deleted and made anew, and so it is there
            self._put(str(outcome.id), first, fields)
        elif not values or len(hits) > 1 or not (goes or fields):
            assert again or kind in {Kind.REJECTED, Kind.SUPERSEDED}, said
        elif not hits and list(values) == ["id"]:  # nobody looks whether it is there
            assert goes or kind in {Kind.REJECTED, Kind.SUPERSEDED}, said
        elif goes and kind is Kind.SKIPPED and hits and not hits[0].startswith("made"):
            assert again, said
            assert by == "id" or by != first[0], said
            assert self.known.get((by, values[by])) not in self.animals, said
        elif goes:
            assert kind in {Kind.DELETED, Kind.SKIPPED, Kind.SUPERSEDED}, said
            if hits:
                self.deleted.append((first, fields))
                del self.animals[outcome.id if outcome.id in self.animals else hits[0]]
        elif hits:
            assert kind in {Kind.CREATED, Kind.UPDATED, Kind.SUPERSEDED}, said
            id = hits[0]
            if outcome.id and id.startswith("made"):
                id, self.animals[outcome.id] = outcome.id, self.animals.pop(id)
            self._put(id, first, {name: value for name, value in fields.items() if name != by})
        else:
            assert kind in {Kind.CREATED, Kind.SUPERSEDED}, said
            new = outcome.id and outcome.id not in self.animals
            self._put(str(outcome.id) if new else next(self._fresh), first, fields)

    def _put(self, id: str, first: tuple[str, str], fields: dict[str, Any]) -> None:
        self.animals.setdefault(id, {}).update(fields)
        self.known[first] = id


def look(animals: Iterable[dict[str, Any]]) -> list[str]:
    """Return what *animals* are like, without their ids, and in any case."""
    plain = ({k: v for k, v in one.items() if k != "id" and v not in ("", None)} for one in animals)
    return sorted(json.dumps(one, sort_keys=True).lower() for one in plain)


def run(
    zoo: Zoo, records: list[dict[str, Any]], size: int, version: int, folder: str, parallel: int, **how: Any
) -> tuple[list[Outcome], list[str]]:
    """Write *records* as one run does, so many in a batch; return what becomes of them, and the ids of what a mirror takes away."""
    client = Client(Api("zoo", "Zoo", ZOO, resources=(ANIMALS,)), {}, session=zoo)
    flights = Flights(parallel)
    under_way = UnderWay(flights)
    outcomes: list[Outcome] = []
    mirror = how["mode"] == "mirror"
    with Ledger(Path(folder), "zoo") as ledger:
        writer = Writer(
            client, ANIMALS, ledger=ledger, allowance=Allowance(100), flights=flights, deletes="delete", **how
        )
        for start in range(0, len(records), size):
            some = records[start : start + size]
            batch = writer.batch(some, range(start + 1, start + len(some) + 1), version if mirror else None)
            under_way.begin(batch, writer.steps, outcomes.extend)
        under_way.finish()
        gone = take_away(writer, ledger, version, lambda _by, _records: None) if mirror else []
    return outcomes, [str(one.id or one.change.id) for one in gone] if isinstance(gone, list) else []


def check(
    there: list[dict[str, Any]], runs: list[list[dict[str, Any]]], size: int, match: list[str], mode: str, parallel: int
) -> None:
    """Hold what is there after each of *runs* against the model."""
    zoo, model = Zoo(there), Model(there, match)
    zoo.numbers = itertools.count(100)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for version, rows in enumerate(runs, 1):
            records = [{k: v for k, v in row.items() if k != "id" or k in match} for row in rows]
            outcomes, gone = run(zoo, records, size, version, folder, parallel, match=match, mode=mode)
            for start in range(0, len(records), size):
                model.write_all(records[start : start + size], outcomes[start : start + size])
            for id in gone:
                assert int(id) >= 100, "others made it"
                assert id not in {o.id for o in outcomes if o.ok and o.kind is not Kind.DELETED}, "it is in the source"
                del model.animals[id]
            assert look(zoo.animals.values()) == look(model.animals.values())


@settings(max_examples=100, deadline=None)
@given(
    THERE,
    runs_of(WRITTEN) | runs_of(WRITTEN | WRITTEN | DELETED),
    st.integers(1, 3),
    ORDERS,
    st.sampled_from(["upsert", "mirror"]),
    st.sampled_from([1, 3]),
)
def test_each_run_leaves_what_its_records_say_one_after_the_other(there, runs, size, match, mode, parallel):
    check(there, runs, size, match, mode, parallel)


def test_what_was_deleted_and_is_made_anew_by_another_field_is_deleted_again(tmp_path):
    zoo = Zoo([{"chip": "C1", "name": "Ada"}])
    gone, anew = {"chip": "C1", "name": "Ada", **GONE}, {"name": "Ada", "legs": 4}
    for record, kind in ((gone, Kind.DELETED), (anew, Kind.CREATED), (gone, Kind.DELETED)):
        assert one_run.run(zoo, [record], 1, match=CHIPPED, deletes="delete", folder=str(tmp_path)) == [kind]
    assert zoo.there() == []


def test_a_deletion_that_comes_twice_takes_away_no_other_that_has_one_of_its_values(tmp_path):
    zoo = Zoo([{"chip": "C1", "name": "Ada"}, {"chip": "C2", "name": "Ada"}])
    other, gone = {"chip": "C2", "name": "Ada", "legs": 4}, {"chip": "C1", "name": "Ada", **GONE}
    how = {"match": CHIPPED, "deletes": "delete", "folder": str(tmp_path)}
    assert one_run.run(zoo, [other, gone], 2, **how) == [Kind.UPDATED, Kind.DELETED]
    for _ in range(2):
        assert one_run.run(zoo, [other, gone], 2, **how) == [Kind.UNCHANGED, Kind.SKIPPED]
        assert one_run.run(zoo, [gone], 2, **how) == [Kind.SKIPPED]
    assert zoo.there() == [other]


def test_what_comes_between_two_of_one_record_by_a_value_of_the_first_is_written_to_it(tmp_path):
    zoo = Zoo([{"name": "Bo"}])
    first, between, last = {"id": "1", "chip": "C1"}, {"chip": "C1", "legs": 4}, {"id": "1", "chip": "C3"}
    for records in ([first, last], [first, between, last]):
        one_run.run(zoo, records, 3, match=("chip", "id"), folder=str(tmp_path))
    assert zoo.there() == [{"name": "Bo", "chip": "C3", "legs": 4}]


def test_a_mirror_keeps_what_came_by_a_value_that_is_anothers_by_now(tmp_path):
    zoo = Zoo()
    how = {"folder": str(tmp_path), "parallel": 1, "match": ("id", "chip"), "mode": "mirror"}
    run(zoo, [{"chip": "C1"}], 1, 1, **how)
    _, gone = run(zoo, [{"id": "9", "chip": "C1"}, {"id": "9", "chip": "C2"}], 1, 2, **how)
    assert (gone, zoo.there()) == ([], [{"chip": "C1"}, {"chip": "C2"}])
