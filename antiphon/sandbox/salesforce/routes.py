"""From a path to what answers it, and to the name under which it is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon.sandbox.exchange import Request, Response
from antiphon.sandbox.salesforce import batches, composites, describes, records
from antiphon.sandbox.salesforce.refusals import not_found

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context

_JOB_WORDS = {"batches", "results", "successfulResults", "failedResults", "unprocessedrecords"}
_RECORD_WORDS = {"describe", "deleted", "updated", "Id"}


def label(segments: list[str]) -> str:
    """`sobjects/Account/{id}`: the same for every version, ids, locators and external ids left out."""
    match segments:
        case ["services", "oauth2", *rest]:
            return "/".join(["oauth2", *rest])
        case ["services", "data", _, *rest]:
            return _label(rest) or "resources"
        case ["services", "data"]:
            return "versions"
    return "/".join(segments)


def _label(path: list[str]) -> str:
    match path:
        case ["sobjects", name, *rest] if rest and rest[0] not in _RECORD_WORDS:
            path = ["sobjects", name, *(["{id}"] if len(rest) == 1 else [rest[0], "{value}"])]
        case ["query" | "queryAll" as word, _]:
            path = [word, "{locator}"]
        case ["jobs", kind, _, *rest]:
            words = [next((word for word in _JOB_WORDS if word.lower() == part.lower()), part) for part in rest]
            path = ["jobs", kind, "{id}", *words]
    return "/".join(path)


def writes(method: str, name: str) -> bool:
    """Whether a call with this label would change records, or make a job that does."""
    if method == "GET" or name.startswith(("oauth2", "jobs/query")):
        return False
    return not (method == "POST" and name.startswith("composite/sobjects/"))


def dispatch(context: Context, used: int, call: Callable[[Request], Response]) -> Response:
    """The answer, or a Refusal. `call` answers a call within this one."""
    answer = _FAMILIES.get(tuple(context.path[:1])) or _FAMILIES.get(tuple(context.path[:2]))
    if answer is not None:
        return answer(context)
    match context.method, context.path:
        case "GET", []:
            return describes.resources(context)
        case "GET", ["limits"]:
            return describes.limits(context, used)
        case "POST", ["composite", "batch"]:
            return composites.batch(context, call)
        case "POST", ["composite"]:
            return composites.composite(context, call)
    raise not_found()


def _query(context: Context) -> Response:
    match context.method, context.path:
        case "GET", [word]:
            return context.state.cursors.query(context, word)
        case "GET", [_, locator]:
            return context.state.cursors.more(context, locator)
    raise not_found()


_FAMILIES: dict[tuple[str, ...], Callable[[Context], Response]] = {
    ("sobjects",): records.answer,
    ("composite", "sobjects"): batches.answer,
    ("query",): _query,
    ("queryAll",): _query,
    ("jobs", "ingest"): lambda context: context.state.ingests.answer(context),
    ("jobs", "query"): lambda context: context.state.extracts.answer(context),
}
