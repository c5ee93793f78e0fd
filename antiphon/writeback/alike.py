"""When two texts are one although they are written differently: in another case, with other spaces, with other signs in a number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from antiphon.errors import SettingError, did_you_mean
from antiphon.schema import shown

Alike = Mapping[str, tuple[str, ...]]
"""Field -> the ways in which its values may differ and be one."""

WAYS: dict[str, Callable[[str], str]] = {
    "lower": str.casefold,
    "spaces": lambda text: " ".join(text.split()),
    "digits": lambda text: re.sub(r"\D", "", text).lstrip("0"),
}
"""``digits``: of a phone number, without the noughts or the plus before the country."""


def plain(text: str, ways: tuple[str, ...]) -> str:
    """Return *text* as all its spellings are alike; a text that would be empty then stays.

    Letters composed with their accents and letters followed by them are one, whichever the *ways* are.
    """
    for way in ways:
        text = unicodedata.normalize("NFD", text)  # case is folded right in this form alone
        text = WAYS[way](text) or text
    return unicodedata.normalize("NFC", text)


def read(given: Any, where: str) -> Alike:
    """Return what the setting ``match_by`` says: ``{"email": "lower", "name": ["lower", "spaces"]}``.

    Raises:
        SettingError: there is something unknown or wrong in it.
    """
    found: dict[str, tuple[str, ...]] = {}
    if not isinstance(given or {}, Mapping):
        raise SettingError(f"{where} cannot be {shown(given)}: it is an object of fields")
    for name, ways in (given or {}).items():
        found[name] = tuple(ways) if isinstance(ways, list) else (ways,)
        for way in found[name]:
            if not isinstance(way, str) or way not in WAYS:
                raise SettingError(f'{where}.{name} cannot be "{way}"', hint=did_you_mean(str(way), WAYS))
    return found
