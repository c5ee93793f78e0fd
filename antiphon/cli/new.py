"""``new``: the beginning of an API that we do not know yet."""

from __future__ import annotations

from pathlib import Path

import click

from antiphon import scaffold


@click.command(epilog="Example: antiphon new my_api")
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to; a checkout of antiphon, or a folder of its own. [default: here if this is a checkout, else ./NAME]",
)
def new(name: str, folder: Path | None) -> None:
    """Write a small working description of an API called NAME, its tap, its target and a test, to be changed.

    In a checkout of antiphon the files go into their places; elsewhere they stand side by side in a folder.
    """
    name = scaffold.checked(name)
    here = Path()
    folder = folder or (here if scaffold.is_checkout(here) else here / name)
    made = scaffold.files(name, folder)
    scaffold.write(made)
    click.echo("Written:")
    for path in made:
        click.echo(f"  {path}")
    description, tap, _target, test = made
    click.echo("Next:")
    for number, step in enumerate(_steps(name, folder, description, tap, test), 1):
        click.echo(f"  {number}. {step}")


def _steps(name: str, folder: Path, description: Path, tap: Path, test: Path) -> list[str]:
    if scaffold.is_checkout(folder):
        return [
            f"Say what the API is: {description}",
            f"python -m pytest {test}",
            "Under [project.scripts] in pyproject.toml:\n"
            + "\n".join(f"       {line}" for line in scaffold.scripts(name)),
            f"Install again (make setup), then: antiphon apis {name}",
        ]
    return [
        f"Say what the API is: {description}",
        f"cd {folder} && python -m pytest {test.name}",
        f"python {tap.name} --about",
    ]
