"""What Discord can show and do, as data.

Sources: Discord API reference (message, webhook, channel resources; August 2026); discord.py 2.7.1 guild.py for file sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model.capabilities import (
    Capabilities,
    Capability,
    Feature,
    Limits,
    Operation,
    PollLimits,
    Rates,
    Support,
    Window,
    features,
)
from bridge.model.media import AttachmentKind, Media

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

MAX_TEXT = 2000
"""Code points of `content`, markup included."""
MAX_FILES = 10
MAX_SENDER_NAME = 80
MAX_FILE_BYTES = 10 * 1024**2
"""Without boosts; see `upload_bytes`."""
_BOOSTED_BYTES = {2: 50 * 1024**2, 3: 100 * 1024**2}

_WEBHOOK_REPLY = Capability(Support.PARTIAL, "a line with the quoted words and a link to the message, as webhooks cannot reply")
_FALLBACK = "where the bot may not manage webhooks, the bot posts with the name in the text"

_COMMON: dict[Feature, Capability | Support] = {
    Feature.BOLD: Support.FULL,
    Feature.ITALIC: Support.FULL,
    Feature.UNDERLINE: Support.FULL,
    Feature.STRIKE: Support.FULL,
    Feature.SPOILER: Support.FULL,
    Feature.CODE: Support.FULL,
    Feature.CODE_BLOCK: Support.FULL,
    Feature.CODE_LANGUAGE: Support.FULL,
    Feature.QUOTE: Support.FULL,
    Feature.NESTED_QUOTE: Capability(Support.CONVERTED, "lines with > signs in the outer quote"),
    Feature.LINK: Support.FULL,
    Feature.MENTION: Support.FULL,
    Feature.HEADING: Capability(Support.PARTIAL, "three levels; deeper ones become bold"),
    Feature.LIST: Support.FULL,
    Feature.TABLE: Capability(Support.CONVERTED, "columns of text in a code block"),
    Feature.CUSTOM_EMOJI: Capability(Support.PARTIAL, "those of the bot's own servers; others as :name:"),
    Feature.TIMESTAMP: Support.FULL,
    Feature.EDIT: Support.FULL,
    Feature.DELETE: Support.FULL,
    Feature.REMOVE_FILE: Support.FULL,
    Feature.REACT: Capability(Support.PARTIAL, "the bot reacts once for everybody; at most 20 kinds on a message"),
    Feature.THREAD: Support.FULL,
    Feature.THREAD_TITLE: Support.FULL,
    Feature.RENAME_THREAD: Capability(Support.PARTIAL, "about twice in ten minutes; the newest name wins"),
    Feature.CLOSE_THREAD: Capability(Support.PARTIAL, "locked; the bot needs Manage Threads"),
    Feature.DELETE_THREAD: Capability(Support.PARTIAL, "the bot needs Manage Threads"),
    Feature.PIN: Support.FULL,
    Feature.TYPING: Support.FULL,
    Feature.STATUS: Capability(Support.PARTIAL, "the bot's own presence, with `show_health`"),
    Feature.HISTORY: Support.FULL,
    Feature.RECONCILE: Support.FULL,
    Feature.PHOTO: Support.FULL,
    Feature.VIDEO: Support.FULL,
    Feature.AUDIO: Support.FULL,
    Feature.VOICE: Capability(Support.PARTIAL, "OGG/Opus; an audio file where the bot may not send voice messages"),
    Feature.DOCUMENT: Support.FULL,
    Feature.ANIMATION: Capability(Support.PARTIAL, "GIFs play by themselves; other animations are videos"),
    Feature.STICKER: Capability(Support.CONVERTED, "as a picture"),
    Feature.ALBUM: Support.FULL,
    Feature.LOCATION: Capability(Support.CONVERTED, "as text with a link to a map"),
    Feature.CONTACT: Capability(Support.CONVERTED, "lines of text"),
    Feature.POLL: Capability(
        Support.PARTIAL, "posted by the bot, up to 10 answers of 55 characters, ends within 32 days; others are text"
    ),
    Feature.SEES_EDITS: Support.FULL,
    Feature.SEES_DELETES: Support.FULL,
    Feature.SEES_REACTIONS: Support.FULL,
    Feature.SEES_VOTES: Support.FULL,
    Feature.SEES_PINS: Support.FULL,
}


MEDIA = Media(
    plays={AttachmentKind.ANIMATION: ("image/gif",), AttachmentKind.VOICE: ("audio/ogg",)},
    captionless=frozenset({AttachmentKind.VOICE}),
    hides=frozenset(AttachmentKind) - {AttachmentKind.VOICE},
    keeps_alt_text=True,
    needs_waveform=True,
)
"""A GIF plays by itself; a film waits to be started. A voice message has no words. Source: API reference, message resource, "Voice
Messages", and the structure of an attachment in a request, read 2026-11-26."""

_CHANGES = {Operation.REACT: Rates(per_chat=(Window(messages=1, span_s=0.25),))}
"""Per channel, adding and taking away alike: a community figure, which the headers correct. Of edits and deletes nothing is known
but what the headers of each route say, which `rate_limit` keeps to."""
_WEBHOOK_RATES = Rates(
    per_chat=(Window(messages=5, span_s=2.0), Window(messages=30, span_s=60.0, burst=10)),
    changes=_CHANGES,
)
"""Per webhook, and hidden from its headers per channel [discord/discord-api-docs#367]."""
_BOT_RATES = Rates(per_chat=(Window(messages=5, span_s=5.0),), changes=_CHANGES)
"""Per channel: a community figure, which the headers correct. The account's own limit is `rate_limit`'s (`requests_per_s`)."""


def capabilities(options: DiscordOptions | None = None, *, upload_bytes: int = MAX_FILE_BYTES) -> Capabilities:
    """`upload_bytes` is the largest file that every server of the account takes, once connected."""
    table = dict(_COMMON)
    if options is None or options.post_as == "webhook":
        table[Feature.SENDER_NAME] = Capability(Support.FULL, _FALLBACK)
        table[Feature.SENDER_AVATAR] = Capability(Support.FULL, _FALLBACK)
        table[Feature.REPLY] = _WEBHOOK_REPLY
    else:
        table[Feature.SENDER_NAME] = Capability(Support.CONVERTED, "a line in the text")
        table[Feature.SENDER_AVATAR] = Support.DROPPED
        table[Feature.REPLY] = Support.FULL
    leaves = options is not None and options.members
    note = "joins that the server announces in a channel" + ("" if leaves else "; leaving only with `members: true`")
    table[Feature.SEES_MEMBERSHIP] = Capability(Support.PARTIAL, note)
    return Capabilities(
        features=features(table),
        limits=Limits(
            text_length=MAX_TEXT,
            caption_length=MAX_TEXT,
            attachments_per_message=MAX_FILES,
            upload_bytes=upload_bytes,
            sender_name_length=MAX_SENDER_NAME,
            poll=PollLimits(options_least=1, options_most=10, question_length=300, option_length=55, longest_s=768 * 3600.0),
        ),
        media=MEDIA,
        rates=_WEBHOOK_RATES if options is None or options.post_as == "webhook" else _BOT_RATES,
    )


class KnownCapabilities:
    """An account's capabilities by the lowest boost level of its servers: asked for with every message."""

    def __init__(self, options: DiscordOptions) -> None:
        self._options = options
        self._made: dict[int, Capabilities] = {}

    def at(self, boost_level: int) -> Capabilities:
        if boost_level not in self._made:
            self._made[boost_level] = capabilities(self._options, upload_bytes=upload_bytes(boost_level))
        return self._made[boost_level]


def upload_bytes(boost_level: int) -> int:
    """Per file, by the server's boost level. Source: discord.py guild.py, 2.7.1."""
    return _BOOSTED_BYTES.get(boost_level, MAX_FILE_BYTES)


def deaf_after_s(_: DiscordOptions) -> float:
    """Heartbeats are due every 41.25 s, and answered."""
    return 120.0


def shows_health(options: DiscordOptions) -> bool:
    return options.show_health
