"""A request, understood: which protocol it speaks, and what it calls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from antiphon.sandbox.exchange import Request
from antiphon.sandbox.odoo import marshalling


@dataclass(slots=True)
class Asked:
    """A request, understood: its protocol, what is called, and with what. `wrong` says why it was not understood."""

    protocol: str
    target: str
    method: str = ""
    params: Any = None
    id: Any = None
    old: bool = False
    wrong: str = ""

    @property
    def called(self) -> str:
        """The method of a model when one is called, else of a service."""
        params = self.params
        if self.target == "object" and isinstance(params, list) and len(params) > 4:
            return f"{params[3]}/{params[4]}"
        return f"{self.target}/{self.method}" if self.method else self.target


def understood(request: Request) -> Asked:  # noqa: PLR0911 - a way for each path
    """What a request asks for. Its protocol is empty when it speaks none of them."""
    match request.segments:
        case ["xmlrpc", "2", service]:
            return _from_xml(request, service, old=False)
        case ["xmlrpc", service]:
            return _from_xml(request, service, old=True)
        case ["jsonrpc"]:
            return _from_json(request, "jsonrpc")
        case ["web", "session", "authenticate" | "destroy" as method]:
            return _from_json(request, "session", method)
        case ["web", "webclient", "version_info" as method]:
            return _from_json(request, "session", method)
        case ["web", "dataset", "call_kw" | "call", *_]:
            return _from_json(request, "session", "call_kw")
        case ["json", "2", model, method] if request.method == "POST":
            return Asked("json2", model, method)
        case ["json", "2", *_]:
            return Asked("json2", "?")
        case ["doc-bearer", name] if name.endswith(".json"):
            return Asked("json2", f"doc-bearer/{name.removesuffix('.json')}")
    return Asked("", "/".join(request.segments))


def _from_xml(request: Request, service: str, *, old: bool) -> Asked:
    try:
        method, params = marshalling.call(request.body)
    except ValueError as error:
        return Asked("xmlrpc", service, wrong=f"Invalid XML-RPC: {error}", old=old)
    return Asked("xmlrpc", service, method, params, old=old)


def _from_json(request: Request, protocol: str, method: str = "") -> Asked:
    try:
        body = json.loads(request.body)
        params = body.get("params") or {}
    except (ValueError, AttributeError):
        params = None
    if not isinstance(params, dict):
        return Asked(protocol, method or "?", wrong="Invalid JSON data")
    if protocol == "session":
        if method == "call_kw" and "model" in params and "method" in params:
            return Asked(protocol, params["model"], params["method"], params, body.get("id"))
        return Asked(protocol, "session", method, params, body.get("id"))
    args = params.get("args")
    return Asked(protocol, str(params.get("service")), str(params.get("method")), args or [], body.get("id"))
