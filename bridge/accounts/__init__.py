"""Per account: connect, restart, park, and report health."""
