"""A Telegram message's content -> `Content`: text, files, replies, forwards, and a visible form of everything else. Pure.

Nothing that a person can see in Telegram comes out empty: kinds without a counterpart become a line of text (`decode_kinds`). No
value of an odd type makes it fail (`lenient`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from adapters.common.lenient import record, records, words
from adapters.telegram.inbound.decode_files import FILE_KINDS, decode_file, decode_files, sticker_line
from adapters.telegram.inbound.decode_kinds import (
    buttons,
    decode_contact,
    decode_location,
    decode_poll,
    nowhere,
    poll_words,
    stand_in,
)
from adapters.telegram.inbound.decode_people import author_id, author_name
from adapters.telegram.inbound.decode_rich import decode_rich
from adapters.telegram.inbound.decode_text import decode_text
from adapters.telegram.wire import Json, Message, chat_name, full_name
from bridge.model.events import AlbumItem, Attachment, Content, Forward, ReplyTo, with_items
from bridge.model.rich_text import EMPTY, RichText, concat, text_of

EXCERPT_LENGTH = 200


def decode_content(messages: Sequence[Message], *, download_bytes: int | None) -> Content | None:
    """The content of a message, or of an album's messages in order. None when there is no content that is known.

    `download_bytes` is the largest file that the server hands out (20 MB in the cloud); a larger one says so at once.
    """
    first = messages[0]
    items = [decode_item(message, download_bytes=download_bytes) for message in messages]
    content = Content(
        reply_to=_reply(first),
        forwarded_from=_forward(first),
        poll=decode_poll(record(first.get("poll")), first.get("date")),
        location=decode_location(first),
        contact=decode_contact(record(first.get("contact"))),
        previews=record(first.get("link_preview_options")).get("is_disabled") is not True,
    )
    content = with_items(content, items)
    said = content.text or content.attachments or content.poll or content.location or content.contact
    return content if said else None


def decode_item(message: Message, *, download_bytes: int | None) -> AlbumItem:
    """The words and files of one message."""
    rich, rich_files = _rich(message, download_bytes)
    text = concat(_text(message), rich, buttons(message))
    return AlbumItem(
        text=text, attachments=(*decode_files(message, download_bytes), *_poll_files(message, download_bytes), *rich_files)
    )


def _poll_files(message: Message, download_bytes: int | None) -> tuple[Attachment, ...]:
    """The picture, film or the like above a poll, beside an option of it, or beside the explanation of a quiz (PollMedia)."""
    poll = record(message.get("poll"))
    media = [record(holder.get("media")) for holder in (poll, *records(poll.get("options")))]
    media.append(record(poll.get("explanation_media")))
    return tuple(file for one in media if one for file in decode_files(cast("Message", one), download_bytes))


def _text(message: Message) -> RichText:
    fields: Mapping[str, Any] = message
    if "text" in fields:
        return decode_text(words(fields["text"]), fields.get("entities"))
    caption = decode_text(words(fields.get("caption")), fields.get("caption_entities"))
    return concat(caption, stand_in(message), poll_words(message), nowhere(message))


def _rich(message: Message, download_bytes: int | None) -> tuple[RichText, list[Attachment]]:
    if "rich_message" not in message:
        return EMPTY, []
    rich, media = decode_rich(record(message["rich_message"]))
    files = [decode_file(kind, block.get(kind), block.get("has_spoiler") is True, download_bytes) for kind, block in media]
    return rich, [file for file in files if file is not None]


# -- relations --------------------------------------------------------------------------------------------------------------


def _reply(message: Message) -> ReplyTo | None:
    quote = words(record(message.get("quote")).get("text"))
    external = record(message.get("external_reply"))
    if external:
        author = _origin_name(record(external.get("origin")))
        return ReplyTo(
            message_id=words(external.get("message_id")),
            chat_id=words(record(external.get("chat")).get("id")),
            author_name=author.author_name or author.chat_name,
            author_id=author.author_id,
            excerpt=quote or _kind_of_content(external),
        )
    story: Json = record(message.get("reply_to_story"))
    if story:
        return ReplyTo(message_id="", author_name=chat_name(record(story.get("chat"))), excerpt="story")
    replied: Any = record(message.get("reply_to_message"))
    if not replied or _implied(message, replied):
        return None
    return ReplyTo(
        message_id=words(replied.get("message_id")),
        author_name=author_name(replied),
        author_id=author_id(replied),
        excerpt=quote or _excerpt(replied),
    )


def _implied(message: Message, replied: Message) -> bool:
    """A plain message of a topic "answers" the service message that created the topic (platforms.md 1.2)."""
    return bool(message.get("is_topic_message")) and replied.get("message_id") == message.get("message_thread_id")


def _excerpt(message: Message) -> str:
    said = text_of(_text(message)) or text_of(_rich(message, None)[0]) or _kind_of_content(message)
    return said if len(said) <= EXCERPT_LENGTH else said[: EXCERPT_LENGTH - 1] + "…"


def _kind_of_content(message: Message | Json) -> str:
    """A word for a message without words: `photo`."""
    fields: Mapping[str, Any] = message
    if sticker := record(fields.get("sticker")):
        return sticker_line(sticker)
    kinds = ("poll", "location", "contact", "story", "game", "checklist", "dice", "invoice", "giveaway", "paid_media", *FILE_KINDS)
    return next((kind.replace("_", " ") for kind in kinds if kind in fields), "")


def _forward(message: Message) -> Forward | None:
    origin = record(message.get("forward_origin"))
    return _origin_name(origin) if origin else None


def _origin_name(origin: Json) -> Forward:
    signature = words(origin.get("author_signature"))
    match origin.get("type"):
        case "user":
            sender = record(origin.get("sender_user"))
            return Forward(author_name=full_name(sender), author_id=words(sender.get("id")))
        case "hidden_user":
            return Forward(author_name=words(origin.get("sender_user_name")))
        case "chat":
            return Forward(author_name=signature, chat_name=chat_name(record(origin.get("sender_chat"))))
        case "channel":
            return Forward(author_name=signature, chat_name=chat_name(record(origin.get("chat"))))
        case _:
            return Forward()
