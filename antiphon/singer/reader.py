"""Reads Singer messages line by line, as bytes, and says of a broken line which one it is.

RECORDs of one stream that follow each other are given on together, each still the bytes it came as: who needs its fields decodes
them (:func:`decoded`). Every other message is decoded here.
"""

from __future__ import annotations

import codecs
import json
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from queue import SimpleQueue
from typing import IO, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from antiphon.errors import InputError
from antiphon.singer.arriving import lines

_SHOWN = 80
_BRACE = ord("{")
_RUN = 200
"""RECORDs that are given on together, at most."""
_SHAPES: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": object},
}
_FORMS: dict[type, str] = {str: "text", dict: "object"}


class _Record(msgspec.Struct, tag="RECORD", tag_field="type", gc=False):
    stream: str
    record: msgspec.Raw
    version: int | None = None


_RECORD = msgspec.json.Decoder(_Record).decode
_VALUE = msgspec.json.Decoder(float_hook=Decimal).decode
decoded: Callable[[bytes | msgspec.Raw], dict[str, Any]] = msgspec.json.Decoder(
    dict[str, Any], float_hook=Decimal
).decode
"""Decodes a JSON object; numbers with a fraction become Decimals, so that no digit is lost."""

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def pieces(record: bytes | msgspec.Raw) -> dict[str, Any]:
    """Return the fields of a *record* that cannot be decoded as a whole; a value that cannot be is the bytes that it came as."""
    found: dict[str, Any] = {}
    for name, value in _FIELDS(record).items():
        try:
            found[name] = _VALUE(value)
        except msgspec.DecodeError:
            found[name] = value
    return found


def beyond(error: Exception) -> str:
    """Return what a record holds that is JSON and cannot be read, by the *error* it gave; empty where it is no such error."""
    return "holds a whole number with too many digits to be read" if "out of range" in str(error) else ""


class _NoNumberError(ValueError):
    """A number that JSON does not have: its name."""


def _no_number(name: str) -> None:
    raise _NoNumberError(name)


def _amiss(line: bytes) -> str:
    """Return what is amiss with a *line* that other readers would take for JSON; empty where they would not either."""
    try:
        found = json.loads(line, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except _NoNumberError as error:
        return f"holds {error}, which JSON does not have"
    except UnicodeEncodeError as error:
        return f"holds half of a pair of surrogates (\\u{ord(error.object[error.start]):04x}), which is no character"
    except RecursionError:
        return "holds objects or lists too deep within each other to be read"
    except ValueError:
        pass
    return ""


Run = Callable[[str, list[msgspec.Raw], int, int | None], int]
"""Takes records of one stream: its name, the records, the number of the line that the first one is on, and the version of the
stream that they are of. Returns how many more may be kept back and given together."""


class LineReader(GenericSingerReader[bytes]):
    """A reader of Singer messages."""

    def __init__(self) -> None:
        """Start before the first line."""
        super().__init__()
        self.line_number = 0
        self.quoting = True
        """Whether messages may show the beginning of a line."""
        self.on_input: Callable[[IO[bytes]], Any] = lambda _source: None
        """Called once with what is read from, before the first line."""
        self.on_records: Run = lambda _stream, _records, _line, _version: 1
        """Called with the records of RECORD messages, instead of a callback for each message."""
        news: SimpleQueue[None] = SimpleQueue()
        self.on_wait: Callable[[], Any] = news.get
        """Called while there is nothing to read. It is to return after :attr:`wake` was called."""
        self.wake: Callable[[], Any] = lambda: news.put(None)
        """Called in another thread when there is something to read."""
        self.on_error: Callable[[BaseException], Any] = lambda _error: None
        """Called when an error ends the reading, before it is raised."""

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
        source: IO[bytes] = getattr(file_input, "buffer", file_input) or self.default_input
        self.on_input(source)
        try:
            return self._read(source, callbacks)
        except BaseException as error:
            self.on_error(error)
            raise

    def _read(self, source: IO[bytes], callbacks: dict[str, Callable[[dict[str, Any]], None]]) -> Counter[str]:
        counts: Counter[str] = Counter()
        stream, version, most = "", None, 1
        run: list[msgspec.Raw] = []

        def give(last: int) -> None:
            nonlocal run, most
            if run:
                most = min(_RUN, self.on_records(stream, run, last - len(run) + 1, version))
                run = []

        for line in lines(source, self.on_wait, self.wake):
            self.line_number += 1
            if (record := _record(line)) is not None:
                if record.stream != stream or record.version != version:
                    give(self.line_number - 1)
                    stream, version, most = record.stream, record.version, 1
                run.append(record.record)
                counts["RECORD"] += 1
                if len(run) >= most:
                    give(self.line_number)
                continue
            give(self.line_number - 1)
            if line.strip():
                counts[self._dispatch(line, callbacks)] += 1
        give(self.line_number)
        return counts

    def _dispatch(self, line: bytes, callbacks: dict[str, Callable[[dict[str, Any]], None]]) -> str:
        """Give the message on *line* to the callback of its type; return the type."""
        if self.line_number == 1 and isinstance(line, bytes):
            line = line.removeprefix(codecs.BOM_UTF8)  # Windows shells put one in
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
        return str(kind)

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Return the message on *line*.

        Raises:
            InputError: it is no JSON object, or no UTF-8.
        """
        try:
            return decoded(line)
        except UnicodeDecodeError as error:
            hint = "Singer messages are UTF-8; check the encoding of what writes them."
            raise InputError(f"line {self.line_number} is not UTF-8: {self._start(line)}", hint=hint) from error
        except (msgspec.DecodeError, RecursionError) as error:
            hint = "Only Singer messages may come in; does what writes them print its log to stdout as well?"
            wrong = "is not UTF-8" if "utf-8" in str(error).lower() else "is no JSON object"
            if amiss := _amiss(line):
                raise InputError(f"line {self.line_number} {amiss}", hint="Look at what writes it.") from error
            if held := beyond(error):
                wrong, hint = held, "Look at what writes it."
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

    def _start(self, line: bytes | str) -> str:
        if not self.quoting:
            return "what it holds is not shown"
        text = (line.decode("utf-8", "replace") if isinstance(line, bytes) else line).rstrip("\r\n")
        return f"«{text[:_SHOWN]}»" + (" …" if len(text) > _SHOWN else "")


def _record(line: bytes) -> _Record | None:
    """Return the RECORD on *line*; None where it is another message, or one that has to be decoded to be sure of it.

    Bytes are passed on without a look into them, and so no wrong UTF-8 and no half of a surrogate pair may be among them.
    """
    try:
        found = _RECORD(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if b"\\ud" in line or b"\\uD" in line or memoryview(found.record)[0] != _BRACE:
        return None
    try:
        return found if line.isascii() or line.decode() else None
    except UnicodeDecodeError:
        return None
