"""Which message or reaction is a command."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model.events import (
    Attachment,
    AttachmentKind,
    Author,
    ChatEvent,
    Content,
    EventMeta,
    Forward,
    MessageCreated,
    MessageEdited,
    ReactionsChanged,
    ReplyTo,
)
from bridge.model.refs import ChatRef
from bridge.model.rich_text import plain
from bridge.policy.allowance import Allowance
from bridge.policy.commands import Command, CommandRules, Listen, command_of
from tests.support.strategies import NOON, TEAM, TG

RULES = CommandRules(listen=(Listen(TG),), delete_on=("🗑️",), retry_on=("🔁",))
ANNA = Author(user_id="7", name="Anna")


def meta(author: Author | None = ANNA) -> EventMeta:
    return EventMeta(event_key="k", origin=ChatRef(TG, "1"), occurred_at=NOON, received_at=NOON, author=author)


def said(text: str, author: Author | None = ANNA, **content: Any) -> MessageCreated:
    return MessageCreated(meta=meta(author), message_id="1", content=Content(text=plain(text), **content))


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (said("!bridge"), Command(verb="help")),
        (said("  !Bridge   LINK  abcd-efgh "), Command(verb="link", argument="abcd-efgh")),
        (said("!bridge delete", reply_to=ReplyTo(message_id="9")), Command(verb="delete", about="9", is_reply=True)),
        (said("!bridge delete", reply_to=ReplyTo(message_id="9", chat_id="elsewhere")), Command(verb="delete", is_reply=True)),
        (said("!bridge dance"), Command(verb="dance")),
        (ReactionsChanged(meta=meta(), message_id="5", added=("🗑",)), Command(verb="delete", about="5")),
        (ReactionsChanged(meta=meta(), message_id="5", added=("👍", "🔁")), Command(verb="retry", about="5")),
    ],
)
def test_commands(event: ChatEvent, command: Command) -> None:
    assert command_of(event, RULES) == command


@pytest.mark.parametrize(
    "event",
    [
        said("say !bridge link"),
        said("!bridges"),
        said("!bridge link\nand more"),
        said("!bridge " + "x" * 200),
        said("!bridge delete", Author(user_id="8", name="Robot", is_bot=True)),
        said("!bridge delete", None),
        said("!bridge delete", Author(user_id="", name="x")),
        said("!bridge delete", forwarded_from=Forward()),
        said("!bridge delete", attachments=(Attachment(kind=AttachmentKind.PHOTO, file_id="f"),)),
        MessageEdited(meta=meta(), message_id="1", content=Content(text=plain("!bridge delete"))),
        ReactionsChanged(meta=meta(), message_id="5", added=("👍",), removed=("🗑️",)),
    ],
)
def test_what_is_none(event: ChatEvent) -> None:
    assert command_of(event, RULES) is None


def test_where_they_count() -> None:
    rules = CommandRules(listen=(Listen(TG), Listen(TEAM, "#general")))
    assert rules.hears(TG, ())
    assert rules.hears(TEAM, ("C1", "#general"))
    assert not rules.hears(TEAM, ("#random",))
    assert not rules.hears(TEAM, ())
    assert not CommandRules().hears(TG, ("1",))


def test_how_often() -> None:
    allowed = Allowance(most=2, within_s=10)
    assert [allowed.take("a", now_s) for now_s in (0, 1, 2, 9.9)] == [True, True, False, False]
    assert allowed.take("b", 2)
    assert allowed.take("a", 10.5)


@pytest.mark.parametrize(
    ("text", "word", "verb"),
    [
        ("/bridge status", "!bridge", "status"),
        ("/Bridge@Mirror_Bot status", "!bridge", "status"),
        ("/bridge@other_bot status", "!bridge", None),
        ("/bridge@ status", "!bridge", "status"),
        ("!bridge@mirror_bot status", "!bridge", None),
        ("/bridges status", "!bridge", None),
        ("//bridge status", "!bridge", None),
        ("/relay", "relay", "help"),
        ("/relay", "/relay", "help"),
        ("/Мост где", "!мост", "где"),
        ("/bridge_status", "!bridge", "status"),
        ("/bridge_mute@mirror_bot tg/5", "!bridge", "mute"),
        ("/bridge_status@other_bot", "!bridge", None),
        ("/bridge_club", "!bridge", None),
        ("/bridge_", "!bridge", None),
        ("!bridge_status", "!bridge", None),
        ("!bridge **", "!bridge", "**"),
        ("**", "!bridge", None),
        ("", "!bridge", None),
        ("/ status", "!!", None),
        ("/", "!!", None),
        ("/@mirror_bot", "/!", None),
        ("!! status", "!!", "status"),
    ],
)
def test_a_native_command_is_the_same_command(text: str, word: str, verb: str | None) -> None:
    found = command_of(said(text), CommandRules(word=word), ["Mirror", "@mirror_bot"])
    assert (found.verb if found else None) == verb
