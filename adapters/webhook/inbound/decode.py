"""A request's body to what it says. Pure."""

from __future__ import annotations


class Undecodable(ValueError):
    """The body is not what it says it is. The text is for its sender."""
