"""The small ORM: domains, orders, values, commands, constraints, time."""

from __future__ import annotations

import pytest

from antiphon.sandbox import start
from antiphon.sandbox.odoo import searching

NAME = "res.partner"
PEOPLE = (
    {"name": "Ann", "email": "Ann@x.example", "color": 3, "ref": "a_1", "country_id": 1},
    {"name": "Bob", "email": "bob@x.example", "color": 5, "is_company": True, "country_id": 2},
    {"name": "Cem", "color": 3, "active": False},
)


@pytest.fixture
def people(odoo):
    """Three contacts; the last is archived."""
    ids = odoo.app.add(NAME, *PEOPLE)

    def found(*domain, order="id", **context):
        mine = ["&", ["id", "in", ids], *domain] if domain else [["id", "in", ids]]
        names = odoo(NAME, "search_read", mine, fields=["name"], order=order, context=context)
        return "".join(one["name"][0] for one in names)

    found.ids = ids
    return found


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ([["color", ">", 3]], "B"),
        ([["color", "<=", 3]], "A"),
        ([["email", "=", "bob@x.example"]], "B"),
        ([["email", "!=", "bob@x.example"]], "A"),
        ([["ref", "=", False]], "B"),
        ([["ref", "!=", False]], "A"),
        ([["ref", "!=", "zzz"]], "AB"),
        ([["email", "in", ["bob@x.example", "no"]]], "B"),
        ([["ref", "not in", ["a_1"]]], "B"),
        ([["ref", "in", [False, "a_1"]]], "AB"),
        ([["email", "like", "ann"]], ""),
        ([["email", "ilike", "ann"]], "A"),
        ([["email", "not ilike", "ann"]], "B"),
        ([["email", "=ilike", "ann@x.example"]], "A"),
        ([["email", "=like", "%@x.example"]], "AB"),
        ([["ref", "=ilike", "A\\_1"]], "A"),
        ([["ref", "=ilike", "A_1"]], "A"),
        ([["is_company", "=", False]], "A"),
        ([["country_id", "=", 1]], "A"),
        ([["country_id", "=", "Germany"]], "B"),
        ([["country_id", "ilike", "germ"]], "B"),
        ([["country_id.code", "=", "BE"]], "A"),
        ([["country_id.code", "!=", "BE"]], "B"),
        (["|", ["color", "=", 5], ["ref", "=", "a_1"]], "AB"),
        (["!", ["color", "=", 5]], "A"),
        (["&", "!", ["color", "=", 5], ["ref", "=", "a_1"]], "A"),
        ([["active", "=", False]], "C"),
        ([["active", "in", [True, False]]], "ABC"),
        ([["user_id", "=?", False]], "AB"),
    ],
)
def test_a_domain_finds_what_it_says(people, domain, names):
    wanted = ["&"] * (len(domain) - 1) + domain if all(isinstance(term, list) for term in domain) else domain
    assert people(*wanted) == names


def test_archived_records_are_seen_only_when_asked_for(people):
    assert (people(), people(active_test=False)) == ("AB", "ABC")


def test_children_are_found_through_their_parent(odoo, people):
    ann, bob, _ = people.ids
    odoo(NAME, "write", [ann], {"parent_id": bob})
    assert sorted(odoo(NAME, "search", [["id", "child_of", bob]])) == [ann, bob]
    assert odoo(NAME, "read", [ann], ["display_name", "commercial_partner_id"])[0] == {
        "id": ann,
        "display_name": "Bob, Ann",
        "commercial_partner_id": [bob, "Bob"],
    }
    assert odoo(NAME, "read", [bob], ["child_ids"])[0]["child_ids"] == [ann]
    assert "Recursion Detected" in odoo.fault(NAME, "write", [bob], {"parent_id": ann}).faultString


def test_an_order_has_unset_values_last_and_refuses_what_it_does_not_know(odoo, people):
    assert (people(order="ref, id desc"), people(order="color desc, name")) == ("AB", "BA")
    assert people(order="ref desc") == "BA"
    assert "Invalid field 'nope' on model" in odoo.fault(NAME, "search", [], order="nope").faultString
    assert odoo.fault(NAME, "search", [], order="name; drop").faultCode == 2


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ([["nope", "=", 1]], "ValueError: Invalid field res.partner.nope in leaf"),
        ([["name", "~", "x"]], "ValueError: Invalid operator '~'"),
        (["|", ["name", "=", "x"]], "missing terms"),
        (["name"], "invalid item"),
        ([["write_date", ">", "2026-01-01T00:00:00Z"]], "does not match format '%Y-%m-%d %H:%M:%S'"),
    ],
)
def test_a_domain_that_is_none_is_a_fault(odoo, domain, words):
    assert words in odoo.fault(NAME, "search", domain).faultString


def test_offset_and_limit_cut_the_list(odoo):
    everybody = odoo(NAME, "search", [], order="id")
    assert len(everybody) == 11
    assert odoo(NAME, "search", [], offset=3, limit=2, order="id") == everybody[3:5]
    assert odoo(NAME, "search", [], offset=3, limit=2) == odoo(NAME, "search", [])[3:5]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"color": "red"}, "invalid literal for int()"),
        ({"credit_limit": "much"}, "could not convert string to float"),
        ({"country_id": "BE"}, "Wrong value for res.partner.country_id: 'BE'"),
        ({"country_id": 4_711}, "res_partner_country_id_fkey"),
        ({"category_id": "x"}, "Wrong value for res.partner.category_id"),
        ({"category_id": [[4, 999, 0]]}, "Record does not exist"),
        ({"name": False}, "Contacts require a name"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(odoo, values, words):
    assert words in odoo.fault(NAME, "write", [3], values).faultString
    assert odoo(NAME, "read", [3], ["name"])[0]["name"] == "Mitchell Admin"


def test_datetimes_have_one_format_and_dates_are_cut(odoo):
    event = {"name": "E", "date_begin": "2026-05-01 08:00:00", "date_end": "2026-05-01 17:00:00"}
    id_ = odoo("event.event", "create", event)
    for wrong in ("2026-05-01T08:00:00", "2026-05-01 08:00:00+00:00", "2026-05-01 08:00:00.123", "soon"):
        assert odoo.fault("event.event", "write", [id_], {"date_begin": wrong}).faultCode == 1
    odoo("event.event", "write", [id_], {"date_begin": "2026-05-01"})
    assert odoo("event.event", "read", [id_], ["date_begin"])[0]["date_begin"] == "2026-05-01 00:00:00"
    move = odoo("account.move", "create", {"invoice_date": "2026-05-01T10:00:00Z"})
    assert odoo("account.move", "read", [move], ["invoice_date"])[0]["invoice_date"] == "2026-05-01"


def test_creating_many_is_all_or_nothing(odoo):
    before = odoo(NAME, "search_count", [])
    odoo.fault(NAME, "create", [{"name": "Fine"}, {"name": "Bad", "country_id": 999}])
    assert odoo(NAME, "search_count", []) == before
    assert odoo(NAME, "search", [["name", "=", "Fine"]]) == []


def test_lines_are_written_with_commands(odoo):
    lines = [[0, 0, {"name": text, "price_unit": price}] for text, price in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    order = odoo("sale.order", "create", {"partner_id": 1, "order_line": lines})

    def shown():
        (one,) = odoo("sale.order", "read", [order], ["order_line", "amount_total"])
        return [line["name"] for line in odoo("sale.order.line", "read", one["order_line"], ["name"])], one[
            "amount_total"
        ]

    assert shown() == (["a", "b", "c"], 6.0)
    one, two, three = odoo("sale.order", "read", [order], ["order_line"])[0]["order_line"]
    odoo("sale.order", "write", [order], {"order_line": [[1, one, {"price_unit": 9.0}], [2, two, 0], [3, three, 0]]})
    assert shown() == (["a"], 9.0)
    odoo("sale.order", "write", [order], {"order_line": [[5, 0, 0]]})
    assert shown() == ([], 0.0)
    assert "order_id" in odoo.fault("sale.order.line", "create", {"name": "alone"}).faultString


def test_many_to_many_is_linked_and_unlinked(odoo):
    def tags(*commands):
        odoo(NAME, "write", [3], {"category_id": list(commands)})
        return odoo(NAME, "read", [3], ["category_id"])[0]["category_id"]

    assert tags([6, 0, [1, 2]]) == [1, 2]
    assert tags([4, 3, 0], [3, 1, 0]) == [2, 3]
    fresh = tags([0, 0, {"name": "Fresh"}])
    assert len(fresh) == 3
    assert tags([2, fresh[-1], 0]) == [2, 3]
    assert tags([5, 0, 0]) == []
    assert odoo("res.partner.category", "search_count", []) == 3


def test_write_date_is_the_start_of_the_transaction_to_the_microsecond_and_shown_to_the_second(odoo):
    ids = odoo(NAME, "create", [{"name": "One"}, {"name": "Two"}])
    stored = {row["write_date"] for row in odoo.app.records(NAME) if row["id"] in ids}
    assert len(stored) == 1
    (moment,) = stored
    shown = odoo(NAME, "read", ids, ["write_date"])[0]["write_date"]
    assert (len(moment), shown) == (26, moment[:19])
    # The precision trap: what was shown is older than what is stored.
    assert ids[0] in odoo(NAME, "search", [["write_date", ">", shown]])
    assert odoo(NAME, "search", [["write_date", "=", shown]]) == []


def test_a_parent_does_not_notice_that_its_lines_change(odoo):
    (order,) = odoo.app.add("sale.order", {"partner_id": 1, "order_line": [[0, 0, {"name": "a", "price_unit": 1}]]})
    before = odoo("sale.order", "read", [order], ["write_date", "order_line", "amount_total"])[0]
    odoo.app.edit("sale.order.line", {"price_unit": 7}, ids=before["order_line"], at="2030-01-01 00:00:00")
    after = odoo("sale.order", "read", [order], ["write_date", "amount_total"])[0]
    assert (after["write_date"], after["amount_total"]) == (before["write_date"], 7.0)


def test_a_long_transaction_commits_behind_the_bookmark(odoo):
    slow = odoo.app.begin(at="2026-03-01 10:00:00")
    slow.add(NAME, {"name": "Late"})
    slow.edit(NAME, {"city": "Late"}, ids=[3])
    odoo.app.edit(NAME, {"city": "Soon"}, ids=[1], at="2026-03-01 10:05:00")
    since = [["write_date", ">=", "2026-03-01 10:00:00"], ["write_date", "<", "2026-03-01 10:06:00"]]
    assert odoo(NAME, "search", since, order="write_date, id") == [1]
    made, _ = slow.commit()
    assert odoo(NAME, "search", since, order="write_date, id") == [3, made, 1]


def test_every_order_of_pages_finds_everybody_once(made_odoo):
    odoo = made_odoo(records=300)
    everybody = sorted(row["id"] for row in odoo.app.records(NAME))
    everything = {"active_test": False}
    by_id, last = [], 0
    while page := odoo(NAME, "search", [["id", ">", last]], order="id", limit=37, context=everything):
        by_id += page
        last = page[-1]
    assert by_id == everybody
    # Imports gave many records one moment: ids settle the order within it.
    rows = {row["id"]: row["write_date"] for row in odoo.app.records(NAME)}
    by_change = odoo(NAME, "search", [], order="write_date, id", context=everything)
    assert by_change == sorted(rows, key=lambda id_: (rows[id_], id_))
    assert len(set(rows.values())) < 280
    middle = rows[by_change[150]][:19]
    later = odoo(NAME, "search", [["write_date", ">=", middle]], order="write_date, id", context=everything)
    assert later == [id_ for id_ in by_change if rows[id_] >= middle]
    assert odoo(NAME, "search", [], order="write_date desc, id desc", limit=5, context=everything) == by_change[:-6:-1]


def test_a_keyset_finds_the_next_page_within_one_moment(made_odoo):
    odoo = made_odoo(records=60)
    ids = odoo.app.edit(NAME, {"city": "Here"}, at="2026-06-01 00:00:00")
    seen, last = [], ("2026-05-31 00:00:00", 0)
    while len(seen) <= len(ids):
        domain = ["|", ["write_date", ">", last[0]], "&", ["write_date", "=", last[0]], ["id", ">", last[1]]]
        page = odoo(NAME, "search_read", domain, ["write_date"], 0, 7, "write_date, id", context={"active_test": False})
        if not page:
            break
        seen += [one["id"] for one in page]
        last = page[-1]["write_date"], page[-1]["id"]
    assert seen == ids


def test_deleting_what_others_need_is_refused_and_what_hangs_on_it_goes_too(odoo):
    customer = odoo(NAME, "create", {"name": "Customer"})
    order = odoo("sale.order", "create", {"partner_id": customer, "order_line": [[0, 0, {"name": "a"}]]})
    assert "Constraint: sale_order_partner_id_fkey" in odoo.fault(NAME, "unlink", [customer]).faultString
    odoo("sale.order", "action_confirm", [order])
    assert "You must first cancel it" in odoo.fault("sale.order", "unlink", [order]).faultString
    odoo("sale.order", "action_cancel", [order])
    odoo.app.external_id("shop.order", "sale.order", order)
    assert odoo("sale.order", "unlink", [order]) is True
    assert odoo("sale.order.line", "search", [["order_id", "=", order]]) == []
    assert odoo("ir.model.data", "search", [["name", "=", "order"]]) == []
    assert odoo(NAME, "unlink", [customer]) is True
    assert odoo(NAME, "unlink", [customer]) is True
    assert odoo(NAME, "read", [customer], ["name"]) == []


def test_deleting_empties_what_merely_pointed_there(odoo):
    boss = odoo(NAME, "create", {"name": "Boss"})
    aide = odoo.app.add(NAME, {"name": "Aide", "parent_id": boss}, at="2026-01-01 00:00:00")
    odoo(NAME, "unlink", [boss])
    assert odoo(NAME, "read", aide, ["parent_id", "write_date"])[0] == {
        "id": aide[0],
        "parent_id": False,
        "write_date": "2026-01-01 00:00:00",
    }


def test_users_products_and_their_other_halves(odoo):
    user = odoo("res.users", "create", {"name": "Eve", "login": "eve", "email": "eve@x.example"})
    partner = odoo("res.users", "read", [user], ["partner_id"])[0]["partner_id"]
    assert partner[1] == "Eve"
    odoo("res.users", "write", [user], {"name": "Eva"})
    assert odoo(NAME, "read", partner[:1], ["name"])[0]["name"] == "Eva"
    assert (
        "two users with the same login" in odoo.fault("res.users", "create", {"name": "x", "login": "eve"}).faultString
    )
    template = odoo("product.template", "create", {"name": "Lamp", "default_code": "L1", "list_price": 8})
    (variant,) = odoo(
        "product.product", "search_read", [["product_tmpl_id", "=", template]], ["display_name", "lst_price"]
    )
    assert (variant["display_name"], variant["lst_price"]) == ("[L1] Lamp", 8.0)
    product = odoo("product.product", "create", {"name": "Chair"})
    assert odoo("product.product", "search", [["name", "=", "Chair"]]) == [product]
    assert odoo("product.template", "search_count", [["name", "=", "Chair"]]) == 1


def test_invoices_are_posted_once(odoo):
    line = [[0, 0, {"name": "Work", "quantity": 2, "price_unit": 5.5}]]
    move = odoo("account.move", "create", {"move_type": "out_invoice", "partner_id": 1, "invoice_line_ids": line})
    empty = odoo("account.move", "create", {"move_type": "out_invoice", "partner_id": 1})
    assert odoo("account.move", "read", [move], ["name", "display_name"])[0]["name"] is False
    assert odoo("account.move", "action_post", [move]) is False
    shown = odoo("account.move", "read", [move], ["name", "state", "amount_total", "payment_state"])[0]
    assert (shown["name"][:4], shown["state"], shown["amount_total"]) == ("INV/", "posted", 11.0)
    assert "must be in draft" in odoo.fault("account.move", "action_post", [move]).faultString
    assert odoo.fault("account.move", "action_post", [empty]).faultCode == 2
    odoo("account.move", "write", [move], {"payment_state": "in_payment"})
    assert odoo("account.move", "read", [move], ["payment_state"])[0]["payment_state"] == "in_payment"


def test_archiving_answers_as_its_version_does(made_odoo):
    new, old = made_odoo(), made_odoo(version="17.0")
    assert new(NAME, "action_archive", [3]) is True
    assert "cannot marshal None" in old.fault(NAME, "action_archive", [3]).faultString
    for odoo in (new, old):
        assert odoo(NAME, "search", [["id", "=", 3]]) == []


def test_fields_tell_what_they_are_and_change_with_the_version(made_odoo):
    new, old = made_odoo(), made_odoo(version="17.0")
    known = new(NAME, "fields_get", [], ["type", "required", "store", "relation", "relation_field", "selection"])
    assert known["child_ids"] == {
        "type": "one2many",
        "required": False,
        "store": False,
        "relation": NAME,
        "relation_field": "parent_id",
    }
    assert ["invoice", "Invoice Address"] in known["type"]["selection"]
    assert "mobile" not in known
    assert "mobile" in old(NAME, "fields_get", ["mobile"], ["type"])


def test_models_and_fields_are_records_too(odoo):
    (model,) = odoo("ir.model", "search_read", [["model", "=", NAME]], ["name", "transient", "field_id", "state"])
    assert (model["name"], model["transient"], model["state"]) == ("Contact", False, "base")
    domain = [["model", "=", NAME], ["name", "=", "country_id"]]
    (field,) = odoo("ir.model.fields", "search_read", domain, ["ttype", "relation", "store", "required"])
    assert (field["ttype"], field["relation"], field["store"]) == ("many2one", "res.country", True)
    assert field["id"] in model["field_id"]
    assert odoo("ir.model", "search_count", [["transient", "=", True]]) == 1


def test_a_report_is_a_view_without_write_date(odoo):
    known = odoo("sale.report", "fields_get", [], ["type"])
    assert "write_date" not in known
    assert odoo("sale.report", "search_count", []) == odoo("sale.order.line", "search_count", [])
    assert "cannot change view" in odoo.fault("sale.report", "create", {"name": "x"}).faultString


def test_a_binary_may_be_shown_as_its_size(odoo):
    odoo(NAME, "write", [3], {"image_1920": "aGVsbG8gd29ybGQh"})
    assert odoo(NAME, "read", [3], ["image_1920"])[0]["image_1920"] == "aGVsbG8gd29ybGQh"
    assert odoo(NAME, "read", [3], ["image_1920"], context={"bin_size": True})[0]["image_1920"] == "12.00 bytes"


def test_pages_by_id_and_by_change_are_found_without_looking_at_every_record(made_odoo, monkeypatch):
    odoo = made_odoo(records=3_000)
    middle = sorted(row["write_date"] for row in odoo.app.records(NAME, ["write_date"]))[1500][:19]

    def look_at_all(*_):
        raise AssertionError

    monkeypatch.setattr(searching, "matching", look_at_all)
    last, found, since = 0, 0, [["write_date", ">=", middle]]
    while page := odoo.json2(NAME, "search_read", domain=[["id", ">", last]], fields=["name"], order="id", limit=500):
        last, found = page[-1]["id"], found + len(page)
    assert found > 2_500
    changed = odoo.json2(NAME, "search_read", domain=since, fields=["write_date"], order="write_date, id", limit=500)
    assert [one["write_date"] for one in changed] == sorted(one["write_date"] for one in changed)
    assert len(changed) == 500


def test_values_are_looked_up_and_stay_findable_as_they_change(odoo):
    emails = [f"n{n}@y.example" for n in range(50)]
    ids = odoo(NAME, "create", [{"name": "N", "email": email} for email in emails])
    assert sorted(odoo(NAME, "search", [["email", "in", emails]])) == ids
    odoo(NAME, "write", ids[:1], {"email": "Other@y.example"})
    assert odoo(NAME, "search", [["email", "=", emails[0]]]) == []
    assert odoo(NAME, "search", [["email", "=ilike", "other@Y.example"]]) == ids[:1]
    odoo.fault(NAME, "write", ids[1:2], {"email": "gone@y.example", "country_id": 999})
    assert odoo(NAME, "search", [["email", "=", "gone@y.example"]]) == []
    assert odoo(NAME, "search", [["email", "=", emails[1]]]) == ids[1:2]
    odoo(NAME, "unlink", ids[2:])
    assert sorted(odoo(NAME, "search", [["email", "in", emails]])) == ids[1:2]


def test_the_same_seed_makes_the_same_records():
    with start("odoo", records=30, seed=4) as one, start("odoo", records=30, seed=4) as two:
        for model in (NAME, "sale.order", "event.registration"):
            assert one.app.records(model, ["name", "write_date"]) == two.app.records(model, ["name", "write_date"])
        assert len(one.app.records(NAME)) == 30
