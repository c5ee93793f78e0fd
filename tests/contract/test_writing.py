"""What holds for writing, whatever the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest

from antiphon import moment
from antiphon.errors import Unauthorized
from contract import plugins
from contract.apis import Account, Case, Entry, Key, Sample, apis, cases
from contract.small import small
from contract.wire import CUT, LOST, Wire, doubled, writes

WRITE = pytest.mark.parametrize(("entry", "case"), cases(lambda _entry, case: case.sample))


def sample_of(case: Case) -> Sample:
    assert case.sample
    return case.sample


def write(
    entry: Entry, case: Case, account: Account, records: Iterable[Mapping[str, Any]], folder: Path, **plan: Any
) -> plugins.Written:
    sample = sample_of(case)
    if sample.match:
        plan = {"match": list(sample.match), **plan}
    config = {**account.config, "streams": {"people": {"resource": case.resource, **plan}}}
    target = plugins.plugin(entry.target, api=small(entry.name, 50))
    return plugins.write(target, config, plugins.stream("people", records), folder)


def there(case: Case, account: Account) -> set[Key]:
    return set(case.keys(account.hand))


def read_back(entry: Entry, case: Case, account: Account) -> list[dict[str, Any]]:
    tap = plugins.plugin(entry.tap, api=small(entry.name, 50))
    return plugins.read(tap, account.config, case.resource).records(case.resource)


def agrees(sent: Any, got: Any) -> bool:
    """Whether a value came back: as it was, as the same number, or as the same moment."""
    if sent == got:
        return True
    if isinstance(sent, Mapping) and isinstance(got, Mapping):
        return all(agrees(value, got.get(name)) for name, value in sent.items())
    try:
        return not isinstance(sent, bool) and Decimal(str(sent)) == Decimal(str(got))
    except InvalidOperation:
        pass
    try:
        return isinstance(got, str) and moment.parse(sent) == moment.parse(got)
    except ValueError:
        return False


def found_in(rows: list[dict[str, Any]], sample: Sample, sent: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that hold all that was sent."""
    due = {**{name: value for name, value in sent.items() if name not in sample.unread}, **sample.back}
    return [row for row in rows if all(agrees(value, row.get(name)) for name, value in due.items())]


@WRITE
def test_what_is_written_is_read_back(entry: Entry, case: Case, account: Account, tmp_path: Path) -> None:
    sample = sample_of(case)
    records = sample.records(account.hand)
    before = there(case, account)
    written = write(entry, case, account, records, tmp_path)
    outcome = "created" if sample.creates else "updated"
    assert (written.code, written.outcomes, written.rejects) == (0, [outcome] * 3, [])
    assert len(there(case, account) - before) == (3 if sample.creates else 0)
    rows = read_back(entry, case, account)
    for record in records:
        assert len(found_in(rows, sample, record)) == 1
    new = {receipt["remote_id"] for receipt in written.receipts}
    assert len(new) == 3


@WRITE
def test_what_is_written_twice_is_there_once(
    entry: Entry, case: Case, account: Account, tmp_path: Path, wire: Wire
) -> None:
    sample = sample_of(case)
    records = sample.records(account.hand)
    assert write(entry, case, account, records, tmp_path).code == 0
    after = there(case, account)
    wire.clear()
    again = write(entry, case, account, records, tmp_path)
    if sample.twice:
        assert again.outcomes == ["rejected"] * 3
        return
    assert (again.code, again.outcomes) == (0, ["unchanged"] * 3)
    assert there(case, account) == after
    assert [request.url for request in wire.requests if writes(request)] == []
    assert doubled(wire.requests) == []


@pytest.mark.parametrize(("entry", "case"), cases(lambda _entry, case: case.sample and case.sample.change))
def test_a_change_changes_what_is_there(entry: Entry, case: Case, account: Account, tmp_path: Path) -> None:
    sample = sample_of(case)
    records = sample.records(account.hand)
    write(entry, case, account, records, tmp_path)
    after = there(case, account)
    changed = [{**record, **sample.change} for record in records]
    written = write(entry, case, account, [*changed[:2], records[2]], tmp_path)
    assert (written.code, written.outcomes) == (0, ["updated", "updated", "unchanged"])
    assert there(case, account) == after
    rows = read_back(entry, case, account)
    for record in (*changed[:2], records[2]):
        assert len(found_in(rows, sample, record)) == 1


@WRITE
def test_a_rejected_record_is_named_and_its_neighbours_land(
    entry: Entry, case: Case, account: Account, tmp_path: Path
) -> None:
    sample = sample_of(case)
    first, bad, last = sample.records(account.hand)
    bad = {**bad, **sample.fault}
    before = there(case, account)
    written = write(entry, case, account, [first, bad, last], tmp_path)
    assert (written.code, [o == "rejected" for o in written.outcomes]) == (1, [False, True, False])
    [reject] = written.rejects
    assert reject["record"] == bad
    assert sample.said in reject["error"]["message"]
    assert reject["error"]["status"] in range(400, 500)
    assert plugins.state_of(written) == {"position": 3}
    if sample.creates and not sample.twice:
        assert len(there(case, account) - before) == 2
    rows = read_back(entry, case, account)
    for record in first, last:
        assert len(found_in(rows, sample, record)) == 1


@WRITE
def test_a_write_that_the_api_cannot_take_now_is_sent_again(
    entry: Entry, case: Case, account: Account, tmp_path: Path, wire: Wire
) -> None:
    sample = sample_of(case)
    before = there(case, account)
    records = sample.records(account.hand)
    wire.fail(429, 503, 429, only=writes)
    written = write(entry, case, account, records, tmp_path)
    assert wire.waiting == 0
    assert (written.code, written.outcomes) == (0, ["created" if sample.creates else "updated"] * 3)
    assert len(there(case, account) - before) == (3 if sample.creates else 0)


@pytest.mark.parametrize(
    ("entry", "case", "fault"),
    [
        pytest.param(*known.values, fault, id=f"{known.id}-{fault}", marks=known.marks)
        for known in cases(lambda _entry, case: case.sample and case.sample.creates)
        for fault in (500, CUT, LOST)
        if fault == LOST or not known.marks  # a real server takes its time, and to the writer the three are alike
    ],
)
def test_a_creation_without_an_answer_is_found_out_or_said_to_be_unknown_and_never_done_twice(
    entry: Entry, case: Case, account: Account, tmp_path: Path, wire: Wire, fault: int | str
) -> None:
    sample = sample_of(case)
    before = there(case, account)
    records = sample.records(account.hand)
    wire.fail(fault, only=writes)
    written = write(entry, case, account, records, tmp_path)
    assert wire.waiting == 0
    new = len(there(case, account) - before)
    if sample.settles:
        assert (written.code, new, written.outcomes) == (0, 3, ["created"] * 3)
    else:
        assert set(written.outcomes) <= {"created", "unknown"}
        assert new <= 3
        assert new >= written.outcomes.count("created")
        assert written.code == (1 if "unknown" in written.outcomes else 0)


@pytest.mark.parametrize("entry", apis(lambda entry: entry.target))
def test_a_credential_that_is_refused_is_named_not_shown_and_not_tried_again(
    entry: Entry, account: Account, tmp_path: Path, wire: Wire
) -> None:
    case = next(case for case in entry.cases if case.sample)
    [(setting, value)] = account.wrong.items()
    wrong = Account({**account.config, **account.wrong}, account.hand)
    with pytest.raises(Unauthorized, match=setting) as caught:
        write(entry, case, wrong, sample_of(case).records(account.hand), tmp_path)
    assert value not in str(caught.value)
    assert len(wire.requests) == 1


def deletable(entry: Entry, case: Case) -> bool:
    return bool(case.sample and not case.sample.undeleted)


@pytest.mark.parametrize(("entry", "case"), cases(deletable))
def test_a_record_that_is_gone_at_the_source_is_deleted_when_asked_for(
    entry: Entry, case: Case, account: Account, tmp_path: Path
) -> None:
    before = there(case, account)
    records = sample_of(case).records(account.hand)
    write(entry, case, account, records, tmp_path)
    gone = [{**record, "_sdc_deleted_at": "2026-05-05T10:00:00Z"} for record in records[:2]]
    kept = write(entry, case, account, gone, tmp_path)
    assert (kept.code, kept.outcomes) == (0, ["skipped", "skipped"])
    assert len(there(case, account) - before) == 3
    written = write(entry, case, account, gone, tmp_path, deletes="delete")
    assert (written.code, written.outcomes) == (0, ["deleted", "deleted"])
    assert len(there(case, account) - before) == 1
