"""tap-odoo."""

from antiphon.singer.tap import Tap


class TapOdoo(Tap):
    """Reads Odoo: every model of an installation, the usual ones under the words users say."""

    api = "odoo"


if __name__ == "__main__":
    TapOdoo.cli()
