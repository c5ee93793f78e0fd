"""What runs had under way when they ended: found out, or struck, before anything new is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from antiphon import moment
from antiphon.api import Job, Resource, Write
from antiphon.client import Client
from antiphon.errors import Unknown
from antiphon.outcome import Kind, Outcome, Problem
from antiphon.writeback.intent import Intent, Written
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.match import Match
from antiphon.writeback.sending import Sender


def settle_open(client: Client, ledger: Ledger) -> list[Outcome]:
    """Find out what became of everything that earlier runs had under way when they ended. Call before anything new is sent.

    Returns the outcomes that are known now; what was not begun, or may simply be done again, is struck from the ledger. Of none of it
    what was known before counts.
    """
    ledger.doubt()
    ledger.not_sent(intent.change() for written in ledger.open_intents() for intent in written.not_begun())
    groups: dict[tuple[str, str], list[Written]] = {}
    for written in ledger.open_intents():
        groups.setdefault((written.resource, written.operation), []).append(written)
    known: list[Outcome] = []
    for (name, operation), group in groups.items():
        try:
            resource = client.resource(name)
        except Unknown as error:  # an object that is no more
            outcomes = [Outcome(i.change(), Kind.UNKNOWN, problem=Problem(error.message)) for i in _intents(group)]
            ledger.answered(outcomes)
            known += outcomes
            continue
        how = getattr(resource, operation, None)
        remembers = how.remembers if isinstance(how, Write) else 0
        # Under its token it is sent again, should the source send it again.
        left = [written for written in group if not remembers or _older(written.sent_at, remembers)]
        if not left:
            continue
        job = how.job if isinstance(how, Write) else None
        by_job = [written for written in left if job and written.job]
        told = _told_by_jobs(client, resource, job, by_job) if job else []
        lost = {outcome.change.token for outcome in told if outcome.kind is Kind.UNKNOWN}
        outcomes = [outcome for outcome in told if outcome.kind is not Kind.UNKNOWN]
        for outcome in outcomes:
            outcome.operation = operation
        unsettled = _intents(written for written in left if written not in by_job)
        unsettled += [intent for intent in _intents(by_job) if intent.token in lost]
        sender = Sender(client, Match(resource, client.schema(resource)), ledger=None)
        settled = sender.settle(operation, unsettled)
        found = [outcome for outcome in settled if outcome.kind is Kind.CREATED]
        ledger.found_there(found)
        ledger.answered([*outcomes, *(outcome for outcome in settled if outcome.kind is not Kind.CREATED)])
        outcomes += settled
        answered = {outcome.change.token for outcome in outcomes}
        ledger.not_sent(intent.change() for intent in _intents(left) if intent.token not in answered)
        known += outcomes
    return known


def _told_by_jobs(client: Client, resource: Resource, job: Job, group: Sequence[Written]) -> list[Outcome]:
    """Return what became of intents that jobs of the API's were to carry out, as their results tell."""
    return [
        outcome
        for written in group
        for outcome in job.results(client, resource, str(written.job), [i.change() for i in _intents([written])])
    ]


def _intents(group: Iterable[Written]) -> list[Intent]:
    return [intent for written in group for intent in written.intents.values()]


def _older(sent_at: str, seconds: float) -> bool:
    return (moment.now() - moment.parse(sent_at)).total_seconds() > seconds
