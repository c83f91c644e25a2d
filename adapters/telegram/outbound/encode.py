"""Outbound messages -> Bot API calls. Pure; `transport` makes aiogram's methods of them.

Formatting goes out as entities, never as a parse mode; replies always allow sending without the answered message (platforms.md
1.3).
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.telegram.capabilities import MEDIA
from adapters.telegram.outbound.encode_text import encode_text
from adapters.telegram.outbound.polls import poll_call
from adapters.telegram.wire import Call, Json, Upload
from bridge.model.adapter import Outbound, OutboundEdit, OutboundFile
from bridge.model.errors import Rejected
from bridge.model.events import Attachment
from bridge.model.rich_text import RichText, plain, to_plain

GENERAL_TOPIC = "1"
"""The General topic: has this id in clients, but on the wire it is refused; sends there carry no thread (platforms.md 1.3)."""
PHOTO_BYTES = 10 * 1024**2
PHOTO_SIDES = 10_000
PHOTO_RATIO = 20
_ALBUM_KINDS = ("photo", "video", "audio", "document")
_METHODS = {
    "photo": "SendPhoto",
    "video": "SendVideo",
    "audio": "SendAudio",
    "voice": "SendVoice",
    "animation": "SendAnimation",
    "video_note": "SendVideoNote",
    "sticker": "SendSticker",
    "document": "SendDocument",
}
WITHOUT_CAPTION = ("SendSticker", "SendVideoNote")


def send_call(outbound: Outbound, *, as_documents: bool = False, plain_text: bool = False) -> Call:
    """The call that sends one outbound message.

    `as_documents` and `plain_text` are the ways out when Telegram refuses a file as what it is, or the formatting.
    """
    text = _words(outbound.text, plain_text)
    place = place_of(outbound)
    if outbound.poll is not None:
        return poll_call(outbound.poll, place, text)
    if not outbound.files:
        if not text["text"]:
            raise Rejected("Telegram takes no message without text and files")
        return Call("SendMessage", place | text | _previews(outbound.previews))
    caption = _caption(text)
    kinds = [kind_of(file, captioned=bool(caption)) for file in outbound.files]
    if as_documents or (len(kinds) > 1 and not _album_fits(kinds)):
        kinds = ["document"] * len(kinds)
    if len(kinds) == 1:
        return _file_call(outbound.files[0], kinds[0], place, caption)
    media = [_media(file, kind) for file, kind in zip(outbound.files, kinds, strict=True)]
    media[0] |= caption
    return Call("SendMediaGroup", place | {"media": media}, has_files=True)


def edit_call(edit: OutboundEdit, *, message_id: str, caption: bool, plain_text: bool = False) -> Call:
    """The call that changes a message's text or caption."""
    text = _words(edit.text, plain_text)
    target = {"chat_id": edit.copy.chat_id, "message_id": int(message_id)}
    if caption:
        return Call("EditMessageCaption", target | _caption(text))
    if not text["text"]:
        raise Rejected("Telegram takes no message without text")
    return Call("EditMessageText", target | text | _previews(edit.previews))


def kind_of(file: OutboundFile, *, captioned: bool) -> str:
    """As what a file can be sent: its own kind if its format fits, else a document."""
    kind = file.attachment.kind.value
    mime = file.mime.split(";")[0].strip().lower()
    if kind == "document" or not MEDIA.is_played(file.attachment.kind, mime):
        return "document"
    if kind == "sticker" and captioned:
        return "document"
    if kind == "photo" and not _photo_fits(file.attachment, file.size_bytes):
        return "document"
    if kind == "video_note" and (captioned or file.attachment.width != file.attachment.height):
        return "video"
    return kind


def _photo_fits(attachment: Attachment, size_bytes: int) -> bool:
    """10 MB, sides together at most 10 000, one at most 20 times the other (platforms.md 1.4). Unknown sides may be tried."""
    if size_bytes > PHOTO_BYTES:
        return False
    sides = sorted((attachment.width or 0, attachment.height or 0))
    return not sides[0] or (sum(sides) <= PHOTO_SIDES and sides[1] <= PHOTO_RATIO * sides[0])


def _album_fits(kinds: Sequence[str]) -> bool:
    return set(kinds) <= {"photo", "video"} or (len(set(kinds)) == 1 and kinds[0] in _ALBUM_KINDS)


def thread_of(outbound: Outbound) -> str | None:
    """The topic a message goes to: its own, else that of the message it answers (a reply cannot cross topics)."""
    thread_id = outbound.thread_id or (outbound.reply.thread_id if outbound.reply else None)
    return None if thread_id == GENERAL_TOPIC else thread_id


def place_of(outbound: Outbound) -> Json:
    """Where a message goes, and how loud: the parameters that all send methods share."""
    place: Json = {"chat_id": outbound.chat_id}
    thread_id = thread_of(outbound)
    if thread_id is not None:
        place["message_thread_id"] = int(thread_id)
    if outbound.silent:
        place["disable_notification"] = True
    if outbound.reply is not None and outbound.reply.message_id:
        place["reply_parameters"] = {"message_id": int(outbound.reply.message_id), "allow_sending_without_reply": True}
    return place


def _words(rich: RichText, plain_text: bool) -> Json:
    encoded = encode_text(plain(to_plain(rich)) if plain_text else rich)
    return {"text": encoded.text} | ({"entities": encoded.entities} if encoded.entities else {})


def _caption(text: Json) -> Json:
    if not text["text"]:
        return {}
    return {"caption": text["text"]} | ({"caption_entities": text["entities"]} if "entities" in text else {})


def _previews(wanted: bool) -> Json:
    return {} if wanted else {"link_preview_options": {"is_disabled": True}}


def _upload(file: OutboundFile) -> Upload:
    """The name without what servers read differently in a multipart header: two characters, and whatever breaks lines."""
    name = "".join(char for char in file.name.replace('"', "'").replace("\\", "_") if char.isprintable())
    return Upload(file, name.strip() or "file")


def _file_call(file: OutboundFile, kind: str, place: Json, caption: Json) -> Call:
    return Call(_METHODS[kind], place | {kind: _upload(file)} | _facts(file, kind) | caption, has_files=True)


def _media(file: OutboundFile, kind: str) -> Json:
    return {"type": kind, "media": _upload(file)} | _facts(file, kind)


def _facts(file: OutboundFile, kind: str) -> Json:
    attachment = file.attachment
    facts: Json = {}
    if kind in ("video", "animation", "audio", "voice", "video_note") and attachment.duration_s:
        facts["duration"] = round(attachment.duration_s)
    if kind in ("video", "animation") and attachment.width and attachment.height:
        facts |= {"width": attachment.width, "height": attachment.height}
    if kind in ("photo", "video", "animation") and attachment.spoiler:
        facts["has_spoiler"] = True
    if kind == "document":
        facts["disable_content_type_detection"] = True
    if kind == "sticker" and attachment.emoji:
        facts["emoji"] = attachment.emoji
    return facts
