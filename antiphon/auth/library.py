"""Libraries that not everybody needs: imported when they are first used, and named where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from antiphon.errors import SettingError


def library(module: str, what: str, extra: str) -> Any:
    """Return a *module* that *what* needs and that comes with the *extra* of this package.

    Raises:
        SettingError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = module.partition(".")[0]
        said = f"{what} needs {missing}, which is not installed ({plain(str(error))})"
        raise SettingError(said, hint=f'Run: pip install "antiphon[{extra}]"') from None


def plain(words: str) -> str:
    """Return *words* without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in words)
