"""Lines of a filter: what each condition looks at, and which line decides."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bridge.identity.people import People, Person
from bridge.model.events import (
    Attachment,
    AttachmentKind,
    Author,
    ChatEvent,
    Content,
    EventMeta,
    Forward,
    Location,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    Poll,
    PollVotesChanged,
    ReactionsChanged,
    ReplyTo,
)
from bridge.model.outcomes import Skip, read_skip, rule_of
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from bridge.policy.filters import CONTENT_KINDS, EVENT_KINDS, Condition, Filter, Place
from bridge.policy.routing import Route, RouteEnd, RoutingTable
from tests.support.strategies import NOON, TEAM, TG

SPIRIT = AccountName("spirit")
PEOPLE = People([Person(name="Anna Petrova", ids={TG: "7"}, roles=("Moderator",))])
ANNA = Author(user_id="7", name="anna on tg")
ENDS = (("tg", "1"), ("team", "2"), ("spirit", "3"))


def meta(author: Author | None = None, thread_id: str | None = None, chat: tuple[str, str] = ENDS[0]) -> EventMeta:
    origin = ChatRef(AccountName(chat[0]), chat[1])
    return EventMeta(event_key="k", origin=origin, occurred_at=NOON, received_at=NOON, author=author, thread_id=thread_id)


def said(text: str = "hi", *, author: Author | None = None, thread_id: str | None = None, **content: Any) -> MessageCreated:
    return MessageCreated(meta=meta(author, thread_id), message_id="1", content=Content(text=plain(text), **content))


def file(kind: AttachmentKind) -> tuple[Attachment, ...]:
    return (Attachment(kind=kind, file_id="f"),)


def line(verb: str, **condition: Any) -> Filter:
    return Filter(keep=verb == "keep", condition=Condition(**condition), name=f"filter 1: {verb} (line 3)")


def got(event: ChatEvent, *filters: Filter, of_spirit: tuple[Filter, ...] = ()) -> list[str]:
    """The accounts that get it."""
    ends = [RouteEnd(chat=ChatAddress(AccountName(account), chat)) for account, chat in ENDS]
    ends[2] = RouteEnd(chat=ends[2].chat, filters=of_spirit)
    table = RoutingTable([Route(name="r", ends=tuple(ends), filters=filters)])
    for end in ends:
        table.set_native_id(end.chat, end.chat.address)
    return [plan.end.chat.account for plan in table.plan(event, PEOPLE) if plan.skip_rule is None]


ALL = ["team", "spirit"]


@pytest.mark.parametrize(
    ("condition", "event"),
    [
        ({"role": ("moderator",)}, said(author=ANNA)),
        ({"role": ("x", "TEAM RED")}, said(author=Author(user_id="1", name="Kim", roles=("Team Red",)))),
        ({"thread": True}, said(thread_id="5")),
        ({"thread": False}, said()),
        ({"thread_id": "5"}, said(thread_id="5")),
        ({"kind": ("text",)}, said("words")),
        ({"kind": ("photo", "sticker")}, said(attachments=file(AttachmentKind.STICKER))),
        ({"kind": ("video_note",)}, said(attachments=file(AttachmentKind.VIDEO_NOTE))),
        ({"kind": ("reply",)}, said(reply_to=ReplyTo(message_id="3"))),
        ({"kind": ("forward",)}, said(forwarded_from=Forward())),
        ({"kind": ("poll",)}, said("", poll=Poll(question="?", options=()))),
        ({"kind": ("location",)}, said("", location=Location(latitude=1, longitude=2))),
        ({"kind": ("message",)}, said()),
        (
            {"kind": ("edit",), "text": re.compile("secret")},
            MessageEdited(meta=meta(), message_id="1", content=said("secret").content),
        ),
        ({"kind": ("reaction",), "role": ("moderator",)}, ReactionsChanged(meta=meta(ANNA), message_id="1", added=("x",))),
        ({"kind": ("delete",)}, MessageDeleted(meta=meta(), message_id="1")),
        ({"kind": ("vote",)}, PollVotesChanged(meta=meta(), message_id="1", votes=(1,))),
    ],
)
def test_what_a_condition_looks_at(condition: dict[str, Any], event: ChatEvent) -> None:
    assert got(event, line("drop", **condition)) == []
    assert got(event) == ALL


@pytest.mark.parametrize(
    ("condition", "event"),
    [
        ({"role": ("moderator",)}, said(author=Author(user_id="8", name="Anna Petrova"))),
        ({"role": ("moderator",)}, said()),
        ({"thread": True}, said()),
        ({"thread_id": "5"}, said(thread_id="6")),
        ({"kind": ("text",)}, said("words", attachments=file(AttachmentKind.PHOTO))),
        ({"kind": ("photo",)}, said()),
        ({"kind": ("edit",)}, said()),
        ({"kind": ("vote",)}, said()),
        ({"kind": ("photo",)}, MessageDeleted(meta=meta(), message_id="1")),
        # a line that names no kind of event is about messages
        ({"text": re.compile("")}, MessageEdited(meta=meta(), message_id="1", content=said().content)),
        ({"bot": False}, ReactionsChanged(meta=meta(ANNA), message_id="1", added=("x",))),
    ],
)
def test_what_it_does_not_hold_for(condition: dict[str, Any], event: ChatEvent) -> None:
    assert got(event, line("drop", **condition)) == ALL


def test_every_kind_has_one_name() -> None:
    assert set(CONTENT_KINDS) >= {kind.value for kind in AttachmentKind}
    assert not set(CONTENT_KINDS) & set(EVENT_KINDS)


def test_a_line_for_some_ends_leaves_the_others_alone() -> None:
    no_bots = line("drop", text=re.compile("hi"), targets=(Place(TEAM),))
    assert got(said(), no_bots) == ["spirit"]
    assert got(said(), line("drop", targets=(Place(SPIRIT, "spirit/3"),))) == ["team"]
    assert got(said(), line("drop", targets=(Place(SPIRIT, "spirit/4"),))) == ALL
    assert got(said(), line("drop", origins=(Place(TEAM),))) == ALL
    assert got(said(), line("drop", origins=(Place(TG),))) == []


def test_a_keep_for_one_end_asks_nothing_of_the_others() -> None:
    assert got(said(), line("keep", text=re.compile("urgent"), targets=(Place(TEAM),))) == ["spirit"]


def test_an_end_has_lines_of_its_own_after_those_of_the_route() -> None:
    quiet = (line("keep", text=re.compile("urgent")),)
    assert got(said("chat"), of_spirit=quiet) == ["team"]
    assert got(said("urgent"), of_spirit=quiet) == ALL
    assert got(said("urgent"), line("drop", text=re.compile("urgent")), of_spirit=quiet) == []


def test_lines_that_keep_drop_no_edits_or_deletions() -> None:
    """They follow their message, which the filter dropped or kept."""
    urgent = line("keep", text=re.compile("urgent"))
    assert got(MessageDeleted(meta=meta(), message_id="1"), urgent) == ALL
    assert got(said(), urgent) == []


def test_the_rule_that_is_stored_is_read_again() -> None:
    drop = line("drop", kind=("text",))
    ends = [RouteEnd(chat=ChatAddress(TG, "1")), RouteEnd(chat=ChatAddress(TEAM, "2"))]
    table = RoutingTable([Route(name="r", ends=tuple(ends), filters=(drop,))])
    for end in ends:
        table.set_native_id(end.chat, end.chat.address)
    (plan,) = table.plan(said())
    assert plan.skip_rule is not None
    assert str(plan.skip_rule) == "filter 1: drop (line 3)"
    assert rule_of(plan.skip_rule) is read_skip(str(plan.skip_rule)) is Skip.FILTER
