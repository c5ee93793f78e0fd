"""Single records, by id or by external id, and which were changed or deleted in a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Response, json_response
from antiphon.sandbox.salesforce import describes, moments, soql
from antiphon.sandbox.salesforce.fields import Field
from antiphon.sandbox.salesforce.plans import Plan
from antiphon.sandbox.salesforce.refusals import Refusal, RowError, WrongType, not_found
from antiphon.sandbox.salesforce.writes import Several

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context
    from antiphon.sandbox.salesforce.store import SObject

_CREATED_IN_UPSERT = 46
"""Since this version an upsert that changed a record says so; before, it answered with nothing."""
MOST_IDS = 600_000
DELETED_DAYS, UPDATED_DAYS = 15, 30


def answer(context: Context) -> Response:
    """Everything below `sobjects/`."""
    try:
        return _routed(context)
    except RowError as error:
        raise error.refusal() from None
    except WrongType as error:
        raise error.refusal() from None
    except Several as several:
        of = context.sobject(context.path[1])
        return json_response(300, [context.url(of.name, number) for number in several.numbers])


def _routed(context: Context) -> Response:
    path = context.path[1:]
    if not path:
        return describes.everything(context) if context.method == "GET" else _not_allowed(context)
    of = context.sobject(path[0])
    named = _NAMED.get((context.method, "/".join(path[1:])))
    if named is not None:
        return named(context, of)
    match context.method, path[1:]:
        case _, [id_]:
            return _one(context, of, _by_id(context, of, id_))
        case "PATCH", [field, value]:
            return upsert(context, of, _key_field(of, field), value)
        case _, [field, value]:
            return _one(context, of, _by_key(context, of, _key_field(of, field), value))
    raise not_found()


def _one(context: Context, of: SObject, number: int) -> Response:
    match context.method:
        case "GET":
            return read(context, of, number)
        case "PATCH":
            writer = context.writer(of)
            writer.live(number)
            writer.update(number, _read(context, of))
            return Response(204)
        case "DELETE":
            context.writer(of).delete(number)
            return Response(204)
    return _not_allowed(context)


def _not_allowed(context: Context) -> Response:
    message = f"HTTP Method '{context.method}' not allowed. Allowed are HEAD,GET,POST,PATCH,DELETE"
    raise Refusal(405, "METHOD_NOT_ALLOWED", message)


def _read(context: Context, of: SObject) -> dict[str, Any]:
    document = context.document()
    for name in document:
        if name.lower() == "id":
            raise Refusal(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    return context.writer(of).read(document)


def _by_id(context: Context, of: SObject, text: str) -> int:
    number = context.org.ids.number(text)
    if number is None or context.org.of(number) is not of:
        if len(text) in {15, 18} and text.isalnum():
            raise not_found()
        message = "Provided external ID field does not exist or is not accessible: " + text
        raise Refusal(404, "NOT_FOUND", message)
    gone = context.org.deleted(of, number)
    if gone is None:
        raise not_found()
    if gone:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", ())
    return number


def _key_field(of: SObject, name: str) -> Field:
    field = of.field(name)
    if field is None or not (field.external_id or field.id_lookup):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise Refusal(404, "NOT_FOUND", message)
    return field


def _by_key(context: Context, of: SObject, field: Field, value: str) -> int:
    writer = context.writer(of)
    number = writer.matches(field, writer.key(field, value))
    if number is None:
        raise not_found()
    return number


def create(context: Context, of: SObject) -> Response:
    """`POST …/sobjects/{s}`."""
    number = context.writer(of).create(_read(context, of))
    return json_response(201, {"id": context.org.ids.text(number), "success": True, "errors": []})


def upsert(context: Context, of: SObject, field: Field, value: str) -> Response:
    """`PATCH …/sobjects/{s}/{field}/{value}`."""
    values = _read(context, of)
    if field.name in values:
        message = f"The {field.name} field should not be specified in the sobject data."
        raise Refusal(400, "INVALID_FIELD", message, (field.name,))
    writer = context.writer(of)
    key = writer.key(field, value)
    if context.request.first("updateOnly") == "true" and writer.matches(field, key) is None:
        raise not_found()
    number, new = writer.upsert(field, key, values)
    if not new and float(context.version) < _CREATED_IN_UPSERT:
        return Response(204)
    reply = {"id": context.org.ids.text(number), "success": True, "errors": [], "created": new}
    return json_response(201 if new else 200, reply)


def read(context: Context, of: SObject, number: int) -> Response:
    """`GET …/sobjects/{s}/{id}?fields=`."""
    names = context.request.first("fields")
    records = rows(context, of, [number], names.split(",") if names else list(of.fields))
    return json_response(200, records[0])


def rows(context: Context, of: SObject, numbers: list[int], names: list[str]) -> list[dict[str, Any]]:
    """Records by their numbers, the recycle bin's included, with these fields."""
    paths = tuple(soql.Path(tuple(name.strip().split(".")), 0) for name in names)
    query = soql.Query(",".join(names), paths, of.name, 0)
    return Plan(context.org, query, deleted=True).records(numbers, context.url)


def deleted(context: Context, of: SObject) -> Response:
    """`GET …/sobjects/{s}/deleted/?start=&end=`."""
    start, end = _window(context, DELETED_DAYS)
    sql = (
        f'SELECT "Id", "SystemModstamp" FROM {of.table} WHERE "IsDeleted" = 1 AND "SystemModstamp" >= ? '
        'AND "SystemModstamp" < ? UNION ALL SELECT id, at FROM _gone WHERE object = ? AND at >= ? AND at < ? ORDER BY 2'
    )
    found = [
        {"id": context.org.ids.text(number), "deletedDate": moments.json_text(at)}
        for number, at in context.org.execute(sql, (start, end, of.name, start, end))
    ]
    _few(found)
    earliest = moments.json_text(moments.now() - DELETED_DAYS * moments.DAY)
    covered = moments.json_text(min(end, moments.now()))
    reply = {"deletedRecords": found, "earliestDateAvailable": earliest, "latestDateCovered": covered}
    return json_response(200, reply)


def updated(context: Context, of: SObject) -> Response:
    """`GET …/sobjects/{s}/updated/?start=&end=`."""
    start, end = _window(context, UPDATED_DAYS)
    sql = (
        f'SELECT "Id" FROM {of.table} WHERE "IsDeleted" = 0 AND "SystemModstamp" >= ? AND "SystemModstamp" < ? '
        'ORDER BY "SystemModstamp", "Id"'
    )
    found = [context.org.ids.text(row[0]) for row in context.org.execute(sql, (start, end))]
    _few(found)
    return json_response(200, {"ids": found, "latestDateCovered": moments.json_text(min(end, moments.now()))})


def _few(found: list[Any]) -> None:
    if len(found) > MOST_IDS:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"cannot return more than {MOST_IDS} ids")


def _window(context: Context, days: int) -> tuple[int, int]:
    try:
        # A plus that was not encoded arrives as a blank.
        start, end = (moments.parse(context.request.first(name) or "") for name in ("start", "end"))
    except ValueError:
        raise Refusal(400, "INVALID_REPLICATION_DATE", "startDate and endDate must be date-times with a zone") from None
    if end - start <= 60:
        raise Refusal(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if start < moments.now() - days * moments.DAY - 60:
        raise Refusal(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
    return start, end


_NAMED: dict[tuple[str, str], Callable[[Context, SObject], Response]] = {
    ("GET", ""): describes.basic,
    ("POST", ""): create,
    ("POST", "Id"): create,
    ("GET", "describe"): describes.describe,
    ("GET", "deleted"): deleted,
    ("GET", "updated"): updated,
}
