"""Odoo's three wire protocols behind one: a call is a model's method, its arguments by name.

``Request("POST", "res.partner/search_read", body={"domain": […], "fields": […]})`` goes out as JSON-2 (Odoo 19 and later), as JSON-RPC, or as
XML-RPC; the answer's body is the method's result as JSON, whichever it was. A URL that begins with a slash goes out as it is.

https://www.odoo.com/documentation/master/developer/reference/external_api.html
"""

from __future__ import annotations

import re
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from antiphon.api import Reply, Request
from antiphon.errors import (
    ApiError,
    BadReply,
    Forbidden,
    NotFound,
    Refused,
    SettingError,
    Unauthorized,
    Unavailable,
)

if TYPE_CHECKING:
    from antiphon.http import Http

JSON2, JSONRPC, XMLRPC = "json2", "jsonrpc", "xmlrpc"
_NEWEST_RPC = 19
"""The first version with JSON-2."""
_FIRST = ("vals_list", "vals")
"""Arguments that the RPC protocols take by position: Odoo looks at the first of a ``create`` itself."""
_BUSY = (
    "could not serialize access",
    "deadlock detected",
    "could not obtain lock",
    "lock not available",
    "LockNotAvailable",
)
_MARSHAL = "cannot marshal None"
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_CREDENTIAL = "Check login and password (or api_key)."


@dataclass(frozen=True)
class OdooCalls:
    """The style of a client that speaks to Odoo."""

    def encode(self, http: Http, request: Request) -> Request:
        """Return the request on the wire; the first one finds out the protocol, and logs in where that is due."""
        if request.url.startswith("/") or "://" in request.url:
            return request
        protocol = _protocol(http)
        model, _, method = request.url.rpartition("/")
        arguments = dict(request.body or {})
        if "ids" in arguments:
            arguments["ids"] = [int(id) for id in arguments["ids"]]
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
        if _is_xml(reply):
            return _xml_fault(reply)
        body = _json(reply)
        if isinstance(body, dict) and isinstance(body.get("error"), dict):  # JSON-RPC
            data = body["error"].get("data") or {}
            name, words = str(data.get("name", "")), str(data.get("message") or body["error"].get("message", ""))
            return None if _MARSHAL in words else _error(name, words, str(data.get("debug", "")), reply.status)
        if reply.status < HTTPStatus.BAD_REQUEST:
            return None
        if isinstance(body, dict):  # JSON-2
            return _error(
                str(body.get("name", "")), str(body.get("message", "")), str(body.get("debug", "")), reply.status
            )
        return _error("", body if isinstance(body, str) else HTTPStatus(reply.status).phrase, "", reply.status)

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* with the method's result for a body. A result that could not be sent back to us is null."""
        if _is_xml(reply):
            [result] = [None] if _is_fault(reply) else _loaded(reply.body)  # of faults only the harmless one comes here
        else:
            body = _json(reply)
            if not (isinstance(body, dict) and "jsonrpc" in body):
                return reply
            result = body.get("result")
        return Reply(reply.status, reply.headers, _ENCODE(result), reply.url)


# Logging in


def _protocol(http: Http) -> str:
    """Return the protocol to speak: the one set, else JSON-2 where the server has it and there is a key for it."""
    chosen = http.notes.get("protocol") or http.settings.get("protocol") or "auto"
    if chosen == JSON2 and not http.settings.get("api_key"):
        raise SettingError(
            f"{http.name}: JSON-2 needs the setting api_key", hint="Make a key in Odoo: Preferences > Account Security."
        )
    if chosen == "auto":
        chosen = JSON2 if http.settings.get("api_key") and _version(http) >= _NEWEST_RPC else JSONRPC
    http.notes["protocol"] = chosen
    return str(chosen)


def _version(http: Http) -> int:
    """Return the server's major version as ``/web/version`` tells it; 0 before Odoo 19, which has no such route."""
    reply = http.send(Request("GET", "/web/version"), "asking for the version", plain=True)
    try:
        return int(msgspec.json.decode(reply.body)["version_info"][0])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, IndexError):
        return 0


def _database(http: Http) -> str:
    if not http.settings.get("database"):
        raise SettingError(
            f"{http.name}: the setting database is missing",
            hint="Give the name of the database; on Odoo Online it is the sub-domain.",
        )
    return str(http.settings["database"])


def _secret(http: Http) -> str:
    secret = http.settings.get("api_key") or http.settings.get("password")
    if not secret or not http.settings.get("login"):
        absent = "login" if secret else "password (or api_key)"
        raise SettingError(
            f"{http.name}: the setting {absent} is missing",
            hint="This protocol logs in with login and password, or an API key as the password.",
        )
    return str(secret)


def _uid(http: Http, protocol: str) -> int:
    """Return the user's id, logging in once. Odoo answers ``false``, and not with a fault, to a wrong password."""
    if "uid" not in http.notes:
        call = [_database(http), http.settings.get("login"), _secret(http), {}]
        reply = http.send(_rpc(protocol, "common", "authenticate", call), "logging in", plain=True)
        style = OdooCalls()
        if error := style.fault(reply):
            raise _login_error(error, http)
        uid = style.decode(reply).json()
        if not uid:
            raise Unauthorized("login and password are not accepted", status=401, hint=_CREDENTIAL)
        http.notes["uid"] = uid
    return int(http.notes["uid"])


def _login_error(error: ApiError, http: Http) -> ApiError:
    if "database" in error.message.lower() and "not exist" in error.message.lower():
        return Unauthorized(
            f'there is no database "{http.settings.get("database")}"', status=401, hint="Check the setting database."
        )
    return error


# On the wire


def _rpc(protocol: str, service: str, method: str, arguments: list[Any]) -> Request:
    if protocol == JSONRPC:
        params = {"service": service, "method": method, "args": arguments}
        return Request("POST", "/jsonrpc", {}, {}, {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
    body = _dumps(tuple(arguments), method)
    return Request("POST", f"/xmlrpc/2/{service}", {}, {"Content-Type": "text/xml", "Accept": "text/xml"}, body)


class _Marshaller(xmlrpc.client.Marshaller):
    """Writes Decimals with all their digits."""

    def dump_decimal(self, value: Decimal, write: Callable[[str], Any]) -> None:
        write(f"<value><double>{value}</double></value>\n")


_Marshaller.dispatch = {**xmlrpc.client.Marshaller.dispatch, Decimal: _Marshaller.dump_decimal}  # type: ignore[dict-item]


class _Unmarshaller(xmlrpc.client.Unmarshaller):
    """Reads numbers with a fraction as Decimals."""

    def end_double(self, data: str) -> None:
        self.append(Decimal(data.strip()))
        self._value = False


_Unmarshaller.dispatch = {**xmlrpc.client.Unmarshaller.dispatch, "double": _Unmarshaller.end_double}  # type: ignore[dict-item]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _dumps(arguments: tuple[Any, ...], method: str) -> bytes:
    marshaller = _Marshaller("utf-8", allow_none=True)
    params = _CONTROL.sub("", marshaller.dumps(arguments))  # such characters are not XML; Odoo drops them as well
    return f"<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n{params}</methodCall>\n".encode()


def _loaded(body: bytes) -> tuple[Any, ...]:
    """Return what an XML-RPC answer holds.

    Raises:
        xmlrpc.client.Fault: a fault.
        BadReply: it is no such answer, or has a document type of its own.
    """
    if b"<!" in body[:4096].split(b"<methodResponse", 1)[0]:
        raise BadReply("an XML-RPC answer with a document type declaration")
    unmarshaller = _Unmarshaller()
    parser = xmlrpc.client.ExpatParser(unmarshaller)
    try:
        parser.feed(body)
        parser.close()
        return unmarshaller.close()
    except xmlrpc.client.Fault:
        raise
    except Exception as error:
        raise BadReply(f"no XML-RPC but «{body[:60].decode('utf-8', 'replace')}»") from error


def _is_xml(reply: Reply) -> bool:
    return b"<methodResponse" in reply.body[:200]


def _json(reply: Reply) -> Any:
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


# Faults


def _is_fault(reply: Reply) -> bool:
    return b"<fault>" in reply.body[:500]


def _xml_fault(reply: Reply) -> ApiError | None:
    if not _is_fault(reply):
        return None
    try:
        _loaded(reply.body)
    except xmlrpc.client.Fault as fault:
        words = str(fault.faultString)
        if _MARSHAL in words:
            return None
        names = {2: "odoo.exceptions.UserError", 3: "odoo.exceptions.AccessDenied", 4: "odoo.exceptions.AccessError"}
        last = words.strip().splitlines()[-1] if words.strip() else ""
        name, _, told = last.partition(": ")
        if fault.faultCode == 1 and told and " " not in name:
            return _error(name, told, words, reply.status)
        return _error(
            names.get(fault.faultCode, str(fault.faultCode)),
            words if fault.faultCode != 1 else last,
            words,
            reply.status,
        )
    return None


def _error(name: str, words: str, debug: str, status: int) -> ApiError:
    """Return the error for one of Odoo's exceptions, by its name."""
    short = name.rpartition(".")[2]
    lines = words.strip().splitlines()
    words = lines[-1] if lines and lines[0].startswith("Traceback") else " ".join(lines)
    said: dict[str, Any] = {"status": status if status >= HTTPStatus.BAD_REQUEST else 0, "code": short}
    if any(sign in words or sign in debug for sign in _BUSY):
        return Unavailable(words, **{**said, "status": 503})  # rolled back, surely
    if short in {"AccessDenied", "SessionExpiredException"} or status == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(f"401 {words}", status=401, code=short, hint=_CREDENTIAL)
    if short == "AccessError" or status == HTTPStatus.FORBIDDEN:
        return Forbidden(words, **said)
    unknown_model = ("the model" in words.lower() and "does not exist" in words.lower()) or (short == "KeyError")
    if unknown_model or (short == "UserError" and "doesn't exist" in words and "Object" in words):
        return NotFound(words, hint="Is the module installed that has this model?", status=404, code=short)
    if short == "MissingError" or status == HTTPStatus.NOT_FOUND:
        return NotFound(words, status=404, code=short)
    if not short and status in {429, 500, 502, 503, 504}:
        return Unavailable(f"{status} {words}", **said)
    return Refused(words, **said)
