"""How properties are checked: with the same examples in every run, so that a red run is red for everyone; `make search` looks for
new ones."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("repeatable")
