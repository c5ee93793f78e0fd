"""Something that is about to be written, as the ledger keeps it until it has an answer: what is written down together is packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import accumulate
from typing import Any

import msgspec

from antiphon.outcome import Change


class Intent(msgspec.Struct, frozen=True, gc=False):
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
    begun: int
    """How many of them, from the first one on, were sent or about to be: perhaps they were done. Nothing was sent of the others."""
    doubted: bool = False
    """Whether what was known of their records before counts no more."""
    id: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    """How many are begun with each request of which it is told when that begins, by the request's last token."""

    def not_begun(self) -> list[Intent]:
        """Return those of which surely nothing was sent."""
        return list(self.intents.values())[self.begun :]

    def less(self, tokens: frozenset[str]) -> Written:
        """Return it without the intents with these *tokens*."""
        if self.intents.keys() <= tokens:
            return replace(self, intents={}, begun=0, parts={})
        left = {token: intent for token, intent in self.intents.items() if token not in tokens}
        count = [0, *accumulate(token in left for token in self.intents)]
        parts = {token: count[number] for token, number in self.parts.items() if token in left}
        return replace(self, intents=left, begun=count[self.begun], parts=parts)


class _Columns(msgspec.Struct, array_like=True):
    """Intents as they are packed: of each what they have, one after the other."""

    tokens: list[str]
    positions: list[int]
    identities: list[bytes]
    keys: list[bytes | None]
    ids: list[str | None]
    fields: list[str | None]
    values: bytes
    """A JSON list."""


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Columns).decode
_VALUES = msgspec.json.Encoder(decimal_format="number").encode
_VALUED = msgspec.json.Decoder(list[Any], float_hook=Decimal).decode
"""A number may be one that no float holds."""


def packed(intents: Mapping[str, Intent]) -> bytes:
    """Return *intents* as a row of the ledger holds them."""
    those = intents.values()
    return _ENCODE(
        _Columns(
            list(intents),
            [intent.position for intent in those],
            [intent.identity for intent in those],
            [intent.key for intent in those],
            [intent.remote_id for intent in those],
            [intent.by for intent in those],
            _VALUES([intent.value for intent in those]),
        )
    )


def unpacked(packed: bytes) -> dict[str, Intent]:
    """Return what :func:`packed` made of intents, by their tokens."""
    found = _DECODE(packed)
    of = found.tokens, found.positions, found.identities, found.keys, found.ids, found.fields
    return {one[0]: Intent(*one) for one in zip(*of, _VALUED(found.values), strict=True)}
