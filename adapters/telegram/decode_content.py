"""A Telegram message's content -> `Content`: text, files, replies, forwards, and a visible form of everything else. Pure.

Nothing that a person can see in Telegram comes out empty: kinds without a counterpart become a line of text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.telegram.decode_rich import decode_rich
from adapters.telegram.decode_text import decode_text
from adapters.telegram.wire import Chat, File, Json, Message, full_name, sender_of
from bridge.events import (
    AlbumItem,
    Attachment,
    AttachmentKind,
    Contact,
    Content,
    Forward,
    Location,
    Poll,
    PollOption,
    ReplyTo,
    with_items,
)
from bridge.text import EMPTY, RichText, concat, plain, text_of

EXCERPT_LENGTH = 200

_PLAIN_KINDS = {
    "video": (AttachmentKind.VIDEO, "video/mp4", "video.mp4"),
    "audio": (AttachmentKind.AUDIO, "audio/mpeg", "audio.mp3"),
    "voice": (AttachmentKind.VOICE, "audio/ogg", "voice.ogg"),
    "voice_note": (AttachmentKind.VOICE, "audio/ogg", "voice.ogg"),
    "video_note": (AttachmentKind.VIDEO_NOTE, "video/mp4", "video_note.mp4"),
    "animation": (AttachmentKind.ANIMATION, "video/mp4", "animation.mp4"),
    "document": (AttachmentKind.DOCUMENT, "application/octet-stream", "file"),
}


def decode_content(messages: Sequence[Message], *, download_bytes: int | None) -> Content | None:
    """The content of a message, or of an album's messages in order. None when there is no content that is known.

    `download_bytes` is the largest file that the server hands out (20 MB in the cloud); a larger one says so at once.
    """
    first = messages[0]
    items = [decode_item(message, download_bytes=download_bytes) for message in messages]
    content = Content(
        reply_to=_reply(first),
        forwarded_from=_forward(first),
        poll=_poll(first.get("poll")),
        location=_location(first),
        contact=_contact(first.get("contact")),
        previews=not (first.get("link_preview_options") or {}).get("is_disabled", False),
    )
    content = with_items(content, items)
    said = content.text or content.attachments or content.poll or content.location or content.contact
    return content if said else None


def decode_item(message: Message, *, download_bytes: int | None) -> AlbumItem:
    """The words and files of one message."""
    rich, rich_files = _rich(message, download_bytes)
    return AlbumItem(text=concat(_text(message), rich), attachments=(*_attachments(message, download_bytes), *rich_files))


def _text(message: Message) -> RichText:
    if "text" in message:
        return decode_text(message["text"], message.get("entities", ()))
    caption = decode_text(message.get("caption", ""), message.get("caption_entities", ()))
    return concat(caption, plain(_stand_in(message)))


def _stand_in(message: Message) -> str:
    """A line for content without a counterpart elsewhere."""
    if (dice := message.get("dice")) is not None:
        return f"{dice.get('emoji', '')} {dice.get('value', '')}".strip()
    if (story := message.get("story")) is not None:
        return f"(story by {_chat_name(story.get('chat') or {})})"
    if (game := message.get("game")) is not None:
        return f"(game: {game.get('title', '')})"
    if (invoice := message.get("invoice")) is not None:
        return f"(invoice: {invoice.get('title', '')})"
    if (checklist := message.get("checklist")) is not None:
        tasks = (f"{'☑' if task.get('completion_date') else '☐'} {task.get('text', '')}" for task in checklist.get("tasks", ()))
        return "\n".join((str(checklist.get("title", "")), *tasks))
    if "paid_media" in message:
        return "(paid media)"
    if "giveaway" in message:
        return "(giveaway)"
    return ""


def _chat_name(chat: Chat | Json) -> str:
    return str(chat.get("title") or f"{chat.get('first_name', '')} {chat.get('last_name', '')}".strip() or chat.get("username", ""))


def _rich(message: Message, download_bytes: int | None) -> tuple[RichText, list[Attachment]]:
    rich_message = message.get("rich_message")
    if rich_message is None:
        return EMPTY, []
    rich, media = decode_rich(rich_message)
    files = [_file(kind, block[kind], bool(block.get("has_spoiler")), download_bytes) for kind, block in media]
    return rich, files


# -- files ------------------------------------------------------------------------------------------------------------------


def _attachments(message: Message, download_bytes: int | None) -> list[Attachment]:
    spoiler = bool(message.get("has_media_spoiler"))
    fields: Mapping[str, Any] = message
    for kind in ("photo", "animation", "video", "audio", "voice", "video_note", "sticker", "document"):
        # an animation also sets `document`, a live photo also `photo`: the first that fits is the whole
        if fields.get(kind):
            return [_file(kind, fields[kind], spoiler, download_bytes)]
    return []


def _file(kind: str, wire: Any, spoiler: bool, download_bytes: int | None) -> Attachment:
    if kind == "photo":
        largest: File = max(wire, key=lambda size: size.get("width", 0) * size.get("height", 0))
        return _attachment(AttachmentKind.PHOTO, largest, "image/jpeg", "photo.jpg", spoiler, download_bytes)
    file: File = wire
    if kind == "sticker":
        mime, name = "image/webp", "sticker.webp"
        if file.get("is_animated"):
            mime, name = "application/x-tgsticker", "sticker.tgs"
        elif file.get("is_video"):
            mime, name = "video/webm", "sticker.webm"
        return _attachment(AttachmentKind.STICKER, file, mime, name, spoiler, download_bytes)
    known, mime, name = _PLAIN_KINDS[kind]
    return _attachment(known, file, mime, name, spoiler, download_bytes)


def _attachment(kind: AttachmentKind, file: File, mime: str, name: str, spoiler: bool, download_bytes: int | None) -> Attachment:
    size = file.get("file_size")
    too_large = size is not None and download_bytes is not None and size > download_bytes
    side = file.get("length")
    return Attachment(
        kind=kind,
        file_id=file["file_id"],
        unique_id=file.get("file_unique_id", ""),
        name=file.get("file_name") or _audio_name(file) or name,
        mime=file.get("mime_type") or mime,
        size_bytes=size,
        width=file.get("width", side),
        height=file.get("height", side),
        duration_s=float(file["duration"]) if "duration" in file else None,
        spoiler=spoiler,
        emoji=file.get("emoji", ""),
        problem=f"larger than the {(download_bytes or 0) // 1024**2} MB that Telegram hands out to bots" if too_large else "",
    )


def _audio_name(file: File) -> str:
    title = " - ".join(part for part in (file.get("performer"), file.get("title")) if part)
    return f"{title}.mp3" if title else ""


# -- relations --------------------------------------------------------------------------------------------------------------


def _reply(message: Message) -> ReplyTo | None:
    quote = str((message.get("quote") or {}).get("text", ""))
    if (external := message.get("external_reply")) is not None:
        chat = external.get("chat") or {}
        author = _origin_name(external.get("origin") or {})
        return ReplyTo(
            message_id=str(external.get("message_id", "")),
            chat_id=str(chat.get("id", "")),
            author_name=author.author_name or author.chat_name,
            excerpt=quote,
        )
    replied = message.get("reply_to_message")
    if replied is None or _implied(message, replied):
        return None
    return ReplyTo(message_id=str(replied["message_id"]), author_name=author_name(replied), excerpt=quote or _excerpt(replied))


def _implied(message: Message, replied: Message) -> bool:
    """A plain message of a topic "answers" the service message that created the topic (platforms.md 1.2)."""
    return bool(message.get("is_topic_message")) and replied.get("message_id") == message.get("message_thread_id")


def author_name(message: Message) -> str:
    chat = message.get("sender_chat")
    if chat is not None:
        return message.get("author_signature") or _chat_name(chat)
    sender = sender_of(message)
    return full_name(sender) if sender is not None else ""


def _excerpt(message: Message) -> str:
    words = text_of(_text(message)) or (text_of(_rich(message, None)[0]) if "rich_message" in message else "")
    if not words:
        words = next((name for name in ("photo", "sticker", "poll", "location", *_PLAIN_KINDS) if name in message), "")
    return words if len(words) <= EXCERPT_LENGTH else words[: EXCERPT_LENGTH - 1] + "…"


def _forward(message: Message) -> Forward | None:
    origin = message.get("forward_origin")
    return None if origin is None else _origin_name(origin)


def _origin_name(origin: Json) -> Forward:
    match origin.get("type"):
        case "user":
            return Forward(author_name=full_name(origin["sender_user"]))
        case "hidden_user":
            return Forward(author_name=str(origin.get("sender_user_name", "")))
        case "chat":
            return Forward(author_name=str(origin.get("author_signature", "")), chat_name=_chat_name(origin["sender_chat"]))
        case "channel":
            return Forward(author_name=str(origin.get("author_signature", "")), chat_name=_chat_name(origin["chat"]))
        case _:
            return Forward()


# -- the rest ---------------------------------------------------------------------------------------------------------------


def _poll(poll: Json | None) -> Poll | None:
    if poll is None:
        return None
    return Poll(
        question=str(poll["question"]),
        options=tuple(PollOption(text=str(option["text"]), votes=option.get("voter_count")) for option in poll["options"]),
        multiple=bool(poll.get("allows_multiple_answers")),
        anonymous=bool(poll.get("is_anonymous", True)),
        closed=bool(poll.get("is_closed")),
    )


def _location(message: Message) -> Location | None:
    venue = message.get("venue") or {}
    point = venue.get("location") or message.get("location")
    if point is None:
        return None
    return Location(
        latitude=float(point["latitude"]),
        longitude=float(point["longitude"]),
        title=str(venue.get("title", "")),
        address=str(venue.get("address", "")),
        live=bool(point.get("live_period")),
    )


def _contact(contact: Json | None) -> Contact | None:
    if contact is None:
        return None
    name = f"{contact.get('first_name', '')} {contact.get('last_name', '')}".strip()
    return Contact(name=name, phone=str(contact.get("phone_number", "")))
