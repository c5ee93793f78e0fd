"""Which records are associated, by which types and labels; kept in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from antiphon.sandbox.hubspot.catalogue import ASSOCIATIONS

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class AssociationType:
    """A kind of association, in one direction. The unlabelled one of a pair has no label."""

    type_id: int
    label: str | None
    category: str
    pair: Pair
    inverse: int

    def document(self) -> dict[str, object]:
        """As the vendor shows it."""
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


def _turned(pair: Pair) -> Pair:
    return pair[1], pair[0]


class Associations:
    """All associations of a portal."""

    def __init__(self) -> None:
        self.types: dict[int, AssociationType] = {}
        self._unlabelled: dict[Pair, int] = {}
        self._links: dict[Pair, dict[int, dict[int, set[int]]]] = {}
        self._next_type = 1001
        for pair, kinds in ASSOCIATIONS.items():
            inverse = dict(ASSOCIATIONS[_turned(pair)])
            back = {label: number for number, label in inverse.items()}
            for number, label in kinds:
                self._define(AssociationType(number, label, "HUBSPOT_DEFINED", pair, back[label]))

    def _define(self, kind: AssociationType) -> None:
        self.types[kind.type_id] = kind
        if kind.label is None:
            self._unlabelled[kind.pair] = kind.type_id

    def define(self, pair: Pair, label: str | None, inverse_label: str | None) -> list[AssociationType]:
        """A new kind of association, as the pair of its two directions."""
        there, back = self._next_type, self._next_type + 1
        self._next_type += 2
        made = [
            AssociationType(there, label, "USER_DEFINED", pair, back),
            AssociationType(back, inverse_label, "USER_DEFINED", _turned(pair), there),
        ]
        for kind in made:
            self._define(kind)
        return made

    def unlabelled(self, pair: Pair) -> int:
        """The type id of an association without a label. Pairs that the vendor does not name get one when first used."""
        if pair not in self._unlabelled:
            self.define(pair, None, None)
        return self._unlabelled[pair]

    def kinds(self, pair: Pair) -> list[AssociationType]:
        """The kinds of association there are from one object to another."""
        self.unlabelled(pair)
        return [kind for kind in self.types.values() if kind.pair == pair]

    def link(self, pair: Pair, one: int, other: int, type_ids: Iterable[int] = (), *, replace: bool = False) -> None:
        """Associate two records. Labelled ones are always associated without a label too, as the vendor does."""
        wanted = {self.unlabelled(pair), *type_ids}
        there = self._links.setdefault(pair, {}).setdefault(one, {})
        there[other] = wanted if replace else there.get(other, set()) | wanted
        back = self._links.setdefault(_turned(pair), {}).setdefault(other, {})
        back[one] = {self.types[number].inverse for number in there[other]}

    def unlink(self, pair: Pair, one: int, other: int, type_ids: Iterable[int] | None = None) -> None:
        """Take labels away, or without `type_ids` the whole association. What is not there is left alone."""
        there = self._links.get(pair, {}).get(one, {})
        if other not in there:
            return
        if type_ids is not None:
            gone = set(type_ids) - {self.unlabelled(pair)}
            self.link(pair, one, other, there[other] - gone, replace=True)
            return
        del there[other]
        self._links[_turned(pair)][other].pop(one, None)

    def of(self, pair: Pair, one: int) -> dict[int, set[int]]:
        """The records that one is associated with, and by which types."""
        return self._links.get(pair, {}).get(one, {})

    def move(self, name: str, loser: int, winner: int) -> None:
        """Give a merged record's associations to the one it was merged into."""
        for pair in [pair for pair in self._links if pair[0] == name]:
            for other, type_ids in list(self.of(pair, loser).items()):
                self.unlink(pair, loser, other)
                if (pair[1], other) != (name, winner):
                    self.link(pair, winner, other, type_ids)
