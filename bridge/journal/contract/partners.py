"""Which threads of different chats are one conversation, and which are being made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from bridge.model.refs import ChatRef, ThreadRef


class PartnerState(StrEnum):
    OPEN = "open"
    """It is there."""
    WANTED = "wanted"
    """It is being made: an attempt was begun whose end is not known."""
    REFUSED = "refused"
    """It could not be made: the chat itself has the conversation, until it can."""
    ENDED = "ended"
    """It was there, and is gone or takes no messages: the chat itself has the conversation."""


class Made(StrEnum):
    """Who made a thread."""

    THERE = "there"
    """Not the bridge."""
    BRIDGE = "bridge"
    ALONE = "alone"
    """The bridge, at no message that was there."""


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation's thread in one chat. `thread_id` is empty where there is none; one that has ended may have one."""

    chat: ChatRef
    thread_id: str
    title: str
    state: PartnerState
    at: datetime
    """When it was last used; for one that is wanted, when the making of it began."""
    made: Made = Made.THERE
    is_closed: bool = False
    """Of the conversation: somebody closed one of its threads, and nobody reopened one since."""
    titled_by: int | None = None
    """Where nothing else says the title (there is no thread, or it has no name): the event whose copy does."""


class PartnerStore(Protocol):
    """What an accepted `ThreadEvent` says of a thread is recorded with it, for all of its conversation: the name, whether it is
    closed, or that it is gone. What changes nothing about the conversation is an echo.

    A conversation has one thread in a chat at most, and a thread belongs to one conversation at most. They are forgotten once
    retention has gone by since any of a conversation's threads was used."""

    async def partner(self, thread: ThreadRef, chat: ChatRef) -> Partner | None:
        """The thread of the same conversation in that chat."""
        ...

    async def partners(self, thread: ThreadRef) -> Sequence[Partner]:
        """All threads of the conversation, that one included; none if it is not known."""
        ...

    async def wanted_in(self, chat: ChatRef) -> Sequence[Partner]:
        """Those of that chat that are being made."""
        ...

    async def want_partner(self, thread: ThreadRef, chat: ChatRef, *, title: str, at: datetime) -> Partner:
        """Before the first attempt to make it: returns it as it is recorded by now, if it was wanted before."""
        ...

    async def set_partner(
        self,
        thread: ThreadRef,
        chat: ChatRef,
        partner_id: str,
        *,
        title: str,
        at: datetime,
        made: Made = Made.THERE,
        titled_by: int | None = None,
        state: PartnerState = PartnerState.REFUSED,
    ) -> bool:
        """It is there; empty: it is not, by that state. ENDED with an id: it is not to be used, until it is reopened. False: that
        thread belongs to another conversation already, and nothing was recorded. `titled_by` is kept once it is set."""
        ...

    async def use_partner(self, thread: ThreadRef, chat: ChatRef, *, at: datetime) -> None:
        """It was used."""
        ...

    async def forget_thread(self, thread: ThreadRef) -> None:
        """It is gone: the conversation goes on without it."""
        ...
