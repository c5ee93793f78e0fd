"""The fault matrix on a real pretix: fewer records than an emulator gets, for each is a call of 30 ms or more."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest
from faults.matrix import FAULTS, cell

from antiphon import apis
from antiphon.writeback.guarantee import guarantee

from .pretix_faulty import WRITINGS, PretixWriting, sold_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .pretix import Pretix

RECORDS = 200


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("writing", WRITINGS, ids=lambda writing: writing.resource)
def test_nothing_is_lost_or_done_twice(
    pretix: Pretix, writing: PretixWriting, fault: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    verdict = cell(replace(writing, pretix=pretix, fields=sold_at(pretix, writing)), fault, tmp_path, RECORDS)
    record_property("verdict", asdict(verdict))
    assert verdict.faults == []


@pytest.mark.parametrize("writing", WRITINGS, ids=lambda writing: writing.resource)
def test_the_matrix_expects_what_the_table_of_guarantees_says(writing: PretixWriting) -> None:
    [resource] = [r for r in apis.load("pretix").resources if r.name == writing.resource]
    assert ("exactly once" in guarantee(resource, "create")) is writing.once
