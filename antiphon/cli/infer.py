"""``infer``: the fields of a resource, found in a sample of its records and written into the file that describes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import click

from antiphon import description, inplace, moment, sample
from antiphon.api import Query, Read, Record, Resource
from antiphon.cli import given
from antiphon.client import Client
from antiphon.errors import DescriptionError, Storage, Unknown


@click.command(epilog="\b\nExamples:\n  antiphon infer my_api.yaml\n  antiphon infer my_api.yaml people --records 1000")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("names", metavar="[RESOURCE]...", nargs=-1)
@click.option("--records", default=200, show_default=True, type=click.IntRange(1), help="How many to look at, at most.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@given.settings_options
def infer(
    file: Path, names: tuple[str, ...], records: int, dry_run: bool, pairs: tuple[str, ...], config: Path | None
) -> None:
    """Find fields in a sample of records, and write them into FILE.

    FILE describes the API. Without RESOURCE, those that have no schema yet are looked at. Fields that the file has stay, unless the sample contradicts
    them; comments and all else in it stay in any case. Which fields cannot be written, beside the id, no sample tells: add readonly to them.
    """
    before = text = _read(file)
    api = description.draft(text, str(file))
    connection = given.opened(str(file), pairs, config, api=api)
    without = [r.name for r in api.resources if not callable(r.schema) and not r.schema.get("properties")]
    if not names and not without:
        known = ", ".join(resource.name for resource in api.resources)
        raise Unknown(f"{file}: every resource has a schema", hint=f"Name those to look at again: {known}.")
    for name in names or without:
        resource = connection.client.resource(name)
        found = _found(file, text, resource, connection.client, records)
        text = (
            inplace.with_fields(text, resource.name, found.new, as_json=file.suffix == ".json") if found.new else text
        )
        for line in found.told():
            click.echo(line)
    description.draft(text, str(file))
    if text == before:
        click.echo(f"{file}: nothing to change")
    elif dry_run:
        click.echo(f"{file}: nothing is written, for it is a dry run")
    else:
        _write(file, text)
        click.echo(f"{file}: written")


@dataclass(frozen=True)
class _Found:
    """What a sample says of a resource, beside what its description said."""

    resource: str
    sample: sample.Sample
    old: dict[str, str | None]
    new: dict[str, str]

    def told(self) -> Iterator[str]:
        """Yield lines for the user: what is added, what is changed, what was not met, what to look at."""
        number = self.sample.records
        yield f"{self.resource}: {'1 record' if number == 1 else f'{number:,} records'}"
        for name, word in self.new.items():
            if self.old.get(name):
                yield f"  - {name}: {self.old[name]}"
            yield f"  + {name}: {word}"
        for name in self.old:
            if name not in self.sample.fields:
                yield f"    {name}: in none of them"
        for note in self.sample.notes:
            yield f"  ! {note}"


def _found(file: Path, text: str, resource: Resource, client: Client, most: int) -> _Found:
    """Look at *most* records of *resource*, and settle what they say with what *text* says."""
    written = inplace.schema(text, resource.name)
    if callable(resource.schema) or not written.by_words:
        said = f"{file}: the schema of {resource.name} is not written as a word for each field"
        raise DescriptionError(said, hint="It is left as it is.")
    how = resource.read or resource.changes
    seen = sample.seen(islice(_records(resource, client), most), resource.key, text=isinstance(how, Read) and how.text)
    if not seen.records:
        raise Unknown(
            f"{client.api.name}: {resource.name} has no records to learn from",
            hint="Add one there, or write the fields down.",
        )
    new = {}
    for name, word in seen.fields.items():
        old = written.fields.get(name, "")
        if old is None:  # described at length
            continue
        own = name in resource.key and name not in resource.match  # an id: the API gives it
        settled = (
            sample.settled(old, word, nullable=name in seen.sometimes) if old else f"{word} readonly" if own else word
        )
        if settled != old:
            new[name] = settled
    return _Found(resource.name, seen, dict(written.fields), new)


def _records(resource: Resource, client: Client) -> Iterator[Record]:
    """Yield records as the API has them: not in the shape of a schema that may be wrong."""
    bare = replace(resource, schema={"properties": {}})
    if resource.read:
        pages = client.read(bare)
    else:
        pages = client.read(bare, Query(since=moment.EPOCH, until=moment.rfc3339(moment.now())), slot="changes")
    return (record for page in pages for record in page.records)


def _read(file: Path) -> str:
    if file.suffix not in {".yaml", ".yml", ".json"}:
        raise DescriptionError(f"{file}: fields are written into YAML or JSON only")
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise DescriptionError(f"reading {file} -> {error.strerror}", hint="Check the path.") from None
    except UnicodeDecodeError:
        raise DescriptionError(f"{file} -> no UTF-8", hint="Save it as UTF-8.") from None


def _write(file: Path, text: str) -> None:
    """Put *text* in the place of the file's, at once."""
    target = file.resolve()
    new = target.with_name(f".{target.name}.new")
    try:
        new.write_bytes(text.encode())
        new.chmod(target.stat().st_mode & 0o777)
        new.replace(target)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise Storage(f"writing {file} -> {error.strerror}") from None
