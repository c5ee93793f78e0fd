"""``mapping``: which column of a stream goes to which field, proposed, written to a sheet, or read from one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec

from antiphon.api import Resource, Schema
from antiphon.cli import given, shown
from antiphon.cli.records import connected
from antiphon.connection import Connection
from antiphon.errors import InputError, SettingError, did_you_mean, one_line
from antiphon.schema import types
from antiphon.writeback import sheet
from antiphon.writeback.fields import Fields, Mapper
from antiphon.writeback.growth import Growth
from antiphon.writeback.proposal import Pair, found_by, matched, plan, propose

_LINES = 1000
"""Lines of a file of records that are looked at."""
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


@click.command(
    epilog="\b\nExamples:\n  tap-pretix --config pretix.json --discover > catalog.json\n"
    "  antiphon mapping hubspot contacts --from catalog.json --stream customers\n"
    "  antiphon mapping hubspot contacts --from pretix:customers --template > mapping.csv\n"
    "  antiphon mapping hubspot contacts --sheet mapping.csv --stream customers"
)
@connected
@click.argument("resource")
@click.option(
    "--from",
    "source",
    metavar="SOURCE",
    help="catalog.json, messages or records (.jsonl), - for stdin, or CONNECTION:RESOURCE.",
)
@click.option("--stream", help="The stream to map; needed where SOURCE has several.")
@click.option(
    "--sheet", "path", type=click.Path(path_type=Path), metavar="FILE", help="Read the mapping from a CSV sheet."
)
@click.option("--template", is_flag=True, help="Write such a sheet, the proposal filled in.")
def mapping(
    connection: Connection,
    as_json: bool,
    resource: str,
    source: str | None,
    stream: str | None,
    path: Path | None,
    template: bool,
) -> None:
    """Propose which columns go to which fields of RESOURCE, or check the mapping in a sheet.

    Prints a table for people, else the entry of "streams" for the target's config. Nothing is written to the API.
    """
    if path and template:
        raise click.UsageError("Either a sheet is read (--sheet) or written (--template).")
    found = connection.client.resource(resource)
    target = connection.client.schema(found)
    name, columns = _source(source, stream, found) if source else (stream or found.name, None)
    if path:
        streams = {name: _from_sheet(connection, found, target, path, columns)}
        if shown.for_people(as_json):
            _tell_sheet(found, streams[name], path)
        else:
            click.echo(shown.encoded({"streams": streams}))
        return
    pairs = propose(found, target, columns) if columns else []
    if columns and not pairs:
        there = ", ".join(columns.get("properties", ())) or "none"
        hint = f"Say in fields what goes where: antiphon mapping {connection.name} {found.name} lists the fields."
        said = f"antiphon: no column of {name} seems to fit a field of {found.name}: {there}. {hint}"
        click.echo(one_line(said), err=True)
    if template:
        click.echo(sheet.written(found, target, pairs), nl=False)
    elif not columns:
        _tell_fields(found, target, as_json=as_json)
    elif shown.for_people(as_json):
        _tell(found, target, columns, pairs)
    else:
        click.echo(shown.encoded({"streams": {name: plan(found, target, pairs)}}))
        if pairs and (said := _unmatched(found, target, pairs)):
            click.echo(f"antiphon: {one_line(said)}", err=True)


def _from_sheet(
    connection: Connection, resource: Resource, target: Schema, path: Path, columns: Schema | None
) -> dict[str, Any]:
    """Return the entry of ``streams`` in the sheet at *path*, held against both sides."""
    fields, match = sheet.read(path, target)
    growth = Growth(connection.client, resource)
    names = match or list(resource.match_fields(target))
    mapper = Mapper(Fields(fields, where=str(path)), resource, target, where=str(path), matched=names, growth=growth)
    there = columns.get("properties", {}) if columns else {}
    mapper.refuse_absent(there)
    filled = mapper.fields(there)
    usable = [name for name in names if name in filled or name in fields]
    if not usable and names:
        hint = f"Fill one of: {', '.join(names)}; or mark another row as match."
        raise SettingError(f"{path}: no row fills a field that {resource.name} can be matched by", hint=hint)
    return {"resource": resource.name, **found_by(resource, target, usable), "fields": fields}


# The other side


def _source(source: str, stream: str | None, resource: Resource) -> tuple[str, Schema]:
    """Return the name and the schema of the stream that *source* has.

    Raises:
        InputError: it cannot be read, or which of its streams is meant is not said.
    """
    name, colon, other = source.partition(":")
    if colon and not Path(source).exists():
        there = given.opened(name, (), None)
        found = there.client.resource(other)
        return stream or found.name, there.client.schema(found)
    try:
        whole = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        hint = "Give a file, or CONNECTION:RESOURCE."
        raise InputError(f"{source}: cannot be read: {error.strerror}", hint=hint) from None
    streams = _streams(whole, source)
    names = [stream] if stream else [n for n in (resource.name, *resource.aliases) if n in streams] or list(streams)
    if len(names) > 1 or names[0] not in streams:
        said = f'it has no stream "{stream}"' if stream else "it has several streams"
        hint = did_you_mean(stream or "", streams)
        raise InputError(f"{source}: {said}", hint=hint if stream else f"Name one with --stream. {hint}")
    return names[0] or resource.name, streams[names[0]]


def _streams(whole: bytes, source: str) -> dict[str, Schema]:
    try:
        catalog = msgspec.json.decode(whole)
    except msgspec.DecodeError:
        catalog = None
    if isinstance(catalog, dict) and isinstance(catalog.get("streams"), list):
        return {
            entry.get("stream") or entry["tap_stream_id"]: entry.get("schema") or {} for entry in catalog["streams"]
        }
    streams: dict[str, Schema] = {}
    records: list[dict[str, Any]] = []
    for number, line in enumerate(islice(filter(bytes.strip, whole.splitlines()), _LINES), 1):
        message = _object(line, f"{source}, line {number}")
        if message.get("type") == "SCHEMA" and "stream" in message:
            streams.setdefault(message["stream"], message.get("schema") or {})
        elif "stream" not in message:
            records.append(message)
    if not streams and records:
        streams["" if source == "-" else Path(source).stem] = {"properties": _inferred(records)}
    if not streams:
        raise InputError(f"{source}: no catalog, no SCHEMA message and no records are in it")
    return streams


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InputError(f"{where}: no JSON object: {error}") from None


def _inferred(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    kinds: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.items():
            kinds.setdefault(name, set()).update(() if value is None else {_TYPES.get(type(value), "number")})
    return {name: {"type": sorted(kind)} if kind else {} for name, kind in kinds.items()}


# What is shown


def _tell(resource: Resource, target: Schema, columns: Schema, pairs: list[Pair]) -> None:
    match = matched(resource, target, pairs)
    known = target.get("properties", {})
    shown.table(
        ("field", "type", "column", "why"),
        [
            (pair.field, _type(known[pair.field]), pair.column, f"{pair.why}{'; match' if pair.field in match else ''}")
            for pair in pairs
        ],
    )
    taken = {pair.column.partition(".")[0] for pair in pairs}
    left = [name for name in columns.get("properties", {}) if name not in taken and not name.startswith("_sdc_")]
    if left:
        click.echo(f"No field was found for: {', '.join(left)}.")
    if said := _unmatched(resource, target, pairs):
        click.echo(said)
    click.echo("--json prints it for the target's config, --template as a sheet.")


def _unmatched(resource: Resource, target: Schema, pairs: list[Pair]) -> str:
    """Return what is to be done where the proposal has no field to match by."""
    if matched(resource, target, pairs):
        return ""
    if not (possible := ", ".join(resource.match_fields(target))):
        return f"Nothing identifies {resource.name} by default: they are created, unless a field is named as match."
    return f"No column fills a field to match by ({possible}): map one, or name another field as match."


def _tell_fields(resource: Resource, target: Schema, *, as_json: bool) -> None:
    rows = [
        {"field": name, "type": _type(field), "options": field.get("x-options", [])}
        for name, field in target.get("properties", {}).items()
        if not field.get("readOnly")
    ]
    if shown.for_people(as_json):
        shown.table(
            ("field", "type", "options"), [(r["field"], r["type"], " | ".join(map(str, r["options"]))) for r in rows]
        )
        click.echo(f"{len(rows)} fields of {resource.name} can be written; --from proposes where they come from.")
    else:
        click.echo(shown.encoded(rows))


def _tell_sheet(resource: Resource, found: Mapping[str, Any], path: Path) -> None:
    shown.table(("field", "from"), list(found["fields"].items()))
    how = f"matched by {', '.join(found['match'])}" if "match" in found else "created each time"
    click.echo(f"{path} fits {resource.name}: {len(found['fields'])} fields, {how}.")


def _type(field: Schema) -> str:
    return str(field.get("format") or " or ".join(types(field)) or "any")
