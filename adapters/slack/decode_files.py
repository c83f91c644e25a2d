"""Slack's file objects to attachments: handles that survive a restart, never bytes or secrets. Pure. Called by `decode`."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.slack.payloads import File
from bridge.events import Attachment, AttachmentKind
from bridge.text import Paragraph, RichText, Text, concat

_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Types that every platform shows as a picture; other images travel as documents."""
TOMBSTONE = "tombstone"
"""The mode of a file that was deleted: the message goes on naming it."""
_PROBLEMS = {TOMBSTONE: "deleted in Slack", "hidden_by_limit": "hidden by the limit of Slack's free plan"}


def decode_files(files: Iterable[File]) -> tuple[tuple[Attachment, ...], RichText]:
    """Attachments, and lines for files that Slack only links to (Google Drive and the like)."""
    attachments: list[Attachment] = []
    links: list[RichText] = []
    for file in files:
        if file.is_external or file.mode == "external":
            links.append(RichText((Paragraph((Text(file.title or file.name or "file", 0, file.permalink or file.url_private),)),)))
        else:
            attachments.append(_attachment(file))
    return tuple(attachments), concat(*links)


def pack_file_id(file: File) -> str:
    """What `open_file` needs later: the file's id and, if known, its private address."""
    return f"{file.id} {file.url_private_download or file.url_private or ''}".strip()


def unpack_file_id(file_id: str) -> tuple[str, str]:
    """File id and private address (empty if `files.info` must be asked)."""
    native, _, url = file_id.partition(" ")
    return native, url


def _attachment(file: File) -> Attachment:
    kind = _kind(file)
    return Attachment(
        kind=kind,
        file_id=pack_file_id(file),
        unique_id=file.id,
        name=file.name or file.title or file.id,
        mime=file.mimetype or "",
        size_bytes=file.size,
        width=file.original_w,
        height=file.original_h,
        duration_s=file.duration_ms / 1000 if file.duration_ms is not None else None,
        alt_text=file.alt_txt or "",
        problem=_PROBLEMS.get(file.mode or "", ""),
    )


def _kind(file: File) -> AttachmentKind:
    if file.subtype == "slack_audio":
        return AttachmentKind.VOICE
    mime = file.mimetype or ""
    if mime == "image/gif":
        return AttachmentKind.ANIMATION
    if mime in _PHOTOS:
        return AttachmentKind.PHOTO
    match mime.partition("/")[0]:
        case "video":
            return AttachmentKind.VIDEO
        case "audio":
            return AttachmentKind.AUDIO
        case _:
            return AttachmentKind.DOCUMENT
