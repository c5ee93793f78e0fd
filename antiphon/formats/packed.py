"""What arrives packed."""

from __future__ import annotations

import zlib

from antiphon.errors import BadReply

_GZIP = b"\x1f\x8b"
_ANY, _BARE = 47, -15
"""What :mod:`zlib` is told: gzip or zlib, whichever it is; deflate alone."""


def inflated(body: bytes, most: int, kind: int = _ANY) -> bytes:
    """Return what *body* is packed from: by gzip, in all its members, or by deflate.

    Raises:
        EOFError: its end is missing.
        OverflowError: it holds more than *most* bytes.
        zlib.error: it is damaged.
    """
    whole, rest = bytearray(), body
    while True:
        member = zlib.decompressobj(wbits=kind)
        whole += member.decompress(rest, most - len(whole) + 1)
        if len(whole) > most:
            raise OverflowError
        if not member.eof:
            raise EOFError
        rest = member.unused_data
        if not rest.startswith(_GZIP):
            return bytes(whole)


def decoded(body: bytes, encoding: str, most: int) -> bytes:
    """Return *body* without its ``Content-Encoding``, ``gzip`` or ``deflate``.

    Raises:
        EOFError, OverflowError, zlib.error: see :func:`inflated`.
    """
    try:
        return inflated(body, most)
    except zlib.error:
        if encoding == "deflate":  # sent by some without zlib's frame
            return inflated(body, most, _BARE)
        raise


def unpacked(body: bytes, most: int) -> bytes:
    """Return what a gzip file holds, in all its members; any other *body* as it is.

    Raises:
        BadReply: it holds more than *most* bytes, is damaged, or is cut off.
    """
    if not body.startswith(_GZIP):
        return body
    try:
        return inflated(body, most)
    except OverflowError:
        raise BadReply(f"a gzip file of more than {most >> 20} MB") from None
    except EOFError:
        raise BadReply("a gzip file that is cut off") from None
    except zlib.error as error:
        raise BadReply(f"a damaged gzip file ({error})") from None
