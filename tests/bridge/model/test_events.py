"""What becomes of a created message: edited, an album put together, strings that no store takes."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from bridge.model.events import (
    AlbumItem,
    Attachment,
    AttachmentKind,
    Author,
    Content,
    EventMeta,
    MessageCreated,
    MessageEdited,
    ReplyTo,
    as_edited,
    storable,
    with_items,
)
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import plain, text_of

NOW = datetime(2026, 8, 1, tzinfo=UTC)
PHOTO = Attachment(kind=AttachmentKind.PHOTO, file_id="p", name="p.jpg")
REPLY = ReplyTo(message_id="0")


def meta(name: str = "Anna") -> EventMeta:
    chat = ChatRef(AccountName("one"), "c")
    return EventMeta(event_key="k", origin=chat, occurred_at=NOW, received_at=NOW, author=Author(user_id="anna", name=name))


def test_an_edit_of_the_text_alone_keeps_reply_and_files() -> None:
    created = MessageCreated(meta=meta(), message_id="1", content=Content(text=plain("a"), attachments=(PHOTO,), reply_to=REPLY))
    edit = MessageEdited(meta=meta(), message_id="1", content=Content(text=plain("b")), attachments_known=False)
    edited = as_edited(created, edit)
    assert text_of(edited.content.text) == "b"
    assert edited.content.attachments == (PHOTO,)
    assert edited.content.reply_to == REPLY
    assert edited.meta == created.meta


def test_an_edit_that_lists_the_files_replaces_them() -> None:
    created = MessageCreated(meta=meta(), message_id="1", content=Content(text=plain("a"), attachments=(PHOTO,)))
    edit = MessageEdited(meta=meta(), message_id="1", content=Content(text=plain("a")), attachments_known=True)
    assert as_edited(created, edit).content.attachments == ()


def test_an_album_is_its_items_in_order() -> None:
    album = with_items(Content(reply_to=REPLY), (AlbumItem(text=plain("a")), AlbumItem(text=plain("b"), attachments=(PHOTO,))))
    assert text_of(album.text) == "a\nb"
    assert album.attachments == (PHOTO,)
    assert album.reply_to == REPLY


def test_half_of_a_surrogate_pair_is_cleaned_wherever_it_is_and_all_else_stays() -> None:
    whole = MessageCreated(meta=meta(), message_id="1", content=Content(text=plain("a")))
    assert storable(whole) is whole
    name = "Anna \ud83d"
    stored = storable(MessageCreated(meta=meta(name), message_id="1", content=Content(text=plain("a"), attachments=(PHOTO,))))
    assert isinstance(stored, MessageCreated)
    assert msgspec.json.encode(stored)
    assert stored.meta.author is not None
    assert stored.meta.author.name.startswith("Anna")
    assert stored.content.attachments == (PHOTO,)
