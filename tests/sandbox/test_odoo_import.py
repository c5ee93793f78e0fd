"""`load`: external ids, references, lines, messages, and nothing left behind by an error."""

from __future__ import annotations

import pytest

NAME = "res.partner"


def loaded(odoo, fields, rows, model=NAME, **context):
    return odoo(model, "load", fields, rows, context=context)


def test_an_external_id_makes_a_record_once_and_finds_it_again(odoo):
    first = loaded(odoo, ["id", "name"], [["ada", "Ada"], ["shop.bob", "Bob"]])
    assert (first["messages"], first["nextrow"], len(first["ids"])) == ([], 0, 2)
    assert loaded(odoo, ["id", "name"], [["ada", "Ada L."], ["shop.bob", "Bob"]])["ids"] == first["ids"]
    entries = odoo("ir.model.data", "search_read", [["res_id", "in", first["ids"]]], ["module", "name", "model"])
    assert [(one["module"], one["name"], one["model"]) for one in entries] == [
        ("__import__", "ada", NAME),
        ("shop", "bob", NAME),
    ]
    assert odoo(NAME, "read", first["ids"], ["name"])[0]["name"] == "Ada L."
    other = loaded(odoo, ["id", "name"], [["ada", "Other"]], module="crm")
    assert other["ids"] != first["ids"][:1]


def test_an_external_id_whose_record_is_gone_gets_another(odoo):
    (id_,) = loaded(odoo, ["id", "name"], [["ada", "Ada"]])["ids"]
    odoo(NAME, "unlink", [id_])
    (again,) = loaded(odoo, ["id", "name"], [["ada", "Ada"]])["ids"]
    assert again != id_


def test_references_go_by_external_id_database_id_or_name(odoo):
    fields = ["name", "country_id/id", "category_id/.id", "user_id", "parent_id/.id"]
    (id_,) = loaded(odoo, fields, [["Ada", "base.be", "1,3", "Mitchell Admin", "1"]])["ids"]
    shown = odoo(NAME, "read", [id_], ["country_id", "category_id", "user_id", "parent_id"])[0]
    assert (shown["country_id"][0], shown["category_id"], shown["user_id"][0], shown["parent_id"][0]) == (
        1,
        [1, 3],
        2,
        1,
    )


def test_values_are_text_and_labels_will_do(odoo):
    fields = ["name", "is_company", "color", "type", "credit_limit"]
    done = loaded(odoo, fields, [["Ada", "yes", "7", "Invoice Address", "1.5"]])
    shown = odoo(NAME, "read", done["ids"], fields[1:])[0]
    assert (shown["is_company"], shown["color"], shown["type"], shown["credit_limit"]) == (True, 7, "invoice", 1.5)
    doubtful = loaded(odoo, ["name", "is_company"], [["Ada", "maybe"]])
    assert (doubtful["messages"][0]["type"], len(doubtful["ids"])) == ("warning", 1)


def test_datetimes_are_read_in_the_users_time_zone(odoo):
    fields = ["name", "date_begin", "date_end"]
    rows = [["E", "2026-07-01 10:00:00", "2026-07-01 18:00:00"]]
    for context, hour in (({}, "08"), ({"tz": "UTC"}, "10")):
        (id_,) = loaded(odoo, fields, rows, "event.event", **context)["ids"]
        assert odoo("event.event", "read", [id_], ["date_begin"])[0]["date_begin"] == f"2026-07-01 {hour}:00:00"


@pytest.mark.parametrize(
    ("field", "cell", "words"),
    [
        ("country_id", "Atlantis", "No matching record found for name 'Atlantis' in field 'Country'"),
        ("country_id/id", "base.xx", "No matching record found for external id 'base.xx' in field 'Country'"),
        ("country_id/.id", "99", "No matching record found for database id '99' in field 'Country'"),
        ("country_id/.id", "foo", "Invalid database id 'foo' for the field 'Country'"),
        ("country_id/code", "BE", "Can not create Many-To-One records indirectly, import the field separately"),
        ("color", "red", "'red' does not seem to be an integer for field 'Color Index'"),
        ("credit_limit", "much", "'much' does not seem to be a number for field 'Credit Limit'"),
        ("type", "robot", "Value 'robot' not found in selection field 'Address Type'"),
        (".id", "4711", "Unknown database identifier '4711'"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_with_its_row(odoo, field, cell, words):
    before = odoo(NAME, "search_count", [])
    done = loaded(odoo, ["name", field], [["Fine", ""], ["Bad", cell]])
    message = done["messages"][-1]
    assert done["ids"] is False
    assert (message["type"], message["message"], message["record"]) == ("error", words, 1)
    assert (message["rows"], message["field"]) == ({"from": 1, "to": 1}, field.partition("/")[0] or field)
    assert odoo(NAME, "search_count", []) == before


def test_every_row_that_cannot_be_written_is_named_and_nothing_stays(odoo):
    before = odoo(NAME, "search_count", [])
    done = loaded(odoo, ["id", "name"], [["a", "A"], ["b", ""], ["c", "C"], ["d", ""]])
    assert done["ids"] is False
    assert [(m["record"], m["message"].endswith("Contacts require a name")) for m in done["messages"]] == [
        (1, True),
        (3, True),
    ]
    assert odoo(NAME, "search_count", []) == before
    assert odoo("ir.model.data", "search", [["name", "in", ["a", "c"]]]) == []


def test_a_missing_required_value_names_its_field(odoo):
    done = loaded(odoo, ["name", "login"], [["Eve", ""]], "res.users")
    assert done["messages"][0]["message"] == "Missing required value for the field 'Login' (login)"
    assert done["messages"][0]["field"] == "login"


def test_many_errors_end_the_import_early(odoo):
    done = loaded(odoo, ["id", "name"], [[f"x{n}", ""] for n in range(100)])
    assert [message["type"] for message in done["messages"]] == ["error"] * 10 + ["warning"]
    assert "interrupted to avoid showing too many errors" in done["messages"][-1]["message"]


def test_an_unknown_column_is_a_fault(odoo):
    assert "KeyError: 'nope'" in odoo.fault(NAME, "load", ["name", "nope"], [["A", "B"]]).faultString


def test_lines_stand_on_rows_of_their_own(odoo):
    fields = ["id", "partner_id/.id", "order_line/name", "order_line/price_unit"]
    rows = [["so.1", "1", "a", "2"], ["", "", "b", "3"], ["so.2", "1", "c", "4"]]
    done = loaded(odoo, fields, rows, "sale.order")
    assert done["messages"] == []
    totals = [one["amount_total"] for one in odoo("sale.order", "read", done["ids"], ["amount_total"])]
    assert totals == [5.0, 4.0]
    bad = loaded(odoo, fields, [["so.3", "1", "a", "2"], ["", "", "b", "x"]], "sale.order")
    assert bad["messages"][0]["rows"] == {"from": 0, "to": 1}


def test_what_must_not_be_updated_is_left_alone_in_update_mode(odoo):
    (id_,) = loaded(odoo, ["id", "name"], [["keep.me", "Old"]], noupdate=True)["ids"]
    assert loaded(odoo, ["id", "name"], [["keep.me", "New"]], mode="update")["ids"] == [id_]
    assert odoo(NAME, "read", [id_], ["name"])[0]["name"] == "Old"
    loaded(odoo, ["id", "name"], [["keep.me", "New"]])
    assert odoo(NAME, "read", [id_], ["name"])[0]["name"] == "New"


def test_an_external_id_is_unique(odoo):
    entry = {"module": "m", "name": "n", "model": NAME, "res_id": 1}
    odoo("ir.model.data", "create", entry)
    assert "Key (module, name)=(m, n) already exists" in odoo.fault("ir.model.data", "create", entry).faultString
