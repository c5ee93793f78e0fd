"""Several calls in one: `composite/batch`, each for itself, and `composite`, which may refer to what came before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Request, Response, encode, json_response
from antiphon.sandbox.salesforce.refusals import Refusal, bad_json

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context

MOST = 25
_REFERENCE = re.compile(r"@\{([\w.\[\]]+)\}")
Call = Callable[[Request], Response]


def batch(context: Context, call: Call) -> Response:
    """`POST …/composite/batch`."""
    document = context.document()
    asked = _asked(document.get("batchRequests"), "batchRequests")
    results: list[dict[str, Any]] = []
    for each in asked:
        if results and document.get("haltOnError") and results[-1]["statusCode"] >= 400:
            halted = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted by request"}]
            results.append({"statusCode": 412, "result": halted})
            continue
        target = "/services/data/" + str(each.get("url", "")).removeprefix("/services/data/").lstrip("/")
        response = call(_request(context, str(each.get("method")), target, each.get("richInput")))
        results.append({"statusCode": response.status, "result": _decoded(response)})
    failed = any(result["statusCode"] >= 400 for result in results)
    return json_response(200, {"hasErrors": failed, "results": results})


def composite(context: Context, call: Call) -> Response:
    """`POST …/composite`."""
    document = context.document()
    asked = _asked(document.get("compositeRequest"), "compositeRequest")
    all_or_none = document.get("allOrNone") is True
    known: dict[str, Any] = {}
    replies: list[dict[str, Any]] = []
    context.org.execute("SAVEPOINT composite")
    for each in asked:
        name = str(each.get("referenceId"))
        if all_or_none and replies and replies[-1]["httpStatusCode"] >= 400:
            response = _halted(
                "The transaction was rolled back since another operation in the same transaction failed."
            )
        else:
            response = _referring(context, each, known, call)
        known[name] = _decoded(response)
        reply = {"body": known[name], "httpHeaders": {}, "httpStatusCode": response.status, "referenceId": name}
        replies.append(reply)
    if all_or_none and any(reply["httpStatusCode"] >= 400 for reply in replies):
        context.org.execute("ROLLBACK TO composite")
        halted = _decoded(
            _halted("The transaction was rolled back since another operation in the same transaction failed.")
        )
        for reply in replies:
            if reply["httpStatusCode"] < 400:
                reply |= {"body": halted, "httpStatusCode": 400}
    context.org.execute("RELEASE composite")
    return json_response(200, {"compositeResponse": replies})


def _referring(context: Context, each: Mapping[str, Any], known: Mapping[str, Any], call: Call) -> Response:
    try:
        target = _filled(str(each.get("url", "")), known)
        body = json.loads(_filled(json.dumps(each["body"]), known)) if each.get("body") is not None else None
    except LookupError as error:
        return _halted(f"Invalid reference specified. No value for {error} found.")
    return call(_request(context, str(each.get("method")), target, body))


def _filled(text: str, known: Mapping[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        at: Any = known
        for part in re.findall(r"\w+", found[1]):
            try:
                at = at[int(part)] if isinstance(at, list) else at[part]
            except (LookupError, TypeError, ValueError):
                raise LookupError(found[1]) from None
        return str(at)

    return _REFERENCE.sub(value, text)


def _halted(message: str) -> Response:
    return Refusal(400, "PROCESSING_HALTED", message).response()


def _asked(given: Any, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise bad_json(f"{name} is required, and must be an array of objects")
    if len(given) > MOST:
        raise Refusal(400, "LIMIT_EXCEEDED", f"Limit of {MOST} subrequests exceeded")
    return given


def _request(context: Context, method: str, target: str, body: Any) -> Request:
    headers = {name: value for name, value in context.request.headers.items() if name != "content-length"}
    return Request(method, target.replace(" ", "+"), headers, b"" if body is None else encode(body))


def _decoded(response: Response) -> Any:
    return response.json() if response.body else None
