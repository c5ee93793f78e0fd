"""What holds for reading, whatever the API."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from antiphon import moment
from antiphon.api import Page, Query
from antiphon.client import Client
from antiphon.errors import Unauthorized
from antiphon.singer.tap import Tap
from contract import plugins
from contract.apis import Account, Case, Entry, Key, apis, cases, populate
from contract.small import small
from contract.wire import CUT, Wire, doubled

READ = pytest.mark.parametrize(("entry", "case"), cases())
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def _is_rfc3339(value: object) -> bool:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


@FORMATS.checks("date")
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None


@pytest.fixture(autouse=True, params=[True, False], ids=["by page", "by record"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tap, "by_page", request.param)


def read(entry: Entry, case: Case, account: Account, state: Any = None, **config: Any) -> plugins.Read:
    tap = plugins.plugin(entry.tap, api=small(entry.name, case.page))
    return plugins.read(tap, {**account.config, **config}, case.resource, state=state)


def found(case: Case, said: plugins.Read) -> Counter[Key]:
    return Counter(tuple(str(record[name]) for name in case.key) for record in said.records(case.resource))


def walk(entry: Entry, case: Case, account: Account, cursor: Any = None) -> Iterator[tuple[Page, list[Key]]]:
    client = Client(small(entry.name, case.page), account.config)
    resource = client.resource(case.resource)
    for page in client.read(resource, Query(cursor=cursor)):
        yield page, [tuple(str(record[name]) for name in resource.key) for record in page.records]


@READ
def test_every_record_is_read_once(entry: Entry, case: Case, account: Account, wire: Wire) -> None:
    populate(case, account)
    said = read(entry, case, account)
    there = list(case.keys(account.hand))
    assert len(there) > 1
    assert found(case, said) == Counter(there)
    reads = [f"{r.method} {r.url} {r.body!r}" for r in wire.requests]
    assert doubled(wire.requests) == (reads[-1:] if case.last_twice else [])


@READ
def test_every_record_is_valid_by_its_schema(entry: Entry, case: Case, account: Account) -> None:
    said = read(entry, case, account)
    schema = said.schema(case.resource)
    assert schema["key_properties"] == list(case.key)
    jsonschema.Draft7Validator.check_schema(schema["schema"])
    validator = jsonschema.Draft7Validator({**schema["schema"], "additionalProperties": False}, format_checker=FORMATS)
    for record in said.records(case.resource):
        validator.validate(json.loads(json.dumps(record, default=float)))


@READ
def test_a_read_goes_on_at_any_page(entry: Entry, case: Case, account: Account) -> None:
    populate(case, account)
    whole = list(walk(entry, case, account))
    for number, (page, _) in enumerate(whole, 1):
        if number < len(whole):
            cursor = json.loads(json.dumps(page.cursor))
            rest = [keys for _, keys in walk(entry, case, account, cursor)]
            once_more = case.last_twice and number == len(whole) - 1  # what goes on there has not seen what came before
            assert rest == [keys for _, keys in (whole[number - 1 : number] if once_more else whole[number:])]
    assert whole[-1][0].cursor is None


@pytest.mark.parametrize(("entry", "case"), cases(lambda _entry, case: case.insert))
def test_records_that_come_and_go_meanwhile_hide_none_that_last(entry: Entry, case: Case, account: Account) -> None:
    assert case.insert
    candidates = [case.insert(account.hand) for _ in range(6)]
    lasting = set(case.keys(account.hand))
    seen: Counter[Key] = Counter()
    moved = False
    for page, keys in walk(entry, case, account):
        seen.update(keys)
        before = [key for key in candidates if key in seen]
        after = [key for key in candidates if key not in seen]
        if not moved and (page.cursor is None or (before and after)):
            moved = True
            case.insert(account.hand)
            if case.delete and before and after:
                for gone in before[0], after[-1]:
                    case.delete(account.hand, gone)
                    lasting.discard(gone)
    assert moved
    missed = lasting - seen.keys()
    assert not missed
    assert {key: n for key, n in seen.items() if n > 1} == {}


@pytest.mark.parametrize(("entry", "case"), cases(lambda _entry, case: case.edit))
def test_after_an_edit_only_what_was_edited_is_read(entry: Entry, case: Case, account: Account) -> None:
    assert case.edit
    first = read(entry, case, account)
    edited = min(case.keys(account.hand))
    case.edit(account.hand, edited)
    second = read(entry, case, account, first.state)
    assert found(case, second) == Counter([edited])
    third = read(entry, case, account, second.state)
    assert third.records(case.resource) == []


@pytest.mark.parametrize(("entry", "case"), cases(lambda _entry, case: case.insert))
def test_a_new_record_is_in_the_next_read(entry: Entry, case: Case, account: Account) -> None:
    assert case.insert
    first = read(entry, case, account)
    new = case.insert(account.hand)
    second = found(case, read(entry, case, account, first.state))
    assert new in second
    assert set(second.values()) == {1}


@READ
def test_a_second_read_without_a_change_sends_nothing_twice_without_need(
    entry: Entry, case: Case, account: Account
) -> None:
    first = read(entry, case, account)
    second = read(entry, case, account, first.state)
    incremental = "replication_key" in first.state["bookmarks"][case.resource]
    if incremental:
        assert second.records(case.resource) == []
    else:
        assert case.why
        assert found(case, second) == found(case, first)


@pytest.mark.parametrize(("entry", "case"), cases(lambda entry, case: entry.name in {"hubspot", "odoo"} and case.edit))
def test_what_was_deleted_leaves_with_the_time_of_its_deletion(entry: Entry, case: Case, account: Account) -> None:
    assert case.insert
    assert case.delete
    gone = case.insert(account.hand)
    first = read(entry, case, account, deletes=True)
    case.delete(account.hand, gone)
    second = read(entry, case, account, first.state, deletes=True)
    assert found(case, second) == Counter([gone])
    [record] = second.records(case.resource)
    bookmark = first.state["bookmarks"][case.resource]["replication_key_value"]
    assert moment.parse(record["_sdc_deleted_at"]) > moment.parse(bookmark)
    assert read(entry, case, account, second.state, deletes=True).records(case.resource) == []


@pytest.mark.parametrize(("entry", "case"), cases(lambda entry, _case: entry.http))
def test_what_the_api_cannot_answer_now_is_asked_again(entry: Entry, case: Case, account: Account, wire: Wire) -> None:
    wire.fail(429, 503, 500, 502, CUT)
    said = read(entry, case, account)
    assert wire.waiting == 0
    assert found(case, said) == Counter(case.keys(account.hand))


@pytest.mark.parametrize("entry", apis(lambda entry: entry.http))
def test_a_credential_that_is_refused_is_named_not_shown_and_not_tried_again(
    entry: Entry, account: Account, wire: Wire
) -> None:
    wrong = Account({**account.config, **account.wrong}, account.hand)
    [(setting, value)] = account.wrong.items()
    with pytest.raises(Unauthorized, match=setting) as caught:
        read(entry, entry.cases[0], wrong)
    assert value not in str(caught.value)
    assert len(wire.requests) == 1
