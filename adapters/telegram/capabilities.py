"""What a Telegram bot can do, each line with its source. Data only.

Sources are sections of the platform fact sheet (Bot API 10.3, November 2026).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, PollLimits, Rates, Support, Window, features
from bridge.model.media import AttachmentKind, Media

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions

UPLOAD_BYTES = 50 * 1024**2
LOCAL_BYTES = 2000 * 1024**2
DOWNLOAD_BYTES = 20 * 1024**2
PHOTO_BYTES = 10 * 1024**2

_FULL = Support.FULL

FEATURES = features(
    {
        # 1.3 formatting: entities
        Feature.BOLD: _FULL,
        Feature.ITALIC: _FULL,
        Feature.UNDERLINE: _FULL,
        Feature.STRIKE: _FULL,
        Feature.SPOILER: _FULL,
        Feature.CODE: Capability(_FULL, "other marks on code are dropped; Telegram allows none"),
        Feature.CODE_BLOCK: _FULL,
        Feature.CODE_LANGUAGE: _FULL,
        Feature.QUOTE: _FULL,
        Feature.NESTED_QUOTE: Capability(Support.CONVERTED, "lines with > signs: block quotes cannot be nested"),
        Feature.LINK: Capability(Support.PARTIAL, "http(s) links with a dot in the host; others show their address"),
        Feature.MENTION: Capability(Support.PARTIAL, "by username, or by the id of a user the bot has met"),
        Feature.HEADING: Capability(Support.CONVERTED, "a bold line"),
        Feature.LIST: Capability(Support.CONVERTED, "bullets and numbers as text"),
        Feature.TABLE: Capability(Support.CONVERTED, "columns of text in a code block"),
        Feature.CUSTOM_EMOJI: Capability(Support.PARTIAL, "only Telegram's own; the plain emoji without a paid bot username"),
        Feature.TIMESTAMP: _FULL,
        # 1.3 operations
        Feature.EDIT: _FULL,
        Feature.DELETE: Capability(Support.PARTIAL, "up to 48 hours after the message was sent"),
        Feature.REACT: Capability(Support.PARTIAL, "one of 73 emoji per message, as the bot"),
        Feature.REPLY: _FULL,
        Feature.THREAD: Capability(_FULL, "forum topics"),
        Feature.THREAD_TITLE: _FULL,
        Feature.RENAME_THREAD: Capability(Support.PARTIAL, "topics; the bot must have made them, or be allowed to manage topics"),
        Feature.CLOSE_THREAD: Capability(Support.PARTIAL, "topics; the bot must have made them, or be allowed to manage topics"),
        Feature.DELETE_THREAD: Capability(Support.PARTIAL, "topics; the bot must be allowed to delete messages"),
        Feature.PIN: Capability(Support.PARTIAL, "the bot must be an administrator who may pin"),
        Feature.TYPING: _FULL,
        Feature.STATUS: Support.DROPPED,
        Feature.HISTORY: Capability(Support.DROPPED, "the Bot API has no history; the server keeps updates for 24 hours"),
        Feature.RECONCILE: Capability(Support.DROPPED, "the Bot API has no means to find a sent message"),
        # 1.3: no name or avatar per message for a bot
        Feature.SENDER_NAME: Capability(Support.CONVERTED, "a bold line above the text"),
        Feature.SENDER_AVATAR: Support.DROPPED,
        # 1.3, 1.4 files
        Feature.PHOTO: Capability(_FULL, "up to 10 MB; larger or very long pictures go as documents"),
        Feature.VIDEO: Capability(_FULL, "MP4; others go as documents"),
        Feature.AUDIO: Capability(_FULL, "MP3 and M4A; others go as documents"),
        Feature.VOICE: Capability(_FULL, "OGG/Opus, MP3 and M4A; others go as documents"),
        Feature.DOCUMENT: _FULL,
        Feature.ANIMATION: _FULL,
        Feature.STICKER: Capability(Support.PARTIAL, "WEBP, TGS and WEBM; others go as pictures"),
        Feature.ALBUM: Capability(Support.PARTIAL, "2 to 10 of a kind; photos and videos mix"),
        Feature.LOCATION: Capability(_FULL, "a message of its own below the sender's name; live ones move"),
        Feature.CONTACT: Capability(Support.PARTIAL, "a message of its own below the sender's name; one without a number is text"),
        Feature.POLL: Capability(
            Support.PARTIAL, "up to 12 options of 100 characters, a question of 300; others, and closed ones, are text"
        ),
        # 1.2 what the bot is told
        Feature.SEES_EDITS: _FULL,
        Feature.SEES_DELETES: Capability(Support.DROPPED, "Telegram does not tell bots about deleted messages"),
        Feature.SEES_REACTIONS: Capability(Support.PARTIAL, "the bot must be an administrator; not anonymous ones"),
        Feature.SEES_VOTES: Capability(Support.PARTIAL, "on polls that the bot posted; of people's polls only when one is stopped"),
        Feature.SEES_MEMBERSHIP: Capability(Support.PARTIAL, "as far as the group shows who joined and left"),
        Feature.SEES_PINS: Capability(Support.PARTIAL, "pins; unpinning is not told"),
    }
)


_PICTURES = ("image/jpeg", "image/png", "image/webp", "image/bmp")
_MP3_M4A = ("audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac")
MEDIA = Media(
    plays={
        AttachmentKind.PHOTO: _PICTURES,
        AttachmentKind.VIDEO: ("video/mp4",),
        AttachmentKind.AUDIO: _MP3_M4A,
        AttachmentKind.VOICE: ("audio/ogg", "audio/opus", "application/ogg", *_MP3_M4A),
        AttachmentKind.ANIMATION: ("image/gif", "video/mp4"),
        AttachmentKind.VIDEO_NOTE: ("video/mp4",),
        AttachmentKind.STICKER: ("image/webp", "application/x-tgsticker", "video/webm"),
    },
    hides=frozenset({AttachmentKind.PHOTO, AttachmentKind.VIDEO, AttachmentKind.ANIMATION}),
)
"""What each kind must be to be shown as that kind; which have `has_spoiler`. Source: Bot API reference 10.3, the send methods."""

RATES = Rates(
    # 1.4: about 1 message/s per chat with short bursts, 20 a minute per group (private chats are no different here)
    per_chat=(Window(messages=3, span_s=3.0), Window(messages=20, span_s=60.0, burst=5)),
    # 1.4: about 30 messages/s overall
    per_account=(Window(messages=30, span_s=1.0),),
    # 1.4: edits and reactions count apart, in budgets that are not published: its 429s say them
    # an album is as many messages as it has files
    counts_files=True,
)


def capabilities(options: TelegramOptions | None) -> Capabilities:
    """What a bot with these options can do, with the limits of Telegram's cloud, or of a local Bot API server (1.4)."""
    local_server = options is not None and options.local_server
    return Capabilities(
        features=FEATURES,
        limits=Limits(
            text_length=4096,
            caption_length=1024,
            attachments_per_message=10,
            upload_bytes=LOCAL_BYTES if local_server else UPLOAD_BYTES,
            download_bytes=None if local_server else DOWNLOAD_BYTES,
            photo_bytes=PHOTO_BYTES,
            # 1.3; the reference takes one option, clients show two or more
            contact_needs_phone=True,
            poll=PollLimits(options_least=1, options_most=12, question_length=300, option_length=100),
        ),
        rates=RATES,
        media=MEDIA,
        alone=frozenset({Feature.LOCATION, Feature.CONTACT}),
    )


def deaf_after_s(options: TelegramOptions) -> float:
    """A poll comes back within `poll_timeout_s`; a failed one is repeated within the time of a request."""
    return float(options.poll_timeout_s + 2 * options.request_timeout_s)
