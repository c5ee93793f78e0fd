"""An API that fails now and then: no record is lost, none is there twice, each reject has the API's own words."""

from __future__ import annotations

import pytest
from faults.runs import FAULTS, a_stormy_run_is_whole

from .pipes import crm as an_account


@pytest.mark.parametrize("mode", ["upsert", "create"])
def test_a_run_through_faults_is_whole(tmp_path, mode):
    with an_account(tmp_path, stall_seconds=0.05) as crm:
        struck = a_stormy_run_is_whole(crm, mode, seed=3, hasty=True)
    assert struck == set(FAULTS)
