"""Pages for the operator, on the admin listener."""
