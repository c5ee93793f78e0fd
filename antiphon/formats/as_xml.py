"""XML, read into plain values and written from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from antiphon.api.wire import beginning
from antiphon.errors import BadReply, Refused
from antiphon.formats.forms import plain

DEEPEST = 200
"""Elements within each other."""
_NIL = "http://www.w3.org/2001/XMLSchema-instance nil"
_NAME = re.compile(r"[A-Za-z_][\w.:-]*")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True)
class Xml:
    """XML: an element of text alone is that text, any other an object; ``@name`` is an attribute, ``#text`` text beside them.

    An element that comes several times is a list. One that *may* is named in ``lists``, for it is a list then however often it comes:
    by its name, or by its path from the root (``people.person``), by which it is an empty list where it does not come
    at all. Names lose their namespace, unless ``namespaces`` gives a prefix for it. An empty element is null; all values are text and
    are read by the schema's types. A document type declaration is refused, and with it every entity.
    """

    lists: tuple[str, ...] = ()
    """Elements that are lists however often they come, by name or by path from the root."""
    namespaces: Mapping[str, str] = field(default_factory=dict)
    """The URI of a namespace -> the prefix that its names have here."""

    accept: ClassVar[str] = "application/xml, text/xml;q=0.9, */*;q=0.5"
    text: ClassVar[bool] = True

    def decode(self, body: bytes) -> dict[str, Any]:
        """Return an object with the root element.

        Raises:
            BadReply: it is no XML, is nested too deeply, or declares a document type.
        """
        tree = _Tree(self)
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = tree.doctype
        parser.StartElementHandler = tree.start
        parser.CharacterDataHandler = tree.said
        parser.EndElementHandler = tree.end
        try:
            parser.Parse(body, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise BadReply(f'no XML ({error}) but "{beginning(body)}"') from None
        return tree.root

    def encode(self, body: Any) -> tuple[bytes, str]:
        """Return *body*, an object with one key for the root element, and its content type.

        Raises:
            Refused: it is no such object, or has what no XML can hold.
        """
        if not isinstance(body, Mapping) or len(body) != 1:
            raise Refused("what is to be sent as XML has no single root element")
        [(name, value)] = body.items()
        written = "".join(_element(name, value))
        return f"<?xml version='1.0' encoding='utf-8'?>\n{written}".encode(), "application/xml; charset=utf-8"


class _Tree:
    """What is being built of an XML document; the elements that are open are a stack."""

    def __init__(self, form: Xml) -> None:
        self.root: dict[str, Any] = {}
        self._form = form
        self._names = {name for name in form.lists if "." not in name}
        self._under: dict[str, list[str]] = {}
        for path in form.lists:
            parent, _, child = path.rpartition(".")
            if parent:
                self._under.setdefault(parent, []).append(child)
        self._open: list[tuple[str, dict[str, Any], list[str], bool]] = [("", self.root, [], False)]

    def doctype(self, *_: Any) -> None:
        """Refuse a document type: nobody who means well declares one here."""
        raise BadReply("XML with a document type declaration")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        if len(self._open) > DEEPEST:
            raise BadReply("XML that is nested too deeply")
        nil = attributes.pop(_NIL, "false") in {"true", "1"}
        values = {f"@{self._local(key)}": value for key, value in attributes.items()}
        path = f"{self._open[-1][0]}.{self._local(name)}".lstrip(".")
        self._open.append((path, values, [], nil))

    def said(self, words: str) -> None:
        """Keep text."""
        self._open[-1][2].append(words)

    def end(self, name: str) -> None:
        """Close an element and put what it holds into the one around it."""
        path, values, words, nil = self._open.pop()
        for child in self._under.get(path, ()):
            values.setdefault(child, [])
        local, said = self._local(name), "".join(words)
        value: Any = values
        if not values:
            value = said if said.strip() and not nil else None
        elif said.strip():
            values["#text"] = said.strip()
        parent, around, *_ = self._open[-1]
        if local in around:
            before = around[local]
            if isinstance(before, list):
                before.append(value)
            else:
                around[local] = [before, value]
        elif local in self._names or local in self._under.get(parent, ()):
            around[local] = [value]
        else:
            around[local] = value

    def _local(self, name: str) -> str:
        space, _, local = name.rpartition(" ")
        prefix = self._form.namespaces.get(space)
        return f"{prefix}:{local}" if prefix else local


def _element(name: Any, value: Any) -> Iterator[str]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refused(f'"{name}" is no name of an XML element')
    if isinstance(value, list | tuple):
        for one in value:
            yield from _element(name, one)
        return
    inner = value if isinstance(value, Mapping) else {"#text": value}
    attributes = {key[1:]: told for key, told in inner.items() if key.startswith("@") and told is not None}
    yield f"<{name}"
    for key, told in attributes.items():
        if not _NAME.fullmatch(key):
            raise Refused(f'"{key}" is no name of an XML attribute')
        yield f" {key}={quoteattr(_in_xml(told))}"
    yield ">"
    for key, told in inner.items():
        if key == "#text":
            yield escape(_in_xml(told))
        elif not key.startswith("@"):
            yield from _element(key, told)
    yield f"</{name}>"


def _in_xml(value: Any) -> str:
    written = plain(value)
    if _NOT_XML.search(written):
        raise Refused("what is to be sent holds a character that no XML can hold")
    return written
