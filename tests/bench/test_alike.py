"""What sides wrote is compared by what it means, whatever they call it."""

import gzip
import json

import alike
import pytest
import reading

OURS = {
    "id": "1",
    "createdAt": "2024-02-02T09:01:00.000Z",
    "hs_object_id": 1,
    "annualrevenue": 1.50,
    "open": True,
    "state": None,
    "address": {"geo": {"lat": 51.05}},
    "tags": ["a"],
}
PROPERTIES = {"hs_object_id": "1", "annualrevenue": "1.5", "open": "true"}
NESTED = {"id": "1", "createdAt": "2024-02-02T09:01:00Z", "properties": PROPERTIES, "address": {"geo": {"lat": 51.05}}}
FLAT = {
    "id": "1",
    "created_at": "2024-02-02T09:01:00+00:00",
    "properties__hs_object_id": "1",
    "properties__annualrevenue": "1.50",
    "properties__open": "true",
    "address__geo__lat": 51.05,
    "_dlt_id": "x",
}
"""A record as Airbyte and HubSpot have it, and as dlt writes it."""


def singer(record):
    return {"type": "RECORD", "stream": "contacts", "record": record}


def written(path, *lines):
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


@pytest.mark.parametrize(
    "line",
    [singer(OURS), singer(NESTED), {"type": "RECORD", "record": {"stream": "contacts", "data": NESTED}}, FLAT],
    ids=["ours", "singer", "airbyte", "dlt"],
)
def test_a_record_is_the_same_however_its_fields_are_called_and_written(line, tmp_path):
    ours = written(tmp_path / "ours", {"type": "STATE", "value": {}}, singer(OURS))
    assert alike.differs([ours], [written(tmp_path / "theirs", line)]) == ""
    packed = tmp_path / "theirs.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "theirs").read_bytes()))
    assert alike.differs([ours], [packed]) == ""


def test_another_value_and_another_count_are_told(tmp_path):
    ours = written(tmp_path / "ours", singer(OURS), singer({"id": "2"}))
    other = written(tmp_path / "other", {**FLAT, "properties__annualrevenue": "1.51"}, {"id": "2"})
    assert alike.differs([ours], [other]) == "record 1: annualrevenue is Decimal('1.51'), where Decimal('1.5') was due"
    fewer = written(tmp_path / "fewer", FLAT)
    assert alike.differs([ours], [fewer]) == "record 2 came 0 times, where 1 were due"
    twice = written(tmp_path / "twice", FLAT, {"id": "2"}, {"id": "2"})
    assert alike.differs([ours], [twice]) == "record 2 came 2 times, where 1 were due"


def test_a_side_that_wrote_something_else_ends_the_bench(tmp_path):
    ours, other = written(tmp_path / "ours", singer(OURS)), written(tmp_path / "other", FLAT | {"id": "3"})
    reading.same("dlt", ours, [ours])
    with pytest.raises(SystemExit, match="dlt -> not the same as ours: record 1 came 0 times"):
        reading.same("dlt", ours, [other])
