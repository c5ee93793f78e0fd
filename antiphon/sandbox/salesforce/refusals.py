"""The replies with which the vendor refuses a request or a row: a code, a message, and the fields it is about."""

from __future__ import annotations

from typing import Any

from antiphon.sandbox.exchange import Response, json_response


class Refusal(Exception):
    """A request the vendor would not accept: a JSON array with one error."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def response(self) -> Response:
        """The refusal as the answer to a whole request."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return json_response(self.status, [error])


class RowError(Exception):
    """One row that was not written, in the words of the vendor's row results."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields

    def document(self) -> dict[str, Any]:
        """As an entry of a row's `errors`."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def refusal(self) -> Refusal:
        """As the answer to a request that wrote this row alone."""
        return Refusal(404 if self.code == "ENTITY_IS_DELETED" else 400, self.code, self.message, self.fields)

    def line(self) -> str:
        """As the `sf__Error` of a Bulk job."""
        return f"{self.code}:{self.message}:{' '.join(self.fields)} --"


class WrongType(Exception):
    """A value that is not of its field's type; what follows depends on the route."""

    def __init__(self, field: str, label: str, kind: str, value: object) -> None:
        super().__init__(field)
        self.field = field
        self.label = label
        self.kind = kind
        self.value = value

    def row(self) -> RowError:
        """In a row of CSV."""
        message = f"{self.label}: value not of required type: {self.value}"
        return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, self.field)

    def refusal(self) -> Refusal:
        """In a document: the whole request is refused, whatever else is in it."""
        shape = "VALUE_STRING" if isinstance(self.value, str) else "VALUE_NUMBER"
        return Refusal(
            400,
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of {self.kind} from {shape} value {self.value} or request may be missing "
            "a required field at [line:1, column:2]",
        )


def not_found() -> Refusal:
    """404 NOT_FOUND."""
    return Refusal(404, "NOT_FOUND", "The requested resource does not exist")


def bad_json(message: str) -> Refusal:
    """400 JSON_PARSER_ERROR."""
    return Refusal(400, "JSON_PARSER_ERROR", message)
