"""The ``antiphon`` command. Each subcommand stands in a module of its own that is loaded when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from antiphon import __version__
from antiphon.errors import AntiphonError
from antiphon.launch import importing

#: Each subcommand, in the order of the help, and the module of this package that holds it.
COMMANDS = {
    "demo": "demo",
    "apis": "catalogue",
    "login": "login",
    "logout": "login",
    "check": "records",
    "add": "records",
    "get": "records",
    "find": "records",
    "update": "records",
    "upsert": "records",
    "delete": "records",
    "erase": "records",
    "call": "records",
    "mapping": "mapping",
    "ledger": "ledger",
    "sandbox": "sandbox",
    "new": "new",
    "infer": "infer",
    "lint": "describe",
    "show": "describe",
    "schema": "describe",
}


class _Late(click.Group):
    """A group whose subcommands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        with importing():
            found = getattr(import_module(f"antiphon.cli.{COMMANDS[cmd_name]}"), cmd_name)
        assert isinstance(found, click.Command)  # noqa: S101
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; where it takes ``--api FILE``, that stands for its first argument."""
        name, found, rest = super().resolve_command(ctx, args)
        if found and any(param.name == "api" for param in found.params):
            rest = _api_first(rest)
        return name, found, rest


def _api_first(args: list[str]) -> list[str]:
    """Return *args* with the value of ``--api`` before all others, and without the option."""
    for n, arg in enumerate(args[: args.index("--")] if "--" in args else args):
        if arg.startswith("--api="):
            return [arg.removeprefix("--api="), *args[:n], *args[n + 1 :]]
        if arg == "--api" and n + 1 < len(args):
            return [args[n + 1], *args[:n], *args[n + 2 :]]
    return args


@click.group(
    cls=_Late,
    name="antiphon",
    epilog="Credentials come from the environment (HUBSPOT_ACCESS_TOKEN) or from connections.yaml.\n\n"
    "Example: antiphon find hubspot contact email=ada@example.org",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def antiphon() -> None:
    """Read and write SaaS APIs: one record here, whole streams with the tap-… and target-… commands."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 when all is well, 1 with one line on stderr for an error, 2 for wrong usage."""
    try:
        status = antiphon.main(args, prog_name="antiphon", standalone_mode=False)
    except AntiphonError as error:
        click.echo(f"antiphon: {error}", err=True)
        status = 1
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        status = 130
    sys.exit(status)
