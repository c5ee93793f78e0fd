"""target-odoo."""

from antiphon.singer.target import Target


class TargetOdoo(Target):
    """Writes to Odoo: every model of an installation, the usual ones under the words users say."""

    api = "odoo"


if __name__ == "__main__":
    TargetOdoo.cli()
