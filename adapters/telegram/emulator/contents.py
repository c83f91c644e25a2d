"""The Bot API's content objects (photo, video, document ...) made from stored files, with the rules for each kind.

A file that does not fit its kind is refused or becomes a document, as the Bot API documents it for the send methods.
"""

from __future__ import annotations

from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.files import FileStore
from adapters.telegram.emulator.records import Json, StoredFile
from adapters.telegram.emulator.rules import PHOTO_BYTES, PHOTO_RATIO, PHOTO_SIDES
from adapters.telegram.emulator.wire import file_wire

_VOICE_MIMES = ("audio/ogg", "audio/opus", "audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac")
_AUDIO_MIMES = ("audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac")
_VIDEO_MIMES = ("video/mp4",)
_SUFFIX_MIMES = {
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/opus",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".webm": "video/webm",
    ".tgs": "application/x-tgsticker",
}


def settle_kind(kind: str, stored: StoredFile) -> str:
    """The kind that a file sent as `kind` gets. Raises ApiError where Telegram refuses it."""
    mime = _mime(stored)
    match kind:
        case "photo":
            _check_photo(stored)
        case "voice" if mime not in _VOICE_MIMES:
            return "document"
        case "audio" if mime not in _AUDIO_MIMES:
            return "document"
        case "video" if mime not in _VIDEO_MIMES:
            return "document"
        case "animation" if mime not in ("image/gif", "video/mp4"):
            return "document"
        case "video_note" if mime != "video/mp4":
            raise bad_request("VIDEO_CONTENT_TYPE_INVALID")
        case "sticker" if mime not in ("image/webp", "application/x-tgsticker", "video/webm", "image/png"):
            raise bad_request("STICKER_INVALID")
        case "document" if mime == "image/gif":
            return "animation"
        case _:
            pass
    return kind


def _mime(stored: StoredFile) -> str:
    suffix = "." + stored.name.rsplit(".", 1)[-1].lower()
    generic = stored.mime in ("", "application/octet-stream")
    return _SUFFIX_MIMES.get(suffix, stored.mime) if generic else stored.mime.split(";")[0].strip().lower()


def _check_photo(stored: StoredFile) -> None:
    if stored.size_bytes > PHOTO_BYTES:
        raise bad_request(f"file of size {stored.size_bytes} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes")
    if not stored.width or not stored.height:
        raise bad_request("IMAGE_PROCESS_FAILED")
    sides = sorted((stored.width, stored.height))
    if sum(sides) > PHOTO_SIDES or sides[1] > PHOTO_RATIO * sides[0]:
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def media_content(files: FileStore, kind: str, stored: StoredFile, facts: Json | None = None) -> Json:
    """The content fields of a message with this file. `facts` are what the sender stated: duration, title, emoji ..."""
    facts = {key: value for key, value in (facts or {}).items() if value not in (None, "", 0)}
    files.publish_path(stored, kind)
    wire = file_wire(stored)
    size = {"width": stored.width or 320, "height": stored.height or 240}
    named = ({"file_name": stored.name} if stored.name else {}) | ({"mime_type": _mime(stored)} if _mime(stored) else {})
    match kind:
        case "photo":
            return {"photo": [wire | size]}
        case "video":
            return {"video": wire | size | {"duration": 1} | named | _only(facts, "duration", "width", "height")}
        case "animation":
            animation = wire | size | {"duration": 1} | named | _only(facts, "duration", "width", "height")
            return {"animation": animation, "document": wire | named}
        case "audio":
            return {"audio": wire | {"duration": 1} | named | _only(facts, "duration", "performer", "title")}
        case "voice":
            mime = {"mime_type": named["mime_type"]} if "mime_type" in named else {}
            return {"voice": wire | {"duration": 1} | mime | _only(facts, "duration")}
        case "video_note":
            return {"video_note": wire | {"length": 240, "duration": 1} | _only(facts, "duration", "length")}
        case "sticker":
            mime_type = named.get("mime_type", "")
            flags = {"is_animated": mime_type == "application/x-tgsticker", "is_video": mime_type == "video/webm"}
            return {"sticker": wire | {"type": "regular", "width": 512, "height": 512} | flags | _only(facts, "emoji", "set_name")}
        case _:
            return {"document": wire | named}


def _only(facts: Json, *names: str) -> Json:
    return {name: facts[name] for name in names if name in facts}


def guess_kind(stored: StoredFile) -> str:
    """The kind that a person's client chooses for an attached file."""
    mime = _mime(stored)
    if mime in ("image/jpeg", "image/png", "image/webp", "image/bmp"):
        return "photo"
    if mime == "image/gif":
        return "animation"
    if mime in _VIDEO_MIMES or mime == "video/quicktime":
        return "video"
    if mime in _AUDIO_MIMES:
        return "audio"
    if mime in ("audio/ogg", "audio/opus"):
        return "voice"
    return "document"


def album_groups(kinds: list[str]) -> list[list[int]]:
    """Which of several files, by position, share a media group: photos and videos mix, documents and audio do not."""
    groups: list[list[int]] = []
    family = ""
    for position, kind in enumerate(kinds):
        of_kind = {"photo": "visual", "video": "visual", "document": "document", "audio": "audio"}.get(kind, "")
        if of_kind and of_kind == family and len(groups[-1]) < 10:
            groups[-1].append(position)
        else:
            groups.append([position])
        family = of_kind
    return groups
