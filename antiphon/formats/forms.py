"""Forms: pairs of name and value, and parts of which some are files."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlencode

from urllib3.filepost import encode_multipart_formdata

from antiphon.errors import Refused
from antiphon.fill import spelled, text
from antiphon.formats.as_json import Json


@dataclass(frozen=True)
class Form:
    """A form (``application/x-www-form-urlencoded``): what is nested is written as ``a[b]=c``, null as an empty text."""

    lists: Literal["index", "brackets", "repeat"] = "index"
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
            yield name, plain(value)


@dataclass(frozen=True)
class Multipart:
    """A multipart form (``multipart/form-data``). What is no text is written as JSON.

    A field of ``files`` is sent as a file: a text, or an object of ``name``, ``type``, and ``text`` or ``base64``.
    """

    files: tuple[str, ...] = ()
    """The fields that are sent as files."""

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
            return Json().encode(value)[0] if isinstance(value, Mapping | list | tuple) else plain(value)
        file = value if isinstance(value, Mapping) else {"text": value}
        try:
            content = b64decode(file["base64"], validate=True) if "base64" in file else plain(file.get("text")).encode()
        except (ValueError, TypeError) as error:
            raise Refused(f'the file "{name}" is no base64: {error}') from None
        return str(file.get("name") or name), content, str(file.get("type") or "application/octet-stream")


def plain(value: Any) -> str:
    """Return a value as it stands in a form."""
    return spelled(value) if isinstance(value, Decimal) else text(value)
