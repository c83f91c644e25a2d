"""Optional abilities of adapters whose platforms tell e-mail addresses: accounts of one address can be one person's."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bridge.model.events import Author


@runtime_checkable
class TellsEmails(Protocol):
    async def email_of(self, user_id: str) -> str:
        """The person's e-mail address; empty if the platform tells none. Raises the bridge's errors. It is stored nowhere."""
        ...


@runtime_checkable
class FindsByEmail(Protocol):
    async def person_by_email(self, email: str) -> Author | None:
        """The one person who has exactly this address there; None if there is none. Raises the bridge's errors."""
        ...
