"""Dates and times from a source, as a field takes them: the zone told where it is not, a date never shifted by a day."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from antiphon import moment
from antiphon.fill import text

EPOCHS = ("epoch", "epoch-ms")
_YEAR = re.compile("%[YyGcxDF]")
"""What a format writes a year by."""
_SHOWN = 40
_DIGITS = 18
"""A number since the epoch with more is a mistake, and 1e999999999 would take all memory."""


@dataclass(frozen=True)
class Moment:
    """A date or a time. A date never shifts by a day: it has no zone, and stays what it is."""

    kind: Literal["date", "date-time", ""] = ""
    """What the field takes; empty where it does not tell: then what came."""
    formats: tuple[str, ...] = ()
    source: tzinfo = UTC
    """The zone of times that name none."""
    target: tzinfo | None = None
    """The zone in which a time is cut to a date and a date begins. None: a time's own zone, and UTC."""

    def __call__(self, value: Any) -> Any:
        """Return *value* as ISO 8601: a date, or a time with its zone.

        Raises:
            ValueError: it is no date.
        """
        if isinstance(value, str) and not value.strip():
            return ""
        try:
            found = self._read(value)
            return self._written(found)
        except OverflowError:
            raise ValueError(f'"{text(value)[:_SHOWN]}" is beyond the calendar') from None

    def _read(self, value: Any) -> date | datetime:
        said = text(value).strip()
        for form in self.formats:
            found = _epoch(said, form) if form in EPOCHS else _parsed(said, form)
            if found is not None:
                return found if type(found) is date else self._zoned(cast("datetime", found))
        with suppress(ValueError):
            return date.fromisoformat(said)
        try:
            return self._zoned(datetime.fromisoformat(said.upper()))
        except ValueError:
            forms = " or ".join(self.formats or ("ISO 8601",))
            names = "; of the names of zones %Z reads UTC and GMT alone" if any(map(_names_zone, self.formats)) else ""
            raise ValueError(f'"{said[:_SHOWN]}" is no date as {forms}{names}') from None

    def _zoned(self, found: datetime) -> datetime:
        return found if found.tzinfo else found.replace(tzinfo=self.source)

    def _written(self, found: date | datetime) -> str:
        if not isinstance(found, datetime):
            if self.kind != "date-time":
                return found.isoformat()
            found = datetime(found.year, found.month, found.day, tzinfo=self.target or UTC)
        if self.kind == "date":
            return found.astimezone(self.target or found.tzinfo).date().isoformat()
        if self.target is None:
            return moment.rfc3339(found)
        return (
            found.astimezone(UTC).astimezone(self.target).isoformat()
        )  # by way of UTC, where every time is one that was


def usable(form: str) -> bool:
    """Return whether a date written in the strptime format *form* can be read again, and is of the same year then."""
    if not _YEAR.search(form.replace("%%", "")):
        return False  # not tried: a newer Python warns of it
    try:
        found = _parsed(datetime(2026, 1, 31, 9, 5, tzinfo=UTC).strftime(form), form)
    except (ValueError, re.error):  # the latter where a part of a date is named twice
        return False
    return found is not None and found.year == 2026  # noqa: PLR2004


def _names_zone(form: str) -> bool:
    return "%Z" in form.replace("%%", "")


def _parsed(said: str, form: str) -> date | datetime | None:
    """Return the date or, where *form* has hours, the time that *said* writes in that form; None where it does not."""
    try:
        found = datetime.strptime(said, form)  # noqa: DTZ007 - the zone is the setting's
    except ValueError:
        return None
    if found.tzinfo is None and _names_zone(form):
        # Other names are those of the machine's own zone: what they mean hangs on where this runs.
        if str(time.strptime(said, form).tm_zone).upper() not in {"UTC", "GMT"}:
            return None
        found = found.replace(tzinfo=UTC)
    return found if re.search("%[HIcXs]", form) else found.date()


def _epoch(said: str, form: str) -> datetime | None:
    """Return the time that a number since the epoch names; None where *said* is no number."""
    try:
        number = Decimal(said)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > _DIGITS:
        return None
    microseconds = int(number * (1000 if form == "epoch-ms" else 10**6))
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
