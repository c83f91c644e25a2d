"""Links to files: created for the line of a message, and read by the listener. Pure, except for the clock.

`FileLinks.url` creates a link, `FileLinks.read` returns the file that a request asks for. A link is sealed: it holds what the
bridge needs to fetch the file again (the message, and the origin's own handle on the file) and the moment it ends, encrypted and
authenticated by one key (AES-SIV, RFC 5297, with the file's name in the URL as associated data). So nothing is stored for a link,
nobody can read or change its content, and comparisons take constant time. The key is a note of the journal.

Each request checks whether the link is still valid (`web.media`): the message must be known, not deleted, and still have the
file."""

from __future__ import annotations

import base64
import binascii
import secrets
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from re import compile as pattern
from typing import TypeVar
from urllib.parse import quote

import msgspec

from bridge.journal.contract import NoteStore
from bridge.model.clock import Clock
from bridge.model.events import Attachment
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.render.file_names import file_name, mime_of

_SPARE = b"\0"
"""Behind a sealed value whose last character would be `-`: then it is `A`."""
ROOT = "/files/"
"""Start of every link's path, below the public URL: `/files/<sealed>/<name>`."""
LONGEST_URL = 1500
"""Longer links are not created: platforms refuse them, and they leave no room for text."""
_KEY_BYTES = 64
"""AES-256-SIV."""
_KEY_NOTE = "links key"
_LONGEST_SEALED = 4000
_SLUG_LENGTH = 60
_UNFIT = pattern(r"[^A-Za-z0-9._-]+")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Purpose(StrEnum):
    """A value sealed for one purpose cannot be opened for another."""

    FILE = "file"
    FACE = "face"


class FileGrant(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What a link opens: one file of one message."""

    ends_at_h: int
    """When the link expires, in hours since 1970 UTC."""
    account: AccountName
    chat_id: str
    message_id: str
    file_id: str
    name: str
    mime: str
    size_bytes: int | None = None
    """As the origin stated it."""
    unique_id: str = ""

    @property
    def message(self) -> MessageRef:
        return MessageRef(ChatRef(self.account, self.chat_id), self.message_id)

    @property
    def ends_at(self) -> datetime:
        return EPOCH + timedelta(hours=self.ends_at_h)

    def is_of(self, attachment: Attachment) -> bool:
        """Whether the attachment is this file."""
        return (attachment.unique_id or attachment.file_id) == (self.unique_id or self.file_id)


class Seal:
    """Seals values with one key. The cipher is imported where it is used: most bridges make no links."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self._cipher = AESSIV(key)

    def make(self, purpose: Purpose, value: msgspec.Struct, beside: str) -> str:
        """As part of a URL: letters, digits, `-` and `_`. The same for the same value. `beside` is another part of the URL,
        which must be unchanged when the value is opened."""
        sealed = self._cipher.encrypt(msgspec.msgpack.encode(value), [purpose.encode(), beside.encode()])
        shown = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        # what stands behind `-/` is a command for Telegram where it knows no address (a host without a dot), and is then broken up
        return base64.urlsafe_b64encode(sealed + _SPARE).rstrip(b"=").decode() if shown.endswith("-") else shown

    def read(self, purpose: Purpose, sealed: str, beside: str, kind: type[T]) -> T | None:
        """The value; None for anything that this key has not sealed for that purpose."""
        from cryptography.exceptions import InvalidTag

        if len(sealed) > _LONGEST_SEALED or not sealed.isascii():
            return None
        try:
            data = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
            bound = [purpose.encode(), beside.encode("utf-8", "replace")]
            try:
                opened = self._cipher.decrypt(data, bound)
            except InvalidTag:
                if not data.endswith(_SPARE):
                    raise
                opened = self._cipher.decrypt(data.removesuffix(_SPARE), bound)
            return msgspec.msgpack.decode(opened, type=kind)
        except (binascii.Error, InvalidTag, ValueError, msgspec.MsgspecError):
            return None


async def kept_seal(notes: NoteStore) -> Seal:
    """A seal with the journal's key, created on first use. Raises JournalError if the key cannot be read or stored."""
    known = await notes.note(_KEY_NOTE)
    if known is None:
        known = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
        await notes.set_note(_KEY_NOTE, known)
    return Seal(base64.b64decode(known))


class FileLinks:
    """Links below `base_url`. `days` returns how long a link is valid, 0 for no links; it is called each time. `most_bytes`: a
    larger file gets no link, since it could not be served."""

    def __init__(self, seal: Seal, base_url: str, clock: Clock, *, days: Callable[[], float], most_bytes: int) -> None:
        self._seal = seal
        self._base_url = base_url
        self._clock = clock
        self._days = days
        self.most_bytes = most_bytes

    @property
    def are_on(self) -> bool:
        return self._days() > 0

    def url(self, message: MessageRef, attachment: Attachment) -> str:
        """A link to a file of that original; empty if there can be none. It does not check whether the file may be shown: the
        caller relays the message."""
        if not self.are_on or not attachment.file_id or attachment.problem or (attachment.size_bytes or 0) > self.most_bytes:
            return ""
        ends_at = self._clock.now() + timedelta(days=self._days())
        grant = FileGrant(
            ends_at_h=-((EPOCH - ends_at) // timedelta(hours=1)),  # the next full hour
            account=message.chat.account,
            chat_id=message.chat.chat_id,
            message_id=message.message_id,
            file_id=attachment.file_id,
            name=file_name(attachment),
            mime=mime_of(attachment),
            size_bytes=attachment.size_bytes,
            unique_id=attachment.unique_id,
        )
        slug = slug_of(grant.name)
        url = f"{self._base_url}{ROOT}{self._seal.make(Purpose.FILE, grant, slug)}/{quote(slug)}"
        return url if len(url) <= LONGEST_URL else ""

    def read(self, path: str) -> FileGrant | None:
        """The file that a path below `ROOT` asks for, even if the link has expired. None: not a link of ours."""
        sealed, slash, slug = path.removeprefix(ROOT).partition("/")
        if not slash or not path.startswith(ROOT):
            return None
        return self._seal.read(Purpose.FILE, sealed, slug, FileGrant)

    def is_over(self, grant: FileGrant) -> bool:
        return self._clock.now() >= grant.ends_at


def slug_of(name: str) -> str:
    """A file's name for the end of a URL: plain characters, which no messenger treats as the end of the link."""
    plain = _UNFIT.sub("_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    stem, dot, extension = plain.rpartition(".")
    if not dot or len(extension) > 10:
        stem, extension = plain, ""
    stem = stem.strip("._-")[: _SLUG_LENGTH - len(extension) - 1] or "file"
    return f"{stem}.{extension}" if extension else stem
