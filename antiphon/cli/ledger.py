"""``ledger show|forget|compact``: what a connection remembers of its writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from antiphon import moment
from antiphon.cli import given, shown
from antiphon.errors import Busy, Unknown, did_you_mean
from antiphon.writeback import inspection
from antiphon.writeback.ledger import Ledger


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for wrap in (
        click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="A JSON file with settings."),
        click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting, repeatable."),
        click.argument("key", nargs=-1),
        click.argument("stream", default=""),
        click.argument("connection"),
    ):
        command = wrap(command)
    return command


@click.group(epilog="Example: antiphon ledger show hubspot contacts ada@example.org")
def ledger() -> None:
    """Show what a connection remembers of its writes, or let it forget.

    STREAM is one that was written through the connection, KEY the value that a record of it is matched by (or its id there); where
    records are told apart by more than one field, all of their values.
    """


@ledger.command()
@_options
@shown.json_option
def show(
    connection: str, stream: str, key: tuple[str, ...], pairs: tuple[str, ...], config: Path | None, as_json: bool
) -> None:
    """Show how much is known of each stream and what is under way or unknown, the same of one stream, or all of one record."""
    found, pipeline = _opened(connection, pairs, config)
    with found:
        names = _meant(found, stream, pipeline)
        if key:
            rows = [_told(one) for one in inspection.about(found, names[0], key)]
            if not rows:
                raise Unknown(f"the ledger knows no {' '.join(key)} of {stream}", hint=f"It is {found.path}.")
            shown.records(rows, list(rows[0]), as_json=as_json)
            return
        counts = [one for one in inspection.summary(found) if one["stream"] in names]
        unknown = [one for one in inspection.unknowns(found) if one["stream"] in names]
        going = [one for one in inspection.under_way(found) if one["stream"] in names]
    if not shown.for_people(as_json):
        click.echo(shown.encoded({"path": str(found.path), "streams": counts, "under way": going, "unknown": unknown}))
        return
    click.echo(f"{found.path} ({found.path.stat().st_size:,} bytes)")
    if counts:
        shown.table(list(counts[0]), [list(one.values()) for one in counts])
    if going:
        click.echo("Under way, without an answer yet; what a run has left that ended is found out by the next one:")
        shown.table(list(going[0]), [list(one.values()) for one in going])
    if unknown:
        click.echo(
            "Sent and not answered, and never sent again until they are forgotten (antiphon ledger forget --unknown):"
        )
        shown.table(list(unknown[0]), [list(one.values()) for one in unknown])


@ledger.command()
@_options
@click.option("--unknown", is_flag=True, help="Only what was sent and not answered: it may be sent again then.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(
    connection: str,
    stream: str,
    key: tuple[str, ...],
    pairs: tuple[str, ...],
    config: Path | None,
    unknown: bool,
    yes: bool,
) -> None:
    """Forget a record, a stream, or all: what is forgotten is looked up when it comes again.

    A mirror does not take away what it has forgotten to have made.
    """
    found, pipeline = _opened(connection, pairs, config)
    with found:
        _refuse_running(found)
        names = _meant(found, stream, pipeline)
        what = " ".join((names[0], *key)) if stream else f"all of {pipeline}" if pipeline else "everything"
        if not yes:
            _ask(f"Forget {'what is unknown of ' if unknown else ''}{what} in {found.path}?")
            _refuse_running(found)
        which = names if stream or pipeline else [""]
        count = sum(inspection.strike(found, name, key, unknown=unknown) for name in which)
    click.echo(f"{count:,} forgotten.")


@ledger.command()
@_options
@click.option(
    "--older-than", type=click.IntRange(min=0), metavar="DAYS", help="Forget first what was last written before."
)
def compact(
    connection: str,
    stream: str,
    key: tuple[str, ...],
    pairs: tuple[str, ...],
    config: Path | None,
    older_than: int | None,
) -> None:
    """Give back the room on the disk that is no more needed."""
    if key or stream:
        raise click.UsageError("compact takes a connection alone.")
    found, _ = _opened(connection, pairs, config)
    with found:
        before = found.path.stat().st_size
        count = 0 if older_than is None else inspection.expire(found, older_than)
        found.store.compact()
    click.echo(f"{count:,} forgotten; {before:,} bytes before, {found.path.stat().st_size:,} now.")


def _opened(name: str, pairs: tuple[str, ...], config: Path | None) -> tuple[Ledger, str]:
    """Return the ledger of the connection, and the pipeline whose streams are meant, if there is one."""
    settings, pipeline = given.of_target(name, pairs, config)
    path = settings.ledger_path
    if not path.exists():
        raise Unknown(
            f"there is no ledger of {settings.name}", hint=f"Nothing was written through it yet: {path} is not there."
        )
    return settings.ledger(), pipeline


def _ask(question: str) -> None:
    """Ask the user.

    Raises:
        click.Abort: the answer is no, or there is nobody to ask.
    """
    try:
        sure = click.confirm(question)
    except click.Abort:
        sure = False
        click.echo("", err=True)
    if not sure:
        click.echo("antiphon: nothing was forgotten. --yes forgets without asking.", err=True)
        raise click.Abort


def _refuse_running(found: Ledger) -> None:
    if found.store.others():
        raise Busy(f"a run is writing through this connection now ({found.path})", hint="Forget when it has ended.")


def _meant(found: Ledger, stream: str, pipeline: str) -> list[str]:
    """Return what the ledger calls *stream*, or all of them where none is named: those of the *pipeline*, if there is one."""
    known = [
        one["stream"]
        for one in inspection.summary(found)
        if one["stream"].startswith(inspection.known_as("", pipeline))
    ]
    if not stream:
        return known
    name = stream if stream in known else inspection.known_as(stream, pipeline)
    if name not in known:
        raise Unknown(f'the ledger knows no stream "{name}"', hint=did_you_mean(name, known))
    return [name]


def _told(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "written": moment.rfc3339(one["written"])} if one["written"] else one
