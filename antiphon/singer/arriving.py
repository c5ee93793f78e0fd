"""The lines of a file or pipe as they arrive, in blocks: a thread reads ahead, so that whoever has none yet can do something else."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import IO

_PIECE = 1 << 16
"""Bytes that are read at once, at most: what a pipe holds."""
_AHEAD = 16
"""Pieces that are read ahead."""


def blocks(source: IO[bytes] | IO[str], wait: Callable[[], object], wake: Callable[[], object]) -> Iterator[bytes]:
    """Yield blocks of whole lines of *source*, the last of each without its end; *wait* is called for as long as there is none, until *wake* was.

    What has no file behind it is read where it is asked for, line by line.
    """
    try:
        file = source.fileno()
    except (OSError, AttributeError):
        for line in source:
            yield (line.encode(errors="surrogatepass") if isinstance(line, str) else line).removesuffix(b"\n")
        return
    begun: list[bytes] = []
    for piece in _pieces(file, wait, wake):
        end = piece.rfind(b"\n")
        if end >= 0:
            yield b"".join((*begun, piece[:end]))
            begun = []
        begun.append(piece[end + 1 :])
    if last := b"".join(begun):
        yield last


def _pieces(file: int, wait: Callable[[], object], wake: Callable[[], object]) -> Iterator[bytes]:
    there: deque[bytes | OSError] = deque()
    room = threading.Semaphore(_AHEAD)

    def read() -> None:
        piece: bytes | OSError = b""
        while room.acquire():
            try:
                # Not through the file object, whose lock the interpreter needs at its end.
                piece = os.read(file, _PIECE)
            except OSError as error:
                piece = error
            there.append(piece)
            wake()
            if not piece or isinstance(piece, OSError):
                break

    threading.Thread(target=read, name="input", daemon=True).start()
    while True:
        while not there:
            wait()
        piece = there.popleft()
        room.release()
        if isinstance(piece, OSError):
            raise piece
        if not piece:
            break
        yield piece
