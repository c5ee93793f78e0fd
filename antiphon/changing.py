"""Changes sent by a :class:`~antiphon.api.Write`, one request a batch, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from antiphon import moment
from antiphon.api import Record, Request, Resource, Schema, Write
from antiphon.asking import doing_word, made_of
from antiphon.errors import ApiError, BadReply, DescriptionError, Forbidden, Lost, NotFound, Refused
from antiphon.fill import fill, names, put
from antiphon.outcome import Change, Kind, Outcome, Problem, Said, rejected, unanswered

if TYPE_CHECKING:
    from antiphon.client import Client

KINDS = {
    "create": Kind.CREATED,
    "update": Kind.UPDATED,
    "upsert": Kind.UPDATED,
    "archive": Kind.DELETED,
    "restore": Kind.UPDATED,
    "delete": Kind.DELETED,
    "erase": Kind.DELETED,
}
"""What an operation makes of a record."""


def send_changes(
    client: Client, write: Write, resource: Resource, batch: Sequence[Change], operation: str
) -> Iterator[Outcome]:
    """Send one *batch* (at most ``write.batch`` changes) and yield what became of each."""
    kind = KINDS.get(operation, Kind.DONE)
    doing = f"{doing_word(operation)} {resource.name}"
    attempts = 1
    try:
        request = _request(client, write, resource, batch)
        reply = client.http.send(request, doing, safe=write.safe or write.remembers > 0)
        attempts = reply.attempts
        outcomes = write.outcomes(
            Said(reply.status, reply.json() if reply.body.strip() else None, reply.headers), batch, kind
        )
    except (Refused, NotFound) as error:
        if len(batch) > 1 and (write.atomic or write.safe or error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            half = len(batch) // 2
            yield from send_changes(client, write, resource, batch[:half], operation)
            yield from send_changes(client, write, resource, batch[half:], operation)
            return
        gone = isinstance(error, NotFound) and kind is Kind.DELETED and len(batch) == 1
        if gone and not client.http.proven and client.api.check:
            client.check()  # at a wrong address nothing is there either
        outcomes = [Outcome(batch[0], kind, batch[0].id)] if gone else _refused(error, batch)
    except Forbidden as error:
        outcomes = _refused(error, batch)
    except DescriptionError as error:  # a value that the path needs is not in the record
        outcomes = [rejected(change, str(error), brief=error.message) for change in batch]
    except (Lost, BadReply) as error:
        outcomes = _refused(error, batch, Kind.UNKNOWN)
    answered = {outcome.change.token for outcome in outcomes}
    outcomes = [*outcomes, *(unanswered(change) for change in batch if change.token not in answered)]
    for outcome in outcomes:
        outcome.attempts = attempts
    yield from outcomes


def _request(client: Client, write: Write, resource: Resource, batch: Sequence[Change]) -> Request:
    values = {**client.settings, **_values(client, resource, batch[0])}
    schema = client.schema(resource) if write.time else {}
    body_values = {**values, **_sent(values, write, schema)}
    if write.into or "records" in names(write.body):
        entry = write.each if callable(write.each) else partial(fill, write.each, doubled=client.doubled)
        body_values["records"] = [
            entry(_sent({**client.settings, **_values(client, resource, c)}, write, schema)) for c in batch
        ]
    body = fill(write.body, body_values, doubled=client.doubled)
    if write.into:
        body = dict(body or {})
        put(body, write.into, body_values["records"])
    return made_of(write, values, body, doubled=client.doubled)


def _values(client: Client, resource: Resource, change: Change) -> dict[str, Any]:
    return {**change.values(), "id": client.id(resource, change.id)}


def _sent(values: Mapping[str, Any], write: Write, schema: Schema) -> Mapping[str, Any]:
    """Return *values* with the record as the body takes it: without what is in the path, with what is added, its times as the API wants."""
    record = values["record"]
    if write.apart:
        record = {name: value for name, value in record.items() if name not in write.apart}
    if write.time:
        record = _timed(record, schema, write.time)
    return {**values, "record": {**fill(write.add, values), **record} if write.add else record}


def _timed(record: Record, schema: Schema, form: str) -> Record:
    """Return *record* with its times as the API wants them written; what is no time is left for the API to refuse."""
    known = schema.get("properties", {})
    times = {name for name in record if known.get(name, {}).get("format") == "date-time"}
    return {name: _time(value, form) if name in times else value for name, value in record.items()}


def _time(value: Any, form: str) -> Any:
    try:
        return moment.written(moment.rfc3339(value), form) if value else value
    except (ValueError, OverflowError):
        return value


def _refused(error: ApiError, batch: Sequence[Change], kind: Kind = Kind.REJECTED) -> list[Outcome]:
    said = error.message.partition(" -> ")[2] or error.message
    words = said.removeprefix(f"{error.status} ")
    brief = words if isinstance(error, Lost) and not error.status else ""  # words of ours
    return [Outcome(change, kind, change.id, Problem(words, error.status, error.code, brief)) for change in batch]
