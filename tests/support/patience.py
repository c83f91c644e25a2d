"""How long a test waits for what must come. It is a bound for the case that it never comes, not a measure of speed: a machine with
twenty other programs beside the tests is slow, and that is no fault. What must not come cannot be waited for: such a test makes
something come afterwards, and looks then."""

PATIENCE_S = 100.0
