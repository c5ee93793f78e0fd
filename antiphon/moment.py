"""Moments in time: whatever an API writes, read as UTC and written as RFC 3339 with a Z."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EPOCH = "1970-01-01T00:00:00Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SINCE_EPOCH = re.compile(r"-?[0-9]{9,18}(\.[0-9]{1,9})?")
_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_MILLISECONDS = 10**11
"""From this number on (the year 1973) it is milliseconds, below it is seconds (the year 5138)."""


def parse(value: Any) -> datetime:
    """Return the moment that *value* names: RFC 3339, a date, an HTTP date, seconds or milliseconds since the epoch.

    An object with ``year``, ``month``, ``day`` and perhaps ``hour``, ``minute``, ``second`` and ``microsecond`` names one, too.

    A time without a zone is taken as UTC.

    Raises:
        ValueError: it names no moment.
    """
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} names no moment")
    if isinstance(value, Mapping):
        return _of_parts(value)
    text = str(value).strip()
    if _SINCE_EPOCH.fullmatch(text):
        return _since_epoch(Decimal(text))
    return _utc(parsedate_to_datetime(text) if text[:1].isalpha() else datetime.fromisoformat(text.upper()))


def rfc3339(value: Any) -> str:
    """Return *value* as ``2026-01-31T09:05:00Z``; fractions of a second are kept where there are any."""
    moment = parse(value)
    text = moment.isoformat(timespec="microseconds" if moment.microsecond % 1000 else "milliseconds").removesuffix(
        "+00:00"
    )
    return text.removesuffix(".000") + "Z"


def written(value: str, form: str, zone: str = "UTC", *, strict: bool = False) -> Any:
    """Return the RFC 3339 *value* as a request wants it (see :attr:`antiphon.api.Read.time`); never a later moment.

    A *strict* one is a tick earlier: a second, or what the form is exact to.
    """
    if form == "iso" and not strict:
        return value
    moment = parse(value)
    exact = "milliseconds" if form.startswith("ms") else "microseconds" if "%f" in form else "seconds"
    if strict:
        moment -= timedelta(**{exact: 1})
    if form == "iso":
        return rfc3339(moment)
    if form in {"s", "ms", "s-text", "ms-text"}:
        number = (moment - _EPOCH) // timedelta(**{exact: 1})
        return str(number) if form.endswith("text") else number
    if form == "http":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    there = moment.astimezone(ZoneInfo(zone))
    first, second = (there.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    if "%z" not in form and first != second:  # an hour that comes twice: which of the two is meant cannot be said
        there -= first - second
    return there.strftime(form)


def is_zone(name: str) -> bool:
    """Return whether there is a time zone of that IANA name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


def _of_parts(value: Mapping[str, Any]) -> datetime:
    try:
        parts = {name: int(value[name]) for name in _PARTS if name in value}
        return datetime(**parts, tzinfo=UTC)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{value!r} names no moment") from error


def _utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment} is beyond the calendar in UTC") from error


def _since_epoch(number: Decimal) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=int(number * (1000 if abs(number) >= _MILLISECONDS else 1_000_000)))
    except OverflowError as error:
        raise ValueError(f"{number} is beyond the calendar") from error
