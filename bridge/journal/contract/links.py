"""What is known of native messages: copies, the originals they belong to, and messages that several were merged into."""

from __future__ import annotations

import msgspec

from bridge.model.adapter import Copy
from bridge.model.capabilities import Feature
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.refs import AccountName, MessageRef


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Carried(_Value, frozen=True):
    """What a part contains, for later edits: whether they change text or a caption, and which of the origin's files it has."""

    text: bool = False
    files: bool = False
    marks: tuple[str, ...] = ()
    """The marks of the part's files, in the order in which they were sent; empty although there are files: sent by a version that
    did not store them."""
    poll: bool = False
    """Whether it is a native poll: people vote on it, and it cannot be edited."""
    wordless: bool = False
    """Whether its files take no words beside them: words that an edit adds need a message of their own."""
    alone: Feature | None = None
    """LOCATION or CONTACT: it is one natively, and a message of its own, without words."""


NOTHING = Carried()

TALLY_PART = 1000
"""The number of the part that is no part of the message: the line that says who reacted to it. No message has so many parts."""
VOTES_PART = 1001
"""The same of the line that says how people voted elsewhere."""


class StoredPart(_Value, frozen=True):
    """A part that has its receipt."""

    part: int
    copy: Copy
    carried: Carried = NOTHING


class Piece(_Value, frozen=True):
    """What one created event contributed to a message that several were merged into. `content` is opaque to the journal."""

    event_seq: int
    content: bytes


class Merged(_Value, frozen=True):
    """A message in a target that several created events were merged into. `lead_seq` names it: the first event it was made of."""

    lead_seq: int
    pieces: tuple[Piece, ...]
    """In the order of their events, which is the order within the message."""


class Elsewhere(_Value, frozen=True):
    """Copies at another end of the same chat."""

    thread_id: str | None
    copies: tuple[StoredPart, ...]
    tally: StoredPart | None = None
    votes: StoredPart | None = None


class PollVotes(_Value, frozen=True):
    """How people voted on one native message, an original or a copy."""

    message: MessageRef
    votes: tuple[int, ...]
    closed: bool = False


class KnownPoll(_Value, frozen=True):
    """The message with the poll, and what is known of the votes on it and on its copies, by their native messages."""

    created: MessageCreated
    votes: tuple[PollVotes, ...] = ()


class Reactor(_Value, frozen=True):
    """Somebody who reacted: native user id on that account, and the name that the platform told with it."""

    account: AccountName
    user_id: str
    name: str


class ReactedWith(_Value, frozen=True):
    """An emoji on a message, and how many people hold it. `named`: some of them, those whose names were told, latest first."""

    emoji: str
    people: int
    named: tuple[Reactor, ...] = ()


class AuthorName(str):
    """An author's name, with the native user id and the username; both are empty in journals of before they were kept."""

    __slots__ = ("user_id", "username")
    user_id: str
    username: str

    def __new__(cls, name: str, user_id: str = "", username: str = "") -> AuthorName:
        made = super().__new__(cls, name)
        made.user_id, made.username = user_id, username
        return made


class Link(_Value, frozen=True):
    """What is known of a native message: the original it belongs to, and how that is copied in one target."""

    event_seq: int
    """Of the created event."""
    original: MessageRef
    is_original: bool
    """Whether the message asked for is the original itself (or one of its `also_ids`), not a copy."""
    author_name: str
    """From the journal itself an `AuthorName`."""
    copies: tuple[StoredPart, ...]
    """The parts in the target and thread asked for, in order; empty if there is none there."""
    thread_id: str | None = None
    """The thread asked for."""
    also_ids: tuple[str, ...] = ()
    """Further native messages of the original."""
    original_thread: str | None = None
    """The origin's thread that the original was written in, if the journal kept it."""
    tally: StoredPart | None = None
    """The line at that end that says who reacted to the message; it is none of the copies."""
    votes: StoredPart | None = None
    """The same of the line that says how people voted elsewhere."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Only if there is none in the requested thread: the copies in the chat itself, then those in other threads, by their ids."""


class Original(_Value, frozen=True):
    """What became of a message that was accepted."""

    is_deleted: bool = False
    edit: MessageEdited | None = None
    """Its newest edit that says what the whole message is; None: it was not edited."""
