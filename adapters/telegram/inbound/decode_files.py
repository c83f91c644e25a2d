"""The files of a message -> attachments. Pure; used by `decode_content`."""

from __future__ import annotations

from collections.abc import Mapping
from mimetypes import guess_extension
from typing import Any, cast

import msgspec

from adapters.common.lenient import pixels, record, records, seconds, whole, words
from adapters.telegram.wire import File, Json, Message
from bridge.model.events import Attachment, AttachmentKind, Still

FALLBACK_MIME = "application/octet-stream"
_KINDS = {
    "photo": (AttachmentKind.PHOTO, "image/jpeg", "photo.jpg"),
    "video": (AttachmentKind.VIDEO, "video/mp4", "video.mp4"),
    "audio": (AttachmentKind.AUDIO, "audio/mpeg", "audio.mp3"),
    "voice": (AttachmentKind.VOICE, "audio/ogg", "voice.ogg"),
    "voice_note": (AttachmentKind.VOICE, "audio/ogg", "voice.ogg"),
    "video_note": (AttachmentKind.VIDEO_NOTE, "video/mp4", "video_note.mp4"),
    "animation": (AttachmentKind.ANIMATION, "video/mp4", "animation.mp4"),
    "sticker": (AttachmentKind.STICKER, "image/webp", "sticker.webp"),
    "document": (AttachmentKind.DOCUMENT, FALLBACK_MIME, "file"),
    "live_photo": (AttachmentKind.VIDEO, "video/mp4", "photo.mp4"),
}
FILE_KINDS = ("animation", "photo", "video", "audio", "voice", "video_note", "sticker", "document", "live_photo")
"""In the order in which they are looked for: an animation also sets `document`, a live photo also `photo`."""


def decode_files(message: Message, download_bytes: int | None) -> list[Attachment]:
    """The file of a message, of a game or a gift in it, and the pictures and videos of paid media as far as they are open to us."""
    fields: Mapping[str, Any] = message
    if inner := _game(record(fields.get("game"))) or _gift(fields):
        return decode_files(cast("Message", inner), download_bytes)
    spoiler = fields.get("has_media_spoiler") is True
    there = [kind for kind in FILE_KINDS if fields.get(kind)]
    files = next(([file] for kind in there if (file := decode_file(kind, fields[kind], spoiler, download_bytes))), [])
    if there and not files:
        files = [_without_a_file(there[0])]
    for media in records(record(fields.get("paid_media")).get("paid_media")):
        kind = words(media.get("type"))
        if kind in _KINDS and (file := decode_file(kind, media.get(kind), spoiler, download_bytes)):
            files.append(file)
    return files


def _game(game: Json) -> Json:
    return {kind: game[kind] for kind in ("animation", "photo") if game.get(kind)}


def _gift(fields: Mapping[str, Any]) -> Json:
    """Its sticker: people see a gift by that. Source: Bot API 10.3, Gift, UniqueGiftModel."""
    plain, unique = record(record(fields.get("gift")).get("gift")), record(record(fields.get("unique_gift")).get("gift"))
    sticker = record(plain.get("sticker")) or record(record(unique.get("model")).get("sticker"))
    return {"sticker": sticker} if sticker else {}


def _without_a_file(kind: str) -> Attachment:
    """Something was there, and nothing in it names a file."""
    known, mime, name = _KINDS[kind]
    return Attachment(kind=known, file_id="", name=name, mime=mime, problem="Telegram does not say how to fetch it")


def decode_file(kind: str, wire: object, spoiler: bool, download_bytes: int | None) -> Attachment | None:
    """None for an object without the one thing that a file needs, its id."""
    known, mime, name = _KINDS[kind]
    if kind == "photo":
        return _attachment(known, largest(wire), mime, name, spoiler, download_bytes)
    if kind == "live_photo" and (still := decode_file("photo", record(wire).get("photo"), spoiler, download_bytes)):
        return still
    if kind == "sticker":
        return _sticker(record(wire), spoiler, download_bytes)
    return _attachment(known, record(wire), mime, name, spoiler, download_bytes)


def largest(sizes: object) -> Json:
    """The largest of a picture's sizes; none without an id counts."""
    usable = [size for size in records(sizes) if words(size.get("file_id"))]
    return max(usable, key=lambda size: (whole(size.get("width")) or 0) * (whole(size.get("height")) or 0), default={})


def sticker_line(sticker: Json) -> str:
    """What a sticker is, for those who cannot see it: `🦊 (animated sticker of the set Foxes)`."""
    kind = "animated sticker" if sticker.get("is_animated") is True else "sticker"
    of = f" of the set {name}" if (name := words(sticker.get("set_name"))) else ""
    return f"{words(sticker.get('emoji'))} ({kind}{of})".strip()


def _sticker(sticker: Json, spoiler: bool, download_bytes: int | None) -> Attachment | None:
    """One that moves has a still picture beside it, for whoever cannot play it."""
    mime, extension = "image/webp", "webp"
    if sticker.get("is_video") is True:
        mime, extension = "video/webm", "webm"
    elif sticker.get("is_animated") is True:
        mime, extension = "application/x-tgsticker", "tgs"
    still = _still(record(sticker.get("thumbnail"))) if extension == "tgs" else None
    name = words(sticker.get("set_name")) or "sticker"
    emoji, line = words(sticker.get("emoji")), sticker_line(sticker)
    file = {key: value for key, value in sticker.items() if key not in ("file_name", "mime_type", "title", "performer")}
    found = _attachment(
        AttachmentKind.STICKER, file, mime, f"{name}.{extension}", spoiler, download_bytes, emoji=emoji, alt_text=line
    )
    return found if found is None or still is None else msgspec.structs.replace(found, still=still)


def _still(thumbnail: Json) -> Still | None:
    """Source: Bot API reference 10.3, Sticker: a thumbnail in WEBP or JPEG."""
    file_id = words(thumbnail.get("file_id"))
    if not file_id:
        return None
    return Still(
        file_id=file_id,
        mime="image/webp",
        width=pixels(thumbnail.get("width")),
        height=pixels(thumbnail.get("height")),
        size_bytes=whole(thumbnail.get("file_size")),
    )


def _attachment(
    kind: AttachmentKind,
    file: File | Json,
    mime: str,
    name: str,
    spoiler: bool,
    download_bytes: int | None,
    *,
    emoji: str = "",
    alt_text: str = "",
) -> Attachment | None:
    file_id = words(file.get("file_id"))
    if not file_id:
        return None
    size = whole(file.get("file_size"))
    size = size if size is not None and size >= 0 else None
    too_large = size is not None and download_bytes is not None and size > download_bytes
    side = pixels(file.get("length"))
    return Attachment(
        kind=kind,
        file_id=file_id,
        unique_id=words(file.get("file_unique_id")),
        name=_name(file, words(file.get("mime_type")) or mime, name, by_mime=bool(words(file.get("mime_type")))),
        mime=words(file.get("mime_type")) or mime,
        size_bytes=size,
        width=pixels(file.get("width")) or side,
        height=pixels(file.get("height")) or side,
        duration_s=seconds(file.get("duration")),
        spoiler=spoiler,
        problem=f"larger than the {(download_bytes or 0) // 1024**2} MB that Telegram hands out to bots" if too_large else "",
        emoji=emoji,
        alt_text=alt_text,
    )


_SOUNDS = {
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
}


def _name(file: File | Json, mime: str, usual: str, *, by_mime: bool) -> str:
    """Of a track what people see of it: performer and title, not the file's name. What has no name gets the usual one of its kind,
    with the ending of what it is (`by_mime`: Telegram told that)."""
    given = words(file.get("file_name"))
    mime = mime.partition(";")[0].strip().lower()
    track = " - ".join(part for part in (words(file.get("performer")), words(file.get("title"))) if part)
    if track:
        stem, dot, ending = given.rpartition(".")
        ending = ending if stem and dot and ending.isalnum() and len(ending) <= 5 else _SOUNDS.get(mime, "mp3")
        return track if track.lower().endswith(f".{ending.lower()}") else f"{track}.{ending}"
    if given or not by_mime:
        return given or usual
    known = _SOUNDS.get(mime) or (guess_extension(mime) or "").lstrip(".")
    return f"{usual.rpartition('.')[0] or usual}.{known}" if known and mime != FALLBACK_MIME else usual
