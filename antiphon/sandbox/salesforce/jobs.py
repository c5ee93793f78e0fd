"""What Bulk 2.0 jobs of both directions share: ids, columns and line ends, states, and how they become visible."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.sandbox.salesforce import moments
from antiphon.sandbox.salesforce.ids import checked
from antiphon.sandbox.salesforce.refusals import Refusal, not_found
from antiphon.sandbox.salesforce.settings import Settings

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
ENDED = {"JobComplete", "Failed", "Aborted"}
CSV = {"Content-Type": "text/csv"}


@dataclass
class Job:
    """A job. `state` is how far it is; `shown` is what a poll is told, which lags behind as the settings say."""

    id: str
    operation: str
    object: str
    version: str
    user: str
    delimiter: str = "COMMA"
    line_end: str = "LF"
    state: str = "Open"
    error: str | None = None
    created: int = field(default_factory=moments.now)
    changed: int = field(default_factory=moments.now)
    processed: int = 0
    polls: int = 0
    started: float = 0
    aborted: bool = False

    def shown(self, settings: Settings) -> str:
        """The state as the vendor tells it."""
        if self.state in {"JobComplete", "Failed"} and self.started:
            waited = time.monotonic() - self.started
            if self.polls <= settings.job_polls or waited < settings.job_seconds:
                return "InProgress"
        return self.state

    def finish(self, state: str, error: str | None = None) -> None:
        """Nothing more will happen; an abort that came first stands."""
        self.state = "Aborted" if self.aborted else state
        self.error = error
        self.changed = moments.now()

    def common(self, settings: Settings) -> dict[str, Any]:
        """What a reply about any job has in it."""
        state = self.shown(settings)
        milliseconds = int((time.monotonic() - self.started) * 1000) if self.started else 0
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.user,
            "createdDate": moments.json_text(self.created),
            "systemModstamp": moments.json_text(self.changed),
            "state": state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_end,
            "columnDelimiter": self.delimiter,
        }
        if state in ENDED:
            shown |= {"numberRecordsProcessed": self.processed, "retries": 0, "totalProcessingTime": milliseconds}
            if self.error is not None:
                shown["errorMessage"] = self.error
        return shown


class Numbering:
    """Ids of jobs, `750…`."""

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> str:
        """A new id."""
        self.count += 1
        return checked(f"7505g{self.count:010d}")


def found(jobs: Mapping[str, Any], id_: str) -> Any:
    """A job by its id of 15 or 18 characters. Raises Refusal."""
    job = jobs.get(id_) or (jobs.get(checked(id_)) if len(id_) == 15 else None)
    if job is None:
        raise not_found()
    return job


def chosen(document: Mapping[str, Any], name: str, options: Mapping[str, str], default: str) -> str:
    """A word of a new job's description. Raises Refusal."""
    word = document.get(name) or default
    if word not in options:
        raise Refusal(400, "INVALIDJOB", f"{name} must be one of {', '.join(options)}: {word}")
    return str(word)


def wrong_state(job: Job, wanted: str) -> Refusal:
    """400 INVALIDJOBSTATE."""
    return Refusal(400, "INVALIDJOBSTATE", f"Job {job.id} is {job.state}: {wanted}")


def listed(jobs: list[dict[str, Any]], root: str, start: int, page: int = 1000) -> dict[str, Any]:
    """A page of the list of jobs."""
    end = start + page
    more = f"{root}?queryLocator={end}" if end < len(jobs) else None
    return {"done": more is None, "nextRecordsUrl": more, "records": jobs[start:end]}


def start(job: Job) -> None:
    """From now on the job is worked on."""
    job.started = time.monotonic()


def run(steps: Iterator[None], lock: threading.RLock, *, apart: bool, failed: Callable[[str], None]) -> None:
    """Take all the steps: now, or in a thread of their own that leaves room for other calls in between."""

    def work() -> None:
        try:
            while True:
                with lock:
                    next(steps)
                # A lock that is taken again at once is not let go of.
                time.sleep(0.002)
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - the thread's end must show in the job
            failed(f"InternalServerError : {type(error).__name__}: {error}")

    if apart:
        threading.Thread(target=work, name="sandbox-bulk", daemon=True).start()
    else:
        work()
