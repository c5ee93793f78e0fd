"""What goes wrong between us and an Odoo: one line each, and no secret in it."""

from __future__ import annotations

import logging
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests_mock
from odoo_account import EACH, PROTOCOLS, odoo

from antiphon import apis
from antiphon.api import Reply
from antiphon.apis.odoo import xml
from antiphon.apis.odoo.faults import exception, refused_http, xml_fault
from antiphon.apis.odoo.wire import OdooCalls
from antiphon.client import Client
from antiphon.connection import connect
from antiphon.errors import (
    AntiphonError,
    BadReply,
    Forbidden,
    NotFound,
    Refused,
    SettingError,
    Unauthorized,
    Unavailable,
)
from antiphon.outcome import Change

WRONG = "wr0ng-secret&<%>é"


def refusal(account: Any, **more: Any) -> AntiphonError:
    with pytest.raises(AntiphonError) as caught:
        account.connection(**more).check()
    assert "\n" not in str(caught.value)
    return caught.value


# Credentials


CREDENTIALS = [("json2", "api_key"), *((p, s) for p in ("jsonrpc", "xmlrpc") for s in ("api_key", "password"))]


@pytest.mark.parametrize(("protocol", "setting"), CREDENTIALS)  # JSON-2 takes keys only
def test_a_wrong_credential_is_named_and_not_shown(tmp_path, protocol, setting):
    with odoo(tmp_path, protocol) as account:
        wrong = {"api_key": None, "password": None} | {setting: WRONG}
        config = {name: value for name, value in account.config.items() if name not in wrong}
        config |= {name: value for name, value in wrong.items() if value}
        with pytest.raises(Unauthorized, match=setting) as caught:
            connect("odoo", **config).check()
        assert WRONG not in str(caught.value)
        assert sum(account.app.calls.values()) == 1


@pytest.mark.parametrize("protocol", ["jsonrpc", "xmlrpc"])
def test_a_wrong_login_is_named(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        said = refusal(account, login="nobody")
        assert isinstance(said, Unauthorized)
        assert "login" in str(said)


@EACH
def test_a_database_that_does_not_exist_is_named_as_the_setting(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        said = refusal(account, database="nowhere")
        assert isinstance(said, Unauthorized)
        assert "database" in str(said)
        if protocol != "json2":
            assert 'there is no database "nowhere". Check the setting database.' in str(said)


@pytest.mark.parametrize(
    ("protocol", "absent", "told"),
    [
        ("jsonrpc", "database", "the setting database is missing. Give the name of the database"),
        ("xmlrpc", "login", "the setting login is missing"),
        ("jsonrpc", "password", r"the setting password \(or api_key\) is missing"),
        ("json2", "api_key", "the setting api_key is missing. JSON-2 takes nothing else"),
    ],
)
def test_a_setting_that_the_protocol_needs_is_asked_for_before_anything_is_sent(tmp_path, protocol, absent, told):
    with odoo(tmp_path, protocol) as account:
        gone = {absent, "api_key"} if absent == "password" else {absent}
        config = {name: value for name, value in account.config.items() if name not in gone}
        with pytest.raises(SettingError, match=f"^odoo: {told}"):
            connect("odoo", **config).check()
        assert sum(account.app.calls.values()) == 0


def test_of_several_databases_one_is_to_be_named(tmp_path):
    with odoo(tmp_path, "json2", databases=("sandbox", "other")) as account:
        config = {name: value for name, value in account.config.items() if name != "database"}
        with pytest.raises(Unauthorized, match="Check base_url, database and protocol"):
            connect("odoo", **config).check()


@EACH
def test_a_protocol_that_is_not_spoken_there_is_said(tmp_path, protocol):
    others = [name for name in PROTOCOLS if name != protocol]
    with odoo(tmp_path, protocol, protocols=others) as account:
        said = refusal(account)
        assert isinstance(said, Unauthorized)
        assert "404" in str(said)
        assert "protocol" in str(said)


@EACH
def test_a_credential_that_expires_meanwhile_ends_the_run(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        connection = account.connection()
        connection.check()
        account.app.expire_token()
        with pytest.raises(Unauthorized, match="api_key"):
            list(connection.read("partner", fields=["name"]))


@EACH
def test_no_secret_is_in_a_url_a_log_or_an_error(tmp_path, protocol, caplog):
    caplog.set_level(logging.DEBUG)
    with odoo(tmp_path, protocol, faults={"500": 0.2, "429": 0.2}) as account:
        connection = account.connection()
        list(connection.read("partner"))
        account.app.set_faults({})
        connection.add("partner", name="Ada")
        said = [str(refusal(account, api_key=WRONG)), *(call.target for call in account.app.log)]
        for secret in (account.app.api_key, account.config["password"], WRONG):
            assert secret not in caplog.text
            assert not any(secret in text for text in said)


# Exceptions by name


@pytest.mark.parametrize(
    ("name", "words", "status", "kind"),
    [
        ("odoo.exceptions.AccessError", "you may not", 0, Forbidden),
        ("odoo.exceptions.AccessDenied", "Access Denied", 0, Unauthorized),
        ("odoo.exceptions.AccessDenied", "Access Denied", 403, Unauthorized),
        ("odoo.http.SessionExpiredException", "Session expired", 0, Unauthorized),
        ("odoo.exceptions.MissingError", "Record does not exist or has been deleted.", 0, NotFound),
        ("odoo.exceptions.UserError", "Object x.y doesn't exist", 0, NotFound),
        ("builtins.KeyError", "'crm.lead'", 0, NotFound),
        ("builtins.KeyError", "'nane'", 0, Refused),
        ("builtins.ValueError", "Invalid field 'nane'", 500, Refused),
        ("odoo.exceptions.ValidationError", "no", 422, Refused),
        ("psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update", 0, Unavailable),
        ("psycopg2.errors.LockNotAvailable", "could not obtain lock on row", 500, Unavailable),
        ("odoo.exceptions.LockError", "busy", 409, Unavailable),
        ("psycopg2.OperationalError", "FATAL: sorry, too many clients already", 0, Unavailable),
        ("werkzeug.exceptions.InternalServerError", "sorry", 500, Unavailable),
        ("werkzeug.exceptions.NotFound", "404: Not Found", 0, NotFound),
        ("", "", 502, Unavailable),
    ],
)
def test_an_exception_is_told_by_its_name(name, words, status, kind):
    assert type(exception(name, words, status)) is kind


def test_only_what_was_rolled_back_is_known_not_to_be_done():
    assert exception("psycopg2.errors.SerializationFailure", "x").status == 503
    assert exception("psycopg2.OperationalError", "server closed the connection unexpectedly").status == 500


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (403, Forbidden),
        (404, Unauthorized),
        (429, Unavailable),
        (502, Unavailable),
        (413, Refused),
        (599, Unavailable),
    ],
)
def test_a_page_of_the_server_in_front_is_told_by_its_status(status, kind):
    said = refused_http(status)
    assert type(said) is kind
    assert str(status) in said.message


TRACE = """Traceback (most recent call last):
  File "/odoo/api.py", line 1, in call
    raise thing
{}"""


@pytest.mark.parametrize(
    ("end", "kind", "words"),
    [
        ("ValueError: Invalid field 'nane' on model 'res.partner'\n", Refused, "Invalid field 'nane' on model 'res.partner'"),
        ("psycopg2.errors.UniqueViolation: duplicate key\nDETAIL:  Key (a)=(b) already exists.\n", Refused,
         "duplicate key DETAIL: Key (a)=(b) already exists."),
        ("psycopg2.errors.SerializationFailure: could not serialize access\n", Unavailable, "could not serialize access"),
        ("KeyError: 'crm.lead'\n", NotFound, "'crm.lead'"),
        ("AssertionError\n", Refused, "AssertionError"),
        ("Something: that is no name\n", Refused, "that is no name"),
        ("", Refused, ""),
    ],
)  # fmt: skip
def test_of_a_traceback_only_the_exception_at_its_end_is_told(end, kind, words):
    said = xml_fault({"faultCode": 1, "faultString": TRACE.format(end)})
    assert type(said) is kind
    assert words in said.message
    assert "api.py" not in said.message


def test_the_fault_that_follows_a_commit_is_none():
    assert (
        xml_fault(
            {"faultCode": 1, "faultString": TRACE.format("TypeError: cannot marshal None unless allow_none is enabled")}
        )
        is None
    )


# Hostile answers


def reply(body: bytes, path: str = "/xmlrpc/2/object", status: int = 200) -> Reply:
    return Reply(status, {}, body, "https://odoo.example" + path)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 9) for n in range(5))
    + b"]><methodResponse><params><param><value>&f;</value></param></params></methodResponse>"
)


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><methodResponse><params><param><value>&x;</value></param></params></methodResponse>',
        b"<methodResponse><params><param><value>" + b"<array><data><value>" * 50_000,
        b"<methodResponse><params><param><value>" + b"<array><data><value>" * 5_000 + b"1" + b"</value></data></array>" * 5_000 + b"</value></param></params></methodResponse>",
        b"<methodResponse><params><param><value><int>" + b"9" * 100_000 + b"</int></value></param></params></methodResponse>",
        b"<methodResponse><params><param><value><what>1</what></value></param></params></methodResponse>",
        b"<methodResponse></methodResponse>",
        b"<methodResponse><params><param>",
        b"<methodResponse><params><param><value><struct><member/></struct></value></param></params></methodResponse>",
    ],
)  # fmt: skip
def test_a_hostile_answer_is_refused_with_bounded_memory(body):
    style = OdooCalls()
    tracemalloc.start()
    try:
        assert style.fault(reply(body)) is None
        with pytest.raises(BadReply, match="XML-RPC"):
            style.decode(reply(body))
        assert tracemalloc.get_traced_memory()[1] < 64_000_000
    finally:
        tracemalloc.stop()


def test_a_fault_that_cannot_be_read_is_an_error():
    assert isinstance(OdooCalls().fault(reply(b"<methodResponse><fault><value><what/></value>")), BadReply)


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"[1", b'"text"', b"\xff\xfe"])
@EACH
def test_what_is_no_answer_is_not_taken_for_one(protocol, body):
    path = {"json2": "/json/2/res.partner/search_read", "jsonrpc": "/jsonrpc", "xmlrpc": "/xmlrpc/2/object"}[protocol]
    with requests_mock.Mocker() as mocked:
        mocked.post("https://odoo.example" + path, content=body)
        mocked.post("https://odoo.example/json/2/res.partner/fields_get", content=body)
        settings = {
            "base_url": "https://odoo.example",
            "database": "d",
            "login": "l",
            "api_key": "k",
            "protocol": protocol,
        }
        client = Client(apis.load("odoo"), settings)
        client.http.notes["uid"] = 2
        with pytest.raises(BadReply):
            list(client.read(client.resource("partner")))


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","error":"boom"}',
        b'{"jsonrpc":"2.0","error":{"data":null,"message":"boom"}}',
        b'{"jsonrpc":"2.0","error":{"data":{"message":"boom","name":7}}}',
    ],
)
def test_an_error_of_an_odd_shape_is_an_error_all_the_same(body):
    assert "boom" in OdooCalls().fault(reply(body, "/jsonrpc")).message


@EACH
@pytest.mark.parametrize("fault", ["html", "empty", "502-html", "cut", "timeout"])
def test_a_creation_that_got_no_answer_is_not_said_to_be_done(tmp_path, protocol, fault):
    with odoo(tmp_path, protocol) as account:
        client = account.client()
        client.check()
        account.app.fail_next(1, fault, "res.partner/create")
        [outcome] = client.write(client.resource("partner"), "create", [Change({"name": "Ada"})])
        assert outcome.kind == "unknown"
        there = [row for row in account.partners("name") if row["name"] == "Ada"]
        assert len(there) == (1 if fault == "cut" else 0)


# XML-RPC as text


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -7,
        2**31,
        2**62,
        "",
        "a & <b> ]]>",
        "Ünïcode \N{GRINNING FACE}",
        [],
        [1, [2, []]],
        {},
        {"a b": {"c": [None]}},
    ],
)
def test_a_value_comes_back_as_it_was_sent(value):
    sent = xml.call("m", [value])
    inner = sent[sent.index(b"<param>") + 7 : sent.rindex(b"</param>")]
    body = b"<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>" + inner + b"</param></params></methodResponse>"
    assert xml.read(body) == (False, value)


def test_a_call_is_what_the_standard_library_reads():
    import xmlrpc.client  # noqa: PLC0415

    arguments = [
        "db",
        2,
        "s<>&\x07",
        {"limit": 10, "domain": [["name", "=", False]]},
        msgspec.json.decode("1.5"),
        2**40,
    ]
    found, method = xmlrpc.client.loads(xml.call("execute_kw", arguments))
    assert method == "execute_kw"
    assert list(found) == ["db", 2, "s<>&", {"limit": 10, "domain": [["name", "=", False]]}, 1.5, 2**40]


def test_names_of_kinds_and_numbers_of_all_kinds_are_read():
    values = "<i4>4</i4>,<int>-5</int>,<i8>6</i8>,<double>0.10</double>,<double>nan</double>,<nil/>,text,<base64>YQ==</base64>"
    data = "".join(f"<value>{value}</value>" for value in values.split(","))
    body = f"<methodResponse><params><param><value><array><data>{data}</data></array></value></param></params></methodResponse>"
    _, found = xml.read(body.encode())
    assert [str(value) for value in found] == ["4", "-5", "6", "0.10", "None", "None", "text", "YQ=="]


def test_the_folder_of_the_account_keeps_no_secret(tmp_path: Path):
    with odoo(tmp_path) as account:
        account.write([{"name": "Ada", "ref": "1", "external_id": "x.1"}])
        for file in tmp_path.rglob("*"):
            if file.is_file():
                assert account.app.api_key.encode() not in file.read_bytes()
