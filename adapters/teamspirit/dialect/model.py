"""Dialect of a server, entry by entry: this module, `calls` and `events` are the reference for authors of dialects. Strict: an
unknown entry is a fault. Used by everything in this adapter; filled by `load`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from adapters.teamspirit.dialect.calls import Operations
from adapters.teamspirit.dialect.entry import Entry, Query, TemplateText
from adapters.teamspirit.dialect.events import Fields, Inbound, Websocket


class TextDialect(Entry):
    flavour: Literal["plain", "markdown", "html"] = "markdown"
    mention: str | None = "@"
    """The sign before a username in a mention; null: there are no mentions."""
    chat_mention: str | None = None
    emoji_names: bool = False
    """Whether people's texts contain emoji by short name, as `:tada:`."""
    tables: bool = False
    """Whether clients show Markdown tables; without them a table is columns in a code block."""
    mass_mentions: tuple[str, ...] = ("all", "channel", "here")
    """Names that ping everybody: never written unless a route allows it."""


class DialectLimits(Entry):
    text_length: int = Field(gt=0)
    text_unit: Literal["characters", "utf16", "bytes"] = "characters"
    caption_length: int | None = None
    """Longest text of a message with files, where it differs."""
    files_per_message: int = Field(1, ge=1)
    upload_bytes: int = Field(0, ge=0)
    sender_name_length: int = Field(80, gt=0)
    messages_per_minute: int | None = Field(None, gt=0)
    """Messages that the server accepts in one chat; without it, the rate is learned from its refusals (429)."""


class Errors(Entry):
    """How a refusal says what is wrong. The HTTP status alone decides where a code is in none of the lists."""

    code: Query | None = None
    message: Query | None = None
    retry_after_header: str = "Retry-After"
    """Seconds to wait, an HTTP date, or the moment as Unix time in seconds or milliseconds."""
    retry_after_s: Query | None = None
    chat_codes: tuple[str, ...] = ()
    """Codes that mean: this chat refuses everything until a human acts."""
    right_codes: tuple[str, ...] = ()
    """Codes that mean: a right is missing. Of an edit, a deletion or a reaction they concern that alone; of all else, the chat."""
    message_codes: tuple[str, ...] = ()
    """Codes that mean: only this message is refused."""
    unchangeable_codes: tuple[str, ...] = ()
    """Codes that mean: the message will never be changed or deleted as asked. It is too old, or not ours."""
    file_codes: tuple[str, ...] = ()
    """Codes that mean: a file of the message is refused, its words are not. Whatever final an upload is answered means that too."""
    account_codes: tuple[str, ...] = ()
    """Codes that mean: the key is not valid."""
    thread_codes: tuple[str, ...] = ()
    """Codes that mean: the thread to post into does not exist (any more)."""
    gone_codes: tuple[str, ...] = ()
    """Codes that mean: the message to edit or delete is gone."""


class Dialect(Entry):
    dialect: str
    """Its name."""
    title: str
    """The messenger's name, for people."""
    verified: str
    """The server version and the day of the check; `assumed` if it was never checked."""
    needs: tuple[Literal["server", "api_key"], ...] = ()
    """Options of the account without which it cannot work."""
    base: TemplateText = ""
    headers: dict[str, TemplateText] = Field({})
    """Of every call to the API (not of calls with a `url` of their own)."""
    text: TextDialect = TextDialect()
    limits: DialectLimits
    errors: Errors = Errors()
    operations: Operations
    message_fields: Fields = Fields()
    """Where the parts of a message lie within an item of `history`."""
    inbound: Inbound | None = None
    websocket: Websocket | None = None
