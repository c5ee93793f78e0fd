"""``apis``: the APIs we know, and what each can do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from antiphon import apis as known
from antiphon.api import Api, Auth, Resource
from antiphon.cli import given, shown
from antiphon.connection import variable
from antiphon.errors import DescriptionError
from antiphon.writeback.guarantee import OPERATIONS, guarantee

Fact = dict[str, Any]


@click.command(
    epilog="\b\nExamples:\n  antiphon apis\n  antiphon apis hubspot\n  antiphon apis my_api.yaml\n  antiphon apis --json | jq '.[].name'"
)
@click.argument("name", required=False)
@given.api_option
@shown.json_option
def apis(name: str | None, as_json: bool) -> None:
    """List the APIs we know, or show one: settings, resources, snippets.

    NAME is the API's name, or a file that describes it.
    """
    people = shown.for_people(as_json)
    if name is None:
        found = [summary(api) for api in _all()]
        if people:
            _show_all(found)
        else:
            click.echo(shown.encoded(found))
        return
    api = known.load(name)
    fact = described(api, name if known.is_file(name) else api.name)
    if people:
        _show_one(fact)
    else:
        click.echo(shown.encoded(fact))


def _all() -> Iterator[Api]:
    """Yield the APIs we know; one whose package is broken is told, and hides no other."""
    for name in known.names():
        try:
            yield known.load(name)
        except DescriptionError as error:
            click.echo(f"antiphon: {error}", err=True)


def summary(api: Api) -> Fact:
    """Return name and title of *api*, and the names of what it reads and writes and of its actions."""
    return {
        "name": api.name,
        "title": api.title,
        "reads": [r.name for r in api.resources if r.read or r.changes],
        "writes": [r.name for r in api.resources if r.writable],
        "actions": [f"{r.name}.{action}" for r in api.resources for action in r.actions],
        "discovers": api.discover is not None,
    }


def described(api: Api, reference: str) -> Fact:
    """Return all that there is to know of *api* before connecting to it; *reference* is its name, or the file that describes it."""
    return {
        "name": api.name,
        "title": api.title,
        "docs": api.docs,
        "version": api.version,
        "base_url": api.base_url,
        "settings": [
            {
                "name": s.name,
                "title": s.title,
                "description": s.description,
                "secret": s.secret,
                "required": s.required,
                "default": s.default,
                "example": s.example,
                "variable": variable(api.name, s.name),
            }
            for s in api.settings
        ],
        "resources": [_resource(r) for r in api.resources],
        "discovers": api.discover is not None,
        "snippets": {"shell": shell_snippet(api, reference), "python": python_snippet(api, reference)},
    }


def _resource(resource: Resource) -> Fact:
    matched = resource.match if callable(resource.schema) else resource.match_fields(resource.schema)
    return {
        "name": resource.name,
        "aliases": list(resource.aliases),
        "title": resource.title,
        "key": list(resource.key),
        "match": list(matched),
        "operations": [slot for slot in resource.operations if slot not in resource.actions],
        "actions": [f"{resource.name}.{action}" for action in resource.actions],
        "guarantees": {name: said for name in OPERATIONS if (said := guarantee(resource, name))},
    }


def shell_snippet(api: Api, reference: str) -> str:
    """Return shell lines to start from: the credential's variables, a check, one record written and read."""
    reference = shlex.quote(reference)
    lines = [f"export {variable(api.name, name)}=…" for name in _needed(api)]
    if api.check:
        lines.append(f"antiphon check {reference}")
    example = _example(api)
    if example:
        resource, field, value = example
        word = _word(resource)
        if resource.create:
            lines.append(f"antiphon add {reference} {word} {field}={_quoted(value)}")
        if resource.find and field in resource.match:
            lines.append(f"antiphon find {reference} {word} {field}={_quoted(value)}")
    elif readable := _readable(api):
        lines.append(f"antiphon get {reference} {_word(readable)} 123")
    if api.readable:
        own = f"tap-{api.name.replace('_', '-')}"
        tap = own if reference in known.shipped() else f"TAP_UNIVERSAL_API={reference} tap-universal"
        lines.append(f"{tap} > {api.name}.jsonl")
    return "\n".join(lines)


def python_snippet(api: Api, reference: str) -> str:
    """Return Python lines to start from; the credential comes from the variables of :func:`shell_snippet`."""
    name = re.sub(r"\W", "_", api.name)
    lines = ["from antiphon import connect", "", f'{name} = connect("{reference}")']
    example = _example(api)
    if example:
        resource, field, value = example
        lines.append(f'record = {name}.add("{_word(resource)}", {{"{field}": "{value}"}})')
    readable = example[0] if example and example[0].read else _readable(api)
    if readable:
        lines += [f'for record in {name}.read("{readable.name}"):', "    print(record)"]
    else:
        lines += [f"for resource in {name}.resources():", "    print(resource.name)"]
    return "\n".join(lines)


def _needed(api: Api) -> Iterable[str]:
    """Return the settings without which nothing works: those of the first credential, and the required ones."""
    first: tuple[Auth, ...] = api.auth[:1] if isinstance(api.auth, tuple) else (api.auth,)
    credential = [name for auth in first for name in auth.needs()]
    return dict.fromkeys((*(s.name for s in api.settings if s.required and s.default is None), *credential))


def _example(api: Api) -> tuple[Resource, str, str] | None:
    """Return a resource that can be created, one with e-mail addresses rather than another, with a field and a value."""
    creatable = [resource for resource in api.resources if resource.create]
    for resource in sorted(creatable, key=lambda resource: "email" not in resource.match):
        properties: Mapping[str, Any] = {} if callable(resource.schema) else resource.schema.get("properties", {})
        writable = [name for name, field in properties.items() if not field.get("readOnly")]
        field = "email" if "email" in resource.match else next(iter((*resource.match, *writable, "name")))
        return resource, field, "ada@example.org" if "email" in field else "Ada" if "name" in field else "example"
    return None


def _readable(api: Api) -> Resource | None:
    return next((resource for resource in api.resources if resource.read or resource.changes), None)


def _word(resource: Resource) -> str:
    return resource.aliases[0] if resource.aliases else resource.name


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value


def _told(setting: Fact) -> str:
    """Return what a setting is, in a sentence or two."""
    said = setting["description"] or setting["title"]
    return f"{said} For example: {setting['example']}" if setting["example"] else said


def _read_or_written(fact: Fact) -> list[str]:
    """Return the names of the resources; those that cannot be written are in brackets."""
    return [
        name if name in fact["writes"] else f"({name})" for name in dict.fromkeys([*fact["reads"], *fact["writes"]])
    ]


def _show_all(found: list[Fact]) -> None:
    shown.table(
        ("api", "title", "resources"),
        (
            (
                fact["name"],
                fact["title"],
                ", ".join([*(_read_or_written(fact)), *(["and those it finds there"] if fact["discovers"] else [])]),
            )
            for fact in found
        ),
    )
    click.echo("Those in brackets are only read. antiphon apis NAME shows settings, resources, actions and snippets.")
    click.echo("Any other API: antiphon new NAME begins a description of it.")


def _show_one(fact: Fact) -> None:
    to = shown.console()
    to.print(shown.cell(f"{fact['title']} {fact['version']}".strip(), "bold"), shown.cell(fact["docs"], "dim"))
    shown.table(
        ("setting", "variable", "", "what it is"),
        (
            (
                s["name"],
                s["variable"],
                ", ".join(
                    word for word in ("required" if s["required"] else "", "secret" if s["secret"] else "") if word
                ),
                _told(s),
            )
            for s in fact["settings"]
        ),
        to=to,
    )
    to.print()
    if fact["resources"]:
        shown.table(
            ("resource", "key", "match", "operations", "actions"),
            (
                (
                    " / ".join([r["name"], *r["aliases"]]),
                    ", ".join(r["key"]),
                    ", ".join(r["match"]),
                    " ".join(r["operations"]),
                    " ".join(r["actions"]),
                )
                for r in fact["resources"]
            ),
            to=to,
        )
        to.print()
    if fact["discovers"]:
        to.print("And what is only found once connected, such as custom objects: by its own name.\n")
    for language, snippet in fact["snippets"].items():
        to.print(shown.cell(language, "bold"))
        to.print(shown.cell("".join(f"  {line}\n" for line in snippet.splitlines())))
