"""Record ids: a number inside, 18 characters outside.

A number is `kind << 40 | count`: the kind of object and a running count, so that it says by itself what it refers to,
and numbers of a kind sort as their texts do. The text is the object's three characters, three of the server, nine
digits to the base of 62, and three characters that tell the case of the fifteen before.
"""

from __future__ import annotations

import string

SHIFT = 40
COUNT = (1 << SHIFT) - 1
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKS = string.ascii_uppercase + "012345"
_SERVER = "5g0"
_VALUES = {digit: value for value, digit in enumerate(DIGITS)}
_UPPER = frozenset(string.ascii_uppercase)
_FIVE = 62**5


def _case(text: str) -> int:
    return sum(1 << place for place, letter in enumerate(text) if letter in _UPPER)


_PAIRS = [(one + two, _case(one + two)) for one in DIGITS for two in DIGITS]


def checked(fifteen: str) -> str:
    """The 18 characters for the 15 that tell upper case from lower."""
    return fifteen + "".join(_CHECKS[_case(fifteen[at : at + 5])] for at in (0, 5, 10))


class Ids:
    """Translates between numbers and texts, for the kinds that were added."""

    def __init__(self) -> None:
        self._kinds: dict[str, int] = {}
        self._stems: list[str] = []
        self._heads: dict[tuple[int, int], tuple[str, str]] = {}

    def add(self, prefix: str) -> int:
        """The kind of a new prefix of three characters, such as `001`."""
        self._kinds[prefix] = len(self._stems)
        self._stems.append(prefix + _SERVER)
        return self._kinds[prefix]

    def kind(self, prefix: str) -> int | None:
        """The kind of object that has this prefix."""
        return self._kinds.get(prefix)

    def text(self, number: int) -> str:
        """The 18 characters."""
        high, low = divmod(number & COUNT, _FIVE)
        kind = number >> SHIFT
        head = self._heads.get((kind, high))
        if head is None:
            ten = self._stems[kind] + "".join(_PAIRS[place][0] for place in divmod(high, 62 * 62))
            head = self._heads[kind, high] = ten, "".join(_CHECKS[_case(ten[at : at + 5])] for at in (0, 5))
        first, rest = divmod(low, 62**4)
        (middle, middle_case), (last, last_case) = _PAIRS[rest // 3844], _PAIRS[rest % 3844]
        digit = DIGITS[first]
        check = _CHECKS[(digit in _UPPER) | middle_case << 1 | last_case << 3]
        return f"{head[0]}{digit}{middle}{last}{head[1]}{check}"

    def number(self, text: str) -> int | None:
        """The number of 15 or 18 characters; None when they are no id of a kind that is known."""
        if len(text) not in {15, 18} or (len(text) == 18 and checked(text[:15]) != text):
            return None
        kind = self._kinds.get(text[:3])
        if kind is None:
            return None
        count = 0
        for letter in text[6:15]:
            value = _VALUES.get(letter)
            if value is None:
                return None
            count = count * 62 + value
        return kind << SHIFT | count if count <= COUNT else None
