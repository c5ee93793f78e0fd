"""Time as the vendor keeps it: naive UTC, stored to the microsecond, shown to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Moment = str | datetime
SECONDS = "%Y-%m-%d %H:%M:%S"
STORED = "%Y-%m-%d %H:%M:%S.%f"


def now() -> str:
    """This instant as PostgreSQL stores it: `2026-11-22 03:04:05.678901`."""
    return datetime.now(UTC).strftime(STORED)


def stored(moment: Moment | None) -> str:
    """A datetime, `YYYY-MM-DD HH:MM:SS[.ffffff]` or RFC 3339 as PostgreSQL stores it; now, for None."""
    if moment is None:
        return now()
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (parsed.astimezone(UTC) if parsed.tzinfo else parsed).strftime(STORED)


def read(value: str) -> str:
    """A datetime as a client may write it, to the second.

    The vendor takes `YYYY-MM-DD HH:MM:SS`, cut short anywhere after the date. Raises ValueError in Python's own words
    for anything else: a `T`, a zone, a fraction.
    """
    return datetime.strptime(value, SECONDS[: max(len(value) - 2, 8)]).strftime(SECONDS)  # noqa: DTZ007


def local(value: str, zone: str) -> str:
    """A datetime that an import wrote in a time zone, as UTC to the second. A zone that is none counts as UTC."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return read(value)
    return datetime.strptime(value, SECONDS).replace(tzinfo=info).astimezone(UTC).strftime(SECONDS)


def plus(moment: str, **more: float) -> str:
    """A stored moment some time later, or earlier."""
    return (datetime.strptime(moment, STORED) + timedelta(**more)).strftime(STORED)  # noqa: DTZ007
