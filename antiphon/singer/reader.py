"""Reads Singer messages line by line, as bytes, and says of a broken line which one it is.

RECORDs of one stream that follow each other are given on together, each still the line it came as: who needs its record decodes
it (:func:`record`). Every other message is decoded here.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from queue import SimpleQueue
from typing import IO, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from antiphon.errors import InputError
from antiphon.singer.arriving import blocks
from antiphon.singer.valid import Check

_SHOWN = 80
_BRACE = ord("{")
_SHAPES: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": object},
}
_SURROGATE = re.compile(rb"\\u[dD]").search
_FORMS: dict[type, str] = {str: "text", dict: "object"}


class _Record(msgspec.Struct, tag="RECORD", tag_field="type", gc=False):
    stream: str
    record: msgspec.Raw
    version: int | None = None


class _Decoded(msgspec.Struct, gc=False):
    record: dict[str, Any]


_RECORD = msgspec.json.Decoder(_Record).decode
_DECODED = msgspec.json.Decoder(_Decoded, float_hook=Decimal).decode
UNREADABLE = (msgspec.DecodeError, InvalidOperation)
"""What is raised for a record whose text is JSON and cannot be decoded: it holds a number that cannot be read, or half of a pair of surrogates."""
_VALUE = msgspec.json.Decoder(float_hook=Decimal).decode
decoded: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
"""Decodes a JSON object; numbers with a fraction become Decimals, so that no digit is lost."""

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def record(line: bytes) -> dict[str, Any]:
    """Return the record of the RECORD on *line*; numbers with a fraction become Decimals.

    Raises:
        msgspec.DecodeError, InvalidOperation: it cannot be decoded as a whole.
    """
    return _DECODED(line).record


def pieces(line: bytes) -> dict[str, Any]:
    """Return the fields of a record that cannot be decoded as a whole; a value that cannot be is the bytes that it came as."""
    found: dict[str, Any] = {}
    for name, value in _FIELDS(_RECORD(line).record).items():
        try:
            found[name] = _VALUE(value)
        except UNREADABLE:
            found[name] = value
    return found


def beyond(error: Exception) -> str:
    """Return what a record holds that is JSON and cannot be read, by the *error* it gave; empty where it is no such error."""
    if isinstance(error, InvalidOperation):  # more than a Decimal holds
        return "holds a number whose exponent is too long to be read"
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


@dataclass(slots=True)
class Run:
    """RECORDs of one version of one stream that follow each other."""

    stream: str = ""
    version: int | None = None
    valid: bool = False
    """Whether each record is surely valid by the schema of the stream, so that none has to be held against it."""
    first: int = 0
    """The number of the line that the first one is on."""
    lines: list[bytes] = field(default_factory=list)


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
        self.on_records: Callable[[Run], Any] = lambda _run: None
        """Called with RECORD messages, instead of a callback for each of them."""
        self.check: Callable[[str], Check | None] = lambda _stream: None
        """Returns what checks the lines of a stream; None where it has to be done in another way, or not at all. Asked again after a SCHEMA."""
        self._counts: Counter[str] = Counter()
        self._run = Run()
        self._line_check: Check | None = None
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
            self._read(source, callbacks)
        except BaseException as error:
            self.on_error(error)
            raise
        return self._counts

    def _read(self, source: IO[bytes], callbacks: dict[str, Callable[[dict[str, Any]], None]]) -> None:
        for block in blocks(source, self.on_wait, self.wake):
            sound = _sound(block)
            for line in block.split(b"\n"):
                self.line_number += 1
                if (sound or _sound(line)) and self._gathered(line):
                    continue
                self._give(self.line_number - 1)
                if line.strip():
                    self._dispatch(line, callbacks)
            self._give(self.line_number)

    def _gathered(self, line: bytes) -> bool:
        """Let the RECORD on *line* be given together with those before it; return whether it is one."""
        run, check = self._run, self._line_check
        if run.valid and _passes(check, line, run.version):
            run.lines.append(line)
            return True
        found = _record(line)
        if found is None:
            return False
        if found.stream != run.stream:
            check = self._line_check = self.check(found.stream)
        valid = _passes(check, line, found.version)
        if (found.stream, found.version, valid) != (run.stream, run.version, run.valid):
            self._give(self.line_number - 1)
            self._run = run = Run(found.stream, found.version, valid)
        run.lines.append(line)
        return True

    def _give(self, last: int) -> None:
        """Give on the RECORDs that were gathered, up to the line number *last*."""
        run = self._run
        if run.lines:
            self._run = Run(run.stream, run.version, run.valid)
            run.first = last - len(run.lines) + 1
            self._counts["RECORD"] += len(run.lines)
            self.on_records(run)

    def _dispatch(self, line: bytes, callbacks: dict[str, Callable[[dict[str, Any]], None]]) -> None:
        """Give the message on *line* to the callback of its type."""
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
        self._counts[str(kind)] += 1
        if kind == "SCHEMA":
            self._run, self._line_check = Run(), None

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
        except (*UNREADABLE, RecursionError) as error:
            hint = "Only Singer messages may come in; does what writes them print its log to stdout as well?"
            wrong = "is not UTF-8" if "utf-8" in str(error).lower() else "is no JSON object"
            if amiss := _amiss(line):
                raise InputError(f"line {self.line_number} {amiss}", hint="Look at what writes it.") from error
            if held := beyond(error):
                wrong, hint = held, "Look at what writes it."
            raise InputError(f"line {self.line_number} {wrong}: {self._start(line)}", hint=hint) from error

    def _refuse_other_shape(self, kind: str, message: dict[str, Any], line: bytes) -> None:
        wrong = [
            f"whose {member} is no {_FORMS[form]}" if member in message else f"without a {member}"
            for member, form in _SHAPES.get(kind, {}).items()
            if member not in message or not isinstance(message[member], form)
        ]
        if kind == "SCHEMA" and not wrong:
            wrong = _misshapen(message)
        for said in wrong:
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


def _misshapen(message: dict[str, Any]) -> list[str]:
    """Return what is wrong with the form of a SCHEMA message."""
    keys = message.get("key_properties") or []
    wrong = [] if isinstance(message["schema"].get("properties", {}), dict) else ["whose properties are no object"]
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        wrong.append("whose key_properties are no list of texts")
    return wrong


def _passes(check: Check | None, line: bytes, version: int | None) -> bool:
    """Return whether *line* is a RECORD of that *version* which *check* knows to be valid."""
    try:
        return check is not None and check(line).version == version
    except (msgspec.MsgspecError, RecursionError):
        return False


def _record(line: bytes) -> _Record | None:
    """Return the RECORD on *line*; None where it is another message, or one that has to be decoded to be sure of it."""
    try:
        found = _RECORD(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return found if memoryview(found.record)[0] == _BRACE else None


def _sound(some: bytes) -> bool:
    """Return whether *some* are surely UTF-8 without half of a surrogate pair: a RECORD is passed on without a look into its texts."""
    if b"\\" in some and _SURROGATE(some):
        return False
    try:
        return some.isascii() or bool(some.decode())
    except UnicodeDecodeError:
        return False
