"""Which files can be sent to a target, as which kind, and which of them together in one message. Pure; called by `render` and,
before a file is fetched at all, by the outbox (`why_unsendable`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from bridge.model.adapter import OutboundFile
from bridge.model.capabilities import Capabilities, Feature, Support
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.media import APNG, GIF, LOTTIE, MP4, PNG, TGS, WEBM, Media
from bridge.model.refs import AccountName
from bridge.policy.routing import RelayOptions
from bridge.render.file_names import mime_of

MEGABYTE = 1_000_000
"""What `max_file_mb` counts in; the platforms' own limits are in bytes."""

FEATURE_OF = {
    AttachmentKind.PHOTO: Feature.PHOTO,
    AttachmentKind.VIDEO: Feature.VIDEO,
    AttachmentKind.AUDIO: Feature.AUDIO,
    AttachmentKind.VOICE: Feature.VOICE,
    AttachmentKind.ANIMATION: Feature.ANIMATION,
    AttachmentKind.VIDEO_NOTE: Feature.VIDEO,
    AttachmentKind.STICKER: Feature.STICKER,
    AttachmentKind.DOCUMENT: Feature.DOCUMENT,
}
_INSTEAD = {
    AttachmentKind.VOICE: (AttachmentKind.AUDIO,),
    AttachmentKind.ANIMATION: (AttachmentKind.VIDEO, AttachmentKind.PHOTO),
    AttachmentKind.VIDEO_NOTE: (AttachmentKind.VIDEO,),
    AttachmentKind.STICKER: (AttachmentKind.ANIMATION, AttachmentKind.PHOTO, AttachmentKind.VIDEO),
}
"""The next best kinds before a plain document. A file is sent as the first one that plays its type."""
_MOVING = (TGS, LOTTIE, APNG, GIF, WEBM, MP4)
_OWN_FORMAT = (AttachmentKind.STICKER, AttachmentKind.VIDEO_NOTE)
"""Kinds whose file format is the platform's own: kept only between accounts of one platform."""
_FAMILY = {
    AttachmentKind.PHOTO: "visual",
    AttachmentKind.VIDEO: "visual",
    AttachmentKind.AUDIO: "audio",
    AttachmentKind.DOCUMENT: "document",
}
"""What may share an album where the platform mixes only like kinds (ALBUM is PARTIAL); other kinds go alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One end as `render` sees it. `measure` is the adapter's own; `title` the platform's name as written for people."""

    account: AccountName
    platform: str
    capabilities: Capabilities
    measure: Callable[..., int]
    options: RelayOptions = field(default_factory=RelayOptions)
    platform_title: str = ""

    @property
    def title(self) -> str:
        return self.platform_title or self.platform.capitalize()


def why_unsendable(attachment: Attachment, target: Target) -> str:
    """Why this file cannot go to the target, in words for its readers; empty if it can. Known before the file is fetched."""
    if not target.options.files:
        return "files are not relayed here"
    if attachment.problem:
        return attachment.problem
    if not target.capabilities.limits.upload_bytes:
        return f"{target.title} takes no files"
    size = attachment.size_bytes
    if size is not None and size > target.capabilities.limits.upload_bytes:
        return f"too large for {target.title}"
    if size is not None and target.options.max_file_mb is not None and size > target.options.max_file_mb * MEGABYTE:
        return f"larger than the {target.options.max_file_mb:g} MB allowed here"
    if not _kinds(attachment, target, same_platform=True):
        return f"{target.title} takes no such files"
    return ""


def as_sendable_kind(file: OutboundFile, target: Target, *, same_platform: bool) -> OutboundFile:
    """The file with the kind it is to be sent as. `why_unsendable` must have been empty."""
    kinds = _kinds(file.attachment, target, same_platform=same_platform)
    limit = target.capabilities.limits.photo_bytes
    if limit is not None and file.size_bytes > limit:
        kinds = [kind for kind in kinds if kind is not AttachmentKind.PHOTO] or kinds
    if not kinds or kinds[0] is file.attachment.kind:
        return file
    mime = PNG if file.mime == APNG and kinds[0] is AttachmentKind.PHOTO else file.mime
    return msgspec.structs.replace(file, attachment=msgspec.structs.replace(file.attachment, kind=kinds[0]), mime=mime)


def kind_there(attachment: Attachment, target: Target, *, same_platform: bool) -> AttachmentKind:
    """The kind that an attachment has in the target, as far as that is known before it is fetched."""
    return next(iter(_kinds(attachment, target, same_platform=same_platform)), attachment.kind)


def wishes(attachment: Attachment, *, same_platform: bool) -> list[AttachmentKind]:
    """Kinds that the attachment could be shown as, best first; a plain document is not among them."""
    kind, mime = attachment.kind, mime_of(attachment)
    own = [kind] if same_platform or kind not in _OWN_FORMAT else []
    others = _INSTEAD.get(kind, ())
    if kind is AttachmentKind.STICKER and mime not in _MOVING:
        others = (AttachmentKind.PHOTO,)
    return [*own, *others]


def _kinds(attachment: Attachment, target: Target, *, same_platform: bool) -> list[AttachmentKind]:
    """Kinds the target shows natively, best first."""
    mime, plays = mime_of(attachment), target.capabilities.media
    found = [wish for wish in wishes(attachment, same_platform=same_platform) if _is_shown(wish, mime, plays)]
    return [wish for wish in (*found, AttachmentKind.DOCUMENT) if target.capabilities.native(FEATURE_OF[wish])]


def _is_shown(kind: AttachmentKind, mime: str, media: Media) -> bool:
    """A picture that moves is still a PNG to those who do not know that it does."""
    return media.is_played(kind, mime) or (mime == APNG and kind is AttachmentKind.PHOTO and media.is_played(kind, PNG))


def takes_caption(files: Iterable[OutboundFile], capabilities: Capabilities) -> bool:
    return not any(file.attachment.kind in capabilities.media.captionless for file in files)


def grouped(files: Iterable[OutboundFile], capabilities: Capabilities) -> list[tuple[OutboundFile, ...]]:
    """The files in order, those together that can share one message."""
    level = capabilities.level(Feature.ALBUM)
    most = capabilities.limits.attachments_per_message if level in (Support.FULL, Support.PARTIAL) else 1
    groups: list[list[OutboundFile]] = []
    family: str | None = None
    for file in files:
        kind = file.attachment.kind
        alone = kind in capabilities.media.captionless
        own = None if alone else "any" if level is Support.FULL else _FAMILY.get(kind)
        if groups and own is not None and own == family and len(groups[-1]) < most:
            groups[-1].append(file)
        else:
            groups.append([file])
        family = own
    return [tuple(group) for group in groups]
