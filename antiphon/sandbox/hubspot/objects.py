"""Routes for single records: list, read, create, update, archive, merge, erase."""

from __future__ import annotations

from collections.abc import Iterable

from antiphon.sandbox.exchange import Request, Response, encode
from antiphon.sandbox.hubspot import moments, paging
from antiphon.sandbox.hubspot.portal import Portal
from antiphon.sandbox.hubspot.refusals import Refusal, invalid, not_found
from antiphon.sandbox.hubspot.store import Record, Store
from antiphon.sandbox.hubspot.writes import Checker, unique_property

JSON = {"Content-Type": "application/json;charset=utf-8"}
MAX_PAGE = 100
MAX_PAGE_WITH_HISTORY = 50
"""The vendor's own client pages by these."""


def missing(store: Store) -> Refusal:
    """No such record."""
    return not_found(f"Object not found. {store.name} objectId are usually numeric.", subCategory="crm.objects")


def extended(encoded: bytes, **members: object) -> bytes:
    """An encoded object with further members."""
    return encoded if not members else encoded[:-1] + b"," + encode(members)[1:]


def address(portal: Portal, store: Store, key: str, id_property: str | None) -> Record | None:
    """The live record with this id, or with this value of a unique property."""
    if not id_property:
        return store.get(key)
    return store.by(unique_property(store, id_property, portal, email=True), key)


def list_page(portal: Portal, store: Store, request: Request) -> Response:
    """One page in id order; the last one has no `paging`. Neither filters nor sorts: the vendor offers none here."""
    history = paging.names(request, "propertiesWithHistory")
    limit = paging.limit(request, 10, MAX_PAGE_WITH_HISTORY if history else MAX_PAGE)
    archived = paging.flag(request, "archived")
    begin = paging.position(request.first("after"))
    records, after = store.page(begin, limit, archived=archived)
    rendered = _rendered(portal, store, request, records, history)
    body = b'{"results":[' + b",".join(rendered) + b"]"
    if after is not None:
        cursor = paging.cursor(after)
        link = f"https://api.hubapi.com{request.target.partition('?')[0]}?limit={limit}&after={cursor}"
        body += b"," + encode({"paging": {"next": {"after": cursor, "link": link}}})[1:-1]
    return Response(200, body + b"}", dict(JSON))


def read(portal: Portal, store: Store, request: Request, key: str) -> Response:
    """One record, live or (when asked) archived."""
    if paging.flag(request, "archived"):
        record = store.records.get(int(key)) if key.isdigit() else None
        record = record if record is not None and record.archived_at is not None else None
    else:
        record = address(portal, store, key, request.first("idProperty"))
    if record is None:
        raise missing(store)
    history = paging.names(request, "propertiesWithHistory")
    return Response(200, next(iter(_rendered(portal, store, request, [record], history))), dict(JSON))


def _rendered(
    portal: Portal, store: Store, request: Request, records: list[Record], history: list[str] | None
) -> Iterable[bytes]:
    asked = paging.names(request, "properties")
    selection = store.default if asked is None else store.select(asked)
    others = [portal.store(name) for name in paging.names(request, "associations") or []]
    for record in records:
        members: dict[str, object] = {}
        if history:
            versions = {name: store.history(record, name) for name in history if name in store.properties}
            members["propertiesWithHistory"] = versions
        if others:
            shown = {other.name: _associated(portal, store, record, other) for other in others}
            shown = {name.replace("_", " "): value for name, value in shown.items() if value["results"]}
            if shown:
                members["associations"] = shown
        yield extended(store.show(record, selection), **members)


def _associated(portal: Portal, store: Store, record: Record, other: Store) -> dict[str, object]:
    found: list[dict[str, str]] = []
    singular = other.singular.lower().replace(" ", "_")
    for number, type_ids in sorted(portal.associations.of((store.name, other.name), record.id).items()):
        if other.get(number) is None:
            continue
        for type_id in sorted(type_ids, reverse=True):
            kind = portal.associations.types[type_id]
            suffix = f"_{kind.label.lower().replace(' ', '_')}" if kind.label else ""
            name = f"{store.singular.lower()}_to_{singular}{suffix}".replace(" ", "_")
            found.append({"id": str(number), "type": name})
    page = portal.quirks.association_page
    shown: dict[str, object] = {"results": found[:page]}
    if len(found) > page:
        # Only a first page of associations comes with a record; the rest is for the associations routes.
        link = f"https://api.hubapi.com/crm/v4/objects/{store.name}/{record.id}/associations/{other.name}"
        cursor = paging.cursor(int(found[page]["id"]))
        shown["paging"] = {"next": {"after": cursor, "link": f"{link}?after={cursor}"}}
    return shown


def create(portal: Portal, store: Store, request: Request, version: str) -> Response:
    """A new record."""
    record = Checker(portal, store, version).create(paging.body(request)).apply(portal)
    return Response(201, store.show(record, written(store, record)), dict(JSON))


def update(portal: Portal, store: Store, request: Request, key: str, version: str) -> Response:
    """A changed record."""
    record = address(portal, store, key, request.first("idProperty"))
    if record is None:
        raise missing(store)
    change = Checker(portal, store, version).update(paging.body(request), record)
    change.apply(portal)
    return Response(200, store.show(record, store.select(change.values)), dict(JSON))


def written(store: Store, record: Record) -> tuple[str, ...]:
    """The properties a reply to a write shows: those that are set."""
    return store.select(record.properties)


def archive(store: Store, key: str) -> Response:
    """To the recycle bin; also fine when it is there already."""
    record = store.get(key)
    if record is not None:
        store.archive(record)
    return Response(204)


def merge(portal: Portal, store: Store, request: Request) -> Response:
    """Two records become one. The primary's values win, and both ids resolve to what remains."""
    document = paging.body(request)
    primary = store.get(str(document.get("primaryObjectId", "")))
    loser = store.get(str(document.get("objectIdToMerge", "")))
    if primary is None or loser is None:
        raise missing(store)
    if primary is loser:
        raise invalid("Cannot merge an object into itself")
    values = {**loser.properties, **primary.properties}
    merged = [primary.properties.get("hs_merged_object_ids"), loser.properties.get("hs_merged_object_ids")]
    values["hs_merged_object_ids"] = ";".join(filter(None, [*merged, str(loser.id)]))
    if store.name == "contacts":
        secondary = [primary.properties.get("hs_additional_emails"), loser.properties.get("hs_additional_emails")]
        values["hs_additional_emails"] = ";".join(filter(None, [*secondary, loser.properties.get("email")]))
        values["hs_calculated_merged_vids"] = f"{loser.id}:{moments.now()}"
    store.remove(loser)
    if portal.quirks.merge_keeps_primary_id:
        winner = store.edit(primary, values)
    else:
        store.remove(primary)
        winner = store.add(values, created=primary.created, updated=moments.now())
        store.aliases[primary.id] = winner.id
        portal.associations.move(store.name, primary.id, winner.id)
    store.aliases[loser.id] = winner.id
    portal.associations.move(store.name, loser.id, winner.id)
    return Response(200, store.show(winner, written(store, winner)), dict(JSON))


def erase(store: Store, request: Request) -> Response:
    """Gone for good: neither listed as archived nor found by id."""
    document = paging.body(request)
    key, id_property = str(document.get("objectId", "")), document.get("idProperty")
    if id_property not in {None, "", "email"}:
        raise invalid(f"idProperty must be email, not {id_property}")
    record = store.by("email", key) if id_property else store.get(key)
    if record is not None:
        store.remove(record)
    return Response(204)
