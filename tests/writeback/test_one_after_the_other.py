"""What is written in batches is as if each record had been written by itself, one after the other."""

from __future__ import annotations

import io
import itertools
import json
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import schema
from antiphon.api import Api, Read, Resource, Write
from antiphon.client import Client
from antiphon.outcome import Kind, Nothing
from antiphon.writeback.flights import Flights
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.underway import UnderWay
from antiphon.writeback.writer import Allowance, Writer

ZOO = "https://zoo.example"
GONE = {"_sdc_deleted_at": "2026-01-01T00:00:00Z"}
SICK = "sick"
"""A mood that the zoo refuses."""


def called(animal: dict[str, Any], field: str) -> set[str]:
    """Return what finds *animal* by *field*, in any case: by name also what else it is called."""
    further = animal.get("nicknames", ()) if field == "name" else ()
    return {str(value).lower() for value in (animal.get(field, ""), *further)}


class Zoo(requests.Session):
    """A server that has animals, finds them by name in any case, and knows of nothing that is unique."""

    def __init__(self, animals: list[dict[str, Any]] | None = None) -> None:
        super().__init__()
        self.one_at_a_time = threading.Lock()
        self.slow = 0.0
        """Seconds that the next update takes."""
        self.numbers = itertools.count(1)
        self.animals: dict[str, dict[str, Any]] = {}
        for animal in animals or []:
            self.made(animal)
        self.calls = {"GET": 0, "POST": 0, "PATCH": 0, "DELETE": 0}

    @property
    def writes(self) -> int:
        """How often anything was written."""
        return sum(self.calls.values()) - self.calls["GET"]

    def made(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Make an animal."""
        id = str(next(self.numbers))
        self.animals[id] = {"id": id, **fields}
        return self.animals[id]

    def there(self) -> list[dict[str, Any]]:
        """Return the animals, without their ids."""
        found = [{name: value for name, value in one.items() if name != "id"} for one in self.animals.values()]
        return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))

    def send(self, request: requests.PreparedRequest, **_more: Any) -> requests.Response:
        """Answer *request*."""
        if request.method == "PATCH" and self.slow:
            seconds, self.slow = self.slow, 0.0
            time.sleep(seconds)
        with self.one_at_a_time:
            return self.answer(request)

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        """Do what is asked."""
        url = urlsplit(str(request.url))
        self.calls[str(request.method)] += 1
        id = url.path.rpartition("/")[2]
        body = json.loads(request.body) if request.body else {}
        status, found = 200, None
        if body.get("mood") == SICK:
            status, found = 400, {"message": "it is sick"}
        elif request.method == "GET" and id in self.animals:
            found = self.animals[id]
        elif request.method == "GET" and id != "animals":
            status, found = 404, {"message": "there is none"}
        elif request.method == "GET":
            [(field, asked)] = parse_qs(url.query).items()
            values = [value.lower() for value in asked[0].split(",")]
            found = {"items": [one for one in self.animals.values() if not called(one, field).isdisjoint(values)]}
        elif request.method == "POST":
            found = self.made(body)
        elif id not in self.animals:
            status, found = 404, {"message": "there is none"}
        elif request.method == "PATCH":
            self.animals[id].update(body)
            found = self.animals[id]
        else:
            status = 204
            del self.animals[id]
        reply = requests.Response()
        reply.url, reply.request, reply.status_code = str(request.url), request, status
        reply.raw = io.BytesIO(json.dumps(found).encode() if found is not None else b"")
        return reply


ANIMALS = Resource(
    "animals",
    schema.record(
        {"id": "string!", "name": "string", "chip": "string", "legs": "integer", "mood": "string", "diet": {}},
        readonly=["id"],
    ),
    match=("name",),
    folded=("name", "chip"),
    find=Read("/animals", params={"{match.field}": "{match.values}"}, records="items", values=100),
    get=Read("/animals/{id}"),
    create=Write("/animals", body="{record}"),
    update=Write("/animals/{id}", "PATCH", body="{record}", safe=True),
    delete=Write("/animals/{id}", "DELETE", outcomes=Nothing(), safe=True),
)


def run(
    zoo: Zoo, records: list[dict[str, Any]], size: int, *, resource: Resource = ANIMALS, folder: str = "", **how: Any
) -> list[Kind]:
    """Write *records*, so many in a batch."""
    client = Client(Api("zoo", "Zoo", ZOO, resources=(resource,)), {}, session=zoo)
    ledger = Ledger(Path(folder), "zoo") if folder else None
    try:
        writer = Writer(client, resource, ledger=ledger, allowance=Allowance(100), **how)
        return [
            outcome.kind
            for start in range(0, len(records), size)
            for outcome in writer.write(records[start : start + size])
        ]
    finally:
        if ledger:
            ledger.close()


def written(records: list[dict[str, Any]], size: int = 100, **how: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what becomes of *records* in an empty zoo, and what is there then."""
    zoo = Zoo()
    return [str(kind) for kind in run(zoo, records, size, **how)], zoo.there()


def test_a_later_record_leaves_what_it_does_not_name():
    records = [{"name": "Ada", "legs": 4}, {"name": "ADA", "mood": "fine"}]
    assert written(records) == (["superseded", "created"], [{"name": "Ada", "legs": 4, "mood": "fine"}])


def test_one_that_is_refused_takes_no_other_with_it():
    records = [{"name": "Ada", "legs": 4}, {"name": "Ada", "mood": SICK}, {"name": "Ada", "legs": 3}]
    assert written(records) == (["created", "rejected", "updated"], [{"name": "Ada", "legs": 3}])


def test_what_is_deleted_and_comes_again_is_a_new_one():
    records = [{"name": "Ada", **GONE}, {"name": "Ada", "mood": "fine"}]
    zoo = Zoo([{"name": "Ada", "legs": 4}])
    assert run(zoo, records, 2, deletes="delete") == [Kind.DELETED, Kind.CREATED]
    assert zoo.there() == [{"name": "Ada", "mood": "fine"}]


def test_what_may_not_be_deleted_is_written():
    records = [{"name": "Ada", "legs": 4}, {"name": "Ada", **GONE}]
    zoo = Zoo([{"name": "Ada", "legs": 2}])
    client = Client(Api("zoo", "Zoo", ZOO, resources=(ANIMALS,)), {}, session=zoo)
    outcomes = Writer(client, ANIMALS, deletes="delete", allowance=Allowance(0)).write(records)
    assert [outcome.kind for outcome in outcomes] == [Kind.UPDATED, Kind.REJECTED]
    assert zoo.there() == [{"name": "Ada", "legs": 4}]


def test_where_nothing_is_changed_that_is_there_the_first_stands():
    records = [{"name": "Ada", "legs": 4}, {"name": "Ada", "legs": 3}, {"name": "Ada", "mood": "fine"}]
    assert written(records, mode="create") == (["created", "skipped", "skipped"], [{"name": "Ada", "legs": 4}])
    records[0]["mood"] = SICK
    there = [{"name": "Ada", "legs": 3}]
    assert written(records, mode="create") == (["rejected", "created", "skipped"], there)


def test_objects_and_lists_are_sent_one_after_the_other_for_the_api_may_add_one_to_the_other():
    records = [{"name": "Ada", "diet": ["hay"]}, {"name": "Ada", "diet": ["oats"], "legs": 4}]
    assert written(records)[0] == ["created", "updated"]


def test_a_field_that_only_a_creation_takes_is_not_changed():
    takes = Resource(**{**vars(ANIMALS), "update": Write("/animals/{id}", "PATCH", body="{record}", takes=("mood",))})
    records = [{"name": "Ada", "legs": 4}, {"name": "Ada", "legs": 3}]
    assert written(records, resource=takes) == (["created", "rejected"], [{"name": "Ada", "legs": 4}])


@pytest.mark.parametrize("full", [False, True])
def test_records_of_one_key_come_to_rest(tmp_path, full):
    records = [
        {"name": "Ada", "legs": 4, "mood": "fine"},
        {"name": "ada", "mood": "glum"},
        {"name": "Bo", "diet": ["hay"]},
        {"name": "Bo", "diet": ["oats"]},
    ]
    zoo = Zoo()
    run(zoo, records, 4, folder=str(tmp_path))
    before, there = dict(zoo.calls), zoo.there()
    kinds = run(zoo, records, 4, folder=str(tmp_path))
    assert kinds == [Kind.SUPERSEDED, Kind.UNCHANGED, Kind.SUPERSEDED, Kind.UNCHANGED]
    assert zoo.calls == before
    run(zoo, records[:2], 2, folder=str(tmp_path), full=full)
    assert (zoo.writes, zoo.there()) == (sum(before.values()) - before["GET"], there)


def test_what_was_deleted_and_made_anew_is_not_deleted_again_by_the_next_run(tmp_path):
    records = [{"name": "Ada", **GONE}, {"name": "Ada", "legs": 4}]
    zoo = Zoo([{"name": "Ada", "mood": "fine"}])
    how = {"folder": str(tmp_path), "deletes": "delete"}
    assert run(zoo, records, 2, **how) == [Kind.DELETED, Kind.CREATED]
    before = dict(zoo.calls)
    assert run(zoo, records, 2, **how) == [Kind.SUPERSEDED, Kind.UNCHANGED]
    assert zoo.calls == before
    assert run(zoo, records[1:], 2, **how) == [Kind.UNCHANGED]
    assert run(zoo, records, 2, **how) == [Kind.DELETED, Kind.CREATED]


def test_what_was_not_there_to_be_deleted_and_was_made_then_is_not_deleted_by_the_next_run(tmp_path):
    records = [{"name": "Ada"} | GONE, {"name": "Ada"}]
    zoo = Zoo()
    assert run(zoo, records, 2, deletes="delete", folder=str(tmp_path)) == [Kind.SKIPPED, Kind.CREATED]
    run(zoo, records, 2, deletes="delete", folder=str(tmp_path))
    assert (zoo.writes, list(zoo.animals)) == (1, ["1"])


def test_a_refusal_is_told_again_by_the_next_run(tmp_path):
    records = [{"name": "Ada", "diet": ["hay"], "mood": SICK}, {"name": "Ada", "diet": ["oats"]}]
    zoo = Zoo()
    for kind in (Kind.CREATED, Kind.UNCHANGED):
        assert run(zoo, records, 2, folder=str(tmp_path)) == [Kind.REJECTED, kind]


NAMES = st.sampled_from(["ada", "Ada", "bo", "cy"])
WRITTEN = st.fixed_dictionaries(
    {"name": NAMES}, optional={"legs": st.integers(0, 2), "mood": st.sampled_from("xy"), "diet": st.just(["hay"])}
)
DELETED = st.fixed_dictionaries({"name": NAMES}).map(lambda one: one | GONE)
RECORDS = st.lists(WRITTEN | WRITTEN | DELETED, max_size=10)
THERE = st.lists(WRITTEN, max_size=3, unique_by=lambda one: one["name"].lower())


def model(there: list[dict[str, Any]], records: list[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    """Return what is there once each of *records* was written by itself."""
    animals = [dict(one) for one in there]
    for record in records:
        found = next((one for one in animals if record["name"].lower() in called(one, "name")), None)
        fields = {name: value for name, value in record.items() if name not in GONE}
        if "_sdc_deleted_at" in record or mode == "delete":
            animals = [one for one in animals if one is not found]
        elif found is None and mode != "update":
            animals.append(fields)
        elif found is not None and mode != "create":
            found |= {name: value for name, value in fields.items() if name != "name"}
    return sorted(animals, key=lambda one: json.dumps(one, sort_keys=True))


@settings(max_examples=150, deadline=None)
@given(THERE, RECORDS, st.integers(1, 10), st.sampled_from(["upsert", "create", "update", "delete"]), st.booleans())
def test_batches_of_any_size_leave_the_same(there, records, size, mode, remembered):
    with tempfile.TemporaryDirectory() as folder:
        zoo = Zoo(there)
        how = {"mode": mode, "deletes": "delete", "folder": folder if remembered else ""}
        kinds = run(zoo, records, size, **how)
        assert len(kinds) == len(records)
        assert zoo.there() == model(there, records, mode)
        if remembered and size >= len(records):
            before = zoo.writes
            run(zoo, records, size, **how)
            assert (zoo.writes, zoo.there()) == (before, model(there, records, mode))


NICKNAMED = replace(
    ANIMALS,
    schema=schema.record(
        {"id": "string!", "name": "string", "legs": "integer", "mood": "string", "diet": {}, "nicknames": {}},
        readonly=["id", "nicknames"],
    ),
    further={"name": "nicknames"},
)


def run_side_by_side(zoo: Zoo, records: list[dict[str, Any]], size: int, folder: str) -> None:
    """Write *records*, several batches under way at once."""
    client = Client(Api("zoo", "Zoo", ZOO, resources=(NICKNAMED,)), {}, session=zoo)
    flights = Flights(3)
    under_way = UnderWay(flights)
    with Ledger(Path(folder), "zoo") as ledger:
        writer = Writer(client, NICKNAMED, ledger=ledger, allowance=Allowance(100), flights=flights, deletes="delete")
        for start in range(0, len(records), size):
            under_way.begin(writer.batch(records[start : start + size]), writer.steps, lambda _outcomes: None)
        under_way.finish()


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=4), st.integers(1, 4), st.booleans())
def test_what_is_known_by_several_names_is_as_the_last_record_says_after_each_run(runs, size, side_by_side):
    there = [{"name": "Ada", "nicknames": ["Bo", "Dee"]}]
    with tempfile.TemporaryDirectory() as folder:
        zoo = Zoo(there)
        for records in runs:
            if side_by_side:
                run_side_by_side(zoo, records, size, folder)
            else:
                run(zoo, records, size, resource=NICKNAMED, folder=folder, deletes="delete")
            there = model(there, records, "upsert")
            assert zoo.there() == there


def test_what_was_so_before_it_was_written_in_the_same_batch_is_not_known_to_be_so(tmp_path):
    zoo = Zoo([{"name": "Ada", "diet": ["hay"]}])
    before, after = {"name": "Ada", "diet": ["hay"]}, {"name": "Ada", "diet": ["oats"]}
    for records, diet in (([before, after], ["oats"]), ([before], ["hay"])):
        run(zoo, records, 2, folder=str(tmp_path))
        assert zoo.there() == [{"name": "Ada", "diet": diet}]


def nicknamed(tmp_path: Path, *runs: list[dict[str, Any]], size: int = 10, slow: float = 0) -> list[dict[str, Any]]:
    """Return what an animal with a nickname is after *runs*, the first of whose updates is *slow*."""
    zoo = Zoo([{"name": "Ada", "nicknames": ["Bo"]}])
    zoo.slow = slow
    for records in runs:
        run_side_by_side(zoo, records, size, str(tmp_path))
    return [{name: value for name, value in one.items() if name != "nicknames"} for one in zoo.there()]


def test_what_is_written_to_one_record_by_two_names_keeps_its_order_in_batches_side_by_side(tmp_path):
    records = [{"name": "Ada", "legs": 1}, {"name": "Bo", "legs": 2}]
    assert nicknamed(tmp_path, records, size=1, slow=0.1) == [{"name": "Ada", "legs": 2}]


def test_what_is_done_by_one_name_while_another_is_looked_up_is_seen(tmp_path):
    asked, gone = threading.Event(), threading.Event()

    class Late(Zoo):
        """Has the second answer about Ada on its way until she is gone, and lets her go no earlier."""

        def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
            again = request.method == "GET" and str(request.url).endswith("=Ada") and self.calls["PATCH"] > 0
            if request.method == "DELETE":
                assert asked.wait(20)
            reply = super().send(request, **more)
            if request.method == "DELETE":
                gone.set()
            elif again:
                asked.set()
                gone.wait(20)
            return reply

    zoo = Late([{"name": "Ada", "nicknames": ["Bo"]}])
    run_side_by_side(
        zoo, [{"name": "Ada", "legs": 1}, {"name": "Bo"} | GONE, {"name": "Ada", "mood": "fine"}], 1, str(tmp_path)
    )
    assert zoo.there() == [{"name": "Ada", "mood": "fine"}]


def test_what_was_so_before_another_name_was_written_after_it_is_not_known_to_be_so(tmp_path):
    ada, bo = {"name": "Ada", "diet": ["hay"]}, {"name": "Bo", "diet": ["oats"]}
    assert nicknamed(tmp_path, [ada], [{**ada, "mood": "fine"}, bo], [{**ada, "mood": "fine"}])[0]["diet"] == ["hay"]


def test_what_comes_between_two_of_one_name_by_another_is_written_between_them(tmp_path):
    ada, bo = {"name": "Ada", "legs": 1}, {"name": "Bo", "legs": 2, "mood": "fine"}
    last = {"name": "Ada", "mood": "glum"}
    assert nicknamed(tmp_path, [ada, bo, last]) == [{"name": "Ada", "legs": 2, "mood": "glum"}]


def test_what_another_name_stood_for_counts_where_it_comes_after_that(tmp_path):
    ada, bo = {"name": "Ada", "legs": 1}, {"name": "Bo", "legs": 2}
    assert nicknamed(tmp_path, [ada, bo], [bo, ada]) == [{"name": "Ada", "legs": 1}]


class TestSeveralFields:
    """A record is looked for by one field after the other, and the first that finds it decides."""

    MATCH = ("chip", "name")

    def test_what_is_not_found_by_the_first_field_is_found_by_the_next(self):
        zoo = Zoo([{"name": "Ada", "legs": 4}])
        assert run(zoo, [{"chip": "C1", "name": "ada", "legs": 3}], 1, match=self.MATCH) == [Kind.UPDATED]
        assert zoo.there() == [{"chip": "C1", "legs": 3, "name": "Ada"}]

    def test_the_first_field_that_finds_decides(self):
        zoo = Zoo([{"name": "Ada"}, {"chip": "C1", "name": "Bo"}])
        assert run(zoo, [{"chip": "c1", "name": "ada"}], 1, match=self.MATCH) == [Kind.UPDATED]
        assert zoo.there() == [{"chip": "C1", "name": "ada"}, {"name": "Ada"}]

    def test_each_field_is_asked_for_once_in_a_batch_and_only_for_what_was_not_found(self):
        zoo = Zoo([{"chip": f"C{n}", "name": f"N{n}"} for n in range(20)])
        records = [{"chip": f"C{n}", "name": f"N{n}", "legs": 4} for n in range(20)]
        assert set(run(zoo, records, 20, match=self.MATCH)) == {Kind.UPDATED}
        assert zoo.calls["GET"] == 1
        records = [{"chip": f"D{n}", "name": f"N{n}", "legs": 4} for n in range(20)] + [{"name": "other"}]
        assert set(run(zoo, records, 21, match=self.MATCH)) == {Kind.UPDATED, Kind.CREATED}
        assert zoo.calls["GET"] == 3

    def test_several_candidates_at_any_field_are_told(self):
        zoo = Zoo([{"name": "Ada"}, {"name": "ada"}])
        client = Client(Api("zoo", "Zoo", ZOO, resources=(ANIMALS,)), {}, session=zoo)
        [outcome] = Writer(client, ANIMALS, match=self.MATCH).write([{"chip": "C1", "name": "Ada"}])
        assert (outcome.kind, outcome.problem.message) == (Kind.REJECTED, "2 records have the name Ada: 1, 2")

    def test_an_id_that_is_gone_is_no_obstacle(self):
        zoo = Zoo([{"name": "Ada"}])
        records = [{"id": "77", "name": "Ada", "legs": 4}, {"id": "78", "name": "Bo"}, {"id": "79", "legs": 4}]
        assert run(zoo, records, 3, match=("id", "name")) == [Kind.UPDATED, Kind.CREATED, Kind.REJECTED]
        assert zoo.there() == [{"legs": 4, "name": "Ada"}, {"name": "Bo"}]

    def test_records_of_a_batch_are_one_by_any_of_the_fields(self):
        records = [{"chip": "C1", "name": "Ada"}, {"name": "ADA", "legs": 4}, {"chip": "c1", "mood": "fine"}]
        there = [{"chip": "C1", "legs": 4, "mood": "fine", "name": "Ada"}]
        assert written(records, match=self.MATCH) == (["created", "superseded", "updated"], there)
        assert written(records[1:], match=self.MATCH)[0] == ["created", "created"]

    def test_without_being_asked_for_only_the_best_field_is_tried(self):
        both = Resource(**{**vars(ANIMALS), "match": self.MATCH})
        zoo = Zoo([{"name": "Ada"}])
        assert run(zoo, [{"chip": "C1", "name": "Ada"}], 1, resource=both) == [Kind.CREATED]

    def test_what_is_told_unchanged_by_one_field_is_written_after_what_comes_before_it_by_another(self, tmp_path):
        zoo = Zoo([{"chip": "C1", "name": "Ada"}])
        by_chip, by_name = {"chip": "C1", "legs": 1}, {"name": "Ada", "legs": 2}
        for records in ([by_chip], [by_name], [by_chip, by_name], [by_name, by_chip], [by_chip]):
            run(zoo, records, 2, match=self.MATCH, folder=str(tmp_path))
            assert zoo.there() == [{"chip": "C1", "name": "Ada", "legs": records[-1]["legs"]}]

    def test_what_was_so_before_it_was_written_by_another_field_is_not_known_to_be_so(self, tmp_path):
        zoo = Zoo([{"chip": "C1", "name": "Ada", "diet": ["hay"]}])
        by_chip, by_name = {"chip": "C1", "diet": ["hay"]}, {"name": "Ada", "diet": ["oats"]}
        for records in ([by_chip, by_name], [by_chip]):
            run(zoo, records, 2, match=self.MATCH, folder=str(tmp_path))
            assert zoo.there() == [{"chip": "C1", "name": "Ada", "diet": records[-1]["diet"]}]

    def test_the_next_run_knows_it_by_its_own_key(self, tmp_path):
        records = [{"id": "77", "chip": "C1", "name": "Ada"}, {"id": "78", "chip": "C2", "name": "Bo"}]
        zoo = Zoo([{"name": "Ada"}])
        how = {"match": ("id", *self.MATCH), "folder": str(tmp_path)}
        assert run(zoo, records, 2, **how) == [Kind.UPDATED, Kind.CREATED]
        before = dict(zoo.calls)
        assert run(zoo, records, 2, **how) == [Kind.UNCHANGED] * 2
        assert zoo.calls == before
        records[0]["legs"] = records[1]["legs"] = 4
        assert run(zoo, records, 1, **how) == [Kind.UPDATED] * 2
        assert len(zoo.animals) == 2


CHIPS = st.sampled_from(["", "c1", "C2", "c3"])
IDS = st.sampled_from(["", "1", "2", "9"])
MATCHED = {"name": st.sampled_from(["", "ada", "Bo", "cy"]), "chip": CHIPS}
REST = {"legs": st.integers(0, 2), "mood": st.sampled_from("xy"), "diet": st.sampled_from([["hay"], ["oats"]])}
MATCHED_RECORDS = st.lists(
    st.fixed_dictionaries(MATCHED, optional=REST | {"id": IDS})
    | st.fixed_dictionaries(MATCHED, optional={"id": IDS}).map(lambda one: one | GONE),
    max_size=8,
)
MATCHED_THERE = st.lists(st.fixed_dictionaries({}, optional=MATCHED | REST), max_size=4)
ORDERS = st.permutations(["id", "chip", "name"]).flatmap(lambda names: st.sampled_from([names, names[:2]]))


def by_several(
    there: list[dict[str, Any]], records: list[dict[str, Any]], match: list[str], mode: str
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what becomes of each of *records*, written by itself, and what is there then."""
    animals = [{"id": str(n), **one} for n, one in enumerate(there, 1)]
    kinds = []
    for record in records:
        values = {name: record[name] for name in match if record.get(name)}
        fields = {name: value for name, value in record.items() if name not in {"id", *GONE}}
        goes = "_sdc_deleted_at" in record or mode == "delete"
        hits: list[dict[str, Any]] = []
        by = ""
        for by, value in values.items():
            hits = [one for one in animals if str(one.get(by) or "").lower() == value.lower()]
            if hits:
                break
        if (not values and (mode != "create" or goes)) or (not goes and not fields) or len(hits) > 1:
            kinds.append("rejected")
        elif not hits and list(values) == ["id"]:  # nobody looks whether it is there
            kinds.append("deleted" if goes else "skipped" if mode == "create" else "rejected")
        elif goes:
            animals = [one for one in animals if not hits or one is not hits[0]]
            kinds.append("deleted" if hits else "skipped")
        elif not hits:
            if mode != "update":
                animals.append({"id": "made", **fields})
            kinds.append("skipped" if mode == "update" else "created")
        elif mode == "create":
            kinds.append("skipped")
        else:
            hits[0].update({name: value for name, value in fields.items() if name != by})
            kinds.append("updated")
    found = [{k: v for k, v in one.items() if k != "id" and v not in ("", None)} for one in animals]
    return kinds, sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


@settings(max_examples=200, deadline=None)
@given(
    MATCHED_THERE, MATCHED_RECORDS, st.integers(1, 8), ORDERS, st.sampled_from(["upsert", "create", "update", "delete"])
)
def test_by_several_fields_batches_of_any_size_leave_the_same(there, records, size, match, mode):
    zoo = Zoo(there)
    zoo.numbers = itertools.count(100)
    records = [{name: value for name, value in one.items() if name != "id" or "id" in match} for one in records]
    kinds = run(zoo, records, size, match=match, mode=mode, deletes="delete")
    expected, left = by_several(there, records, match, mode)
    found = [{name: value for name, value in one.items() if value not in ("", None)} for one in zoo.there()]
    assert sorted(found, key=lambda one: json.dumps(one, sort_keys=True)) == left
    for kind, one in zip(kinds, expected, strict=True):
        assert kind == "superseded" or (kind == "rejected") == (one == "rejected")
