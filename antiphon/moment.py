"""Moments in time: whatever an API writes, read as UTC and written as RFC 3339 with a Z."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

EPOCH = "1970-01-01T00:00:00Z"


def parse(value: Any) -> datetime:
    """Return the moment that *value* names: RFC 3339, a date, an HTTP date, seconds or milliseconds since the epoch.

    A time without a zone is taken as UTC.

    Raises:
        ValueError: it names no moment.
    """
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} names no moment")  # noqa: EM102, TRY003
    text = str(value).strip()
    digits = text.lstrip("-")
    if digits.replace(".", "", 1).isdigit() and "." not in digits[:8] and len(digits) >= 9:
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if abs(number) >= 1e11 else number, UTC)
    if "," in text:
        return _utc(parsedate_to_datetime(text))
    return _utc(datetime.fromisoformat(text))


def rfc3339(value: Any) -> str:
    """Return *value* as ``2026-01-31T09:05:00Z``; fractions of a second are kept where there are any."""
    moment = parse(value)
    text = moment.isoformat(timespec="microseconds" if moment.microsecond % 1000 else "milliseconds").removesuffix("+00:00")
    return text.removesuffix(".000") + "Z"


def written(value: str, form: str) -> Any:
    """Return the RFC 3339 *value* as a request wants it (see :attr:`antiphon.api.Read.time`)."""
    if form == "iso":
        return value
    moment = parse(value)
    if form in {"s", "ms", "s-text", "ms-text"}:
        number = round(moment.timestamp() * 1000) if form.startswith("ms") else int(moment.timestamp())
        return str(number) if form.endswith("text") else number
    return moment.strftime(form)


def now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
