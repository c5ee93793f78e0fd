"""tap-universal."""

from antiphon.singer.tap import Tap
from antiphon.singer.universal import ANY


class TapUniversal(Tap):
    """Reads any API that a file of yours describes."""

    api = ANY


if __name__ == "__main__":
    TapUniversal.cli()
