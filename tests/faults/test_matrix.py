"""The fault matrix: every writing API, through every fault. Nothing is lost, and nothing is there twice."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from singer import pipes

from antiphon import apis
from antiphon.sandbox.faults import Faults
from antiphon.writeback.guarantee import guarantee

from . import matrix
from .matrix import FAULTS, cell
from .till import Till
from .writings import WRITINGS

RECORDS = 5000
FEW = 300
CELLS = [
    pytest.param(writing, fault, id=f"{writing.api}-{writing.name}-{fault}".replace(" ", "-"))
    for writing in WRITINGS
    for fault in FAULTS
]
A_FEW = (
    "hubspot-contacts-create-timeout-after-commit",
    "hubspot-contacts-upsert-kill-at-sent",
    "hubspot-notes-create-kill-at-answered",
    "odoo-partner-upsert-partial-batch",
    "odoo-lead-create-disk-full:-ledger",
    "salesforce-Account-upsert-token-expires",
    "salesforce-Contact-create-kill-at-recorded",
    "till-orders-upsert-all-at-once",
    "till-scans-create-kill-at-intent",
)


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("writing", "fault"), CELLS)
def test_nothing_is_lost_or_done_twice(writing, fault, tmp_path, record_property):
    verdict = cell(writing, fault, tmp_path, RECORDS)
    record_property("verdict", asdict(verdict))
    assert verdict.faults == []


@pytest.mark.parametrize(("writing", "fault"), [one for one in CELLS if one.id in A_FEW])
def test_nothing_of_a_few_is_lost_or_done_twice(writing, fault, tmp_path):
    assert cell(writing, fault, tmp_path, FEW).faults == []


class Idle:
    """A target that sends nothing, and says of every record that nobody knows what became of it."""

    def __init__(self, *_args, folder, **_more):
        self.folder = folder

    def give(self, *messages, close):
        assert close
        records = [message["record"] for message in messages if message["type"] == "RECORD"]
        told = pipes.record("antiphon_receipts", outcome="unknown", error="the answer was lost")
        config = json.loads((self.folder / "config.json").read_text())
        Path(config["receipts"]).write_bytes(pipes.encoded([told] * len(records)))
        self.state = messages[-1]["value"]

    def ended(self, _seconds):
        return pipes.Ran(1, json.dumps(self.state), "unknown")


AT_MOST_ONCE = [writing for writing in WRITINGS if not writing.once]


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.shares])
@pytest.mark.parametrize("writing", [WRITINGS[0], WRITINGS[-1]], ids=lambda writing: writing.resource)
def test_a_fault_that_never_strikes_is_not_passed(writing, fault, tmp_path, monkeypatch):
    monkeypatch.setattr(Faults, "draw", lambda *_, **__: None)
    assert any("were struck, of" in said for said in cell(writing, fault, tmp_path, FEW).faults)


@pytest.mark.parametrize("writing", [WRITINGS[0], WRITINGS[-1]], ids=lambda writing: writing.resource)
def test_a_token_that_never_expires_is_not_passed(writing, tmp_path, monkeypatch):
    monkeypatch.setattr("antiphon.sandbox.hubspot.emulator.HubSpot.expire_token", lambda _: None)
    monkeypatch.setattr(Till, "expire_token", lambda _: None)
    assert "no call found its token expired" in cell(writing, "token expires", tmp_path, FEW).faults


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.full != "receipts"])
@pytest.mark.parametrize("writing", AT_MOST_ONCE, ids=lambda writing: writing.resource)
def test_a_target_that_sends_nothing_is_not_passed(writing, fault, tmp_path, monkeypatch):
    monkeypatch.setattr(matrix.pipes, "Process", Idle)
    faults = cell(writing, fault, tmp_path, FEW).faults
    assert any("whose answer was not lost" in said for said in faults)


@pytest.mark.parametrize("writing", WRITINGS, ids=lambda writing: f"{writing.api}-{writing.name}")
def test_the_matrix_expects_what_the_table_of_guarantees_says(writing):
    api = apis.load(Till().config("http://127.0.0.1")["api"] if writing.api == "till" else writing.api)
    says = guarantee(next(r for r in api.resources if r.name == writing.resource), "create")
    assert ("exactly once" in says) if writing.once else ("at most once" in says)
