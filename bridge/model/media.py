"""Kinds of files, and what a platform does with each: data for capabilities, for conversions and for the layout of messages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class AttachmentKind(StrEnum):
    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    ANIMATION = "animation"
    """A silent looping video or GIF."""
    VIDEO_NOTE = "video_note"
    """A round video message."""
    STICKER = "sticker"
    DOCUMENT = "document"


TGS, LOTTIE, APNG, GIF, PNG = "application/x-tgsticker", "application/json", "image/apng", "image/gif", "image/png"
WEBM, MP4, OGG, M4A = "video/webm", "video/mp4", "audio/ogg", "audio/mp4"
"""MIME types of what is converted. A TGS is a gzipped Lottie animation; a Lottie file on its own is sent as JSON."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is to be before it is sent: of this kind and MIME type. `waveform`: its loudness over time is to be known too."""

    kind: AttachmentKind
    mime: str
    waveform: bool = False


_NOWHERE = (TGS, LOTTIE, APNG)
"""What only those platforms show that say so."""
_FAMILIES = {
    AttachmentKind.PHOTO: ("image/",),
    AttachmentKind.VIDEO: ("video/",),
    AttachmentKind.VIDEO_NOTE: ("video/",),
    AttachmentKind.ANIMATION: (GIF, "video/"),
    AttachmentKind.AUDIO: ("audio/", "application/ogg", "video/webm", "video/mp4"),
    AttachmentKind.VOICE: ("audio/", "application/ogg", "video/webm", "video/mp4"),
}
_UNKNOWN = "application/octet-stream"


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform does with files of each kind."""

    plays: Mapping[AttachmentKind, tuple[str, ...]] = {}
    """MIME types that are shown as that kind, the best one first. A kind that is not listed takes all that are of its nature."""
    speaks: tuple[str, ...] = ()
    """MIME types in which a voice message that becomes an audio file is heard on every device, the best one first; empty: all."""
    captionless: frozenset[AttachmentKind] = frozenset({AttachmentKind.STICKER, AttachmentKind.VIDEO_NOTE})
    """Kinds that are a message of their own, without words and without other files."""
    hides: frozenset[AttachmentKind] = frozenset()
    """Kinds that can be covered until a reader asks for them."""
    keeps_alt_text: bool = False
    """Whether the description of a file is sent along."""
    needs_waveform: bool = False
    """Whether a voice message shows its loudness as the sender states it."""

    def is_played(self, kind: AttachmentKind, mime: str) -> bool:
        """Whether a file of that type is shown as that kind. As a document everything is."""
        if kind is AttachmentKind.DOCUMENT:
            return True
        if kind in self.plays:
            return mime in self.plays[kind]
        if mime in _NOWHERE:
            return False
        return mime == _UNKNOWN or kind not in _FAMILIES or mime.startswith(_FAMILIES[kind])
