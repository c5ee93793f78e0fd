"""The vendor's own client (odoo-client-lib, by each of its protocols) and OdooRPC judge the emulator."""

from __future__ import annotations

import odoolib
import odoorpc
import pytest
from odoolib.tools import AuthenticationError

PROTOCOLS = ("xmlrpc", "jsonrpc", "json2")


def connected(odoo, protocol, **other):
    config = odoo.config
    secret = config["api_key"] if protocol == "json2" else config["password"]
    known = {"database": config["database"], "login": config["login"], "password": secret, **other}
    return odoolib.get_connection(hostname="127.0.0.1", protocol=protocol, port=odoo.server.port, **known)


@pytest.fixture(params=PROTOCOLS)
def connection(request, odoo):
    return connected(odoo, request.param)


@pytest.fixture
def client(odoo):
    known = odoorpc.ODOO("127.0.0.1", port=odoo.server.port)
    known.login(odoo.config["database"], odoo.config["login"], odoo.config["password"])
    return known


def test_the_official_client_logs_in(connection):
    connection.check_login()
    assert connection.get_user_context() == {"lang": "en_US", "tz": "Europe/Brussels", "uid": 2}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_official_client_is_refused_with_a_wrong_secret(odoo, protocol):
    connection = connected(odoo, protocol, password="wrong")
    if protocol == "json2":
        assert not connection.check_login()
    else:
        with pytest.raises(AuthenticationError):
            connection.check_login()


def test_the_official_client_creates_reads_changes_and_deletes(connection):
    partner = connection.get_model("res.partner")
    made = partner.create({"name": "Ada & Søn <x>", "email": "ada@example.com", "country_id": 1})
    (id_,) = made if isinstance(made, list) else [made]
    partner.write([id_], {"email": "changed@example.com", "category_id": [[6, 0, [1, 2]]]})
    read = partner.read([id_], ["name", "email", "country_id", "category_id", "phone", "color", "is_company"])
    assert (read[0] if isinstance(read, list) else read) == {
        "id": id_,
        "name": "Ada & Søn <x>",
        "email": "changed@example.com",
        "country_id": [1, "Belgium"],
        "category_id": [1, 2],
        "phone": False,
        "color": 0,
        "is_company": False,
    }
    assert partner.unlink([id_]) is True
    assert partner.search([["id", "=", id_]]) == []


def test_the_official_client_searches_and_counts(connection):
    partner = connection.get_model("res.partner")
    domain = [["is_company", "=", True], ["email", "like", "person"]]
    found = partner.search_read(domain, ["name", "parent_id"], 0, 2, "id asc")
    assert [sorted(one) for one in found] == [["id", "name", "parent_id"]] * 2
    assert found[0]["id"] < found[1]["id"]
    assert partner.search_count(domain) == 2
    assert partner.name_search(found[0]["name"])[0] == [found[0]["id"], found[0]["name"]]


def test_the_official_client_creates_many_at_once(connection):
    ids = connection.get_model("res.partner").create([{"name": "One"}, {"name": "Two"}])
    assert len(ids) == 2
    assert ids[0] < ids[1]


def test_the_official_client_imports(connection):
    partner = connection.get_model("res.partner")
    done = partner.load(
        ["id", "name", "parent_id/id"], [["a.boss", "Boss", ""], ["a.aide", "Aide", "base.main_partner"]]
    )
    assert done["messages"] == []
    assert partner.load(["id", "name"], [["a.boss", "Chief"]])["ids"] == done["ids"][:1]
    refused = partner.load(["name", "country_id"], [["Lost", "Atlantis"]])
    assert (refused["ids"], refused["messages"][0]["field"]) == (False, "country_id")


@pytest.mark.parametrize(
    ("method", "args", "words"),
    [
        ("write", ([1], {"nope": 1}), "Invalid field 'nope' on model 'res.partner'"),
        ("create", ({"phone": "1"},), "Contacts require a name"),
        ("write", ([1], {"type": "robot"}), "Wrong value for res.partner.type: 'robot'"),
        ("unlink", ([1],), "another model requires the record being deleted"),
    ],
)
def test_the_official_client_hears_what_is_wrong(connection, method, args, words):
    with pytest.raises(Exception, match="(?s)" + words.replace("'", ".")):
        getattr(connection.get_model("res.partner"), method)(*args)


def test_odoorpc_finds_the_version_and_logs_in(odoo, client):
    assert client.version == "19.0"
    assert (client.env.uid, client.env.user.name, client.env.user.company_id.name) == (
        2,
        "Mitchell Admin",
        "My Company",
    )
    with pytest.raises(odoorpc.error.RPCError, match="Wrong login"):
        odoorpc.ODOO("127.0.0.1", port=odoo.server.port).login(odoo.config["database"], "admin", "wrong")


def test_odoorpc_works_with_records(client):
    partner = client.env["res.partner"]
    record = partner.browse(partner.create({"name": "Remote"}))
    record.name = "Changed"
    record.parent_id = 1
    again = partner.browse(record.id)
    assert (again.name, again.parent_id.name, again.display_name) == ("Changed", "My Company", "My Company, Changed")
    assert list(partner.search([("name", "=", "Changed")])) == [record.id]
    record.unlink()
    assert partner.search([("name", "=", "Changed")]) == []


def test_odoorpc_finds_external_ids_and_methods(client):
    assert client.env.ref("base.main_company").name == "My Company"
    orders = client.env["sale.order"]
    order = orders.browse(orders.create({"partner_id": 1, "order_line": [(0, 0, {"name": "x", "price_unit": 5.0})]}))
    assert (order.state, order.amount_total, len(order.order_line)) == ("draft", 5.0, 1)
    assert order.action_confirm() is True
    assert orders.browse(order.id).state == "sale"


def test_odoorpc_names_the_exception(client):
    with pytest.raises(odoorpc.error.RPCError) as caught:
        client.env["res.partner"].write([999_999], {"name": "x"})
    assert caught.value.info["data"]["name"] == "odoo.exceptions.MissingError"


def test_odoorpc_opens_a_session(odoo, client):
    login = {"db": odoo.config["database"], "login": "admin", "password": odoo.config["password"]}
    assert client.json("/web/session/authenticate", login)["result"]["uid"] == 2
    call = {"model": "res.partner", "method": "search_count", "args": [[]], "kwargs": {}}
    assert client.json("/web/dataset/call_kw/res.partner/search_count", call)["result"] == 11
    stranger = odoorpc.ODOO("127.0.0.1", port=odoo.server.port)
    with pytest.raises(odoorpc.error.RPCError) as caught:
        stranger.json("/web/dataset/call_kw", call)
    assert caught.value.info["code"] == 100
