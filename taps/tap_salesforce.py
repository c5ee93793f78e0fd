"""tap-salesforce."""

from antiphon.singer.tap import Tap


class TapSalesforce(Tap):
    """Reads Salesforce: every object of an organisation, custom ones included, by SOQL or Bulk 2.0."""

    api = "salesforce"


if __name__ == "__main__":
    TapSalesforce.cli()
