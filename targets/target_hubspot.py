"""Writes to HubSpot."""

from __future__ import annotations

from antiphon.singer.target import Target


class TargetHubSpot(Target):
    """Writes contacts, companies, deals and every other CRM object back to HubSpot."""

    api = "hubspot"


if __name__ == "__main__":
    TargetHubSpot.cli()
