"""Payloads to events, for what the emulator's people do not do: polls, placeholders, partial updates, keys, names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.inbound.decode import decode
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.decode_messages import decode_message
from adapters.discord.lenient import UNREADABLE
from bridge.model.events import Ignored, MessageCreated, MessageEdited, Poll, PollOption, ReactionsChanged
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from tests.support.budget import examples

CHANNEL, THREAD, GUILD = "100000000000000001", "100000000000000002", "100000000000000003"


@pytest.fixture
def context() -> Context:
    guilds = GuildCache()
    guilds.apply(
        "GUILD_CREATE",
        {
            "id": GUILD,
            "name": "Guild",
            "roles": [{"id": GUILD, "name": "@everyone", "permissions": "0"}, {"id": "9", "name": "ops", "permissions": "0"}],
            "emojis": [],
            "channels": [{"id": CHANNEL, "type": 0, "name": "general"}],
            "threads": [{"id": THREAD, "type": 11, "name": "topic", "parent_id": CHANNEL}],
        },
        "1",
    )
    return Context(Identity(AccountName("guild"), "1", "2"), cdn_url="https://cdn", guilds=guilds)


def message(**fields: Any) -> dict[str, Any]:
    base = {
        "id": "200000000000000001",
        "channel_id": CHANNEL,
        "guild_id": GUILD,
        "author": {"id": "7", "username": "anna", "global_name": "Anna", "avatar": "abc"},
        "content": "hello",
        "timestamp": "2026-11-01T12:00:00.123000+00:00",
        "edited_timestamp": None,
        "type": 0,
        "flags": 0,
    }
    return {**base, **fields}


def one(context: Context, event: str, data: dict[str, Any]) -> Any:
    decoded = decode(event, data, context, position="s-1")
    assert not isinstance(decoded, Ignored), decoded
    (found,) = decoded
    return found


def test_keys_times_and_names(context: Context) -> None:
    event = one(context, "MESSAGE_CREATE", message(member={"nick": "Anya", "roles": []}))
    assert event.meta.event_key == f"created:guild:{CHANNEL}:200000000000000001"
    assert event.meta.occurred_at == datetime(2026, 11, 1, 12, 0, 0, 123000, tzinfo=UTC)
    assert (event.meta.author.name, event.meta.author.username) == ("Anya", "anna")
    assert event.meta.author.avatar_url == "https://cdn/avatars/7/abc.png?size=128"
    guild_avatar = one(context, "MESSAGE_CREATE", message(member={"avatar": "xyz"})).meta.author.avatar_url
    assert guild_avatar == f"https://cdn/guilds/{GUILD}/users/7/avatars/xyz.png?size=128"


def test_roles_have_their_names(context: Context) -> None:
    event = one(context, "MESSAGE_CREATE", message(member={"roles": ["9", "404", None]}))
    assert event.meta.author.roles == ("ops",)
    assert one(context, "MESSAGE_CREATE", message(member={"roles": "9"})).meta.author.roles == ()


def test_thread_messages_and_their_changes_belong_to_the_parent(context: Context) -> None:
    for event, data in (
        ("MESSAGE_CREATE", message(channel_id=THREAD)),
        ("MESSAGE_DELETE", {"id": "5", "channel_id": THREAD}),
        ("MESSAGE_REACTION_ADD", {"user_id": "7", "channel_id": THREAD, "message_id": "5", "emoji": {"id": None, "name": "👍"}}),
    ):
        meta = one(context, event, data).meta
        assert (meta.origin.chat_id, meta.thread_id) == (CHANNEL, THREAD)


def test_names_in_mentions_are_those_that_people_see(context: Context) -> None:
    data = message(
        content=f"<@5> <@&9> <#{CHANNEL}> <@6>",
        mentions=[{"id": "5", "username": "boris", "global_name": "Boris", "member": {"nick": "Bob"}}],
    )
    assert text_of(one(context, "MESSAGE_CREATE", data).content.text) == "@Bob @ops #general @unknown-user"


def test_nothing_visible_still_becomes_a_line(context: Context) -> None:
    event = one(context, "MESSAGE_CREATE", message(content=""))
    assert text_of(event.content.text) == "(message without visible content)"
    edited = one(context, "MESSAGE_UPDATE", message(content="", edited_timestamp="2026-11-01T12:00:05+00:00"))
    assert text_of(edited.content.text) == "(message without visible content)"


def test_polls_and_their_results(context: Context) -> None:
    poll = {
        "question": {"text": "Lunch?"},
        "answers": [
            {"answer_id": 1, "poll_media": {"text": "Soup", "emoji": {"name": "🍲"}}},
            {"answer_id": 2, "poll_media": {"text": "Rice"}},
        ],
        "allow_multiselect": True,
        "results": {"is_finalized": False, "answer_counts": [{"id": 1, "count": 3, "me_voted": False}]},
    }
    event = one(context, "MESSAGE_CREATE", message(content="", poll=poll))
    options = (PollOption(text="🍲 Soup", votes=3), PollOption(text="Rice", votes=0))
    assert event.content.poll == Poll(question="Lunch?", options=options, multiple=True, anonymous=False)
    uncounted = one(context, "MESSAGE_CREATE", message(content="", poll={**poll, "results": None}))
    assert [option.votes for option in uncounted.content.poll.options] == [None, None]
    fields = [
        {"name": "poll_question_text", "value": "Lunch?"},
        {"name": "victor_answer_text", "value": "Soup"},
        {"name": "victor_answer_votes", "value": "3"},
    ]
    result = one(context, "MESSAGE_CREATE", message(content="", type=46, embeds=[{"type": "poll_result", "fields": fields}]))
    assert text_of(result.content.text) == "Lunch?: Soup (3 votes)"


def test_a_reply_to_a_deleted_message_and_to_a_file(context: Context) -> None:
    reference = {"type": 0, "message_id": "5", "channel_id": CHANNEL}
    gone = one(context, "MESSAGE_CREATE", message(type=19, message_reference=reference, referenced_message=None))
    assert (gone.content.reply_to.message_id, gone.content.reply_to.excerpt) == ("5", "(deleted message)")
    unknown = one(context, "MESSAGE_CREATE", message(type=19, message_reference=reference))
    assert (unknown.content.reply_to.message_id, unknown.content.reply_to.excerpt) == ("5", "")
    file = message(content="", attachments=[{"id": "1", "filename": "plan.pdf", "size": 1}])
    answered = one(context, "MESSAGE_CREATE", message(type=19, message_reference=reference, referenced_message=file))
    assert (answered.content.reply_to.author_name, answered.content.reply_to.excerpt) == ("Anna", "plan.pdf")
    assert answered.content.reply_to.author_id == file["author"]["id"]


@pytest.mark.parametrize(
    ("filename", "title", "name"),
    [
        ("_.txt", "план работ", "план работ.txt"),
        ("a.txt", None, "a.txt"),
        ("SPOILER_a.png", None, "a.png"),
        ("noending", "some title", "noending"),
        ("a.tar.gz", "a.tar", "a.tar.gz"),
    ],
)
def test_files_keep_the_names_they_had(context: Context, filename: str, title: str | None, name: str) -> None:
    attachment = {"id": "1", "filename": filename, "size": 1, **({"title": title} if title else {})}
    event = one(context, "MESSAGE_CREATE", message(attachments=[attachment]))
    assert event.content.attachments[0].name == name


def test_only_web_addresses_become_links(context: Context) -> None:
    event = one(context, "MESSAGE_CREATE", message(content="<javascript://x> [y](javascript:z) <https://ok.example>"))
    links = [i.link for b in event.content.text.blocks for i in b.inlines if i.link]
    assert links == ["https://ok.example"]


def test_a_placeholder_appears_when_it_is_filled(context: Context) -> None:
    loading = message(content="", flags=128, type=20, author={"id": "8", "username": "bot", "bot": True}, application_id="8")
    assert isinstance(decode("MESSAGE_CREATE", loading, context, position=""), Ignored)
    filled = {**loading, "flags": 0, "content": "the answer", "edited_timestamp": "2026-11-01T12:00:05+00:00"}
    event = one(context, "MESSAGE_UPDATE", filled)
    assert isinstance(event, MessageCreated)
    assert text_of(event.content.text) == "the answer"
    again = {**filled, "content": "corrected", "edited_timestamp": "2026-11-01T12:00:09+00:00"}
    assert isinstance(one(context, "MESSAGE_UPDATE", again), MessageEdited)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("MESSAGE_UPDATE", {"id": "1", "channel_id": CHANNEL, "embeds": []}),
        ("MESSAGE_UPDATE", message(pinned=True)),
        ("MESSAGE_CREATE", message(flags=64)),
        ("MESSAGE_CREATE", message(type=21, content="")),
        ("MESSAGE_REACTION_REMOVE_ALL", {"channel_id": CHANNEL, "message_id": "1"}),
        ("CHANNEL_UPDATE", {"id": CHANNEL, "type": 0, "name": "general"}),
    ],
)
def test_what_is_no_event_is_ignored_by_name(context: Context, event: str, data: dict[str, Any]) -> None:
    decoded = decode(event, data, context, position="")
    assert isinstance(decoded, Ignored)
    assert decoded.reason


def test_the_same_edit_told_twice_has_one_key_and_two_edits_have_two(context: Context) -> None:
    first = message(content="a", edited_timestamp="2026-11-01T12:00:05.000001+00:00")
    again = {**first, "embeds": [{"type": "link"}]}
    second = message(content="b", edited_timestamp="2026-11-01T12:00:05.000002+00:00")
    keys = [one(context, "MESSAGE_UPDATE", data).meta.event_key for data in (first, again, second)]
    assert keys[0] == keys[1] != keys[2]


def test_custom_emoji_reactions_are_named(context: Context) -> None:
    data = {"user_id": "7", "channel_id": CHANNEL, "message_id": "5", "emoji": {"id": "42", "name": "party", "animated": True}}
    event = one(context, "MESSAGE_REACTION_REMOVE", data)
    assert isinstance(event, ReactionsChanged)
    assert (event.removed, event.added, event.meta.sent_by_us) == ((":party:",), (), False)
    own = one(context, "MESSAGE_REACTION_ADD", {**data, "user_id": "1"})
    assert own.meta.sent_by_us


def test_webhooks_of_our_application_are_ours_and_others_are_not(context: Context) -> None:
    assert one(context, "MESSAGE_CREATE", message(webhook_id="50", application_id="2")).meta.sent_by_us
    assert not one(context, "MESSAGE_CREATE", message(webhook_id="50", application_id="3")).meta.sent_by_us
    assert not one(context, "MESSAGE_CREATE", message(webhook_id="50")).meta.sent_by_us


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(message())), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_REACTION_ADD", "TYPING_START"]), st.data())
@settings(max_examples=examples(300), deadline=None)
def test_any_shape_is_an_event_or_ignored_or_one_of_the_known_errors(event: str, data: st.DataObject) -> None:
    """Whatever arrives, the stream goes on: nothing but the errors that the receiver expects may leave `decode`."""
    context = Context(Identity(AccountName("guild"), "1", "2"), cdn_url="https://cdn")
    broken = message(**data.draw(st.dictionaries(st.sampled_from([*message(), "attachments", "embeds", "member"]), json_values)))
    try:
        decode(event, broken, context, position="s-1")
    except UNREADABLE:
        return


@pytest.mark.parametrize("flags", [-1, -64, -1.5, "64", "-1", True, 64.5, 10**30 + 64, 2**63 + 64, None, [64], {}])
def test_odd_flags_are_no_flags(context: Context, flags: Any) -> None:
    """Of a negative number every bit is set: that of a message for one person alone too."""
    edited = {"edited_timestamp": "2026-11-01T12:00:05+00:00"}
    for event, fields, kind in (("MESSAGE_CREATE", {}, MessageCreated), ("MESSAGE_UPDATE", edited, MessageEdited)):
        found = one(context, event, message(flags=flags, **fields))
        assert isinstance(found, kind)
        assert (found.content.silent, found.content.previews) == (False, True)
    assert isinstance(decode("MESSAGE_CREATE", message(flags=64), context, position=""), Ignored)


DIRECT_CHAT = "100000000000000009"


@pytest.mark.parametrize(
    ("fields", "is_private"),
    [
        ({"channel_id": DIRECT_CHAT, "channel_type": 1}, True),
        ({"channel_id": DIRECT_CHAT}, True),
        ({"channel_id": DIRECT_CHAT, "channel_type": 3}, False),
        ({"channel_id": DIRECT_CHAT, "channel_type": 0}, False),
        ({"channel_id": DIRECT_CHAT, "channel_type": None}, False),
        ({"channel_id": DIRECT_CHAT, "channel_type": 1, "guild_id": GUILD}, False),
        ({"channel_id": DIRECT_CHAT, "channel_type": 1, "guild_id": None}, False),
        ({"channel_id": DIRECT_CHAT, "channel_type": 1, "member": {"roles": []}}, False),
        ({"channel_id": CHANNEL, "channel_type": 1}, False),
        ({"channel_id": THREAD}, False),
    ],
)
def test_a_chat_is_private_only_if_it_is_of_no_server(context: Context, fields: dict[str, Any], is_private: bool) -> None:
    told = {key: value for key, value in message().items() if key != "guild_id"} | fields
    assert one(context, "MESSAGE_CREATE", told).meta.is_private is is_private


def test_what_history_tells_is_of_no_private_chat(context: Context) -> None:
    """It never names the server."""
    told = {key: value for key, value in message(channel_id=DIRECT_CHAT).items() if key != "guild_id"}
    event = decode_message(told, context)  # type: ignore[arg-type]
    assert isinstance(event, MessageCreated)
    assert not event.meta.is_private
