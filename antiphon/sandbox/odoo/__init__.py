"""An emulated Odoo: a small ORM over the common models, behind XML-RPC, JSON-RPC, JSON-2 and the web client's session.

Written from the vendor's documentation. What it says of a quirk stands beside the code that keeps it.
"""

from antiphon.sandbox.odoo.emulator import Odoo
from antiphon.sandbox.odoo.pending import Pending

__all__ = ["Odoo", "Pending"]
