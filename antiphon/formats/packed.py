"""What arrives packed."""

from __future__ import annotations

import zlib

from antiphon.errors import BadReply

_GZIP = b"\x1f\x8b"


def unpacked(body: bytes, most: int) -> bytes:
    """Return what a gzip file holds, in all its members; any other *body* as it is.

    Raises:
        BadReply: it holds more than *most* bytes, is damaged, or is cut off.
    """
    if not body.startswith(_GZIP):
        return body
    whole, rest = bytearray(), body
    try:
        while rest.startswith(_GZIP):
            member = zlib.decompressobj(wbits=31)
            whole += member.decompress(rest, most - len(whole) + 1)
            if len(whole) > most:
                raise BadReply(f"a gzip file of more than {most >> 20} MB")
            if not member.eof:
                raise BadReply("a gzip file that is cut off")
            rest = member.unused_data
    except zlib.error as error:
        raise BadReply(f"a damaged gzip file ({error})") from None
    return bytes(whole)
