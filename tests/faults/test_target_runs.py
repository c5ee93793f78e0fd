"""The long runs: many kills at random moments, and faults besides."""

from __future__ import annotations

from signal import SIGKILL, SIGTERM

import pytest
from singer.pipes import crm as an_account

from .runs import a_creation_is_whole, an_upsert_is_whole, notes_are_at_most_once, random_points

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
BOTH = [SIGKILL, SIGTERM]


@pytest.mark.parametrize("run", range(8))
def test_a_killed_upsert_is_resumed(tmp_path, run):
    with an_account(tmp_path, latency_ms=5) as crm:
        an_upsert_is_whole(crm, random_points(1 + run % 4, 60, numbers=BOTH[run % 2 :]))


@pytest.mark.parametrize("run", range(8))
def test_a_killed_creation_of_contacts_is_resumed(tmp_path, run):
    with an_account(tmp_path, latency_ms=5) as crm:
        a_creation_is_whole(crm, random_points(1 + run % 4, 60, numbers=BOTH[run % 2 :]))


@pytest.mark.parametrize("run", range(8))
def test_a_killed_creation_of_notes_creates_none_twice(tmp_path, run):
    with an_account(tmp_path, latency_ms=5) as crm:
        notes_are_at_most_once(crm, random_points(1 + run % 4, 25, numbers=BOTH[run % 2 :]))


@pytest.mark.parametrize("run", range(5))
def test_a_killed_creation_of_contacts_is_resumed_through_lost_answers(tmp_path, run):
    faults = {"429": 0.02, "commit-timeout": 0.03, "cut": 0.02}
    with an_account(tmp_path, latency_ms=2, stall_seconds=0.02, faults=faults, seed=run) as crm:
        an_upsert_is_whole(crm, random_points(3, 60, numbers=BOTH))
