"""The token store of a connection: a file of mode 0600, written atomically, under a lock that every process shares.

A vendor that rotates refresh tokens kills the old one at once, and takes its second use for theft: so a new token is on
the disk before it is used, and whoever wants to renew one looks first whether another process has.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from antiphon.errors import Busy, Storage
from antiphon.folder import private

_EARLY = 60.0
"""Seconds before its end at which a token is renewed; a fifth of its life where that is less."""
_PATIENCE = 90.0
"""Seconds to wait for a process that is renewing the token: longer than a request to the token endpoint may take."""


@dataclass(frozen=True, repr=False)
class Token:
    """What a token endpoint gave, and to which settings. Times are in seconds since the epoch; 0: not known."""

    access_token: str
    got_at: float
    expires_at: float = 0
    refresh_token: str = ""
    base_url: str = ""
    """Where the API answers, if the endpoint told."""
    owner: str = ""
    """A hash of the settings that say whose token it is."""
    seed: str = ""
    """A hash of the refresh token in the settings that this one goes back to; empty after a log-in."""
    taken: Mapping[str, Any] = field(default_factory=dict)
    """What else a log-in gave, by name."""

    def ending(self) -> bool:
        """Whether it ends so soon that it should be renewed now."""
        early = min(_EARLY, (self.expires_at - self.got_at) / 5)
        return bool(self.expires_at) and time.time() >= self.expires_at - early


class TokenStore:
    """The token of one connection in *folder*; with no folder it is kept in memory only."""

    def __init__(self, folder: Path | None) -> None:
        """Touch nothing yet."""
        self.path = folder / "token.json" if folder else None
        self._kept: Token | None = None

    def load(self) -> Token | None:
        """Return what is stored, if anything is.

        Raises:
            Storage: the file cannot be read.
        """
        if self.path is None:
            return self._kept
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Token)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Storage(f"the token in {self.path} cannot be read: {error.strerror}", hint=_RIGHTS) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Storage(f"{self.path} holds no token", hint="Remove that file and log in again.") from None

    def save(self, token: Token) -> None:
        """Store *token* in place of what is there; it is on the disk when this returns. To be done under the lock.

        Raises:
            Storage: it cannot be written.
        """
        if self.path is None:
            self._kept = token
            return
        new = self.path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)  # left by a process that was killed
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(token))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
            _sync(self.path.parent)
        except OSError as error:
            hint = "Free space or mend the rights; then log in again."
            raise Storage(f"the token cannot be written to {self.path}: {error.strerror}", hint=hint) from None

    def remove(self) -> bool:
        """Forget the token; return whether there was one.

        Raises:
            Busy, Storage: as :meth:`locked`; or the file cannot be removed.
        """
        if self.path is None or not self.path.parent.is_dir():
            return False
        with self.locked():
            try:
                self.path.with_suffix(".new").unlink(missing_ok=True)
                self.path.unlink()
            except FileNotFoundError:
                return False
            except OSError as error:
                raise Storage(f"{self.path} cannot be removed: {error.strerror}", hint=_RIGHTS) from None
            return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from renewing the token meanwhile. The lock of a process that is killed is free.

        Raises:
            Busy: one has been at it for longer than a request takes.
            Storage: the folder cannot be written to.
        """
        if self.path is None:
            yield
            return
        import filelock  # noqa: PLC0415 - most connections hold no token

        lock = filelock.FileLock(f"{self.path}.lock", mode=0o600)
        try:
            private(self.path.parent)
            lock.acquire(timeout=_PATIENCE)
        except filelock.Timeout:
            said = f"another process has been renewing the token for {_PATIENCE:.0f} s ({self.path})"
            raise Busy(said, hint="Try again later.") from None
        except OSError as error:
            raise Storage(f"the token in {self.path} cannot be locked: {error.strerror}", hint=_RIGHTS) from None
        try:
            yield
        finally:
            lock.release()


_RIGHTS = "Mend the rights of the folder and what is in it."


def _sync(folder: Path) -> None:
    """Have the name that a file in *folder* was given on the disk, where folders can be opened for that."""
    with suppress(OSError):
        found = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(found)
        finally:
            os.close(found)
