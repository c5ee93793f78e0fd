"""What a lost answer or a crash may do to a write, as the description of a resource says it: done exactly once, or at most once."""

from __future__ import annotations

from antiphon.api import Resource, Write
from antiphon.schema import unique_fields

OPERATIONS = ("create", "update", "upsert", "archive", "restore", "delete", "erase")
_DAY = 86400


def guarantee(resource: Resource, operation: str) -> str:
    """Return how *operation* of *resource* is kept from being done twice or not at all; empty where it cannot be done.

    ``exactly once`` comes with the reason: it may be repeated, the API knows a repetition by its key, or a look-up finds what was done.
    Of what is done ``at most once`` the outcome is ``unknown`` when the answer was lost.
    """
    how = getattr(resource, operation, None)
    if how is None:
        return ""
    if isinstance(how, Write) and how.remembers:
        days = how.remembers / _DAY
        return f"exactly once: idempotency key, for {days:g} day{'' if days == 1 else 's'}"
    if isinstance(how, Write) and how.safe:
        return "exactly once: repeatable"
    if operation == "create" and resource.find:
        return _looked_up(resource)
    return "at most once"


def _looked_up(resource: Resource) -> str:
    """Return by which fields a look-up shows for certain whether a record was created."""
    if resource.prompt is None:
        return "exactly once: look-up by any match field; without one at most once"
    unique = ["a unique field"] if callable(resource.schema) else list(unique_fields(resource.schema))
    named = list(dict.fromkeys([*resource.prompt, *unique]))
    late = [name for name in resource.match if name not in resource.prompt]
    certain = f"exactly once: look-up by {' or '.join(named)}" if named else ""
    rest = f"by {' or '.join(late)}, or without, at most once" if late else "else at most once"
    return f"{certain}; {rest}" if certain else f"at most once{': a look-up may lag' if late else ''}"
