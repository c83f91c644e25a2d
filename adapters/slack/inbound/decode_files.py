"""Slack's file objects to attachments: handles that survive a restart, never bytes or secrets. Pure. Called by `decode`."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from adapters.common.custom_emoji import only_emoji, picture
from adapters.common.lenient import pixels, seconds
from adapters.slack.names import NO_NAMES, PENDING, Names
from adapters.slack.wire import File
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import Paragraph, RichText, Text, concat

_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Types that every platform shows as a picture; other images travel as documents."""
TOMBSTONE = "tombstone"
"""The mode of a file that was deleted: the message goes on naming it."""
GONE = {TOMBSTONE: "deleted in Slack", "hidden_by_limit": "hidden by the limit of Slack's free plan"}
_PAGE_TYPES = {"quip": "canvas", "canvas": "canvas", "list": "list", "space": "post", "post": "post", "docs": "post"}
"""Modes and file types of what is a page of Slack and no file: canvases, lists and posts. Their addresses give HTML."""
_PAGE_MIME = "application/vnd.slack-"


def decode_files(files: Iterable[File], names: Names = NO_NAMES) -> tuple[tuple[Attachment, ...], RichText]:
    """Attachments, and lines for what is only linked to: pages of Slack, files of other services (Google Drive)."""
    attachments: list[Attachment] = []
    links: list[RichText] = []
    for stated in files:
        file = names.files.get(stated.id, stated) if stated.file_access == PENDING else stated
        if file.is_external or file.mode == "external":
            links.append(_link(file, file.title or file.name or "file"))
        elif kind := page_kind(file):
            links.append(_link(file, f"{file.pretty_type or kind.capitalize()}: {file.title or file.name or 'untitled'}"))
        else:
            attachments.append(_attachment(file))
    return tuple(attachments), concat(*links)


def page_kind(file: File) -> str:
    """Which kind of Slack's pages it is: those are never fetched. Empty for a real file."""
    for stated in (file.mode, file.filetype):
        if stated in _PAGE_TYPES:
            return _PAGE_TYPES[stated]
    mime = file.mimetype or ""
    return (mime.removeprefix(_PAGE_MIME) or "page") if mime.startswith(_PAGE_MIME) else ""


def _link(file: File, label: str) -> RichText:
    return RichText((Paragraph((Text(label, 0, file.permalink or file.url_private or None),)),))


def pack_file_id(file: File) -> str:
    """What `open_file` needs later: the file's id and, if known, its private address."""
    return f"{file.id} {file.url_private_download or file.url_private or ''}".strip()


EMOJI = "emoji:"
"""Begins the native id of a picture of an emoji, which is no file of Slack's API."""


def unpack_file_id(file_id: str) -> tuple[str, str]:
    """File id and private address (empty if `files.info` must be asked)."""
    native, _, url = file_id.partition(" ")
    return native, url


def _attachment(file: File) -> Attachment:
    problem = GONE.get(file.mode or "", "")
    return Attachment(
        kind=_kind(file),
        file_id=pack_file_id(file),
        unique_id=file.id,
        name=file.name or file.title or "file",
        mime=file.mimetype or "",
        size_bytes=_size(file.size),
        width=pixels(file.original_w),
        height=pixels(file.original_h),
        duration_s=seconds(file.duration_ms / 1000) if file.duration_ms is not None else None,
        alt_text=file.alt_txt or "",
        problem=problem if file.id or problem else "Slack did not say which file it is",
    )


def _size(stated: int | None) -> int | None:
    """A number that can be one of bytes."""
    return stated if stated is not None and 0 <= stated < 2**53 else None


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


def emoji_pictures(shown: RichText, names: Names) -> tuple[Attachment, ...]:
    """The pictures of a text's custom emoji, if it is nothing else and all are known. Source: docs.slack.dev, emoji.list."""
    found = []
    for one in only_emoji(shown):
        url = "" if one.text else names.pictures.get(one.id, "")
        found.append(picture(one, f"{EMOJI}{one.id} {url}", urlsplit(url).path.rpartition(".")[2]) if url else None)
    return tuple(one for one in found if one is not None) if None not in found else ()
