"""What Mattermost posts hold besides words: cards of apps, other names, kinds of posts. Everything visible arrives."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.dialect.model import Dialect
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.wire import NativeMessage, load_json
from bridge.model.adapter import Adapter, Reconciles
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.refs import AccountName
from bridge.model.rich_text import Mark, Paragraph, Text, text_of, to_plain
from tests.adapters.teamspirit.harness import make_adapter, running, summary
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options, outbound
from tests.support.budget import examples
from tests.support.intake import RecordingIntake


def shipped(name: str) -> Dialect:
    loaded = load_dialect(name).dialect
    assert loaded is not None
    return loaded


MATTERMOST = shipped("mattermost")
DECODER = Decoder(MATTERMOST, AccountName("mm"), is_own=lambda *_: False, chat_id=lambda native, _: native)

CARD: dict[str, Any] = {
    "id": 0,
    "fallback": "only for notifications",
    "color": "#D63232",
    "pretext": "From *production*:",
    "author_name": "Grafana",
    "author_link": "https://grafana.example.com",
    "author_icon": "https://grafana.example.com/icon.png",
    "title": "[FIRING:1] HighCPU",
    "title_link": "https://am.example.com/#/alerts",
    "text": "CPU over **90%**\non `node_1`",
    "fields": [
        {"title": "severity", "value": "critical", "short": True},
        {"title": "count", "value": 3, "short": True},
        {"title": "", "value": "- one\n- two", "short": False},
    ],
    "image_url": "https://grafana.example.com/graph.png",
    "thumb_url": "https://grafana.example.com/thumb.png",
    "footer": "Alertmanager 0.27",
    "footer_icon": "https://grafana.example.com/footer.png",
    "actions": [{"id": "ack", "name": "Acknowledge", "type": "button"}, {"id": "to", "name": "Assign to", "type": "select"}],
}
SHOWN = """\
From production:
Grafana (https://grafana.example.com)
[FIRING:1] HighCPU (https://am.example.com/#/alerts)
CPU over 90%
on node_1
severity: critical
count: 3
• one
• two
https://grafana.example.com/graph.png
https://grafana.example.com/thumb.png
Alertmanager 0.27
[Acknowledge] [Assign to]"""


def post(message: Any = "", **fields: Any) -> dict[str, Any]:
    return {
        "id": "p1",
        "create_at": 1795669000000,
        "update_at": 1795669000000,
        "edit_at": 0,
        "delete_at": 0,
        "user_id": "u1",
        "channel_id": "c1",
        "root_id": "",
        "message": message,
        "type": "",
        "props": {},
        "metadata": {},
        **fields,
    }


def read(**fields: Any) -> NativeMessage:
    return DECODER.message(post(**fields), "c1")


def shown(**fields: Any) -> str:
    return to_plain(read(**fields).content.text)


def card(**fields: Any) -> str:
    return shown(type="slack_attachment", props={"attachments": [fields]})


def test_a_card_is_shown_whole() -> None:
    assert card(**CARD) == SHOWN


def test_a_card_stands_below_the_words() -> None:
    assert shown(message="look:", props={"attachments": [CARD, {"text": "two"}]}) == f"look:\n{SHOWN}\ntwo"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"fallback": "build failed"}, "build failed"),
        ({"fallback": "build failed", "text": "tests/x.py is red"}, "tests/x.py is red"),
        ({"fallback": "build failed", "image_url": "https://e.com/i.png"}, "https://e.com/i.png"),
        ({"fallback": "vote", "actions": [{"id": "a", "name": "Yes"}, {"id": "b", "name": "No"}]}, "[Yes] [No]"),
        ({"fields": [{"title": "only a title"}]}, "only a title"),
        ({"fields": [{"title": "on", "value": True}, {"title": "n", "value": 1.5}]}, "on: true\nn: 1.5"),
        ({"fields": {"title": "alone", "value": "in no list"}}, "alone: in no list"),
        ({"title": "t", "title_link": "javascript:alert(1)"}, "t"),
        ({"image_url": "/api/v4/files/1"}, "/api/v4/files/1"),
        ({"title": 7, "text": ["a", "b"], "footer": {"x": 1}}, '7\n["a", "b"]\n{"x": 1}'),
    ],
)
def test_parts_of_a_card(fields: dict[str, Any], expected: str) -> None:
    assert card(**fields) == expected


def test_titles_are_bold_links() -> None:
    first = read(props={"attachments": [{"title": "t_i_t", "title_link": "https://e.com/a_b"}]}).content.text.blocks[0]
    assert first == Paragraph((Text("t_i_t", int(Mark.BOLD), "https://e.com/a_b"),))


def test_bindings_of_apps_are_cards() -> None:
    binding = {"app_id": "todo", "label": "New task", "description": "Buy *milk*", "bindings": [{"label": "Done"}]}
    assert shown(props={"app_bindings": [binding]}) == "New task\nBuy milk\n[Done]"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message": "I have started a meeting", "type": "custom_zoom", "props": {"meeting_link": "https://zoom.example.com/j/1"}},
         "I have started a meeting\nhttps://zoom.example.com/j/1"),
        ({"message": "at https://meet.example.com/x", "type": "custom_jitsi",
          "props": {"meeting_link": "https://meet.example.com/x"}}, "at https://meet.example.com/x"),
        ({"type": "custom_calls", "props": {"title": "Call started", "start_at": 1}}, "Call started"),
        ({"type": "custom_whiteboard"}, "[custom_whiteboard]"),
        ({"message": "*waves*", "type": "me"}, "waves"),
    ],
)  # fmt: skip
def test_posts_of_other_types(fields: dict[str, Any], expected: str) -> None:
    message = read(**fields)
    assert (to_plain(message.content.text), message.system) == (expected, False)


@pytest.mark.parametrize("kind", ["system_join_channel", "system_ephemeral", "add_bot_teams_channels"])
def test_notices_that_are_told_otherwise_are_left_out(kind: str) -> None:
    assert read(message="anna joined the channel.", type=kind).system


@pytest.mark.parametrize("kind", ["system_header_change", "system_something_new"])
def test_other_notices_are_nobodys_words(kind: str) -> None:
    message = read(message="anna updated the channel header", type=kind)
    assert not message.system
    assert message.content.text.blocks == (Paragraph((Text("anna updated the channel header", int(Mark.ITALIC)),)),)


@pytest.mark.parametrize(
    ("props", "name", "is_bot"),
    [
        ({"from_webhook": "true", "override_username": "Alertmanager"}, "Alertmanager", True),
        ({"from_webhook": True, "override_username": "Alertmanager"}, "Alertmanager", True),
        ({"override_username": "Anna Petrova"}, "", False),
        ({"from_webhook": "false", "override_username": "Anna Petrova"}, "", False),
        ({"from_bot": "true"}, "", True),
        ({"from_plugin": "true"}, "", True),
        ({}, "", False),
    ],
)
def test_other_names_are_those_of_webhooks(props: dict[str, Any], name: str, is_bot: bool) -> None:
    """As Mattermost itself shows them: anybody may write `override_username` into a post of their own."""
    author = read(message="x", props=props).author
    assert (author.name, author.is_bot) == (name, is_bot)


def test_files_are_told_by_their_ids_alone() -> None:
    message = read(file_ids=["f1", "f2"])
    assert [file.file_id for file in message.content.attachments] == ["f1", "f2"]


async def test_an_alert_arrives(server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake) -> None:
    poster = server.add_user("alerts")
    props = {"from_webhook": "true", "override_username": "Alertmanager", "attachments": [CARD]}
    async with running(mattermost, intake):
        server.post(channel, poster, "", type="slack_attachment", props=props)
        await intake.wait(1)
    (event,) = intake.of(MessageCreated)
    assert to_plain(event.content.text) == SHOWN
    assert event.meta.author is not None
    assert (event.meta.author.name, event.meta.author.is_bot) == ("Alertmanager", True)


def test_numbers_that_python_does_not_read_are_text() -> None:
    assert load_json('{"a": ' + "9" * 5000 + ', "b": [-1, 2.5]}') == {"a": "9" * 5000, "b": [-1, 2.5]}


async def test_one_post_that_is_odd_hides_no_other(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake
) -> None:
    """Long numbers, times of another age, values of other types: each costs itself at most."""
    anna = server.add_user("anna")
    async with running(mattermost, intake):
        server.post(channel, anna, "one")
        server.post(channel, anna, "odd", props={"attachments": [{"fields": [{"title": "n", "value": 10**4000 + 7}]}]})
        server.post(channel, anna, "old", edit_at=-(10**300), props=[1], metadata="none", type=7)
        server.post(channel, anna, "two")
        await intake.wait(4)
        ahead = server.post(channel, anna, "far ahead")
        server.posts[ahead]["update_at"] += 10**12
        await intake.wait(5)
        server.post(channel, anna, "three")
        await intake.wait(6)
    heads = [one.partition("\n")[0] for one in summary(intake)]
    assert heads == ["+one", "+odd", "+old", "+two", "+far ahead", "+three"]


async def test_every_change_of_a_card_is_an_edit(
    server: MattermostServer, channel: str, intake: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server counts none of them as an edit of the post. Also the second time that a card says the same, also of a post from
    long ago; and a reaction to the post changes nothing."""
    monkeypatch.setattr("adapters.teamspirit.inbound.receiver.REREAD_WITH_WEBHOOK_S", 0.05)
    poster = server.add_user("ci")
    adapter = make_adapter(account_options(server))

    def status(text: str) -> dict[str, Any]:
        return {"from_webhook": "true", "attachments": [{"title": "Build 7", "text": text}]}

    async with running(adapter, intake):
        built = server.post(channel, poster, "", props=status("running"))
        await intake.wait(1)
        for number, text in enumerate(("failed", "running", "failed", "passed"), start=2):
            server.change(built, props=status(text))
            await intake.wait(number)
        server.change(built)  # a reaction
        for number in range(310):
            server.post(channel, poster, f"{number}")
        await intake.wait(315)
    await adapter.close()
    server.posts[built]["create_at"] -= 3_600_000
    adapter = make_adapter(account_options(server))
    async with running(adapter, intake):
        server.change(built, props=status("deployed"))
        await intake.wait(316)
    await adapter.close()
    edits = [text_of(event.content.text).partition("\n")[2] for event in intake.of(MessageEdited)]
    assert edits == ["failed", "running", "failed", "passed", "deployed"]


WHOLE = post(
    "words",
    type="slack_attachment",
    root_id="r1",
    file_ids=["f1"],
    props={"from_webhook": "true", "override_username": "CI", "override_icon_url": "https://e.com/i", "attachments": [CARD]},
    metadata={"files": [{"id": "f1", "name": "a.png", "mime_type": "image/png", "size": 3}], "embeds": [{"type": "link"}]},
)
CALL = {
    "event_id": "e1",
    "event": "message.created",
    "time": "2026-01-01T00:00:00Z",
    "chat": {"id": "c1", "name": "team"},
    "user": {"id": "u1", "name": "anna", "display_name": "Anna", "avatar_url": "https://e.com/a", "is_bot": False},
    "message": {
        "id": "m1",
        "text": "words",
        "format": "markdown",
        "reply_to": "m0",
        "thread": "m0",
        "client_id": "",
        "files": [{"id": "f1", "name": "a", "mime": "image/png", "size": 3}],
        "sent_at": "2026-01-01T00:00:00Z",
        "edited_at": None,
    },
}


def leaves(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in it, whole branches included."""
    if at:
        yield at
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from leaves(value, (*at, key))


def changed(tree: Any, at: tuple[Any, ...], value: Any) -> Any:
    tree = copy.deepcopy(tree)
    inner = tree
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return tree


ODD = [10**400, "9" * 5000, -1, "\ud800"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
NEEDED_OF_POST = {("id",), ("user_id",), ("channel_id",)}
NEEDED_OF_CALL = {("event",), ("chat",), ("chat", "id"), ("user",), ("user", "id"), ("message",), ("message", "id")}


@pytest.mark.parametrize("at", [at for at in leaves(WHOLE) if at not in NEEDED_OF_POST], ids=str)
@settings(max_examples=examples(15))
@given(anything)
def test_no_decoration_costs_the_post(at: tuple[Any, ...], value: Any) -> None:
    message = DECODER.message(changed(WHOLE, at, value), "c1")
    assert (message.message_id, message.author.user_id) == ("p1", "u1")
    assert message.version
    assert message.edition
    if at not in (("message",), ("props",)) and "attachments" not in at:
        assert "HighCPU" in text_of(message.content.text)


TEAMSPIRIT = shipped("teamspirit")
CALLED = Decoder(TEAMSPIRIT, AccountName("ts"), is_own=lambda *_: False, chat_id=lambda native, _: native)


@pytest.mark.parametrize("at", [at for at in leaves(CALL) if at not in NEEDED_OF_CALL], ids=str)
@settings(max_examples=examples(15))
@given(anything)
def test_no_decoration_costs_the_call(at: tuple[Any, ...], value: Any) -> None:
    event = CALLED.event(changed(CALL, at, value), datetime(2026, 1, 1, tzinfo=UTC))
    assert isinstance(event, MessageCreated)
    assert event.message_id == "m1"
    if at != ("message", "text"):
        assert text_of(event.content.text) == "words"


def test_our_mark_counts_on_our_own_messages_alone() -> None:
    """Anybody may write it into a message of theirs, which must neither vanish nor pass for delivered."""
    for own, believed in ((False, ""), (True, "mbabcdef-1-0")):
        decoder = Decoder(MATTERMOST, AccountName("mm"), is_own=lambda *_, own=own: own, chat_id=lambda native, _: native)
        message = decoder.message(post("words", props={"from_bridge": "mbabcdef-1-0"}), "c1")
        event = decoder.created(message, datetime(2026, 1, 1, tzinfo=UTC))
        assert (event.meta.delivery_id, event.meta.sent_by_us) == (believed, own)


async def test_a_forged_mark_is_not_taken_for_the_message_that_was_sent(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake
) -> None:
    assert isinstance(mattermost, Reconciles)
    async with running(mattermost, intake):
        started = datetime.now(UTC)
        server.post(channel, server.add_user("mallory"), "not it", props={"from_bridge": "mbabcdef-1-0"})
        await intake.wait(1)
        assert await mattermost.reconcile(outbound(channel), started) is None
        receipt = await mattermost.send(outbound(channel))
        assert await mattermost.reconcile(outbound(channel), started) == receipt


AT_HOME = Decoder(
    MATTERMOST, AccountName("mm"), is_own=lambda *_: False, chat_id=lambda native, _: native, server="https://im.example.com/"
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("[see](/team/pl/abc)", Text("see", 0, "https://im.example.com/team/pl/abc")),
        ("![pic](/api/v4/files/x1)", Text("pic", 0, "https://im.example.com/api/v4/files/x1")),
        ("![pic](/api/v4/files/x1 =100x200)", Text("pic", 0, "https://im.example.com/api/v4/files/x1")),
        ("![](/api/v4/x)", Text("https://im.example.com/api/v4/x", 0, "https://im.example.com/api/v4/x")),
        ("[e](//evil.example/x)", Text("[e](//evil.example/x)")),
        ("[h](#part)", Text("[h](#part)")),
        ("[a](https://a.example/x)", Text("a", 0, "https://a.example/x")),
    ],
)
def test_a_link_to_a_path_leads_to_the_server(message: str, expected: Text) -> None:
    assert AT_HOME.message(post(message), "c1").content.text.blocks == (Paragraph((expected,)),)


def test_the_links_of_cards_lead_to_the_server_too() -> None:
    card = {
        "title": "t",
        "title_link": "/team/pl/abc",
        "author_name": "a",
        "author_link": "/team/messages/@a",
        "image_url": "/api/v4/f",
    }
    assert to_plain(AT_HOME.message(post(props={"attachments": [card]}), "c1").content.text).split("\n") == [
        "a (https://im.example.com/team/messages/@a)",
        "t (https://im.example.com/team/pl/abc)",
        "https://im.example.com/api/v4/f",
    ]


def test_a_post_that_a_permalink_shows_is_quoted() -> None:
    embeds = [
        {"type": "permalink", "data": {"post_id": "a", "post": {"message": "**words**\n\n> deep", "user_id": "u"}}},
        {"type": "permalink", "data": {"post": {"message": ""}}},
        {"type": "permalink", "data": None},
        {"type": "opengraph", "url": "https://x.example", "data": {"title": "not said"}},
        {"type": "permalink", "data": {"post": {"message": "x" * 100_000}}},
    ]
    lines = shown(message="look", metadata={"embeds": embeds}).split("\n")
    assert lines[:3] == ["look", "> words", "> > deep"]
    assert lines[-1] == "> " + "x" * 500


def test_blocks_are_shown_however_deep_they_are() -> None:
    blocks: list[Any] = [{"type": "text", "text": "one"}, {"type": "section", "text": {"type": "markdown", "text": "*two*"}}]
    blocks += [
        {"type": "container", "content": [{"type": "columns", "columns": [{"items": [{"type": "text", "content": "three"}]}]}]}
    ]
    assert shown(props={"mm_blocks": blocks}).split("\n") == ["one", "two", "three"]
    deep: dict[str, Any] = {"text": "end"}
    for _ in range(500):
        deep = {"content": [deep, deep]}
    assert "end" not in shown(props={"mm_blocks": [deep]})


def test_a_post_of_which_nothing_is_understood_is_a_line() -> None:
    assert shown(props={"board": {"id": 1}}) == "[something that only Mattermost shows]"
    assert shown(props={"mm_blocks": [{"type": "hologram"}]}) == "[something that only Mattermost shows]"
    assert shown(message="words", props={"board": {"id": 1}}) == "words"


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"metadata": {"priority": {"priority": "urgent", "requested_ack": True}}}, "[urgent]\nthe words"),
        ({"metadata": {"priority": {"priority": "", "requested_ack": None}}}, "the words"),
        ({"metadata": {"priority": None}}, "the words"),
        ({"message": "![a](https://mm/api/v4/image?url=x)", "message_source": "the words"}, "the words"),
        ({"message": "", "metadata": {"priority": {"priority": "important"}}}, "[important]"),
    ],
)
def test_a_priority_is_shown_and_words_are_those_that_were_written(more: dict[str, Any], shown: str) -> None:
    """`message_source` is there where the server's image proxy has rewritten `message`: server/public/model/post.go."""
    post = {"id": "p", "user_id": "u", "create_at": 1795669643000, "message": "the words", "props": {}, **more}
    assert text_of(DECODER.message(post, "c").content.text) == shown
