"""How bytes are read and written: JSON, XML, CSV, lines of JSON; forms and multipart bodies.

A format decodes an answer's body into plain values; an encoding writes a request's body. Both are data, given once for an API
or for one :class:`~antiphon.api.Read` or :class:`~antiphon.api.Write`. What arrives is believed in nothing: sizes are bounded before
(:mod:`antiphon.http`), depth here; document types, and with them entities, are refused. A format is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.late import Kinds, late

if TYPE_CHECKING:
    from antiphon.formats.as_csv import Csv
    from antiphon.formats.as_json import Json, JsonLines
    from antiphon.formats.as_xml import Xml
    from antiphon.formats.forms import Form, Multipart

__all__ = ["ENCODINGS", "KINDS", "Csv", "Form", "Json", "JsonLines", "Multipart", "Xml"]

__getattr__ = late(
    __name__,
    {
        "Csv": "as_csv",
        "Form": "forms",
        "Json": "as_json",
        "JsonLines": "as_json",
        "Multipart": "forms",
        "Xml": "as_xml",
    },
)

KINDS = Kinds(__name__, {"json": "Json", "ndjson": "JsonLines", "csv": "Csv", "xml": "Xml"})
"""How an answer is read."""
ENCODINGS = Kinds(__name__, {"json": "Json", "form": "Form", "multipart": "Multipart", "xml": "Xml"})
"""How a body is written."""
