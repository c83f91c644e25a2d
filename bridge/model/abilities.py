"""Optional abilities of adapters without a level in the capabilities: the core uses them where an adapter implements them. Types
only.

Abilities with a level are in `adapter`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from bridge.model.adapter import Copy
from bridge.model.events import Attachment
from bridge.model.rich_text import RichText


@runtime_checkable
class LinksToMessages(Protocol):
    def message_link(self, copy: Copy) -> str:
        """The address under which members of the chat open that message, as the platform's own clients copy it; empty if it has
        none, or if a needed value is not known yet. No I/O. `links:message_of_link` of the package is the inverse."""
        ...


@runtime_checkable
class ShowsFaces(Protocol):
    """For platforms on which pictures of people have no public address; `OpensFiles` opens the result."""

    async def face(self, user_id: str) -> Attachment | None:
        """The picture that a person (or a chat that speaks as one) has now, small, with a `unique_id` that changes when the picture
        does; None: there is none. Raises RetryLater, Rejected, AccountDown."""
        ...


@runtime_checkable
class ClosesPolls(Protocol):
    """For platforms with native polls."""

    async def close_poll(self, copy: Copy) -> None:
        """End a poll that this account posted: nobody can vote any more, and its result stays. One that is closed already is a
        success. Raises what a change of a message raises: MessageGone, ChangeRefused, and the rest."""
        ...


@runtime_checkable
class Whispers(Protocol):
    """For platforms that can show a message in a chat to one of its members alone."""

    async def whisper(self, chat_id: str, user_id: str, text: RichText, thread_id: str | None) -> None:
        """Show a short text that is within the capabilities. It has no id, and is not found again: a repeated attempt shows it
        twice. Raises Rejected where the person cannot see it (not in the chat); RetryLater and the rest as `send` does."""
        ...


@runtime_checkable
class RenamesChats(Protocol):
    async def rename_chat(self, chat_id: str, name: str) -> str:
        """Give a chat a new name, which has no control characters and is not empty; returns it as the chat has it now (shortened,
        in small letters). A name that it has already is a success. Raises Rejected where the bot may not, or the platform does not
        take the name; RetryLater and the rest as for any change."""
        ...


@runtime_checkable
class KnowsChatNames(Protocol):
    def chat_named(self, name: str) -> str:
        """The native id of the chat with that name in links (`LinkedMessage.chat`: `@group`); empty if the account does not know
        it. No I/O."""
        ...


class ListedChat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat that the account can see. `address`: as bridge.yaml writes it, behind `account/`."""

    address: str
    name: str = ""
    """For people, where the address does not say it."""
    note: str = ""
    """What is to be done before messages can be relayed: `the bot is not in it: /invite it`."""
    by_name: str = ""
    """The address by the chat's name, where no other chat has it; empty if bridge.yaml cannot write it so."""


@runtime_checkable
class ListsChats(Protocol):
    async def chats(self) -> Sequence[ListedChat]:
        """The chats that the account can see, for an admin who looks for an id. It may be used before `run`. Raises ChatDown (they
        may not be listed), RetryLater, Rejected, AccountDown."""
        ...


@runtime_checkable
class NamesChats(Protocol):
    """For platforms whose bots cannot list their chats, but can ask about one."""

    async def chat_name(self, chat_id: str) -> str:
        """What people call the chat; empty if it has no name, or cannot be asked about."""
        ...
