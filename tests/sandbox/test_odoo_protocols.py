"""The shapes in which each protocol answers and refuses."""

from __future__ import annotations

import xmlrpc.client

import pytest
import requests

NAME = "res.partner"


def authenticate(odoo, *credentials):
    with xmlrpc.client.ServerProxy(odoo.server.url + "/xmlrpc/2/common") as common:
        return common.authenticate(*credentials, {})


def test_authenticate_answers_false_for_bad_credentials_and_a_fault_for_no_database(odoo):
    config = odoo.config
    assert authenticate(odoo, config["database"], config["login"], config["password"]) == 2
    assert authenticate(odoo, config["database"], config["login"], config["api_key"]) == 2
    assert authenticate(odoo, config["database"], "nobody", config["password"]) is False
    with pytest.raises(xmlrpc.client.Fault, match='database "lost" does not exist') as caught:
        authenticate(odoo, "lost", config["login"], config["password"])
    assert caught.value.faultCode == 1


@pytest.mark.parametrize(
    ("code", "call", "words"),
    [
        (1, (NAME, "write", [1], {"nope": 1}), "Traceback (most recent call last)"),
        (1, (NAME, "no_such_method"), "AttributeError: The method 'res.partner.no_such_method' does not exist"),
        (1, (NAME, "search", []), "ok"),
        (2, ("no.such.model", "search", []), "Object no.such.model doesn't exist"),
        (2, (NAME, "write", [99_999], {"name": "x"}), "(Record: res.partner(99999,), User: 2)"),
        (2, ("sale.order", "create", {}), "Missing required value for the field 'Customer' (partner_id)"),
        (4, (NAME, "_private"), "Private methods"),
    ],
)
def test_xmlrpc_faults_have_the_codes_of_their_kind(odoo, code, call, words):
    if words == "ok":
        call, words = (NAME, "search"), "missing a required argument: 'domain'"
    fault = odoo.fault(*call)
    assert (fault.faultCode, words in fault.faultString) == (code, True), fault.faultString


def test_xmlrpc_denies_a_wrong_password_with_code_3(odoo):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        odoo.object.execute_kw("sandbox", 2, "wrong", NAME, "search", [[]])
    assert (caught.value.faultCode, caught.value.faultString) == (3, "Access Denied")


def test_the_old_xmlrpc_paths_have_codes_of_text(odoo):
    config = odoo.config
    with xmlrpc.client.ServerProxy(odoo.server.url + "/xmlrpc/object") as old:
        with pytest.raises(xmlrpc.client.Fault) as caught:
            old.execute("sandbox", 2, config["password"], "sale.order", "create", {})
        assert caught.value.faultCode.startswith("warning -- UserError\n\nMissing required value")
        with pytest.raises(xmlrpc.client.Fault) as caught:
            old.execute("sandbox", 2, "wrong", NAME, "search", [])
        assert caught.value.faultCode == "AccessDenied"


def test_a_method_that_answers_none_is_a_fault_after_it_has_been_done(odoo):
    (move,) = odoo("account.move", "search", [["state", "=", "posted"]], limit=1)
    fault = odoo.fault("account.move", "button_draft", [move])
    assert (fault.faultCode, fault.faultString.strip().splitlines()[-1]) == (
        1,
        "TypeError: cannot marshal None unless allow_none is enabled",
    )
    assert odoo("account.move", "read", [move], ["state"]) == [{"id": move, "state": "draft"}]
    assert odoo.json2("account.move", "button_cancel", ids=[move]) is None


def test_an_attribute_that_is_none_makes_fields_get_fail_unless_attributes_are_named(odoo):
    assert "cannot marshal None" in odoo.fault("product.pricelist", "fields_get").faultString
    known = odoo("product.pricelist", "fields_get", attributes=["type", "relation"])
    assert known["currency_id"] == {"type": "many2one", "relation": "res.currency"}


def test_control_characters_do_not_reach_xmlrpc(odoo):
    (id_,) = odoo.app.add(NAME, {"name": "a\x00b\x1bc"})
    assert odoo(NAME, "read", [id_], ["name"])[0]["name"] == "abc"
    assert odoo.json2(NAME, "read", ids=[id_], fields=["name"])[0]["name"] == "a\x00b\x1bc"


@pytest.mark.parametrize(("version", "code"), [("17.0", 200), ("18.0", 200), ("19.0", 0)])
def test_jsonrpc_errors_are_http_200_and_name_the_exception(made_odoo, version, code):
    odoo = made_odoo(version=version)
    password = odoo.config["password"]
    good = odoo.jsonrpc("object", "execute_kw", "sandbox", 2, password, NAME, "search_count", [[]])
    assert good == {"jsonrpc": "2.0", "id": 7, "result": 11}
    bad = odoo.jsonrpc("object", "execute_kw", "sandbox", 2, password, NAME, "create", [{"phone": "1"}])
    assert (bad["error"]["code"], bad["error"]["message"]) == (code, "Odoo Server Error")
    data = bad["error"]["data"]
    assert data["name"] == "odoo.exceptions.ValidationError"
    assert data["message"] == "The operation cannot be completed: Contacts require a name"
    assert set(data) == {"name", "message", "arguments", "context", "debug"}
    denied = odoo.jsonrpc("object", "execute_kw", "sandbox", 2, "wrong", NAME, "search", [[]])
    assert denied["error"]["data"]["name"] == "odoo.exceptions.AccessDenied"


def test_jsonrpc_refuses_what_is_no_json(odoo):
    for body in (b"{", b"[]", b'{"params": [1]}'):
        reply = requests.post(odoo.server.url + "/jsonrpc", data=body, timeout=5)
        assert (reply.status_code, reply.text) == (400, "Invalid JSON data")


@pytest.mark.parametrize(
    ("path", "body", "status", "name", "words"),
    [
        ("x.y/search", {"domain": []}, 404, "werkzeug.exceptions.NotFound", "the model 'x.y' does not exist"),
        ("res.partner/nope", {}, 404, "werkzeug.exceptions.NotFound", "does not exist"),
        ("res.partner/_search", {}, 404, "werkzeug.exceptions.NotFound", "does not exist"),
        ("res.partner/search", {"ids": [1], "domain": []}, 422, "werkzeug.exceptions.UnprocessableEntity", "cannot call res.partner.search with ids"),
        ("res.partner/search", {}, 422, "werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'domain'"),
        ("res.partner/write", {"ids": [1], "vals_list": {}}, 422, "werkzeug.exceptions.UnprocessableEntity", "vals"),
        ("res.partner/create", {"vals_list": [{"phone": "1"}]}, 422, "odoo.exceptions.ValidationError", "require a name"),
        ("res.partner/write", {"ids": [99], "vals": {"name": "x"}}, 404, "odoo.exceptions.MissingError", "Record does not exist"),
        ("res.partner/search", {"domain": [["nope", "=", 1]]}, 500, "builtins.ValueError", "Invalid field res.partner.nope in leaf"),
        ("res.partner", {}, 404, "werkzeug.exceptions.NotFound", "Did you mean POST /json/2/<model>/<method>?"),
    ],
)  # fmt: skip
def test_json2_errors_have_a_status_and_one_shape(odoo, path, body, status, name, words):
    reply = odoo.post(f"/json/2/{path}", body)
    found = reply.json()
    assert (reply.status_code, found["name"], words in found["message"]) == (status, name, True), reply.text
    assert set(found) == {"name", "message", "arguments", "context", "debug"}


def test_json2_answers_recordsets_as_lists_of_ids(odoo):
    made = odoo.json2(NAME, "create", vals_list={"name": "One"})
    assert made == odoo.json2(NAME, "search", domain=[["name", "=", "One"]])
    assert odoo.json2(NAME, "write", ids=made, vals={"name": "Two"}) is True
    assert odoo.json2(NAME, "read", ids=made, fields=["name"], load=None) == [{"id": made[0], "name": "Two"}]


def test_json2_wants_a_bearer_key_in_any_case(odoo):
    path = "/json/2/res.users/context_get"
    assert odoo.post(path, {}, Authorization=f"BEARER {odoo.app.api_key}").json()["uid"] == 2
    for sent, words in ((f"Basic {odoo.app.api_key}", "User not authenticated"), ("bearer nope", "Invalid apikey")):
        reply = odoo.post(path, {}, Authorization=sent)
        assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "bearer")
        assert words in reply.json()["message"]
    assert odoo.post(path, {}, Authorization=f"bearer {odoo.config['password']}").status_code == 401


def test_json2_reads_no_parameters_from_a_body_that_is_no_object(odoo):
    url, headers = odoo.server.url + "/json/2/res.users/context_get", {"Authorization": f"bearer {odoo.app.api_key}"}
    assert requests.post(url, data=b"[1]", headers=headers, timeout=5).json()["uid"] == 2
    assert requests.post(url, data=b"{", headers=headers, timeout=5).status_code == 400
    assert requests.get(url, headers=headers, timeout=5).json()["message"].startswith("Did you mean POST")


def test_json2_wants_the_database_named_where_there_are_several(made_odoo):
    odoo = made_odoo(databases=("main", "other"))
    path = "/json/2/res.users/context_get"
    assert odoo.post(path, {}).status_code == 404
    assert odoo.post(path, {}, **{"X-Odoo-Database": "main"}).json()["uid"] == 2
    assert odoo.post(path, {}, **{"X-Odoo-Database": "other"}).status_code == 401
    assert odoo.config["database"] == "main"


def test_the_version_can_be_asked_for(made_odoo):
    new, old = made_odoo(), made_odoo(version="17.0")
    assert requests.get(new.server.url + "/web/version", timeout=5).json() == {
        "version_info": [19, 0, 0, "final", 0, ""],
        "version": "19.0",
    }
    assert requests.get(old.server.url + "/web/version", timeout=5).status_code == 404
    assert old.jsonrpc("common", "version")["result"]["server_version_info"] == [17, 0, 0, "final", 0, ""]


def test_a_version_decides_which_protocols_are_on(made_odoo):
    old, only = made_odoo(version="17.0"), made_odoo(protocols=("json2",))
    assert old.post("/json/2/res.partner/search", {"domain": []}).status_code == 404
    assert "api_key" not in old.config
    assert requests.post(only.server.url + "/jsonrpc", json={"params": {}}, timeout=5).status_code == 404
    assert only.json2(NAME, "search_count", domain=[]) == 11
    gone = made_odoo(version="22.0")
    with pytest.raises(xmlrpc.client.ProtocolError, match="404"):
        gone(NAME, "search", [])


def test_the_parameters_of_a_method_change_with_the_version(made_odoo):
    new, old = made_odoo(), made_odoo(version="18.0")
    assert new("res.country", "name_search", "Belg", domain=[["code", "=", "BE"]]) == [[1, "Belgium"]]
    assert old("res.country", "name_search", "Belg", args=[["code", "=", "BE"]]) == [[1, "Belgium"]]
    assert "unexpected keyword argument 'args'" in new.fault("res.country", "name_search", "x", args=[]).faultString


def test_databases_are_listed_only_when_allowed(made_odoo):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.ServerProxy(made_odoo().server.url + "/xmlrpc/2/db").list()
    assert caught.value.faultCode == 3
    odoo = made_odoo(databases=("a", "b"), list_databases=True)
    assert xmlrpc.client.ServerProxy(odoo.server.url + "/xmlrpc/2/db").list() == ["a", "b"]


def test_documents_tell_models_and_parameters(odoo):
    def get(name, **headers):
        known = {"Authorization": f"bearer {odoo.app.api_key}", **headers}
        return requests.get(f"{odoo.server.url}/doc-bearer/{name}.json", headers=known, timeout=5)

    listed = {model["model"] for model in get("index").json()["models"]}
    assert {"res.partner", "account.move", "ir.model.data"} <= listed
    reply = get("res.partner")
    methods = reply.json()["methods"]
    assert list(methods["search"]["parameters"]) == ["domain", "offset", "limit", "order"]
    assert (methods["search"]["api"], methods["write"]["api"]) == (["model", "readonly"], [])
    assert reply.json()["fields"]["parent_id"]["relation"] == "res.partner"
    assert get("res.partner", **{"If-None-Match": reply.headers["ETag"]}).status_code == 304
    assert get("no.model").status_code == 404
