"""tap-hubspot."""

from antiphon.singer.tap import Tap


class TapHubSpot(Tap):
    """Reads HubSpot: contacts, companies, deals, tickets and all other CRM objects, custom ones included."""

    api = "hubspot"


if __name__ == "__main__":
    TapHubSpot.cli()
