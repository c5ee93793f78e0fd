"""Something that is about to be written, as the ledger keeps it until it has an answer: what is written down together is packed."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from antiphon.outcome import Change


class Stage(enum.IntEnum):
    """How far what was written down together has come, as far as a later run may have to know."""

    MEANT = 0
    """Nothing of it was sent."""
    BEGUN = 1
    """It was sent, or was about to be: perhaps it was done."""
    DOUBTED = 2
    """Perhaps it was done, and what was known of its records before counts no more."""


class Intent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record that is about to be written."""

    token: str
    position: int
    """Its place in the stream."""
    identity: bytes
    """What tells it from other records: a hash of all that is sent."""
    key: bytes | None
    """What stands for what it is matched by; None where nothing identifies it."""
    remote_id: str | None
    by: str | None
    value: Any

    def change(self) -> Change:
        """Return the change as far as it is known: its fields are not kept."""
        return Change({}, self.remote_id, self.by, self.value, self.token)


@dataclass(slots=True, eq=False)
class Written:
    """Intents that were written down together, less those that have an answer."""

    run: int
    stream: int
    """The stream's number in the ledger."""
    resource: str
    operation: str
    sent_at: str
    job: str | None
    """The API's job that carries them out."""
    intents: dict[str, Intent]
    """By their tokens."""
    stage: Stage = Stage.BEGUN
    id: int = 0
    along: list[Written] = field(default_factory=list)
    """All that counts as begun with the first of them, until it does."""

    def less(self, tokens: Collection[str], count: int) -> dict[str, Intent]:
        """Return the intents without those with these *tokens*, which are so many of them."""
        if count == len(self.intents):
            return {}
        return {token: intent for token, intent in self.intents.items() if token not in tokens}


_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_DECODE = msgspec.json.Decoder(list[Intent]).decode


def packed(intents: Mapping[str, Intent]) -> bytes:
    """Return *intents* as a row of the ledger holds them."""
    return _ENCODE(list(intents.values()))


def unpacked(packed: bytes) -> dict[str, Intent]:
    """Return what :func:`packed` made of intents, by their tokens."""
    return {intent.token: intent for intent in _DECODE(packed)}
