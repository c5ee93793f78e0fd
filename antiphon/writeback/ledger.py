"""The ledger of a connection: what we are about to write, before it is sent; what became of it; what is there, after.

Intents are what is under way (:mod:`.intents`). Entries are what ended as unknown, and what nothing identifies, until a STATE covers
it. After a crash both tell what was under way: it is settled before anything new is sent. Records (:mod:`.records`) are what is
known of each key of a stream: a keyed hash of what was sent last, the id on the other side, the last outcome, and whether this
stream made it. Nothing of a record's content is kept, and its key only while it is under way or unknown.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from antiphon import moment
from antiphon.errors import SettingError, Storage
from antiphon.outcome import Change, Kind, Outcome, Problem, Record
from antiphon.writeback.intent import Intent, Written
from antiphon.writeback.intents import Intents
from antiphon.writeback.records import PERHAPS, Records
from antiphon.writeback.store import Store, file_name, keyed
from antiphon.writeback.tables import Heard, Row

_ENCODE = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode
Payload = Literal["full", "keys", "none"]
"""What may be kept of records: all, only what they are known by, or nothing."""
_CREATED, _REJECTED, _UNKNOWN = Kind.CREATED, Kind.REJECTED, Kind.UNKNOWN  # looked up once
_KEPT = (_CREATED, Kind.UPDATED, Kind.DELETED)
_PLAIN = hashlib.blake2b(digest_size=16)


class Ledger:
    """The ledger of the connection *name*, in *folder*. Use it in a ``with`` block; safe to use from several threads.

    Raises:
        Storage: it cannot be read or written.
    """

    def __init__(self, folder: Path, name: str, host: str = "", *, payload: Payload = "full") -> None:
        """Open it; *host* is the server spoken to, if not the API's own. *payload* says what may be kept once it is answered.

        Words of the API's are kept if it is ``full``; by what a record is matched, of those that are unknown, unless it is ``none``.
        """
        self.store = Store(folder / file_name(name, host), name)
        self.path, self.run = self.store.path, self.store.run
        self._keyed = keyed(self.store.secret)
        self.payload = payload
        self.records = Records(self.store)
        self._intents = Intents(self.store)

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give it back."""
        with suppress(Storage):
            self.records.sorted_in()
        self.store.close()

    def claim(self, account: str, connection: str) -> None:
        """Take the ledger for that of *account*, if that is known.

        Raises:
            SettingError: it is that of another.
        """
        if not account:
            return
        with self.store.transaction() as db:
            db.execute("insert into notes values ('account', ?) on conflict (name) do nothing", (account,))
            [whose] = db.execute("select value from notes where name = 'account'").fetchone()
        if whose != account:
            said = f"{connection}: the ledger {self.path} is of the account {whose}, and this is {account}"
            hint = "Nothing was sent. Give this account a connection or state_dir of its own, or move the ledger away."
            raise SettingError(said, hint=hint)

    def describe(self, stream: str, resource: str, fields: Sequence[str]) -> None:
        """Note which resource *stream* is written to, and the fields that its records are matched by."""
        row = (stream, resource, _ENCODE(list(fields)).decode())
        with self.store.transaction() as db:
            db.execute(
                "insert into streams (name, resource, fields) values (?,?,?) on conflict (name) do update set"
                " resource = excluded.resource, fields = excluded.fields",
                row,
            )

    def resource(self, stream: str) -> str:
        """Return the resource that *stream* was written to last; empty if nothing is known of its records."""
        rows = self.store.rows("select resource from streams where name = ?", (stream,))
        return str(rows[0][0] or "") if rows and self.records.any(stream) else ""

    def alone(self, stream: str) -> bool:
        """Return whether no other run that is alive has asked this of *stream*; none gets a yes until this one has ended."""
        return self.store.alone(stream)

    # Hashes

    def identity(self, resource: str, record: Record, by: str | None, value: Any, *, deletion: bool = False) -> bytes:
        """Return what tells one written record from another: a hash of the resource, the match and the fields sent."""
        plain, whole = _PLAIN.copy(), self._keyed.copy()
        plain.update(_ENCODE([resource, by, value, record, deletion]))
        whole.update(plain.digest())
        return whole.digest()

    def key(self, resource: str, match: Sequence[Any]) -> bytes:
        """Return what stands for a record that is matched by the values *match* (see :meth:`.match.Match.key`)."""
        whole = self._keyed.copy()
        whole.update(_ENCODE([resource, *match]))
        return whole.digest()

    # What is under way

    def intend(
        self,
        stream: str,
        resource: str,
        operation: str,
        changes: Sequence[Change],
        marks: Sequence[tuple[bytes, bytes | None, int]],
        *,
        seen: bool = True,
        each: int = 0,
        along: int = 1,
    ) -> list[Change]:
        """Write down what is about to be sent; *marks* are each change's identity, key and position in the stream.

        Where it is told when requests of so many *each* begin (:meth:`begun`), what it has not come to is surely not done; so many of
        them go *along*, side by side, and count as begun with the first.

        Returns those of *changes* that were not, for another run that is alive has one to the same key under way: one that is
        created twice would be there twice. Unless *seen*, what such a run has written already is returned as well, and what one that
        has ended meanwhile wrote since this one began: the look-up may have been earlier.
        """
        of = (self.run, self.records.stream(stream), resource, operation, moment.rfc3339(moment.now()), None)
        busy: set[bytes | None] = set()
        written: list[Written] = []
        with self._intents.changed([c.token for c in changes], written):
            if operation == "create" and (self.store.others() or self.store.written_by_others()):
                busy = self._busy({key for _, key, _ in marks if key is not None}, seen=seen)
            intents = {
                c.token: Intent(c.token, position, identity, key, c.id, c.by, c.value)
                for c, (identity, key, position) in zip(changes, marks, strict=True)
                if not busy or key not in busy
            }
            if intents:
                parts = _parts(list(intents), each, along) if each else {}
                written.append(Written(*of, intents, 0 if each else len(intents), parts=parts))
        return [c for c in changes if c.token not in intents] if busy else []

    def _busy(self, keys: set[bytes], *, seen: bool) -> set[bytes | None]:
        """Return those of *keys* that other runs are writing, or unless *seen* have written."""
        under_way = {i.key for written in self._intents.of_others() for i in written.intents.values()}
        return (under_way & keys) | (set() if seen else self.records.of_others(keys))

    def begun(self, last: Change) -> None:
        """Write down that the request that ends with the change *last* is about to be sent, and with it all before it."""
        self._intents.begun(last.token)

    def under_way(self, job: str, changes: Iterable[Change]) -> None:
        """Write down that *changes*, all that were written down together, are about to be written by the API's *job*."""
        self._intents.by_job(job, [c.token for c in changes])

    def answered(self, outcomes: Collection[Outcome], version: int | None = None, *, sure: bool = True) -> None:
        """Write down what became of what was sent, under the stream's *version* at that time.

        If it need not be *sure*, a failure of the power may leave it open again: for what can be found out anew, or done again.
        """
        if not outcomes:
            return
        at = int(moment.now().timestamp())
        heard: list[Heard] = []
        rows: list[Row] = []
        stream, became = 0, _UNKNOWN  # of what was heard last
        back, entries, doubted = [], [], []
        open = self._intents.open
        for o in outcomes:
            kind, token = o.kind, o.change.token
            written = open.get(token)
            if written is None:
                continue
            intent = written.intents[token]
            if kind in _KEPT and intent.key is not None and o.operation != "restore":
                if kind is not became or written.stream != stream:
                    stream, became, rows = written.stream, kind, []
                    heard.append(Heard(stream, kind.value, int(kind is _CREATED), self.run, version, at, rows))
                rows.append(Row(intent.key, intent.identity, o.id))
                continue
            if kind is _UNKNOWN or (intent.key is None and kind is not _REJECTED):
                entries.append(self._entry(o, written, intent))
            if intent.key is None:
                continue
            if kind not in _KEPT:  # it was refused in the end, and perhaps done at first
                doubted.append((written.stream, intent.key))
            if o.operation == "restore" and o.ok:
                back.append((intent.identity, self.run, at, written.stream, intent.key))
        with self._intents.changed([o.change.token for o in outcomes], sure=sure) as db:
            self.records.gone([one for one in heard if one.kind == Kind.DELETED])
            self.records.add(db, heard)
            self.records.doubt(doubted)
            self.records.restored(back)
            db.executemany(
                "insert into entries values (?,?,?,?,?,?,?,?,?,?,?,?,?) on conflict (token) do update set"
                " run = excluded.run, position = excluded.position, kind = excluded.kind, problem = excluded.problem",
                entries,
            )

    def _entry(self, o: Outcome, written: Written, intent: Intent) -> tuple[Any, ...]:
        """Return the row that tells what became of an intent that is not sorted into the records."""
        value = None if self.payload == "none" or intent.value is None else _ENCODE(intent.value).decode()
        problem = _ENCODE(o.problem.as_dict()).decode() if o.problem and self.payload == "full" else None
        of = (intent.token, written.run, written.stream, intent.position, written.resource, written.operation)
        id = o.id or intent.remote_id
        return (*of, intent.identity, intent.key, id, value, written.sent_at, o.kind, problem)

    def not_sent(self, changes: Iterable[Change]) -> None:
        """Strike intents that were surely not carried out."""
        with self._intents.changed([c.token for c in changes]):
            pass

    def in_doubt(self, changes: Iterable[Change]) -> None:
        """Strike intents that were perhaps carried out: what was known of their records counts no more."""
        tokens = [c.token for c in changes]
        open = {token: written for token in tokens if (written := self._intents.open.get(token))}
        keys = [(written.stream, written.intents[token].key) for token, written in open.items()]
        with self._intents.changed(tokens):
            self.records.doubt([(stream, key) for stream, key in keys if key is not None])

    def found_there(self, outcomes: Collection[Outcome]) -> None:
        """Strike creations that earlier runs had under way and a look-up has found: by now nobody can say who made them.

        They count as made by their stream when the same record comes again and what is there holds all of it (:mod:`.history`).
        """
        at = int(moment.now().timestamp())
        heard = []
        for o in outcomes:
            written = self._intents.open[o.change.token]
            intent = written.intents[o.change.token]
            if intent.key is not None:
                row = Row(intent.key, intent.identity, o.id)
                heard.append(Heard(written.stream, PERHAPS, 0, self.run, None, at, [row]))
        with self._intents.changed([o.change.token for o in outcomes]) as db:
            self.records.add(db, heard)

    def open_intents(self) -> list[Written]:
        """Return what earlier runs had under way when they ended, by what was written down together."""
        return self._intents.earlier()

    def doubt(self) -> None:
        """Let what was known of the records that earlier runs had under way count no more, whatever becomes of them now.

        What is not known to have begun is doubted as well: that the disk does not have when the power has failed.
        """
        left = [written for written in self._intents.earlier() if not written.doubted]
        if left:
            with self.store.transaction():
                self.records.doubt([(w.stream, i.key) for w in left for i in w.intents.values() if i.key is not None])
                self._intents.doubted(left)

    def take_over(self) -> bool:
        """Take over what runs beside this one have left that have ended since; return whether there are any."""
        ended = self.store.adopt()
        if ended:
            self._intents.take_over()
        return ended

    def earlier(self) -> bool:
        """Return whether an earlier run left anything that may be sent again."""
        left = "select 1 from entries where run in (select run from ended) or kind = 'unknown' and run <> ? limit 1"
        return bool(self._intents.earlier() or self.store.rows(left, (self.run,)))

    def tokens(self, stream: str, asked: Iterable[tuple[Change, bytes, int]], since: str) -> dict[str, str]:
        """Return the tokens under which earlier runs had sent the very records *asked* for, *since* a time, unanswered.

        An API that remembers tokens answers the same one as it did then. Maps the change's token to the earlier one.
        """
        number = self.records.stream(stream)
        sent: dict[bytes, deque[str]] = {}
        for written in self._intents.earlier():
            if written.stream == number and written.sent_at >= since:
                for intent in written.intents.values():
                    sent.setdefault(intent.identity, deque()).append(intent.token)
        return {change.token: sent[identity].popleft() for change, identity, _ in asked if sent.get(identity)}

    # What has an answer, and no key or no certainty

    def recall(self, stream: str, asked: Iterable[tuple[Change, bytes, int]]) -> list[Outcome]:
        """Return what earlier runs made of the very records *asked* for, which nothing identifies.

        Each is a change, its identity and its position. One entry answers for one record (a source that has the same record
        twice gets two) and belongs to this run then.
        """
        known = []
        number = self.records.stream(stream)
        with self.store.transaction() as db:
            for change, identity, position in asked:
                row = db.execute(
                    "select token, kind, remote_id, problem, operation from entries where identity = ? and stream = ?"
                    " and key is null and run <> ? and (kind = 'unknown' or run in (select run from ended))"
                    " order by run, position limit 1",
                    (identity, number, self.run),
                ).fetchone()
                if row is not None:
                    mine = (self.run, position, row[0])
                    db.execute("update entries set run = ?, position = ? where token = ?", mine)
                    problem = Problem(**msgspec.json.decode(row[3])) if row[3] else None
                    known.append(Outcome(change, Kind(row[1]), row[2], problem, attempts=0, operation=row[4]))
        return known

    def unknown(self, keys: Collection[bytes]) -> set[bytes]:
        """Return those of *keys* of which it is not known whether they were created."""
        sql = "select key from entries where kind = 'unknown' and key in ({})"
        return {key for (key,) in self.store.among(sql, keys)}

    def found(self, key: bytes) -> None:
        """Strike what was unknown: a look-up has found it."""
        with self.store.transaction() as db:
            db.execute("delete from entries where key = ? and kind = 'unknown'", (key,))

    def forget(self, stream: str, position: int) -> None:
        """Forget what this run wrote of *stream* up to *position* and nothing identifies: a STATE covers it."""
        with self.store.transaction() as db:
            db.execute(
                "delete from entries where run = ? and stream = (select id from streams where name = ?) and position <= ?"
                " and kind <> 'unknown'",
                (self.run, stream, position),
            )

    def forget_all(self, streams: Iterable[str]) -> None:
        """Forget what nothing identifies of *streams* and has an answer: they are written whole, and will not be sent again."""
        with self.store.transaction() as db:
            db.executemany(
                "delete from entries where stream = (select id from streams where name = ?) and kind <> 'unknown'"
                " and (run = ? or run in (select run from ended))",
                [(stream, self.run) for stream in streams],
            )


def _parts(tokens: Sequence[str], each: int, along: int) -> dict[str, int]:
    """Return how many of *tokens* are begun with each request of so many *each*, of which so many go *along*; by the last one of each."""
    most, many = len(tokens), each * along
    ends = [min(start + each, most) for start in range(0, most, each)]
    return {tokens[end - 1]: min(-(-end // many) * many, most) for end in ends}
