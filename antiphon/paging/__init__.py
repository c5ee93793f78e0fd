"""How the pages of a list follow each other.

Each kind turns a cursor into a request and a reply into the next cursor. Cursors are JSON, so that a read can be resumed
from a Singer state. :mod:`antiphon.pages` walks them: a cursor that comes twice is an error, records that come twice come once.

=================  ==========================================================================
by what is told    ``cursor``, ``next_url``, ``link_header``, ``odata``, ``relay`` (GraphQL)
by key             ``keyset``: rows that come and go meanwhile shift nothing
by place           ``page``, ``offset``: pages overlap by a row, so that shifts are noticed
by time            ``windows``, halved where the API's cap is met
by conditions      ``advanced``
=================  ==========================================================================

Where ``size`` is given it is the pair of parameter and value that sets the page's size: ``("limit", 100)``.
Parameters go into the query of a GET and into the body of anything else, at a dotted path (``variables.first``, ``params.2``).
A number of records or pages that a reply tells ends a walk when it is reached; that it is too large does no harm. A page
that is short, or empty where there is a cursor, ends none unless the description says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.late import Kinds, late

if TYPE_CHECKING:
    from antiphon.paging.asked import asked_with
    from antiphon.paging.links import Cursor, Keyset, LinkHeader, NextUrl, ODataLinks, Relay, Single, link
    from antiphon.paging.places import Offset, Page
    from antiphon.paging.turns import Advanced, Windows

__all__ = [
    "KINDS",
    "Advanced",
    "Cursor",
    "Keyset",
    "LinkHeader",
    "NextUrl",
    "ODataLinks",
    "Offset",
    "Page",
    "Relay",
    "Single",
    "Windows",
    "asked_with",
    "link",
]

__getattr__ = late(
    __name__,
    {
        "Advanced": "turns",
        "Cursor": "links",
        "Keyset": "links",
        "LinkHeader": "links",
        "NextUrl": "links",
        "ODataLinks": "links",
        "Offset": "places",
        "Page": "places",
        "Relay": "links",
        "Single": "links",
        "Windows": "turns",
        "asked_with": "asked",
        "link": "links",
    },
)

#: What `paging` may be, by the word for it in a description.
KINDS = Kinds(
    __name__,
    {
        "none": "Single",
        "cursor": "Cursor",
        "keyset": "Keyset",
        "page": "Page",
        "offset": "Offset",
        "next_url": "NextUrl",
        "link_header": "LinkHeader",
        "odata": "ODataLinks",
        "relay": "Relay",
        "windows": "Windows",
        "advanced": "Advanced",
    },
)
