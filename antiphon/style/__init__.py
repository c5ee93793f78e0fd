"""How a kind of API speaks: how a call is encoded, how a fault is recognised and told, how an answer is opened.

A style is asked for the fault in every reply, whatever its status: some APIs hide errors behind a 200. A style is imported when it is
first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.late import Kinds, late

if TYPE_CHECKING:
    from antiphon.style.envelopes import Cost, GraphQL, JsonRpc
    from antiphon.style.odata import OData
    from antiphon.style.rest import RETRIED, Meaning, Rest

__all__ = ["KINDS", "RETRIED", "Cost", "GraphQL", "JsonRpc", "Meaning", "OData", "Rest"]

__getattr__ = late(
    __name__,
    {
        "RETRIED": "rest",
        "Cost": "envelopes",
        "GraphQL": "envelopes",
        "JsonRpc": "envelopes",
        "Meaning": "rest",
        "OData": "odata",
        "Rest": "rest",
    },
)

#: What `style` may be, by the word for it in a description.
KINDS = Kinds(__name__, {"rest": "Rest", "json_rpc": "JsonRpc", "graphql": "GraphQL", "odata": "OData"})
