"""All kinds of :mod:`antiphon.style`, by their words."""

from __future__ import annotations

from antiphon.style.envelopes import GraphQL, JsonRpc
from antiphon.style.odata import OData
from antiphon.style.rest import Rest

#: What `style` may be, by the word for it in a description.
KINDS: dict[str, type] = {"rest": Rest, "json_rpc": JsonRpc, "graphql": GraphQL, "odata": OData}
