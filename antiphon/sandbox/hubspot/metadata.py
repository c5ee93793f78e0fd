"""Routes for what a portal consists of: properties, schemas, pipelines, owners, the account itself."""

from __future__ import annotations

import re
from typing import Any

from antiphon.sandbox.exchange import Request, Response, json_response
from antiphon.sandbox.hubspot import moments, paging
from antiphon.sandbox.hubspot.portal import Portal
from antiphon.sandbox.hubspot.properties import FIELD_TYPES, TYPES, Property
from antiphon.sandbox.hubspot.refusals import Refusal, invalid, not_found
from antiphon.sandbox.hubspot.store import Store

NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_CREATED = "2023-01-15T08:30:00.512Z"


def properties(portal: Portal, request: Request, path: list[str]) -> Response:
    """`/properties/{type}`, its groups and its single properties."""
    if not path:
        raise not_found("resource not found")
    store = portal.store(path[0])
    match path[1:]:
        case []:
            return _all_properties(portal, store, request)
        case ["batch", action]:
            return _property_batch(portal, store, request, action)
        case ["groups"]:
            return _groups(store, request)
        case [name]:
            return _one_property(store, request, name)
    raise not_found("resource not found")


def _all_properties(portal: Portal, store: Store, request: Request) -> Response:
    match request.method:
        case "GET":
            archived = paging.flag(request, "archived")
            # Sensitive properties are a list of their own, which is empty here.
            wanted = request.first("dataSensitivity") in {None, "non_sensitive"}
            found = [p for p in store.properties.values() if wanted and (p.archived_at is not None) is archived]
            return json_response(200, {"results": [definition.document() for definition in found]})
        case "POST":
            definition = _defined(store, paging.body(request))
            _add(portal, store, definition)
            return json_response(201, definition.document())
    raise not_found("resource not found")


def _one_property(store: Store, request: Request, name: str) -> Response:
    match request.method:
        case "GET":
            return json_response(200, _property(store, name).document())
        case "PATCH":
            return json_response(200, _changed(store, name, paging.body(request)).document())
        case "DELETE":
            _archive(store, name)
            return Response(204)
    raise not_found("resource not found")


def _property_batch(portal: Portal, store: Store, request: Request, action: str) -> Response:
    rows = paging.inputs(paging.body(request), 100)
    match action:
        case "read":
            return json_response(200, _batch([_property(store, str(row.get("name"))).document() for row in rows]))
        case "create":
            made = [_defined(store, row) for row in rows]
            for definition in made:
                _add(portal, store, definition)
            return json_response(201, _batch([definition.document() for definition in made]))
        case "archive":
            for row in rows:
                _archive(store, str(row.get("name")))
            return Response(204)
    raise not_found("resource not found")


def _groups(store: Store, request: Request) -> Response:
    if request.method == "GET":
        return json_response(200, {"results": [_group(name, label) for name, label in store.groups.items()]})
    document = paging.body(request)
    name, label = str(document.get("name", "")), str(document.get("label", ""))
    if not NAME.fullmatch(name) or not label:
        raise invalid("Some required fields were not set: [label, name]")
    if name in store.groups:
        raise Refusal(409, "CONFLICT", f"A property group named '{name}' already exists")
    store.groups[name] = label
    return json_response(201, _group(name, label))


def _batch(shown: list[dict[str, Any]]) -> dict[str, Any]:
    at = moments.iso(moments.now())
    return {"status": "COMPLETE", "results": shown, "startedAt": at, "completedAt": at}


def _group(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}


def _property(store: Store, name: str) -> Property:
    definition = store.properties.get(name)
    if definition is None or definition.archived_at is not None:
        raise not_found(f"Property {name} does not exist on {store.type_id}")
    return definition


def _defined(store: Store, document: dict[str, Any], *, grouped: bool = True) -> Property:
    needed = ["name", "label", "type", "fieldType", *(["groupName"] if grouped else [])]
    lacking = [name for name in needed if not document.get(name)]
    if lacking:
        raise invalid(f"Some required fields were not set: [{', '.join(lacking)}]")
    name = document["name"]
    if not NAME.fullmatch(name):
        raise invalid(f"{name!r} is no property name: lower-case letters, digits and underscores, a letter first")
    held = store.properties.get(name)
    if held is not None and held.archived_at is None:
        raise Refusal(
            409, "CONFLICT", f"A property named '{name}' already exists.", subCategory="Properties.PROPERTY_EXISTS"
        )
    if document["type"] not in TYPES or document["fieldType"] not in FIELD_TYPES:
        raise invalid(f"Invalid type {document['type']} or fieldType {document['fieldType']} for property {name}")
    group = document.get("groupName") or store.group
    if group not in store.groups:
        raise invalid(f"property group {group} does not exist")
    given = document.get("options") or []
    if document["type"] == "enumeration" and not given:
        raise invalid(f"Property {name} needs options")
    return Property(
        name,
        document["type"],
        label=document["label"],
        field_type=document["fieldType"],
        group=group,
        description=document.get("description") or "",
        options=_options(given),
        unique=bool(document.get("hasUniqueValue")),
        hidden=bool(document.get("hidden")),
        form_field=bool(document.get("formField")),
        calculated=document["fieldType"] == "calculation_equation",
        display_order=int(document.get("displayOrder", -1)),
    )


def _options(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "label": str(option.get("label", option.get("value"))),
            "value": str(option.get("value")),
            "displayOrder": int(option.get("displayOrder", order)),
            "hidden": bool(option.get("hidden", False)),
        }
        for order, option in enumerate(given)
    ]


def _add(portal: Portal, store: Store, definition: Property) -> None:
    try:
        portal.add_property(store, definition)
    except ValueError as error:
        raise invalid(str(error)) from None


def _changed(store: Store, name: str, document: dict[str, Any]) -> Property:
    definition = _property(store, name)
    if definition.defined_by_vendor and set(document) - {"options", "label", "description", "displayOrder", "hidden"}:
        raise invalid(f"Property {name} is defined by HubSpot and cannot be redefined")
    definition.label = document.get("label", definition.label)
    definition.description = document.get("description", definition.description)
    definition.group = document.get("groupName", definition.group)
    definition.hidden = bool(document.get("hidden", definition.hidden))
    if "options" in document:
        definition.options = _options(document["options"])
    definition.type = document.get("type", definition.type)
    definition.field_type = document.get("fieldType", definition.field_type)
    definition.updated = moments.now()
    return definition


def _archive(store: Store, name: str) -> None:
    definition = _property(store, name)
    if definition.defined_by_vendor:
        raise invalid(f"Property {name} is defined by HubSpot and cannot be archived")
    definition.archived_at = moments.now()
    store.forget_encoded()


def schemas(portal: Portal, request: Request, path: list[str]) -> Response:
    """`/schemas`: the custom objects. A single one may also be asked for by a standard object's name."""
    match request.method, path:
        case "GET", []:
            found = [_schema(portal, portal.stores[name]) for name in portal.schemas]
            return json_response(200, {"results": [] if paging.flag(request, "archived") else found})
        case "GET", [name]:
            return json_response(200, _schema(portal, portal.store(name)))
        case "POST", []:
            return json_response(201, _schema(portal, _new_schema(portal, paging.body(request))))
        case "DELETE", [name]:
            store = portal.store(name)
            if len(store) or not store.custom:
                raise invalid(f"Object type {name} has records, or is not a custom one: it cannot be deleted")
            del portal.stores[store.name], portal.schemas[store.name]
            return Response(204)
    raise not_found("resource not found")


def _new_schema(portal: Portal, document: dict[str, Any]) -> Store:
    lacking = [
        name
        for name in ("name", "labels", "requiredProperties", "properties", "associatedObjects")
        if document.get(name) is None
    ]
    if lacking:
        raise invalid(f"Some required fields were not set: [{', '.join(lacking)}]")
    name = str(document["name"]).lower()
    if not NAME.fullmatch(name):
        raise invalid(f"{name!r} is no object name")
    if name in portal.schemas:
        raise Refusal(409, "CONFLICT", f"Object type {name} already exists")
    scratch = Store(name, "2-0", name, {})
    made = [_defined(scratch, row | {"groupName": None}, grouped=False) for row in document["properties"]]
    for definition in made:
        definition.group = ""
    labels = document["labels"]
    try:
        return portal.add_schema(
            name,
            made,
            singular=labels.get("singular") or name,
            plural=labels.get("plural") or name,
            description=document.get("description") or "",
            required=document["requiredProperties"],
            searchable=document.get("searchableProperties"),
            primary=document.get("primaryDisplayProperty") or "",
            secondary=document.get("secondaryDisplayProperties"),
            associated=document["associatedObjects"],
        )
    except ValueError as error:
        raise invalid(str(error)) from None


def _schema(portal: Portal, store: Store) -> dict[str, Any]:
    kept = portal.schemas.get(store.name)
    created = moments.iso(kept.created) if kept else _CREATED
    links = []
    for name in kept.associated if kept else []:
        other = portal.store(name)
        for one, two in ((store, other), (other, store)):
            type_id = portal.associations.unlabelled((one.name, two.name))
            links.append(
                {
                    "id": str(type_id),
                    "fromObjectTypeId": one.type_id,
                    "toObjectTypeId": two.type_id,
                    "name": f"{one.name}_to_{two.name}",
                    "createdAt": created,
                    "updatedAt": created,
                }
            )
    return {
        "id": str(kept.id) if kept else store.type_id,
        "objectTypeId": store.type_id,
        "fullyQualifiedName": f"p{portal.id}_{store.name}" if kept else store.name.rstrip("s").upper(),
        "name": store.name if kept else store.name.rstrip("s").upper(),
        "labels": {"singular": store.singular, "plural": kept.plural if kept else store.name.capitalize()},
        "description": kept.description if kept else "",
        "requiredProperties": kept.required if kept else [],
        "searchableProperties": kept.searchable if kept else [],
        "primaryDisplayProperty": kept.primary if kept else store.default[0],
        "secondaryDisplayProperties": kept.secondary if kept else [],
        "properties": [p.document() for p in store.properties.values() if p.archived_at is None],
        "associations": links,
        "archived": False,
        "createdAt": created,
        "updatedAt": created,
    }


def pipelines(portal: Portal, request: Request, path: list[str]) -> Response:
    """`/pipelines/{type}` and its stages, to read."""
    if request.method != "GET" or not path:
        raise not_found("resource not found")
    store = portal.store(path[0])
    shown = [_pipeline(order, *pipeline) for order, pipeline in enumerate(portal.pipelines.get(store.name, ()))]
    if len(path) == 1:
        return json_response(200, {"results": [] if paging.flag(request, "archived") else shown})
    found = next((pipeline for pipeline in shown if pipeline["id"] == path[1]), None)
    if found is None:
        raise not_found(f"Pipeline {path[1]} does not exist")
    match path[2:]:
        case []:
            return json_response(200, found)
        case ["stages"]:
            return json_response(200, {"results": found["stages"]})
        case ["stages", stage_id]:
            stage = next((stage for stage in found["stages"] if stage["id"] == stage_id), None)
            if stage is not None:
                return json_response(200, stage)
    raise not_found("resource not found")


def _pipeline(
    order: int, pipeline_id: str, label: str, stages: tuple[tuple[str, str, dict[str, str]], ...]
) -> dict[str, Any]:
    about = {"createdAt": _CREATED, "updatedAt": _CREATED, "archived": False}
    shown = [
        {"id": stage_id, "label": name, "displayOrder": n, "metadata": dict(metadata), **about}
        | {"writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"}
        for n, (stage_id, name, metadata) in enumerate(stages)
    ]
    return {"id": pipeline_id, "label": label, "displayOrder": order, "stages": shown, **about}


def owners(portal: Portal, request: Request, path: list[str]) -> Response:
    """`/owners`: active ones unless archived ones are asked for."""
    if request.method != "GET" or len(path) > 1:
        raise not_found("resource not found")
    archived = paging.flag(request, "archived")
    found = [owner for owner in portal.owners if owner.archived is archived]
    if path:
        by_user = request.first("idProperty") == "userId"
        one = next((o for o in found if path[0] == str(o.id - 70_000_000 if by_user else o.id)), None)
        if one is None:
            raise not_found(f"Owner {path[0]} does not exist")
        return json_response(200, one.document())
    email = request.first("email")
    limit = paging.limit(request, 100, 500)
    begin = paging.position(request.first("after"))
    found = [owner for owner in found if owner.id >= begin and email in {None, owner.email}]
    body: dict[str, Any] = {"results": [owner.document() for owner in found[:limit]]}
    if len(found) > limit:
        cursor = paging.cursor(found[limit].id)
        link = f"https://api.hubapi.com{request.target.partition('?')[0]}?after={cursor}"
        body["paging"] = {"next": {"after": cursor, "link": link}}
    return json_response(200, body)


def account(portal: Portal) -> Response:
    """`/account-info/v3/details`."""
    return json_response(
        200,
        {
            "portalId": portal.id,
            "accountType": "DEVELOPER_TEST",
            "timeZone": "Europe/Berlin",
            "companyCurrency": "EUR",
            "additionalCurrencies": ["USD"],
            "utcOffset": "+01:00",
            "utcOffsetMilliseconds": 3_600_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )
