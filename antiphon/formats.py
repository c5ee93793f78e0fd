"""How bytes are read and written: JSON, XML, CSV, lines of JSON; forms and multipart bodies.

A format decodes an answer's body into plain values; an encoding writes a request's body. Both are data, given once for an API
or for one :class:`~antiphon.api.Read` or :class:`~antiphon.api.Write`. What arrives is believed in nothing: sizes are bounded before
(:mod:`antiphon.http`), depth here; document types, and with them entities, are refused.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import msgspec
from urllib3.filepost import encode_multipart_formdata

from antiphon.errors import BadReply, Refused
from antiphon.fill import text

DEEPEST = 200
"""Elements of XML within each other."""
LONGEST_CELL = 1 << 24
"""Characters of a cell of CSV."""
_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_NIL = "http://www.w3.org/2001/XMLSchema-instance nil"
_NAME = re.compile(r"[A-Za-z_][\w.:-]*")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Json:
    """JSON (RFC 8259); numbers with a fraction keep all their digits."""

    accept: ClassVar[str] = "application/json"
    text: ClassVar[bool] = False

    def decode(self, body: bytes) -> Any:
        """Return the value.

        Raises:
            BadReply: it is none.
        """
        try:
            return _DECODE(body)
        except RecursionError:
            raise BadReply("JSON that is nested too deeply") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadReply(f'no JSON but "{_start(body)}"') from None

    def encode(self, body: Any) -> tuple[bytes, str]:
        """Return *body* as JSON, and its content type.

        Raises:
            Refused: no JSON can hold it.
        """
        try:
            return _ENCODE(body), "application/json"
        except (TypeError, ValueError, RecursionError) as error:
            raise Refused(f"what is to be sent cannot be written as JSON: {error}") from None


@dataclass(frozen=True)
class JsonLines:
    """One JSON value a line (NDJSON). Lines end at a line feed alone; a last line that is cut off is an error."""

    accept: ClassVar[str] = "application/x-ndjson, application/json;q=0.5"
    text: ClassVar[bool] = False

    def decode(self, body: bytes) -> list[Any]:
        """Return the values.

        Raises:
            BadReply: a line is no JSON; it is named.
        """
        found = []
        for number, line in enumerate(body.split(b"\n"), 1):
            if line.strip():
                try:
                    found.append(Json().decode(line))
                except BadReply as error:
                    raise BadReply(f"line {number}: {error.message}") from None
        return found


@dataclass(frozen=True)
class Csv:
    """A table of text with a header; each line becomes an object. Values are text and are read by the schema's types."""

    delimiter: str = ","
    quote: str = '"'
    charset: str = "utf-8-sig"
    header: tuple[str, ...] = ()
    """The names of the columns, where the first line does not have them."""
    empty_is_null: bool = True

    accept: ClassVar[str] = "text/csv, */*;q=0.5"
    text: ClassVar[bool] = True

    def decode(self, body: bytes) -> list[dict[str, Any]]:
        """Return an object for each line.

        Raises:
            BadReply: it is not in that character set, or a line has more or fewer values than the header.
        """
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
        try:
            written = io.StringIO(body.decode(self.charset), newline="")
        except (UnicodeDecodeError, LookupError) as error:
            raise BadReply(f"no CSV in {self.charset}: {error}") from None
        reader = csv.reader(written, delimiter=self.delimiter, quotechar=self.quote, strict=True)
        try:
            return list(self._rows(reader))
        except csv.Error as error:
            raise BadReply(f"no CSV: line {reader.line_num}: {error}") from None

    def _rows(self, reader: Any) -> Iterator[dict[str, Any]]:
        names = self.header or next(reader, ())
        if len(set(names)) != len(names):
            raise csv.Error("two columns have one name")
        for row in reader:
            if not row:  # an empty line
                continue
            if len(row) != len(names):
                raise csv.Error(f"{len(row)} values under {len(names)} names")
            yield {
                name: None if self.empty_is_null and not cell else cell for name, cell in zip(names, row, strict=True)
            }


@dataclass(frozen=True)
class Xml:
    """XML: an element of text alone is that text, any other an object; ``@name`` is an attribute, ``#text`` text beside them.

    An element that comes several times is a list. One that *may* is named in ``lists``, for it is a list then however often it comes:
    by its name, or by its path from the root (``people.person``), by which it is an empty list where it does not come
    at all. Names lose their namespace, unless ``namespaces`` gives a prefix for it. An empty element is null; all values are text and
    are read by the schema's types. A document type declaration is refused, and with it every entity.
    """

    lists: tuple[str, ...] = ()
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
            raise BadReply(f'no XML ({error}) but "{_start(body)}"') from None
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


@dataclass(frozen=True)
class Form:
    """A form (``application/x-www-form-urlencoded``): what is nested is written as ``a[b]=c``, null as an empty text."""

    lists: str = "index"
    """How a list is written: ``index`` (``a[0]=…``), ``brackets`` (``a[]=…``) or ``repeat`` (``a=…&a=…``)."""

    def encode(self, body: Any) -> tuple[bytes, str]:
        """Return *body*, an object, and its content type.

        Raises:
            Refused: it is none.
        """
        if not isinstance(body, Mapping):
            raise Refused("what is to be sent as a form is no object")
        try:
            written = urlencode(list(self._pairs("", body))).encode("ascii")
        except UnicodeEncodeError as error:
            raise Refused(f"what is to be sent cannot be written as a form: {error}") from None
        return written, "application/x-www-form-urlencoded"

    def _pairs(self, name: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from self._pairs(f"{name}[{key}]" if name else str(key), inner)
        elif isinstance(value, list | tuple):
            for number, inner in enumerate(value):
                place = {"index": f"[{number}]", "brackets": "[]"}.get(self.lists, "")
                yield from self._pairs(name + place, inner)
        else:
            yield name, _plain(value)


@dataclass(frozen=True)
class Multipart:
    """A multipart form (``multipart/form-data``). What is no text is written as JSON.

    A field of ``files`` is sent as a file: a text, or an object of ``name``, ``type``, and ``text`` or ``base64``.
    """

    files: tuple[str, ...] = ()

    def encode(self, body: Any) -> tuple[bytes, str]:
        """Return *body*, an object, and its content type. The same body gives the same bytes.

        Raises:
            Refused: it is no object, or a file's base64 is none.
        """
        if not isinstance(body, Mapping):
            raise Refused("what is to be sent as a multipart form is no object")
        fields = [(name, self._part(name, value)) for name, value in body.items() if value is not None]
        boundary = hashlib.sha256(repr(fields).encode("utf-8", "replace")).hexdigest()[:32]
        try:
            return encode_multipart_formdata(fields, boundary)
        except UnicodeEncodeError as error:
            raise Refused(f"what is to be sent cannot be written as a form: {error}") from None

    def _part(self, name: str, value: Any) -> Any:
        if name not in self.files:
            return Json().encode(value)[0] if isinstance(value, Mapping | list | tuple) else _plain(value)
        file = value if isinstance(value, Mapping) else {"text": value}
        try:
            content = (
                b64decode(file["base64"], validate=True) if "base64" in file else _plain(file.get("text")).encode()
            )
        except (ValueError, TypeError) as error:
            raise Refused(f'the file "{name}" is no base64: {error}') from None
        return str(file.get("name") or name), content, str(file.get("type") or "application/octet-stream")


Format = Json | JsonLines | Csv | Xml
Encoding = Json | Form | Multipart | Xml
KINDS: dict[str, type[Format]] = {"json": Json, "ndjson": JsonLines, "csv": Csv, "xml": Xml}
"""How an answer is read."""
ENCODINGS: dict[str, type[Encoding]] = {"json": Json, "form": Form, "multipart": Multipart, "xml": Xml}
"""How a body is written."""


def unpacked(body: bytes, most: int) -> bytes:
    """Return what a gzip file holds, in all its members; any other *body* as it is.

    Raises:
        BadReply: it holds more than *most* bytes, is damaged, or is cut off.
    """
    if not body.startswith(_GZIP):
        return body
    whole, rest = bytearray(), body
    try:
        while rest.startswith(_GZIP):
            member = zlib.decompressobj(wbits=31)
            whole += member.decompress(rest, most - len(whole) + 1)
            if len(whole) > most:
                raise BadReply(f"a gzip file of more than {most >> 20} MB")
            if not member.eof:
                raise BadReply("a gzip file that is cut off")
            rest = member.unused_data
    except zlib.error as error:
        raise BadReply(f"a damaged gzip file ({error})") from None
    return bytes(whole)


def _plain(value: Any) -> str:
    """Return a value as it stands in a form."""
    return f"{value:f}" if isinstance(value, Decimal) else text(value)


def _in_xml(value: Any) -> str:
    written = _plain(value)
    if _NOT_XML.search(written):
        raise Refused("what is to be sent holds a character that no XML can hold")
    return written


def _start(body: bytes) -> str:
    return " ".join(body[:60].decode("utf-8", "replace").split())
