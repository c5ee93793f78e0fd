"""What goes wrong inside the vendor's server, by the name of its Python exception."""

from __future__ import annotations

from typing import Any

USER = "odoo.exceptions.UserError"
VALIDATION = "odoo.exceptions.ValidationError"
MISSING = "odoo.exceptions.MissingError"
ACCESS = "odoo.exceptions.AccessError"
DENIED = "odoo.exceptions.AccessDenied"
SESSION = "odoo.http.SessionExpiredException"
SERIALIZATION = "psycopg2.errors.SerializationFailure"

STATUS = {
    USER: 422,
    VALIDATION: 422,
    MISSING: 404,
    ACCESS: 403,
    DENIED: 403,
    "werkzeug.exceptions.BadRequest": 400,
    "werkzeug.exceptions.Unauthorized": 401,
    "werkzeug.exceptions.Forbidden": 403,
    "werkzeug.exceptions.NotFound": 404,
    "werkzeug.exceptions.UnprocessableEntity": 422,
}
"""The HTTP status JSON-2 gives an exception; 500 for any other."""

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/opt/odoo/odoo/http.py", line 2098, in _transactioning\n'
    "    return service_model.retrying(func, env=self.env)\n"
    '  File "/opt/odoo/odoo/service/model.py", line 152, in retrying\n'
    "    result = func()\n"
)


class Failure(Exception):
    """An exception of the vendor's server: its full name, its message, its arguments."""

    def __init__(self, name: str, message: str, arguments: list[Any] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.arguments = [message] if arguments is None else arguments

    @property
    def status(self) -> int:
        """The HTTP status under JSON-2."""
        return STATUS.get(self.name, 500)

    @property
    def trace(self) -> str:
        """The whole traceback, as the vendor sends it to its callers."""
        return f"{TRACE}{self.name.removeprefix('builtins.')}: {self.message}\n"

    def document(self) -> dict[str, Any]:
        """The five fields that JSON-RPC's `error.data` and a JSON-2 error share."""
        return {
            "name": self.name,
            "message": self.message,
            "arguments": self.arguments,
            "context": {},
            "debug": self.trace,
        }


def user(message: str) -> Failure:
    """The vendor's UserError."""
    return Failure(USER, message)


def validation(message: str) -> Failure:
    """The vendor's ValidationError."""
    return Failure(VALIDATION, message)


def access(message: str) -> Failure:
    """The vendor's AccessError: the user may not."""
    return Failure(ACCESS, message)


def denied() -> Failure:
    """The vendor's AccessDenied: these are no valid credentials."""
    return Failure(DENIED, "Access Denied")


def wrong_value(message: str) -> Failure:
    """Python's ValueError, which the vendor lets through as it is."""
    return Failure("builtins.ValueError", message)


def wrong_type(message: str) -> Failure:
    """Python's TypeError, likewise."""
    return Failure("builtins.TypeError", message)


def http(status_name: str, status: int, description: str) -> Failure:
    """An HTTP error raised by a controller, such as `http("NotFound", 404, ...)`."""
    return Failure(f"werkzeug.exceptions.{status_name}", description, [description, status])


def missing(model: str, ids: tuple[int, ...], uid: int) -> Failure:
    """The vendor's MissingError for records that are not there."""
    shown = f"{model}({', '.join(map(str, ids))}{',' if len(ids) == 1 else ''})"
    return Failure(
        MISSING,
        f"Record does not exist or has been deleted.\n(Record: {shown}, User: {uid})",
    )


def serialization() -> Failure:
    """What PostgreSQL says when two transactions change one row, and the vendor's own five retries were in vain."""
    return Failure(SERIALIZATION, "could not serialize access due to concurrent update\n")


def required(model: str, label: str, field: str, string: str, version: int) -> Failure:
    """A mandatory field is not set. The words changed with version 18."""
    if version < 18:
        return validation(
            "The operation cannot be completed:\n"
            "- Create/update: a mandatory field is not set.\n"
            "- Delete: another model requires the record being deleted. If possible, archive it instead.\n\n"
            f"Model: {label} ({model})\nField: {string} ({field})\n"
        )
    return validation(
        f"Missing required value for the field '{string}' ({field}).\n"
        f"Model: '{label}' ({model})\n"
        "- create/update: a mandatory field is not set\n"
        "- delete: another model requires the record being deleted, you can archive it instead\n"
    )


def referenced(model: str, label: str, field: str) -> Failure:
    """A foreign key stands in the way of a deletion, or leads nowhere."""
    return validation(
        "The operation cannot be completed: another model requires the record being deleted. "
        "If possible, archive it instead.\n\n"
        f"Model: {label} ({model})\nConstraint: {model.replace('.', '_')}_{field}_fkey\n"
    )
