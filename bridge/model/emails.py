"""Optional abilities of adapters whose platforms give e-mail addresses, by which accounts of one person are linked."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bridge.model.events import Author


@runtime_checkable
class TellsEmails(Protocol):
    async def email_of(self, user_id: str) -> str:
        """The person's e-mail address; empty if the platform gives none. Raises the bridge's errors. The core does not store it."""
        ...


@runtime_checkable
class FindsByEmail(Protocol):
    async def person_by_email(self, email: str) -> Author | None:
        """The person with exactly this address; None if there is none. Raises the bridge's errors."""
        ...
