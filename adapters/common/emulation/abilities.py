"""What people do in some messengers and not in others: pins, named threads, polls, a mark that they type. Optional protocols beside
`contract.Emulator`; types only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from adapters.common.emulation.contract import EmulatedChat


class EmulatedThread(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A thread, topic or forum post of a chat."""

    thread_id: str
    name: str
    closed: bool = False


class Member(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person of the messenger. `mention` is what its composer takes for a mention of this person."""

    name: str
    mention: str


@runtime_checkable
class PinsMessages(Protocol):
    async def pin(self, chat_id: str, message_id: str, person: str, *, remove: bool = False) -> None:
        """Pin a message, or take the pin away. What is done already changes nothing."""
        ...


@runtime_checkable
class NamesSending(Protocol):
    sending_operation: str
    """A glob over the operations by which a bot's messages are sent, for faults that concern these alone."""


@runtime_checkable
class ArchivesChats(Protocol):
    def archive_chat(self, chat_id: str, *, archived: bool = True) -> None:
        """Nobody can write in an archived chat. For platforms where a bot may write to a chat of which it is no member."""
        ...


@runtime_checkable
class HasTopics(Protocol):
    def add_chat_with_topics(self, name: str) -> EmulatedChat:
        """As `Emulator.add_chat`, for platforms where only some groups have topics."""
        ...


@runtime_checkable
class OpensThreads(Protocol):
    async def start_thread(self, chat_id: str, person: str, name: str, *, message_id: str = "") -> str:
        """Open a thread or topic, from a message where the platform has that; returns its id. Raises ValueError where the chat
        has none."""
        ...

    def threads(self, chat_id: str) -> Sequence[EmulatedThread]:
        """Those of a chat, oldest first."""
        ...


@runtime_checkable
class ChangesThreads(Protocol):
    async def change_thread(self, chat_id: str, thread_id: str, person: str, *, name: str = "", closed: bool | None = None) -> None:
        """Give a thread a new name, close it or open it again. Raises ValueError where the chat has no such thread."""
        ...


@runtime_checkable
class AsksPolls(Protocol):
    async def ask_poll(self, chat_id: str, person: str, question: str, options: Sequence[str], *, many: bool = False) -> str:
        """Post a poll; returns the message's id. Raises ValueError for what the platform's client does not let people ask."""
        ...

    async def vote_for(self, chat_id: str, message_id: str, person: str, options: Sequence[int]) -> None:
        """Vote for these options, by position; none takes the vote back. Raises ValueError for a closed poll or no option."""
        ...

    async def close_poll(self, chat_id: str, message_id: str) -> None: ...


@runtime_checkable
class ShowsTyping(Protocol):
    async def type(self, chat_id: str, person: str) -> None:
        """A person begins to type, of which the platform tells the bot."""
        ...


@runtime_checkable
class TellsWhoTypes(Protocol):
    def typing(self, chat_id: str) -> Sequence[str]:
        """The names, the bot's included, that the platform's client shows as typing in this chat at present."""
        ...


@runtime_checkable
class MentionsPeople(Protocol):
    def members(self, chat_id: str) -> Sequence[Member]:
        """Whom the composer offers behind an @ in this chat: people, no bots."""
        ...
