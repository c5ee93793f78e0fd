"""tap-pretix."""

from antiphon.singer.tap import Tap


class TapPretix(Tap):
    """Reads pretix: events, orders, attendees, check-ins, vouchers and customers."""

    api = "pretix"


if __name__ == "__main__":
    TapPretix.cli()
