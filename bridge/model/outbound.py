"""What passes between the core and an adapter: what is to be sent or changed, what it became, what a look at a chat says. Only
types.

`adapter` has the contract that speaks of them; it hands these on under the same names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import msgspec

from bridge.model.content import Attachment, Contact, Location, Poll
from bridge.model.original import Original
from bridge.model.outcomes import LossNote
from bridge.model.rich_text import EMPTY, RichText


class _Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class Sender(_Value, frozen=True):
    """The name, and the public avatar URL, that a message is shown with. Only for platforms with native sender names; for
    the others the core has put the name into the text."""

    name: str
    avatar_url: str = ""


class OutboundFile(_Value, frozen=True):
    """A file complete on disk, ready to be streamed. `attachment` describes it as the origin did (its `file_id` is not ours)."""

    attachment: Attachment
    path: Path
    name: str
    """Safe to pass on: no path separators, no control characters, never empty."""
    mime: str
    size_bytes: int
    url: str = ""
    """As of a `ListedFile`; only for targets whose readers are programs (`Capabilities.takes_data`)."""
    block_sums: bytes = b""
    """Checksums (`checksums`) of what was fetched; empty if not known. Adapters read the file through `adapters.common.files`,
    which checks them."""


class ListedFile(_Value, frozen=True):
    """A file of the message that is not sent as a file: its text has a line about it. `attachment` as the origin describes it.

    `url` opens the file by the bridge's own public listener, for whoever has the link, until it ends (`media.link_days`) or the
    message is deleted. Empty where there is none: no `web.public`, links are off, or nobody can fetch the file."""

    attachment: Attachment
    name: str
    """As of an `OutboundFile`."""
    mime: str
    problem: str = ""
    """Why it is not sent, in words for readers."""
    url: str = ""


class Copy(_Value, frozen=True):
    """One sent part as it exists in the target. `adapter_data` is its own note from the `Receipt` (which webhook, say)."""

    chat_id: str
    message_ids: tuple[str, ...]
    thread_id: str | None = None
    adapter_data: str = ""


class Reply(_Value, frozen=True):
    """The message that an outbound message replies to. `message_id` is native to the target chat, or empty if that message has no
    copy there; author and excerpt are for platforms that cannot refer to a message (the adapter then shows a quoted line)."""

    message_id: str = ""
    thread_id: str | None = None
    """Thread the answered message is in, in the target."""
    author_name: str = ""
    excerpt: str = ""


class Outbound(_Value, frozen=True):
    """One message to send: within the target's limits, mentions translated to the target's ids, other platforms' ids removed.

    `token` identifies this part of this delivery for ever (letters, digits, `-`; at most 25 characters): platforms that can carry
    it (nonce, metadata, client id) let us recognise the message later. `attempt` is 1 for the first try.
    """

    token: str
    attempt: int
    chat_id: str
    thread_id: str | None = None
    text: RichText = EMPTY
    files: tuple[OutboundFile, ...] = ()
    sender: Sender | None = None
    reply: Reply | None = None
    mass_mentions: bool = False
    """Whether `Mention(kind=EVERYONE)` in the text may ping. If not, the text contains none."""
    previews: bool = True
    silent: bool = False
    location: Location | None = None
    """Only where LOCATION is native; elsewhere it is a line of the text. So with `contact`, and `poll` (within `Limits.poll`)."""
    contact: Contact | None = None
    poll: Poll | None = None
    listed_files: tuple[ListedFile, ...] = ()
    """The files that are lines of the text, for platforms that can say more of them than the line does."""
    original: Original | None = None


class OutboundEdit(_Value, frozen=True):
    """New text for one part. Its files stay as they are; `has_files` says whether it has any (caption or message text). `location`,
    `contact`, `listed_files` and `original` as in `Outbound`, as they are now."""

    token: str
    copy: Copy
    text: RichText
    has_files: bool = False
    sender: Sender | None = None
    reply: Reply | None = None
    mass_mentions: bool = False
    previews: bool = True
    location: Location | None = None
    contact: Contact | None = None
    listed_files: tuple[ListedFile, ...] = ()
    original: Original | None = None


class OutboundDelete(_Value, frozen=True):
    copy: Copy
    occurred_at: datetime | None = None


class OutboundReaction(_Value, frozen=True):
    """A change of the reactions that all people elsewhere have on a message. The bot reacts once for everyone: `wanted` is the
    whole set of emoji that somebody holds now, latest first; `added` and `removed` what this event changes about that set."""

    copy: Copy
    wanted: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    token: str = ""
    """As `Outbound.token`, of the reaction's delivery."""
    occurred_at: datetime | None = None


class Receipt(_Value, frozen=True):
    """The result for one part: its native ids now (several for an album), and the adapter's own note for later."""

    message_ids: tuple[str, ...]
    thread_id: str | None = None
    adapter_data: str = ""
    losses: tuple[LossNote, ...] = ()
    """What the adapter left out or converted in this message."""


class FileStream(_Value, frozen=True):
    """An open download. `chunks` raises `RetryLater` when the body ends early: a truncated file never looks whole."""

    chunks: AsyncIterator[bytes]
    size_bytes: int | None = None


class ProbeItem(_Value, frozen=True):
    """One thing that `check --online` asked. `action` says what to click when `ok` is false; `chat_id` if it concerns one chat."""

    name: str
    ok: bool
    detail: str = ""
    action: str = ""
    chat_id: str = ""
    whole_chat: bool = False
    """It concerns only ends that messages are sent into, and that are the chat itself, not a thread of it."""
    every_thread: bool = False
    """It concerns only ends that stand for all threads of the chat (`chat/*`)."""
    bars_threads: bool = False
    """`ok`, but it is not for such an end."""
    temporary: bool = False
    """Not `ok`, but nothing is known to be wrong: the platform could not be reached, or asked to try later."""
    dead: bool = False
    """Not `ok`, and nothing can be sent or received there until a human acts: removed, archived, not visible."""
    deaf: bool = False
    """Not `ok`, and the account does not receive messages from there until a human acts; sending works. It concerns only chats that
    messages are relayed from. Without `chat_id`: it is the cause of the items that have one."""
