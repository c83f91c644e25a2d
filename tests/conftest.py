"""How properties are checked: with the same examples in every run, so that a red run is red for everyone; `make search` looks for
new ones, `make check` tries few (`tests/support/budget.py` says how many). No check depends on the speed of the machine: an example
may take its time.

Importing `bridge.observability.logs` gives every test the program's own short tracebacks in what it logs."""

from hypothesis import HealthCheck, settings

from adapters.registry import secret_shapes
from bridge.observability import logs as observe
from bridge.policy.redact import ask_platforms

SLOW = (HealthCheck.too_slow,)

observe.plain_defaults()
ask_platforms(secret_shapes)
settings.register_profile("repeatable", max_examples=25, derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("search", deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=10)
settings.load_profile("repeatable")
