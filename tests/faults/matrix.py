"""One cell of the matrix: records are written to an API through a fault, until all are accounted for; then it is judged.

The judge compares what was piped in with what the emulator itself shows. It believes neither the ledger nor a word of the
target's, except for what it is there to hold against the truth: a receipt of each record, and the reasons of rejects. A cell
whose fault did not strike, or hardly, is not as it should be; nor is one with more unknowns than answers were lost.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from singer import pipes

from antiphon.sandbox import Server

from .watch import Watch
from .writings import Writing

STATE_EVERY = 500
MOST_RUNS = 8
FULL = "/dev/full"
ROOM = 120_000, 65
"""Bytes that a file may grow to where the disk is full, and as many more for each record: the ledger, which is told before, is full
before the receipts are."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong in a cell."""

    shares: Mapping[str, float] = field(default_factory=dict)
    """Which share of the calls fails, and how."""
    killed: tuple[str, ...] = ()
    """The moments, one a run, at which it is killed; see :mod:`.struck`."""
    full: str = ""
    """What finds no room on the disk in the first run."""
    expires: int = 0
    """The write that finds its token expired, and all after it, until there is another."""
    spoilt: bool = False
    """Whether every fiftieth record is one that the API refuses."""
    twice: bool = False
    """Whether every tenth record comes twice, with another text the second time."""


FAULTS: dict[str, Fault] = {
    "429 storm": Fault({"429": 0.3}),
    "500": Fault({"500": 0.1}),
    "cut body": Fault({"cut": 0.1}),
    "timeout before commit": Fault({"timeout": 0.1}),
    "timeout after commit": Fault({"commit-timeout": 0.1}),
    "partial batch": Fault(spoilt=True),
    "token expires": Fault(expires=4),
    "duplicate keys": Fault(twice=True),
    "kill at intent": Fault(killed=("intent 1", "intent 2")),
    "kill at sent": Fault(killed=("sent 1", "sent 3")),
    "kill at answered": Fault(killed=("answered 1", "answered 2")),
    "kill at recorded": Fault(killed=("recorded 1", "recorded 2")),
    "disk full: ledger": Fault(full="ledger"),
    "disk full: rejects": Fault(full="rejects", spoilt=True),
    "disk full: receipts": Fault(full="receipts"),
    "all at once": Fault(
        {"429": 0.1, "500": 0.02, "502-html": 0.01, "cut": 0.02, "timeout": 0.02, "commit-timeout": 0.02},
        killed=("sent 3",), spoilt=True, twice=True,
    ),
}  # fmt: skip


@dataclass
class Verdict:
    """What came of a cell."""

    api: str
    writing: str
    fault: str
    once: bool
    records: int
    server: str
    """What the API is behind all this."""
    lost: int = 0
    """Records that are not there, or not as they were sent last (in mode create: first), and of which nobody was told."""
    duplicated: int = 0
    rejected: int = 0
    unknown: int = 0
    runs: int = 0
    strikes: int = 0
    """How often the fault struck: calls, kills and full disks, or records where it is in them."""
    calls: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    """What is wrong with it; nothing, if it is as it has to be."""


def cell(writing: Writing, name: str, folder: Path, records: int) -> Verdict:
    """Write so many *records* through the fault *name*; return what came of it."""
    with writing.started() as server:
        return _Cell(writing, name, folder, server, records).judged()


class _Cell:
    def __init__(self, writing: Writing, name: str, folder: Path, server: Server, records: int) -> None:
        self.writing, self.fault, self.folder, self.server = writing, FAULTS[name], folder, server
        self.app: Any = server.app
        self.verdict = Verdict(writing.api, writing.name, name, writing.once, records, writing.server)
        self.sent, self.bad = self._piped(records)
        self.held = min(writing.held, max(records // 30, 1))
        self.watch = Watch(self.app, writing.keys, expires=self.fault.expires)
        self.ended: Counter[str] = Counter()
        """How many runs ended in each way that leaves answers unread: at a moment of :mod:`.struck`, or with a full disk."""
        self.receipts: list[dict[str, Any]] = [{}] * records
        """The last receipt of the record at each place of what is piped in."""
        self.done = 0
        """Up to which record a STATE says that all is accounted for."""

    def _piped(self, records: int) -> tuple[list[dict[str, Any]], set[int]]:
        writing, fault = self.writing, self.fault
        sent, bad = [], set()
        for n in range(records):
            again = fault.twice and n % 10 == 9
            row = writing.record(n - 1 if again else n, "Later" if again and writing.matched else "New")
            if fault.spoilt and n % 50 == 25:
                bad.add(n)
                row = writing.spoiled(n, row)
            sent.append(row)
        if writing.mode == "upsert":
            for n in range(0, records, 2):
                if n not in bad:
                    writing.add(self.app, writing.record(n, "Old"))
        return sent, bad

    def judged(self) -> Verdict:
        """Run until all is accounted for, and judge."""
        began = time.monotonic()
        self.app.set_faults(self.fault.shares)
        ran = None
        while self.verdict.runs < MOST_RUNS and (ran is None or self.done < len(self.sent)):
            ran = self._run(self.verdict.runs)
            self.verdict.runs += 1
        self.app.set_faults({})
        self.verdict.seconds = time.monotonic() - began
        self.verdict.calls = self.app.count()
        assert ran
        self._hold_against_the_truth()
        self._hold_against_what_was_told(ran)
        self._hold_against_what_struck()
        return self.verdict

    # The runs

    def _run(self, number: int) -> pipes.Ran:
        fault, path = self.fault, self.folder / f"receipts-{number}.jsonl"
        full = fault.full if number == 0 else ""
        config = {
            **self.server.config,
            **self.writing.config,
            "state_dir": str(self.folder / "state"),
            "streams": {self.writing.resource: self.writing.plan},
            "batch_size_rows": self.held,
            "rejects": FULL if full == "rejects" else str(self.folder / "rejects.jsonl"),
            "receipts": FULL if full == "receipts" else str(path),
        }
        (self.folder / "config.json").write_text(json.dumps(config))
        moment = fault.killed[number] if number < len(fault.killed) else "never 0"
        room = ROOM[0] + ROOM[1] * len(self.sent)
        process = pipes.Process(
            str(Path(__file__).with_name("struck.py")), self.writing.plugin, *moment.split(), "--config", "config.json",
            folder=self.folder, command=sys.executable, preexec=partial(_limit, room) if full == "ledger" else None,
        )  # fmt: skip
        process.give(*self._messages(), close=True)
        ran = process.ended(240)
        self._follow(ran, path, killed=moment if number < len(fault.killed) else "", full=full)
        if fault.expires and ran.code == 1 and self.done < len(self.sent):
            self.app.renew_token()
        return ran

    def _messages(self) -> Sequence[pipes.Message]:
        writing = self.writing
        columns: dict[str, Any] = {name: {} for row in self.sent for name in row}
        messages = [pipes.schema(writing.resource, **columns)]
        every = min(STATE_EVERY, max(len(self.sent) // 10, 1))
        for n, row in enumerate(self.sent[self.done :], self.done + 1):
            messages.append(pipes.record(writing.resource, **row))
            if n % every == 0 or n == len(self.sent):
                messages.append(pipes.state({"done": n}))
        return messages

    def _follow(self, ran: pipes.Ran, path: Path, *, killed: str, full: str) -> None:
        """Take note of the receipts of a run, and of how far it came."""
        if "Traceback" in ran.err:
            self._wrong(f"a traceback: {ran.last}")
        struck = ran.code == -9
        if ran.code not in {0, 1} and not (killed and struck):
            self._wrong(f"exit code {ran.code}: {ran.last}")
        if killed and struck:
            self.ended[killed.split(maxsplit=1)[0]] += 1
        elif killed:
            self._wrong("it was not killed")
        if full and ran.code == 1 and full in ran.last:
            self.ended["full"] += 1
        elif full:
            self._wrong(f"a full disk ended with {ran.code}: {ran.last}")
        rows = [m["record"] for m in pipes.read(path, killed=struck) if m["type"] == "RECORD"]
        self.receipts[self.done : self.done + len(rows)] = rows
        if ran.states:
            self.done = ran.states[-1]["done"]
        bad = any(row["outcome"] in {"rejected", "unknown"} for row in rows)
        if not struck and ran.code != (1 if bad else 0) and self.done == len(self.sent):
            self._wrong(f"exit code {ran.code}, and there {'were' if bad else 'were no'} rejects or unknowns")

    # The judge

    def _hold_against_the_truth(self) -> None:
        writing, verdict = self.writing, self.verdict
        outcomes = [receipt.get("outcome", "") for receipt in self.receipts]
        wanted: Counter[str] = Counter()
        texts: dict[str, str] = {}
        unknown: Counter[str] = Counter()
        for n, row in enumerate(self.sent):
            if n in self.bad:
                continue
            key = row[writing.key]
            wanted[key] = 1 if writing.matched else wanted[key] + 1
            texts[key] = texts.get(key, row[writing.text]) if writing.mode == "create" else row[writing.text]
            unknown[key] += outcomes[n] == "unknown"
        shown = writing.there(self.app)
        there = Counter(key for key, _ in shown)
        missing = {key: n - there[key] for key, n in wanted.items() if there[key] < n}
        stale = [key for key, text in shown if key in texts and text != texts[key]]
        told = 0 if writing.once else sum(min(n, unknown[key]) for key, n in missing.items())
        verdict.lost = sum(missing.values()) - told + len(stale)
        verdict.duplicated = sum(max(0, n - wanted[key]) for key, n in there.items())
        if writing.once and unknown.total():
            self._wrong(f"{unknown.total()} unknown, where it is to be done exactly once")
        if verdict.lost:
            self._wrong(f"lost: {[*missing, *stale][:3]}")
        if verdict.duplicated:
            self._wrong(f"duplicated: {[key for key, n in there.items() if n > wanted[key]][:3]}")

    def _hold_against_what_was_told(self, last: pipes.Ran) -> None:
        verdict, outcomes = self.verdict, Counter(receipt.get("outcome", "none") for receipt in self.receipts)
        verdict.rejected, verdict.unknown = outcomes["rejected"], outcomes["unknown"]
        if self.done < len(self.sent):
            self._wrong(f"after {verdict.runs} runs only {self.done} are accounted for: {last.last}")
        if outcomes["none"]:
            self._wrong(f"{outcomes['none']} without a receipt")
        rejected = {n for n, receipt in enumerate(self.receipts) if receipt.get("outcome") == "rejected"}
        if good := rejected - self.bad:
            self._wrong(f"{len(good)} rejected that are good: {self.receipts[min(good)]['error']}")
        perhaps = {n for n, receipt in enumerate(self.receipts) if receipt.get("outcome") == "unknown"}
        if through := self.bad - rejected - perhaps:
            self._wrong(f"{len(through)} not rejected that are bad")
        reasons = [r["error"] for r in self.receipts if r.get("outcome") in {"rejected", "unknown"}]
        if not all(reasons):
            self._wrong(f"{len(reasons) - sum(map(bool, reasons))} rejects or unknowns without a reason")
        kept = [m for m in pipes.read(self.folder / "rejects.jsonl") if m["type"] == "RECORD"]
        given = Counter(json.dumps(self.sent[n]) for n in rejected)
        if set(given) - {json.dumps(m["record"]) for m in kept if m["error"]["message"]}:
            self._wrong("a reject is not in its file, with a reason")

    def _hold_against_what_struck(self) -> None:
        fault, verdict, struck = self.fault, self.verdict, self.watch.struck
        chance = sum(struck[kind] for kind in fault.shares)
        verdict.strikes = chance + struck["expired"] + self.ended.total()
        if not (fault.shares or fault.expires or fault.killed or fault.full):
            again = len(self.sent) - len({row[self.writing.key] for row in self.sent})
            rejected = sum(receipt.get("outcome") == "rejected" for receipt in self.receipts)
            verdict.strikes = rejected if fault.spoilt else again
        if verdict.strikes == 0:
            self._wrong("the fault never struck")
        if fault.expires and not struck["expired"]:
            self._wrong("no call found its token expired")
        if chance < (wanted := self.watch.expected(fault.shares)) / 3:
            self._wrong(f"only {chance} calls were struck, of {wanted:.0f} that should have been")
        lost = self.watch.lost
        unexplained = [
            row[self.writing.key]
            for row, receipt in zip(self.sent, self.receipts, strict=True)
            if receipt.get("outcome") == "unknown" and row[self.writing.key] not in lost
        ]
        perhaps = self.held * (
            self.ended.total() - self.ended["recorded"]
        )  # of these, one request at a time is under way
        if len(unexplained) > perhaps:
            self._wrong(f"{len(unexplained)} unknown whose answer was not lost, such as {unexplained[-1]}")

    def _wrong(self, what: str) -> None:
        self.verdict.faults.append(what)


def _limit(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
