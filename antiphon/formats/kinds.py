"""All formats and encodings, by their words."""

from __future__ import annotations

from antiphon.formats.as_csv import Csv
from antiphon.formats.as_json import Json, JsonLines
from antiphon.formats.as_xml import Xml
from antiphon.formats.forms import Form, Multipart

Format = Json | JsonLines | Csv | Xml
Encoding = Json | Form | Multipart | Xml
KINDS: dict[str, type[Format]] = {"json": Json, "ndjson": JsonLines, "csv": Csv, "xml": Xml}
"""How an answer is read."""
ENCODINGS: dict[str, type[Encoding]] = {"json": Json, "form": Form, "multipart": Multipart, "xml": Xml}
"""How a body is written."""
