"""A run that is killed at any moment is resumed from its last STATE: each record once, none missing."""

from __future__ import annotations

from signal import SIGKILL, SIGTERM

import pytest
from faults.runs import a_creation_is_whole, an_upsert_is_whole, notes_are_at_most_once, random_points

from .pipes import crm as an_account


@pytest.mark.parametrize("run", range(5))
def test_a_killed_upsert_is_resumed(tmp_path, run):
    with an_account(tmp_path, latency_ms=5) as crm:
        an_upsert_is_whole(crm, random_points(1, 100, numbers=[SIGTERM if run % 2 else SIGKILL]))


@pytest.mark.parametrize("number", [SIGKILL, SIGTERM])
def test_a_killed_creation_of_contacts_is_resumed(tmp_path, number):
    with an_account(tmp_path, latency_ms=5) as crm:
        a_creation_is_whole(crm, random_points(1, 100, numbers=[number]))


@pytest.mark.parametrize("number", [SIGKILL, SIGTERM])
def test_a_killed_creation_of_notes_creates_none_twice(tmp_path, number):
    with an_account(tmp_path, latency_ms=5) as crm:
        notes_are_at_most_once(crm, random_points(1, 50, numbers=[number]))
