"""From a :class:`~antiphon.api.Read` and what is asked of it to a request; from the answer to its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from antiphon import moment
from antiphon.api import Query, Read, Record, Reply, Request, Resource, Then, Write
from antiphon.errors import BadReply
from antiphon.fill import MISSING, fill, fill_path, look, parts, put
from antiphon.paging import asked_with
from antiphon.schema import types

if TYPE_CHECKING:
    from antiphon.client import Client

DOING = {
    "read": "reading",
    "changes": "reading",
    "deleted": "reading deleted",
    "get": "getting",
    "find": "looking up",
    "create": "creating",
    "update": "updating",
    "upsert": "upserting",
    "archive": "archiving",
    "restore": "restoring",
    "delete": "deleting",
    "erase": "erasing",
}


def doing_word(operation: str) -> str:
    """Return what an operation is called while it is done: ``create`` -> ``creating``."""
    return DOING.get(operation, operation)


def asked(client: Client, read: Read, resource: Resource, query: Query) -> dict[str, Any]:
    """Return what the placeholders of *read* may name, besides settings: times, fields, id, what is looked up."""
    fields = query.fields
    known = client.schema(resource).get("properties", {}) if fields is None or read.pairs else {}
    if fields is None:
        fields = tuple(name for name, field in known.items() if not field.get("writeOnly"))
    names = dict.fromkeys(_pair(name, read.pairs, known) for name in fields if name not in resource.always)
    where = dict(query.where)
    values = where.get("values") or [MISSING]
    return {
        "since": moment.written(query.since, read.time, read.zone, strict=read.strict) if query.since else MISSING,
        "until": moment.written(until, read.time, read.zone) if (until := query.until or read.latest) else MISSING,
        "fields": list(names) or MISSING,
        "id": client.id(resource, query.id) if query.id is not None else MISSING,
        "match": {"field": where.get("field", MISSING), "values": values, "value": values[0]},
    }


def request(read: Read, values: Mapping[str, Any], cursor: Any, *, doubled: str = "") -> Request:
    """Return the request for the page at *cursor*; *doubled* as :func:`~antiphon.fill.fill` has it.

    Raises:
        DescriptionError: the path needs a value that is not among *values*.
    """
    values = {**values, **_told(read, cursor)}
    made = made_of(read, values, doubled=doubled)
    return asked_with(read.paging, made, cursor, values) if read.paging else made


def requests(read: Read, values: Mapping[str, Any], *, doubled: str = "") -> Callable[[Any], Request]:
    """Return what makes the request for the page at a cursor, as :func:`request` does; what is the same for each page is made once."""
    filled = cache(partial(made_of, read, values, doubled=doubled))

    def made(cursor: Any) -> Request:
        if not read.paging or _told(read, cursor) or (same := filled()).body is not None:
            return request(read, values, cursor, doubled=doubled)
        return asked_with(read.paging, same.copy(), cursor, values)

    return made


def _told(read: Read, cursor: Any) -> dict[str, Any]:
    """Return what the place in a list tells the placeholders: the last key, or the bounds of a window of time."""
    if not isinstance(cursor, Mapping):
        return {}
    told = {"last": cursor["last"]} if "last" in cursor else {}
    if bounds := getattr(read.paging, "bounds", None):
        since, until = bounds(cursor)
        inner = cursor["at"] if isinstance(cursor["at"], Mapping) else {}
        told |= {name: inner[name] for name in ("last",) if name in inner}
        told["since"] = moment.written(since, read.time, read.zone, strict=read.strict)
        told["until"] = moment.written(until, read.time, read.zone)
    return told


def made_of(what: Read | Write, values: Mapping[str, Any], body: Any = MISSING, *, doubled: str = "") -> Request:
    """Return the request that a :class:`~antiphon.api.Read` or :class:`~antiphon.api.Write` is with *values*.

    *body* stands for the one it describes. A GraphQL document is posted, with the body as its variables.
    """
    body = fill(what.body, values, doubled=doubled) if body is MISSING else body
    return Request(
        what.method or ("POST" if what.query or body is not None or isinstance(what, Write) else "GET"),
        fill_path(what.path, values, doubled=doubled),
        fill(what.params, values, doubled=doubled),
        fill(what.headers, values, doubled=doubled),
        {"query": what.query, "variables": body or {}} if what.query else body,
        what.format,
        what.encoding,
        what.accepts if isinstance(what, Write) else (),
    )


def decoded(client: Client, reply: Reply, doing: str) -> Any:
    """Return what *reply* holds.

    Raises:
        BadReply: it is not what the API documents, told in one line.
    """
    try:
        return reply.json()
    except BadReply as error:
        hint = error.hint or "Check that base_url is the API's own address, and not that of a page for people."
        said = client.http.redact(f"{client.api.name}: {doing} -> {error.message}")
        raise BadReply(said, hint=hint, status=error.status) from None


def rows(client: Client, read: Read, reply: Reply, doing: str) -> list[Record]:
    """Return the records in *reply*, as they came.

    Raises:
        BadReply: there are none where the description says.
    """
    if reply.status == HTTPStatus.NO_CONTENT:
        return []
    body = decoded(client, reply, doing)
    found = look(body, read.records, MISSING)
    if found is None or (found is MISSING and _ends_in_null(body, read.records)):
        return []
    records = [found] if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(row, dict) for row in records):
        said = f': "{found}"' if isinstance(found, str) else ""
        raise BadReply(f'{client.api.name}: {doing} -> the answer has no list of records at "{read.records}"{said}')
    return records


def _ends_in_null(value: Any, path: str) -> bool:
    """Whether *path* leads to a null before its end: a list that is not there, in an object that is empty."""
    for part in parts(path):
        value = look(value, part.replace(".", r"\."), MISSING)
        if value is None:
            return True
    return False


def fetched(client: Client, then: Then, values: Mapping[str, Any], listed: list[Record], doing: str) -> list[Reply]:
    """Return the answers that hold the records whose ids were *listed*, with their fields."""
    replies = []
    for start in range(0, len(listed), then.size):
        made = request(then.read, values, {}, doubled=client.doubled)
        made.body = dict(made.body or {})
        ids = [look(row, then.key) for row in listed[start : start + then.size]]
        put(made.body, then.into, [fill(then.each, {**values, "id": id}) for id in ids])
        replies.append(client.http.send(made, doing))
    return replies


def _pair(name: str, suffix: str, known: Mapping[str, Any]) -> str:
    """Return the field that the API has for *name*: of ``partner_id_name`` it is ``partner_id``, where that is a pair."""
    stem = name.removesuffix(suffix) if suffix else name
    return stem if stem != name and "integer" in types(known.get(stem, {})) else name
