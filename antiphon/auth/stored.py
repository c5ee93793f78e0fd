"""What is kept of a log-in: the connection's token store, and marks of the settings that a token was got with."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from antiphon.tokens import TokenStore

if TYPE_CHECKING:
    from antiphon.http import Http


def store_of(http: Http) -> TokenStore:
    """Return the store that *http* takes its tokens from."""
    store: TokenStore = http.notes.setdefault("tokens", TokenStore(http.folder))
    return store


def digest_of(*words: str) -> str:
    """Return a short hash of *words* by which they are known again; empty where they are."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16] if any(words) else ""


def sealed(words: str, salt: str = "") -> str:
    """Return a slow, salted hash of *words* by which they are known again, and passwords in them not found out."""
    salt = salt or secrets.token_hex(8)
    return f"{salt}:{hashlib.scrypt(words.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()}"


def is_sealed(words: str, seal: str) -> bool:
    """Return whether *seal* is that of *words*."""
    return hmac.compare_digest(sealed(words, seal.partition(":")[0]), seal)
