"""Archived records of Odoo that come again: restored where they are to be, and never made a second time."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from contract import plugins
from hypothesis import given, settings
from hypothesis import strategies as st
from odoo_account import EACH, odoo, written

from target_odoo import TargetOdoo

GONE = {"_sdc_deleted_at": "2026-05-05T10:00:00Z"}


def people(count, **more):
    return [{"name": f"P{n}", "ref": f"R{n}", **more} for n in range(count)]


def there(account):
    """Which of our partners there are, and whether each is active."""
    return {row["ref"]: row["active"] for row in account.partners("ref", "active") if str(row["ref"]).startswith("R")}


@EACH
def test_what_the_stream_itself_has_archived_is_restored_when_it_comes_again(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.write(people(4), match=["ref"])
        gone = [row | GONE for row in people(2)]
        assert written(account.write(gone, match=["ref"], deletes="archive")) == {"deleted": 2}
        assert there(account) == {"R0": False, "R1": False, "R2": True, "R3": True}
        again = [people(4)[0], people(4, city="Gent")[1], *people(4)[2:]]
        assert written(account.write(again, match=["ref"])) == {"unchanged": 2, "updated": 2}
        assert there(account) == dict.fromkeys(("R0", "R1", "R2", "R3"), True)
        assert [row["city"] for row in account.partners("ref", "city") if row["ref"] == "R1"] == ["Gent"]
        account.app.reset_calls()
        assert written(account.write(again, match=["ref"])) == {"unchanged": 4}
        assert account.called("res.partner/search_read") == 0


def test_what_somebody_else_has_archived_is_restored_only_if_all_is_to_be(tmp_path):
    with odoo(tmp_path) as account:
        [one] = account.app.add("res.partner", {"name": "P0", "ref": "R0", "active": False})
        assert written(account.write(people(1, city="Gent"), match=["ref"])) == {"updated": 1}
        assert there(account) == {"R0": False}
        assert written(account.write(people(1), match=["ref"], restore="none")) == {"unchanged": 1}
        assert written(account.write(people(1), match=["ref"], restore="all", full=True)) == {"updated": 1}
        assert there(account) == {"R0": True}
        assert written(account.write(people(1), match=["ref"], restore="all", full=True)) == {"unchanged": 1}
        assert [row["id"] for row in account.partners("id", "ref") if row["ref"] == "R0"] == [one]


@pytest.mark.parametrize("mode", ["update", "create"])
def test_update_and_create_restore_too(tmp_path, mode):
    with odoo(tmp_path) as account:
        account.app.add("res.partner", {"name": "P0", "ref": "R0", "active": False})
        assert written(account.write(people(1, city="Gent"), match=["ref"], mode=mode, restore="all")) == {"updated": 1}
        assert there(account) == {"R0": True}
        assert account.partners("ref", "city")[-1] == {"ref": "R0", "city": "Gent"}


@EACH
def test_what_goes_by_an_external_id_is_restored_although_odoos_import_would_leave_it(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        rows = [{"external_id": f"shop.p{n}", **row} for n, row in enumerate(people(3))]
        account.write(rows)
        assert written(account.write([rows[0] | GONE], deletes="archive")) == {"deleted": 1}
        assert written(account.write(rows)) == {"unchanged": 2, "updated": 1}
        assert there(account) == dict.fromkeys(("R0", "R1", "R2"), True)
        [one] = account.connection().find("partner", ref="R1")
        account.connection().call("partner.action_archive", id=one["id"])
        assert written(account.write(rows, restore="all", full=True)) == {"unchanged": 2, "updated": 1}
        assert there(account) == dict.fromkeys(("R0", "R1", "R2"), True)


def test_what_goes_by_its_id_is_restored(tmp_path):
    with odoo(tmp_path) as account:
        one, other = account.app.add(
            "res.partner", {"name": "P0", "ref": "R0"}, {"name": "P1", "ref": "R1", "active": False}
        )
        rows = [{"id": id, "city": "Gent"} for id in (one, other)]
        assert written(account.write([rows[0] | GONE], match=["id"], deletes="archive")) == {"deleted": 1}
        assert written(account.write(rows, match=["id"])) == {"updated": 2}
        assert there(account) == {"R0": True, "R1": False}
        assert written(account.write(rows, match=["id"], restore="all", full=True)) == {"unchanged": 1, "updated": 1}
        assert there(account) == {"R0": True, "R1": True}
        said = account.write([{"id": 99999, "city": "Gent"}], match=["id"], restore="all")
        assert "does not exist" in said.rejects[0]["error"]["message"]


def test_a_source_that_says_itself_whether_a_record_is_archived_is_believed(tmp_path):
    with odoo(tmp_path) as account:
        account.app.add("res.partner", {"name": "P0", "ref": "R0", "active": False})
        assert written(account.write(people(1, active=False), match=["ref"], restore="all")) == {"unchanged": 1}
        assert there(account) == {"R0": False}
        assert written(account.write(people(1, active=True), match=["ref"])) == {"updated": 1}
        assert there(account) == {"R0": True}


def test_a_mirror_restores_what_it_took_away_and_takes_it_away_again(tmp_path):
    with odoo(tmp_path) as account:
        how = {"match": ["ref"], "mode": "mirror", "complete": "end"}
        for count in (3, 2, 3, 2, 3):
            account.write(people(count), **how)
            assert there(account) == {"R0": True, "R1": True, "R2": count == 3}
        assert Counter(row["ref"] for row in account.partners("ref"))["R2"] == 1


@pytest.mark.parametrize("moved", [{}, {"ref": "R9"}])
@pytest.mark.parametrize("active", [True, False])
def test_what_comes_back_by_its_own_column_is_the_mirrors_own_as_before(tmp_path, moved, active):
    with odoo(tmp_path) as account:
        how = {"match": ["ref", "email"], "mode": "mirror", "complete": "end"}
        rows = [{**row, "email": f"{n}@example.org", "active": True} for n, row in enumerate(people(3))]
        account.write(rows, **how)
        account.write(rows[1:], **how)
        assert there(account)["R0"] is False
        back = rows[0] | moved | {"active": active}
        account.write([back, *rows[1:]], **how)
        assert there(account)[back["ref"]] is active
        account.write([{**back, "active": True}, *rows[1:]], **how)
        assert there(account)[back["ref"]] is True
        assert written(account.write(rows[1:], **how)) == {"unchanged": 2, "deleted": 1}
        assert there(account)[back["ref"]] is False


SOURCE = st.tuples(
    st.dictionaries(st.integers(0, 3), st.booleans(), max_size=4), st.booleans(), st.sets(st.integers(0, 3))
)
"""A source, whether it says of its records if they are archived, and whose state others turn before it is read."""


@settings(max_examples=20, deadline=None)
@given(runs=st.lists(SOURCE, min_size=2, max_size=5))
def test_after_any_runs_what_a_mirror_made_is_archived_unless_its_source_has_it(tmp_path_factory, runs):
    with odoo(tmp_path_factory.mktemp("odoo")) as account:
        how = {"match": ["ref"], "mode": "mirror", "complete": "end", "max_delete": "100%"}
        for source, says, turned in runs:
            for row in account.partners("id", "ref", "active"):
                if row["ref"] in {f"R{n}" for n in turned & set(source)}:
                    how_so = "archive" if row["active"] else "unarchive"
                    account.connection().call(f"partner.action_{how_so}", id=row["id"])
            rows = [
                {"name": f"P{n}", "ref": f"R{n}"} | ({"active": active} if says else {}) for n, active in source.items()
            ]
            account.write(rows, full=True, **how)
            for ref, active in there(account).items():
                n = int(ref[1:])
                assert not source or n in source or not active
                assert not says or n not in source or active is source[n]


def test_what_somebody_else_has_restored_is_the_mirrors_own_as_before(tmp_path):
    with odoo(tmp_path) as account:
        how = {"match": ["ref"], "mode": "mirror", "complete": "end"}
        account.write(people(3), **how)
        account.write(people(2), **how)
        [one] = [row["id"] for row in account.partners("id", "ref") if row["ref"] == "R2"]
        account.connection().call("partner.action_unarchive", id=one)
        for count in (2, 3):
            account.write(people(count), **how)
            assert there(account)["R2"] is True
        account.write(people(2), **how)
        assert there(account)["R2"] is False


@EACH
def test_what_goes_by_an_external_id_and_comes_back_by_its_own_column_is_the_mirrors_own(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        how = {"mode": "mirror", "complete": "end", "restore": "none"}
        rows = [{"external_id": f"shop.p{n}", "active": True, **row} for n, row in enumerate(people(3))]
        for count in (3, 2, 3, 2):
            account.write(rows[:count], **how)
            assert there(account)["R2"] is (count == 3)


def test_an_undo_file_restores_what_a_mirror_archived(tmp_path):
    with odoo(tmp_path) as account:
        how = {"match": ["ref"], "mode": "mirror", "complete": "end", "max_delete": 2}
        account.write(people(3), **how)
        account.write(people(1), **how)
        assert there(account) == {"R0": True, "R1": False, "R2": False}
        [undo] = (tmp_path / "state" / "undo").iterdir()
        lines = [json.loads(line) for line in undo.read_text().splitlines()]
        ids = sorted(row["id"] for row in account.partners("id", "ref") if row["ref"] in {"R1", "R2"})
        assert [line["record"] for line in lines[1:]] == [{"id": id, "active": True} for id in ids]
        config = {**account.config, "streams": {"people": {"resource": "partner", **how}}}
        said = plugins.write(TargetOdoo, config, lines, tmp_path)
        assert (said.code, there(account)) == (0, {"R0": True, "R1": True, "R2": True})


def test_two_records_that_match_one_that_is_archived_restore_it_once(tmp_path):
    with odoo(tmp_path) as account:
        account.app.add("res.partner", {"name": "P0", "ref": "R0", "email": "r0@example.org", "active": False})
        rows = [{"ref": "R0", "city": "Gent"}, {"email": "r0@example.org", "city": "Lier"}]
        said = account.write(rows, match=["ref", "email"], restore="all")
        assert written(said) == {"superseded": 1, "updated": 1}
        assert account.partners("active", "city")[-1] == {"active": True, "city": "Lier"}


def test_a_model_that_has_nothing_to_archive_by_is_mirrored_by_deleting(tmp_path):
    with odoo(tmp_path) as account:
        partner = account.partners("id")[0]["id"]
        rows = [{"client_order_ref": f"S{n}", "partner_id": partner} for n in range(2)]
        how = {"resource": "sale_order", "match": ["client_order_ref"], "mode": "mirror", "complete": "end"}
        assert written(account.write(rows, **how)) == {"created": 2}
        account.write(rows[:1], **how)
        found = [row["client_order_ref"] for row in account.app.records("sale.order", ["client_order_ref"])]
        assert [ref for ref in found if str(ref).startswith("S")] == ["S0"]
