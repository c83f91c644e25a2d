"""What bots post (embeds, components), what is only a preview of a link, and what is nobody's speech (system messages)."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.decode import Context, decode
from adapters.discord.system_messages import (
    _LINES,
    _QUOTED,
    _SPECIAL,
    _UNTOLD,
    JOINED,
    PINNED,
    POLL_RESULT,
    RENAMED,
    SPOKEN,
    THREAD_STARTER,
    ignored_reason,
    line_of,
)
from bridge.model.events import AttachmentKind, ChatRenamed, Ignored, MembershipChanged, MessageCreated, PinsChanged
from bridge.model.rich_text import Mark, Timestamp, text_of, to_plain
from tests.adapters.discord.payloads import (
    BOT,
    CHANNEL,
    FORUM,
    MESSAGE,
    POST,
    THREAD,
    context_of,
    created,
    message,
    one,
    runs,
    words,
)

SIGNED = "https://cdn.discordapp.com/attachments/100000000000000001/300000000000000001/graph.png?ex=1&is=2&hm=3"
STEAM = {  # a preview with fields is of type rich
    "type": "rich",
    "url": "https://store.example.com/app/1",
    "title": "Some Game",
    "description": "Buy it now.",
    "fields": [{"name": "Price", "value": "14.99", "inline": True}],
    "image": {"url": SIGNED},
}
SAID = "look https://store.example.com/app/1"


@pytest.fixture
def context() -> Context:
    return context_of()


# -- previews -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rich", "link", "article", "video", "gifv", "image", "something new", None])
def test_a_persons_embeds_are_previews_and_not_her_words(context: Context, kind: str | None) -> None:
    embeds = [{**STEAM, "type": kind}]
    event = one(context, "MESSAGE_CREATE", message(content=SAID, embeds=embeds))
    assert (words(event), event.content.attachments) == (SAID, ())
    mended = message(content=SAID + "!", embeds=embeds, edited_timestamp="2026-11-01T12:01:00+00:00")
    event = one(context, "MESSAGE_UPDATE", mended)
    assert (words(event), event.content.attachments) == (SAID + "!", ())


def test_a_forwarded_preview_is_no_part_of_what_was_forwarded() -> None:
    tweet = {"type": "rich", "url": "https://twitter.com/a/status/1", "description": "a tweet", "author": {"name": "a"}}
    snapshot = {"content": "see https://x.com/a/status/1 and https://store.example.com/app/1", "embeds": [STEAM, tweet]}
    forwarded = {"message_reference": {"type": 1, "channel_id": CHANNEL}, "message_snapshots": [{"message": snapshot}]}
    assert words(created(content="", **forwarded)) == snapshot["content"]
    of_a_bot = {**forwarded, "message_snapshots": [{"message": {"content": "", "embeds": [{"type": "rich", "title": "Build 7"}]}}]}
    assert words(created(content="", **of_a_bot)) == "Build 7"


def test_a_followed_channels_post_does_not_bring_its_previews() -> None:
    """A webhook shows it, whoever wrote it there."""
    followed = {"webhook_id": "50", "author": {"id": "50", "username": "News #updates", "bot": True}, "flags": 1 << 1}
    assert words(created(content=SAID, embeds=[STEAM], **followed)) == SAID
    assert words(created(content="", embeds=[STEAM], **followed)).startswith("Some Game")


# -- embeds -------------------------------------------------------------------------------------------------------------------


def test_everything_that_an_embed_shows_crosses() -> None:
    embed = {
        "type": "rich",
        "provider": {"name": "Jenkins", "url": "https://jenkins.example"},
        "author": {"name": "CI", "url": "https://ci.example"},
        "title": "Build <:no:42>",
        "url": "https://ci.example/7",
        "description": "**failed**",
        "fields": [
            {"name": "Branch", "value": "`main`"},
            {"name": "\u200b", "value": "\u200b"},
            {"name": "Tries", "value": 3},
            None,
        ],
        "footer": {"text": "now"},
        "timestamp": "2026-11-01T12:00:00Z",
        "image": {"url": "https://ci.example/7.png"},
        "video": {"url": "https://ci.example/7.mp4"},
        "thumbnail": {"url": "https://ci.example/7-small.png"},
    }
    event = created(content="", author=BOT, embeds=[embed, {"type": "link", "title": "a preview of a link in the text"}])
    lines = "Jenkins,CI,Build :no:,failed,Branch,main,Tries,3,https://ci.example/7.png,https://ci.example/7.mp4"
    assert words(event).splitlines()[:-2] == lines.split(",")
    assert words(event).splitlines()[-2:] == ["https://ci.example/7-small.png", "now • 2026-11-01 12:00 UTC"]
    links = {run.text: run.link for run in runs(event.content.text) if run.link}
    assert links["Build "] == "https://ci.example/7"
    assert (links["CI"], links["Jenkins"]) == ("https://ci.example", "https://jenkins.example")
    assert [run.marks for run in runs(event.content.text) if run.text == "failed"] == [Mark.BOLD]
    stamps = [i for b in event.content.text.blocks for i in getattr(b, "inlines", ()) if isinstance(i, Timestamp)]
    assert [stamp.unix_s for stamp in stamps] == [1793534400]


@pytest.mark.parametrize("where", [{"webhook_id": "50", "author": {"id": "50", "username": "Alerts"}}, {"author": BOT}])
def test_embeds_of_bots_and_webhooks_are_theirs(where: dict[str, Any]) -> None:
    assert words(created(content=SAID, embeds=[STEAM], **where)).startswith(f"{SAID}\nSome Game\nBuy it now.\nPrice\n14.99")


def test_pictures_that_a_bot_uploaded_cross_as_files_and_others_as_links() -> None:
    embed = {
        "type": "rich",
        "title": "Load",
        "image": {"url": SIGNED, "width": 10, "height": 5},
        "thumbnail": {"url": "https://x/y.png"},
    }
    event = created(content="", author=BOT, embeds=[embed])
    (file,) = event.content.attachments
    assert (file.kind, file.name, file.file_id) == (AttachmentKind.PHOTO, "graph.png", f"{CHANNEL}/{MESSAGE}/300000000000000001")
    assert (file.width, file.height, file.size_bytes) == (10, 5, None)
    assert words(event) == "Load\nhttps://x/y.png"
    listed = {"id": "300000000000000001", "filename": "graph.png", "size": 9, "content_type": "image/png"}
    (once,) = created(content="", author=BOT, embeds=[embed], attachments=[listed]).content.attachments
    assert once.size_bytes == 9


# -- components ---------------------------------------------------------------------------------------------------------------


def test_a_link_button_keeps_its_link_and_other_buttons_their_labels() -> None:
    row = {
        "type": 1,
        "components": [
            {"type": 2, "style": 5, "label": "Open run", "url": "https://ci.example.com/run/1"},
            {"type": 2, "style": 3, "label": "Approve", "emoji": {"name": "✅"}, "custom_id": "a"},
            {"type": 2, "style": 4, "emoji": {"id": "42", "name": "no"}, "custom_id": "b"},
        ],
    }
    menu = {
        "type": 1,
        "components": [{"type": 3, "placeholder": "Assign", "options": [{"label": "Anna"}, {"label": "Bo", "default": True}]}],
    }
    event = created(content="Build failed", author=BOT, components=[row, menu, {"type": 1, "components": [{"type": 5}]}])
    assert words(event) == "Build failed\n🔗 Open run: https://ci.example.com/run/1\n[✅ Approve] [:no:]\n[Bo ▾]\n[menu ▾]"
    assert [run.link for run in runs(event.content.text) if run.link] == ["https://ci.example.com/run/1"]


def test_layouts_of_components_cross_whole() -> None:
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "**Deploy** 7"}],
        "accessory": {"type": 11, "media": {"url": "https://x.example/logo.png"}, "description": "the logo"},
    }
    gallery = {
        "type": 12,
        "items": [{"media": {"url": SIGNED}, "description": "a graph", "spoiler": True}, {"media": {"url": "https://x/2.png"}}],
    }
    file = {
        "type": 13,
        "file": {"url": SIGNED.replace("300000000000000001/graph.png", "300000000000000002/log.txt")},
        "name": "log.txt",
    }
    button = {
        "type": 9,
        "components": [{"type": 10, "content": "Docs"}],
        "accessory": {"type": 2, "style": 5, "url": "https://docs"},
    }
    container = {"type": 17, "components": [section, {"type": 14}, gallery, {"type": 14, "divider": False}, file]}
    event = created(content="", flags=1 << 15, author=BOT, components=[container, button])
    assert words(event) == "Deploy 7\nthe logo: https://x.example/logo.png\n───\nhttps://x/2.png\nDocs\n🔗 https://docs"
    assert [(f.name, f.kind, f.spoiler, f.alt_text) for f in event.content.attachments] == [
        ("graph.png", AttachmentKind.PHOTO, True, "a graph"),
        ("log.txt", AttachmentKind.DOCUMENT, False, ""),
    ]


def test_a_container_behind_a_spoiler_stays_behind_one() -> None:
    inner = [{"type": 10, "content": "the end\n```\ncode\n```"}, {"type": 12, "items": [{"media": {"url": SIGNED}}]}]
    event = created(content="", flags=1 << 15, author=BOT, components=[{"type": 17, "spoiler": True, "components": inner}])
    assert all(run.marks & Mark.SPOILER for run in runs(event.content.text) if run.text.strip())
    assert "code" in words(event)
    assert [f.spoiler for f in event.content.attachments] == [True]


@pytest.mark.parametrize(
    ("component", "shown"),
    [
        ({"type": 99, "label": "a dial"}, "a dial"),
        ({"type": 99, "content": "**bold** news"}, "bold news"),
        ({"type": 99, "components": [{"type": 10, "content": "inside"}]}, "inside"),
        ({"type": 99, "component": {"type": 98, "items": [{"type": 10, "content": "deeper"}]}}, "deeper"),
        ({"type": 99, "url": "https://x.example/a"}, "https://x.example/a"),
        ({"type": 99}, "(something that only Discord can show)"),
        ({"type": "odd", "components": None}, "(something that only Discord can show)"),
        ({"type": 13}, "(a file that Discord tells no address of)"),
    ],
)
def test_components_that_nobody_knew_leave_at_least_a_line(component: dict[str, Any], shown: str) -> None:
    assert words(created(content="", flags=1 << 15, author=BOT, components=[component])) == shown


def test_components_nested_without_end_end() -> None:
    nested: dict[str, Any] = {"type": 10, "content": "bottom"}
    for _ in range(500):
        nested = {"type": 17, "components": [nested]}
    assert words(created(content="top", author=BOT, components=[nested])) == "top\n(more, nested too deeply)"


# -- other forms --------------------------------------------------------------------------------------------------------------


def test_stickers_sounds_activities_and_commands_have_a_line_or_a_name() -> None:
    sticker = created(content="", sticker_items=[{"id": "5", "name": "Wave", "format_type": 3}]).content.attachments[0]
    assert (sticker.name, bool(sticker.problem)) == ("Wave.json", True)
    assert (
        words(created(content="", activity={"type": 3, "party_id": "x"}, application={"name": "Spotify"}))
        == "invites to listen Spotify"
    )
    assert words(created(content="", soundboard_sounds=[{"sound_id": "1", "name": "Quack"}])) == "🔊 Quack"
    used = {"id": "1", "type": 2, "name": "deploy", "user": {"id": "7", "username": "anna", "global_name": "Anna"}}
    assert words(created(content="done", type=20, author=BOT, interaction=used)) == "Anna used /deploy\ndone"


# -- system messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "shown"),
    [
        (8, "3", "boosted the server 3 times"),
        (12, "news", "follows another channel here: “news”"),
        (18, "a topic", "started a thread: “a topic”"),
        (27, "Town hall", "started a stage: “Town hall”"),
        (28, "Town hall", "ended a stage: “Town hall”"),
        (29, "", "speaks on the stage"),
        (31, "Budget", "changed the stage's topic: “Budget”"),
        (36, "2026-11-01T12:00:00+00:00", "switched on the server's alert mode until 2026-11-01 12:00 UTC"),
        (37, "", "ended the server's alert mode"),
        (38, "", "reported a raid"),
        (39, "", "reported a false alarm"),
        (44, "", "made a purchase in the server"),
        (24, "a word that is not allowed", "had a message stopped by AutoMod"),
        (99, "data", "(system message of type 99)"),
        ("odd", "data", "(system message of type -1)"),
    ],
)
def test_system_messages_say_what_happened(kind: Any, content: str, shown: str) -> None:
    event = created(
        type=kind, content=content, embeds=[{"type": "rich", "title": "data"}], components=[{"type": 10, "content": "data"}]
    )
    assert words(event) == shown
    assert all(run.marks & Mark.ITALIC for run in runs(event.content.text))


@given(st.integers(0, 80).filter(lambda kind: kind not in (0, 4, 12, 18, 19, 20, 23, 27, 28, 29, 30, 31)))
def test_the_content_of_a_system_message_is_nobodys_speech(kind: int) -> None:
    decoded = decode("MESSAGE_CREATE", message(type=kind, content="as if she had said it"), context_of(), position="")
    if not isinstance(decoded, Ignored):
        assert not any(isinstance(e, MessageCreated) and "as if she" in to_plain(e.content.text) for e in decoded)
    edited = message(type=kind, content="as if she had said it", edited_timestamp="2026-11-01T12:00:05+00:00")
    assert isinstance(decode("MESSAGE_UPDATE", edited, context_of(), position=""), Ignored)


def test_a_threads_rename_is_the_threads_and_told_once(context: Context) -> None:
    event = one(context, "MESSAGE_CREATE", message(type=4, channel_id=THREAD, content="another topic"))
    assert isinstance(event, ChatRenamed)
    assert (event.name, event.meta.thread_id, event.meta.origin.chat_id) == ("another topic", THREAD, CHANNEL)
    update = {"id": THREAD, "type": 11, "name": "another topic", "parent_id": CHANNEL}
    assert isinstance(decode("THREAD_UPDATE", update, context, position=""), Ignored)


def test_pins_and_joins_stay_events(context: Context) -> None:
    assert isinstance(one(context, "MESSAGE_CREATE", message(type=6, message_reference={"message_id": "5"})), PinsChanged)
    assert isinstance(one(context, "MESSAGE_CREATE", message(type=7, content="")), MembershipChanged)


def test_who_came_into_a_thread_is_named() -> None:
    assert words(created(type=1, content="7", mentions=[{"id": "9", "username": "bo"}])) == "added bo to the thread"
    assert words(created(type=2, content="", mentions=None)) == "removed somebody from the thread"


# -- threads and posts --------------------------------------------------------------------------------------------------------


def test_a_post_begins_with_its_title_also_when_it_is_edited(context: Context) -> None:
    first = message(id=POST, channel_id=POST, content="since yesterday")
    event = one(context, "MESSAGE_CREATE", first)
    assert (words(event), event.content.reply_to) == ("It does not start\nsince yesterday", None)
    assert (event.meta.origin.chat_id, event.meta.thread_id) == (FORUM, POST)
    tags = [{"id": "71", "name": "bug"}, {"id": "72", "name": "printer"}, {"id": "73", "name": "done"}]
    context.places.apply("CHANNEL_UPDATE", {"id": FORUM, "type": 15, "name": "help", "available_tags": tags}, "1")
    thread = {"id": POST, "type": 11, "name": "It does not start", "parent_id": FORUM, "applied_tags": ["71", "72", "99"]}
    context.places.apply("THREAD_UPDATE", thread, "1")
    assert words(one(context, "MESSAGE_CREATE", first)) == "It does not start [bug] [printer]\nsince yesterday"
    context.places.apply("THREAD_UPDATE", {**thread, "applied_tags": None}, "1")
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


# -- odd shapes ---------------------------------------------------------------------------------------------------------------

ODD = (None, True, 7, 1e308, "word", [], {}, [None, 7, {}], {"id": None})
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
@settings(max_examples=200, deadline=None)
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
    context.own_names = ("Bridge",)
    assert words(one(context, "MESSAGE_CREATE", message(author=BOT, content="", embeds=[embed]))) == (
        "@Anna opened, @Bridge and @unknown-user looked"
    )


def test_a_file_that_discord_tells_nothing_of_is_a_line() -> None:
    event = created(content="", attachments=[{"filename": "plan.pdf", "size": 3}, {"id": [], "filename": None}, None])
    assert [(f.name, bool(f.problem)) for f in event.content.attachments] == [("plan.pdf", True), ("file", True)]


def test_every_type_of_message_that_discord_py_knows_has_its_place() -> None:
    """A type of a later version must be put somewhere: spoken, an event or content of its own, a line, or untold with a reason."""
    own = frozenset({RENAMED, PINNED, JOINED, THREAD_STARTER, POLL_RESULT})
    places = (SPOKEN, own, frozenset(_UNTOLD), frozenset({*_LINES, *_QUOTED, *_SPECIAL}))
    known = {int(kind.value) for kind in importlib.import_module("discord").MessageType}
    assert known
    assert [kind for kind in sorted(known) if sum(kind in place for place in places) != 1] == []


@pytest.mark.parametrize("kind", sorted({*_UNTOLD, *_LINES, *_QUOTED, *_SPECIAL}))
def test_a_system_message_is_a_line_or_has_a_reason(kind: int) -> None:
    assert bool(ignored_reason(kind)) == (kind in _UNTOLD)
    if kind not in _UNTOLD:
        for odd in ({}, {"content": 5, "mentions": "x"}, {"content": [], "purchase_notification": 5}):
            assert not text_of(line_of(odd, kind)).startswith("(system message"), kind
