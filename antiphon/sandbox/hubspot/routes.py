"""From a path to what answers it, and to the name under which it is counted."""

from __future__ import annotations

from collections.abc import Callable

from antiphon.sandbox.exchange import Request, Response
from antiphon.sandbox.hubspot import batches, links, metadata, objects, search
from antiphon.sandbox.hubspot.links import Links
from antiphon.sandbox.hubspot.portal import Portal
from antiphon.sandbox.hubspot.refusals import Refusal, not_found
from antiphon.sandbox.hubspot.store import Store

DATED = ("2025-09", "2026-03", "2026-09")
FAMILIES = ("objects", "properties", "pipelines", "owners", "associations", "schemas")
Located = tuple[str, str, list[str]]
"""Family, version, and what follows of a path."""
_Answer = Callable[[Portal, Store, Request, str], Response]

_OBJECTS: dict[tuple[str, str], _Answer] = {
    ("GET", ""): lambda portal, store, request, _: objects.list_page(portal, store, request),
    ("POST", ""): objects.create,
    ("POST", "search"): lambda portal, store, request, _: search.search(portal, store, request),
    ("POST", "merge"): lambda portal, store, request, _: objects.merge(portal, store, request),
    ("POST", "gdpr-delete"): lambda _, store, request, __: objects.erase(store, request),
    ("POST", "batch/read"): lambda portal, store, request, _: batches.read(portal, store, request),
    ("POST", "batch/create"): batches.create,
    ("POST", "batch/update"): batches.update,
    ("POST", "batch/upsert"): batches.upsert,
    ("POST", "batch/archive"): lambda _, store, request, __: batches.archive(store, request),
}
_WORDS = {"batch", "search", "merge", "gdpr-delete", "associations", "default", "stages", "groups", "labels"}
_BATCH_WORDS = {"read", "create", "update", "upsert", "archive"}


def locate(segments: list[str]) -> Located | None:
    """Where a path leads, old or dated; None for a path the vendor does not have."""
    match segments:
        case ["crm", "v3" | "v4" as version, family, *rest] if family in FAMILIES:
            # v4 knew only associations, below both roots; v3 had them in another shape, which is not emulated.
            new_in_v4 = family == "associations" or (family == "objects" and rest[2:3] == ["associations"])
            return (family, version, rest) if new_in_v4 == (version == "v4") else None
        case ["crm", "associations", "v4", *rest]:
            return "associations", "v4", rest
        case ["crm", family, version, *rest] if family in FAMILIES[:-1] and version in DATED:
            return family, version, rest
        case ["crm-object-schemas", version, "schemas", *rest] if version in {"v3", *DATED}:
            return "schemas", version, rest
    return None


def label(portal: Portal, segments: list[str]) -> str:
    """`objects/contacts/{id}`: the same for every version, objects by name, ids and names left out."""
    located = locate(segments)
    if located is None:
        return "/".join(segments)
    family, _, rest = located
    objects_at = {"owners": 0, "associations": 2}.get(family, 1)
    parts = [family]
    for index, part in enumerate(rest):
        store = portal.find(part) if index < objects_at or parts[-1] in {"associations", "default"} else None
        if store is not None:
            parts.append(store.name)
        elif part in _WORDS or parts[-1] == "batch" or "batch" in parts or index < objects_at:
            parts.append(part)
        else:
            parts.append("{id}")
    return "/".join(parts)


def dispatch(portal: Portal, request: Request, family: str, version: str, rest: list[str]) -> Response:
    """The answer, or a Refusal."""
    match family:
        case "objects":
            return _objects(portal, request, version, rest)
        case "properties":
            return metadata.properties(portal, request, rest)
        case "pipelines":
            return metadata.pipelines(portal, request, rest)
        case "owners":
            return metadata.owners(portal, request, rest)
        case "schemas":
            return metadata.schemas(portal, request, rest)
    return links.route(portal, request, version, rest)


def _objects(portal: Portal, request: Request, version: str, rest: list[str]) -> Response:
    if not rest:
        raise not_found("resource not found")
    store = portal.store(rest[0])
    if rest[2:3] == ["associations"]:
        return _associations(portal, store, request, version, rest[1], rest[3:])
    answer = _OBJECTS.get((request.method, "/".join(rest[1:])))
    if answer is not None and not (rest[1:] == ["gdpr-delete"] and store.name != "contacts"):
        return answer(portal, store, request, version)
    if len(rest) != 2:
        raise not_found("resource not found")
    match request.method:
        case "GET":
            return objects.read(portal, store, request, rest[1])
        case "PATCH":
            return objects.update(portal, store, request, rest[1], version)
        case "DELETE":
            return objects.archive(store, rest[1])
    raise Refusal(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here")


def _associations(portal: Portal, store: Store, request: Request, version: str, key: str, path: list[str]) -> Response:
    def between(other: str) -> Links:
        return Links(portal, store, portal.store(other), version)

    match request.method, path:
        case "GET", [other]:
            return between(other).read(request, key)
        case "PUT", ["default", other, other_key]:
            return between(other).set_default(key, other_key)
        case "PUT", [other, other_key]:
            return between(other).set_labels(request, key, other_key)
        case "DELETE", [other, other_key]:
            return between(other).remove(key, other_key)
    raise not_found("resource not found")
