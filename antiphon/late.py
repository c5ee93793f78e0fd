"""Packages whose modules are imported when something of them is asked for: an API uses one or two kinds of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any


def late(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a *package*; *homes* are the names it has and, for each, the module of it that holds it."""

    def found(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return found


class Kinds(Mapping[str, type]):
    """The kinds of a *package* by the words that descriptions have for them; one is imported when it is looked up."""

    def __init__(self, package: str, names: Mapping[str, str]) -> None:
        """Take the *names* of the kinds, by their words."""
        self._package, self._names = package, names

    def __getitem__(self, word: str) -> type:
        kind: type = getattr(import_module(self._package), self._names[word])
        return kind

    def __contains__(self, word: object) -> bool:
        return word in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
