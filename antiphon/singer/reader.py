"""Reads Singer messages line by line, as bytes, and says of a broken line which one it is."""

from __future__ import annotations

import codecs
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import IO, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from antiphon.errors import InputError

_SHOWN = 80
_SHAPES: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": object},
}
_FORMS: dict[type, str] = {str: "text", dict: "object"}


class LineReader(GenericSingerReader[bytes]):
    """A reader of Singer messages. Numbers with a fraction become Decimals, so that no digit is lost."""

    def __init__(self) -> None:
        """Start before the first line."""
        super().__init__()
        self.line_number = 0
        self.on_input: Callable[[IO[bytes]], Any] = lambda _source: None
        """Called once with what is read from, before the first line."""
        self._decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input.

        Raises:
            InputError: it is closed.
        """
        if sys.stdin is None:
            raise InputError("nothing is piped in", hint="Pipe a tap into it, or name a file with --input.")
        return sys.stdin.buffer

    def process_lines(
        self, file_input: IO[bytes] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Give each message to the callback of its type; return how many there were of each."""
        counts: Counter[str] = Counter()
        source: IO[bytes] = getattr(file_input, "buffer", file_input) or self.default_input
        self.on_input(source)
        for line in source:
            self.line_number += 1
            if self.line_number == 1 and isinstance(line, bytes):
                line = line.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901 - Windows shells put one in
            if not line.strip():
                continue
            self._current_message = line
            message = self.deserialize_json(line)
            kind = message.get("type")
            callback = callbacks.get(kind) if isinstance(kind, str) else None
            if callback is None:
                said = f"is of the type {kind!r}" if "type" in message else "has no type"
                hint = "A Singer message is a SCHEMA, RECORD, STATE or ACTIVATE_VERSION."
                raise InputError(f"line {self.line_number} {said}: {self._start(line)}", hint=hint)
            self._refuse_other_shape(str(kind), message, line)
            callback(message)
            counts[str(kind)] += 1
        return counts

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Return the message on *line*.

        Raises:
            InputError: it is no JSON object, or no UTF-8.
        """
        try:
            return self._decode(line)
        except UnicodeDecodeError as error:
            hint = "Singer messages are UTF-8; check the encoding of what writes them."
            raise InputError(f"line {self.line_number} is not UTF-8: {self._start(line)}", hint=hint) from error
        except (msgspec.DecodeError, RecursionError) as error:
            hint = "Only Singer messages may come in; does what writes them print its log to stdout as well?"
            wrong = "is not UTF-8" if "utf-8" in str(error).lower() else "is no JSON object"
            raise InputError(f"line {self.line_number} {wrong}: {self._start(line)}", hint=hint) from error

    def _refuse_other_shape(self, kind: str, message: dict[str, Any], line: bytes) -> None:
        for member, form in _SHAPES.get(kind, {}).items():
            if member in message and isinstance(message[member], form):
                continue
            said = f"whose {member} is no {_FORMS[form]}" if member in message else f"without a {member}"
            hint = "Look at what writes it."
            raise InputError(f"line {self.line_number} is a {kind} {said}: {self._start(line)}", hint=hint)

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Raise :class:`InputError` if a message lacks what its type needs."""
        if missing := sorted(requires - set(line_dict)):
            kind = line_dict.get("type", "message")
            raise InputError(
                f'a {kind} of the stream "{line_dict.get("stream", "")}" has no {" and no ".join(missing)}'
            )

    @staticmethod
    def _start(line: bytes | str) -> str:
        text = (line.decode("utf-8", "replace") if isinstance(line, bytes) else line).rstrip("\r\n")
        return f"«{text[:_SHOWN]}»" + (" …" if len(text) > _SHOWN else "")
