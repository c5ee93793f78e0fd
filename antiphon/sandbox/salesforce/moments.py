"""Times: whole seconds since 1970 inside, and as the vendor writes them outside."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

Moment = int | float | str | datetime
"""Epoch seconds, ISO text or a datetime with a zone."""
DAY = 86_400


def now() -> int:
    """The present. The vendor stamps records to the second, so that equal stamps are common."""
    return int(time.time())


def seconds(moment: Moment | None) -> int:
    """Epoch seconds of a moment, now for None. Raises ValueError for text that is no time."""
    if moment is None:
        return now()
    if isinstance(moment, (int, float)):
        return int(moment)
    return parse(moment) if isinstance(moment, str) else int(moment.timestamp())


def parse(text: str) -> int:
    """`2026-01-31T12:00:00Z`, with any offset and fraction, as epoch seconds; a date is its midnight UTC.

    Raises ValueError for anything else, a time without an offset included.
    """
    if len(text) == 10:
        return int(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).timestamp())
    if len(text) < 17 or text[10] != "T":
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return int(moment.timestamp())


def json_text(at: int) -> str:
    """As JSON replies have it: `2026-01-31T12:00:00.000+0000`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(at))
