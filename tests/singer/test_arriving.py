"""Lines as they arrive: the same as reading them one by one, and nobody waits for one that is there."""

from __future__ import annotations

import io
import os
import threading
from queue import SimpleQueue

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.singer.arriving import blocks


def lines(source, wait, wake):
    return (line for block in blocks(source, wait, wake) for line in block.split(b"\n"))


def arrived(pieces):
    """Return the lines of a pipe into which *pieces* are written one after the other."""
    there, into = os.pipe()

    def write():
        with os.fdopen(into, "wb", buffering=0) as pipe:
            for piece in pieces:
                pipe.write(piece)

    threading.Thread(target=write).start()
    news: SimpleQueue[None] = SimpleQueue()
    with os.fdopen(there, "rb") as source:
        return list(lines(source, news.get, lambda: news.put(None)))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("ab\n\r", min_size=1, max_size=9).map(str.encode), max_size=20))
def test_lines_are_those_that_reading_gives(pieces):
    whole = b"".join(pieces)
    assert arrived(pieces) == [line.removesuffix(b"\n") for line in io.BytesIO(whole)]


def test_a_line_longer_than_a_pipe_holds():
    pieces = [b"x" * 300_000, b"y" * 300_000 + b"\nz"]
    assert arrived(pieces) == [b"x" * 300_000 + b"y" * 300_000, b"z"]


def test_a_line_is_given_before_the_next_one_comes():
    there, into = os.pipe()
    news: SimpleQueue[None] = SimpleQueue()
    waits = []

    def wait():
        waits.append(None)
        if len(waits) == 3:
            raise InterruptedError
        news.get(timeout=60)

    with os.fdopen(there, "rb") as source:
        coming = lines(source, wait, lambda: news.put(None))
        os.write(into, b"one\ntw")
        assert next(coming) == b"one"
        os.write(into, b"o\n")
        assert next(coming) == b"two"
        with pytest.raises(InterruptedError):  # what else there is to do may end it
            next(coming)
        os.close(into)


def test_what_is_no_file_is_read_as_it_is():
    def no_wait():
        raise AssertionError

    assert list(lines(io.BytesIO(b"a\nb"), no_wait, no_wait)) == [b"a", b"b"]
    assert list(lines(io.StringIO("ä\nb\n"), no_wait, no_wait)) == ["ä".encode(), b"b"]


def test_what_cannot_be_read_is_an_error(tmp_path):
    news: SimpleQueue[None] = SimpleQueue()
    folder = os.open(tmp_path, os.O_RDONLY)

    class Folder(io.RawIOBase):
        def fileno(self):
            return folder

    with pytest.raises(IsADirectoryError):
        list(lines(Folder(), news.get, lambda: news.put(None)))
    os.close(folder)
