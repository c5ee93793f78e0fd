"""An emulated HubSpot account: the CRM API's objects, batches, search, associations and metadata, old and dated paths.

Written from the vendor's documentation. What it says of a limit or a quirk stands beside the code that keeps it.
"""

from antiphon.sandbox.hubspot.emulator import HubSpot
from antiphon.sandbox.hubspot.portal import Quirks

__all__ = ["HubSpot", "Quirks"]
