"""Files of a Discord message -> `Attachment`: uploads, stickers, and the pictures of bots' embeds and components. Pure.

`file_id` names message and attachment: signed addresses expire within a day, so a fresh one is asked for when the file is fetched
(`downloads`). Source: API reference, message and sticker resources, "Unfurled Media Item", August 2026.
"""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from adapters.common.custom_emoji import only_emoji, picture
from adapters.common.lenient import pixels, seconds
from adapters.discord import wire
from adapters.discord.lenient import flags_of, is_visible, mapping, number, objects, text, web_address, whole
from adapters.discord.urls import CDN_URL, MEDIA_URL
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import Emoji, RichText

VOICE_MESSAGE = 1 << 13
SPOILER_ATTACHMENT = 1 << 3
_STICKER_TYPES = {1: ("png", "image/png"), 2: ("png", "image/apng"), 3: ("json", "application/json"), 4: ("gif", "image/gif")}
_UPLOADS = ("attachments", "ephemeral-attachments")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a message is, and whose addresses are Discord's own."""

    channel_id: str
    message_id: str
    cdn_url: str


def attachments(data: wire.Message, where: Whereabouts, *, is_voice: bool) -> list[Attachment]:
    """Uploads and stickers of a message, or of a forwarded snapshot in it."""
    files = [_attachment(a, where, is_voice=is_voice) for a in objects(data.get("attachments"))]
    stickers = objects(data.get("sticker_items")) or objects(data.get("stickers"))
    return [*files, *(_sticker(s) for s in stickers)]


def _attachment(data: wire.Attachment, where: Whereabouts, *, is_voice: bool) -> Attachment:
    name = text(data.get("filename")) or "file"
    mime = text(data.get("content_type")).split(";")[0].strip()
    size = number(data.get("size"))
    attachment_id = text(data.get("id"))
    return Attachment(
        kind=AttachmentKind.VOICE if is_voice else _kind(mime),
        file_id=f"{where.channel_id}/{where.message_id}/{attachment_id or name}",
        name=_shown_name(name, data.get("title")),
        problem="" if attachment_id.isdecimal() else "Discord does not tell where it is",
        mime=mime,
        size_bytes=None if size is None else int(size),
        width=pixels(data.get("width")),
        height=pixels(data.get("height")),
        duration_s=seconds(data.get("duration_secs")),
        waveform=_waveform(data.get("waveform")) if is_voice else "",
        spoiler=bool(flags_of(data.get("flags")) & SPOILER_ATTACHMENT) or name.startswith("SPOILER_"),
        alt_text=text(data.get("description")),
    )


def _shown_name(filename: str, title: object) -> str:
    """Discord strips a file's name to plain letters and keeps what it was as the title, without the ending."""
    stem, dot, ending = filename.removeprefix("SPOILER_").rpartition(".")
    if isinstance(title, str) and title and dot and stem:
        return title if title.endswith(f".{ending}") else f"{title}.{ending}"
    return filename.removeprefix("SPOILER_") or filename


def _kind(mime: str) -> AttachmentKind:
    if mime == "image/gif":
        return AttachmentKind.ANIMATION
    families = {"image": AttachmentKind.PHOTO, "video": AttachmentKind.VIDEO, "audio": AttachmentKind.AUDIO}
    return families.get(mime.partition("/")[0], AttachmentKind.DOCUMENT) if mime != "image/svg+xml" else AttachmentKind.DOCUMENT


def _waveform(value: object) -> str:
    """Base64 of at most 256 bytes; empty if it is anything else."""
    found = text(value)
    try:
        return found if len(found) <= 344 and base64.b64decode(found, validate=True) else ""
    except ValueError:
        return ""


def _sticker(data: wire.Sticker) -> Attachment:
    extension, mime = _STICKER_TYPES.get(whole(data.get("format_type"), 1), ("png", "image/png"))
    name = text(data.get("name"))
    sticker_id = text(data.get("id"))
    return Attachment(
        kind=AttachmentKind.STICKER,
        file_id=f"sticker/{sticker_id}.{extension}",
        name=f"{name if is_visible(name) else 'sticker'}.{extension}",
        mime=mime,
        problem="" if sticker_id.isdecimal() else "a sticker that Discord does not tell enough of",
    )


def media_file(media: wire.Media | None, where: Whereabouts, *, alt_text: str = "", spoiler: bool = False) -> Attachment | None:
    """A picture, video or file that a bot uploaded and shows in an embed or component; None if it is not on Discord's own servers:
    then its address can be shown, since it does not expire."""
    data = mapping(media)
    url = web_address(data.get("url"))
    parts = urlsplit(url)
    hosts = {urlsplit(known).netloc for known in (CDN_URL, MEDIA_URL, where.cdn_url)}
    folder, _, rest = parts.path.removeprefix(urlsplit(where.cdn_url).path).lstrip("/").partition("/")
    pieces = rest.split("/")
    if parts.netloc not in hosts or folder not in _UPLOADS or len(pieces) != 3 or not pieces[1].isdecimal():
        return None
    name = unquote(pieces[2]) or "file"
    mime = text(data.get("content_type")).split(";")[0].strip() or mimetypes.guess_type(name)[0] or ""
    return Attachment(
        kind=_kind(mime),
        file_id=f"{where.channel_id}/{where.message_id}/{pieces[1]}",
        name=_shown_name(name, None),
        mime=mime,
        width=pixels(data.get("width")),
        height=pixels(data.get("height")),
        spoiler=spoiler or name.startswith("SPOILER_"),
        alt_text=alt_text,
    )


def emoji_pictures(said: RichText) -> tuple[Attachment, ...]:
    """The pictures of a text's custom emoji, if it is nothing else. Source: API reference, "CDN Endpoints"."""
    found = [picture(one, f"emoji/{one.id}.{_ending(one)}", _ending(one)) for one in only_emoji(said) if one.id.isdecimal()]
    return tuple(one for one in found if one is not None)


def _ending(emoji: Emoji) -> str:
    return "gif" if emoji.animated else "webp"
