"""Odoo by each of its wire protocols: the same records, the same words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from odoo_account import EACH, odoo, written

from antiphon.errors import BadReply, Forbidden, NotFound, Refused, Unavailable, Unknown

VALUES = {
    "name": 'Ünïcode & <b>tags</b> ]]> "quotes" \' \N{GRINNING FACE}',
    "comment": "line\nline\ttab",
    "email": "ada@example.org",
    "is_company": False,
}


@EACH
def test_a_connection_is_checked_with_one_call_of_a_method(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.connection().check()
        login = 0 if protocol == "json2" else 1
        assert sum(account.app.calls.values()) == 1 + login
        assert account.called("res.users/context_get") == 1


@EACH
def test_every_record_is_read_with_its_types(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.app.add("res.partner", {"name": "Nobody", "active": False})
        rows = list(account.connection().read("partner"))
        assert len(rows) == 13
        one = rows[-1]
        assert (one["name"], one["active"], one["is_company"]) == ("Nobody", False, False)
        assert (one["email"], one["country_id"], one["country_id_name"]) == (None, None, None)
        assert one["write_date"].endswith("Z")
        assert one["write_date"][10] == "T"
        assert one["category_id"] == []
        named = next(row for row in rows if row["country_id"])
        assert type(named["country_id"]) is int
        assert isinstance(named["country_id_name"], str)


@EACH
def test_what_was_written_is_what_is_got(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        connection = account.connection()
        made = connection.add("partner", VALUES)
        got = connection.get("partner", made["id"])
        assert {name: got[name] for name in VALUES} == VALUES


@EACH
def test_changes_are_those_since_a_time(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        [new] = account.app.edit("res.partner", {"city": "Gent"}, ids=[3], at="2026-03-01T10:00:05.25Z")
        connection = account.connection()
        found = [r["id"] for r in connection.read("partner", since="2026-03-01T10:00:05Z")]
        assert new in found
        assert new not in [r["id"] for r in connection.read("partner", since="2026-03-01T10:00:06Z")]


@EACH
def test_records_are_found_by_any_field_and_by_external_id(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.app.external_id("shop.one", "res.partner", 3)
        connection = account.connection()
        [one] = connection.find("partner", external_id="shop.one")
        assert (one["id"], one["external_id"]) == (3, "shop.one")
        assert [r["id"] for r in connection.find("partner", id=[3, "4", 99999])] == [3, 4]
        assert [r["id"] for r in connection.find("res.partner", name=one["name"])] == [3]
        assert connection.find("partner", external_id="shop.none") == []


@EACH
def test_more_values_than_go_into_one_look_up_are_all_found(tmp_path, protocol):
    with odoo(tmp_path, protocol, records=1200) as account:
        client = account.client()
        found = client.find(client.resource("partner"), "id", list(range(1, 1101)), ("name",))
        assert [r["id"] for r in found] == list(range(1, 1101))


@EACH
def test_a_record_is_created_changed_archived_and_deleted(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        connection = account.connection()
        id = connection.add("partner", name="Ada")["id"]
        assert connection.update("partner", id=id, city="Gent")["city"] == "Gent"
        assert connection.call("partner.archive", id=id)
        assert connection.get("partner", id)["active"] is False
        connection.delete("partner", id)
        with pytest.raises(NotFound, match=f"none with id {id}"):
            connection.get("partner", id)


@EACH
def test_an_invoice_can_be_told_to_be_in_payment(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        [one, *_] = account.connection().read("invoice")
        account.connection().update("invoice", id=one["id"], payment_state="in_payment")
        assert account.connection().get("invoice", one["id"])["payment_state"] == "in_payment"


@EACH
def test_a_method_is_carried_out_whatever_it_returns(tmp_path, protocol):
    with odoo(tmp_path, protocol, version="19.0") as account:
        connection = account.connection()
        [one, *_] = connection.read("registration")
        connection.call("registration.action_set_done", id=one["id"])  # None, which XML-RPC cannot carry
        assert connection.get("registration", one["id"])["state"] == "done"
        partner = connection.add("partner", name="Ada")["id"]
        order = connection.add("sale_order", partner_id=partner)["id"]
        connection.call("sale_order.action_confirm", id=order)
        assert connection.get("sale_order", order)["state"] == "sale"
        with pytest.raises(Refused, match="not in a state requiring confirmation"):
            connection.call("sale_order.action_confirm", id=order)


@EACH
def test_a_method_takes_arguments_by_name(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        connection = account.connection()
        answer = connection.call(
            "POST", "res.partner/name_search", json={"name": "Ada", "operator": "=like", "limit": 2}
        )
        assert answer == []
        [lead, *_] = connection.read("lead")
        client = connection.client
        client.call("POST", "crm.lead/action_set_lost", json={"ids": [lead["id"]], "name": "lost it"}, safe=False)
        assert connection.get("lead", lead["id"])["name"] == "lost it"


def test_a_read_that_xmlrpc_cannot_carry_is_an_error_and_not_an_empty_list(tmp_path):
    with odoo(tmp_path, "xmlrpc") as account:
        account.app.db.tables["res.partner"].rows[3]["comment"] = {"bag": None}  # as JSON fields have it
        with pytest.raises(BadReply, match="XML-RPC cannot carry what it returned"):
            list(account.connection().read("partner", fields=["name", "comment"]))
        assert len(list(account.connection(protocol="jsonrpc").read("partner", fields=["comment"]))) == 12


@EACH
def test_fractions_keep_their_digits_both_ways(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        connection = account.connection()
        made = connection.add("product", name="Lamp", list_price=Decimal("0.1"), weight=Decimal("1234567.0001"))
        got = connection.get("product", made["id"])
        assert (got["list_price"], got["weight"]) == (Decimal("0.1"), Decimal("1234567.0001"))
        assert str(got["list_price"]) == "0.1"


@EACH
def test_times_are_utc_both_ways(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        connection = account.connection()
        times = {"date_begin": "2026-05-01T10:00:00+02:00", "date_end": "2026-05-02T10:00:00Z"}
        made = connection.add("event", name="Fair", **times)
        loaded = connection.upsert("event", external_id="shop.fair", name="Fair", **times)
        for id in made["id"], loaded["id"]:
            got = connection.get("event", id)
            assert (got["date_begin"], got["date_end"]) == ("2026-05-01T08:00:00Z", "2026-05-02T10:00:00Z")


@EACH
def test_x2many_commands_write_lines(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        connection = account.connection()
        lines = [[0, 0, {"product_id": 1, "product_uom_qty": 2}], [0, 0, {"product_id": 1, "product_uom_qty": 3}]]
        order = connection.add("sale_order", partner_id=3, order_line=lines)["id"]
        ids = connection.get("sale_order", order)["order_line"]
        assert len(ids) == 2
        connection.update("sale_order", id=order, order_line=[[1, ids[0], {"product_uom_qty": 9}], [2, ids[1], 0]])
        [line] = connection.find("sale_order_line", order_id=order)
        assert (line["id"], line["product_uom_qty"]) == (ids[0], 9)


@EACH
def test_a_field_is_cleared_and_a_false_flag_is_no_null(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        row = {"ref": "A1", "name": "Ada", "city": "Gent", "is_company": True, "country_id": 1}
        account.write([row], match=["ref"])
        cleared = [{**row, "city": None, "is_company": False, "country_id": None}]
        assert written(account.write(cleared, match=["ref"], nulls="clear")) == {"updated": 1}
        assert written(account.write(cleared, match=["ref"], nulls="clear", full=True)) == {"unchanged": 1}
        [got] = account.connection().find("partner", ref="A1")
        assert (got["city"], got["is_company"], got["country_id"]) == (None, False, None)


@EACH
def test_what_does_not_exist_is_said_with_what_does(tmp_path, protocol):
    with odoo(tmp_path, protocol, missing=["crm.lead"]) as account:
        connection = account.connection()
        for told, wrong in (
            (r'Invalid field .nane.*Did you mean "name"', lambda: connection.add("partner", name="A", nane="A")),
            (
                r'"nowhere" is no option of type. There are: contact, ',
                lambda: connection.add("partner", name="A", type="nowhere"),
            ),
            (r'"abc" is no id of a record', lambda: connection.get("partner", "abc")),
            (r"no id of a record", lambda: connection.call("sale_order.action_confirm")),
        ):
            with pytest.raises(Refused, match=told):
                wrong()
        with pytest.raises(NotFound, match="Is the app installed that has this model"):
            connection.get("lead", 1)
        with pytest.raises(Unknown, match='Did you mean "partner"'):
            connection.get("partnr", 1)


@EACH
def test_rights_that_are_missing_are_said(tmp_path, protocol):
    with odoo(tmp_path, protocol, deny={"hr.employee": ["read", "create"]}) as account:
        with pytest.raises(Forbidden, match=r"hr\.employee|Employee"):
            list(account.connection().read("employee"))
        with pytest.raises(Refused, match="403"):
            account.connection().add("employee", name="Ada")


@EACH
def test_a_conflict_of_transactions_is_tried_again_and_nothing_is_created_twice(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.app.fail_next(3, "conflict", "res.partner/create")
        account.connection().add("partner", name="Ada")
        assert [p for p in account.partners("name") if p["name"] == "Ada"] == [{"name": "Ada"}]


@pytest.mark.parametrize(
    ("version", "given", "spoken"),
    [
        ("17.0", ("login", "password"), "jsonrpc"),
        ("17.0", ("login", "api_key"), "jsonrpc"),
        ("saas~18.3", ("login", "api_key"), "jsonrpc"),
        ("19.0", ("login", "password"), "jsonrpc"),
        ("19.0", ("api_key",), "json2"),
        ("saas~19.2", ("login", "password", "api_key"), "json2"),
    ],
)
def test_the_protocol_is_found_out_by_version_and_credential(tmp_path, version, given, spoken):
    with odoo(tmp_path, "auto", version=version) as account:
        secrets = {"login": "admin", "password": account.config.get("password"), "api_key": account.app.api_key}
        config = {"login": None, "password": None, "api_key": None} | {name: secrets[name] for name in given}
        account.connection(**config).check()
        routes = {route.partition("/")[0] for (_, route), _ in account.app.calls.items()} - {"web"}
        assert routes == {spoken}


def test_a_version_that_cannot_be_told_now_is_asked_for_again(tmp_path):
    with odoo(tmp_path, "auto") as account:
        account.app.fail_next(2, "429", "web/version")
        account.app.fail_next(2, "502-html", "web/version")
        account.connection().check()
        assert account.called("web/version") == 5
        assert account.called("json2/res.users/context_get") == 1


def test_logging_in_is_done_once_for_all_calls(tmp_path):
    with odoo(tmp_path, "xmlrpc") as account:
        connection = account.connection()
        for _ in range(3):
            connection.check()
        assert account.called("common/authenticate") == 1


def test_a_login_that_gets_no_answer_is_tried_eight_times_and_not_sixty_four(tmp_path):
    with odoo(tmp_path, "jsonrpc") as account:
        account.app.set_faults({"timeout": 1.0})
        with pytest.raises(Unavailable, match=r"^odoo: logging in -> no answer from \S+ [^>]*$"):
            account.connection().check()
        assert sum(account.app.calls.values()) == 8


def test_reading_takes_one_call_for_a_page_and_no_discovery(tmp_path: Path):
    with odoo(tmp_path, "json2", records=1500) as account:
        assert len(list(account.connection().read("partner", fields=["name"]))) == 1500
        assert account.called("res.partner/search_read") == 3
        assert account.called("ir.model/search_read") == 0
