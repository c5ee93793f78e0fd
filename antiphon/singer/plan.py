"""The settings of a target, and what they say of each stream: which resource it is written to, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from antiphon.errors import SettingError, did_you_mean
from antiphon.singer.undoing import mode_of, undone
from antiphon.writeback import alike
from antiphon.writeback.alike import WAYS, Alike
from antiphon.writeback.entry import ENTRY_SCHEMA
from antiphon.writeback.fields import Fields
from antiphon.writeback.restoring import RESTORE, Restore
from antiphon.writeback.writer import DELETES, MODES, Deletes, Mode

Complete = Literal["version", "end"]

STREAM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "resource": {"type": "string", "description": "The resource to write to; the stream's name by default."},
        "mode": {
            "type": "string",
            "enum": list(MODES),
            "description": "What to do; by default upsert, or create where a record cannot be changed.",
        },
        "match": {
            "type": ["array", "string"],
            "items": {"type": "string"},
            "description": "API fields that a record is found by, best first: what one does not find is looked up by the next; by default the resource's best.",
        },
        "match_by": {
            "type": "object",
            "additionalProperties": {"type": ["string", "array"], "items": {"enum": list(WAYS)}},
            "description": "Match fields whose values are one although they differ: in case (lower), in spaces, or in all but their digits (phone numbers).",
        },
        "fields": {
            "type": "object",
            "additionalProperties": {**ENTRY_SCHEMA, "type": ["string", "object"]},
            "description": "API field: column, {const: value}, or an object with from and what its values must be. Columns that have an API field's name need no entry.",
        },
        "unknown": {
            "type": "string",
            "enum": ["ignore", "reject", "fail", "create"],
            "description": "What to do with columns that the API does not have; ignore by default. create adds fields there.",
        },
        "nulls": {
            "type": "string",
            "enum": ["omit", "clear"],
            "description": "Whether a null is left out (default) or clears the field.",
        },
        "complete": {
            "type": "string",
            "enum": ["version", "end"],
            "description": "What says that the source was read whole, for a mirror: an ACTIVATE_VERSION message (default), or the end of the input after a STATE.",
        },
        "deletes": {
            "type": "string",
            "enum": list(DELETES),
            "description": "What to do with records that have _sdc_deleted_at; ignore by default. A mirror archives unless it says delete.",
        },
        "restore": {
            "type": "string",
            "enum": list(RESTORE),
            "description": "Which archived records are restored when they come again: those that the stream itself has taken away (own, the default), all, or none.",
        },
        "max_delete": {
            "type": ["integer", "string"],
            "description": 'How many of them at most: a number, or a share ("5%") of those received, or for a mirror of those it has there, rounded down but at least one. By default a tenth; ten always where _sdc_deleted_at says so, and for a mirror up to ten if that is no more than half; in mode delete all.',
        },
    },
}


#: The settings that a target has besides those of its connection.
SETTINGS: dict[str, Any] = {
    "streams": {
        "type": "object",
        "additionalProperties": STREAM_SCHEMA,
        "title": "Streams",
        "description": "How each stream is written. A stream named like a resource (or its alias) needs no entry.",
    },
    "rejects": {
        "type": "string",
        "title": "Rejects",
        "description": "File for the records that were refused, ready to be piped in again; in the state folder by default.",
    },
    "receipts": {
        "type": "string",
        "title": "Receipts",
        "description": "File for a receipt of every record: Singer messages, without content.",
    },
    "max_rejects": {
        "type": ["integer", "string"],
        "default": 0,
        "title": "Rejects allowed",
        "description": 'How many rejects are no error: a number, or a share of the records such as "5%".',
    },
    "parallel": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "title": "Requests at a time",
        "description": "How many requests may be under way at a time, within the API's rate limit.",
    },
    "pipeline": {
        "type": "string",
        "title": "Pipeline",
        "description": "What tells this job from others that write streams of the same names through this connection; a mirror takes away only what its own pipeline made.",
    },
    "payload": {
        "type": "string",
        "enum": ["full", "keys", "none"],
        "default": "full",
        "title": "What is kept of records",
        "description": "What rejects, receipts, ledger and messages keep of records: all of a reject, only its keys, or nothing but why.",
    },
    "retention_days": {
        "type": "integer",
        "minimum": 0,
        "title": "Days to keep",
        "description": "After how many days rejects and undo files in the state folder are deleted, and what the ledger knows of records that did not come any more; never, if it is not given.",
    },
    "full": {
        "type": "boolean",
        "default": False,
        "title": "Ask for all",
        "description": "Look up and compare even what the ledger has as unchanged since the last run; --full says so for one run.",
    },
}


@dataclass(frozen=True)
class Plan:
    """How one stream is written."""

    resource: str
    mode: Mode | None = None
    match: tuple[str, ...] = ()
    alike: Alike = field(default_factory=dict)
    fields: Fields = field(default_factory=Fields)
    deletes: Deletes = "ignore"
    restore: Restore = "own"
    max_delete: int | float | None = None
    complete: Complete = "version"


def plan(stream: str, streams: Mapping[str, Any], where: str) -> Plan:
    """Return the plan for *stream* from the setting ``streams``.

    Raises:
        SettingError: the entry has something unknown or wrong in it.
    """
    given = dict(streams.get(stream) or {})
    if of := undone(stream):
        mirror = streams.get(of) or {}
        same = {name: mirror[name] for name in ("resource", "match", "match_by") if name in mirror}
        given = {"resource": of, **same, "mode": mode_of(stream), **given}
    properties = STREAM_SCHEMA["properties"]
    for name, value in given.items():
        if name not in properties:
            raise SettingError(
                f'{where}: streams.{stream} has no setting "{name}"', hint=did_you_mean(name, properties)
            )
        allowed = properties[name].get("enum")
        if allowed and value not in allowed:
            raise SettingError(
                f'{where}: streams.{stream}.{name} cannot be "{value}"', hint=f"It is one of: {', '.join(allowed)}."
            )
    if given.get("complete") == "end" and given.get("mode") != "mirror":
        said = f"{where}: streams.{stream}.complete says when a mirror takes records away, and this is none"
        raise SettingError(said, hint="Set mode: mirror, or leave out complete.")
    match, most = given.get("match"), given.get("max_delete")
    match = (match,) if isinstance(match, str) else tuple(match or ())
    if not all(match) or (not match and given.get("match") is not None):
        said = f"{where}: streams.{stream}.match names no field"
        raise SettingError(said, hint="Name one, or leave match out: then it is the resource's best.")
    return Plan(
        resource=given.get("resource") or stream,
        mode=given.get("mode"),
        match=match,
        alike=alike.read(given.get("match_by"), f"{where}: streams.{stream}.match_by"),
        fields=Fields(
            given.get("fields") or {},
            given.get("unknown") or "ignore",
            given.get("nulls") or "omit",
            f"{where}: streams.{stream}",
        ),
        deletes=given.get("deletes") or "ignore",
        restore=given.get("restore") or "own",
        max_delete=share(most, f"{where}: streams.{stream}.max_delete") if most is not None else None,
        complete=given.get("complete") or "version",
    )


def share(value: Any, where: str) -> int | float:
    """Return a number of records as an int, or a share (``"5%"``) as a float between 0 and 1.

    Raises:
        SettingError: it is neither.
    """
    hint = 'Give a number of records, or a share such as "5%".'
    text = str(value).strip()
    try:
        found = float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        raise SettingError(f'{where} cannot be "{value}"', hint=hint) from None
    if not 0 <= found <= (1 if isinstance(found, float) else found):  # which NaN is not
        raise SettingError(f'{where} cannot be "{value}"', hint=hint)
    return found
