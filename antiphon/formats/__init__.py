"""How bytes are read and written: JSON, XML, CSV, lines of JSON; forms and multipart bodies.

A format decodes an answer's body into plain values; an encoding writes a request's body. Both are data, given once for an API
or for one :class:`~antiphon.api.Read` or :class:`~antiphon.api.Write`. What arrives is believed in nothing: sizes are bounded before
(:mod:`antiphon.http`), depth here; document types, and with them entities, are refused.
"""

from __future__ import annotations

from antiphon.formats.as_csv import Csv
from antiphon.formats.as_json import Json, JsonLines
from antiphon.formats.as_xml import Xml
from antiphon.formats.forms import Form, Multipart
from antiphon.formats.packed import unpacked

Format = Json | JsonLines | Csv | Xml
Encoding = Json | Form | Multipart | Xml
KINDS: dict[str, type[Format]] = {"json": Json, "ndjson": JsonLines, "csv": Csv, "xml": Xml}
"""How an answer is read."""
ENCODINGS: dict[str, type[Encoding]] = {"json": Json, "form": Form, "multipart": Multipart, "xml": Xml}
"""How a body is written."""

__all__ = ["ENCODINGS", "KINDS", "Csv", "Form", "Json", "JsonLines", "Multipart", "Xml", "unpacked"]
