"""Each payload of the corpus with one thing in it missing, null, of another type or huge: decoding raises nothing but that it is
not understood; and while ids, chat and author are there, the message arrives, as theirs, and every other platform can show it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry import load_platform
from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.model.events import ChatEvent, MessageCreated, MessageEdited
from bridge.model.refs import AccountName
from bridge.render.message import Target, render
from bridge.render.origin import Origin
from tests.conformance.cases import CODECS
from tests.corpus.case import cases
from tests.corpus.decoders import ACCOUNT, Json, Refused, decoded
from tests.flows.world import PLATFORMS
from tests.support.budget import examples
from tests.support.strategies import fetched, plain_measure

PAYLOADS = [(case.origin, f"{case.name}#{at}", payload) for case in cases() for at, payload in enumerate(case.payloads)]
ORIGINS = sorted({origin for origin, _, _ in PAYLOADS})
TARGETS = [
    Target(
        account=AccountName(name),
        platform=name,
        capabilities=load_platform(name).capabilities(None),
        measure=plain_measure,
    )
    for name in PLATFORMS
]
_ID = re.compile(r"(^|_)ids?$|^(ts|deleted_ts|thread_ts|event_ts)$")
_KIND = frozenset({"type", "event", "t", "subtype", "isEdited", "delete_at"})
"""`delete_at` says that a message is gone."""
_KINDS_OF_SENDERS = {
    "webhook/github-": {"action", "commits", "deleted"},
    "webhook/gitlab": {"object_attributes", "status"},
    "webhook/jira": {"comment", "issue", "webhookEvent"},
    "webhook/sentry-issue": {"action", "actor", "issue"},
}
"""By what a shipped template tells what it shows from what it ignores, which is counted as ignored."""
_HOLDERS = frozenset({"from", "user", "author", "u", "chat", "channel", "sender_chat", "thread", "d", "message", "username"})
_UPDATES = frozenset({"edited_message", "channel_post", "edited_channel_post", "previous_message", "data"})

_DEEP: Any = "x"
for _ in range(60):
    _DEEP = {"text": [_DEEP], "type": "bold"}
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    5,
    2**63,
    10**30,
    1.5,
    1e308,
    "",
    "x",
    "\ud800",
    "@everyone <@1> **[",
    "A" * 70_000,
    "\n" * 5000,
    [],
    [None],
    [[]],
    {},
    {"id": "7"},
    {"text": {"text": "x"}},
    [{"type": "x"}] * 300,
    _DEEP,
]
MISSING = object()

Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where every value of a payload is; of a webhook's request those in the body, since headers are texts."""
    if at == ("headers",):
        return
    if at and at != ("json",):
        yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*at, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:30]):
            yield from places(inner, (*at, number))


def may_cost_the_message(at: Place, payload_name: str = "") -> bool:
    """Ids, the chat, the author, what holds them, and what says which kind of thing it is."""
    name = next(part for part in reversed(at) if isinstance(part, str))
    kinds = next((kinds for begin, kinds in _KINDS_OF_SENDERS.items() if payload_name.startswith(begin)), set())
    return bool(_ID.search(name)) or name in _KIND | _HOLDERS | _UPDATES | kinds


def changed(payload: Json, at: Place, odd: Any) -> Json:
    made = copy.deepcopy(payload)
    holder: Any = made
    for part in at[:-1]:
        holder = holder[part]
    if odd is MISSING:
        del holder[at[-1]]
    else:
        holder[at[-1]] = odd
    return made


def told(events: list[ChatEvent]) -> list[tuple[str, str, str]]:
    """Of each message: its chat, its id, its author."""
    return [
        (event.meta.origin.chat_id, event.message_id, event.meta.author.user_id if event.meta.author is not None else "")
        for event in events
        if isinstance(event, MessageCreated)
    ]


def show(event: ChatEvent) -> None:
    """As every platform shows it; raises if one cannot."""
    if not isinstance(event, MessageCreated | MessageEdited):
        return
    origin = Origin(account=ACCOUNT, platform="elsewhere", chat_name="lobby")
    for target in TARGETS:
        made = render(
            event,
            origin=origin,
            target=target,
            fetched=[fetched(file) for file in event.content.attachments],
            reply=None,
            people=People(),
            names=Names(people=People()),
        )
        assert made.parts
        for part in made.parts:
            CODECS[target.platform].encode(part.text)


@pytest.mark.parametrize("origin", ORIGINS)
@settings(max_examples=examples(1200), deadline=None)
@given(data=st.data())
def test_a_payload_with_one_odd_value_costs_at_most_that_value(origin: str, data: st.DataObject) -> None:
    name, payload = data.draw(st.sampled_from([(name, payload) for each, name, payload in PAYLOADS if each == origin]))
    at = data.draw(st.sampled_from(list(places(payload))))
    odd = data.draw(st.sampled_from([MISSING, *ODD]))
    check(origin, name, payload, at, odd)


def check(origin: str, name: str, payload: Json, at: Place, odd: Any) -> None:
    what = f"{name}: {at} = {str(odd)[:40]!r}"
    whole, is_whole = events_of(origin, payload)
    events, is_read = events_of(origin, changed(payload, at, odd))
    if is_whole and told(whole) and not may_cost_the_message(at, name):
        if not is_read and origin == "webhook":
            return  # its sender is told what is wrong
        assert is_read, f"{what} costs the message"
        allowed = {*told(whole), *((chat, message, "") for chat, message, _ in told(whole))}
        assert set(told(events)) <= allowed, f"{what} is of somebody else"
        arrived, expected = ([one[:2] for one in told(each)] for each in (events, whole))
        assert arrived == expected, f"{what} makes the message vanish"
    for event in events:
        show(event)


def events_of(origin: str, payload: Json) -> tuple[list[ChatEvent], bool]:
    """None where the payload is not understood, and whether it is."""
    try:
        return decoded(origin, payload), True
    except Refused:
        return [], False


def test_ids_may_cost_the_message_and_its_words_may_not() -> None:
    payload: Json = next(payload for _, name, payload in PAYLOADS if name == "slack/file-share#0")
    assert told(decoded("slack", payload))
    assert events_of("slack", changed(payload, ("ts",), MISSING)) == ([], False)
    assert may_cost_the_message(("ts",))
    assert not may_cost_the_message(("text",))
    assert not may_cost_the_message(("files", 0))


def test_a_message_that_vanishes_over_an_odd_value_is_noticed() -> None:
    payload: Json = next(payload for _, name, payload in PAYLOADS if name == "discord/attachment#0")
    with pytest.raises(AssertionError, match="makes the message vanish"):
        check("discord", "discord/attachment#0", payload, ("d", "flags"), 1 << 6)  # EPHEMERAL


def test_a_webhooks_request_that_vanishes_is_noticed_too() -> None:
    payload: Json = next(payload for _, name, payload in PAYLOADS if name == "webhook/jira#0")
    at, odd = ("json", "webhookEvent"), "sprint_created"
    check("webhook", "webhook/jira#0", payload, at, odd)
    with pytest.raises(AssertionError, match="makes the message vanish"):
        check("webhook", "webhook/another", payload, at, odd)
