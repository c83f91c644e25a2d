"""What a message says, in one vocabulary for all platforms: its text, files, poll, place, and who said it. Types only.

`events` has what happens in a chat; it hands these on under the same names."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec

from bridge.model.media import AttachmentKind
from bridge.model.rich_text import EMPTY, RichText


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an event: a value, of which the journal stores what is not the default."""


class Author(Part, frozen=True):
    """The person or bot that did it. `user_id` is native; `name` is what people see; `username` is the handle for mentions, if any.

    `avatar_url` is public and holds no secret, or is empty."""

    user_id: str
    name: str
    username: str = ""
    avatar_url: str = ""
    is_bot: bool = False
    roles: tuple[str, ...] = ()
    """Names of the person's roles there, as far as the platform tells them with what the person does."""


class Still(Part, frozen=True):
    """A still picture of a moving file, which the origin has as a file of its own: for those who cannot play the file."""

    file_id: str
    mime: str
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None


class Attachment(Part, frozen=True):
    """A handle on a file, never its bytes. `file_id` is whatever the origin's adapter needs to fetch the file after a restart;
    only that adapter reads it, and it holds no secret. `name` is a display name, never used as a path. `problem` says why the file
    cannot be fetched, if the platform said so at once (too large, hidden): it then becomes a visible line."""

    kind: AttachmentKind
    file_id: str
    name: str = ""
    mime: str = ""
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    spoiler: bool = False
    emoji: str = ""
    """For a sticker: the emoji it stands for."""
    alt_text: str = ""
    problem: str = ""
    unique_id: str = ""
    """An id that stays the same whenever the origin reports this file again, if `file_id` may not; empty: `file_id` does."""
    still: Still | None = None
    waveform: str = ""
    """Of a voice message: its loudness over time, a byte for each moment, at most 256, as base64."""


class ReplyTo(Part, frozen=True):
    """The message that this one replies to. `message_id` is native to the origin chat (or to `chat_id`, if given); author and
    excerpt are what the origin shows of it, for targets that cannot refer to it."""

    message_id: str
    chat_id: str = ""
    author_name: str = ""
    excerpt: str = ""
    author_id: str = ""
    """The author's native user id, if the origin gives it: then a person of the configuration is shown as such."""


class Forward(Part, frozen=True):
    """The source of a forwarded message, as far as the origin says."""

    author_name: str = ""
    chat_name: str = ""
    author_id: str = ""
    """As in `ReplyTo`."""


class PollOption(Part, frozen=True):
    text: str
    votes: int | None = None


class Poll(Part, frozen=True):
    question: str
    options: tuple[PollOption, ...]
    multiple: bool = False
    anonymous: bool = True
    closed: bool = False
    closes_at: datetime | None = None
    """When it closes by itself; None: it does not, or that is not told."""


class Location(Part, frozen=True):
    """Degrees, WGS 84; `title` and `address` for a venue."""

    latitude: float
    longitude: float
    title: str = ""
    address: str = ""
    live: bool = False
    """Its author still shares where they are: edits of the message move the point."""
    live_until: datetime | None = None
    """When that ends by itself; None: it does not, or that is not told."""
    ended: bool = False
    """It was live, and is no more: this is where it ended."""
    accuracy_m: float | None = None
    """The radius in metres that the point may be off by."""
    heading_deg: float | None = None
    """The direction of movement, clockwise from north."""

    @property
    def is_on_earth(self) -> bool:
        """Whether these are degrees that a map has."""
        degrees = ((self.latitude, 90), (self.longitude, 180))
        return all(math.isfinite(value) and abs(value) <= most for value, most in degrees)


class Contact(Part, frozen=True):
    name: str
    phone: str = ""
    details: tuple[str, ...] = ()
    """Other entries of the contact's card (company, address, notes), one per line."""
    user_id: str = ""
    """The contact's own native user id, where the origin gives it."""


class Content(Part, frozen=True):
    """What a message says. Everything that a platform can put into a message is in one of these fields; everything has a visible
    form."""

    text: RichText = EMPTY
    attachments: tuple[Attachment, ...] = ()
    reply_to: ReplyTo | None = None
    forwarded_from: Forward | None = None
    poll: Poll | None = None
    location: Location | None = None
    contact: Contact | None = None
    pictures: tuple[Attachment, ...] = ()
    """Where the text is nothing but one to three custom emoji: their pictures, for targets that are to show those. None of them is
    an attachment of the message."""
    previews: bool = True
    """Whether links may unfold into previews."""
    silent: bool = False
    """Its author sent it so that nobody is notified of it."""


class AlbumItem(Part, frozen=True):
    """The content of one native message of an album. Its edits concern it alone; the album is all its items, one below the
    other."""

    text: RichText = EMPTY
    attachments: tuple[Attachment, ...] = ()
