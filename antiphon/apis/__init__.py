"""The APIs we know: one file each, holding an :class:`~antiphon.api.Api` under the file's own name. Loaded when named."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from antiphon.api import Api
from antiphon.errors import Unknown, did_you_mean


def names() -> tuple[str, ...]:
    """Return the names of the APIs we know, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Api:
    """Return the description of the API called *name*.

    Raises:
        Unknown: we know no such API; the text names those we know.
    """
    wanted = name.lower().replace("-", "_")
    if wanted not in names():
        raise Unknown(f'there is no API "{name}"', hint=did_you_mean(wanted, names()))
    api = getattr(import_module(f"{__name__}.{wanted}"), wanted)
    assert isinstance(api, Api)  # noqa: S101
    return api
