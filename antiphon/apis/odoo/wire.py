"""Odoo's three wire protocols behind one: a call is a model's method, its arguments by name.

``Request("POST", "res.partner/search_read", body={"domain": […], "fields": […]})`` goes out as JSON-2 (Odoo 19 and later), as JSON-RPC, or as
XML-RPC; the answer's body is the method's result as JSON, whichever it was. A URL that begins with a slash goes out as it is.

https://www.odoo.com/documentation/master/developer/reference/external_api.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from antiphon.api import Reply, Request
from antiphon.apis.odoo import xml
from antiphon.apis.odoo.faults import exception, refused_http, xml_fault
from antiphon.errors import ApiError, BadReply, NotFound, Refused, SettingError, Unauthorized, Unavailable

if TYPE_CHECKING:
    from antiphon.http import Http

JSON2, JSONRPC, XMLRPC = "json2", "jsonrpc", "xmlrpc"
UNSENT = "done, but XML-RPC cannot carry what it returned"
"""Stands for the result of a method that was carried out and returned None, which Odoo does not send by XML-RPC."""
_WITH_JSON2 = 19
"""The first version that has JSON-2."""
_FIRST = ("vals_list", "vals")
"""Arguments that the RPC protocols take by position: Odoo looks at the first of a ``create`` itself."""
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


class _Answer(msgspec.Struct):
    """An answer of JSON-RPC; its result stays as it came."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Any = None


@dataclass(frozen=True)
class OdooCalls:
    """The style of a client that speaks to Odoo."""

    def encode(self, http: Http, request: Request) -> Request:
        """Return the request on the wire; the first one finds out the protocol, and logs in where that is due.

        Raises:
            ApiError: neither worked, or what is to be an id is none.
            SettingError: the protocol needs a setting that is missing.
        """
        if request.url.startswith("/") or "://" in request.url:
            return request
        protocol = _protocol(http)
        model, _, method = request.url.rpartition("/")
        arguments = dict(request.body or {})
        if "ids" in arguments:
            arguments["ids"] = [number(id) for id in arguments["ids"]]
        if protocol == JSON2:
            headers = {**request.headers, "Authorization": f"bearer {http.settings.get('api_key')}"}
            if http.settings.get("database"):
                headers["X-Odoo-Database"] = str(http.settings["database"])
            return Request("POST", f"/json/2/{model}/{method}", {}, headers, arguments)
        positional: list[Any] = [arguments.pop("ids")] if "ids" in arguments else []
        positional += [arguments.pop(name) for name in _FIRST if name in arguments]
        call = [_database(http), _uid(http, protocol), _secret(http), model, method, positional, arguments]
        return _rpc(protocol, "object", "execute_kw", call)

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of: the RPC protocols answer 200 to everything."""
        if xml.is_answer(reply.body) and _by(reply, "xmlrpc/"):
            return _fault_in_xml(reply)
        if reply.status < HTTPStatus.BAD_REQUEST:
            answer = _answer(reply)
            if answer is None or not answer.error:
                return None
            error = answer.error if isinstance(answer.error, dict) else {}
            data = found if isinstance(found := error.get("data"), dict) else {}
            return exception(
                str(data.get("name", "")), str(data.get("message") or error.get("message") or answer.error)
            )
        try:
            body = msgspec.json.decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return refused_http(reply.status)
        if isinstance(body, dict):  # JSON-2
            return exception(str(body.get("name", "")), str(body.get("message", "")), reply.status)
        return exception("", str(body), reply.status)

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* with the method's result for a body.

        Raises:
            BadReply: it is no answer of the protocol.
        """
        if _by(reply, "xmlrpc/"):
            fault, result = xml.read(reply.body)  # of faults only the harmless one comes here
            return Reply(reply.status, reply.headers, _ENCODE(UNSENT if fault else result), reply.url)
        answer = _answer(reply)
        return reply if answer is None else Reply(reply.status, reply.headers, bytes(answer.result), reply.url)


def number(id: Any) -> int:
    """Return *id* as the number that Odoo's ids are.

    Raises:
        Refused: it is none.
    """
    try:
        return int(id)
    except (TypeError, ValueError):
        raise Refused(f'"{id}" is no id of a record: they are whole numbers', status=422) from None


# Logging in


def _protocol(http: Http) -> str:
    """Return the protocol to speak: the one set, else JSON-2 where the server has it and there is a key for it."""
    chosen = http.notes.get("protocol") or http.settings.get("protocol") or "auto"
    if chosen == JSON2 and not http.settings.get("api_key"):
        hint = "JSON-2 takes nothing else. Make a key in Odoo: Preferences > Account Security."
        raise SettingError(f"{http.name}: the setting api_key is missing", hint=hint)
    if chosen == "auto":
        chosen = JSON2 if http.settings.get("api_key") and _version(http) >= _WITH_JSON2 else JSONRPC
    http.notes["protocol"] = chosen
    return str(chosen)


def _version(http: Http) -> int:
    """Return the server's major version as ``/web/version`` tells it; 0 before Odoo 19, which has no such route."""
    reply = http.send(Request("GET", "/web/version"), "asking for the version", plain=True)
    if reply.status >= HTTPStatus.BAD_REQUEST and isinstance(error := refused_http(reply.status), Unavailable):
        raise error
    try:
        found = msgspec.json.decode(reply.body)["version_info"][0]  # "saas~18" on Odoo Online
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, IndexError):
        return 0
    digits = re.search(r"\d{1,4}", str(found))
    return int(digits[0]) if digits else 0


def _database(http: Http) -> str:
    if not http.settings.get("database"):
        hint = "Give the name of the database; on Odoo Online it is the sub-domain."
        raise SettingError(f"{http.name}: the setting database is missing", hint=hint)
    return str(http.settings["database"])


def _secret(http: Http) -> str:
    secret = http.settings.get("api_key") or http.settings.get("password")
    if not secret or not http.settings.get("login"):
        absent = "login" if secret else "password (or api_key)"
        hint = "This protocol logs in with login and password, or an API key as the password."
        raise SettingError(f"{http.name}: the setting {absent} is missing", hint=hint)
    return str(secret)


def _uid(http: Http, protocol: str) -> int:
    """Return the user's id, logging in once. Odoo answers ``false``, and not with a fault, to a wrong password."""
    if "uid" not in http.notes:
        database, secret = _database(http), _secret(http)
        request = _rpc(protocol, "common", "authenticate", [database, http.settings.get("login"), secret, {}])
        reply = http.send(request, "logging in", plain=True)
        style = OdooCalls()
        if error := style.fault(reply):
            if isinstance(error, NotFound):
                raise Unauthorized(error.message, status=error.status, hint=error.hint)
            raise error
        uid = style.decode(reply).json()
        if uid is False:
            given = "login and api_key" if http.settings.get("api_key") else "login and password"
            raise Unauthorized(f"{given} are not accepted", status=401, hint=f"Check the settings {given}.")
        if type(uid) is not int:
            raise BadReply("logging in gave no number of a user")
        http.notes["uid"] = uid
    return int(http.notes["uid"])


# On the wire


def _rpc(protocol: str, service: str, method: str, arguments: list[Any]) -> Request:
    if protocol == JSONRPC:
        params = {"service": service, "method": method, "args": arguments}
        return Request("POST", "/jsonrpc", {}, {}, {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
    headers = {"Content-Type": "text/xml", "Accept": "text/xml"}
    return Request("POST", f"/xmlrpc/2/{service}", {}, headers, xml.call(method, arguments))


def _by(reply: Reply, way: str) -> bool:
    """Whether *reply* came by that way."""
    return f"/{way}" in f"{reply.url.partition('?')[0]}/"


def _answer(reply: Reply) -> _Answer | None:
    """Return the answer of JSON-RPC that *reply* is; None where it came by another way, or is none."""
    if not _by(reply, "jsonrpc/"):
        return None
    try:
        return msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _fault_in_xml(reply: Reply) -> ApiError | None:
    if not xml.is_fault(reply.body):
        return None
    try:
        _, said = xml.read(reply.body)
    except BadReply as error:
        return error
    return xml_fault(said if isinstance(said, dict) else {})
