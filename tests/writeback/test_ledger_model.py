"""A ledger tells the same as a plain list of what was said to it, whatever is packed, waits to be sorted in, or dies meanwhile."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from antiphon.outcome import Change, Kind, Outcome
from antiphon.writeback import records
from antiphon.writeback.ledger import Ledger

from .test_ledger import change, entries, intend, known, left_open, note, recall

NAMES = "abcd"
SEVERAL = st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), min_size=1, max_size=6)
KINDS = st.sampled_from([Kind.CREATED, Kind.UPDATED, Kind.UNKNOWN, Kind.REJECTED, Kind.DELETED])


class Runs(RuleBasedStateMachine):
    """Runs of one ledger, one after the other, each of which ends well or dies."""

    @initialize(waiting=st.sampled_from([1, 3, 20_000]))
    def begin(self, waiting: int) -> None:
        """Begin with nothing; sort in seldom or often."""
        self.usual, records._WAITING = records._WAITING, waiting
        self.folder = tempfile.TemporaryDirectory()
        self.open: dict[str, Change] = {}
        self.ended: dict[str, tuple[Kind, str]] = {}
        """Outcome and text of what has ended and is not known by a key."""
        self.known: dict[str, tuple[str, Kind]] = {}
        """Id and outcome by name."""
        self.number = 0
        self.ledger = Ledger(Path(self.folder.name), "hubspot")

    @rule(several=SEVERAL)
    def something_is_about_to_be_sent(self, several: list[tuple[str, bool]]) -> None:
        """With a key, or without."""
        changes = [change(name) if keyed else note(name) for name, keyed in several]
        assert intend(self.ledger, *changes) == []
        self.open |= {c.token: c for c in changes}

    @rule(data=st.data())
    def something_is_sent_again_under_its_token(self, data: st.DataObject) -> None:
        """Of this run or of an earlier one."""
        again = self.some(data)
        intend(self.ledger, *again)

    @rule(data=st.data())
    def something_is_answered(self, data: st.DataObject) -> None:
        """All that was sent together or some of it, of this run or of an earlier one."""
        some = self.some(data)
        outcomes = []
        for c in some:
            self.number += 1
            kind = data.draw(KINDS)
            outcomes.append(Outcome(c, kind, str(self.number)))
            if kind is not Kind.REJECTED and (c.by is None or kind is Kind.UNKNOWN):
                self.ended[c.token] = kind, c.value or c.record["hs_note_body"]
            elif kind is not Kind.REJECTED:
                self.known[c.value] = str(self.number), kind
        self.ledger.answered(outcomes)
        for c in some:
            del self.open[c.token]

    @rule(data=st.data())
    def something_was_not_sent(self, data: st.DataObject) -> None:
        """It is struck."""
        some = self.some(data)
        self.ledger.not_sent(some)
        for c in some:
            del self.open[c.token]

    @rule(name=st.sampled_from(NAMES))
    def a_record_is_asked_for(self, name: str) -> None:
        """It is known as it was answered last."""
        found = known(self.ledger, change(name))
        assert (found and (found.remote_id, found.kind)) == self.known.get(name)

    @rule(well=st.booleans())
    def the_run_ends(self, well: bool) -> None:
        """The next one finds all that was left, and recalls what nothing identifies."""
        (self.ledger if well else self.ledger.store).close()
        self.ledger = Ledger(Path(self.folder.name), "hubspot")
        assert {i.token for i in left_open(self.ledger)} == set(self.open)
        assert self.ledger.earlier() == bool(self.open or self.ended)

    @precondition(lambda self: any(c.by is None for c in self.open.values()) or self.ended)
    @rule(name=st.sampled_from(NAMES))
    def a_note_comes_again(self, name: str) -> None:
        """In its own run it is another one; a later run recalls it."""
        self.ledger.close()
        self.ledger = Ledger(Path(self.folder.name), "hubspot")
        mine = [kind for token, (kind, text) in self.ended.items() if text == name and not self.keyed(token)]
        assert sorted(o.kind for o in recall(self.ledger, *[note(name)] * 9)) == sorted(mine)

    @invariant()
    def it_has_what_it_was_told(self) -> None:
        """No more, and no less."""
        expected: dict[str, Any] = dict.fromkeys(self.open) | {token: kind for token, (kind, _) in self.ended.items()}
        assert dict(entries(self.ledger)) == expected

    def keyed(self, token: str) -> bool:
        """Return whether what has ended has a key."""
        return bool(self.ledger.store.rows("select 1 from entries where token = ? and key is not null", (token,)))

    def some(self, data: st.DataObject) -> list[Change]:
        """Return some of what is under way."""
        return [c for c in self.open.values() if data.draw(st.booleans())]

    def teardown(self) -> None:
        """Give all back."""
        self.ledger.close()
        records._WAITING = self.usual
        self.folder.cleanup()


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
