"""The APIs we know, and how one is found: by its name, or by the file that describes it.

Each of ours is a file in this folder, holding an :class:`~antiphon.api.Api` under the file's own name; it is loaded when named. An
installed package adds its own under the entry point group ``antiphon.apis``. Where a name is both, it means ours; where two packages have it,
the one whose own name comes first.
"""

from __future__ import annotations

import logging
import os
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.api import Api
from antiphon.errors import DescriptionError, Unknown, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "antiphon.apis"
DATA = (".yaml", ".yml", ".json")
FILES = (*DATA, ".py")
"""How the names of files that describe an API end."""

Reference = str | os.PathLike[str] | Mapping[str, Any]
"""What an API may be asked for by: its name, the path of a file that describes it, or the description itself."""

log = logging.getLogger("antiphon.apis")


def shipped() -> tuple[str, ...]:
    """Return the names of our own APIs, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def names() -> tuple[str, ...]:
    """Return the names of all APIs that can be loaded by name, those of installed packages included, sorted."""
    return tuple(sorted({*shipped(), *_installed()}))


def is_file(reference: object) -> bool:
    """Whether *reference* is the path of a file that describes an API, and no name."""
    return isinstance(reference, os.PathLike) or (
        isinstance(reference, str) and (reference.endswith(FILES) or "/" in reference or os.sep in reference)
    )


def load(reference: Reference, *, folder: Path | None = None) -> Api:
    """Return the API that *reference* names or describes; a relative path is one from *folder*, else from the working folder.

    Raises:
        Unknown: there is no API of that name; the text names those there are.
        DescriptionError: the file cannot be read, or is wrong; the text says where.
    """
    if isinstance(reference, str) and not is_file(reference):
        return _named(reference)
    if isinstance(reference, str | os.PathLike):
        return _filed(Path(folder or "", Path(reference).expanduser()))
    if isinstance(reference, Mapping):
        from antiphon import description  # noqa: PLC0415 - as below: YAML, of no use to who names an API of ours

        return description.from_mapping(reference, "the mapping given as api")
    raise DescriptionError(
        f"no API: {reference!r}", hint=f"Give a name, or a file that ends with {' or '.join(FILES)}."
    )


def problems(reference: Reference) -> list[str]:
    """Return all that is wrong with what *reference* names or describes, a line each: where, what, and what to do."""
    from antiphon import description  # noqa: PLC0415

    if is_file(reference) and Path(str(reference)).suffix in DATA:
        return description.problems(Path(str(reference)))
    try:
        api = load(reference)
    except (DescriptionError, Unknown) as error:
        return [str(error)]
    return description.problems_of(api, str(reference))


def _named(name: str) -> Api:
    wanted = name.lower().replace("-", "_")
    if wanted in shipped():
        return _an_api(getattr(import_module(f"{__name__}.{wanted}"), wanted), name)
    found = _installed().get(wanted)
    if found is None:
        raise Unknown(f'there is no API "{name}"', hint=did_you_mean(wanted, names()))
    where = f'the API "{name}" of the package {_package(found)}'
    try:
        return _judged(_an_api(found.load(), where), where)
    except DescriptionError:
        raise
    except Exception as error:
        raise DescriptionError(f"{where}: {found.value} -> {type(error).__name__}: {error}") from error


@cache
def _installed() -> dict[str, EntryPoint]:
    """Return the entry points of installed packages by the name of their API. Of two with one name, the one that is left out is told."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - of no use to who asks for an API of ours

    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=_package):
        name = point.name.lower().replace("-", "_")
        other = (
            "one of Antiphon's own"
            if name in shipped()
            else f"that of {_package(found[name])}"
            if name in found
            else ""
        )
        if other:
            log.warning('the API "%s" of the package %s is left out: the name means %s', name, _package(point), other)
        else:
            found[name] = point
    return found


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _an_api(found: object, where: str) -> Api:
    if not isinstance(found, Api):
        raise DescriptionError(f"{where}: it is no Api but {type(found).__name__}")
    return found


def _filed(path: Path) -> Api:
    if not path.is_file():
        said = "it is a folder" if path.is_dir() else "there is no such file"
        raise DescriptionError(f"{path} -> {said}", hint="Check the path.")
    if path.suffix == ".py":
        from antiphon import script  # noqa: PLC0415

        return _beside(_judged(script.load(path), str(path)), path.parent)
    if path.suffix in DATA:
        from antiphon import description  # noqa: PLC0415

        return _beside(description.load(path), path.parent)
    raise DescriptionError(
        f"{path} -> no description of an API", hint=f"Its name should end with {' or '.join(FILES)}."
    )


def _judged(api: Api, where: str) -> Api:
    from antiphon import description  # noqa: PLC0415

    return description.judged(api, where)


def _beside(api: Api, folder: Path) -> Api:
    """Return *api* with the files that its schemas are in taken from *folder*, where its own file is."""
    from antiphon.sources import OpenApi  # noqa: PLC0415

    resources = tuple(
        replace(resource, schema=replace(resource.schema, file=str(folder / resource.schema.file)))
        if isinstance(resource.schema, OpenApi) and resource.schema.file
        else resource
        for resource in api.resources
    )
    return api if resources == api.resources else replace(api, resources=resources)
