"""The servers that the examples are tried on, without anything of ours: each creates, lists, changes and deletes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.served import Row, Served

Start = Callable[[str], Served]

#: For each server the rows to make, and what is changed of one.
ROWS: dict[str, tuple[Callable[[int], Row], Row]] = {
    "directus": (lambda n: {"email": f"p{n}@example.org", "name": f"P{n}", "vip": True}, {"name": "Changed"}),
    "cap": (lambda n: {"email": f"p{n}@example.org", "name": f"P{n}", "balance": "3.50"}, {"name": "Changed"}),
    "tryton": (lambda n: {"name": f"P{n}", "code": f"C{n}"}, {"name": "Changed"}),
    "localstripe": (lambda n: {"email": f"p{n}@example.org", "name": f"P{n}"}, {"name": "Changed"}),
    "scim": (lambda n: {"userName": f"p{n}@example.org", "displayName": f"P{n}"}, {"displayName": "Changed"}),
    "oauth1": (lambda n: {"email": f"p{n}@example.org", "name": f"P{n}"}, {"name": "Changed"}),
    "parameters": (lambda n: {"Name": f"/p/{n}", "Value": str(n)}, {"Value": "Changed"}),
    "users": (lambda n: {"UserName": f"p{n}", "Path": "/"}, {"Path": "/Changed/"}),
    "buckets": (lambda n: {"Name": f"bucket-{n}"}, {}),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_server_creates_lists_changes_and_deletes(served: Start, name: str):
    table = served(name).table
    make, fields = ROWS[name]
    before = len(table.rows())
    made = [make(n) for n in range(3)]

    table.add(made)
    fresh = [row for row in table.rows() if any(made_row.items() <= row.items() for made_row in made)]
    assert (len(fresh), len(table.rows())) == (3, before + 3)

    table.change(fresh[0], fields)
    changed = [row for row in table.rows() if "Changed" in str(row)]
    assert len(changed) == bool(fields)

    for row in fresh:
        table.remove(row)
    assert len(table.rows()) == before
