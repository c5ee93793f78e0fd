"""Points in time as the vendor keeps them, milliseconds since 1970, and as it writes them, ISO 8601 in UTC."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000
_DIGITS = re.compile(r"-?\d{1,15}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
Moment = int | float | str | datetime
"""Epoch milliseconds, ISO 8601 text, or an aware datetime."""


def now() -> int:
    """The real clock."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=100_000)
def iso(milliseconds: int) -> str:
    """`2024-09-11T13:27:39.356Z`."""
    return (EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def parse(text: str) -> int:
    """Epoch milliseconds or ISO 8601 (UTC unless it says otherwise) as milliseconds; ValueError for anything else."""
    if _DIGITS.fullmatch(text):
        return int(text)
    moment = datetime.fromisoformat(text)
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def parse_date(text: str) -> str:
    """A day as `YYYY-MM-DD`, from that or from midnight UTC in epoch milliseconds; ValueError for anything else."""
    if _DIGITS.fullmatch(text):
        if int(text) % DAY:
            msg = f"{text} is not midnight UTC"
            raise ValueError(msg)
        return iso(int(text))[:10]
    if not _DATE.fullmatch(text):
        msg = f"{text} is not a day"
        raise ValueError(msg)
    return date.fromisoformat(text).isoformat()


def milliseconds(moment: Moment | None) -> int:
    """A moment as the vendor keeps it; None is now."""
    if moment is None:
        return now()
    if isinstance(moment, datetime):
        return (moment - EPOCH) // timedelta(milliseconds=1)
    return parse(moment) if isinstance(moment, str) else int(moment)
