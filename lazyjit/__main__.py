"""`python -m lazyjit` is the `lazyjit` command."""

from lazyjit.cli import main

main()
