"""``new``: the beginning of an API that we do not know yet."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from antiphon import scaffold


@click.command(epilog="\b\nExamples:\n  antiphon new my_api\n  antiphon new my_api --python")
@click.argument("name")
@click.option(
    "--yaml/--python",
    "in_yaml",
    default=None,
    help="A description in YAML, or one in Python with a tap, a target and a test. "
    "[default: YAML; in a checkout of antiphon, Python]",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to. [default: here; Python outside of a checkout: ./NAME]",
)
def new(name: str, in_yaml: bool | None, folder: Path | None) -> None:
    """Write a small working description of an API called NAME, to be changed.

    In YAML it is one file, which tap-universal, target-universal and this command take as it is. In Python it comes with plugins of its
    own: in a checkout of antiphon they go into their places, elsewhere they stand side by side in a folder.
    """
    name = scaffold.checked(name)
    here = Path()
    in_a_checkout = scaffold.is_checkout(folder or here)
    if in_yaml or (in_yaml is None and not in_a_checkout):
        made = scaffold.in_yaml(name, folder or here)
        steps = _steps_in_yaml(*made)
    else:
        folder = folder or (here if in_a_checkout else here / name)
        made = scaffold.files(name, folder)
        steps = _steps(name, folder, *made)
    scaffold.write(made)
    click.echo("Written:")
    for path in made:
        click.echo(f"  {path}")
    click.echo("Next:")
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")


def _steps_in_yaml(description: Path) -> list[str]:
    file = shlex.quote(str(description))
    return [
        f"Say what the API is: {file}",
        f"antiphon lint {file}",
        f"antiphon apis {file}    # what it asks for, and what can be done with it",
        f"antiphon infer {file} people    # the fields, from the API's own records",
        f"TAP_UNIVERSAL_API={file} tap-universal --discover",
    ]


def _steps(name: str, folder: Path, description: Path, tap: Path, _target: Path, test: Path) -> list[str]:
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
