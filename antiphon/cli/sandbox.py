"""``sandbox``: an emulated API to try things on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from antiphon.cli import shown
from antiphon.errors import SettingError, Unknown, did_you_mean
from antiphon.sandbox import KINDS, names, parse_faults, parse_limit, run

T = TypeVar("T")

_PORT = "Leave --port out, and a free one is found."


def _read(parse: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, str | None], T | None]:
    """Return an option's callback that reads its text with *parse*, whose ValueError tells what would have been right."""

    def callback(_context: click.Context, _option: click.Parameter, text: str | None) -> T | None:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


@click.command(
    epilog="\b\nExamples:\n  antiphon sandbox hubspot > sandbox.json &\n  antiphon check hubspot --config sandbox.json\n"
    "  antiphon sandbox hubspot --records 2000 --limit 190/10 --faults 429=0.05,cut=0.01"
)
@click.argument("name", required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 picks a free one.")
@click.option("--records", type=click.IntRange(0), default=100, show_default=True, help="Records of the main resource.")
@click.option("--latency-ms", type=click.FloatRange(0), default=0.0, help="Wait before each answer.")
@click.option("--limit", metavar="CALLS/SECONDS", callback=_read(parse_limit), help="Enforce a rate limit: 190/10.")
@click.option("--faults", metavar="KIND=SHARE,…", callback=_read(parse_faults), help=f"Misbehave: {', '.join(KINDS)}.")
@click.option("--seed", type=int, help="The same seed, the same records, faults and account; without, a new account.")
@click.option("--tls", is_flag=True, help="Speak https; the config names the certificate to trust, as ca_bundle.")
def sandbox(name: str | None, **knobs: Any) -> None:
    """Serve an emulated API on this machine until SIGTERM or Ctrl-C; without a NAME, list those there are.

    Prints one line of JSON once it answers; the value under "config" is a config for tap, target and connection.
    """
    if name is None:
        if shown.for_people(as_json=False):
            click.echo("There is a sandbox for: " + ", ".join(names()))
        else:
            click.echo(shown.encoded(names()))
    elif name not in names():
        raise Unknown(f'there is no sandbox for "{name}"', hint=did_you_mean(name, names()))
    else:
        try:
            run(name, **knobs)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SettingError(f"sandbox: port {knobs['port']} cannot be used: {error.strerror}", hint=_PORT) from None
