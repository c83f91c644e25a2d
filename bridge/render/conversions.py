"""Which form a file is to have in a target, if it has to be converted. Pure; called by `delivery` before a file is fetched.

Only stickers, animations and voice messages are converted: their meaning is to be seen or heard at once. Pictures, videos, music
and documents cross as they are."""

from __future__ import annotations

import msgspec

from bridge.model.events import Attachment, AttachmentKind
from bridge.model.media import APNG, GIF, LOTTIE, M4A, MP4, OGG, PNG, TGS, WEBM, Form
from bridge.render.attachments import FEATURE_OF, Target, wishes
from bridge.render.file_names import mime_of, with_ending

_SOUNDS = (
    *(OGG, "audio/opus", "application/ogg", M4A, "audio/m4a", "audio/x-m4a", "audio/aac", "audio/mpeg", "audio/mp3"),
    *("audio/webm", "audio/wav", "audio/x-wav", "audio/flac", "video/mp4", "video/webm"),
)
_MADE_OF = {
    GIF: (TGS, LOTTIE, WEBM, MP4, APNG),
    PNG: (TGS, LOTTIE, WEBM, APNG, "image/webp"),
    OGG: _SOUNDS,
    M4A: _SOUNDS,
}
"""By what can be made: what it can be made of."""
_PICTURES = (AttachmentKind.STICKER, AttachmentKind.ANIMATION)
_WITHOUT_A_LIST = {AttachmentKind.PHOTO: (GIF,), AttachmentKind.ANIMATION: (GIF,)}


def wanted_form(attachment: Attachment, target: Target, *, same_platform: bool) -> Form | None:
    """What the file is to be converted to for this target. None: it is sent as it is."""
    if attachment.kind is AttachmentKind.VOICE:
        return _spoken(attachment, target)
    return _shown(attachment, target, same_platform=same_platform) if attachment.kind in _PICTURES else None


def _shown(attachment: Attachment, target: Target, *, same_platform: bool) -> Form | None:
    mime, media = mime_of(attachment), target.capabilities.media
    for kind in wishes(attachment, same_platform=same_platform):
        if not target.capabilities.native(FEATURE_OF[kind]):
            continue
        if media.is_played(kind, mime):
            return None
        for made in media.plays.get(kind, _WITHOUT_A_LIST.get(kind, ())):
            if mime in _MADE_OF.get(made, ()):
                return Form(kind=kind, mime=made)
    return None


def _spoken(attachment: Attachment, target: Target) -> Form | None:
    mime, media = mime_of(attachment), target.capabilities.media
    if mime not in _SOUNDS:
        return None
    if target.capabilities.native(FEATURE_OF[AttachmentKind.VOICE]):
        plays = media.plays.get(AttachmentKind.VOICE, ())
        made = mime if media.is_played(AttachmentKind.VOICE, mime) else next((one for one in plays if one in _MADE_OF), "")
        waveform = media.needs_waveform and not (attachment.waveform and made == mime)
        return Form(kind=AttachmentKind.VOICE, mime=made, waveform=waveform) if made and (waveform or made != mime) else None
    if not media.speaks or mime in media.speaks:
        return None
    made = next((one for one in media.speaks if one in _MADE_OF), "")
    return Form(kind=AttachmentKind.AUDIO, mime=made) if made else None


def in_form(attachment: Attachment, form: Form) -> Attachment:
    """It is still that attachment of the origin, of another kind and type, and with another ending of its name."""
    name = attachment.name if form.mime == mime_of(attachment) else with_ending(attachment, form.mime)
    return msgspec.structs.replace(attachment, kind=form.kind, mime=form.mime, name=name)
