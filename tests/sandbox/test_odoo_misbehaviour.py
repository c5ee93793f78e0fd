"""Faults, rights, knobs, and the control surface."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import xmlrpc.client

import pytest
import requests

NAME = "res.partner"


@pytest.fixture(params=["xmlrpc", "jsonrpc", "json2"])
def write(request, odoo):
    """Creates a contact by one of the protocols; (status, name or code of the exception)."""

    def by_xmlrpc():
        try:
            odoo(NAME, "create", {"name": "New"})
        except xmlrpc.client.Fault as fault:
            return 200, fault.faultCode, fault.faultString
        except xmlrpc.client.ProtocolError as error:
            return error.errcode, None, ""
        return 200, None, ""

    def by_jsonrpc():
        args = ["sandbox", 2, odoo.config["password"], NAME, "create", [{"name": "New"}]]
        body = {"params": {"service": "object", "method": "execute_kw", "args": args}}
        reply = odoo.session.post(odoo.server.url + "/jsonrpc", json=body, timeout=5)
        if "json" not in reply.headers["Content-Type"]:
            return reply.status_code, None, ""
        data = reply.json().get("error", {}).get("data", {})
        return reply.status_code, data.get("name"), data.get("message", "")

    def by_json2():
        reply = odoo.post(f"/json/2/{NAME}/create", {"vals_list": [{"name": "New"}]})
        found = reply.json() if "json" in reply.headers["Content-Type"] else {}
        found = found if isinstance(found, dict) else {}
        return reply.status_code, found.get("name"), found.get("message", "")

    call = {"xmlrpc": by_xmlrpc, "jsonrpc": by_jsonrpc, "json2": by_json2}[request.param]
    call.protocol = request.param
    return call


@pytest.mark.parametrize(
    ("kind", "statuses", "names"),
    [
        ("429", (429, 429, 429), (None, None, None)),
        ("500", (500, 500, 500), (None, None, "werkzeug.exceptions.InternalServerError")),
        ("502-html", (502, 502, 502), (None, None, None)),
        ("token-expiry", (200, 200, 401), (3, "odoo.exceptions.AccessDenied", "werkzeug.exceptions.Unauthorized")),
        ("conflict", (200, 200, 500), (1, *["psycopg2.errors.SerializationFailure"] * 2)),
    ],
)
def test_a_fault_has_the_shape_of_its_protocol_and_leaves_nothing_behind(odoo, write, kind, statuses, names):
    place = ("xmlrpc", "jsonrpc", "json2").index(write.protocol)
    odoo.app.fail_next(1, kind)
    status, name, words = write()
    assert (status, name) == (statuses[place], names[place])
    assert kind != "conflict" or "could not serialize access due to concurrent update" in words
    assert odoo(NAME, "search_count", [["name", "=", "New"]]) == 0
    assert write()[0] == 200
    assert odoo(NAME, "search_count", [["name", "=", "New"]]) == 1


def test_a_conflict_or_a_lost_answer_strikes_only_writes(odoo):
    odoo.app.fail_next(1, "conflict")
    odoo.app.fail_next(1, "commit-timeout")
    assert odoo(NAME, "search_count", []) == 11
    assert "could not serialize" in odoo.fault(NAME, "create", {"name": "New"}).faultString
    with pytest.raises((ConnectionError, OSError, xmlrpc.client.Error)):
        post_once(odoo, {"vals_list": [{"name": "New"}]})
    assert odoo(NAME, "search_count", [["name", "=", "New"]]) == 1


def post_once(odoo, body):
    headers = {"Authorization": f"bearer {odoo.app.api_key}"}
    return requests.post(f"{odoo.server.url}/json/2/{NAME}/create", json=body, headers=headers, timeout=5)


def test_an_expired_key_opens_nothing_until_there_is_another(odoo):
    old = odoo.app.api_key
    odoo.app.expire_token()
    assert odoo.post("/json/2/res.users/context_get", {}).json()["message"] == "Invalid apikey"
    assert odoo.fault(NAME, "search", []).faultCode == 3
    odoo.app.renew_token()
    assert odoo.app.api_key != old
    assert odoo.json2("res.users", "context_get")["uid"] == 2
    assert odoo(NAME, "search", [["id", "=", 1]]) == [1]


def test_a_user_without_a_password_comes_in_with_a_key(made_odoo):
    odoo = made_odoo(password=None, version="18.0")
    assert "password" not in odoo.config
    done = odoo.jsonrpc("object", "execute_kw", "sandbox", 2, odoo.config["api_key"], NAME, "search_count", [[]])
    assert done["result"] == 11


def test_a_proxy_may_refuse_too_many_calls(made_odoo):
    odoo = made_odoo(limit=(2, 60))
    statuses = [odoo.post("/json/2/res.users/context_get", {}).status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert odoo.app.rate_limited == 2


def test_rights_are_denied_by_model_and_operation(made_odoo):
    odoo = made_odoo(deny={"crm.lead": ["read"], NAME: ["create", "unlink"]})
    fault = odoo.fault("crm.lead", "search_read", [])
    assert fault.faultCode == 4
    assert fault.faultString.startswith("You are not allowed to access 'Lead' (crm.lead) records.")
    reply = odoo.post(f"/json/2/{NAME}/create", {"vals_list": [{"name": "x"}]})
    assert (reply.status_code, reply.json()["name"]) == (403, "odoo.exceptions.AccessError")
    assert "not allowed to delete" in odoo.fault(NAME, "unlink", [5]).faultString
    odoo.app.allow(NAME)
    assert odoo(NAME, "create", {"name": "x"})


def test_who_is_no_administrator_cannot_list_models(made_odoo):
    odoo = made_odoo(admin=False)
    assert odoo.fault("ir.model", "search_read", []).faultCode == 4
    assert odoo.fault("ir.model.fields", "search_read", []).faultCode == 4
    assert odoo(NAME, "fields_get", ["name"], ["type"]) == {"name": {"type": "char"}}
    reply = requests.get(
        odoo.server.url + "/doc-bearer/index.json",
        headers={"Authorization": f"bearer {odoo.app.api_key}"},
        timeout=5,
    )
    assert reply.status_code == 403


def test_a_model_may_not_be_installed(made_odoo):
    odoo = made_odoo(missing=("crm.lead", "sale.order", "sale.order.line"))
    assert odoo.fault("crm.lead", "search", []).faultString == "Object crm.lead doesn't exist"
    assert odoo("ir.model", "search_count", [["model", "in", ["crm.lead", "sale.order"]]]) == 0
    odoo.app.uninstall("hr.department")
    assert "department_id" not in odoo("hr.employee", "fields_get", [], ["type"])
    assert odoo("ir.model.fields", "search", [["relation", "=", "hr.department"]]) == []


def test_custom_models_and_fields_can_be_added(made_odoo):
    odoo = made_odoo(custom={"x_badge": {"x_name": "char", "x_partner_id": "many2one:res.partner"}})
    badge = odoo("x_badge", "create", {"x_name": "Gold", "x_partner_id": 3})
    assert odoo("x_badge", "search_read", [["x_partner_id", "=", 3]], ["x_name", "display_name"]) == [
        {"id": badge, "x_name": "Gold", "display_name": "Gold"}
    ]
    odoo.app.add_field(NAME, "x_level", "selection:low,high")
    odoo(NAME, "write", [3], {"x_level": "high"})
    assert "Wrong value for res.partner.x_level" in odoo.fault(NAME, "write", [3], {"x_level": "odd"}).faultString
    (field,) = odoo("ir.model.fields", "search_read", [["name", "=", "x_level"]], ["state", "ttype", "selection"])
    assert (field["state"], field["ttype"]) == ("manual", "selection")
    assert odoo("ir.model", "search_read", [["model", "=", "x_badge"]], ["state"])[0]["state"] == "manual"


def test_one_broken_field_breaks_every_read_that_asks_for_it(odoo):
    odoo.app.break_field(NAME, "contact_address")
    assert "ZeroDivisionError" in odoo.fault(NAME, "search_read", [], limit=1).faultString
    assert "ZeroDivisionError" in odoo.fault(NAME, "read", [1], ["name", "contact_address"]).faultString
    assert len(odoo(NAME, "search_read", [], ["name"], limit=1)) == 1


def test_calls_are_counted_by_protocol_model_and_method(odoo):
    odoo(NAME, "search", [])
    odoo.json2(NAME, "search", domain=[])
    odoo.jsonrpc("common", "version")
    odoo.jsonrpc("object", "execute", "sandbox", 2, odoo.config["password"], NAME, "read", [1])
    requests.get(odoo.server.url + "/web/version", timeout=5)
    assert dict(odoo.app.calls) == {
        ("POST", "xmlrpc/res.partner/search"): 1,
        ("POST", "json2/res.partner/search"): 1,
        ("POST", "jsonrpc/common/version"): 1,
        ("POST", "jsonrpc/res.partner/read"): 1,
        ("GET", "web/version"): 1,
    }
    assert odoo.app.count("res.partner/search") == 2


def test_it_is_steered_over_http_without_credentials(odoo):
    def control(method, path, body=None, *, expect=200):
        reply = requests.request(method, f"{odoo.server.url}/_sandbox/{path}", json=body, timeout=5)
        assert reply.status_code == expect, reply.text
        return reply.json()

    made = control("POST", "records", {"model": NAME, "records": [{"name": "X"}], "at": "2026-02-03T04:05:06Z"})["ids"]
    control("POST", "edit", {"model": NAME, "ids": made, "values": {"city": "Y"}, "at": "2026-02-04 00:00:00"})
    shown = next(one for one in control("GET", f"dump?model={NAME}")["records"] if one["id"] == made[0])
    assert (shown["city"], shown["create_date"]) == ("Y", "2026-02-03 04:05:06")
    assert shown["write_date"] == "2026-02-04 00:00:00.000000"
    number = control("POST", "begin", {"at": "2026-02-02 00:00:00"})["transaction"]
    control("POST", "records", {"model": NAME, "records": [{"name": "Late"}], "transaction": number})
    assert odoo(NAME, "search", [["name", "=", "Late"]]) == []
    late = control("POST", "commit", {"transaction": number})["ids"]
    assert odoo(NAME, "read", late, ["write_date"])[0]["write_date"] == "2026-02-02 00:00:00"
    control("POST", "delete", {"model": NAME, "ids": [*made, *late]})
    control("POST", "models", {"model": "x_boat", "fields": {"x_name": "char"}, "records": 2})
    assert len(control("GET", "dump?model=x_boat")["records"]) == 2
    control("POST", "fields", {"model": "x_boat", "fields": {"x_sail": "integer"}})
    control("POST", "deny", {"model": "x_boat", "operations": ["write"]})
    control("POST", "allow", {"model": "x_boat"})
    control("POST", "break", {"model": NAME, "field": "city"})
    control("POST", "uninstall", {"model": "x_boat"})
    wrong = control("POST", "records", {"model": NAME, "records": [{"nope": 1}]}, expect=400)
    assert "Invalid field 'nope'" in wrong["error"]
    control("POST", "nothing", {}, expect=404)


def test_the_command_prints_its_config_and_ends_quietly():
    command = [sys.executable, "-m", "antiphon.sandbox", "odoo", "--records", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        config = json.loads(process.stdout.readline())["config"]
        assert sorted(config) == ["api_key", "base_url", "database", "login", "password"]
        headers = {"Authorization": f"bearer {config['api_key']}"}
        url = config["base_url"] + "/json/2/res.partner/search_count"
        body = {"domain": [], "context": {"active_test": False}}
        assert requests.post(url, json=body, headers=headers, timeout=5).json() == 5
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "", "")
