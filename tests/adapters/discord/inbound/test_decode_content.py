"""What a message shows: files, polls, replies, other forms, and decoration of any type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.inbound.decode import decode
from adapters.discord.inbound.decode_context import Context
from bridge.model.events import Ignored
from tests.adapters.discord.payloads import (
    BOT,
    context_of,
    created,
    message,
    one,
    words,
)
from tests.support.budget import examples

SIGNED = "https://cdn.discordapp.com/attachments/100000000000000001/300000000000000001/graph.png?ex=1&is=2&hm=3"


@pytest.fixture
def context() -> Context:
    return context_of()


def test_stickers_sounds_activities_and_commands_have_a_line_or_a_name() -> None:
    sticker = created(content="", sticker_items=[{"id": "5", "name": "Wave", "format_type": 3}]).content.attachments[0]
    assert (sticker.name, sticker.mime, sticker.problem) == ("Wave.json", "application/json", "")
    assert (
        words(created(content="", activity={"type": 3, "party_id": "x"}, application={"name": "Spotify"}))
        == "invites to listen Spotify"
    )
    assert words(created(content="", soundboard_sounds=[{"sound_id": "1", "name": "Quack"}])) == "🔊 Quack"
    used = {"id": "1", "type": 2, "name": "deploy", "user": {"id": "7", "username": "anna", "global_name": "Anna"}}
    assert words(created(content="done", type=20, author=BOT, interaction=used)) == "Anna used /deploy\ndone"


ODD: tuple[Any, ...] = (None, True, 7, 1e308, "word", [], {}, [None, 7, {}], {"id": None})


DECORATION = (
    "content", "timestamp", "type", "flags", "mentions", "mention_roles", "attachments", "embeds", "components", "sticker_items",
    "stickers", "poll", "message_reference", "referenced_message", "message_snapshots", "member", "nonce", "application",
    "activity", "interaction", "soundboard_sounds", "edited_timestamp",
)  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("key", DECORATION)
@pytest.mark.parametrize("event", ["MESSAGE_CREATE", "MESSAGE_UPDATE"])
def test_decoration_of_any_type_costs_no_message(event: str, key: str, value: Any) -> None:
    """Only ids, channel and author are worth a refusal."""
    base = {"edited_timestamp": "2026-11-01T12:00:05+00:00", "type": 19, "author": BOT}
    decoded = decode(event, message(**{**base, key: value}), context_of(), position="")
    is_no_edit = event == "MESSAGE_UPDATE" and ((key == "edited_timestamp" and not value) or (key == "type" and value is not None))
    assert isinstance(decoded, Ignored) is is_no_edit


@given(st.data())
@settings(max_examples=examples(200), deadline=None)
def test_any_shape_inside_of_embeds_and_components_keeps_the_words(data: st.DataObject) -> None:
    names = "type components accessory items media file url label content fields name value author footer text image title emoji id"
    keys = st.sampled_from([*names.split(), "options", "timestamp", "spoiler"])
    kinds = st.sampled_from([-1, 0, 1, 2, 9, 10, 12, 13, 17, 99])
    leaves = st.none() | st.booleans() | kinds | st.sampled_from(["", "x", SIGNED, "https://["])
    shape = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
    )
    event = created(content="the words", author=BOT, embeds=data.draw(shape), components=data.draw(shape))
    assert words(event).startswith("the words")


def test_people_mentioned_by_id_alone_are_named_if_they_were_seen(context: Context) -> None:
    """What embeds mention is not among a message's mentions."""
    one(context, "MESSAGE_CREATE", message())
    embed = {"type": "rich", "description": "<@7> opened, <@1> and <@404> looked"}
    context.identity.names = ("Bridge",)
    assert words(one(context, "MESSAGE_CREATE", message(author=BOT, content="", embeds=[embed]))) == (
        "@Anna opened, @Bridge and @unknown-user looked"
    )


def test_a_file_that_discord_tells_nothing_of_is_a_line() -> None:
    event = created(content="", attachments=[{"filename": "plan.pdf", "size": 3}, {"id": [], "filename": None}, None])
    assert [(f.name, bool(f.problem)) for f in event.content.attachments] == [("plan.pdf", True), ("file", True)]


@pytest.mark.parametrize(("flags", "silent"), [(0, False), (1 << 12, True), (1 << 12 | 1 << 2, True), (1 << 2, False)])
def test_silent_messages_are_known_by_their_flag(flags: int, silent: bool) -> None:
    assert created(content="psst", flags=flags).content.silent is silent
