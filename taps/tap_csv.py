"""tap-csv."""

from antiphon.singer.tap import Tap


class TapCSV(Tap):
    """Reads CSV files, so that what is in them goes into any API in one pipe."""

    api = "csv"


if __name__ == "__main__":
    TapCSV.cli()
