"""sObject collections: up to 200 rows in one call, one result for each, in the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Response, json_response
from antiphon.sandbox.salesforce import records
from antiphon.sandbox.salesforce.fields import Field
from antiphon.sandbox.salesforce.refusals import Refusal, RowError, WrongType, bad_json, not_found
from antiphon.sandbox.salesforce.writes import Several

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context
    from antiphon.sandbox.salesforce.store import SObject

MOST = 200
MOST_READ = 2000
MOST_CHUNKS = 10
Result = dict[str, Any]
Row = Mapping[str, Any]
Write = Callable[[Row], Result]


def answer(context: Context) -> Response:
    """Everything below `composite/sobjects`."""
    match context.method, context.path[2:]:
        case "POST", []:
            return _written(context, lambda row: _create(context, row))
        case "PATCH", []:
            repeated = _repeated(row.get("id", row.get("Id")) for row in _rows(context))
            return _written(context, lambda row: _update(context, row, repeated))
        case "DELETE", []:
            ids = [text for text in (context.request.first("ids") or "").split(",") if text]
            all_or_none = context.request.first("allOrNone") == "true"
            return _all(context, [{"id": text} for text in ids], lambda row: _delete(context, row), all_or_none)
        case "PATCH", [name, field]:
            return _upserted(context, context.sobject(name), field)
        case "POST" | "GET", [name]:
            return _read(context, context.sobject(name))
    raise not_found()


def _rows(context: Context) -> list[Row]:
    rows = context.document().get("records")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad_json("The records property is required, and must be an array of objects")
    return rows


def _written(context: Context, write: Write) -> Response:
    rows = _rows(context)
    chunks = [name for name, _ in groupby(rows, key=lambda row: str((row.get("attributes") or {}).get("type")).lower())]
    if len(chunks) > MOST_CHUNKS:
        message = (
            f"Cannot have more than {MOST_CHUNKS} chunks in a single operation. "
            "Please rearrange the data to reduce chunking."
        )
        raise Refusal(400, "INVALID_INPUT", message)
    if any(not isinstance((row.get("attributes") or {}).get("type"), str) for row in rows):
        raise bad_json("attributes.type is required for every record")
    return _all(context, rows, write, context.document().get("allOrNone") is True)


def _all(context: Context, rows: list[Row], write: Write, all_or_none: bool) -> Response:
    if len(rows) > MOST:
        message = f"record limit reached. cannot submit more than {MOST} records into this call"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", message)
    context.org.execute("SAVEPOINT collection")
    try:
        results = [_result(context, row, write) for row in rows]
    except WrongType as error:
        context.org.execute("ROLLBACK TO collection")
        raise error.refusal() from None
    else:
        if all_or_none and not all(result["success"] for result in results):
            context.org.execute("ROLLBACK TO collection")
            results = [_rolled_back(result) for result in results]
    finally:
        context.org.execute("RELEASE collection")
    return json_response(200, results)


def _result(context: Context, row: Row, write: Write) -> Result:
    try:
        return write(row)
    except RowError as error:
        return {"success": False, "errors": [error.document()]}
    except Several as several:
        texts = ", ".join(context.org.ids.text(number) for number in several.numbers)
        message = f"more than one record found for external id field: [{texts}]"
        return {"success": False, "errors": [RowError("DUPLICATE_EXTERNAL_ID", message).document()]}


def _rolled_back(result: Result) -> Result:
    if not result["success"]:
        return result
    message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return {"success": False, "errors": [RowError("ALL_OR_NONE_OPERATION_ROLLED_BACK", message).document()]}


def _done(context: Context, number: int, **more: bool) -> Result:
    return {"id": context.org.ids.text(number), "success": True, "errors": [], **more}


def _type(context: Context, row: Row) -> SObject:
    name = row["attributes"]["type"]
    of = context.org.find(name)
    if of is None:
        raise RowError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return of


def _create(context: Context, row: Row) -> Result:
    if row.get("id", row.get("Id")) is not None:
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")
    writer = context.writer(_type(context, row))
    return _done(context, writer.create(writer.read(row)))


def _update(context: Context, row: Row, repeated: set[str]) -> Result:
    writer = context.writer(_type(context, row))
    id_ = row.get("id", row.get("Id"))
    if id_ is None:
        raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", "Id")
    number = writer.number(id_)
    if id_ in repeated:
        raise RowError("DUPLICATE_VALUE", f"Duplicate id specified: {id_}", "Id")
    writer.update(number, writer.read(row))
    return _done(context, number)


def _delete(context: Context, row: Row) -> Result:
    number = context.org.ids.number(row["id"])
    if number is None:
        raise RowError("MALFORMED_ID", f"bad id {row['id']}", "Id")
    context.writer(context.org.of(number)).delete(number)
    return _done(context, number)


def _upserted(context: Context, of: SObject, name: str) -> Response:
    field = of.field(name)
    if field is None or not (field.external_id or field.kind == "id"):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise Refusal(404, "NOT_FOUND", message)
    rows = _rows(context)
    others = {str((row.get("attributes") or {}).get("type", of.name)).lower() for row in rows} - {of.name.lower()}
    if others:
        raise Refusal(400, "INVALID_INPUT", f"All records must be of type {of.name}")
    repeated = _repeated(_key_text(row, field) for row in rows)
    only = context.request.first("updateOnly") == "true"
    write: Write = lambda row: _upsert(context, of, field, row, repeated, only)  # noqa: E731 - one row's part of it
    return _all(context, rows, write, context.document().get("allOrNone") is True)


def _upsert(context: Context, of: SObject, field: Field, row: Row, repeated: set[str], only: bool) -> Result:
    writer = context.writer(of)
    sent = _sent_key(row, field)
    if _key_text(row, field) in repeated:
        raise RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {sent}", field.name)
    if field.kind == "id":
        if sent is None:
            return _done(context, writer.create(writer.read(row)), created=True)
        number = writer.number(sent)
        writer.update(number, writer.read(row))
        return _done(context, number, created=False)
    if any(name.lower() == "id" for name in row):
        raise RowError(
            "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify both an external ID reference and an Id", "Id"
        )
    key = writer.key(field, sent)
    values = writer.read(row)
    values.pop(field.name, None)
    if only and writer.matches(field, key) is None:
        raise RowError("NOT_FOUND", f"no record has {field.name} {sent}", field.name)
    number, new = writer.upsert(field, key, values)
    return _done(context, number, created=new)


def _sent_key(row: Row, field: Field) -> Any:
    return next((value for name, value in row.items() if name.lower() == field.name.lower()), None)


def _key_text(row: Row, field: Field) -> str | None:
    sent = _sent_key(row, field)
    return None if sent is None else str(sent) if field.case_sensitive or field.kind == "id" else str(sent).lower()


def _repeated(keys: Iterable[str | None]) -> set[str]:
    return {key for key, n in Counter(keys).items() if n > 1 and key is not None}


def _read(context: Context, of: SObject) -> Response:
    if context.method == "GET":
        ids = (context.request.first("ids") or "").split(",")
        names = (context.request.first("fields") or "").split(",")
    else:
        document = context.document()
        ids, names = document.get("ids") or [], document.get("fields") or []
    if len(ids) > MOST_READ:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"cannot retrieve more than {MOST_READ} records in one call")
    numbers = [context.org.ids.number(str(text)) for text in ids]
    if any(number is None or context.org.of(number) is not of for number in numbers):
        bad = next(t for t, n in zip(ids, numbers, strict=True) if n is None or context.org.of(n) is not of)
        raise Refusal(400, "MALFORMED_ID", f"bad id {bad}")
    # `Id` comes along, asked for or not.
    wanted = list(dict.fromkeys(["Id", *filter(None, names)]))
    live = [n for n in numbers if n is not None and context.org.deleted(of, n) is False]
    found = {record["Id"]: record for record in records.rows(context, of, list(dict.fromkeys(live)), wanted)}
    return json_response(200, [found.get(context.org.ids.text(n)) for n in numbers if n is not None])
