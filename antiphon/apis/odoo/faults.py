"""What Odoo says went wrong: its Python exceptions by name, and the statuses of the servers in front of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from antiphon.errors import ApiError, Forbidden, NotFound, Refused, Unauthorized, Unavailable
from antiphon.style import RETRIED

_BUSY = frozenset(
    {"SerializationFailure", "DeadlockDetected", "LockNotAvailable", "TransactionRollbackError", "LockError"}
)
_BUSY_WORDS = ("could not serialize access", "deadlock detected", "could not obtain lock", "could not acquire lock")
_ANYONE = frozenset({"InternalServerError", "OperationalError", "InterfaceError", "ServiceUnavailable", "PoolError"})
_UNMARSHALLED = "cannot marshal None"
_NO_DATABASE = re.compile(r'database "([^"]*)" does not exist')
_NO_MODEL = re.compile(r"the model .* does not exist|Object .* doesn't exist", re.IGNORECASE)
_MODEL = re.compile(r"'[\w]+(\.\w+)+'")
_XML_NAMES = {2: "UserError", 3: "AccessDenied", 4: "AccessError"}
"""The exceptions behind XML-RPC's fault codes; 1 is any other, with its traceback."""


def exception(name: str, words: str, status: int = 0) -> ApiError:  # noqa: PLR0911 - a line for each kind
    """Return the error for Odoo's exception *name*, with its *words*; *status* is that of JSON-2."""
    name = name.rpartition(".")[2]
    if words.startswith("Traceback"):
        named, words = _last(words)
        name = name or named.rpartition(".")[2]
    words = " ".join(words.split()) or name or "an error without words"
    if missing := _NO_DATABASE.search(words):
        said = f'there is no database "{missing[1]}"'
        return Unauthorized(said, status=401, code=name, hint="Check the setting database.")
    if name in _BUSY or status == HTTPStatus.CONFLICT or any(sign in words for sign in _BUSY_WORDS):
        return Unavailable(words, status=503, code=name)  # rolled back, surely
    if name in _ANYONE or status in RETRIED - {500} or (not name and status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        return Unavailable(f"{status or ''} {words}".strip(), status=status or 500, code=name)
    if name in {"AccessDenied", "SessionExpiredException"} or status == HTTPStatus.UNAUTHORIZED:
        hint = "Check login and password (or api_key). Keys expire: Preferences > Account Security makes new ones."
        return Unauthorized(words, status=401, code=name, hint=hint)
    if name == "AccessError" or status == HTTPStatus.FORBIDDEN:
        return Forbidden(words, status=403, code=name)
    if _NO_MODEL.search(words) or (name == "KeyError" and _MODEL.fullmatch(words)):
        hint = "Is the app installed that has this model?"
        return NotFound(words, status=404, code=name, hint=hint)
    if name in {"MissingError", "NotFound"} or status == HTTPStatus.NOT_FOUND:
        return NotFound(words, status=404, code=name)
    if name == "KeyError":
        words = f"there is no {words}"
    return Refused(words, status=status or 422, code=name)


def refused_http(status: int) -> ApiError:
    """Return the error for an answer with that *status* which is no answer of Odoo's own."""
    try:
        words = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        words = str(status)
    if status in RETRIED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(words, status=status)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        hint = "Check base_url, database and protocol: JSON-2 needs Odoo 19, and the others may be switched off."
        return Unauthorized(f"{words}: the protocol is not spoken there", status=status, hint=hint)
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(words, status=status, hint="Check login and password (or api_key).")
    return (Forbidden if status == HTTPStatus.FORBIDDEN else Refused)(words, status=status)


def xml_fault(said: Mapping[str, Any]) -> ApiError | None:
    """Return the error for a fault of XML-RPC; None for the one that says a method was carried out and returned None."""
    code, words = said.get("faultCode"), str(said.get("faultString", ""))
    if _UNMARSHALLED in words:  # Odoo commits before it writes the answer
        return None
    if isinstance(code, int) and code in _XML_NAMES:
        name = _XML_NAMES[code]
        return exception("MissingError" if "does not exist or has been deleted" in words else name, words)
    name, words = _last(words)
    return exception(name, words)


def _last(traceback: str) -> tuple[str, str]:
    """Return the name and the words of the exception at the end of a Python traceback."""
    lines = traceback.strip().splitlines()
    frames = [n for n, line in enumerate(lines) if line.startswith('  File "')]
    start = (
        next((n for n in range(frames[-1], len(lines)) if not lines[n].startswith(" ")), len(lines)) if frames else 0
    )
    name, colon, words = "\n".join(lines[start:]).partition(": ")
    if re.fullmatch(r"[A-Za-z_][\w.]*", name):
        return name, words if colon else ""
    return "", "\n".join(lines[start:])
