"""Packages that the Singer SDK imports and that no tap or target of ours uses: each is imported when something of it is called.

upath, and by it fsspec, is there for BATCH messages, which a tap does not write and a target refuses; joblib for sinks that are drained side by
side, which ours are not; backoff, and by it asyncio, for the SDK's streams of REST. They are 190 modules, a sixth of a short run's CPU
and 7 MB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

UNUSED = ("backoff", "joblib", "upath")


@contextmanager
def spared(*packages: str) -> Iterator[None]:
    """Let the block's imports of *packages* give placeholders, unless they are there already; afterwards they are imported as ever."""
    absent = [package for package in packages if package not in sys.modules]
    sys.modules |= {package: _Placeholder(package) for package in absent}
    try:
        yield
    finally:
        for package in absent:
            del sys.modules[package]


class _Placeholder(ModuleType):
    """Stands for a package. Whatever name it is asked for, it has a function that imports the package and calls what has that name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **named: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*args, **named)

        return call
