"""Optional abilities of an adapter that need no level in its capabilities: the core uses them where they are. Types only.

Those that have one are in `adapter`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bridge.model.adapter import Copy
from bridge.model.events import Attachment


@runtime_checkable
class LinksToMessages(Protocol):
    def message_link(self, copy: Copy) -> str:
        """The address under which members of the chat open that message, as the platform's own clients copy it; empty where it has
        none, or what it needs is not known yet. No I/O. `links:message_of_link` of the package reads what this makes."""
        ...


@runtime_checkable
class ShowsFaces(Protocol):
    """For platforms whose people's pictures have no address that anybody may open; `OpensFiles` opens what this gives."""

    async def face(self, user_id: str) -> Attachment | None:
        """The picture that a person (or a chat that speaks as one) has now, small, with a `unique_id` that changes when the picture
        does; None: there is none. Raises RetryLater, Rejected, AccountDown."""
        ...


@runtime_checkable
class KnowsChatNames(Protocol):
    def chat_named(self, name: str) -> str:
        """The native id of the chat that links call so (`LinkedMessage.chat`: `@group`), as far as the account was told of it;
        empty if it was not. No I/O."""
        ...
