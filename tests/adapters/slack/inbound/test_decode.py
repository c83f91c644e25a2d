"""Slack's event shapes, one by one, and shapes that nobody documented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.identity import Identity
from adapters.slack.inbound.decode import decode_event
from adapters.slack.inbound.decode_context import Context
from adapters.slack.inbound.subtypes import CHANGES, NEWS, SKIPPED, SPOKEN
from adapters.slack.lenient import Undecodable
from adapters.slack.names import Names, Wanted, wanted
from bridge.model.events import (
    AttachmentKind,
    Author,
    ChatEvent,
    Forward,
    Ignored,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
)
from bridge.model.refs import AccountName
from bridge.model.rich_text import Mark, Paragraph, Quote, Text, text_of
from tests.support.budget import examples

ANNA = Author(user_id="U1", name="Anna", username="anna", avatar_url="https://a.example/u1.png")
CONTEXT = Context(
    Identity(AccountName("team"), bot_id="B0", user_id="U0", app_id="A0"),
    Names(users={"U1": ANNA}, channels={"C2": "random"}),
    datetime(2026, 11, 23, tzinfo=UTC),
)
PLAIN: dict[str, Any] = {
    "type": "message",
    "channel": "C1",
    "channel_type": "channel",
    "user": "U1",
    "text": "hello",
    "ts": "1700000000.123456",
    "event_ts": "1700000000.123456",
    "team": "T1",
}


def decode(event: dict[str, Any]) -> ChatEvent | Ignored:
    return decode_event(msgspec.json.encode(event), CONTEXT)


def created(**changes: Any) -> MessageCreated:
    event = decode({**PLAIN, **changes})
    assert isinstance(event, MessageCreated)
    return event


def test_an_ordinary_message() -> None:
    event = created(edited=None, blocks=None, files=None, attachments=None, metadata=None, thread_ts=None, bot_id=None)
    assert event.meta.author == ANNA
    assert event.meta.occurred_at == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert (event.meta.thread_id, event.content.reply_to, event.meta.sent_by_us) == (None, None, False)
    assert created(thread_ts=PLAIN["ts"]).meta.thread_id is None


def test_half_a_surrogate_pair_costs_itself_alone() -> None:
    event = decode_event(msgspec.json.encode(PLAIN).replace(b"hello", b"hel\\ud83dlo \\ud83d\\ude42"), CONTEXT)
    assert isinstance(event, MessageCreated)
    assert text_of(event.content.text) == "hel\ufffdlo 🙂"


def test_news_do_not_name_their_author_twice() -> None:
    event = created(subtype="channel_topic", text="<@U1> set the channel topic: <@U1> &amp; co")
    assert text_of(event.content.text) == "set the channel topic: @Anna & co"


def test_the_authors_of_apps() -> None:
    custom = created(
        user=None, subtype="bot_message", bot_id="B9", username="Deploys", icons={"image_48": "https://a.example/i.png"}
    )
    author = custom.meta.author
    assert author == Author(user_id="B9", name="Deploys", avatar_url="https://a.example/i.png", is_bot=True)
    profile = created(user=None, bot_id="B9", bot_profile={"name": "GitHub", "app_id": "A9"}).meta.author
    assert profile is not None
    assert (profile.name, profile.is_bot) == ("GitHub", True)
    stranger = created(user="U7", user_profile={"display_name": "", "real_name": "Carla C."}).meta.author
    assert stranger is not None
    assert (stranger.user_id, stranger.name) == ("U7", "Carla C.")
    nobody = created(user=None).meta.author
    assert nobody is not None
    assert nobody.name == "app"


@pytest.mark.parametrize("mark", [{"bot_id": "B0"}, {"app_id": "A0", "bot_id": "B5"}, {"user": "U0"}])
def test_our_own_messages(mark: dict[str, Any]) -> None:
    assert created(**mark).meta.sent_by_us
    assert not created(bot_id="B7", app_id="A7").meta.sent_by_us


def test_nobody_is_us_before_we_know_who_we_are() -> None:
    nobody = Context(Identity(AccountName("team")), CONTEXT.names, CONTEXT.received_at)
    event = decode_event(msgspec.json.encode({**PLAIN, "bot_id": "", "app_id": "", "user": ""}), nobody)
    assert isinstance(event, MessageCreated)
    assert not event.meta.sent_by_us


METADATA = {"event_type": "messenger_bridge", "event_payload": {"id": "d-1"}}
MARKED_BLOCK: dict[str, Any] = {"type": "rich_text", "block_id": "mb-d-2.171", "elements": []}


def test_our_mark() -> None:
    ours = {"bot_id": "B0"}
    assert created(metadata=METADATA, **ours).meta.delivery_id == "d-1"
    assert created(metadata={**METADATA, "event_type": "other"}, **ours).meta.delivery_id == ""
    assert created(metadata={**METADATA, "event_payload": {"id": 7}}, **ours).meta.delivery_id == ""
    assert created(blocks=[{"type": "divider"}, MARKED_BLOCK], **ours).meta.delivery_id == "d-2"
    assert created(blocks=[{"type": "rich_text", "block_id": "abcde", "elements": []}], **ours).meta.delivery_id == ""


@pytest.mark.parametrize("author", [{}, {"bot_id": "B7", "app_id": "A7"}, {"user": None, "bot_id": "B7", "username": "Bridge"}])
def test_a_mark_of_anybody_else_is_none(author: dict[str, Any]) -> None:
    """Any app can write metadata and block ids: such a message is one like any other, also when it is changed."""
    for forged in ({"metadata": METADATA}, {"blocks": [MARKED_BLOCK]}, {"metadata": METADATA, "blocks": [MARKED_BLOCK]}):
        event = created(**author, **forged)
        assert (event.meta.sent_by_us, event.meta.delivery_id) == (False, "")
        change = changed({**author, **forged, "text": "new", "edited": {"ts": "1700000009.000000"}}, author)
        assert isinstance(change, MessageEdited)
        assert (change.meta.sent_by_us, change.meta.delivery_id) == (False, "")


def test_shared_messages_and_integrations() -> None:
    share = {"is_share": True, "author_name": "Boris", "text": "*original*", "from_url": "https://x.slack.com/archives/C2/p1"}
    event = created(text="look", attachments=[share])
    assert event.content.forwarded_from == Forward(author_name="Boris")
    assert event.content.text.blocks[1] == Quote((Paragraph((Text("original", Mark.BOLD),)),))
    preview = {"from_url": "https://example.com", "title": "Example", "text": "a page", "id": 1}
    assert text_of(created(text="<https://example.com>", attachments=[preview]).content.text) == "https://example.com"
    box = {
        "fallback": "not shown",
        "pretext": "Build",
        "title": "#42",
        "title_link": "https://ci.example/42",
        "text": "failed",
        "fields": [{"title": "Branch", "value": "main", "short": True}],
    }
    assert text_of(created(text="", attachments=[box]).content.text) == "Build\n#42\nfailed\nBranch: main"
    assert text_of(created(text="", attachments=[{"fallback": "only this"}]).content.text) == "only this"


def test_files() -> None:
    files = [
        {
            "id": "F1",
            "name": "a.gif",
            "mimetype": "image/gif",
            "size": 3,
            "original_w": 4,
            "original_h": 5,
            "url_private": "https://f/1",
        },
        {"id": "F2", "name": "a.heic", "mimetype": "image/heic", "url_private_download": "https://f/2"},
        {"id": "F3", "title": "clip", "subtype": "slack_audio", "mimetype": "audio/mp4", "duration_ms": 1500},
        {"id": "F4", "mode": "tombstone"},
        {"id": "F5", "mode": "hidden_by_limit", "name": "old.png"},
        {"id": "F6", "file_access": "check_file_info"},
        {"id": "F7", "is_external": True, "title": "Plan", "url_private": "https://docs.example/plan"},
    ]
    content = created(text="", subtype="file_share", files=files).content
    gif, heic, clip, gone, hidden, elsewhere = content.attachments
    assert (gif.kind, gif.file_id, gif.width, gif.height) == (AttachmentKind.ANIMATION, "F1 https://f/1", 4, 5)
    assert heic.kind is AttachmentKind.DOCUMENT
    assert (clip.kind, clip.duration_s, clip.name, clip.file_id) == (AttachmentKind.VOICE, 1.5, "clip", "F3")
    assert gone.problem
    assert hidden.problem
    assert (elsewhere.file_id, elsewhere.problem) == ("F6", "")
    assert content.text.blocks == (Paragraph((Text("Plan", 0, "https://docs.example/plan"),)),)


def test_me_messages_are_italic() -> None:
    assert created(subtype="me_message").content.text.blocks == (Paragraph((Text("hello", Mark.ITALIC),)),)


@pytest.mark.parametrize(
    "changes",
    [
        {"subtype": "channel_join"},
        {"subtype": "pinned_item"},
        {"subtype": "message_replied", "hidden": True},
        {"subtype": "something_new", "hidden": True},
        {"type": "app_home_opened"},
        {"type": "reaction_added", "reaction": "x", "item": {"type": "file", "file": "F1"}},
        {"type": "member_joined_channel", "user": "U0"},
    ],
)
def test_what_is_no_event(changes: dict[str, Any]) -> None:
    assert isinstance(decode({**PLAIN, **changes}), Ignored)


REFERENCE = frozenset(
    {
        *("assistant_app_thread", "bot_add", "bot_message", "bot_remove", "channel_archive", "channel_convert_to_private"),
        *("channel_convert_to_public", "channel_join", "channel_leave", "channel_name", "channel_posting_permissions"),
        *("channel_purpose", "channel_topic", "channel_unarchive", "document_mention", "ekm_access_denied", "file_comment"),
        *("file_mention", "file_share", "group_archive", "group_join", "group_leave", "group_name", "group_purpose", "group_topic"),
        *("group_unarchive", "huddle_thread", "me_message", "message_changed", "message_deleted", "message_replied"),
        *("pinned_item", "reminder_add", "reply_broadcast", "thread_broadcast", "unpinned_item"),
    }
)
"""The subtypes of docs.slack.dev, reference/events/message, with those of old that history may hold."""


@pytest.mark.parametrize("subtype", sorted({*REFERENCE, *SPOKEN, *NEWS, *SKIPPED} - CHANGES))
def test_every_subtype_is_said_told_or_skipped_by_its_name(subtype: str) -> None:
    assert sum(subtype in place for place in (SPOKEN, NEWS, SKIPPED)) == 1
    decoded = decode({**PLAIN, "subtype": subtype})
    if subtype in SKIPPED:
        assert decoded == Ignored(f"service message {subtype}")
        return
    assert isinstance(decoded, MessageCreated)
    assert decoded.meta.author is not None
    assert decoded.meta.author.name == "Anna"
    italic = Paragraph((Text("hello", Mark.ITALIC),))
    assert (decoded.content.text.blocks == (italic,)) == (subtype in NEWS or subtype == "me_message")
    assert text_of(decoded.content.text) == "hello"
    if subtype in NEWS:
        assert text_of(created(subtype=subtype, text="").content.text) == NEWS[subtype]


def test_an_unknown_visible_subtype_is_told_and_put_into_nobodys_mouth() -> None:
    event = created(subtype="something_new")
    assert text_of(event.content.text).splitlines()[-1] == "hello"
    assert "something Slack calls something new" in text_of(event.content.text)
    assert event.meta.author is None


def changed(message: dict[str, Any], previous: dict[str, Any] | None) -> ChatEvent | Ignored:
    outer: dict[str, Any] = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": "C1"}
    outer |= {"ts": "1700000009.000001", "event_ts": "1700000009.000001", "message": {**PLAIN, "channel": None, **message}}
    del outer["message"]["channel"]
    if previous is not None:
        outer["previous_message"] = {**PLAIN, **previous}
    return decode(outer)


def test_which_changes_are_edits() -> None:
    first, second = {"ts": "1700000001.000001", "user": "U1"}, {"ts": "1700000002.000001", "user": "U1"}
    edit = changed({"text": "new", "edited": second}, {"edited": first})
    assert isinstance(edit, MessageEdited)
    assert edit.message_id == PLAIN["ts"]
    assert edit.meta.event_key.startswith("edited:team:C1:1700000000.123456:1700000002.000001~")
    assert isinstance(changed({"text": "new", "edited": first}, None), MessageEdited)
    by_blocks = changed({"text": "new"}, {})
    assert isinstance(by_blocks, MessageEdited)
    assert by_blocks.meta.event_key.endswith(":1700000009.000001")
    assert isinstance(changed({"attachments": [{"from_url": "https://x"}]}, {}), Ignored)
    assert isinstance(changed({"attachments": [{"from_url": "https://x"}], "edited": first}, {"edited": first}), Ignored)
    assert isinstance(changed({}, None), Ignored)
    assert isinstance(changed({"subtype": "tombstone", "text": "This message was deleted."}, {}), MessageDeleted)


RUNNING: dict[str, Any] = {"id": 1, "color": "cccccc", "text": "running", "fallback": "running"}
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Stop"}}
BOT = {"user": None, "bot_id": "B9"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"attachments": [RUNNING]}, {"attachments": [{**RUNNING, "text": "passed", "color": "00ff00"}]}),
        ({"attachments": [RUNNING]}, {"attachments": [{**RUNNING, "fields": [{"title": "took", "value": 3}]}]}),
        ({"attachments": [RUNNING]}, {"attachments": [RUNNING, {"text": "and one more"}]}),
        ({"attachments": [RUNNING]}, {}),
        ({"blocks": [{"type": "header", "text": "a"}]}, {"blocks": [{"type": "header", "text": "b"}]}),
        ({"blocks": [{"type": "actions", "elements": [BUTTON]}]}, {"blocks": []}),
        (
            {"blocks": [{"type": "image", "image_url": "https://e.example/1.png"}]},
            {"blocks": [{"type": "image", "image_url": "https://e.example/2.png"}]},
        ),
    ],
)
def test_updates_of_app_messages_are_edits(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A status card that says how far it is: no mark tells of it."""
    assert isinstance(changed({**BOT, **new}, {**BOT, **old}), MessageEdited)
    assert isinstance(changed({**BOT, **new}, None), MessageEdited)


RICH: dict[str, Any] = {
    "type": "rich_text",
    "block_id": "one",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "same"}]}],
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"blocks": [RICH]}, {"blocks": [{**RICH, "block_id": "two"}]}),
        ({"attachments": [RUNNING]}, {"attachments": [{**RUNNING, "id": 2, "color": 5, "callback_id": "x"}]}),
        (
            {"blocks": [{**BUTTON, "type": "actions", "elements": [{**BUTTON, "action_id": "1"}]}]},
            {"blocks": [{"type": "actions", "elements": [{**BUTTON, "action_id": "2"}]}]},
        ),
        (
            {},
            {
                "attachments": [
                    {
                        "from_url": "https://e.example/",
                        "original_url": "https://e.example/",
                        "title": "E",
                        "image_url": "https://e.example/i.png",
                    }
                ]
            },
        ),
        ({}, {"attachments": [{"is_app_unfurl": True, "app_unfurl_url": "https://e.example/", "blocks": [RICH]}]}),
        ({"attachments": [{"from_url": "https://e.example/", "title": "E"}]}, {}),
        (
            {"files": [{"id": "F1", "file_access": "check_file_info"}]},
            {"files": [{"id": "F1", "file_access": "visible", "size": 5, "thumb_64": "x"}]},
        ),
        ({"reply_count": 1}, {"reply_count": 2, "latest_reply": "1700000005.000001", "subscribed": True}),
    ],
)
def test_what_changes_nothing_that_is_shown_is_no_edit(old: dict[str, Any], new: dict[str, Any]) -> None:
    for author in ({}, BOT):
        assert isinstance(changed({**author, **new}, {**author, **old}), Ignored)


def test_edits_are_dated_by_the_event() -> None:
    """The mark is in whole seconds: two updates within one have the same, and an update without a mark lies between them."""
    edits = []
    for number, mark in enumerate((None, "1700000005.000000", "1700000005.000000")):
        at = f"1700000005.{number}00000"
        message = {**PLAIN, "text": f"state {number}", **({"edited": {"ts": mark, "user": "U1"}} if mark else {})}
        previous = {**PLAIN, "text": f"state {number - 1}", **({"edited": {"ts": mark}} if number == 2 else {})}
        outer = {**PLAIN, "subtype": "message_changed", "hidden": True, "ts": at, "event_ts": at}
        edits.append(decode({**outer, "message": message, "previous_message": previous}))
    assert all(isinstance(edit, MessageEdited) for edit in edits)
    moments = [edit.meta.occurred_at for edit in edits if isinstance(edit, MessageEdited)]
    assert moments == sorted(set(moments))
    assert len({edit.meta.event_key for edit in edits if isinstance(edit, MessageEdited)}) == 3


def test_files_that_are_gone_are_an_edit_and_no_part_of_it() -> None:
    one, two = {"id": "F1", "name": "a.pdf", "mode": "hosted"}, {"id": "F2", "name": "b.pdf", "mode": "hosted"}
    deleted = changed({"files": [one, {"id": "F2", "mode": "tombstone"}]}, {"files": [one, two]})
    assert isinstance(deleted, MessageEdited)
    assert deleted.meta.event_key.endswith(":1700000009.000001")
    assert [file.unique_id for file in deleted.content.attachments] == ["F1"]
    assert deleted.attachments_known
    taken_out = changed({}, {"files": [one]})
    assert isinstance(taken_out, MessageEdited)
    assert taken_out.content.attachments == ()
    processed = {**one, "original_w": 800, "url_private": "https://files.slack.com/x"}
    assert isinstance(changed({"files": [processed]}, {"files": [one]}), Ignored)


@pytest.mark.parametrize("changes", [{"previous_message": None}, {"previous_message": {**PLAIN, "thread_ts": "1600000000.000001"}}])
def test_deletions(changes: dict[str, Any]) -> None:
    event = decode({**PLAIN, "subtype": "message_deleted", "deleted_ts": "1700000000.000001", "hidden": True, **changes})
    assert isinstance(event, MessageDeleted)
    assert event.message_id == "1700000000.000001"
    assert event.meta.event_key == "deleted:team:C1:1700000000.000001"


@pytest.mark.parametrize(
    "event",
    [
        {**PLAIN, "channel": ["C1"]},
        {**PLAIN, "channel": ""},
        {**PLAIN, "ts": "soon"},
        {**PLAIN, "ts": 1700000000.1},
        {**PLAIN, "ts": "9" * 40},
        {**PLAIN, "subtype": "message_changed"},
        {**PLAIN, "subtype": "message_deleted"},
        {"type": "reaction_added"},
        {"type": 3},
        {},
    ],
)
def test_unknown_shapes_are_undecodable(event: dict[str, Any]) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(event)
    assert "hello" not in caught.value.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "U1", "1700000000.000001", "message", "<@U1>", "bold"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sorted(PLAIN), "blocks", "elements", "name"]), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = [
    *PLAIN,
    "blocks",
    "files",
    "attachments",
    "edited",
    "message",
    "previous_message",
    "subtype",
    "metadata",
    "item",
    "reaction",
    "thread_ts",
]


@given(
    st.sampled_from(["message", "reaction_added", "pin_added", "member_left_channel", "channel_rename"]),
    st.sampled_from([None, "message_changed", "message_deleted", "file_share"]),
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=6),
)
@settings(max_examples=examples(300))
def test_any_shape_is_decoded_or_undecodable(kind: str, subtype: str | None, changes: dict[str, Any]) -> None:
    try:
        decode({**PLAIN, "subtype": subtype, **changes, "type": kind})
    except Undecodable:
        pass


def test_which_names_are_looked_up() -> None:
    raw = msgspec.json.encode(
        {
            **PLAIN,
            "text": "<@U2> <@U3|bob> U4 <#C2> <#C3|x>",
            "parent_user_id": "U5",
            "blocks": [
                {"elements": [{"type": "user", "user_id": "W6"}, {"type": "channel", "channel_id": "C7"}]},
                {"elements": [{"type": "usergroup", "usergroup_id": "S8"}, {"type": "text", "text": "<!subteam^S9>"}]},
            ],
            "files": [{"id": "F1", "file_access": "check_file_info"}, {"id": "F2", "file_access": "visible"}],
            "bot_id": "B1",
        }
    )
    assert wanted(raw) == Wanted(
        users=frozenset({"U1", "U2", "U3", "U5", "W6"}),
        channels=frozenset({"C2", "C3", "C7"}),
        groups=frozenset({"S8", "S9"}),
        bots=frozenset({"B1"}),
        files=frozenset({"F1"}),
    )
    for named in ({"username": "Deploys"}, {"bot_profile": {"name": "Deployer"}}):
        assert wanted(msgspec.json.encode({**PLAIN, "bot_id": "B1", **named})).bots == frozenset()
    # what re-read messages are encoded as
    assert wanted(msgspec.json.encode({**PLAIN, "bot_id": "B1", "username": None, "bot_profile": None})).bots == {"B1"}


@pytest.mark.parametrize(
    ("kind", "is_private"),
    [("im", True), ("mpim", False), ("channel", False), ("group", False), ("app_home", False), (None, False)],
)
def test_a_chat_is_private_only_if_slack_says_so(kind: str | None, is_private: bool) -> None:
    assert created(channel_type=kind, channel="D1").meta.is_private is is_private


def test_a_message_cannot_say_of_itself_that_it_is_private() -> None:
    assert not created(
        text='"channel_type": "im"', metadata={"event_type": "x", "event_payload": {"channel_type": "im"}}
    ).meta.is_private
