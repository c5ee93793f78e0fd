"""target-salesforce."""

from antiphon.singer.target import Target


class TargetSalesforce(Target):
    """Writes to Salesforce: every object of an organisation, custom ones included, by SOQL or Bulk 2.0."""

    api = "salesforce"


if __name__ == "__main__":
    TargetSalesforce.cli()
