"""Commands carried out on a real journal: once, whoever delivers them twice; for whom they are; and what they answer where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from bridge.accounts.health import HealthReport
from bridge.identity.names import Names
from bridge.identity.people import People, Person, with_links
from bridge.intake import retrying
from bridge.intake.bot_names import OwnNames
from bridge.intake.commands import Commands
from bridge.intake.community import Community
from bridge.journal.contract import AcceptRequest, Dead, DecisionKind, Delivered, PartReceipt, PlannedDelivery, Verdict
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Receipt
from bridge.model.events import Author, BridgeSaid, Content, EventMeta, MessageCreated, ReplyTo
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain, text_of
from bridge.policy.commands import CommandRules, Listen
from bridge.policy.routing import OWN_ROUTE, Route, RouteEnd, RoutingTable
from tests.support.clock import ManualClock
from tests.support.strategies import NOON, TEAM, TG

ADMIN = Author(user_id="1", name="Admin", username="admin_1")
OWNER = Author(user_id="2", name="Owner")
MALLORY = Author(user_id="66", name="Admin", username="1")


class Chat:
    """Two chats of a route, and what is answered there."""

    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal(folder / "bridge.journal")
        self.clock = ManualClock()
        self.community = Community(self.journal.persons, on_change=lambda: None)
        ends = (RouteEnd(chat=ChatAddress(TG, "-1")), RouteEnd(chat=ChatAddress(TEAM, "#general")))
        others = (RouteEnd(chat=ChatAddress(TG, "-2"), thread_id="7"), RouteEnd(chat=ChatAddress(TEAM, "#secret")))
        self.table = RoutingTable([Route(name="r", ends=ends), Route(name="hidden", ends=others)], also=[ChatAddress(TG, "-3")])
        for number in ("-2", "-3"):
            self.table.set_native_id(ChatAddress(TG, number), number)
        self.table.set_native_id(ends[0].chat, "-1")
        self.table.set_native_id(ends[1].chat, "C1")
        self.number = 0
        self.is_posting: Callable[[], bool] = lambda: False
        self.commands = Commands(
            self.journal,
            self.community,
            self.clock,
            OwnNames(self.journal, on_change=lambda: None),
            rules=lambda: CommandRules(listen=(Listen(TG), Listen(TEAM))),
            people=lambda: self.people,
            names=lambda: Names((), self.people),
            table=lambda: self.table,
            health=lambda: HealthReport({}, self.table, lambda _: None, self.clock),
            is_posting=lambda _address: self.is_posting(),
        )

    @property
    def people(self) -> People:
        known = [
            Person(name="The Admin", ids={TG: "1"}, roles=("moderator",)),
            Person(name="The Owner", ids={TG: "2"}, roles=("Admin",)),
        ]
        return People(with_links(known, self.community.groups()))

    def said(
        self,
        text: str,
        author: Author = ADMIN,
        account: AccountName = TG,
        chat: str = "-1",
        about: str = "",
        *,
        private: bool = False,
    ) -> MessageCreated:
        self.number += 1
        meta = EventMeta(
            event_key=f"k{self.number}",
            origin=ChatRef(account, chat),
            occurred_at=NOON,
            received_at=NOON,
            author=author,
            is_private=private,
        )
        reply = ReplyTo(message_id=about) if about else None
        return MessageCreated(meta=meta, message_id=str(self.number), content=Content(text=plain(text), reply_to=reply))

    async def give(self, event: MessageCreated) -> list[tuple[str, str]]:
        """(chat, words) of each answer, after event and answers were stored, as intake does."""
        taken = await self.commands.take(event)
        if taken is None:
            return [("", "no command")]
        requests = [AcceptRequest(event=event, deliveries=()), *taken]
        results = await self.journal.accept(self.journal.lease(event.meta.origin.account), requests, (), received_at=NOON)
        assert all(result.verdict is Verdict.ACCEPTED for result in results)
        answers = [(request.event, request.deliveries) for request in taken if isinstance(request.event, BridgeSaid)]
        assert all(planned.route == OWN_ROUTE for _, deliveries in answers for planned in deliveries)
        return [(str(deliveries[0].target), text_of(said.text)) for said, deliveries in answers]


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    made = Chat(tmp_path)
    await made.journal.open()
    yield made
    await made.journal.close()


async def test_a_command_that_is_delivered_again_does_nothing(chat: Chat) -> None:
    event = chat.said("!bridge optout")
    assert [where for where, _ in await chat.give(event)] == ["tg/-1"]
    assert await chat.journal.persons.undecide(
        chat_user := (await chat.journal.persons.decisions())[0].user, DecisionKind.OPTED_OUT
    )
    assert await chat.commands.take(event) == ()
    assert await chat.journal.persons.decisions() == [], f"{chat_user} decided otherwise since"


async def test_what_was_done_before_a_crash_is_done_again_and_answered(chat: Chat) -> None:
    event = chat.said("!bridge optout")
    assert await chat.commands.take(event)  # the process ends before the event is stored
    assert [where for where, _ in await chat.give(event)] == ["tg/-1"]
    assert len(await chat.journal.persons.decisions()) == 1


async def test_a_right_goes_by_the_user_id_alone(chat: Chat) -> None:
    ((_, told),) = await chat.give(chat.said("!bridge mute tg/5", author=MALLORY))
    assert told.startswith("Only people with the role moderator")
    assert await chat.journal.persons.decisions() == []
    (entry,) = await chat.journal.persons.audited()
    assert (entry.actor, entry.action, entry.result) == ("tg/66", "mute", "refused: no moderator")
    ((_, told),) = await chat.give(chat.said("!bridge mute tg/5 30"))
    assert told == "Messages of 5 are not relayed any more for 30 minutes."
    ((_, told),) = await chat.give(chat.said("!bridge mute tg/1"))
    assert "is a moderator" in told
    ((_, told),) = await chat.give(chat.said("!bridge mute tgg/5"))
    assert told.startswith("Who is meant?"), "no such account"
    ((_, told),) = await chat.give(chat.said("!bridge mute"))
    assert told.startswith("Who is meant?")


async def test_somebody_who_gives_too_many_commands_is_not_answered(chat: Chat) -> None:
    answers = [await chat.give(chat.said(f"!bridge link WRON-G{n:03}", author=MALLORY)) for n in range(25)]
    assert [bool(one) for one in answers] == [True] * 20 + [False] * 5
    chat.clock.forward(601)
    assert await chat.give(chat.said("!bridge help", author=MALLORY))


async def test_a_private_chat_with_the_bot(chat: Chat) -> None:
    ((where, told),) = await chat.give(chat.said("!bridge help", author=MALLORY, chat="66", private=True))
    assert where == "tg/66"
    assert "optout" in told
    assert "mute" not in told
    assert chat.table.end(OWN_ROUTE, ChatAddress(TG, "66"), None) is not None
    assert chat.table.end("r", ChatAddress(TG, "66"), None) is None


async def test_messages_that_are_not_known(chat: Chat) -> None:
    for verb in ("delete", "retry"):
        ((_, told),) = await chat.give(chat.said(f"!bridge {verb}", about="404"))
        assert told.startswith("That message is not known.")
    assert (await chat.give(chat.said("good morning"))) == [("", "no command")]


async def test_a_copy_that_is_not_noted_yet_is_waited_for(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """People see it before the platform's answer has come."""
    said = chat.said("spam", author=MALLORY, account=TEAM, chat="C1")
    planned = PlannedDelivery(route="r", target=ChatAddress(TG, "-1"))
    request = AcceptRequest(event=said, deliveries=(planned,))
    (accepted,) = await chat.journal.accept(chat.journal.lease(TEAM), [request], (), received_at=NOON)
    (delivery,) = accepted.delivery_ids
    looks = 0
    asked = asyncio.Event()

    def is_posting() -> bool:
        nonlocal looks
        looks += 1
        if looks > 1:
            asked.set()
        return True

    chat.is_posting = is_posting

    async def note() -> None:
        await asked.wait()
        receipt = PartReceipt(
            delivery_id=delivery,
            event_seq=accepted.event_seq,
            part=0,
            chat=ChatRef(TG, "-1"),
            target=planned.target,
            receipt=Receipt(message_ids=("77",)),
            at=NOON,
        )
        await chat.journal.record(chat.journal.lease(TG), [receipt, Delivered(delivery_id=delivery, at=NOON)])

    async def no_time_passes(_s: float) -> None:
        await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(note())
        with monkeypatch.context() as patched:
            patched.setattr(chat.clock, "sleep", no_time_passes)
            ((_, told),) = await chat.give(chat.said("!bridge delete", about="77"))
    assert told.startswith("The message is deleted")
    assert looks > 1
    ((_, told),) = await chat.give(chat.said("!bridge delete", about="404"))
    assert told.startswith("That message is not known."), "after a while"


async def test_a_code_is_over_after_ten_minutes_and_says_nothing_twice(chat: Chat) -> None:
    ((_, told),) = await chat.give(chat.said("!bridge link"))
    code = told.rpartition(" ")[2]
    other = Author(user_id="U9", name="Admin on Slack")
    same = await chat.give(chat.said(f"!bridge link {code}", author=MALLORY))
    assert "another platform" in same[0][1]
    answers = await chat.give(chat.said(f"!bridge link {code.lower()}", author=other, account=TEAM, chat="C1"))
    assert [where for where, _ in answers] == ["team/#general", "tg/-1"]
    again = await chat.give(chat.said(f"!bridge link {code}", author=MALLORY, account=TEAM, chat="C1"))
    assert again[0][1].startswith("There is no such code")
    chat.clock.forward(601)
    assert (await chat.give(chat.said("!bridge link yes")))[0][1].startswith("There is nothing to agree to")


async def test_agreeing_twice_is_not_agreement_of_both(chat: Chat) -> None:
    ((_, told),) = await chat.give(chat.said("!bridge link"))
    other = Author(user_id="U9", name="Admin on Slack", username="admin")
    await chat.give(chat.said(f"!bridge link {told.rpartition(' ')[2]}", author=other, account=TEAM, chat="C1"))
    for _ in range(2):
        await chat.give(chat.said("!bridge link yes", author=other, account=TEAM, chat="C1"))
    await chat.give(chat.said("!bridge link yes", author=MALLORY))
    assert await chat.journal.persons.linked() == []
    answers = await chat.give(chat.said("!bridge link yes"))
    assert {where for where, _ in answers} == {"team/#general", "tg/-1"}
    assert {str(one.user) for one in await chat.journal.persons.linked()} == {"tg/1", "team/U9"}
    person = chat.people.find(TEAM, user_id="U9")
    assert person is not None
    assert (person.name, person.roles) == ("The Admin", ("moderator",)), "as bridge.yaml says"
    await chat.give(chat.said("!bridge unlink", author=other, account=TEAM, chat="C1"))
    assert await chat.journal.persons.linked() == []


# -- foreign groups, private chats --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("author", [ADMIN, OWNER, MALLORY])
@pytest.mark.parametrize("text", ["!bridge help", "!bridge status", "!bridge link", "/bridge_status"])
async def test_in_a_group_without_a_route_nothing_is_a_command(chat: Chat, author: Author, text: str) -> None:
    assert await chat.give(chat.said(text, author=author, chat="-666")) == [("", "no command")]
    assert await chat.journal.persons.audited() == []


async def test_the_whole_bridge_is_for_admins_in_private(chat: Chat) -> None:
    ((where, told),) = await chat.give(chat.said("!bridge status", author=OWNER, chat="2", private=True))
    assert (where, told) == ("tg/2", "all accounts: all is well.")
    ((_, told),) = await chat.give(chat.said("!bridge status", chat="1", private=True))
    assert told.startswith("No route has this chat."), "a moderator is no admin"
    ((_, told),) = await chat.give(chat.said("!bridge status", author=MALLORY, chat="66", private=True))
    assert told.startswith("Only people with the role moderator")
    ((_, told),) = await chat.give(chat.said("!bridge status", author=OWNER))
    assert told.startswith("Only people with the role moderator"), "others read it"
    ((_, told),) = await chat.give(chat.said("!bridge delete", author=OWNER, chat="2", about="5", private=True))
    assert told.startswith("Only people with the role moderator")


async def test_a_chat_is_told_of_its_own_routes_alone(chat: Chat) -> None:
    await dead_letters(chat, 150, route="r", target=ChatAddress(TEAM, "#general"))
    await dead_letters(chat, 3, route="hidden", target=ChatAddress(TEAM, "#secret"))
    ((_, told),) = await chat.give(chat.said("!bridge status"))
    assert told.splitlines()[0] == "r: all is well."
    assert "150 could not be delivered" in told
    assert "hidden" not in told
    assert "secret" not in told
    for place in ("-2", "-3"):  # a chat of which a topic alone is an end, and the one that is told of trouble
        ((_, told),) = await chat.give(chat.said("!bridge status", chat=place))
        assert told.startswith("No route has this chat.")
    ((_, told),) = await chat.give(chat.said("!bridge status", author=OWNER, chat="2", private=True))
    assert "153 could not be delivered" in told


# -- retry, of all ------------------------------------------------------------------------------------------------------------


async def dead_letters(chat: Chat, count: int, *, route: str, target: ChatAddress, held: bool = False) -> list[int]:
    planned = PlannedDelivery(route=route, target=target)
    requests = [AcceptRequest(event=chat.said("lost", author=MALLORY), deliveries=(planned,)) for _ in range(count)]
    accepted = await chat.journal.accept(chat.journal.lease(TG), requests, (), received_at=NOON)
    numbers = [one.delivery_ids[0] for one in accepted]
    dead = [Dead(delivery_id=number, reason="refused", at=NOON, held=held) for number in numbers]
    await chat.journal.record(chat.journal.lease(target.account), dead)
    return numbers


async def test_all_that_failed_of_the_chat_s_routes_is_retried(chat: Chat) -> None:
    await dead_letters(chat, 250, route="r", target=ChatAddress(TEAM, "#general"))
    held = await dead_letters(chat, 2, route="r", target=ChatAddress(TEAM, "#general"), held=True)
    other = await dead_letters(chat, 1, route="hidden", target=ChatAddress(TEAM, "#secret"))
    ((_, told),) = await chat.give(chat.said("!bridge retry", author=MALLORY))
    assert told.startswith("Only people with the role moderator")
    assert len(await chat.journal.dead_marks()) == 253
    ((_, told),) = await chat.give(chat.said("!bridge retry"))
    assert told.startswith("250 failed copies of this chat's routes are sent again. 2 are left out since they may have arrived")
    assert [one.delivery_id for one in await chat.journal.dead_marks()] == [*held, *other]
    assert (await chat.journal.persons.audited())[0].result == "250 retried, 2 held ones and 0 more left out"
    ((_, told),) = await chat.give(chat.said("!bridge retry", account=TG, chat="1", private=True))
    assert told == "No route has this chat."


async def test_more_than_are_retried_at_once_are_left_out_and_told(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "MOST", 5)
    monkeypatch.setattr(retrying, "AT_ONCE", 2)
    letters = await dead_letters(chat, 8, route="r", target=ChatAddress(TEAM, "#general"))
    ((_, told),) = await chat.give(chat.said("!bridge retry"))
    assert told.startswith("5 failed copies of this chat's routes are sent again. 3 are left out: 5 are retried at once.")
    assert [one.delivery_id for one in await chat.journal.dead_marks()] == letters[5:]
    ((_, told),) = await chat.give(chat.said("!bridge retry"))
    assert told.startswith("3 failed copies")
    ((_, told),) = await chat.give(chat.said("!bridge retry"))
    assert told == "No copy of this chat's routes failed."


async def test_a_reply_or_a_word_too_many_retries_not_all(chat: Chat) -> None:
    letters = await dead_letters(chat, 1, route="r", target=ChatAddress(TEAM, "#general"))
    elsewhere = chat.said("!bridge retry")
    reply = ReplyTo(message_id="5", chat_id="-9")
    elsewhere = msgspec.structs.replace(elsewhere, content=Content(text=plain("!bridge retry"), reply_to=reply))
    ((_, told),) = await chat.give(elsewhere)
    assert told.startswith("That message is not known.")
    ((_, told),) = await chat.give(chat.said("!bridge retry 15"))
    assert told.startswith("Say !bridge retry alone for all")
    assert [one.delivery_id for one in await chat.journal.dead_marks()] == letters


def test_an_event_of_an_earlier_version_is_of_no_private_chat(chat: Chat) -> None:
    stored = msgspec.json.encode(chat.said("hello"))
    assert b"is_private" not in stored
    assert not msgspec.json.decode(stored, type=MessageCreated).meta.is_private
