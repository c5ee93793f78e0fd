"""An emulated Salesforce org: logins, sObjects, SOQL, single and collection writes, and Bulk 2.0 both ways.

Written from the vendor's documentation. What it says of a limit or a quirk stands beside the code that keeps it.
"""

from antiphon.sandbox.salesforce.emulator import Salesforce
from antiphon.sandbox.salesforce.settings import Settings

__all__ = ["Salesforce", "Settings"]
