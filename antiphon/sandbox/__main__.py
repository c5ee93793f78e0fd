"""`python -m antiphon.sandbox hubspot`: an emulator in the foreground."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from antiphon.sandbox import KINDS, names, parse_faults, parse_limit, run
from antiphon.sandbox.openssl import MissingError

T = TypeVar("T")


def _argument(parse: Callable[[str], T]) -> Callable[[str], T]:
    def parsed(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="antiphon sandbox", description="An emulated API, to try things on.")
    parser.add_argument("name", choices=names())
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--records", type=int, default=100, help="how many records of the main resource to make up")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument("--limit", type=_argument(parse_limit), metavar="CALLS/SECONDS", help="burst limit: 190/10")
    parser.add_argument("--faults", type=_argument(parse_faults), metavar="KIND=SHARE,…", help=", ".join(KINDS))
    parser.add_argument("--seed", type=int, help="the same seed: the same records, faults and account")
    parser.add_argument("--tls", action="store_true", help="serve https with a certificate that nobody has signed")
    try:
        run(**vars(parser.parse_args()))
    except MissingError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
