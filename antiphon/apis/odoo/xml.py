"""XML-RPC, as much of it as Odoo speaks: a call written, an answer read. Numbers with a fraction are Decimals, both ways.

http://xmlrpc.com/spec.md
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from antiphon.errors import BadReply
from antiphon.fill import spelled

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters that are not XML's; Odoo drops them as well."""
_OPENING = 400
"""Bytes of an answer within which it tells what it is."""
_ROOT = b"<methodResponse"


def call(method: str, arguments: list[Any]) -> bytes:
    """Return the body of a call."""
    parts = ["<?xml version='1.0'?>\n<methodCall>\n<methodName>", method, "</methodName>\n<params>\n"]
    for argument in arguments:
        parts.append("<param>")
        _write(argument, parts.append)
        parts.append("</param>\n")
    return "".join([*parts, "</params>\n</methodCall>\n"]).encode()


def is_answer(body: bytes) -> bool:
    """Whether *body* is an answer of XML-RPC, and not a page for people."""
    return _ROOT in body[:_OPENING]


def is_fault(body: bytes) -> bool:
    """Whether the answer is a fault."""
    return body[:_OPENING].partition(_ROOT)[2].partition(b">")[2].lstrip().startswith(b"<fault>")


def read(body: bytes) -> tuple[bool, Any]:
    """Return whether the answer is a fault, and the value in it.

    Raises:
        BadReply: it is no such answer; or it declares a document type, which none does that means well.
    """
    if not is_answer(body):
        raise BadReply(f'no XML-RPC but "{_start(body)}"')
    if b"<!" in body.partition(_ROOT)[0]:
        raise BadReply("an XML-RPC answer with a document type declaration")
    try:
        with _uncollected():
            [found] = ET.fromstring(body)  # noqa: S314 - without a document type there are no entities
            fault = found.tag == "fault"
            return fault, _value(found[0] if fault else found[0][0])
    except (ET.ParseError, ValueError, IndexError, KeyError, InvalidOperation, RecursionError) as error:
        raise BadReply(f'no XML-RPC ({type(error).__name__}) but "{_start(body)}"') from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let nobody look for garbage meanwhile: among the hundred thousand elements of a page it takes longer than to read them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _start(body: bytes) -> str:
    return " ".join(body[:60].decode("utf-8", "replace").split())


def _write(value: Any, out: Callable[[str], None]) -> None:
    match value:
        case None:
            out("<value><nil/></value>")
        case bool():
            out(f"<value><boolean>{value:d}</boolean></value>")
        case int():
            kind = "int" if -(2**31) <= value < 2**31 else "i8"
            out(f"<value><{kind}>{value}</{kind}></value>")
        case float() | Decimal():
            out(f"<value><double>{spelled(Decimal(str(value)))}</double></value>")
        case Mapping():
            out("<value><struct>")
            for name, member in value.items():
                out(f"<member><name>{_text(name)}</name>")
                _write(member, out)
                out("</member>")
            out("</struct></value>")
        case list() | tuple():
            out("<value><array><data>")
            for item in value:
                _write(item, out)
            out("</data></array></value>")
        case _:
            out(f"<value><string>{_text(value)}</string></value>")


def _text(value: Any) -> str:
    return escape(_CONTROL.sub("", str(value)))


def _value(node: ET.Element) -> Any:
    if not len(node):
        return node.text or ""
    inner = node[0]
    return _READ[inner.tag](inner)


def _double(node: ET.Element) -> Decimal | None:
    found = Decimal((node.text or "").strip())
    return found if found.is_finite() else None


def _struct(node: ET.Element) -> dict[str, Any]:
    return {member[0].text or "": _value(member[1]) for member in node}


_READ: dict[str, Callable[[ET.Element], Any]] = {
    "string": lambda node: node.text or "",
    "int": lambda node: int(node.text or ""),
    "i4": lambda node: int(node.text or ""),
    "i8": lambda node: int(node.text or ""),
    "boolean": lambda node: node.text == "1",
    "double": _double,
    "struct": _struct,
    "array": lambda node: [_value(item) for item in node[0]],
    "nil": lambda _node: None,
    "dateTime.iso8601": lambda node: node.text or "",
    "base64": lambda node: node.text or "",
}
