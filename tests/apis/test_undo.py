"""Undo files of mirrors, piped into the same target: whatever a mirror matches by, and whether it archives or deletes."""

from __future__ import annotations

import pytest
from contract import plugins
from odoo_account import odoo, written
from salesforce_account import org

from target_odoo import TargetOdoo
from target_salesforce import TargetSalesforce

MIRROR = {"mode": "mirror", "complete": "end", "max_delete": "100%"}


class Mirror:
    """The stream ``ours``, mirrored by *target* as *entry* says."""

    def __init__(self, target, config, folder, **entry):
        self.target, self.folder = target, folder
        self.config = {**config, "state_dir": str(folder / "state"), "streams": {"ours": {**MIRROR, **entry}}}

    def __call__(self, *rows):
        said = plugins.write(self.target, self.config, plugins.stream("ours", rows), self.folder)
        assert said.code == 0, said.rejects
        return written(said)

    def undo(self):
        """Pipe in what the last run took away."""
        newest = max((self.folder / "state" / "undo").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        lines = plugins.messages(newest)
        newest.unlink()
        said = plugins.write(self.target, self.config, lines, self.folder)
        assert said.code == 0, said.rejects
        return written(said)


def comes_and_goes(mirror, one, other, there):
    """Take *other* away and bring it back, twice; each time it is the mirror's own, which takes it away again."""
    for _ in range(2):
        mirror(one, other)
        mirror(one)
        assert there() == 1
        mirror.undo()
        assert there() == 2
        mirror(one)
        assert there() == 1
        mirror.undo()
        assert set(mirror(one, other)) <= {"unchanged", "updated"}
        assert there() == 2


@pytest.mark.parametrize("deletes", ["archive", "delete"])
@pytest.mark.parametrize(
    ("resource", "match", "model"),
    [
        ("partner", "email", "res.partner"),
        ("partner", "ref", "res.partner"),
        ("lead", "name", "crm.lead"),
        ("product", "default_code", "product.template"),
    ],
)
def test_odoo(tmp_path, resource, match, model, deletes):
    with odoo(tmp_path) as account:
        mirror = Mirror(TargetOdoo, account.config, tmp_path, resource=resource, match=[match], deletes=deletes)
        rows = [{"name": f"N{n}", match: f"N{n}@x.org"} for n in range(2)]

        def there():
            found = account.app.records(model, [match, "active"])
            return sum(str(row[match]).endswith("@x.org") and row["active"] for row in found)

        comes_and_goes(mirror, *rows, there)


def test_odoo_restores_nothing_of_others(tmp_path):
    with odoo(tmp_path) as account:
        mirror = Mirror(TargetOdoo, account.config, tmp_path, resource="partner", match=["ref"], deletes="delete")
        one, other = ({"name": f"N{n}", "ref": f"R{n}"} for n in range(2))
        mirror(one, other)
        mirror(one)
        account.app.add("res.partner", {"name": "Theirs", "ref": "R1", "active": False})
        assert mirror.undo() == {"skipped": 1}
        assert [row for row in account.partners("name", "ref", "active") if row["ref"] == "R1"] == [
            {"name": "Theirs", "ref": "R1", "active": False}
        ]


@pytest.mark.parametrize(
    ("name", "match", "more"),
    [
        ("Contact", "Email", {"LastName": "L"}),
        ("Contact", "LastName", {}),
        ("Account", "Name", {}),
        ("Account", "Ext_Id__c", {"Name": "N"}),
        ("Lead", "Email", {"LastName": "L", "Company": "C"}),
        ("Opportunity", "Name", {"StageName": "Closed Won", "CloseDate": "2026-01-31"}),
        ("Case", "Subject", {}),
        ("Task", "Subject", {}),
        ("Campaign", "Name", {}),
        ("Product2", "Name", {}),
    ],
)
def test_salesforce(tmp_path, name, match, more):
    with org(tmp_path) as made:
        mirror = Mirror(TargetSalesforce, made.settings, tmp_path, resource=name, match=[match])
        rows = [{**more, match: f"n{n}@x.org"} for n in range(2)]
        comes_and_goes(mirror, *rows, lambda: made.app.size(name))
