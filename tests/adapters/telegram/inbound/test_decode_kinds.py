"""Every kind of message has a visible form, and what is below a message as well."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.registry import load_platform
from adapters.telegram.inbound.decode import Decoder
from adapters.telegram.inbound.decode_kinds import _ABOUT_A_MESSAGE, CONTENT_FIELDS
from adapters.telegram.inbound.decode_service import EVENTS, LINES, SERVICE_FIELDS, UNTOLD
from adapters.telegram.inbound.updates import strange
from bridge.model.events import AttachmentKind, Ignored, MessageCreated, ThreadChange, ThreadChanged
from bridge.model.refs import AccountName
from bridge.model.rich_text import CodeBlock, Heading, List, Mark, Paragraph, Quote, Text, text_of, to_plain

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


USER = {"id": 5, "is_bot": False, "first_name": "Kim"}
SIZES = [FILE | {"width": 1, "height": 1}]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"dice": {"emoji": "🎲", "value": 5}}, "🎲 5"),
        ({"dice": {}}, "🎲"),
        ({"story": {"id": 1, "chat": {"id": 5, "title": "Chan"}}}, "(story by Chan)"),
        ({"story": {"id": 3, "chat": {"id": 5, "title": "C", "username": "c"}}}, "(story by C) (https://t.me/c/s/3)"),
        (
            {"game": {"title": "Chess", "description": "a board", "text": "Kim: 5", "photo": SIZES}},
            "(game: Chess)\na board\nKim: 5",
        ),
        ({"invoice": {"title": "Shoes"}}, "(invoice: Shoes)"),
        (
            {"invoice": {"title": "Shoes", "description": "red", "currency": "EUR", "total_amount": 1999}},
            "(invoice: Shoes, 19.99 EUR)\nred",
        ),
        ({"invoice": {"title": "Boost", "currency": "XTR", "total_amount": 7}}, "(invoice: Boost, 7 Telegram Stars)"),
        ({"paid_media": {"star_count": 5, "paid_media": []}}, "(paid media)"),
        ({"paid_media": {"star_count": 5, "paid_media": [{"type": "preview"}] * 2}}, "(paid media: 2 files for 5 Telegram Stars)"),
        ({"giveaway": {}}, "(giveaway)"),
        (
            {"giveaway": {"winner_count": 3, "prize_star_count": 50, "chats": [CHAT], "prize_description": "and a mug"}},
            "(giveaway: 3 winners; 50 Telegram Stars, and a mug; Team)",
        ),
        ({"giveaway_winners": {"winner_count": 2, "winners": [USER, ANNA]}}, "(giveaway is over: Kim, Anna Petrova)"),
        ({"checklist": {"title": "L", "tasks": [{"text": "a", "completion_date": 5}, {"text": "b"}]}}, "L\n☑ a\n☐ b"),
        ({"venue": {"title": "Café", "address": "Road 5"}}, "📍 Café, Road 5"),
        ({"location": {"latitude": "north"}}, "📍 (a location)"),
        ({"sticker": FILE | {"is_animated": True, "emoji": "🦊", "set_name": "Foxes"}}, "🦊 (animated sticker of the set Foxes)"),
        ({"rich_message": {"blocks": [{"type": "hologram", "lens": 5}]}}, "(something Telegram calls hologram)"),
    ],
)
def test_what_has_no_counterpart_becomes_a_line(fields: dict[str, Any], shown: str) -> None:
    assert to_plain(created(**fields).content.text) == shown


def test_every_kind_of_message_that_the_reference_knows_has_a_visible_form() -> None:
    fields = importlib.import_module("aiogram.types.message").Message.model_fields
    known = CONTENT_FIELDS | SERVICE_FIELDS | _ABOUT_A_MESSAGE | {"migrate_to_chat_id", "migrate_from_chat_id"}
    assert {field.alias or name for name, field in fields.items()} - known == set()
    for name in CONTENT_FIELDS - {"text", "caption", "live_photo"}:
        [event] = DECODER.update({"update_id": 1, "message": message(**{name: {"odd": 5}})}, NOW)
        assert isinstance(event, MessageCreated)
        assert text_of(event.content.text) or event.content.attachments or event.content.poll or event.content.contact, name


def test_a_topic_that_is_made_is_no_renaming() -> None:
    """The bridge makes topics itself; one of somebody else's shows with its first message."""
    made = message(message_thread_id=10, is_topic_message=True, forum_topic_created={"name": "Releases", "icon_color": 1})
    [item] = DECODER.update({"update_id": 1, "message": made}, NOW)
    assert isinstance(item, Ignored)
    renamed = message(message_thread_id=10, is_topic_message=True, forum_topic_edited={"name": "Versions"})
    [item] = DECODER.update({"update_id": 2, "message": renamed}, NOW)
    assert isinstance(item, ThreadChanged)
    assert (item.change, item.name, item.meta.thread_id) == (ThreadChange.RENAMED, "Versions", "10")


@pytest.mark.parametrize(
    ("fields", "change", "name"),
    [
        ({"forum_topic_closed": {}, "message_thread_id": 10, "is_topic_message": True}, ThreadChange.CLOSED, ""),
        ({"forum_topic_reopened": {}, "message_thread_id": 10, "is_topic_message": True}, ThreadChange.REOPENED, ""),
        ({"general_forum_topic_hidden": {}}, ThreadChange.CLOSED, ""),
        ({"general_forum_topic_unhidden": {}}, ThreadChange.REOPENED, ""),
        ({"forum_topic_closed": {}}, ThreadChange.CLOSED, ""),
        ({"forum_topic_edited": {"name": "Lobby"}}, ThreadChange.RENAMED, "Lobby"),
    ],
)
def test_changes_of_topics_and_of_the_general_one_which_has_no_id(fields: dict[str, Any], change: ThreadChange, name: str) -> None:
    [event] = DECODER.update({"update_id": 1, "message": message(**fields)}, NOW)
    assert isinstance(event, ThreadChanged)
    assert (event.change, event.name) == (change, name)
    assert event.meta.thread_id == ("10" if "message_thread_id" in fields else None)
    assert event.meta.author is not None
    assert not event.meta.sent_by_us
    ours = message(**fields) | {"from": {"id": int(DECODER.bot_id), "is_bot": True, "first_name": "Bridge"}}
    [echo] = DECODER.update({"update_id": 2, "message": ours}, NOW)
    assert isinstance(echo, ThreadChanged)
    assert echo.meta.sent_by_us


@pytest.mark.parametrize("edited", [{}, {"icon_custom_emoji_id": ""}, {"name": ""}, {"name": 7}, [], None])
def test_a_topics_new_icon_is_no_new_name(edited: Any) -> None:
    [item] = DECODER.update({"update_id": 1, "message": message(message_thread_id=10, forum_topic_edited=edited)}, NOW)
    assert isinstance(item, Ignored) or (isinstance(item, ThreadChanged) and item.name == "7")


SERVICE: dict[str, dict[str, Any]] = {
    "boost_added": {"boost_count": 3},
    "message_auto_delete_timer_changed": {"message_auto_delete_time": 604800},
    "proximity_alert_triggered": {"distance": 40, "watcher": USER},
    "poll_option_added": {"option_text": "Green\ntea"},
    "chat_owner_changed": {"new_owner": USER},
    "suggested_post_declined": {"comment": "too late"},
    "suggested_post_paid": {"currency": "XTR", "star_amount": {"amount": 5}},
    "direct_message_price_changed": {"are_direct_messages_enabled": True, "direct_message_star_count": 9},
    "community_chat_added": {"community": {"id": 1, "name": "Gardeners"}},
}
SAID = {
    "boost_added": "boosted the chat 3 times",
    "message_auto_delete_timer_changed": "made messages disappear after 7 days",
    "proximity_alert_triggered": "is 40 m away from @Kim",
    "poll_option_added": "added an option to the poll: “Green tea”",
    "chat_owner_changed": "gave the chat to @Kim",
    "suggested_post_declined": "declined a suggested post: “too late”",
    "suggested_post_paid": "the suggested post is paid: 5 Telegram Stars",
    "direct_message_price_changed": "set the price of a direct message to the channel: 9 Telegram Stars",
    "community_chat_added": "added the chat to a community: “Gardeners”",
    "new_chat_photo": "changed the chat's photo",
}


@pytest.mark.parametrize("field", sorted(SERVICE_FIELDS - EVENTS))
def test_a_service_message_is_a_line_or_skipped_by_its_name(field: str) -> None:
    """Whatever shape it has."""
    shapes: tuple[Any, ...] = (SERVICE.get(field, {}), {"odd": [5]}, [], True, "x")
    for value in shapes:
        [event] = DECODER.update({"update_id": 1, "message": message(**{field: value})}, NOW)
        if field in UNTOLD:
            assert event == Ignored(f"service message {field}")
            continue
        assert isinstance(event, MessageCreated)
        assert event.meta.author is not None
        assert event.meta.author.name == "Anna Petrova"
        assert words(event)
        if value == SERVICE.get(field, {}) and field in SAID:
            assert words(event) == SAID[field]


def test_every_field_of_a_message_has_one_place() -> None:
    """A field of a later Bot API must be put somewhere: what a message says, news of the chat, or something about a message."""
    places = (CONTENT_FIELDS, EVENTS, UNTOLD, frozenset(LINES), _ABOUT_A_MESSAGE - CONTENT_FIELDS)
    fields = importlib.import_module("aiogram.types.message").Message.model_fields
    for name in (field.alias or name for name, field in fields.items()):
        if not name.startswith("migrate_"):
            assert sum(name in place for place in places) == 1, name


def test_what_is_not_known_is_a_line_of_nobody() -> None:
    update = {"update_id": 1, "message": message(hologram={"depth": 5}, effect_id="5")}
    [event] = DECODER.update(update, NOW)
    assert isinstance(event, MessageCreated)
    assert (words(event), event.meta.author) == ("(Anna Petrova: something Telegram calls hologram)", None)
    assert strange(update) == "hologram"
    all_known: tuple[dict[str, Any], ...] = ({"text": "x"}, {"video_chat_started": {}}, {"paid_media": {}})
    for known in all_known:
        assert strange({"update_id": 1, "message": message(**known)}) == ""


def test_paid_media_that_is_open_to_us_are_files() -> None:
    media = [{"type": "photo", "photo": SIZES}, {"type": "preview"}, {"type": "video", "video": FILE}]
    content = created(paid_media={"star_count": 5, "paid_media": media}, caption="look").content
    assert [file.kind for file in content.attachments] == [AttachmentKind.PHOTO, AttachmentKind.VIDEO]
    assert text_of(content.text) == "look\n(paid media: 3 files for 5 Telegram Stars)"


def keyboard(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"reply_markup": {"inline_keyboard": list(rows)}}


def test_buttons_that_lead_somewhere_are_links() -> None:
    markup = keyboard(
        [{"text": "Open", "url": "https://a.example/1"}, {"text": "👍 2", "callback_data": "x"}],
        [{"text": "👎", "callback_data": "y"}],
        [{"text": "Log in", "login_url": {"url": "https://b.example"}}, {"text": "App", "web_app": {"url": "https://c.example"}}],
        [
            {"text": "Code", "copy_text": {"text": "A-1"}},
            {"text": "Odd", "url": "javascript:a(1)"},
            {"text": "In", "url": "tg://x"},
        ],
    )
    content = created(text="Read", **markup).content
    assert to_plain(content.text).split("\n") == [
        "Read",
        "Open (https://a.example/1)",
        "Log in (https://b.example) · App (https://c.example)",
        "Code: A-1 · Odd: javascript:a(1) · In (tg://x)",
    ]
    assert words(created(photo=SIZES, caption="c", **keyboard([{"text": "Go", "url": "http://d.example"}]))) == "c\nGo"
    assert words(created(text="Vote", **keyboard([{"text": "👍", "callback_data": "x"}]))) == "Vote"


def test_a_contacts_card_is_told() -> None:
    vcard = (
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Other\r\nN:Other;Ann;;;\r\nORG:ACME;Road\\, Bridges\r\nTITLE:Engi\r\n neer\r\n"
        "item1.EMAIL;type=INTERNET:ann@acme.example\r\nTEL;TYPE=cell:+49 (123) 45\r\nTEL:+4999\r\n"
        "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:gr=C3=BC=\r\n=C3=9Fe\r\nPHOTO;ENCODING=b:AAAA==\r\nEND:VCARD"
    )
    contact = created(contact={"first_name": "Ann", "phone_number": "+4912345", "vcard": vcard}).content.contact
    assert contact is not None
    assert (contact.name, contact.phone) == ("Ann", "+4912345")
    assert contact.details == ("Ann Other", "ACME, Road, Bridges", "Engineer", "✉ ann@acme.example", "☎ +4999", "grüße")
    long = created(contact={"first_name": "Ann", "vcard": "NOTE:x\n" + "\n".join(f"TEL:{n}" for n in range(9999))}).content.contact
    assert long is not None
    assert len(long.details) == 12


def test_replies_to_what_has_no_words_say_what_it_is() -> None:
    story = created(text="x", reply_to_story={"chat": CHAT, "id": 3}).content.reply_to
    assert story is not None
    assert (story.author_name, story.excerpt) == ("Team", "story")
    elsewhere = created(
        text="x", external_reply={"origin": {"type": "user", "sender_user": USER}, "sticker": FILE | {"emoji": "🦊"}}
    )
    assert elsewhere.content.reply_to is not None
    assert (elsewhere.content.reply_to.author_name, elsewhere.content.reply_to.excerpt) == ("Kim", "🦊 (sticker)")


def test_rich_messages_are_text() -> None:
    blocks = [
        {"type": "heading", "text": "Title", "size": 2},
        {
            "type": "paragraph",
            "text": [
                "a ",
                {"type": "bold", "text": {"type": "italic", "text": "b"}},
                {"type": "url", "text": "l", "url": "https://a.example"},
            ],
        },
        {
            "type": "list",
            "items": [
                {
                    "label": "1",
                    "value": 3,
                    "blocks": [
                        {"type": "paragraph", "text": "one"},
                        {"type": "list", "items": [{"label": "-", "blocks": [{"type": "paragraph", "text": "deep"}]}]},
                    ],
                }
            ],
        },
        {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "quoted"}], "credit": "me"},
        {"type": "pre", "text": "x = 1", "language": "py"},
        {"type": "table", "cells": [[{"text": "a"}, {"text": "bb"}], [{"text": "ccc"}, {}]]},
        {"type": "details", "summary": "more", "blocks": [{"type": "paragraph", "text": "inside"}]},
        {"type": "photo", "photo": [FILE | {"width": 5, "height": 5}], "caption": {"text": "pic"}},
        {"type": "mathematical_expression", "expression": "e=mc"},
        {"type": "map", "location": {"latitude": 1, "longitude": 2}, "zoom": 1, "width": 1, "height": 1},
        {"type": "divider"},
        {"type": "something_new", "text": "still shown"},
        {"type": "paragraph", "text": {"type": "unknown_mark", "text": "plain"}},
    ]
    content = created(rich_message={"blocks": blocks}).content
    shown = to_plain(content.text)
    for piece in (
        "Title",
        "a bl",
        "3. one",
        "deep",
        "> quoted",
        "> me",
        "x = 1",
        "ccc",
        "inside",
        "pic",
        "e=mc",
        "Map: 1, 2",
        "still shown",
        "plain",
    ):
        assert piece in shown
    assert isinstance(content.text.blocks[0], Heading)
    assert {type(block) for block in content.text.blocks} == {Heading, Paragraph, List, Quote, CodeBlock}
    assert Text("b", Mark.BOLD | Mark.ITALIC) in content.text.blocks[1].inlines  # type: ignore[union-attr]
    assert [attachment.kind for attachment in content.attachments] == [AttachmentKind.PHOTO]


def test_lists_of_rich_messages_keep_their_kinds_and_numbers() -> None:
    def item(words: str, value: int | None = None, *inner: dict[str, Any]) -> dict[str, Any]:
        blocks = [{"type": "paragraph", "text": words}, *inner]
        return {"label": "-" if value is None else f"{value}.", "blocks": blocks} | ({} if value is None else {"value": value})

    inner = {"type": "list", "items": [item("bullet"), item("other")]}
    outer = {"type": "list", "items": [item("three", 3, inner), item("four", 4), item("seven", 7), item("plain")]}
    content = created(rich_message={"blocks": [outer]}).content
    lines = [line.strip() for line in to_plain(content.text).split("\n")]
    assert lines == ["3. three", "• bullet", "• other", "4. four", "7. seven", "• plain"]
    reverse = {"type": "list", "items": [item("bullet", None, {"type": "list", "items": [item("one", 1), item("two", 2)]})]}
    lines = [line.strip() for line in to_plain(created(rich_message={"blocks": [reverse]}).content.text).split("\n")]
    assert lines == ["• bullet", "1. one", "2. two"]
