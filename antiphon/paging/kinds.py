"""All kinds of :mod:`antiphon.paging`, by their words."""

from __future__ import annotations

from antiphon.paging.links import Cursor, Keyset, LinkHeader, NextUrl, ODataLinks, Relay, Single
from antiphon.paging.places import Offset, Page
from antiphon.paging.turns import Advanced, Windows

#: What `paging` may be, by the word for it in a description.
KINDS: dict[str, type] = {
    "none": Single,
    "cursor": Cursor,
    "keyset": Keyset,
    "page": Page,
    "offset": Offset,
    "next_url": NextUrl,
    "link_header": LinkHeader,
    "odata": ODataLinks,
    "relay": Relay,
    "windows": Windows,
    "advanced": Advanced,
}
