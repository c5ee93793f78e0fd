"""JSON: one value, or one a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from antiphon.api.wire import decoded
from antiphon.errors import BadReply, Refused

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class Json:
    """JSON (RFC 8259); numbers with a fraction keep all their digits."""

    type: str = "application/json"
    """What it is called: ``application/vnd.api+json``, ``application/merge-patch+json`` … at some."""

    text: ClassVar[bool] = False

    @property
    def accept(self) -> str:
        """What is asked for."""
        return self.type

    def decode(self, body: bytes) -> Any:
        """Return the value.

        Raises:
            BadReply: it is none.
        """
        return decoded(body)

    def encode(self, body: Any) -> tuple[bytes, str]:
        """Return *body* as JSON, and its content type.

        Raises:
            Refused: no JSON can hold it.
        """
        try:
            return _ENCODE(body), self.type
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
