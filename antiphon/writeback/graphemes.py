"""What a reader takes for one character and may be several: where a text may be cut, as far as Unicode's data tells."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_JAMO = (
    ("L", "\u1100\u115f\ua960\ua97c"),
    ("V", "\u1160\u11a7\ud7b0\ud7c6"),
    ("T", "\u11a8\u11ff\ud7cb\ud7fb"),
    ("S", "\uac00\ud7a3"),
)
_SYLLABLE = {"LL", "LV", "LS", "VV", "VT", "TT", "SV", "ST"}


def cut(text: str, most: int) -> str:
    """Return the beginning of *text*, of at most so many characters, whose last one is whole; empty where already the first is too long."""
    end = min(most, len(text))
    while 0 < end < len(text) and not _border(text, end):
        end -= 1
    return text[:end]


def _border(text: str, at: int) -> bool:
    """Return whether what a reader takes for one character ends before the place *at*."""
    before, behind = text[at - 1], text[at]
    if _joins(behind) or (before == _JOINER and not behind.isspace()) or (before, behind) == ("\r", "\n"):
        return False
    if _is_regional(behind):
        first = at
        while first and _is_regional(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 0
    return _jamo(before) + _jamo(behind) not in _SYLLABLE


def _joins(one: str) -> bool:
    """Return whether *one* belongs to the character before it: a mark, a variation, a colour of skin, a tag, or a joiner."""
    return (
        unicodedata.category(one).startswith("M")
        or one == _JOINER
        or "\U0001f3fb" <= one <= "\U0001f3ff"
        or "\U000e0020" <= one <= "\U000e007f"
    )


def _is_regional(one: str) -> bool:
    """Return whether *one* is half of a flag."""
    return "\U0001f1e6" <= one <= "\U0001f1ff"


def _jamo(one: str) -> str:
    """Return which part of a syllable of Hangul *one* is; empty where it is none."""
    return next(
        (kind for kind, ends in _JAMO if any(a <= one <= b for a, b in zip(ends[::2], ends[1::2], strict=True))), ""
    )
