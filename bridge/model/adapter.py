"""The contract between the core and the adapters: what an adapter must have, may have, and is given. Types only.

Required of an adapter: `account`, `capabilities`, `measure`, `resolve`, `probe`, `run`, `send`, `close`. Optional abilities are one
method each (`Edits`, `Deletes`, ...; more in `abilities`): an ability is declared FULL or PARTIAL in the capabilities exactly when
the method exists; the conformance suite checks both together. Adapters classify errors (`model.errors`), the core decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from bridge.model.capabilities import Capabilities
from bridge.model.events import Attachment, Author, ChatEvent
from bridge.model.outbound import Copy as Copy
from bridge.model.outbound import FileStream as FileStream
from bridge.model.outbound import ListedFile as ListedFile
from bridge.model.outbound import Outbound as Outbound
from bridge.model.outbound import OutboundDelete as OutboundDelete
from bridge.model.outbound import OutboundEdit as OutboundEdit
from bridge.model.outbound import OutboundFile as OutboundFile
from bridge.model.outbound import OutboundReaction as OutboundReaction
from bridge.model.outbound import ProbeItem as ProbeItem
from bridge.model.outbound import Receipt as Receipt
from bridge.model.outbound import Reply as Reply
from bridge.model.outbound import Sender as Sender
from bridge.model.refs import AccountName
from bridge.model.rich_text import RichText


class _Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


# -- into the core ----------------------------------------------------------------------------------------------------------


class Cursor(_Value, frozen=True):
    """How far an adapter has read, in its own format. Stored in the same transaction as the events it was accepted with.

    Several names let an adapter keep one cursor per chat; `value` may be JSON and may carry input that is held back (an album
    still arriving), so that nothing that was confirmed upstream exists only in memory."""

    name: str
    value: str


class Intake(Protocol):
    """What `run` is given. `accept` is where input becomes the bridge's responsibility."""

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        """Take events in the order they happened; returns once they, their deliveries and the cursors are on disk.

        Only then may the input be confirmed upstream. Pass waiting events as one batch: a call costs one disk sync.
        Redelivered events are recognised and harmless. Waits when the disk is slow: call it from the reading loop itself.
        """
        ...

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        """Store and count input that the adapter does not understand; returns once it is on disk. Never fatal."""
        ...

    def ignored(self, reason: str) -> None:
        """Count input that was understood and is ignored on purpose (`Ignored`). `reason` is one of a small, fixed set."""
        ...

    async def cursor(self, name: str) -> str | None:
        """The value last accepted for this account under that name."""
        ...

    async def is_known(self, event_key: str) -> bool:
        """Whether an event of that key was accepted before (for adapters that re-read history)."""
        ...

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        """Native ids of the latest messages of that chat that the bridge knows, newest first: originals and copies."""
        ...

    def routed_chats(self) -> frozenset[str]:
        """Native ids of this account's chats that are the origin of a route. Events of other chats are skipped; an adapter that
        polls needs to poll only these."""
        ...

    def is_end(self, chat_id: str, thread_id: str | None) -> bool:
        """Whether a route has this thread (None: the chat itself) as an end; else its messages are relayed with the others."""
        ...

    def hears_private(self) -> bool:
        """Whether what people say to this account in private counts: it may be a command. An adapter that must ask for private
        chats asks only then, and may leave out what is longer than a command."""
        ...

    def connected(self) -> None:
        """The connection is established and authorised: resets the supervisor's back-off and wakes waiting lanes."""
        ...

    def may_send(self) -> None:
        """Deliveries to its chats may be sent, although nothing is received yet: where sending needs no connection."""
        ...

    async def set_own_names(self, names: Iterable[str]) -> None:
        """The account's current names on its platform, all that people see: display name, user name, nicknames. Nobody else is
        shown under them. Replaces the earlier names; call it before `connected` and whenever they change."""
        ...

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        """A problem less severe than `AccountDown` that a human should fix (a missing right in one chat): shown in health and
        log."""
        ...

    def chat_restored(self, chat_id: str) -> None:
        """The account may use that chat again, or with more rights than before (invited, unarchived, given rights): notices about
        it are cleared, and what waits for it is tried at once."""
        ...

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        """Messages of that chat between these times could not be fetched: shows one visible line in its targets, and logs one."""
        ...

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        """The platform reported that a chat has a new id: routes and lanes follow."""
        ...


class Adapter(Protocol):
    """One account on one platform. Built inside the running loop; all methods are called from it.

    `send` and the abilities make exactly one attempt and may be called concurrently for different chats, never for the same one.
    They may be called while `run` is not running.
    """

    account: AccountName

    @property
    def capabilities(self) -> Capabilities:
        """May become more exact once connected (a guild's upload limit)."""
        ...

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        """Length of the encoded text in the unit of the platform's limits. Pure and fast."""
        ...

    async def resolve(self, address: str) -> str:
        """The native chat id for the chat part of an address in bridge.yaml (`#general` -> `C024BE7LH`). No I/O if it is an id.

        Raises ChatDown if there is no such chat or we are not in it, RetryLater if that cannot be found out now, AccountDown."""
        ...

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        """What `check --online` asks: identity, scopes, intents, and per chat membership and rights. Failures are items."""
        ...

    async def run(self, intake: Intake) -> None:
        """Receive until cancelled. Raises ConnectionLost when the connection is gone (the supervisor waits and calls again) and
        AccountDown when a human must act."""
        ...

    async def send(self, outbound: Outbound) -> Receipt:
        """One attempt. Raises a DeliveryError or AccountDown."""
        ...

    async def close(self) -> None:
        """Close sessions and sockets; bounded in time, idempotent."""
        ...


# -- optional abilities, one method each ------------------------------------------------------------------------------------


@runtime_checkable
class Edits(Protocol):
    async def edit(self, outbound: OutboundEdit) -> Receipt: ...


@runtime_checkable
class Deletes(Protocol):
    async def delete(self, outbound: OutboundDelete) -> None:
        """A message that is already gone is a success."""
        ...


@runtime_checkable
class RemovesFiles(Protocol):
    async def remove_files(self, copy: Copy, indexes: Sequence[int]) -> Receipt:
        """Remove files from a message that keeps its text or other files; `indexes` are those of its files, in the order in which
        they were sent. A file that is already gone is a success. The receipt describes what is left."""
        ...


@runtime_checkable
class Reacts(Protocol):
    async def react(self, outbound: OutboundReaction) -> Sequence[str] | None:
        """Returns those of `wanted` that cannot be shown as reactions (None: all are shown): a line below the message has them.
        Raises Rejected for a change that the target does not accept (it does not know the emoji, the chat does not allow it, a
        right is missing): then the line has it. Raises ChatDown only for failures that messages to the chat would also meet, since
        it delays them."""
        ...


@runtime_checkable
class OpensFiles(Protocol):
    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        """Download a file received by this account. Raises RetryLater, Rejected (gone, too large), AccountDown."""
        ...


@runtime_checkable
class ReadsHistory(Protocol):
    def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        """Messages after the native message id `since`, oldest first, as the same events that live delivery would have given."""
        ...


@runtime_checkable
class Reconciles(Protocol):
    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        """After an unknown outcome: the receipt if the message exists, None if it certainly does not. Raises RetryLater if that
        cannot be found out now."""
        ...


@runtime_checkable
class LooksAtChats(Protocol):
    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        """What `probe` says about one chat, asked regularly while the account runs: sends nothing and opens no connection."""
        ...


@runtime_checkable
class ShowsTyping(Protocol):
    async def show_typing(self, chat_id: str, thread_id: str | None) -> None: ...


@runtime_checkable
class SetsStatus(Protocol):
    async def set_status(self, status: str, text: str) -> None: ...


@runtime_checkable
class Pins(Protocol):
    async def pin(self, copy: Copy, pinned: bool) -> None:
        """Raises Rejected for what is not allowed or not possible, which is skipped; ChatDown as `Reacts.react` does."""
        ...


@runtime_checkable
class LooksUpPeople(Protocol):
    async def person(self, user_id: str) -> Author | None:
        """Who has that native id, or goes by what `people` in bridge.yaml may say instead: a username, an e-mail address. None if
        nobody is found, or several are."""
        ...
