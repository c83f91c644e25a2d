"""The contract of an emulator: what it offers beside the platform's own wire protocol. Types only.

An emulator is a stand-in server: it speaks the wire protocol of one platform on loopback and enforces that platform's limits and
rules. The sandbox, tests and benchmarks run the daemon against it. `adapters/common/emulation` has what the emulators share,
`adapters/<platform>/emulator/` the wire protocols.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import msgspec


class FaultKind(StrEnum):
    """What goes wrong with a request, as the platform's client sees it."""

    LATENCY = "latency"
    """Answered correctly, `delay_s` late."""
    RATE_LIMIT = "rate_limit"
    """429 in the platform's own form; `retry_after_s=None` leaves the wait out."""
    SERVER_ERROR = "server_error"
    """HTTP `status` (default 500), request not processed."""
    SERVER_ERROR_AFTER = "server_error_after"
    """HTTP `status` (default 500), although the request was processed: the client cannot know."""
    HANG = "hang"
    """No answer for `delay_s` (None: until the client gives up), request not processed."""
    HANG_AFTER = "hang_after"
    """As HANG, but the request was processed."""
    DROP = "drop"
    """The connection is closed without an answer, request not processed."""
    DROP_AFTER = "drop_after"
    """The connection is closed without an answer, although the request was processed."""
    UNAUTHORIZED = "unauthorized"
    """The credential is refused, in the platform's own form."""
    SLOW_BODY = "slow_body"
    """Answered correctly, its body no faster than `bytes_per_s`. For files above all; a socket is not slowed."""
    CUT_BODY = "cut_body"
    """The headers announce the whole body; the connection is closed after the first `after_bytes` of it."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule of a fault plan: which calls fail, how, and how often.

    `operation` is a glob over the emulator's operation names, which are the platform's own method names where it has them
    (`sendMessage`, `chat.postMessage`, `POST /channels/{channel}/messages`). A rule applies to every `every`-th matching call
    after the first `skip` ones, at most `times` times (None: until cleared).
    """

    kind: FaultKind
    operation: str = "*"
    times: int | None = None
    every: int = 1
    skip: int = 0
    delay_s: float | None = None
    status: int = 500
    retry_after_s: float | None = 1.0
    bytes_per_s: float = 1_000_000.0
    after_bytes: int = 0
    for_s: float | None = None
    """The rule ends so long after it was injected (None: it does not)."""


class ChangesLost(Exception):
    """A reader of `Emulator.changes` requested changes that are no longer kept: it fell behind, or came too late.

    Read the transcripts, then continue from `resume_seq`."""

    def __init__(self, resume_seq: int) -> None:
        super().__init__(f"changes before {resume_seq + 1} are no longer kept")
        self.resume_seq = resume_seq


class StreamFault(StrEnum):
    """What an emulator does to the event stream on command (once per command)."""

    DISCONNECT = "disconnect"
    """Every open event connection (long poll, socket, gateway) is closed without a closing frame or a response."""
    DISCONNECT_CLEAN = "disconnect_clean"
    """Announced as the platform announces it: Slack `disconnect`, Discord op 7; without such an announcement, as DISCONNECT."""
    INVALIDATE_SESSION = "invalidate_session"
    """A session can no longer be resumed (Discord op 9); on platforms without sessions, as DISCONNECT."""
    REDELIVER = "redeliver"
    """The last event is delivered once more, as the platform marks redeliveries."""
    REORDER = "reorder"
    """The next two events arrive in swapped order, where the platform promises no order."""
    POISON = "poison"
    """One event of a shape that no client library of the platform knows."""


class EmulatedFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file as a person in the chat sees it. `path` is where the control server serves its bytes."""

    file_id: str
    name: str
    mime: str
    size_bytes: int
    kind: str = "document"
    """photo, video, audio, voice, animation, sticker, video_note or document: as the platform shows it."""
    sha256: str = ""
    alt_text: str = ""
    """What it shows, for those who do not see it; where the platform has that."""


class SeenReaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    emoji: str
    by: tuple[str, ...]


class SeenPollOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    text: str
    by: tuple[str, ...] = ()
    """Who voted for it. In an anonymous poll a client shows each person their own vote alone."""
    votes: int = 0


class SeenPoll(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    question: str
    options: tuple[SeenPollOption, ...]
    many: bool = False
    """Whether one person may choose several options."""
    closed: bool = False
    anonymous: bool = False


class SeenMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as the platform's own client would show it to a person. Deleted messages stay listed, marked."""

    message_id: str
    chat_id: str
    author_name: str
    author_id: str = ""
    author_avatar_url: str = ""
    is_bot: bool = False
    text: str = ""
    """The displayed text, without markup."""
    html: str = ""
    """The displayed text as safe HTML of <b> <i> <u> <s> <code> <pre> <blockquote> <a> <ul> <ol> <li> <table> <h1>.. <span>,
    rendered from the wire by the emulator's own reading of it (never by the adapter's decoder)."""
    files: tuple[EmulatedFile, ...] = ()
    reply_to: str = ""
    reply_quote: str = ""
    thread_id: str = ""
    reactions: tuple[SeenReaction, ...] = ()
    poll: SeenPoll | None = None
    pinned: bool = False
    edited: bool = False
    deleted: bool = False
    system: bool = False
    sent_at: datetime | None = None


class SeenChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something changed in a chat: `message` is the new state of one message."""

    seq: int
    kind: str
    """created, edited, deleted, reactions or pins."""
    message: SeenMessage
    at_s: float = 0.0
    """When it happened: seconds of `time.monotonic`, whose clock all processes of a machine share."""


class EmulatedChat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    chat_id: str
    """The platform's native id, as the wire protocol writes it."""
    name: str
    address: str
    """How bridge.yaml writes this chat, behind `account/`."""
    names_threads: bool = False
    """Whether people open threads or topics there by name (`abilities.OpensThreads`)."""
    threads_from_messages: bool = False
    """Whether people answer in a thread below any message."""


class Upload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that a person attaches. An empty `kind` is what the platform's client would guess from the MIME type."""

    name: str
    mime: str
    content: bytes
    kind: str = ""
    alt_text: str = ""
    """What it shows, in the person's words; nothing where the platform's client does not ask for it."""


class Emulator(Protocol):
    """A platform's stand-in server. All calls belong to the event loop it was started on."""

    platform: str

    @property
    def base_url(self) -> str:
        """Where the server listens; valid after `start`."""
        ...

    def configure(self, options: Mapping[str, Any]) -> None:
        """Set the emulator's own options by name, before `start` and before chats are added. Raises ValueError, which names the
        faulty option."""
        ...

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None: ...

    async def stop(self) -> None: ...

    def account_options(self) -> dict[str, Any]:
        """What an account of bridge.yaml needs, beside `platform`, to talk to this emulator: tokens, base URLs."""
        ...

    # people and places
    def add_chat(self, name: str) -> EmulatedChat:
        """A new group chat of which the bot is a member with all rights."""
        ...

    def chats(self) -> Sequence[EmulatedChat]: ...

    def add_person(self, name: str) -> str:
        """A person with this display name; returns the native user id. Naming the same person twice returns the same id."""
        ...

    def handle(self, name: str) -> str:
        """How `people` in bridge.yaml names this person: the username that mentions use, or the user id on platforms where mentions
        use that."""
        ...

    # acting as a person: markup is what the platform's own composer accepts
    async def say(
        self,
        chat_id: str,
        person: str,
        text: str,
        *,
        reply_to: str = "",
        thread_id: str = "",
        files: Sequence[Upload] = (),
    ) -> str:
        """Post as `person` (display name); returns the native message id. The platform decides whether several files are one
        message or an album; of an album it is the first message's id."""
        ...

    async def edit(self, chat_id: str, message_id: str, text: str) -> None: ...

    async def delete(self, chat_id: str, message_id: str) -> None: ...

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None: ...

    def formatting_sample(self) -> str:
        """Composer markup with bold, italic, strike, inline code, a link, a quote and a code block, for self-tests.

        The displayed words are: bold italic strike code label quoted block.
        """
        ...

    # seeing what a person sees
    def transcript(self, chat_id: str) -> Sequence[SeenMessage]:
        """Oldest first. An album is one entry (its first message's id) where the platform shows it as one."""
        ...

    def changes(self, since_seq: int = 0) -> AsyncIterator[SeenChange]:
        """Every change after `since_seq`, forever. Raises ChangesLost when the next one is no longer kept."""
        ...

    def file_bytes(self, file_id: str) -> bytes: ...

    # going wrong on demand
    def inject(self, fault: Fault) -> None: ...

    def clear_faults(self) -> None: ...

    async def disturb(self, what: StreamFault) -> None: ...

    async def refuse_connections(self, refuse: bool) -> None:
        """Stop listening on the port and cut every connection (True), or listen on the same port again (False)."""
        ...

    def calls(self) -> Sequence[str]:
        """Operation names of every request so far, oldest first (bounded), for tests that count."""
        ...


@runtime_checkable
class RemovesBot(Protocol):
    """An emulator whose bot can be removed from a chat. Optional."""

    def remove_bot(self, chat_id: str) -> None:
        """Remove the bot as the platform does it: from now on it gets no events of the chat and every call for it is refused."""
        ...

    def bring_bot_back(self, chat_id: str) -> None:
        """Undo that."""
        ...


@runtime_checkable
class CallsBridge(Protocol):
    """An emulator whose people reach the bridge by its public listener, and whose platform has no call that registers the
    listener's URL. Optional."""

    def bridge_is_at(self, public_url: str, account: str) -> None:
        """To be called once the bridge listens, before people say anything. `account`: its name in bridge.yaml."""
        ...
