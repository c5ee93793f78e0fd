"""Messages on stdout, written in blocks: RECORDs wait for company, every other message goes out at once, in order."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec
from singer_sdk.helpers._state import StateWriter
from singer_sdk.singerlib.encoding.simple import Message, RecordMessage, SimpleSingerWriter, StateMessage

from antiphon.singer.cli import CLOSED, silence, writing

BLOCK = 64 * 1024
"""Bytes of RECORDs that are held back at most."""


_ENCODE = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


class MessageWriter(SimpleSingerWriter):
    """Writes messages as lines of UTF-8. A line is never torn by a signal; a closed stdout ends the process in silence."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        super().__init__()
        self._held: list[bytes] = []
        self._size = 0
        self._writing = False
        self._then: Callable[[], NoReturn] | None = None

    def serialize_message(self, message: Message) -> str:
        """Return *message* as one line of JSON. Decimals are written digit by digit, as numbers."""
        return _encoded(message).decode()

    def write_message(self, message: Message) -> None:
        """Write *message*, now or, if it is a RECORD, within the next block."""
        self.write_lines(_encoded(message) + b"\n")
        if not isinstance(message, RecordMessage):
            self.flush()

    def write_lines(self, lines: bytes) -> None:
        """Write the *lines* of RECORDs, within the next block."""
        self._held.append(lines)
        self._size += len(lines)
        if self._size >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Write what is held.

        Raises:
            SystemExit: nobody reads any more.
        """
        self._writing = True  # before the lines are taken: a signal in between would lose them
        try:
            lines, self._held, self._size = self._held, [], 0
            if lines:
                with writing("messages"):
                    _write(b"".join(lines))
        except BrokenPipeError:
            silence()
            raise SystemExit(CLOSED) from None
        finally:
            self._writing = False
        then, self._then = self._then, None  # it writes as well
        if then:
            then()

    def when_free(self, then: Callable[[], NoReturn]) -> None:
        """Call *then* now, or as soon as the lines that are being written are out."""
        if self._writing:
            self._then = then
        else:
            then()


class States(StateWriter):
    """Writes a STATE if it is another than the last. The SDK's copies each of them in depth, twice."""

    def __init__(self, writer: MessageWriter) -> None:
        """Write by *writer*; nothing was written yet."""
        super().__init__(writer)
        self._writer, self._written = writer, b""

    def write_state(self, state: Any) -> None:
        """Write *state*, if it has changed."""
        encoded = _encoded(StateMessage(state))
        if encoded != self._written:
            self._writer.write_lines(encoded + b"\n")
            self._writer.flush()
            self._written = encoded


def _encoded(message: Message) -> bytes:
    """Return *message* as JSON."""
    of = {"type": "STATE", "value": message.value} if isinstance(message, StateMessage) else message.to_dict()
    return _ENCODE(of)


def envelope(message: RecordMessage) -> tuple[bytes, bytes]:
    """Return what stands before and behind the record in a line like that of *message*, whose own record is empty."""
    before, _, behind = _ENCODE(message.to_dict()).partition(b'"record":{}')
    return before + b'"record":', behind


def _write(lines: bytes) -> None:
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(lines.decode())
    else:
        sys.stdout.flush()  # what was printed before
        binary.write(lines)
    sys.stdout.flush()
