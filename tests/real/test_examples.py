"""One contract for every description in ``examples/``, on a server that nobody here wrote, by the commands that a user has."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from antiphon import apis

from .faults import Plan, start_fault_proxy
from .pipes import Ran, lines, outcomes, put, shell
from .served import Row, Served

FOLDER = Path(__file__).parents[2] / "examples"
Start = Callable[[str], Served]


@dataclass(frozen=True)
class Example:
    """A description, the server it is tried on, and records of its one stream."""

    server: str
    stream: str
    by: str
    """The field by which a record is found, in the stream and on the server."""
    record: Callable[[str], Row]
    """A record of a given name, as the stream has it; the server's table has the same names."""
    change: Row
    """Fields to change."""
    page: int
    """Records on a page, as the description asks for them."""
    wrong: str
    """The setting without which nothing works."""
    updated: str = ""
    """The field by which a read goes on where the last one stopped."""


def person(name: str) -> Row:
    return {"email": f"{name}@example.org", "name": f"Name of {name}"}


STRANGE = "Ada & “Cie”, 50 % é"
EXAMPLES = {
    "directus": Example("directus", "people", "email", person, {"name": STRANGE}, 100, "access_token", "date_updated"),
    "directus_graphql": Example(
        "directus", "people", "email", person, {"name": STRANGE}, 100, "access_token", "date_updated"
    ),
    "localstripe": Example("localstripe", "customers", "id", person, {"name": STRANGE}, 100, "api_key"),
    "moto_parameters": Example(
        "parameters",
        "parameters",
        "Name",
        lambda name: {"Name": f"/people/{name}", "Value": name},
        {"Value": STRANGE},
        10,
        "secret_access_key",
        "LastModifiedDate",
    ),
    "moto_s3": Example("buckets", "buckets", "Name", lambda name: {"Name": name}, {}, 2, "secret_access_key"),
    "oauth1": Example("oauth1", "people", "email", person, {"name": STRANGE}, 20, "token_secret"),
    "sap_cap": Example("cap", "people", "email", person, {"name": STRANGE}, 40, "password", "modifiedAt"),
    "scim2": Example(
        "scim",
        "users",
        "userName",
        lambda name: {"userName": f"{name}@example.org", "displayName": name},
        {"displayName": STRANGE},
        100,
        "access_token",
        "lastModified",
    ),
    "tryton": Example(
        "tryton",
        "parties",
        "code",
        lambda name: {"code": name, "name": f"Name of {name}"},
        {"name": STRANGE},
        100,
        "password",
        "write_date",
    ),
    "xml_service": Example(
        "users",
        "users",
        "UserName",
        lambda name: {"UserName": name, "Path": "/sales/"},
        {"Path": "/a+b/"},
        2,
        "secret_access_key",
    ),
}
READ_ON = [name for name, example in EXAMPLES.items() if example.updated]


@pytest.fixture(params=EXAMPLES)
def name(request: pytest.FixtureRequest) -> str:
    """The name of the example."""
    return str(request.param)


@pytest.fixture
def example(name: str) -> Example:
    return EXAMPLES[name]


@pytest.fixture
def on(example: Example, served: Start) -> Served:
    """The example's server."""
    return served(example.server)


@pytest.fixture
def api(name: str) -> str:
    """The example's file."""
    return str(FOLDER / f"{name}.yaml")


@pytest.fixture
def made(name: str, example: Example) -> Callable[[str], Row]:
    """Makes records that no other example has."""
    return lambda called: example.record(f"{name}-{called}".replace("_", "-"))


def names(example: Example, on: Served) -> list[Any]:
    return sorted(row[example.by] for row in on.table.rows())


def tap(folder: Path, api: str, on: Served, *more: str) -> Ran:
    put(folder, "config.json", {"api": api, **on.config})
    return shell(folder, " ".join(["tap-universal --config config.json", *more]))


def target(folder: Path, api: str, on: Served, example: Example, records: list[Row], mode: str) -> list[str]:
    """Write records; return what became of each."""
    stream = {"mode": mode, **({} if mode == "create" else {"match": [example.by]})}
    put(folder, "config.json", {"api": api, **on.config, "streams": {example.stream: stream}, "receipts": "receipts"})
    (folder / "receipts").unlink(missing_ok=True)
    (folder / "input.jsonl").write_bytes(lines(example.stream, records))
    said = shell(folder, "target-universal --config config.json < input.jsonl")
    assert said.code == 0, said.err
    return outcomes(folder / "receipts")


def antiphon(folder: Path, api: str, on: Served, command: str, *more: str) -> Ran:
    put(folder, "settings.json", on.config)
    return shell(folder, " ".join(["antiphon", command, "--api", api, "--config settings.json --json", *more]))


def test_a_check_tells_good_credentials_from_bad(api: str, example: Example, on: Served, tmp_path: Path) -> None:
    good = antiphon(tmp_path, api, on, "check")
    assert json.loads(good.out)["works"], good.err
    secret = f"not-the-{example.wrong.replace('_', '-')}"
    bad = antiphon(tmp_path, api, on, "check", "--set", f"{example.wrong}={secret}")
    assert bad.code == 1
    assert f"{Path(api).stem}: checking the connection -> " in bad.err
    assert len(bad.err.splitlines()) <= 2
    assert secret not in bad.err


def test_every_record_is_read_once_over_several_pages(
    api: str, example: Example, made: Callable[[str], Row], on: Served, tmp_path: Path
) -> None:
    on.table.add([made(f"read-{n}") for n in range(example.page + 1)])
    said = tap(tmp_path, api, on)
    assert said.code == 0, said.err
    read = said.records(example.stream)
    assert sorted(record[example.by] for record in read) == names(example, on)
    assert [record for record in read if made("read-0").items() <= record.items()]


@pytest.mark.parametrize("name", READ_ON, indirect=True)
def test_the_next_read_begins_where_the_last_one_stopped(
    api: str, example: Example, made: Callable[[str], Row], on: Served, tmp_path: Path
) -> None:
    on.table.add([made("old-0"), made("old-1")])
    put(tmp_path, "state.json", tap(tmp_path, api, on).state)
    [changed] = [row for row in on.table.rows() if row[example.by] == made("old-1")[example.by]]
    on.table.change(changed, example.change)
    on.table.add([made("newer")])
    said = tap(tmp_path, api, on, "--state state.json")
    assert said.code == 0, said.err
    read = {record[example.by]: record for record in said.records(example.stream)}
    assert set(read) == {changed[example.by], made("newer")[example.by]}
    assert example.change.items() <= read[changed[example.by]].items()


def test_a_target_creates_then_changes_then_deletes(
    api: str, example: Example, made: Callable[[str], Row], on: Served, tmp_path: Path
) -> None:
    before = names(example, on)
    records = [made(f"written-{n}") for n in range(3)]
    assert target(tmp_path, api, on, example, records, "create") == ["created"] * 3
    there = [row for row in on.table.rows() if row[example.by] not in before]
    assert len(there) == 3
    assert all(any(record.items() <= row.items() for row in there) for record in records)

    if example.change:
        changed = {example.by: there[0][example.by], **example.change}
        assert target(tmp_path, api, on, example, [changed], "upsert") == ["updated"]
        assert [row for row in on.table.rows() if changed.items() <= row.items()]
        assert len(on.table.rows()) == len(before) + 3

    gone = [{example.by: row[example.by]} for row in there]
    assert target(tmp_path, api, on, example, gone, "delete") == ["deleted"] * 3
    assert names(example, on) == before


def test_one_liners_add_find_get_and_delete(
    api: str, example: Example, made: Callable[[str], Row], on: Served, tmp_path: Path
) -> None:
    before, record = names(example, on), made("alone")
    added = antiphon(tmp_path, api, on, "add", example.stream, f"--data '{json.dumps(record)}'")
    assert added.code == 0, added.err
    [row] = [row for row in on.table.rows() if record.items() <= row.items()]
    found = antiphon(tmp_path, api, on, "find", example.stream, f"{example.by}={row[example.by]}")
    assert found.code == 0, found.err
    [shown] = json.loads(found.out)
    assert record.items() <= shown.items()
    [key] = next(resource.key for resource in apis.load(api).resources if resource.name == example.stream)
    got = antiphon(tmp_path, api, on, "get", example.stream, f"'{shown[key]}'")
    assert got.code == 0, got.err
    assert json.loads(got.out)[example.by] == row[example.by]
    gone = antiphon(tmp_path, api, on, "delete", example.stream, f"'{shown[key]}'")
    assert gone.code == 0, gone.err
    assert names(example, on) == before


@pytest.mark.parametrize("name", ["directus", "sap_cap", "scim2"], indirect=True)
def test_where_every_answer_is_lost_each_record_is_created_once(
    api: str, example: Example, made: Callable[[str], Row], on: Served, tmp_path: Path
) -> None:
    where = urlsplit(on.config["base_url"])
    proxy = start_fault_proxy(f"http://{where.netloc}", tmp_path)
    try:
        proxy.follow(Plan(lost_answer=1, in_a_row=1, only="POST"))
        through = Served({**on.config, "base_url": proxy.url + where.path}, on.table, on.server)
        records = [made(f"bad-line-{n}") for n in range(8)]
        assert target(tmp_path, api, through, example, records, "upsert") == ["created"] * 8
        assert proxy.counts()["lost_answer"]
    finally:
        proxy.stop()
    wanted = [record[example.by] for record in records]
    assert sorted(row[example.by] for row in on.table.rows() if row[example.by] in wanted) == sorted(wanted)
