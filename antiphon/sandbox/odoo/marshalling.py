"""XML-RPC as the vendor writes it: without `<nil/>`, and with its two families of fault codes."""

from __future__ import annotations

import re
import xmlrpc.client
from collections.abc import Callable
from xml.parsers.expat import ExpatError

from antiphon.sandbox.odoo import failures
from antiphon.sandbox.odoo.failures import Failure

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
CODES = {
    failures.USER: 2,
    failures.VALIDATION: 2,
    failures.MISSING: 2,
    failures.DENIED: 3,
    failures.ACCESS: 4,
}
"""Fault codes under `/xmlrpc/2/`; 1 for any other exception, with its whole traceback."""


def call(body: bytes) -> tuple[str, list[object]]:
    """Method and parameters of a request. Raises ValueError for a body that is none."""
    try:
        params, method = xmlrpc.client.loads(body, use_builtin_types=True)
    except (ExpatError, xmlrpc.client.ResponseError, xmlrpc.client.Fault, LookupError, ValueError) as error:
        raise ValueError(str(error)) from None
    return method or "", list(params)


def response(result: object) -> bytes:
    """A result as the body of a reply. Raises Failure for what XML-RPC cannot carry, None above all."""
    parts: list[str] = []
    _write(result, parts.append)
    return f"{_HEAD}<params>\n<param>\n{''.join(parts)}</param>\n</params>\n</methodResponse>\n".encode()


def fault(failure: Failure, *, old: bool) -> bytes:
    """A failure as the body of a reply; `old` is the family of `/xmlrpc/`, whose codes are text."""
    code: int | str
    if old:
        code, text = _old(failure)
    else:
        code = CODES.get(failure.name, 1)
        text = failure.trace if code == 1 else failure.message
    parts: list[str] = []
    _write({"faultCode": code, "faultString": text}, parts.append)
    return f"{_HEAD}<fault>\n{''.join(parts)}</fault>\n</methodResponse>\n".encode()


def _old(failure: Failure) -> tuple[str, str]:
    if failure.name == failures.DENIED:
        return "AccessDenied", failure.message
    if failure.name not in CODES:
        return failure.message, failure.trace
    kind = failure.name.rpartition(".")[2]
    return f"warning -- {'UserError' if kind == 'ValidationError' else kind}\n\n{failure.message}", ""


_HEAD = "<?xml version='1.0'?>\n<methodResponse>\n"


def _escaped(text: str) -> str:
    if CONTROL.search(text):
        text = CONTROL.sub("", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _write(value: object, out: Callable[[str], None]) -> None:  # noqa: C901 - one case for each type
    if isinstance(value, str):
        out(f"<value><string>{_escaped(value)}</string></value>\n")
    elif isinstance(value, bool):
        out("<value><boolean>1</boolean></value>\n" if value else "<value><boolean>0</boolean></value>\n")
    elif isinstance(value, int):
        if not -(2**31) <= value < 2**31:
            raise Failure("builtins.OverflowError", "int exceeds XML-RPC limits")
        out(f"<value><int>{value}</int></value>\n")
    elif isinstance(value, float):
        out(f"<value><double>{value!r}</double></value>\n")
    elif isinstance(value, dict):
        out("<value><struct>\n")
        for name, member in value.items():
            if not isinstance(name, str):
                raise failures.wrong_type("dictionary key must be string")
            out(f"<member>\n<name>{_escaped(name)}</name>\n")
            _write(member, out)
            out("</member>\n")
        out("</struct></value>\n")
    elif isinstance(value, list | tuple):
        out("<value><array><data>\n")
        for item in value:
            _write(item, out)
        out("</data></array></value>\n")
    elif value is None:
        raise failures.wrong_type("cannot marshal None unless allow_none is enabled")
    else:
        raise failures.wrong_type(f"cannot marshal {type(value)} objects")
