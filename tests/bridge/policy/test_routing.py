"""Which chats an event goes to, and which rule keeps it away."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.identity.people import People, Person
from bridge.model.events import (
    Author,
    ChatEvent,
    ChatRenamed,
    Content,
    EventMeta,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    Status,
    StatusChanged,
    TypingStarted,
)
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from bridge.policy.filters import Condition, Filter
from bridge.policy.routing import RelayOptions, Route, RouteEnd, RoutingTable
from tests.support.strategies import NOON, TEAM, TG, attachment

SPIRIT = AccountName("spirit")


def end(text: str, thread_id: str | None = None, **details: object) -> RouteEnd:
    account, address = text.split("/")
    return RouteEnd(chat=ChatAddress(AccountName(account), address), thread_id=thread_id, **details)  # type: ignore[arg-type]


def table(*routes: Route, **native: str) -> RoutingTable:
    """Every address leads to a chat of the same id, but for those given."""
    made = RoutingTable(routes)
    for route in routes:
        for one in route.ends:
            made.set_native_id(one.chat, native.get(one.chat.address.strip("#"), one.chat.address))
    return made


def meta(chat: str, thread_id: str | None = None, author: Author | None = None) -> EventMeta:
    account, chat_id = chat.split("/")
    return EventMeta(
        event_key="k",
        origin=ChatRef(AccountName(account), chat_id),
        occurred_at=NOON,
        received_at=NOON,
        thread_id=thread_id,
        author=author,
    )


def said(chat: str, text: str = "hi", *, thread_id: str | None = None, author: Author | None = None, files: int = 0) -> ChatEvent:
    content = Content(text=plain(text), attachments=tuple(attachment(f"{n}") for n in range(files)))
    return MessageCreated(meta=meta(chat, thread_id, author), message_id="1", content=content)


def targets(made: RoutingTable, event: ChatEvent, people: People | None = None) -> list[str]:
    return [str(plan.end) for plan in made.plan(event, people) if not plan.skip_rule]


def skips(made: RoutingTable, event: ChatEvent) -> dict[str, str]:
    return {str(plan.end): plan.skip_rule for plan in made.plan(event) if plan.skip_rule}


TRIO = Route(name="trio", ends=(end("tg/1"), end("team/2"), end("spirit/3")))

# -- where to ---------------------------------------------------------------------------------------------------------------


def test_every_other_end_of_the_route() -> None:
    made = table(TRIO)
    assert targets(made, said("tg/1")) == ["team/2", "spirit/3"]
    assert targets(made, said("spirit/3")) == ["tg/1", "team/2"]
    assert targets(made, said("tg/9")) == []
    assert targets(made, said("team/1")) == []


def test_directions() -> None:
    one_way = Route(name="one way", ends=(end("team/2", receives=False), end("tg/1", sends=False), end("spirit/3", sends=False)))
    made = table(one_way)
    assert targets(made, said("team/2")) == ["tg/1", "spirit/3"]
    assert targets(made, said("tg/1")) == []
    assert made.origin_chats(TEAM) == {"2"}
    assert made.origin_chats(TG) == frozenset()


def test_a_place_that_several_routes_lead_to_gets_one_copy() -> None:
    made = table(TRIO, Route(name="again", ends=(end("tg/1"), end("team/2"), end("guild/4"))))
    assert targets(made, said("tg/1")) == ["team/2", "spirit/3", "guild/4"]


def test_two_addresses_of_one_chat_are_one_place() -> None:
    made = table(
        Route(name="by name", ends=(end("tg/1"), end("team/#general"))),
        Route(name="by id", ends=(end("tg/1"), end("team/C1"))),
        general="C1",
    )
    assert targets(made, said("tg/1")) == ["team/#general"]
    assert targets(made, said("team/C1")) == ["tg/1"]


def test_a_chat_never_gets_its_own_messages_back() -> None:
    made = table(Route(name="loop", ends=(end("team/#general"), end("team/C1"), end("tg/1"))), general="C1")
    assert targets(made, said("team/C1")) == ["tg/1"]


def test_a_route_that_takes_the_event_wins_over_one_that_skips_it() -> None:
    drop = Filter(keep=False, condition=Condition(text=re.compile("hi")), name="filter 1: drop text hi")
    made = table(Route(name="strict", ends=(end("tg/1"), end("team/2")), filters=(drop,)), TRIO)
    (to_team, *_) = made.plan(said("tg/1"))
    assert (to_team.route, to_team.skip_rule) == ("trio", None)


# -- addresses --------------------------------------------------------------------------------------------------------------


def test_nothing_is_routed_before_an_address_is_resolved() -> None:
    made = RoutingTable([TRIO])
    assert made.plan(said("tg/1")) == []
    assert made.addresses(TG) == [ChatAddress(TG, "1")]
    assert made.native_id(ChatAddress(TG, "1")) is None
    made.set_native_id(ChatAddress(TG, "1"), "1")
    assert targets(made, said("tg/1")) == ["team/2", "spirit/3"]


def test_a_chat_that_moved_is_followed() -> None:
    made = table(TRIO)
    assert made.origin_chats(TG) == {"1"}
    made.set_native_id(ChatAddress(TG, "1"), "-100")
    assert made.origin_chats(TG) == {"-100"}
    assert targets(made, said("tg/1")) == []
    assert targets(made, said("tg/-100")) == ["team/2", "spirit/3"]


def test_the_end_of_a_stored_delivery_is_found_again() -> None:
    made = table(Route(name="topics", ends=(end("tg/1", "45"), end("team/2"))))
    assert made.end("topics", ChatAddress(TG, "1"), "45") == end("tg/1", "45")
    assert made.end("topics", ChatAddress(TG, "1"), None) is None
    assert made.end("gone", ChatAddress(TG, "1"), "45") is None


# -- threads ----------------------------------------------------------------------------------------------------------------


def test_a_thread_with_its_own_end_does_not_use_that_of_the_chat() -> None:
    made = table(
        Route(name="chat", ends=(end("tg/1"), end("team/2"))),
        Route(name="topic", ends=(end("tg/1", "45"), end("spirit/3"))),
    )
    assert targets(made, said("tg/1")) == ["team/2"]
    assert targets(made, said("tg/1", thread_id="45")) == ["spirit/3"]
    assert targets(made, said("tg/1", thread_id="46")) == ["team/2"]


def test_threads_of_one_chat_can_be_mirrored() -> None:
    made = table(Route(name="topics", ends=(end("tg/1", "45"), end("tg/1", "46"))))
    assert targets(made, said("tg/1", thread_id="45")) == ["tg/1/46"]
    assert targets(made, said("tg/1")) == []


@pytest.mark.parametrize(
    "event",
    [
        MessageDeleted(meta=meta("tg/1"), message_id="1"),
        ReactionsChanged(meta=meta("tg/1"), message_id="1", added=("👍",)),
        MessageEdited(meta=meta("tg/1"), message_id="1", content=Content(text=plain("x"))),
    ],
)
def test_what_happens_to_a_message_may_be_told_without_its_thread(event: ChatEvent) -> None:
    made = table(Route(name="topic", ends=(end("tg/1", "45"), end("spirit/3"))))
    assert targets(made, event) == ["spirit/3"]


# -- switches ---------------------------------------------------------------------------------------------------------------

KIM = Author(user_id="7", name="Kim", username="kim_l")
SWITCHED: list[tuple[ChatEvent, str]] = [
    (MessageEdited(meta=meta("tg/1"), message_id="1", content=Content()), "edits"),
    (MessageDeleted(meta=meta("tg/1"), message_id="1"), "deletes"),
    (ReactionsChanged(meta=meta("tg/1"), message_id="1"), "reactions"),
    (MembershipChanged(meta=meta("tg/1"), change=MembershipKind.JOINED, member=KIM), "membership"),
    (ChatRenamed(meta=meta("tg/1"), name="x"), "renames"),
    (PinsChanged(meta=meta("tg/1"), message_id="1", pinned=True), "pins"),
    (TypingStarted(meta=meta("tg/1")), "typing"),
    (StatusChanged(meta=meta("tg/1"), status=Status.AWAY), "statuses"),
    (said("tg/1", author=Author(user_id="7", name="b", is_bot=True)), "bots"),
]


@pytest.mark.parametrize(("event", "switch"), SWITCHED, ids=[switch for _, switch in SWITCHED])
def test_each_kind_has_its_switch(event: ChatEvent, switch: str) -> None:
    def routed(on: bool) -> RoutingTable:
        return table(
            Route(name="r", ends=(end("tg/1"), end("team/2", options=msgspec.structs.replace(RelayOptions(), **{switch: on}))))
        )

    assert targets(routed(True), event) == ["team/2"]
    assert targets(routed(False), event) == []
    assert skips(routed(False), event) == {"team/2": f"{switch} are off" if switch[-1] == "s" else f"{switch} is off"}


# -- filters ----------------------------------------------------------------------------------------------------------------


def filtered(*filters: Filter) -> RoutingTable:
    return table(Route(name="r", ends=(end("tg/1"), end("team/2")), filters=filters))


def drop(**condition: object) -> Filter:
    return Filter(keep=False, condition=Condition(**condition), name="drop it")  # type: ignore[arg-type]


def keep(**condition: object) -> Filter:
    return Filter(keep=True, condition=Condition(**condition), name="keep it")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "event", "dropped"),
    [
        (drop(text=re.compile("^DEBUG")), said("tg/1", "DEBUG x"), True),
        (drop(text=re.compile("^DEBUG")), said("tg/1", "no DEBUG"), False),
        (drop(author=re.compile("^kim_l$")), said("tg/1", author=KIM), True),
        (drop(author=re.compile("^Kim$")), said("tg/1", author=KIM), True),
        (drop(author=re.compile("^Lee$")), said("tg/1", author=KIM), False),
        (drop(author=re.compile("")), said("tg/1"), False),
        (drop(bot=True), said("tg/1", author=Author(user_id="1", name="b", is_bot=True)), True),
        (drop(bot=True), said("tg/1", author=KIM), False),
        (drop(files=True), said("tg/1", files=1), True),
        (drop(files=True), said("tg/1"), False),
        (drop(files=True, text=re.compile("x")), said("tg/1", "y", files=1), False),
        (drop(), said("tg/1"), True),
    ],
)
def test_conditions(rule: Filter, event: ChatEvent, dropped: bool) -> None:
    assert skips(filtered(rule), event) == ({"team/2": "drop it"} if dropped else {})


def test_the_first_rule_that_holds_decides_and_keep_makes_the_rest_dropped() -> None:
    made = filtered(keep(text=re.compile("urgent")), drop(author=re.compile("Kim")), keep(author=re.compile("Lee")))
    lee = Author(user_id="8", name="Lee")
    assert skips(made, said("tg/1", "urgent!", author=KIM)) == {}
    assert skips(made, said("tg/1", "hi", author=KIM)) == {"team/2": "drop it"}
    assert skips(made, said("tg/1", "hi", author=lee)) == {}
    assert skips(made, said("tg/1", "hi")) == {"team/2": "filter: nothing keeps it"}


def test_an_author_filter_knows_people_by_their_configured_name() -> None:
    made = filtered(drop(author=re.compile("^Kimberly Lee$")))
    people = People([Person(name="Kimberly Lee", ids={TG: "7"})])
    assert targets(made, said("tg/1", author=KIM), people) == []
    assert targets(made, said("tg/1", author=KIM)) == ["team/2"]


def test_filters_are_about_messages_alone() -> None:
    made = filtered(drop())
    assert targets(made, MessageDeleted(meta=meta("tg/1"), message_id="1")) == ["team/2"]


# -- for all routes ---------------------------------------------------------------------------------------------------------

ENDS = st.builds(
    lambda account, chat, thread, receives, sends: end(f"{account}/{chat}", thread, receives=receives, sends=sends),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["1", "2", "#one"]),
    st.sampled_from([None, None, "t"]),
    st.booleans(),
    st.booleans(),
)
ROUTES = st.lists(st.lists(ENDS, min_size=1, max_size=4), max_size=4)


@given(ROUTES, st.sampled_from("abc"), st.sampled_from("12"), st.sampled_from([None, "t"]))
def test_no_place_twice_and_never_back(ends: list[list[RouteEnd]], account: str, chat: str, thread_id: str | None) -> None:
    made = table(*(Route(name=str(number), ends=tuple(some)) for number, some in enumerate(ends)), one="1")
    plans = made.plan(said(f"{account}/{chat}", thread_id=thread_id))
    places = [(plan.end.chat.account, made.native_id(plan.end.chat), plan.end.thread_id) for plan in plans]
    assert len(set(places)) == len(places)
    assert (account, chat, thread_id) not in places
    assert all(plan.end.receives for plan in plans)
