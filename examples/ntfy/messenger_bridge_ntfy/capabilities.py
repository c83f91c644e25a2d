"""What ntfy can do. Sources: docs/publish.md, docs/subscribe/api.md and server/server.go of binwiederhier/ntfy, read 2026-11-26."""

from __future__ import annotations

from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, Rates, Support, Window, features
from messenger_bridge_ntfy.config import NtfyOptions

_PARTIAL, _CONVERTED, _DROPPED = Support.PARTIAL, Support.CONVERTED, Support.DROPPED
_PLAIN = Capability(_DROPPED, "the apps show Markdown differently or not at all, so text is sent as plain text")
_FILE = Capability(_PARTIAL, "as an attachment, which the server deletes after some hours (3 by default)")

FEATURES = features(
    {
        **dict.fromkeys((Feature.BOLD, Feature.ITALIC, Feature.UNDERLINE, Feature.STRIKE, Feature.CODE), _PLAIN),
        **dict.fromkeys((Feature.PHOTO, Feature.VIDEO, Feature.AUDIO, Feature.DOCUMENT, Feature.ANIMATION), _FILE),
        Feature.LINK: Capability(_CONVERTED, "the address behind its words"),
        Feature.LIST: Capability(_CONVERTED, "lines of text"),
        Feature.QUOTE: Capability(_CONVERTED, "lines with > signs"),
        Feature.MENTION: Capability(_CONVERTED, "a name"),
        Feature.REPLY: Capability(_CONVERTED, "a quoted line"),
        Feature.VOICE: Capability(_CONVERTED, "an audio file"),
        Feature.STICKER: Capability(_CONVERTED, "a file"),
        Feature.SENDER_NAME: Capability(_PARTIAL, "the title of the notification"),
        Feature.SENDER_AVATAR: Capability(_PARTIAL, "the icon, where the app shows it"),
        Feature.RECONCILE: Capability(_PARTIAL, "by sequence_id: a server of ntfy 2.16 or newer, while it keeps messages (12 h)"),
        Feature.EDIT: Capability(_DROPPED, "an update replaces the attachment too, and an older server shows a second message"),
        Feature.DELETE: Capability(_DROPPED, "a server before ntfy 2.16 cannot, and the bridge does not see which one it talks to"),
        Feature.SEES_EDITS: Capability(_PARTIAL, "updates by sequence_id, which ntfy 2.16 and newer have"),
        Feature.SEES_DELETES: Capability(_PARTIAL, "by sequence_id, which ntfy 2.16 and newer have"),
    }
)


def capabilities(options: NtfyOptions | None) -> Capabilities:
    """The limits are those of the server's configuration; the rate is its default: 60 requests, and one more every 5 s."""
    options = options or NtfyOptions()
    limits = Limits(text_length=options.max_message_bytes, caption_length=2000, upload_bytes=options.max_upload_bytes)
    return Capabilities(features=FEATURES, limits=limits, rates=Rates(per_account=(Window(messages=60, span_s=300.0),)))


def deaf_after_s(_: NtfyOptions) -> float:
    """The stream has a keepalive every 45 s."""
    return 180.0
