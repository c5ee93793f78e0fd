"""What can go wrong, named by what the user can do about it.

::

    AntiphonError                 every error this package raises on purpose
    ├── SettingError              a setting is missing, unknown or wrong      -> change the settings
    ├── InputError                what was piped in cannot be used            -> mend the input
    ├── Unknown                   no such API, resource, field or operation   -> use one of those listed
    ├── DescriptionError          the description of an API is wrong          -> mend the description
    ├── Busy                      another run holds the journal               -> wait for it
    ├── Storage                   a file of ours cannot be written or read    -> free space, fix permissions
    ├── Interrupted               the process is to end, and nothing more is tried
    └── ApiError                  the API, or the way to it, said no
        ├── Unauthorized          401: the credential is not accepted         -> renew the credential
        ├── Forbidden             403: the credential may not do this         -> widen its rights
        ├── NotFound              404, 410
        ├── Refused               any other 4xx: what was sent is wrong       -> mend the record
        ├── Unavailable           429, 5xx, no connection; surely not done    -> try again later
        │   └── QuotaSpent        a daily quota is used up                    -> try again tomorrow
        ├── Lost                  it was sent and no answer came: perhaps done
        ├── BadReply              an answer that is not what the API documents
        ├── PagingError           a cursor or URL came twice
        └── ForeignHost           the API pointed at a host that is not its own

``str(error)`` is one line a user can read: what we did -> what was said. What to do. It holds no secret, and nothing that steers a
terminal: whatever it quotes of records and of an API's words comes through :func:`one_line`, as all that is said on stderr does.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTED = 40
"""Names in one hint, at most."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys, or shows at another place than where it stands; not tabs and ends of lines."""
_ENDS = re.compile(r" *[\t\n\r][ \t\n\r]*")


def escaped(text: str) -> str:
    r"""Return *text* with its control characters as Python writes them: ``\x1b``."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(words: object, most: int | None = None) -> str:
    r"""Return *words* of a record or an API as a line that is one, cut after *most* characters.

    >>> one_line("Ada\nWARNING: \x1b[31mfake"), one_line("abcdef", 4)
    ('Ada WARNING: \\x1b[31mfake', 'abc…')
    """
    line = escaped(_ENDS.sub(" ", str(words)).strip())
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"


class AntiphonError(Exception):
    """Every error this package raises on purpose. Its text is one line for the user."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep *message* (what happened) and *hint* (what to do about it)."""
        self.message = message
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        """Say what happened and what to do, in one line."""
        text = " ".join(one_line(self.message).split())
        if not self.hint:
            return text
        return one_line(f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} {self.hint}")


class SettingError(AntiphonError):
    """A setting is missing, unknown or wrong."""


class InputError(AntiphonError):
    """What was piped in cannot be used: a broken line, a RECORD before its SCHEMA, a state file of another tap."""


class Unknown(AntiphonError):
    """There is no such API, resource, field or operation; the text names those that exist."""


class DescriptionError(AntiphonError):
    """The description of an API contradicts itself or names what it does not declare.

    ``at`` are the names that lead to the place, ``("resources", "people", "create")``; ``said`` is the message without the place.
    """

    def __init__(self, message: str, *, hint: str = "", at: tuple[str, ...] = (), said: str = "") -> None:
        """Keep what is wrong, what to do about it and where it is."""
        super().__init__(message, hint=hint)
        self.at = at
        self.said = said or message


class Busy(AntiphonError):
    """Another run holds what this one needs."""


class Storage(AntiphonError):
    """A file of ours (rejects, receipts, journal) cannot be written or read."""


class Interrupted(AntiphonError):
    """The process is to end: what failed is not tried again, and nothing more is sent."""


class ApiError(AntiphonError):
    """The API, or the way to it, said no.

    ``status`` is the HTTP status (0 where there was none), ``code`` the API's own word for the error.
    """

    told = False
    """Whether it says already whose it is and at what: one met while logging in for a request is not told, nor tried, twice."""

    def __init__(
        self, message: str, *, hint: str = "", status: int = 0, code: str = "", retry_after: float | None = None
    ) -> None:
        """Keep what the API said; *retry_after* is in seconds."""
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.retry_after = retry_after

    @property
    def brief(self) -> str:
        """What was done and what came, without the API's words: they may quote a record. What has no status is in words of ours.

        >>> Refused("crm: reading people -> 400 no such ada@example.com", status=400, code="SYNTAX").brief
        'crm: reading people -> 400 SYNTAX'
        """
        if not self.status:
            return self.message
        doing, arrow, _ = self.message.partition(" -> ")
        return f"{f'{doing}{arrow}' if arrow else ''}{self.status} {self.code}".rstrip()


class Unauthorized(ApiError):
    """401: the credential is not accepted."""


class Forbidden(ApiError):
    """403: the credential may not do this."""


class NotFound(ApiError):
    """404 or 410: there is no such thing (any more)."""


class Refused(ApiError):
    """Any other 4xx: what was sent is wrong. Nothing was done."""


class Unavailable(ApiError):
    """The API could not answer now and surely did nothing: 429, 503, no connection; a read that failed."""


class QuotaSpent(Unavailable):
    """A quota that does not come back within minutes is used up."""


class Lost(ApiError):
    """A write was sent and no answer came: it may or may not have been done."""


class BadReply(ApiError):
    """The answer is not what the API documents: HTML, an empty body, a body cut short."""


class PagingError(ApiError):
    """A cursor or next URL came twice, or a restart did not advance."""


class ForeignHost(ApiError):
    """The API pointed at a host that is not its own; nothing was sent there."""


def too_long(most: int, status: int) -> BadReply:
    """Return what to raise for an answer of more than *most* bytes."""
    return BadReply(f"an answer of more than {most >> 20} MB", status=status)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that lists what exists, the nearest first: ``Did you mean "email"? There are: …``."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    guess = f'Did you mean "{near[0]}"? ' if near else ""
    shown = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    return f"{guess}There are: {shown or 'none'}."


def name_it(column: str, begin: str = "") -> str:
    """Return a hint for a *column* that no field can be called like: with a name that may be one, if it is to *begin* so.

    >>> name_it("Shoe Size", "x_")
    'Name it in fields: {"x_shoe_size": "Shoe Size"}.'
    """
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode().lower()
    word = re.sub(r"[^a-z0-9]+", "_", plain).strip("_").removeprefix(begin)
    name = f"{begin}{word}" if begin or word[:1].isalpha() else f"field_{word}".rstrip("_")
    return f'Name it in fields: {{"{name}": "{column}"}}.'
