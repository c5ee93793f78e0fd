"""How results are shown: as tables for people on a terminal, as JSON for everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from antiphon.errors import escaped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Command = TypeVar("Command", bound=Callable[..., Any])

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
MOST_COLUMNS = 7

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON; the default when stdout is no terminal."
)


def for_people(as_json: bool) -> bool:
    """Whether to print a table: somebody watches, and JSON was not asked for."""
    return not as_json and sys.stdout.isatty()


def encoded(value: Any) -> str:
    """Return *value* as JSON for a reader: indented, numbers exact."""
    return msgspec.json.format(_ENCODE(value), indent=2).decode()


def console() -> Console:
    """Return a console on stdout."""
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that JSON does not need

    return Console(highlight=False)


def cell(value: Any, style: str = "") -> Text:
    """Return *value* as a table's cell."""
    from rich.text import Text  # noqa: PLC0415

    if value is None:
        return Text("null", style="dim")
    text = value if isinstance(value, str) else _ENCODE(value).decode()
    return Text(escaped(text).replace("\r", "\\r"), style=style)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, to: Console | None = None) -> None:
    """Print a table; the first column is what the rows are named by. Columns of numbers stand to the right."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    to, rows = to or console(), list(rows)
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        numeric = all(isinstance(row[number], int | float) for row in rows)
        style, justify = "cyan" if number == 0 else "", "right" if numeric else "left"
        made.add_column(name, style=style, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*map(cell, row))
    with to.capture() as drawn:
        to.print(made)
    lines = [line.rstrip() for line in drawn.get().splitlines()]
    to.file.write("\n".join(line for line in lines if line) + "\n")


def record(found: Any, first: Sequence[str] = (), *, as_json: bool) -> None:
    """Print one record, the fields named *first* at the top, or whatever else an API returned."""
    if not for_people(as_json):
        click.echo(encoded(found))
    elif not isinstance(found, Mapping):
        console().print(cell(found if found is not None else "done"))
    else:
        names = dict.fromkeys((*first, *found))
        filled = {name: found[name] for name in names if found.get(name) is not None}
        table(("field", "value"), filled.items())
        if empty := len(found) - len(filled):
            click.echo(f"{empty} fields are empty; --json shows them.")


def records(found: Sequence[Mapping[str, Any]], first: Sequence[str], *, as_json: bool) -> None:
    """Print a list of records: the fields named *first*, then others that hold something."""
    if not for_people(as_json):
        click.echo(encoded(found))
    elif len(found) == 1:
        record(found[0], first, as_json=False)
    elif not found:
        click.echo("There are none.")
    else:
        filled = {name: None for row in found for name, value in row.items() if value is not None}
        columns = [name for name in dict.fromkeys((*first, *filled)) if name in filled]
        table(columns[:MOST_COLUMNS], ([row.get(name) for name in columns[:MOST_COLUMNS]] for row in found))
        more = len(columns) - MOST_COLUMNS
        rest = f" {more} more fields have values; --json shows them." if more > 0 else ""
        click.echo(f"{len(found)} records.{rest}")
