"""`python -m antiphon.cli`: the command, where its console script is not on the path."""

from antiphon.cli import main

main()
