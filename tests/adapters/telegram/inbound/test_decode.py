"""Updates -> events, without a server: all content has a visible form, strange shapes are Undecodable and nothing else."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry import load_platform
from adapters.telegram.inbound.albums import ALBUM_MAX, Albums
from adapters.telegram.inbound.decode import Decoder
from adapters.telegram.inbound.decode_reactions import qualified
from adapters.telegram.inbound.decoded import AlbumItem, Undecodable
from adapters.telegram.outbound.reactions import SETTABLE, settable
from bridge.model.events import AttachmentKind, Ignored, MessageCreated, MessageEdited, ReactionsChanged
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from bridge.render.notices import file_line
from tests.support.budget import examples

load_platform("telegram").preload()


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DECODER = Decoder(account=AccountName("tg"), bot_id="999")
ANNA = {"id": 1, "is_bot": False, "first_name": "Anna", "last_name": "Petrova", "username": "anna_p"}
CHAT = {"id": -1001, "type": "supergroup", "title": "Team"}
FILE = {"file_id": "F", "file_unique_id": "U", "file_size": 5}


def message(**fields: Any) -> dict[str, Any]:
    return {"message_id": 7, "date": 1_700_000_000, "chat": CHAT, "from": ANNA} | fields


def created(**fields: Any) -> MessageCreated:
    [event] = DECODER.update({"update_id": 1, "message": message(**fields)}, NOW)
    assert isinstance(event, MessageCreated)
    return event


def words(event: MessageCreated) -> str:
    return text_of(event.content.text)


@pytest.mark.parametrize(
    ("fields", "kind", "mime", "name"),
    [
        (
            {"photo": [FILE | {"width": 1, "height": 1}, FILE | {"file_id": "L", "width": 9, "height": 9}]},
            "photo",
            "image/jpeg",
            "photo.jpg",
        ),
        ({"video": FILE | {"duration": 3, "file_name": "v.mp4", "mime_type": "video/mp4"}}, "video", "video/mp4", "v.mp4"),
        ({"audio": FILE | {"duration": 3, "performer": "P", "title": "T"}}, "audio", "audio/mpeg", "P - T.mp3"),
        (
            {"audio": FILE | {"file_name": "01.flac", "mime_type": "audio/flac", "performer": "P", "title": "T. 2"}},
            "audio",
            "audio/flac",
            "P - T. 2.flac",
        ),
        ({"audio": FILE | {"mime_type": "audio/mp4", "title": "T"}}, "audio", "audio/mp4", "T.m4a"),
        ({"audio": FILE | {"file_name": "memo", "title": "T"}}, "audio", "audio/mpeg", "T.mp3"),
        ({"audio": FILE | {"file_name": "memo.wav"}}, "audio", "audio/mpeg", "memo.wav"),
        ({"voice": FILE | {"mime_type": "audio/mpeg"}}, "voice", "audio/mpeg", "voice.mp3"),
        ({"video": FILE | {"mime_type": "video/webm"}}, "video", "video/webm", "video.webm"),
        ({"animation": FILE | {"mime_type": "image/gif"}}, "animation", "image/gif", "animation.gif"),
        ({"document": FILE | {"mime_type": "application/pdf"}}, "document", "application/pdf", "file.pdf"),
        ({"document": FILE}, "document", "application/octet-stream", "file"),
        ({"voice": FILE | {"duration": 3, "mime_type": "audio/ogg"}}, "voice", "audio/ogg", "voice.ogg"),
        ({"video_note": FILE | {"duration": 3, "length": 240}}, "video_note", "video/mp4", "video_note.mp4"),
        ({"animation": FILE | {"mime_type": "video/mp4"}, "document": FILE}, "animation", "video/mp4", "animation.mp4"),
        ({"sticker": FILE | {"is_animated": False, "is_video": False, "emoji": "👍"}}, "sticker", "image/webp", "sticker.webp"),
        ({"sticker": FILE | {"is_animated": True}}, "sticker", "application/x-tgsticker", "sticker.tgs"),
        ({"sticker": FILE | {"is_video": True}}, "sticker", "video/webm", "sticker.webm"),
        ({"document": FILE | {"file_name": "a.pdf", "mime_type": "application/pdf"}}, "document", "application/pdf", "a.pdf"),
    ],
)
def test_files(fields: dict[str, Any], kind: str, mime: str, name: str) -> None:
    [attachment] = created(**fields, caption="c").content.attachments
    assert (attachment.kind, attachment.mime, attachment.name) == (AttachmentKind(kind), mime, name)
    assert attachment.file_id == ("L" if kind == "photo" else "F")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("voice", "🎤 voice.ogg (1.0 kB, 0:07)"),
        ("video_note", "🎬 video_note.mp4 (1.0 kB, 0:07)"),
        ("audio", "🎵 P - T.mp3 (1.0 kB, 0:07)"),
    ],
)
def test_where_a_file_does_not_go_its_line_says_what_it_is(kind: str, shown: str) -> None:
    of_track = {"performer": "P", "title": "T"} if kind == "audio" else {}
    [attachment] = created(**{kind: FILE | {"duration": 7, "file_size": 1000} | of_track}).content.attachments
    assert text_of(file_line(attachment, "")) == shown


def test_spoilers_and_sizes() -> None:
    [attachment] = created(video=FILE | {"file_size": 21 * 1024**2}, has_media_spoiler=True).content.attachments
    assert attachment.spoiler
    assert "20 MB" in attachment.problem


def test_polls_places_and_contacts() -> None:
    poll = {"question": "Tea?", "options": [{"text": "yes", "voter_count": 2}, {"text": "no"}], "allows_multiple_answers": True}
    content = created(poll=poll).content
    assert content.poll is not None
    assert (content.poll.question, [o.text for o in content.poll.options], content.poll.multiple) == ("Tea?", ["yes", "no"], True)
    place = {"latitude": 1.5, "longitude": 2}
    content = created(location=place, venue={"location": place, "title": "Office", "address": "Main St"}).content
    assert content.location is not None
    assert (content.location.latitude, content.location.title, content.location.live) == (1.5, "Office", False)
    live = created(
        date=1_700_000_000, location=place | {"live_period": 900, "heading": 90, "horizontal_accuracy": 12.5}
    ).content.location
    assert live is not None
    assert live.live_until == datetime.fromtimestamp(1_700_000_900, UTC)
    assert (live.live, live.heading_deg, live.accuracy_m, live.ended) == (True, 90, 12.5, False)
    endless = created(location=place | {"live_period": 0x7FFFFFFF}).content.location
    assert endless is not None
    assert (endless.live, endless.live_until) == (True, None)
    content = created(contact={"first_name": "Bob", "phone_number": 49123, "user_id": 77}).content
    assert content.contact is not None
    assert (content.contact.phone, content.contact.user_id) == ("49123", "77")
    content = created(contact={"first_name": "Bob", "last_name": "B", "phone_number": "+1"}).content
    assert content.contact is not None
    assert (content.contact.name, content.contact.phone) == ("Bob B", "+1")


@pytest.mark.parametrize(
    ("origin", "author", "chat"),
    [
        ({"type": "user", "sender_user": ANNA}, "Anna Petrova", ""),
        ({"type": "hidden_user", "sender_user_name": "Ghost"}, "Ghost", ""),
        ({"type": "hidden_user"}, "", ""),
        ({"type": "chat", "sender_chat": CHAT}, "", "Team"),
        ({"type": "channel", "chat": {"id": -5, "title": "News"}, "message_id": 1, "author_signature": "Ed"}, "Ed", "News"),
        ({"type": "hologram"}, "", ""),
    ],
)
def test_forwards_are_marked(origin: dict[str, Any], author: str, chat: str) -> None:
    forward = created(text="x", forward_origin=origin).content.forwarded_from
    assert forward is not None
    assert (forward.author_name, forward.chat_name) == (author, chat)
    assert forward.author_id == (str(ANNA["id"]) if "sender_user" in origin else ""), "whom Telegram itself names, and nobody else"


def test_replies_quotes_and_topics() -> None:
    replied = message(message_id=5, text="the question")
    reply = created(text="x", reply_to_message=replied).content.reply_to
    assert reply is not None
    assert reply.author_id == str(replied["from"]["id"])
    channel = created(text="x", reply_to_message={**replied, "sender_chat": CHAT}).content.reply_to
    assert channel is not None
    assert channel.author_id == str(CHAT["id"])
    assert (reply.message_id, reply.author_name, reply.excerpt) == ("5", "Anna Petrova", "the question")
    reply = created(text="x", reply_to_message=replied, quote={"text": "question", "position": 4}).content.reply_to
    assert reply is not None
    assert reply.excerpt == "question"
    implied = created(text="x", reply_to_message=message(message_id=3), message_thread_id=3, is_topic_message=True)
    assert (implied.content.reply_to, implied.meta.thread_id) == (None, "3")
    chain = created(text="x", reply_to_message=replied, message_thread_id=5)
    assert chain.content.reply_to is not None
    assert chain.meta.thread_id is None
    external = {"origin": {"type": "user", "sender_user": ANNA}, "chat": {"id": -9, "title": "Other"}, "message_id": 4}
    reply = created(text="x", external_reply=external, quote={"text": "q", "position": 0}).content.reply_to
    assert reply is not None
    assert (reply.chat_id, reply.message_id, reply.author_name, reply.excerpt) == ("-9", "4", "Anna Petrova", "q")


def test_anonymous_admins_and_channels_speak_as_the_chat() -> None:
    author = created(text="x", sender_chat=CHAT, author_signature="Boss").meta.author
    assert author is not None
    assert (author.user_id, author.name) == ("-1001", "Boss")
    author = created(text="x", sender_chat=CHAT).meta.author
    assert author is not None
    assert author.name == "Team"


def test_edits_have_a_version() -> None:
    def edit(**fields: Any) -> Any:
        return DECODER.update({"update_id": 1, "edited_message": message(**fields)}, NOW)[0]

    first, same, later, other = (
        edit(text="a", edit_date=5),
        edit(text="a", edit_date=5),
        edit(text="a", edit_date=6),
        edit(text="b", edit_date=5),
    )
    assert isinstance(first, MessageEdited)
    assert first.meta.event_key == same.meta.event_key
    assert len({first.meta.event_key, later.meta.event_key, other.meta.event_key}) == 3
    assert isinstance(edit(text="a"), Ignored)
    moved = edit(location={"latitude": 1, "longitude": 1, "live_period": 60}, edit_date=5)
    assert moved.content.location.live
    over = edit(location={"latitude": 1, "longitude": 1}, edit_date=6)
    assert (over.content.location.live, over.content.location.ended) == (False, True)
    labelled = edit(location={"latitude": 1, "longitude": 1}, edit_date=6, reply_markup={"inline_keyboard": []})
    assert not labelled.content.location.ended, "what changed is its buttons"
    item = edit(photo=[FILE], caption="new", media_group_id="g", edit_date=5)
    assert item.album_item
    silent = edit(photo=[FILE], media_group_id="g", edit_date=5)
    assert silent.album_item
    assert [file.unique_id for file in silent.content.attachments] == [FILE["file_unique_id"]]


def test_reactions() -> None:
    def react(old: list[Any], new: list[Any], **who: Any) -> Any:
        body = {"chat": CHAT, "message_id": 7, "date": 5, "old_reaction": old, "new_reaction": new} | who
        return DECODER.update({"update_id": 3, "message_reaction": body}, NOW)[0]

    heart, fire = {"type": "emoji", "emoji": "❤"}, {"type": "emoji", "emoji": "🔥"}
    change = react([heart], [fire, {"type": "custom_emoji", "custom_emoji_id": "5"}, {"type": "paid"}], user=ANNA)
    assert isinstance(change, ReactionsChanged)
    assert (change.added, change.removed) == (("🔥", ":custom:", "⭐"), ("❤️",))
    assert react([], [heart], actor_chat=CHAT).meta.author.name == "Team"
    assert isinstance(react([heart], [heart], user=ANNA), Ignored)
    assert react([], [heart], user=ANNA | {"id": 999}).meta.sent_by_us


def test_reaction_tables_agree_with_aiogram() -> None:
    source = inspect.getsource(importlib.import_module("aiogram.types.reaction_type_emoji"))
    listed = re.findall(r'"([^"\n]+)"', source.split("Currently, it can be one of")[1].split("\n")[0])
    assert set(listed) == SETTABLE
    assert len(SETTABLE) == 73
    for emoji in SETTABLE:
        assert settable(qualified(emoji)) == emoji
    assert settable("👍🏿") == "👍"
    assert settable("🧀") is None


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1, "message": {}},
        {"update_id": 1, "message": {"text": "x"}},
        {"update_id": 1, "message": message(text="x", chat={"title": "Team"})},
        {"update_id": 1, "message": message(text="x", **{"from": {"first_name": "Anna"}})},
        {"update_id": 1, "message_reaction": {"chat": CHAT, "new_reaction": [{"type": "emoji", "emoji": "🔥"}]}},
        {"update_id": 1, "message": "text"},
        {"update_id": 1, "message": None},
    ],
)
def test_strange_shapes_are_undecodable(update: dict[str, Any]) -> None:
    with pytest.raises(Undecodable):
        DECODER.update(update, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*message(), "text", "entities", "type", "photo"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=examples(300))
@given(
    st.sampled_from(["message", "edited_message", "channel_post", "message_reaction", "my_chat_member"]),
    JSON,
    st.dictionaries(
        st.sampled_from(
            [
                "text",
                "caption",
                "entities",
                "photo",
                "poll",
                "location",
                "forward_origin",
                "reply_to_message",
                "rich_message",
                "from",
                "chat",
                "quote",
                "edit_date",
                "story",
                "dice",
            ]
        ),
        JSON,
    ),
)
def test_no_shape_raises_anything_but_undecodable(kind: str, body: Any, fields: dict[str, Any]) -> None:
    for update in ({"update_id": 1, kind: body}, {"update_id": 1, kind: message(**fields)}):
        try:
            DECODER.update(update, NOW)
        except Undecodable:
            pass


def album_item(number: int, group: str = "g", chat: int = -1) -> AlbumItem:
    return AlbumItem(f"{chat}/{group}", {"message_id": number, "chat": {"id": chat}, "media_group_id": group})


def ids(albums: list[Any]) -> list[list[int]]:
    return [[kept["message_id"] for kept in album] for album in albums]


def test_albums_end_by_silence_by_being_full_or_by_what_follows() -> None:
    albums = Albums(wait_s=1.0)
    assert albums.due_in_s(0.0) is None
    assert albums.add(album_item(2), 0.0) == []
    assert albums.add(album_item(1), 0.5) == []
    assert albums.due_in_s(0.75) == 0.75
    assert albums.due_in_s(9.0) == 0.0
    assert albums.add(album_item(1), 0.6) == [], "a redelivered item is one item"
    assert ids(albums.due(1.5)) == []
    assert ids(albums.due(1.7)) == [[1, 2]]
    for n in range(ALBUM_MAX - 1):
        assert albums.add(album_item(n), 2.0) == []
    assert len(ids(albums.add(album_item(99), 2.0))[0]) == ALBUM_MAX
    albums.add(album_item(5), 3.0)
    assert ids(albums.add(album_item(6, "other"), 3.0)) == [[5]]
    assert albums.add(album_item(7, chat=-2), 3.0) == []
    assert ids(albums.of_chat("-1")) == [[6]]
    held = albums.held()
    again = Albums(wait_s=1.0)
    again.restore(held)
    assert ids(again.due(0.0)) == [[7]]


async def test_aiogram_accepts_every_update_that_the_emulator_makes(emulator: Any, chat: str, png: Callable[..., bytes]) -> None:
    """The models of a client library of the same version are a second opinion on the emulator's objects."""
    from aiogram.types import Update  # after load_platform("telegram").preload, which spares the seconds of building all models

    from adapters.common.emulation.contract import Upload

    queue = emulator.world.queues[emulator.bot().user_id]
    queue.set_allowed(["message", "edited_message", "message_reaction", "my_chat_member"])
    first = await emulator.say(chat, "Anna", emulator.formatting_sample())
    uploads = [
        Upload(name="a.png", mime="image/png", content=png(4, 4)),
        *(
            Upload(name=f"a{n}", mime=mime, content=b"x")
            for n, mime in enumerate(("video/mp4", "audio/mpeg", "audio/ogg", "image/gif", "text/plain"))
        ),
    ]
    await emulator.say(chat, "Bob", "files", reply_to=first, files=uploads)
    await emulator.edit(chat, first, "new")
    await emulator.react(chat, first, "Bob", "👍")
    forum, [topic] = emulator.add_forum("F", ["T"])
    await emulator.say(forum.chat_id, "Bob", "topic", thread_id=topic)
    emulator.migrate(emulator.add_group("G").chat_id)
    emulator.kick(chat)
    count = len(queue)
    assert count >= 12
    for position in range(count):
        Update.model_validate(json.loads(queue.peek(position)))


@pytest.mark.parametrize(
    ("chat", "is_private"),
    [
        ({"id": 1, "type": "private", "first_name": "Anna"}, True),
        ({"id": -5, "type": "group", "title": "private"}, False),
        ({"id": -1001, "type": "supergroup", "title": "private", "is_direct_messages": True}, False),
        ({"id": -1001, "type": "channel", "title": "private"}, False),
        ({"id": 1, "type": ["private"]}, False),
        ({"id": 1}, False),
    ],
)
def test_a_chat_is_private_only_if_telegram_says_so(chat: dict[str, Any], is_private: bool) -> None:
    assert created(chat=chat, text="!bridge status").meta.is_private is is_private
