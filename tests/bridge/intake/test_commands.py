"""Commands carried out on a real journal: once, whoever delivers them twice; for whom they are; and what they answer where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bridge.accounts.health import HealthReport
from bridge.identity.names import Names
from bridge.identity.people import People, Person, with_links
from bridge.intake.bot_names import OwnNames
from bridge.intake.commands import Commands
from bridge.intake.community import Community
from bridge.journal.contract import AcceptRequest, DecisionKind, Delivered, PartReceipt, PlannedDelivery, Verdict
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
MALLORY = Author(user_id="66", name="Admin", username="1")


class Chat:
    """Two chats of a route, and what is answered there."""

    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal(folder / "bridge.journal")
        self.clock = ManualClock()
        self.community = Community(self.journal.persons, on_change=lambda: None)
        ends = (RouteEnd(chat=ChatAddress(TG, "-1")), RouteEnd(chat=ChatAddress(TEAM, "#general")))
        self.table = RoutingTable([Route(name="r", ends=ends)])
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
        known = [Person(name="The Admin", ids={TG: "1"}, roles=("moderator",))]
        return People(with_links(known, self.community.groups()))

    def said(
        self, text: str, author: Author = ADMIN, account: AccountName = TG, chat: str = "-1", about: str = ""
    ) -> MessageCreated:
        self.number += 1
        meta = EventMeta(
            event_key=f"k{self.number}", origin=ChatRef(account, chat), occurred_at=NOON, received_at=NOON, author=author
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
    ((where, told),) = await chat.give(chat.said("!bridge help", author=MALLORY, chat="66"))
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
