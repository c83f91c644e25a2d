"""`python -m bridge.cli`: the same as `messenger-bridge`."""

from bridge.cli import main

main()
