"""An API that fails now and then: no record is lost, none is there twice, each reject has the API's own words."""

from __future__ import annotations

from faults.runs import a_stormy_run_is_whole

from .pipes import crm as an_account


def test_upserts_through_faults(tmp_path):
    with an_account(tmp_path, stall_seconds=0.05) as crm:
        a_stormy_run_is_whole(crm, "upsert", seed=1)


def test_creations_through_faults(tmp_path):
    with an_account(tmp_path, stall_seconds=0.05) as crm:
        a_stormy_run_is_whole(crm, "create", seed=2)
