"""Catalogs: what may stand in one, and how an entry that lacks fields is completed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from singer_sdk.singerlib import Catalog, CatalogEntry, MetadataMapping
from singer_sdk.singerlib import Schema as CatalogSchema

from antiphon import schema
from antiphon.api import Resource
from antiphon.errors import InputError, did_you_mean

DELETED_AT = "_sdc_deleted_at"


def read(found: Mapping[str, Any], tap: str) -> Catalog:
    """Return the catalog in *found*.

    Raises:
        InputError: it is none; the text says what is wrong.
    """
    hint = f"Let `{tap} --discover` write one."
    streams = found.get("streams")
    if not isinstance(streams, list):
        raise InputError(f'{tap}: the catalog has no list of "streams"', hint=hint)
    for number, entry in enumerate(streams, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("tap_stream_id"), str):
            raise InputError(f'{tap}: stream {number} of the catalog has no "tap_stream_id"', hint=hint)
    try:
        return Catalog.from_dict(dict(found))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{tap}: the catalog cannot be read: {type(error).__name__} {error}", hint=hint) from None


def selected(entry: CatalogEntry) -> bool:
    """Return whether the stream is to be read."""
    return entry.metadata.resolve_selection()[()]


def refuse_unknown(names: Collection[str], known: Collection[str], tap: str) -> None:
    """Raise :class:`InputError` for the first of the streams *names* that is not *known*."""
    for name in names:
        if name not in known:
            raise InputError(
                f'{tap}: the catalog names a stream "{name}", which does not exist', hint=did_you_mean(name, known)
            )


def minimal(resource: Resource) -> dict[str, Any]:
    """Return the schema of a stream whose fields are not known yet: its key, and the time of its last change."""
    fields: dict[str, Any] = {name: {"type": ["string", "integer"]} for name in resource.key}
    if resource.updated:
        fields[resource.updated] = "date-time"
    return schema.record(fields)


def lacks_fields(entry: CatalogEntry, resource: Resource) -> bool:
    """Return whether *entry* was written before the fields of *resource* were known, or without any."""
    properties = entry.schema.to_dict().get("properties", {})
    return not properties or (
        callable(resource.schema) and properties.keys() <= {*resource.key, resource.updated, DELETED_AT}
    )


def complete(
    entry: CatalogEntry, fields: Callable[[], Mapping[str, Any]], *, deletes: bool, resource: Resource
) -> None:
    """Give *entry* what it lacks: its key, its fields, got from *fields*, and the time of deletion where *deletes* are read."""
    root = entry.metadata.get(())  # get, for a root that is made up would deselect the stream
    entry.key_properties = entry.key_properties or getattr(root, "table_key_properties", None) or list(resource.key)
    whole = entry.schema.to_dict()
    if lacks_fields(entry, resource):
        whole = dict(fields())
    if deletes and resource.deleted:
        whole = with_deletion(whole)
    if whole.get("properties", {}).keys() == entry.schema.to_dict().get("properties", {}).keys():
        return
    entry.schema = CatalogSchema.from_dict(whole)
    if entry.metadata:
        standard = MetadataMapping.get_standard_metadata(
            schema=whole,
            key_properties=entry.key_properties or resource.key,
            valid_replication_keys=[resource.updated] if resource.updated else None,
        )
        for breadcrumb, metadata in standard.items():
            entry.metadata.setdefault(breadcrumb, metadata)


def with_deletion(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema *whole* with the field that holds when a record was deleted."""
    return {**whole, "properties": {**whole.get("properties", {}), DELETED_AT: schema.of("date-time")}}


def inferred(value: Any) -> dict[str, Any]:
    """Return the schema of a field that nobody has described, from one *value* of it."""
    match value:
        case bool():
            return schema.of("boolean")
        case int():
            return schema.of("integer")
        case str():
            return schema.of("string")
        case dict():
            return schema.of("object")
        case list():
            return schema.of("array")
    return schema.of("number")


def widened(field: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the schema *field* made to allow what *other* allows; None where it does."""
    has, wants = schema.types(field), schema.types(other)
    if set(wants) <= set(has) or ("number" in has and wants == ("integer",)):
        return None
    kinds = [kind for kind in (*has, *wants) if kind != "integer" or "number" not in wants]
    return {**field, **other, "type": [*kinds, "null"]}
