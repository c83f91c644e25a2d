"""What Slack can do, as data. Source per line: docs.slack.dev unless said otherwise; read 2026-11."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.common.delegating import TITLE_NOTE
from adapters.slack.enums import Events, Replies
from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, Operation, Rates, Support, Window, features
from bridge.model.media import AttachmentKind, Media

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions

GIB = 1024**3

TEXT_LENGTH = 8000
"""In the unit of `encode_text.measure`. All blocks of a message together may have about 13,200 characters before
`msg_blocks_too_long` [slackapi/bolt-js#2509]; Slack recommends 4000 for `text`. This lies between, and holds any Telegram or
Discord message in one piece."""

SENDER_NAME_LENGTH = 80

_FEATURES: dict[Feature, Capability | Support] = {
    Feature.BOLD: Support.FULL,
    Feature.ITALIC: Support.FULL,
    Feature.UNDERLINE: Capability(Support.PARTIAL, "shown by Slack clients of 2026 and later"),
    Feature.STRIKE: Support.FULL,
    Feature.SPOILER: Capability(Support.CONVERTED, "marked [spoiler], not hidden"),
    Feature.CODE: Support.FULL,
    Feature.CODE_BLOCK: Support.FULL,
    Feature.CODE_LANGUAGE: Capability(Support.DROPPED, "not documented for rich_text_preformatted"),
    Feature.QUOTE: Capability(Support.PARTIAL, "lists and code blocks inside a quote become lines"),
    Feature.NESTED_QUOTE: Capability(Support.CONVERTED, "lines with > signs in the outer quote"),
    Feature.LINK: Support.FULL,
    Feature.MENTION: Capability(Support.PARTIAL, "people of the configuration; others by name"),
    Feature.HEADING: Capability(Support.CONVERTED, "a bold line"),
    Feature.LIST: Support.FULL,
    Feature.TABLE: Capability(Support.PARTIAL, "one in a message, of 100 rows and 20 columns; others are columns of text"),
    Feature.CUSTOM_EMOJI: Capability(Support.PARTIAL, "the workspace's own; others as text"),
    Feature.TIMESTAMP: Support.FULL,
    Feature.EDIT: Capability(Support.PARTIAL, "no '(edited)' mark; a workspace policy may close the window"),
    Feature.DELETE: Support.FULL,
    Feature.REMOVE_FILE: Capability(Support.PARTIAL, "Slack shows a note in its place"),
    Feature.REACT: Capability(Support.PARTIAL, "the bot reacts once per emoji for everyone"),
    Feature.REPLY: Capability(Support.PARTIAL, "as a thread"),
    Feature.THREAD: Support.FULL,
    Feature.THREAD_TITLE: Capability(Support.CONVERTED, TITLE_NOTE),
    Feature.RENAME_THREAD: Capability(Support.PARTIAL, "the message with the title, where the bridge posted one; else a line"),
    Feature.CLOSE_THREAD: Capability(Support.CONVERTED, "a line in the thread: Slack's threads do not close"),
    Feature.DELETE_THREAD: Capability(Support.CONVERTED, "a line in the thread; copies are deleted one by one"),
    Feature.PIN: Support.FULL,
    Feature.HISTORY: Support.FULL,
    Feature.RECONCILE: Capability(Support.PARTIAL, "files without a caption are recognised by name and size"),
    Feature.SENDER_NAME: Support.FULL,
    Feature.SENDER_AVATAR: Capability(Support.PARTIAL, "where the origin has a public picture"),
    Feature.PHOTO: Support.FULL,
    Feature.VIDEO: Support.FULL,
    Feature.AUDIO: Support.FULL,
    Feature.VOICE: Capability(Support.CONVERTED, "an audio file: apps cannot post clips"),
    Feature.DOCUMENT: Support.FULL,
    Feature.ANIMATION: Capability(Support.PARTIAL, "GIFs play; other animations are videos"),
    Feature.STICKER: Capability(Support.CONVERTED, "a picture"),
    Feature.ALBUM: Support.FULL,
    Feature.LOCATION: Capability(Support.CONVERTED, "a line with a map link"),
    Feature.CONTACT: Capability(Support.CONVERTED, "lines of text"),
    Feature.POLL: Capability(Support.CONVERTED, "text"),
    Feature.SEES_EDITS: Support.FULL,
    Feature.SEES_DELETES: Support.FULL,
    Feature.SEES_REACTIONS: Support.FULL,
    Feature.SEES_MEMBERSHIP: Support.FULL,
    Feature.SEES_PINS: Support.FULL,
}

MEDIA = Media(
    plays={AttachmentKind.ANIMATION: ("image/gif",)},
    speaks=("audio/mp4", "audio/mpeg", "audio/mp3", "audio/x-m4a"),
    keeps_alt_text=True,
)
"""Slack's own clips are AAC in MP4; the clients on Apple's devices play no Opus in OGG."""

LIMITS = Limits(
    text_length=TEXT_LENGTH,
    caption_length=TEXT_LENGTH,
    attachments_per_message=10,
    upload_bytes=GIB,
    download_bytes=GIB,
    sender_name_length=SENDER_NAME_LENGTH,
)


_TIER_2 = Rates(per_account=(Window(messages=20, span_s=60.0, burst=5),))
_TIER_3 = Rates(per_account=(Window(messages=50, span_s=60.0, burst=10),))
"""Per method and workspace, bursts of unknown length apart [docs.slack.dev, rate limits, and the methods' pages]."""

RATES = Rates(
    per_chat=(Window(messages=4, span_s=4.0),),
    changes={
        Operation.EDIT: _TIER_3,  # chat.update
        Operation.DELETE: _TIER_3,  # chat.delete
        Operation.REACT: _TIER_3,  # reactions.add
        Operation.UNREACT: _TIER_2,  # reactions.remove
        Operation.PIN: _TIER_2,  # pins.add
    },
)
"""chat.postMessage takes about one message a second per channel, with short bursts [docs.slack.dev, rate limits; the length of a
burst is not documented]. The cap of the whole workspace is not published: its 429s say it."""


def capabilities(options: SlackOptions | None, *, can_customize: bool = True, can_read_history: bool = True) -> Capabilities:
    """What an account with these options can do. `can_customize`: whether it has the scope chat:write.customize;
    `can_read_history`: whether it has channels:history."""
    table = dict(_FEATURES)
    if not can_read_history:
        table[Feature.RECONCILE] = Capability(Support.DROPPED, "channels:history is missing")
    if not can_customize or (options is not None and not options.personas):
        why = "shown in the text: chat:write.customize is missing" if not can_customize else "shown in the text (personas: false)"
        table[Feature.SENDER_NAME] = Capability(Support.CONVERTED, why)
        table[Feature.SENDER_AVATAR] = Capability(Support.DROPPED, why)
    if options is not None and options.replies is Replies.QUOTE:
        table[Feature.REPLY] = Capability(Support.CONVERTED, "a quoted line (replies: quote)")
    return Capabilities(features=features(table), limits=LIMITS, rates=RATES, media=MEDIA)


def deaf_after_s(options: SlackOptions) -> float | None:
    """On a socket both sides send pings, Slack every few seconds; by HTTP nothing arrives while nothing happens."""
    return 120.0 if options.events is Events.SOCKET else None
