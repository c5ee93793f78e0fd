"""``lint``, ``show`` and ``schema``: descriptions checked, printed, and completed by editors."""

from __future__ import annotations

import click

from antiphon import apis, description
from antiphon.cli import shown


@click.command(epilog="Example: antiphon lint my_api.yaml")
@click.argument("files", nargs=-1, required=True)
def lint(files: tuple[str, ...]) -> int:
    """Check descriptions of APIs: say all that is wrong with FILES, a line each with its place.

    A file in YAML or JSON is read and nothing of it run; one in Python is run. The name of an API that we know will do, too.
    """
    wrong = 0
    for reference in files:
        found = apis.problems(reference)
        wrong += len(found)
        for line in found:
            click.echo(line)
        if not found:
            click.echo(f"{reference}: all is well")
    return 1 if wrong else 0


@click.command(epilog="Example: antiphon schema > antiphon.schema.json")
def schema() -> None:
    """Print the JSON Schema of descriptions, by which editors complete and check them.

    The first line of a description names it: # yaml-language-server: $schema=antiphon.schema.json
    """
    click.echo(shown.encoded(description.json_schema()))


@click.command(epilog="\b\nExamples:\n  antiphon show pretix\n  antiphon show my_api.yaml --json")
@click.argument("api")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print YAML; the default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(api: str, as_yaml: bool, as_json: bool) -> None:
    """Print the description of an API, one that we know or that a file holds.

    Functions, which only a description in Python has, are named: {function: module:name}.
    """
    if as_yaml and as_json:
        raise click.UsageError("YAML or JSON, not both.")
    found = apis.load(api)
    click.echo(shown.encoded(description.data(found)) if as_json else description.dump(found), nl=as_json)
