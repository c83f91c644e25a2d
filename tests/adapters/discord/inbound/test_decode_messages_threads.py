"""Messages of threads and posts say of which they are; renames, pins and joins are told once."""

from __future__ import annotations

import pytest

from adapters.discord.inbound.decode import decode
from adapters.discord.inbound.decode_context import Context
from bridge.model.events import Ignored, MembershipChanged, PinsChanged, ThreadChanged
from tests.adapters.discord.payloads import (
    CHANNEL,
    FORUM,
    POST,
    THREAD,
    context_of,
    message,
    one,
    words,
)


@pytest.fixture
def context() -> Context:
    return context_of()


def test_a_threads_rename_is_the_threads_and_told_once(context: Context) -> None:
    event = one(context, "MESSAGE_CREATE", message(type=4, channel_id=THREAD, content="another topic"))
    assert isinstance(event, ThreadChanged)
    assert (event.name, event.meta.thread_id, event.meta.origin.chat_id) == ("another topic", THREAD, CHANNEL)
    update = {"id": THREAD, "type": 11, "name": "another topic", "parent_id": CHANNEL}
    odd: list[object] = [None, {}, [], {"locked": None}, {"locked": "true"}, {"archived": True, "locked": False}]
    for more in ({}, *({"thread_metadata": value} for value in odd)):
        assert isinstance(decode("THREAD_UPDATE", update | more, context, position=""), Ignored)
    unknown = {**update, "id": "999", "thread_metadata": {"locked": True}}
    assert isinstance(decode("THREAD_UPDATE", unknown, context, position=""), Ignored)


def test_pins_and_joins_stay_events(context: Context) -> None:
    assert isinstance(one(context, "MESSAGE_CREATE", message(type=6, message_reference={"message_id": "5"})), PinsChanged)
    assert isinstance(one(context, "MESSAGE_CREATE", message(type=7, content="")), MembershipChanged)


def test_a_post_begins_with_its_title_also_when_it_is_edited(context: Context) -> None:
    first = message(id=POST, channel_id=POST, content="since yesterday")
    event = one(context, "MESSAGE_CREATE", first)
    assert (words(event), event.content.reply_to) == ("It does not start\nsince yesterday", None)
    assert (event.meta.origin.chat_id, event.meta.thread_id) == (FORUM, POST)
    tags = [{"id": "71", "name": "bug"}, {"id": "72", "name": "printer"}, {"id": "73", "name": "done"}]
    context.guilds.apply("CHANNEL_UPDATE", {"id": FORUM, "type": 15, "name": "help", "available_tags": tags}, "1")
    thread = {"id": POST, "type": 11, "name": "It does not start", "parent_id": FORUM, "applied_tags": ["71", "72", "99"]}
    context.guilds.apply("THREAD_UPDATE", thread, "1")
    assert words(one(context, "MESSAGE_CREATE", first)) == "It does not start [bug] [printer]\nsince yesterday"
    context.guilds.apply("THREAD_UPDATE", {**thread, "applied_tags": None}, "1")
    edited = one(context, "MESSAGE_UPDATE", {**first, "content": "since Monday", "edited_timestamp": "2026-11-01T12:00:05+00:00"})
    assert words(edited) == "It does not start\nsince Monday"


@pytest.mark.parametrize(("thread", "name"), [(POST, "It does not start"), (THREAD, "topic")])
def test_messages_of_threads_say_of_which_unless_the_thread_is_an_end(thread: str, name: str) -> None:
    later = message(channel_id=thread, content="me too")
    answer = one(context_of(), "MESSAGE_CREATE", later).content.reply_to
    assert (answer.message_id, answer.excerpt) == (thread, name)
    assert one(context_of(is_end=lambda chat, at: at == thread), "MESSAGE_CREATE", later).content.reply_to is None
    reply = {**later, "type": 19, "message_reference": {"message_id": "9"}, "referenced_message": None}
    assert one(context_of(), "MESSAGE_CREATE", reply).content.reply_to.message_id == "9"
