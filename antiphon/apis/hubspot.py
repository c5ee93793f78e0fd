"""HubSpot CRM: https://developers.hubspot.com/docs/api-reference/overview.

Every CRM object has the same routes, so :func:`crm` builds them all and a further object is one line. The fields of an
object are known to the account alone: they come from its properties endpoint, with their types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec

from antiphon import schema
from antiphon.api import (
    Api,
    LimitHeaders,
    Page,
    Parts,
    Query,
    Quota,
    RateLimit,
    Read,
    Record,
    Resource,
    Schema,
    Setting,
    Then,
    Write,
)
from antiphon.auth import Bearer
from antiphon.client import Client
from antiphon.errors import BadReply, Refused, name_it
from antiphon.outcome import Change, Kind, Nothing, Outcome, Said, rejected, unanswered
from antiphon.paging import Cursor, Keyset
from antiphon.style import Rest

READ_VERSION = "2026-09"
#: From 2026-09 on, an administrator's rules (conditionally required properties …) hold for writes by API as well.
WRITE_VERSION = "2026-03"

_READ = "/crm/objects/{read_version}"
_WRITE = "/crm/objects/{write_version}"
#: Fields of a record itself; all others are properties, which come when asked for.
_OWN = {
    "id": "string!",
    "createdAt": "date-time",
    "updatedAt": "date-time",
    "archived": "boolean",
    "archivedAt": "date-time",
}
_WORDS = {"bool": "boolean", "number": "number", "date": "date", "datetime": "date-time"}
#: What a property is for a column of a type, and the input that HubSpot shows for it.
_TYPES = {
    "string": ("string", "text"),
    "number": ("number", "number"),
    "integer": ("number", "number"),
    "boolean": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "date-time": ("datetime", "date"),
}
_FLAGS = [{"label": "Yes", "value": "true", "displayOrder": 0}, {"label": "No", "value": "false", "displayOrder": 1}]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_LISTED = 100
"""Records; a page of a list has no more."""
_ASSOCIATED = 1000
"""Records whose associations one request may ask for."""
_SEARCH_BODY = 3000
"""Characters; the search endpoint refuses a longer body."""
_LATEST = "2999-12-31T00:00:00Z"
_SEARCH_FRAME = 400
"""Characters; what a look-up's body has besides values and the names of the fields asked for is shorter."""
_SEARCH_NAMES = 1000
"""Characters; longer lists of names are left to a batch read, so that there is room for values."""


def crm(  # noqa: PLR0913 - each says one way in which an object differs
    name: str,
    alias: str,
    *,
    kind: str = "",
    title: str = "",
    modified: str = "hs_lastmodifieddate",
    unique: tuple[str, ...] = (),
    match: tuple[str, ...] = (),
    folded: tuple[str, ...] = (),
    further: Mapping[str, str] | None = None,
    erase: bool = False,
    common: bool = True,
) -> Resource:
    """Return one CRM object; *kind* is its type id where its name is not enough.

    *unique* are fields that HubSpot keeps unique although the properties endpoint does not say so; *match* fields that
    usually are, and are found by search; *folded* those of them whose upper and lower case is one, *further* those of
    which a record may have several values.
    """
    kind = kind or name
    read, write = f"{_READ}/{kind}", f"{_WRITE}/{kind}"
    fields = Then(
        Read(
            f"{read}/batch/read",
            "POST",
            body={"properties": "{fields}", "propertiesWithHistory": []},
            records="results",
            lift=("properties",),
            text=True,
        ),
        over=4000,  # some thousand characters of property names make the URL too long (414)
    )
    listed = Read(
        read,
        params={"properties": "{fields}"},
        records="results",
        paging=Cursor(next="paging.next.after", param="after", size=("limit", 100)),
        then=fields,
        # Its cursor is HubSpot's own secret, so that nobody can begin where he likes; a search by id can.
        parts=Parts(
            _last(read), _searched(read, then=Then(fields.read, over=1700)), total="total", upto="9223372036854775807"
        ),
        lift=("properties",),
        text=True,
    )
    return Resource(
        name,
        schema=lambda client: _schema(client, kind),
        aliases=(alias,) if alias != name else (),
        title=title,
        created="createdAt",
        updated="updatedAt",
        match=(*unique, *match),
        prompt=unique,
        folded=(*unique, *folded),
        further=further or {},
        cleared="",
        always=(*_OWN, "url"),
        common=common,
        lookback=300,  # a change takes moments to reach the search index, sometimes minutes
        read=listed,
        changes=_searched(
            read,
            {"propertyName": modified, "operator": "BETWEEN", "value": "{since}", "highValue": "{until}"},
            then=Then(fields.read, over=1700),  # names in quotes, and the filters: within the body's 3,000 characters
        ),
        deleted=Read(
            read,
            params={"properties": "{fields}", "archived": True},
            records="results",
            paging=listed.paging,
            then=Then(_archived(fields.read), over=fields.over),
            lift=("properties",),
            text=True,
        ),
        get=Read(
            f"{read}/batch/read",
            "POST",
            body={"properties": "{fields}", "propertiesWithHistory": [], "inputs": [{"id": "{id}"}]},
            records="results",
            lift=("properties",),
            text=True,
        ),
        find=_Find(read, unique),
        create=Write(
            f"{write}/batch/create",
            batch=100,
            into="inputs",
            each={"properties": "{record}", "objectWriteTraceId": "{token}"},
            outcomes=decoded,
            atomic=True,
        ),
        update=Write(
            f"{write}/batch/update",
            batch=100,
            into="inputs",
            each={"id": "{id}", "properties": "{record}", "objectWriteTraceId": "{token}"},
            outcomes=decoded,
            safe=True,
        ),
        upsert=Write(
            f"{write}/batch/upsert",
            batch=100,
            into="inputs",
            each={
                "id": "{match.value}",
                "idProperty": "{match.field}",
                "properties": "{record}",
                "objectWriteTraceId": "{token}",
            },
            outcomes=decoded,
            safe=True,
            # Not by e-mail: HubSpot wants all of a record's properties then. The others are no unique properties.
            not_by=(*unique, *match),
        ),
        archive=(
            archive := Write(
                f"{write}/batch/archive", batch=100, into="inputs", each={"id": "{id}"}, outcomes=archived, safe=True
            )
        ),
        delete=archive,
        erase=Write(f"{write}/gdpr-delete", "POST", body={"objectId": "{id}"}, outcomes=Nothing(), safe=True)
        if erase
        else None,
        add_field=_add_field(kind),
        refuse_field=_refuse_field,
        add_option=_add_option(kind),
    )


def _searched(path: str, *filters: Mapping[str, Any], then: Then) -> Read:
    """Return the search for the objects at *path* by *filters*.

    By id, so that neither many records with one timestamp nor the cap of 10,000 results matter.
    """
    return Read(
        f"{path}/search",
        "POST",
        body=_by_id("ASCENDING", *filters, {"propertyName": "hs_object_id", "operator": "GT", "value": "{last}"})
        | {"properties": "{fields}"},
        records="results",
        paging=Keyset("id", start="0", size=("limit", 200), more="paging.next.after"),
        time="ms-text",
        latest=_LATEST,
        then=then,
        lift=("properties",),
        text=True,
    )


def _last(path: str) -> Read:
    """Return the search for the object at *path* with the highest id, which tells how many there are as well."""
    upto = {"propertyName": "hs_object_id", "operator": "LTE", "value": "{upto}"}
    return Read(f"{path}/search", "POST", body=_by_id("DESCENDING", upto) | {"limit": 1}, records="results")


def _by_id(direction: str, *filters: Mapping[str, Any]) -> dict[str, Any]:
    sorts = [{"propertyName": "hs_object_id", "direction": direction}]
    return {"filterGroups": [{"filters": list(filters)}], "sorts": sorts}


def _archived(read: Read) -> Read:
    return Read(
        read.path, read.method, {"archived": True}, read.body, records=read.records, lift=read.lift, text=read.text
    )


def _schema(client: Client, kind: str) -> Schema:
    """Return the schema of an object from its properties endpoint (one call, no pages)."""
    path = f"/crm/properties/{client.settings['read_version']}/{kind}"
    found = _results(client, path, f"asking for the fields of {kind}")
    properties = {p["name"]: _field(p) for p in found if not p.get("archived")}
    own = schema.record({**_OWN, "url": "string"}, readonly=(*_OWN, "url"))["properties"]
    return {"type": "object", "properties": {**own, **{name: f for name, f in properties.items() if name not in own}}}


def _results(client: Client, path: str, doing: str) -> list[Any]:
    found = client.call("GET", path, doing=doing)
    if not isinstance(found, Mapping) or not isinstance(found.get("results"), list):
        said = "an empty body" if found is None else 'the answer has no list at "results"'
        raise BadReply(f"hubspot: {doing} -> {said}", hint="Check that base_url is the API's own address.")
    return list(found["results"])


def _field(found: Mapping[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if found.get("calculated") or (found.get("modificationMetadata") or {}).get("readOnlyValue"):
        more["readOnly"] = True
    if found.get("hasUniqueValue"):
        more["x-unique"] = True
    if found.get("type") == "enumeration" and found.get("options") and not found.get("externalOptions"):
        more["x-options"] = [option["value"] for option in found["options"]]
        more["x-labels"] = {option["value"]: option["label"] for option in found["options"] if option.get("label")}
    if found.get("fieldType") == "checkbox":
        more["x-several"] = ";"
    return schema.of(_WORDS.get(found.get("type", ""), "string"), **more)


def _refuse_field(_client: Client, resource: Resource, name: str) -> None:
    """Raise ``Refused`` for a name that no property can have."""
    if not _NAME.fullmatch(name):
        said = f'hubspot: adding {name} to the fields of {resource.name} -> a name has lower-case letters, digits and "_", a letter first'
        raise Refused(said, hint=name_it(name))


def _add_field(kind: str) -> Callable[[Client, Resource, str, Schema], Schema]:
    """Return what adds a property to an object: in its first group, labelled by its name."""

    def add(client: Client, resource: Resource, name: str, column: Schema) -> Schema:
        doing = f"adding {name} to the fields of {resource.name}"
        path = f"/crm/properties/{client.settings['write_version']}/{kind}"
        _refuse_field(client, resource, name)
        groups = _results(client, f"{path}/groups", f"asking for the groups of fields of {resource.name}")
        words = (str(column.get("format")), *schema.types(column), "string")
        type, field_type = next(_TYPES[word] for word in words if word in _TYPES)
        more = {"options": _FLAGS} if type == "bool" else {}
        made = {
            "name": name,
            "label": name,
            "type": type,
            "fieldType": field_type,
            "groupName": groups[0]["name"],
            **more,
        }
        return _field(client.call("POST", path, json=made, doing=doing))

    return add


def _add_option(kind: str) -> Callable[[Client, Resource, str, str], None]:
    """Return what adds an option to a property of an object: HubSpot takes the whole list anew."""

    def add(client: Client, resource: Resource, name: str, option: str) -> None:
        doing = f"adding an option to {name} of {resource.name}"
        path = f"/crm/properties/{client.settings['write_version']}/{kind}/{name}"
        there = client.call("GET", path, doing=doing).get("options") or []
        if all(one["value"] != option for one in there):
            last = max((one.get("displayOrder", 0) for one in there), default=-1)
            more = {"value": option, "label": option, "displayOrder": last + 1, "hidden": False}
            client.call("PATCH", path, json={"options": [*there, more]}, safe=True, doing=doing)

    return add


@dataclass(frozen=True)
class _Find:
    """Look records up: by a unique property with a batch read, by any other with a search."""

    path: str
    unique: tuple[str, ...]
    values: ClassVar[int] = 100
    """How many values one request may ask for."""

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the records whose field has one of the values."""
        field, values = query.where["field"], [str(value) for value in query.where["values"]]
        known = client.schema(resource)
        doing = f"looking up {resource.name} by {field}"
        if field == "id" or field in self.unique or field in schema.unique_fields(known):
            for start in range(0, len(values), 100):
                inputs = [{"id": value} for value in values[start : start + 100]]
                body = {"properties": "{asked}", "propertiesWithHistory": [], "inputs": "{inputs}"}
                if field != "id":
                    body["idProperty"] = "{match.field}"
                read = Read(
                    f"{self.path}/batch/read", "POST", body=body, records="results", lift=("properties",), text=True
                )
                asked = _asked(resource, query, known)
                yield from client.pages(read, resource, query, doing=doing, values={"inputs": inputs, "asked": asked})
            return
        # In a search, IN compares texts in lower case; the options of an enumeration are compared as they are.
        options = "x-options" in known.get("properties", {}).get(field, {})
        wanted = values if options else [value.lower() for value in values]
        asked = _asked(resource, query, known)
        names = len(",".join(asked))
        room = _SEARCH_BODY - _SEARCH_FRAME - (names + 2 * len(asked) if names <= _SEARCH_NAMES else 0)
        for group in _groups(wanted, room):
            read = Read(
                f"{self.path}/search",
                "POST",
                body={
                    "filterGroups": [
                        {
                            "filters": [
                                {"propertyName": "{match.field}", "operator": "IN", "values": "{wanted}"},
                                {"propertyName": "hs_object_id", "operator": "GT", "value": "{last}"},
                            ]
                        }
                    ],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                    "properties": "{fields}",
                },
                records="results",
                paging=Keyset("id", start="0", size=("limit", 200), more="paging.next.after"),
                then=Then(
                    Read(
                        f"{self.path}/batch/read",
                        "POST",
                        body={"properties": "{fields}", "propertiesWithHistory": []},
                        records="results",
                        lift=("properties",),
                        text=True,
                    ),
                    over=_SEARCH_NAMES,
                ),
                lift=("properties",),
                text=True,
            )
            yield from client.pages(read, resource, query, doing=doing, values={"wanted": group})


def _asked(resource: Resource, query: Query, known: Schema) -> list[str]:
    names = query.fields if query.fields is not None else known.get("properties", {})
    return [name for name in names if name not in resource.always]


def _groups(values: Sequence[str], room: int) -> Iterator[list[str]]:
    """Yield at most 100 values at a time, in at most *room* characters of JSON."""
    group: list[str] = []
    size = 0
    for value in values:
        length = len(msgspec.json.encode(value)) + 1
        if group and (len(group) == 100 or size + length > room):  # noqa: PLR2004
            yield group
            group, size = [], 0
        group.append(value)
        size += length
    if group:
        yield group


def decoded(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the reply to a batch: results in any order, errors beside them, whatever the status (200, 201 or 207).

    An entry is paired with its change by ``objectWriteTraceId``, else by id, else by the value it was matched by, else by
    the properties that were sent.
    """
    body = said.body if isinstance(said.body, Mapping) else {}
    waiting = {change.token: change for change in changes}
    outcomes = []
    untraced = []
    for result in body.get("results") or ():
        if not result.get("id"):
            continue
        change = waiting.pop(result.get("objectWriteTraceId") or "", None)
        if change is None:
            untraced.append(result)
        else:
            outcomes.append(_written(change, result, kind))
    leftover: list[Mapping[str, Any]] = []
    for error in body.get("errors") or ():
        context = error.get("context") or {}
        tokens = [t for t in context.get("objectWriteTraceId") or () if t in waiting]
        tokens = tokens or [t for t, change in waiting.items() if change.id and change.id in (context.get("ids") or ())]
        if not tokens:
            leftover.append(error)
        outcomes += [_refused(waiting.pop(token), error) for token in tokens]
    for result in untraced:
        token = next((t for t, change in waiting.items() if _is(change, result)), None)
        if token is not None:
            outcomes.append(_written(waiting.pop(token), result, kind))
    # An error that names no record can only be of one that is left: of all of them, where there are that many.
    named = len(leftover) >= len(waiting)
    for n, change in enumerate(waiting.values()):
        outcomes.append(_refused(change, leftover[n]) if named else unanswered(change))
    return outcomes


def archived(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the reply to a batch of archivings: 204, without a word for each record."""
    done = said.status == HTTPStatus.NO_CONTENT
    return Nothing()(said, changes, kind) if done else [unanswered(change) for change in changes]


def _is(change: Change, result: Mapping[str, Any]) -> bool:
    properties = result.get("properties") or {}
    if change.id:
        return str(result.get("id")) == change.id
    if change.by:
        return str(properties.get(change.by, "")).lower() == str(change.value).lower()
    return all(str(properties.get(name)) == str(value) for name, value in change.record.items() if value is not None)


def _written(change: Change, result: Mapping[str, Any], kind: Kind) -> Outcome:
    if "new" in result:
        kind = Kind.CREATED if result["new"] else Kind.UPDATED
    record = {**(result.get("properties") or {}), **{key: result[key] for key in _OWN if key in result}}
    return Outcome(change, kind, str(result["id"]), record=record)


def _refused(change: Change, error: Mapping[str, Any]) -> Outcome:
    status = {"CONFLICT": 409, "OBJECT_NOT_FOUND": 404}.get(str(error.get("category")), 400)
    return rejected(change, words(error), status=status, code=str(error.get("category") or ""))


def words(error: Any) -> str:
    """Return what an error says to people. Of values that are not valid HubSpot puts a JSON list into the message."""
    message = str((error or {}).get("message") or "")
    start = message.find("[{")
    if start < 0:
        details = [
            str(detail.get("message") or "") for detail in (error or {}).get("errors") or () if isinstance(detail, dict)
        ]
        return "; ".join(dict.fromkeys(text for text in (message.rstrip("."), *details) if text))
    try:
        found = msgspec.json.decode(message[start:])
        return "; ".join(dict.fromkeys(str(problem["message"]) for problem in found))
    except (msgspec.DecodeError, KeyError, TypeError):
        return message


def owners(**params: Any) -> Read:
    """Return the list of owners, with further parameters."""
    paging = Cursor(next="paging.next.after", param="after", size=("limit", 100))
    return Read("/crm/owners/{read_version}", params=params, records="results", paging=paging)


def pipelines(client: Client, resource: Resource, query: Query) -> Iterator[Page]:
    """Yield the pipelines of deals and of tickets, with their stages: a page for each, and the cursor names the next."""
    kinds = ("deals", "tickets")
    start = kinds.index(query.cursor["kind"]) if query.cursor else 0
    for kind, following in zip(kinds[start:], (*kinds[start + 1 :], None), strict=True):
        read = Read(f"/crm/pipelines/{{read_version}}/{kind}", records="results", keep={"objectType": kind})
        for page in client.pages(read, resource, Query(query.fields)):
            page.cursor = {"kind": following} if following else None
            yield page


def associations(one: str, many: str, one_id: str, many_id: str) -> Resource:
    """Return the associations from one object to another as a resource: a record for each pair, with its labels."""

    def read(client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        ids = Resource(one, schema.record(_OWN), always=tuple(_OWN))
        listed = Read(
            f"{_READ}/{one}",
            records="results",
            paging=Cursor(next="paging.next.after", param="after", size=("limit", _LISTED)),
        )
        path = f"/crm/associations/{client.settings['read_version']}/{one}/{many}/batch/read"
        asked: list[dict[str, Any]] = []

        def walked(cursor: Any) -> Iterator[Page]:
            return client.pages(listed, ids, Query(fields=(), cursor=cursor), doing=f"reading the ids of {one}")

        for page in client.shared.pages(f"ids of {one}", query.cursor, walked):
            asked += [{"id": record["id"]} for record in page.records]
            if page.cursor is not None and len(asked) <= _ASSOCIATED - _LISTED:
                continue
            rows: list[Record] = []
            while asked:
                reply = client.call("POST", path, json={"inputs": asked}, safe=True, doing=f"reading {resource.name}")
                asked = []
                for result in reply.get("results") or ():
                    rows += [_pair(result["from"]["id"], to, one_id, many_id) for to in result.get("to") or ()]
                    if after := ((result.get("paging") or {}).get("next") or {}).get("after"):
                        asked.append({"id": result["from"]["id"], "after": after})
            yield Page(cursor=page.cursor, bookmark=page.bookmark, rows=rows)

    return Resource(
        f"{one}_{many}",
        schema.record({one_id: "string!", many_id: "string!", "types": "array"}),
        key=(one_id, many_id),
        title=f"Associations of {one} with {many}",
        read=read,
    )


def _pair(one: Any, to: Mapping[str, Any], one_id: str, many_id: str) -> Record:
    # The id is a number in replies of v4 and a text in later versions.
    return {one_id: str(one), many_id: str(to["toObjectId"]), "types": list(to.get("associationTypes") or ())}


def custom_objects(client: Client) -> Iterable[Resource]:
    """Yield a resource for each custom object of the account, under its own name (one call)."""
    path = f"/crm-object-schemas/{client.settings['read_version']}/schemas"
    taken = {name for resource in hubspot.resources for name in (resource.name, *resource.aliases)}
    for found in _results(client, path, "asking for the custom objects"):
        name = found["name"] if found["name"] not in taken else found["fullyQualifiedName"]
        title = (found.get("labels") or {}).get("plural") or ""
        yield crm(name, found["objectTypeId"], kind=found["objectTypeId"], title=title, common=False)


hubspot = Api(
    "hubspot",
    title="HubSpot",
    base_url="https://api.hubapi.com",
    docs="https://developers.hubspot.com/docs/api-reference/overview",
    version=READ_VERSION,
    auth=Bearer("{access_token}"),
    settings=(
        Setting(
            "access_token",
            "Access token",
            "Of a service key, a private app, or OAuth: Settings > Integrations in HubSpot.",
            secret=True,
            required=True,
            example="pat-eu1-…",
        ),
        Setting(
            "read_version",
            "API version for reading",
            "HubSpot's dated version for reading.",
            default=READ_VERSION,
            pattern=r"^\d{4}-\d{2}(-beta)?$",
        ),
        Setting(
            "write_version",
            "API version for writing",
            "HubSpot's dated version for writing; from 2026-09 on, administrators' validation rules hold for writes.",
            default=WRITE_VERSION,
            pattern=r"^\d{4}-\d{2}(-beta)?$",
        ),
    ),
    limits=(
        RateLimit(
            100,
            10,
            headers=LimitHeaders(
                "X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining", "X-HubSpot-RateLimit-Interval-Milliseconds"
            ),
        ),
        RateLimit(5, 1, paths=("/search",)),
    ),
    parallel=8,  # 19 calls a second, the limit of most accounts, at up to 400 ms for a batch of 100; no other limit is documented
    quota=Quota(limit="X-HubSpot-RateLimit-Daily", remaining="X-HubSpot-RateLimit-Daily-Remaining"),
    style=Rest(
        message=words,
        code=("category", "errorType"),
        retry=frozenset({423, 477, 521, 523, 524}),
        spent={"policyName": "DAILY"},
    ),
    check=Read("/account-info/v3/details"),
    account="{check.portalId}",
    discover=custom_objects,
    resources=(
        crm(
            "contacts",
            "contact",
            modified="lastmodifieddate",
            unique=("email",),
            further={"email": "hs_additional_emails"},
            erase=True,
        ),
        crm("companies", "company", match=("domain",), folded=("domain",)),
        crm("deals", "deal"),
        crm("tickets", "ticket"),
        crm("products", "product", match=("hs_sku",)),
        crm("line_items", "line_item"),
        crm("notes", "note"),
        crm("calls", "call"),
        crm("meetings", "meeting"),
        crm("tasks", "task"),
        crm("emails", "email"),
        Resource(
            "owners",
            schema.record(
                {
                    "id": "string!",
                    "userId": "integer",
                    "userIdIncludingInactive": "integer",
                    "email": "string",
                    "firstName": "string",
                    "lastName": "string",
                    "type": "string",
                    "teams": "array",
                    "archived": "boolean",
                    "createdAt": "date-time",
                    "updatedAt": "date-time",
                }
            ),
            aliases=("owner",),
            created="createdAt",
            updated="updatedAt",
            read=owners(),
            deleted=owners(archived=True),
            get=Read("/crm/owners/{read_version}/{id}"),
        ),
        Resource(
            "pipelines",
            schema.record(
                {
                    "objectType": "string!",
                    "id": "string!",
                    "label": "string",
                    "displayOrder": "integer",
                    "archived": "boolean",
                    "stages": "array",
                    "createdAt": "date-time",
                    "updatedAt": "date-time",
                }
            ),
            key=("objectType", "id"),
            aliases=("pipeline",),
            read=pipelines,
        ),
        associations("contacts", "companies", "contact_id", "company_id"),
        associations("contacts", "deals", "contact_id", "deal_id"),
        associations("companies", "deals", "company_id", "deal_id"),
    ),
)
