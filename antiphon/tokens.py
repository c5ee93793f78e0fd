"""The token store of a connection: a file of mode 0600, written atomically, under a lock that every process shares.

A vendor that rotates refresh tokens kills the old one at once, and takes its second use for theft: so a new token is on the disk
before it is used, and whoever wants to renew one looks first whether another process has.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import msgspec

from antiphon.errors import Busy, Storage

_PATIENCE = 60.0
"""Seconds to wait for a process that is renewing the token."""


class TokenStore:
    """The tokens of one connection in *folder*; with no folder they are kept in memory only."""

    def __init__(self, folder: Path | None) -> None:
        """Touch nothing yet."""
        self.path = folder / "token.json" if folder else None
        self._memory: dict[str, Any] = {}

    def load(self) -> dict[str, Any]:
        """Return what is stored: ``access_token``, ``refresh_token``, ``expires_at`` (epoch seconds) …; empty if nothing is.

        Raises:
            Storage: the file cannot be read.
        """
        if self.path is None:
            return dict(self._memory)
        try:
            found = msgspec.json.decode(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise Storage(f"the token store {self.path} cannot be read: {error}", hint="Remove it and log in again.") from error
        return found if isinstance(found, dict) else {}

    def save(self, token: dict[str, Any]) -> None:
        """Store *token* in place of what is there; it is on the disk when this returns.

        Raises:
            Storage: it cannot be written.
        """
        if self.path is None:
            self._memory = dict(token)
            return
        new = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(token))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except OSError as error:
            raise Storage(f"the token store {self.path} cannot be written: {error.strerror}", hint="Free space or mend the rights.") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from renewing the token meanwhile.

        Raises:
            Busy: one has been at it for a minute.
        """
        if self.path is None:
            yield
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = filelock.FileLock(f"{self.path}.lock", mode=0o600)
            lock.acquire(timeout=_PATIENCE)
        except filelock.Timeout:
            raise Busy(f"another process has been renewing the token for {_PATIENCE:.0f} s ({self.path})") from None
        except OSError as error:
            raise Storage(f"the token store {self.path} cannot be locked: {error.strerror}", hint="Mend the folder's rights.") from error
        try:
            yield
        finally:
            lock.release()
