"""``check``, ``add``, ``get``, ``find``, ``update``, ``upsert``, ``delete``, ``call``: one record of one connection."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from antiphon.cli import given, shown
from antiphon.connection import Connection
from antiphon.errors import Forbidden, NotFound, Unknown, did_you_mean

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Give *command* a connection, and the options that every connection has."""

    @click.argument("connection")
    @given.api_option
    @given.settings_options
    @shown.json_option
    @functools.wraps(command)
    def run(connection: str, pairs: tuple[str, ...], config: Path | None, **rest: Any) -> None:
        command(given.opened(connection, pairs, config), **rest)

    return run


_fields = click.argument("pairs_of_fields", metavar="FIELDS...", nargs=-1)
_data = click.option("--data", metavar="JSON", help="The record as a JSON object; - reads it from stdin.")


@click.command(epilog="Example: antiphon check hubspot")
@connected
def check(connection: Connection, as_json: bool) -> None:
    """Make one cheap request and say whether the connection works.

    CONNECTION is a name in connections.yaml, the API's name, or a file that describes the API.
    """
    connection.check()
    address = connection.client.http.base_url
    if shown.for_people(as_json):
        click.echo(f"{connection.name} works: {connection.api.title} at {address} accepts the credentials.")
    else:
        shown.record(
            {"connection": connection.name, "api": connection.api.name, "base_url": address, "works": True},
            as_json=True,
        )


@click.command(epilog="Example: antiphon add hubspot contact email=ada@example.org firstname=Ada")
@connected
@click.argument("resource")
@_fields
@_data
def add(
    connection: Connection, as_json: bool, resource: str, pairs_of_fields: tuple[str, ...], data: str | None
) -> None:
    """Create a record and print it as the API has it.

    FIELDS are name=text, or name:=json for numbers, flags, lists and objects.
    """
    record = given.fields(pairs_of_fields, data)
    refuse_unknown_fields(connection, resource, record)
    _show(connection, resource, connection.add(resource, record), as_json)


@click.command(epilog="Example: antiphon get hubspot contact 123")
@connected
@click.argument("resource")
@click.argument("id")
def get(connection: Connection, as_json: bool, resource: str, id: str) -> None:
    """Print the record with that ID."""
    _show(connection, resource, connection.get(resource, id), as_json)


@click.command(epilog="Example: antiphon find hubspot contact email=ada@example.org")
@connected
@click.argument("resource")
@click.argument("pairs_of_fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
def find(connection: Connection, as_json: bool, resource: str, pairs_of_fields: tuple[str, ...]) -> None:
    """Print the records whose field has the value, or one of the values.

    For several values repeat the field: email=ada@example.org email=bob@example.org
    """
    pairs = [given.pair(text) for text in pairs_of_fields]
    if len({name for name, _, _ in pairs}) > 1:
        raise click.UsageError("find takes one field, with one value or several.")
    field = pairs[0][0]
    refuse_unknown_fields(connection, resource, [field])
    known = connection.client.resource(resource)
    found = connection.client.find(known, field, [value for _, _, value in pairs])
    shown.records(found, (*known.key, field, *known.match), as_json=as_json)


@click.command(epilog="Example: antiphon update hubspot contact 123 firstname=Ada lastname=King")
@connected
@click.argument("resource")
@click.argument("id")
@_fields
@_data
def update(
    connection: Connection, as_json: bool, resource: str, id: str, pairs_of_fields: tuple[str, ...], data: str | None
) -> None:
    """Change fields of the record with that ID, and print it as the API has it.

    FIELDS are name=text, or name:=json for numbers, flags, lists and objects.
    """
    record = given.fields(pairs_of_fields, data)
    refuse_unknown_fields(connection, resource, record)
    _show(connection, resource, connection.update(resource, record, id=id), as_json)


@click.command(epilog="Example: antiphon upsert hubspot contact email=ada@example.org firstname=Ada --by email")
@connected
@click.argument("resource")
@_fields
@_data
@click.option("--by", metavar="FIELD", help="The field to match by; the API's best unique field, if not given.")
def upsert(
    connection: Connection,
    as_json: bool,
    resource: str,
    pairs_of_fields: tuple[str, ...],
    data: str | None,
    by: str | None,
) -> None:
    """Create the record, or change the one that has the same value in a field.

    FIELDS are name=text, or name:=json for numbers, flags, lists and objects.
    """
    record = given.fields(pairs_of_fields, data)
    refuse_unknown_fields(connection, resource, [*record, *([by] if by else [])])
    _show(connection, resource, connection.upsert(resource, record, by=by), as_json)


@click.command(epilog="Example: antiphon delete hubspot contact 123")
@connected
@click.argument("resource")
@click.argument("id")
def delete(connection: Connection, as_json: bool, resource: str, id: str) -> None:
    """Delete the record with that ID; archive it, where the API does no more."""
    connection.delete(resource, id)
    if shown.for_people(as_json):
        click.echo(f"{connection.client.resource(resource).name} {id} is deleted.")
    else:
        shown.record({"id": id, "deleted": True}, as_json=True)


@click.command(epilog="Example: antiphon erase hubspot contact 123 --yes")
@connected
@click.argument("resource")
@click.argument("id")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(connection: Connection, as_json: bool, resource: str, id: str, yes: bool) -> None:
    """Erase the person behind the record with that ID, as privacy law wants it. It cannot be undone."""
    if not yes:
        click.confirm(f"Erase {resource} {id} of {connection.name} for good?", abort=True, err=True)
    connection.erase(resource, id)
    if shown.for_people(as_json):
        click.echo(f"{connection.client.resource(resource).name} {id} is erased.")
    else:
        shown.record({"id": id, "erased": True}, as_json=True)


@click.command(
    epilog="\b\nExamples:\n  antiphon call hubspot GET /crm/v3/owners limit=10\n  antiphon call pretix checkins.redeem secret=abc123"
)
@connected
@click.argument("what")
@click.argument("rest", metavar="[PATH] [FIELDS]...", nargs=-1)
@_data
def call(connection: Connection, as_json: bool, what: str, rest: tuple[str, ...], data: str | None) -> None:
    """Carry out an action, or make any request of the API, and print what came back.

    WHAT is an action (RESOURCE.ACTION), or GET, POST, PUT, PATCH or DELETE followed by a PATH below the base URL. FIELDS go into the
    query of a GET or DELETE, else into the JSON body; name==text goes into the query in any case.
    """
    if what.upper() in _METHODS:
        if not rest:
            raise click.UsageError(f"{what} needs a path, such as {what} /crm/v3/owners.")
        reply = _request(connection, what.upper(), rest[0], rest[1:], data)
    elif "." in what:
        values = given.fields(rest, data) if rest or data else {}
        reply = connection.call(what, **values)
    else:
        raise Unknown(f'{connection.api.name} has no action "{what}"', hint=did_you_mean(what, _actions(connection)))
    shown.record(reply, as_json=as_json)


def _show(connection: Connection, resource: str, record: Any, as_json: bool) -> None:
    known = connection.client.resource(resource)
    shown.record(record, (*known.key, *known.match), as_json=as_json)


def _request(connection: Connection, method: str, path: str, pairs: tuple[str, ...], data: str | None) -> Any:
    params: dict[str, Any] = {}
    body: dict[str, Any] = {}
    for name, sign, value in (given.pair(text, query=True) for text in pairs):
        (params if sign == "==" or method in {"GET", "DELETE"} else body)[name] = value
    if data is None:
        return connection.call(method, path, params=params, json=body or None)
    if body:
        raise click.UsageError("Give the body by fields or by --data, not by both.")
    return connection.call(method, path, params=params, json=given.body(data))


def _actions(connection: Connection) -> Iterable[str]:
    return [f"{resource.name}.{action}" for resource in connection.api.resources for action in resource.actions]


def refuse_unknown_fields(connection: Connection, resource: str, names: Iterable[str]) -> None:
    """Raise :class:`Unknown` for a field that *resource* does not have; the text names those it has.

    Where the API does not tell its fields to this credential, the API is left to judge them.
    """
    known = connection.client.resource(resource)
    properties: Iterable[str] = ()
    with contextlib.suppress(Forbidden, NotFound):
        properties = connection.client.schema(known).get("properties", ())
    for name in names:
        if properties and name not in properties:
            raise Unknown(
                f'{connection.api.name}: {known.name} has no field "{name}"', hint=did_you_mean(name, properties)
            )
