"""How a kind of API speaks: how a call is encoded, how a fault is recognised and told, how an answer is opened.

A style is asked for the fault in every reply, whatever its status: some APIs hide errors behind a 200.
"""

from __future__ import annotations

from antiphon.style.envelopes import Cost, GraphQL, JsonRpc
from antiphon.style.odata import OData
from antiphon.style.rest import MEANINGS, RETRIED, Rest

#: What `style` may be, by the word for it in a description.
KINDS: dict[str, type] = {"rest": Rest, "json_rpc": JsonRpc, "graphql": GraphQL, "odata": OData}

__all__ = ["KINDS", "MEANINGS", "RETRIED", "Cost", "GraphQL", "JsonRpc", "OData", "Rest"]
