"""`python -m workers.cli`: the command line without an installed script."""

from workers.cli import main

main()
