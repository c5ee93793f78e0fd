"""target-universal."""

from antiphon.singer.target import Target
from antiphon.singer.universal import ANY


class TargetUniversal(Target):
    """Writes to any API that a file of yours describes."""

    api = ANY


if __name__ == "__main__":
    TargetUniversal.cli()
