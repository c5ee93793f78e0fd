"""The accounts of a run: what became of each record, in counts, receipts and rejects; the STATE this makes due; a summary.

Receipts and rejects are on the disk before a STATE that covers their records is written.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import msgspec

from antiphon import moment
from antiphon.errors import SettingError, one_line
from antiphon.fill import text
from antiphon.outcome import Change, Kind, Outcome, Problem
from antiphon.singer.cli import writing
from antiphon.singer.due import States
from antiphon.singer.plan import share
from antiphon.singer.rejects import RECEIPT_SCHEMA, RECEIPTS, MessageFile, expire, hold, receipt, reject
from antiphon.writeback import inspection
from antiphon.writeback.ledger import Ledger, Payload
from antiphon.writeback.mirror import Kept

if TYPE_CHECKING:
    from antiphon.singer.sink import Held, Sink

_LABEL, _WORDS = 80, 500
"""Characters, at most, of what a record is called by and of the words about it, in a line of the log."""
_EXPIRING = "rejects/*.jsonl", "undo/*.jsonl", "*.ledger.sqlite3.corrupt-*"
"""What is kept in the state folder for the days that are set, and no longer."""
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


_UNTOLD = Problem("what was said of it is not known any more", brief="what was said of it was not kept")
"""Of a record that an earlier run has sent, whose ledger may not keep words."""


def _bare(outcome: Outcome) -> str:
    """Return what may be said of any *outcome* that is bad."""
    if outcome.kind is Kind.UNKNOWN:
        return "sent, and not known to be done"
    return "refused after it was sent" if outcome.sent_at else "refused before it was sent"


class Accounts:
    """The accounts of one run of a target."""

    def __init__(
        self,
        name: str,
        folder: Path,
        config: Mapping[str, Any],
        *,
        api: str,
        started: int,
        log: logging.Logger,
        known_as: Callable[[str], str],
    ) -> None:
        """Keep the files where *config* says, else in *folder*; *known_as* tells what the ledger, which is found by *api* and *config*, calls a stream.

        Raises:
            SettingError: rejects and receipts are to be one file, or ``max_rejects`` is no number and no share.
        """
        self.name, self._log, self._known_as, self._api = name, log, known_as, api
        self._streams: Collection[str] = config.get("streams") or ()
        self._most = share(config.get("max_rejects", 0), f"{name}: max_rejects")
        self.payload: Payload = config.get("payload") or "full"
        path = config.get("rejects") or folder / "rejects" / f"{name}-{started}.jsonl"
        self.rejects = MessageFile(Path(path), f"{name}: rejects")
        undo = folder / "undo" / f"{name}-{started}.jsonl"
        self.undo = MessageFile(undo, f"{name}: undo", left="What it was to keep was not taken away")
        self._days: int | None = config.get("retention_days")
        self._folder = folder
        receipts = config.get("receipts")
        self.receipts = MessageFile(Path(receipts), f"{name}: receipts") if receipts else None
        if self.receipts and self.receipts.path.absolute() == self.rejects.path.absolute():
            raise SettingError(f"{name}: rejects and receipts cannot be one file: {self.rejects.path}")
        self.ledger: Ledger | None = None
        """The connection's, once it is open."""
        self.states = States()
        self._counts: dict[str, Counter[Kind]] = {}
        self._kept_back = False
        """Whether a mirror did not do what it is for, and somebody has to see to it."""

    def begin(self, source: IO[bytes]) -> None:
        """Begin to read *source*: nobody deletes it from now on. Files of earlier runs go whose days are over.

        Raises:
            SettingError: one of the files is the very one that *source* reads.
        """
        files = [file for file in (self.rejects, self.receipts) if file]
        for file in files:
            file.refuse_input(source)
        hold(source)
        if self._days is not None:
            old = (path for pattern in _EXPIRING for path in self._folder.glob(pattern))
            expire(old, self._days, [file.path.absolute() for file in files])

    # While it runs

    def account(self, sink: Sink, held: Sequence[Held], outcomes: Sequence[Outcome]) -> None:
        """Take note of what became of the records that *sink* held, in their order: receipts, rejects, then STATE."""
        stream = sink.stream_name
        self._count(sink, outcomes)
        for h, outcome in zip(held, outcomes, strict=True):
            if outcome.kind in {Kind.REJECTED, Kind.UNKNOWN}:
                outcome.problem = outcome.problem or _UNTOLD
                if outcome.problem is not sink.ended:
                    which, why = self._which(sink, h, outcome.change), self._why(outcome.problem, _bare(outcome))
                    self._log.warning("%s: %s %s: %s", stream, which, outcome.kind.value, why)
                if outcome.kind is Kind.REJECTED:
                    row = reject(h.received, outcome.problem, [*h.source.keys, *sink.writer.match.names], self.payload)
                    self.rejects.write(h.source.stream, h.source.schema, h.source.keys, [row], self.payload)
        if (ended := sink.writer.send.ended) and ended is not sink.ended:
            sink.ended = ended
            self._say(f"{stream}: {self._why(ended)}; what else came of it is in {self.rejects.path}")
        self.pass_over(stream, len(held))

    def _which(self, sink: Sink, held: Held, change: Change) -> str:
        """Return what *held* is called by: what it is matched by, else its key in the stream, else its number; that alone if no key may be told."""
        found = change.value if change.value not in (None, "") else change.id
        if found is None and self.payload != "none":
            came = (sink.writer.mapper.came(name, held.record) for name in sink.writer.match.names)
            keys = [held.received.get(name) for name in held.source.keys]
            found = next((one for one in (*came, *keys) if _tells(one)), None)
        return f"record {held.position}" if found is None or self.payload == "none" else one_line(text(found), _LABEL)

    def _why(self, problem: Problem, bare: str = "refused") -> str:
        """Return the words of *problem*, or where those may not be told, for they may quote a record, its status and code; *bare* if it has neither."""
        if self.payload == "full":
            return one_line(problem.message, _WORDS)
        said = " ".join(filter(None, (str(problem.status or ""), one_line(problem.code, _LABEL), problem.brief)))
        return f"{said or bare} (payload: {self.payload} keeps back the words)"

    def account_removed(self, sink: Sink, outcomes: Sequence[Outcome]) -> None:
        """Take note of what a mirror took away."""
        stream = sink.stream_name
        self._count(sink, outcomes)
        for outcome in outcomes:
            if outcome.problem:
                which = one_line(outcome.change.id, _LABEL)
                self._log.warning(
                    "%s: %s %s: %s", stream, which, outcome.kind, self._why(outcome.problem, _bare(outcome))
                )
        if outcomes:
            writer = sink.writer
            anew = writer.removal == "archive" and not writer.restorable
            title = writer.client.api.title
            said = f"; {title} restores it in its own pages only, here it is created anew" if anew else ""
            self._say(f"{stream}: what was taken away is kept in {self.undo.path}{said}")

    def account_kept(self, sink: Sink, kept: Kept) -> None:
        """Take note of why a mirror took nothing away."""
        warning = "WARNING: " if kept.wrong else ""
        self._say(f"{sink.stream_name}: {warning}nothing was taken away, for {kept.why}")
        self._kept_back = self._kept_back or kept.wrong

    def pass_over(self, stream: str, number: int) -> None:
        """Count the next so many records of *stream* as accounted for, and write the STATE that this makes due."""
        self.states.account(stream, number)
        self.write_due_state()

    def write_due_state(self) -> None:
        """Write the STATE that is due, if there is one, to stdout."""
        due = self.states.due()
        if due is None:
            return
        value, covered = due
        self._stored()
        with writing("STATE"):
            sys.stdout.write(_ENCODE(value).decode() + "\n")
            sys.stdout.flush()
        if self.ledger:
            for stream, position in covered.items():
                self.ledger.forget(self._known_as(stream), position)

    # At its end

    def end(self, came: Collection[str]) -> int:
        """Write the last STATE, let the ledger forget what will not be sent again, tell the summary; return the exit code.

        *came* are the streams that came in.
        """
        self.write_due_state()
        self._stored()
        if self.ledger:
            self._forget(self.ledger)
            self._expire(self.ledger)
        return self._summary(came)

    def close(self) -> None:
        """Close the files."""
        for file in (self.rejects, self.receipts, self.undo):
            if file:
                file.close()

    def _forget(self, ledger: Ledger) -> None:
        """Forget what the source will not send again: all of it if a STATE covers all, else what this run has written.

        A source without any STATE begins anew each time.
        """
        if not self.states.any:
            for stream, position in self.states.received.items():
                ledger.forget(self._known_as(stream), position)
        elif not self.states.uncovered:
            ledger.forget_all(map(self._known_as, self.states.received))

    def _expire(self, ledger: Ledger) -> None:
        """Forget what did not come any more for the days that are set. What came in this run has been seen less than a day before it began."""
        if self._days is not None:
            since = ledger.store.began if self._days else moment.now().timestamp() + 1
            inspection.expire(ledger, self._days, since)

    def _summary(self, came: Collection[str]) -> int:
        total: Counter[Kind] = Counter()
        for stream, counts in self._counts.items():
            total.update(counts)
            told = ", ".join(f"{counts[kind]:,} {kind.value}" for kind in Kind if counts[kind])
            self._say(f"{stream}: {told or 'no records came'}")
        for name in self._streams:
            if name not in came and name not in self._counts:
                self._say(f'the stream "{name}" of the setting streams did not come')
        rejects, unknown = total[Kind.REJECTED], total[Kind.UNKNOWN]
        allowed = self._most * total.total() if isinstance(self._most, float) else self._most
        if rejects:
            mend = "kept in {} to be mended and piped in again"
            if self.payload != "full":
                mend = f"listed in {{}} without what is in them (payload: {self.payload}): mend them in their source"
            self._say(f"{rejects:,} rejected, {mend.format(self.rejects.path)}")
        if unknown and self.ledger:
            said = f"{unknown:,} records were sent and not answered, and could not be found out; they will not be sent again"
            shows = f"antiphon ledger show {self._api}, with --config as here, lists them"
            self._say(f"{said}. Look them up by hand; {shows} (from {self.ledger.path})")
        return 1 if rejects > allowed or unknown or self._kept_back else 0

    def _count(self, sink: Sink, outcomes: Sequence[Outcome]) -> None:
        """Count *outcomes*, and write a receipt for each."""
        self._counts.setdefault(sink.stream_name, Counter()).update(outcome.kind for outcome in outcomes)
        if self.receipts and self.ledger:
            of = (str(self.ledger.run), sink.stream_name, sink.resource.name)
            rows = [{"record": receipt(*of, outcome, self.payload)} for outcome in outcomes]
            self.receipts.write(RECEIPTS, RECEIPT_SCHEMA, [], rows)

    def _stored(self) -> None:
        self.rejects.sync()
        if self.receipts:
            self.receipts.sync()

    def _say(self, words: str) -> None:
        click.echo(one_line(f"{self.name}: {words}"), err=True)


def _tells(value: Any) -> bool:
    """Return whether a record can be called by *value*."""
    return isinstance(value, str | int | Decimal) and not isinstance(value, bool) and str(value).strip() != ""
