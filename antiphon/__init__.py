"""Antiphon: Singer taps and writeback targets for SaaS APIs, each API described once."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from antiphon.connection import Connection, connect

__all__ = ["Connection", "connect"]


def __getattr__(name: str) -> object:
    """Load the connection module when it is first asked for, so that importing the package costs nothing."""
    if name in __all__:
        from antiphon import connection  # noqa: PLC0415

        return getattr(connection, name)
    raise AttributeError(f"module 'antiphon' has no attribute {name!r}")
