"""What the console scripts of the shipped plugins call: ``--version`` is answered without loading the Singer SDK.

The SDK takes half of a short run's CPU to import. Each plugin's script names an attribute of this module, called like the plugin's own
module: ``tap-hubspot = "antiphon.launch:tap_hubspot"``.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from antiphon import __version__


def __getattr__(name: str) -> Callable[[], None]:
    """Return the main function of the plugin whose module is called *name*."""
    if not name.startswith(("tap_", "target_")):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return partial(run, name)


def run(module: str) -> None:
    """Run the plugin in *module* with the arguments of this process, and exit."""
    if sys.argv[1:] == ["--version"]:
        from importlib.metadata import version  # noqa: PLC0415 - it takes as long as all the rest of this

        print(f"{module.replace('_', '-')} v{__version__}, Meltano SDK v{version('singer-sdk')}")  # noqa: T201 - as the SDK does
        sys.exit()
    with importing():
        found = plugin(module)
    found.cli()


def plugin(module: str) -> Any:
    """Return the plugin class that *module* defines."""
    there = vars(import_module(module)).values()
    [found] = (value for value in there if isinstance(value, type) and value.__module__ == module)
    return found


@contextmanager
def importing() -> Iterator[None]:
    """Keep the garbage collector from what the block imports, then and later: it stays until the process ends.

    Looking through it a hundred times would take a fifth of the time that it takes to import.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
