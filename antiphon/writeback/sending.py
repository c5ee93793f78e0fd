"""Changes on their way to an API: intent written down, sent, answer written down; what was lost is found out.

What is safe to repeat is sent again, and a creation where a look-up proves that it was not done. What no look-up can tell
ends as unknown, and is never sent again blindly.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from antiphon import moment
from antiphon.api import Job, Record, Write
from antiphon.client import Client
from antiphon.errors import (
    BadReply,
    DescriptionError,
    ForeignHost,
    Interrupted,
    Refused,
    SettingError,
    Unauthorized,
    Unavailable,
)
from antiphon.outcome import Change, Kind, Outcome, Problem, rejected
from antiphon.writeback.batch import Batch
from antiphon.writeback.flights import Flights, Steps
from antiphon.writeback.intent import Intent
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.lookup import LookUp
from antiphon.writeback.match import Match

log = logging.getLogger("antiphon.writer")

_REFUSALS = 20
"""So many 403s to single records in the same words, and nothing else before, are taken to be about the credential; fewer may be about the records."""
_SETTLE_TRIES = 5
"""How often in a row a batch is sent of which nothing comes through and that is found not to be there; in between, full jitter from
0-1 s on. One that was taken apart, with some of its parts lost, comes further each time."""


class Sender:
    """Sends the changes to one resource, in requests as large as the API takes."""

    def __init__(
        self,
        client: Client,
        match: Match,
        *,
        stream: str = "",
        ledger: Ledger | None,
        lookup: LookUp | None = None,
        flights: Flights | None = None,
    ) -> None:
        """Write to the *ledger* in the name of *stream*; *lookup* is told what was written.

        Each of the *flights* is with other records. What nothing identifies is written in the order it came, and so is what a function
        of the description's writes, or a job.
        """
        self._flights = flights or Flights()
        self._client, self._resource, self._match = client, match.resource, match
        self._stream, self._ledger, self._lookup = stream or match.resource.name, ledger, lookup
        self.ended: Problem | None = None
        """Why nothing more is sent: the credential may not do it, whatever the record."""
        self._refusals: dict[str, tuple[str, int] | None] = {}
        """By operation: the words of the 403s that single records got, and how many; None once there was anything else."""

    def __call__(self, batch: Batch, operation: str, changes: list[Change]) -> Steps[None]:
        """Carry out *operation* for *changes*, and settle each in the batch."""
        how = getattr(self._resource, operation)
        if not changes or how is None:
            for change in changes:
                batch.settle(rejected(change, f"{self._client.api.name} cannot {operation} {self._resource.name}"))
            return
        job = self._job(how, changes)
        ordered = job or not isinstance(how, Write) or (operation == "create" and any(c.by is None for c in changes))
        while ordered and not batch.first:
            yield
        whole = self._ledger is not None and not job and self._findable(how, operation, changes)
        size = job.most if job else how.batch if isinstance(how, Write) else 1
        if whole:
            again = isinstance(how, Write) and (how.safe or how.remembers > 0)
            changes = self._intended(batch, operation, changes, each=0 if again else size)
        groups = [changes[start : start + size] for start in range(0, len(changes), size)]
        send = partial(self._settled, batch, operation, job=job, whole=whole)
        heard: list[Outcome] = []
        told = partial(self._told, batch, operation, heard)
        try:
            yield from self._flights.fly(send, groups, told, most=1 if ordered else 0, turn=batch.turn)
        except Exception:
            if self._ledger and whole:
                self._ledger.not_sent(c for c in changes if c.token not in batch.begun)
            raise
        finally:
            if self._ledger and whole:
                self._ledger.answered(heard, batch.version, sure=False)

    def _told(self, batch: Batch, operation: str, heard: list[Outcome], outcomes: list[Outcome]) -> None:
        heard += outcomes
        for outcome in outcomes:
            if self._lookup:
                self._lookup.remember(operation, outcome)
            batch.settle(outcome)

    def _findable(self, how: Any, operation: str, changes: Sequence[Change]) -> bool:
        """Return whether it can be found out later what became of *changes*, or they may simply be done again.

        Then all of them are written down at once, and so are their answers: few words for many requests.
        """
        if isinstance(how, Write) and (how.safe or how.remembers):
            return True
        found = self._resource.find is not None and operation == "create"
        return found and all(by is not None and self._match.prompt(by) for by in {c.by for c in changes})

    def settle(self, operation: str, intents: Sequence[Intent]) -> list[Outcome]:
        """Find out what became of *intents*, all of one operation. What has no outcome may simply be done again."""
        said = Problem("the run ended before the answer came")
        lost = [Outcome(intent.change(), Kind.UNKNOWN, problem=said, operation=operation) for intent in intents]
        return self._found_out(operation, lost)[0]

    def _job(self, how: Any, changes: Sequence[Change]) -> Job | None:
        """Return how *changes* are written as a job of the API's, if there are enough of them to be worth one."""
        job = how.job if isinstance(how, Write) else None
        if job is None or len({change.by for change in changes}) != 1 or changes[0].by is None:
            return None
        above = int(self._client.settings.get(job.above) or 0)
        return job if 0 < above < len(changes) else None

    def _by_job(self, job: Job, operation: str, group: list[Change]) -> Iterator[Outcome]:
        try:
            id = job.open(self._client, self._resource, group)
        except Refused as error:
            where = f"{self._client.api.name}: {self._stream}"
            log.info("%s: written without a job, for it was refused: %s", where, error.message)
            yield from self._client.write(self._resource, operation, group)
            return
        if self._ledger:
            self._ledger.under_way(id, group)
        job.start(self._client, self._resource, id, group)
        yield from job.results(self._client, self._resource, id, group)

    def _intended(self, batch: Batch, operation: str, changes: list[Change], *, each: int = 0) -> list[Change]:
        """Write down what is about to be sent, so many in *each* request if these are told apart; return it without what waits for another run."""
        if self._ledger is None:
            return changes
        marks = [(batch.identities[c.token], batch.keys.get(c.token), batch.position(c)) for c in changes]
        of = (self._stream, self._resource.name, operation)
        busy = self._ledger.intend(*of, changes, marks, seen=batch.again, each=each, along=self._flights.most)
        batch.busy += busy
        waits = {c.token for c in busy}
        return [c for c in changes if c.token not in waits]

    def _settled(
        self, batch: Batch, operation: str, group: list[Change], *, job: Job | None, whole: bool
    ) -> list[Outcome]:
        """Send *group*, and again what was lost and surely not done; return what became of each.

        Of a *whole* set of changes the ledger is told before and afterwards.
        """
        if self.ended:
            return [Outcome(change, Kind.REJECTED, change.id, self.ended) for change in group]
        known: list[Outcome] = []
        tries = 0
        while group:
            outcomes = self._sent(batch, operation, group, job, whole=whole)
            lost = [o for o in outcomes if o.kind is Kind.UNKNOWN]
            known += [o for o in outcomes if o.kind is not Kind.UNKNOWN]
            settled, again, others = self._found_out(operation, lost) if lost else ([], [], [])
            if others:
                if self._ledger:
                    self._ledger.in_doubt(others)
                batch.busy += others
            tries = tries + 1 if len(again) == len(group) else 0
            if tries == _SETTLE_TRIES:
                settled, again = settled + self._given_up(operation, again, of=len(outcomes)), []
            if self._ledger and settled and not whole:
                self._ledger.answered(settled, batch.version)
            known += settled
            group = [o.change for o in again]
            if group:
                try:
                    self._client.http.pauses.wait(random.uniform(0, 2.0 ** max(tries - 1, 0)))  # noqa: S311
                except Interrupted:
                    self._answered(batch, known)
                    raise
        self._heed_refusals(operation, known)
        return known

    def _heed_refusals(self, operation: str, outcomes: list[Outcome]) -> None:
        """End the stream on a 403 that is about the credential: of a whole batch, or of the first few when nothing went before."""
        problems = [o.problem for o in outcomes if o.problem and o.problem.status == HTTPStatus.FORBIDDEN]
        before = self._refusals.get(operation, ("", 0))
        if len(problems) < len(outcomes) or before is None:
            self._refusals[operation] = None
        elif problems:
            words, count = before
            count = count + 1 if problems[0].message == words else 1
            self._refusals[operation] = problems[0].message, count
        if problems and (len(outcomes) == len(problems) > 1 or (self._refusals[operation] or ("", 0))[1] == _REFUSALS):
            self.ended = problems[0]

    def _sent(
        self, batch: Batch, operation: str, group: list[Change], job: Job | None, *, whole: bool
    ) -> list[Outcome]:
        """Write the intent down, send, write the outcomes down."""
        sent_at = moment.rfc3339(moment.now())
        batch.begun |= {c.token for c in group}
        if not whole:
            group = self._intended(batch, operation, group)
        elif self._ledger:
            self._ledger.begun(group[-1])
        if not group:
            return []
        outcomes: list[Outcome] = []
        try:
            by_job = self._by_job(job, operation, group) if job else None
            outcomes.extend(by_job or self._client.write(self._resource, operation, group))
        except DescriptionError as error:  # the record lacks what the path needs
            outcomes.extend(rejected(change, error.message, brief=error.message) for change in group)
        except Interrupted:  # the next run finds out what became of the rest
            self._answered(batch, outcomes)
            raise
        except (Unavailable, Unauthorized, ForeignHost, SettingError) as error:
            # What has no outcome was not written, save what is safe to repeat: that was perhaps sent before, and not answered.
            how = getattr(self._resource, operation)
            perhaps = job is not None or (
                isinstance(error, Unavailable) and isinstance(how, Write) and how.remembers > 0 and not how.safe
            )
            if self._ledger:
                self._ledger.answered(outcomes, batch.version)
                answered = {o.change.token for o in outcomes}
                self._ledger.in_doubt(c for c in group if c.token not in answered and not perhaps)
            raise
        done_at = moment.rfc3339(moment.now())
        for outcome in outcomes:
            outcome.operation, outcome.sent_at, outcome.done_at = operation, sent_at, done_at
        if not whole:
            self._answered(batch, outcomes)
        return outcomes

    def _answered(self, batch: Batch, outcomes: Iterable[Outcome]) -> None:
        """Write down what became of what was sent; what is unknown stays an open intent until it is found out."""
        if self._ledger:
            self._ledger.answered([o for o in outcomes if o.kind is not Kind.UNKNOWN], batch.version)

    def _given_up(self, operation: str, again: list[Outcome], *, of: int) -> list[Outcome]:
        """Return the outcomes of what may be sent again after its last try: it is rejected, to be piped in again.

        Raises:
            BadReply: no answer to any of a batch, *of* so many, was one that the API documents.
        """
        first = again[0].problem if again else None
        if first and len(again) == of and HTTPStatus.OK <= first.status < HTTPStatus.MULTIPLE_CHOICES:
            if self._ledger:
                self._ledger.in_doubt(o.change for o in again)
            doing = f"{self._client.api.name}: {operation} of {self._resource.name}"
            raise BadReply(f"{doing} -> {first.message.partition(' -> ')[2] or first.message}", status=first.status)
        for outcome in again:
            outcome.kind = Kind.REJECTED
        return again

    def _found_out(self, operation: str, lost: list[Outcome]) -> tuple[list[Outcome], list[Outcome], list[Change]]:
        """Return what became of changes whose answer was lost, those that may be sent again, and those to look at anew.

        What is safe to repeat may be sent again; a creation may where a look-up proves that it was not done. Where there is one that
        has other values, somebody else has made it, or changed it since.
        """
        how = getattr(self._resource, operation)
        if isinstance(how, Write) and (how.safe or how.remembers):
            return [], lost, []
        settled, again, others = [], [], []
        for by in dict.fromkeys(o.change.by for o in lost):
            those = [o for o in lost if o.change.by == by]
            if by is None or self._resource.find is None or operation != "create":
                settled += those
                continue
            asked = {
                by,
                *self._resource.key,
                *self._resource.within,
                *([self._match.further[by]] if by in self._match.further else []),
                *(name for o in those for name in o.change.record),
            }
            found: dict[Any, list[Record]] = {}
            for record in self._client.find(self._resource, by, [o.change.value for o in those], tuple(sorted(asked))):
                for key in self._match.keys_in(by, record):
                    found.setdefault(key, []).append(record)
            for outcome in those:
                there = found.get(self._match.key_of(outcome.change), [])
                mine = next((record for record in there if self._match.agrees(outcome.change.record, record)), None)
                if mine is not None:
                    outcome.kind, outcome.id, outcome.problem = Kind.CREATED, self._match.id(mine), None
                    settled.append(outcome)
                elif there:
                    others.append(outcome.change)
                elif self._match.prompt(by):
                    again.append(outcome)
                else:
                    settled.append(outcome)
        return settled, again, others
