"""The body of an answer: read to its end, unpacked, and of no more bytes than it may have."""

from __future__ import annotations

import zlib

import requests

from antiphon.errors import too_long
from antiphon.formats import packed

MOST = 512 * 1024 * 1024
"""Bytes; a longer answer is refused."""
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})


def body(response: requests.Response) -> bytes:
    """Return the body of *response* as it was before it was packed for the way, and before that as a file.

    Raises:
        BadReply: it has more than :data:`MOST` bytes, or is a gzip file that is damaged.
        OSError: it cannot be read; as requests raises it.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _PACKED:
        return packed.unpacked(_whole(response), MOST)
    response.raw.headers.discard("Content-Encoding")  # urllib3 would not see that the end is missing
    found = _whole(response)
    try:
        found = found and packed.decoded(found, encoding, MOST)
    except OverflowError:
        raise too_long(MOST, response.status_code) from None
    except EOFError:
        raise requests.exceptions.ChunkedEncodingError("it ended prematurely") from None
    except zlib.error:
        raise requests.exceptions.ContentDecodingError from None
    return packed.unpacked(found, MOST)


def _whole(response: requests.Response) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_content(1 << 20):
        size += len(chunk)
        if size > MOST:
            raise too_long(MOST, response.status_code)
        chunks.append(chunk)
    return b"".join(chunks)
