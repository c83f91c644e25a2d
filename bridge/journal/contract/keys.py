"""Keys of the public listener as they are stored, invitations to make one, and what arrived by them. Types only.

A key itself is known to its holder alone: only its hash is stored (`policy.access_keys` says which)."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection

ARRIVALS_KEPT = 100
"""Of each key, the newest."""
ARRIVAL_BODY_BYTES = 64 * 1024


class KeySecret(msgspec.Struct, frozen=True, kw_only=True):
    """One of the texts that open a key. While a key is rotated there are two."""

    hash: bytes
    created_at: datetime
    valid_until: datetime | None = None
    """None: until it is rotated or revoked."""


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    key_id: str
    """Names it for people. No secret."""
    account: AccountName
    chat: str
    """The chat part of its address."""
    direction: KeyDirection
    label: str = ""
    is_form: bool = False
    origins: tuple[str, ...] = ()
    per_minute: int
    """Requests."""
    most_bytes: int
    """Of one request's body."""
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_on: date | None = None
    """By UTC; a day is as exactly as it is kept."""
    listened_until: datetime | None = None
    """Until then somebody looks on: what arrives is kept."""
    secrets: tuple[KeySecret, ...] = ()
    """Oldest first; none once it is revoked."""

    @property
    def address(self) -> ChatAddress:
        return ChatAddress(self.account, self.chat)


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link by which somebody without a terminal makes keys for some chats."""

    hash: bytes
    """Of what the link contains."""
    chats: tuple[ChatAddress, ...]
    created_at: datetime
    valid_until: datetime
    """The link; the session that it begins has its own end."""
    session_until: datetime | None = None
    """None: not used yet."""
    keys: tuple[str, ...] = ()
    """Ids of those made with it."""


class NewArrival(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was made with a key, as it is kept for an admin: what was secret in its headers is masked already."""

    key_id: str
    arrived_at: datetime
    method: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """Its beginning; the storage keeps `ARRIVAL_BODY_BYTES` of it."""
    is_whole: bool
    """Whether `body` is all there was. Only such a request can be replayed."""
    status: int
    """What was answered."""
    answer: str = ""
    """The beginning of the answer's text."""


class Arrival(NewArrival, frozen=True, kw_only=True):
    number: int
    """Grows, and is never used twice."""
    replay_asked_at: datetime | None = None
    replay_status: int | None = None
    """What the latest replay was answered; None while it was not carried out."""
    replay_answer: str = ""
