"""Optional abilities of an adapter that need no level in its capabilities: the core uses them where they are. Types only.

Those that have one are in `adapter`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bridge.model.adapter import Copy


@runtime_checkable
class LinksToMessages(Protocol):
    def message_link(self, copy: Copy) -> str:
        """The address under which members of the chat open that message, as the platform's own clients copy it; empty where it has
        none, or what it needs is not known yet. No I/O. `links:message_of_link` of the package reads what this makes."""
        ...
