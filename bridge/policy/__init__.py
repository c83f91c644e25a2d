"""Decisions: where an event goes, what an error means, what is an echo or a loop, how often, what is secret. Pure."""
