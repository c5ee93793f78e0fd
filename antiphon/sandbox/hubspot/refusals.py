"""The replies with which the vendor refuses a request: status, category, and a body in its own shape."""

from __future__ import annotations

import json
import uuid
from typing import Any

from antiphon.sandbox.exchange import Response, json_response

VALIDATION = "VALIDATION_ERROR"


class Refusal(Exception):
    """A request, or one row of a batch, that the vendor would not accept."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.errors = errors
        self.more = more

    def response(self) -> Response:
        """The refusal as the answer to a whole request."""
        body = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "category": self.category,
            **self.more,
        }
        if self.errors:
            body["errors"] = self.errors
        return json_response(self.status, body)

    def row(self, **context: list[str]) -> dict[str, Any]:
        """The refusal as one entry of a batch's `errors`."""
        entry: dict[str, Any] = {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": context,
            **self.more,
        }
        entry["context"] = {**self.more.get("context", {}), **context}
        if self.errors:
            entry["errors"] = self.errors
        return entry


def invalid(message: str, **more: Any) -> Refusal:
    """400 VALIDATION_ERROR."""
    return Refusal(400, VALIDATION, message, **more)


def not_found(message: str, **more: Any) -> Refusal:
    """404 OBJECT_NOT_FOUND."""
    return Refusal(404, "OBJECT_NOT_FOUND", message, **more)


def invalid_values(problems: list[tuple[str, str, str]]) -> Refusal:
    """Values that properties cannot take, each as (property, code, message).

    The vendor puts them into the message as a JSON array, and since 2024 into `errors` as well.
    """
    embedded = [
        {"isValid": False, "message": message, "error": code, "name": name, "localizedErrorMessage": message}
        for name, code, message in problems
    ]
    return invalid(
        f"Property values were not valid: {json.dumps(embedded, separators=(',', ':'), ensure_ascii=False)}",
        errors=[
            {"message": message, "code": code, "context": {"propertyName": [name]}} for name, code, message in problems
        ],
    )


def too_often(policy: str, window: str) -> Response:
    """429 with the body of its own that rate limits have: `errorType` and `policyName` instead of a category."""
    body = {
        "status": "error",
        "message": f"You have reached your {window} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
        "policyName": policy,
        "requestId": uuid.uuid4().hex,
    }
    return json_response(429, body)
