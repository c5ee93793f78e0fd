"""The fault matrix: every writing API, through every fault. Nothing is lost, and nothing is there twice."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from antiphon import apis
from antiphon.writeback.guarantee import guarantee

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


@pytest.mark.parametrize("writing", WRITINGS, ids=lambda writing: f"{writing.api}-{writing.name}")
def test_the_matrix_expects_what_the_table_of_guarantees_says(writing):
    api = apis.load(Till().config("http://127.0.0.1")["api"] if writing.api == "till" else writing.api)
    says = guarantee(next(r for r in api.resources if r.name == writing.resource), "create")
    assert ("exactly once" in says) if writing.once else ("at most once" in says)
