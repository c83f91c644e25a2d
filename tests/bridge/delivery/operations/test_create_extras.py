"""Places that are messages of their own: below the words, once, and whatever becomes of the message they follow."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from bridge.model.adapter import Outbound, OutboundEdit, Receipt
from bridge.model.capabilities import Capabilities, Feature
from bridge.model.errors import ChangeRefused, ExtraRejected, OutcomeUnknown
from bridge.model.events import Contact, Location
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end, skipped_by

SQUARE = Location(latitude=59.9, longitude=30.3)


class Maps(ScriptedPlatform):
    """Shows no sender's name, and places and contacts as messages of their own."""

    def __init__(self, name: str) -> None:
        super().__init__(name, adapter=MapsAdapter)
        self.shown: dict[str, Location | Contact] = {}
        self.silent: list[bool] = []
        self.refuses = False
        self.moves = 0

    def capabilities(self) -> Capabilities:
        plain = super().capabilities()
        table = {name: level for name, level in plain.features.items() if name is not Feature.SENDER_NAME}
        return msgspec.structs.replace(plain, features=table, alone=frozenset({Feature.LOCATION, Feature.CONTACT}))


class MapsAdapter(ScriptedAdapter):
    platform: Maps

    async def send(self, outbound: Outbound) -> Receipt:
        extra = outbound.location or outbound.contact
        if extra is not None and self.platform.refuses:
            raise ExtraRejected("no maps here")
        receipt = await super().send(outbound)
        if extra is not None:
            assert not outbound.text
            self.platform.shown[receipt.message_ids[0]] = extra
        self.platform.silent.append(outbound.silent)
        return receipt

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        receipt = await super().edit(outbound)
        message_id = outbound.copy.message_ids[0]
        if message_id in self.platform.shown:
            assert outbound.location is not None
            self.platform.moves += outbound.location != self.platform.shown[message_id]
            self.platform.shown[message_id] = outbound.location
        return receipt


def route(**options: Any) -> list[Route]:
    return [Route(name="r", ends=(end("one/c"), end("two/c", options={"tally_every_s": 0.0, **options})))]


async def test_a_place_follows_the_name_and_both_follow_their_original(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), Maps("two")
    async with bridge(tmp_path, [one, two], route()) as app:
        said = one.say("", location=SQUARE)
        await eventually(lambda: [*two.shown.values()] == [SQUARE])
        words, place = two.posted()
        assert [words.text, place.text] == ["Anna", ""]
        assert place.reply_to == words.message_id, "whoever writes in between, it is known whose it is"
        assert two.silent == [False, True], "one notification"
        one.edit(said, "I am here", location=SQUARE)
        await eventually(lambda: two.texts() == ["Anna\nI am here", ""])
        one.say("", contact=Contact(name="Ivan", phone="+7900"))
        await eventually(lambda: len(two.posted()) == 4)
        one.delete(said)
        await eventually(lambda: two.texts() == ["Anna", ""])
        await all_done(app)
        assert not await app._journal.dead_letters()


async def test_a_place_that_is_not_taken_is_text(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), Maps("two")
    two.refuses = True
    async with bridge(tmp_path, [one, two], route()) as app:
        said = one.say("", location=SQUARE)
        await eventually(lambda: len(two.posted()) == 2)
        assert two.texts() == ["Anna", "Anna …\n📍 Location: 59.900000, 30.300000"]
        one.delete(said)
        await eventually(lambda: two.texts() == [])
        await all_done(app)
        assert not await app._journal.dead_letters()


async def test_a_bridge_that_stopped_between_both_sends_the_place_alone(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), Maps("two")
    async with bridge(tmp_path, [one, two], route()):
        hang = asyncio.Event()
        two.before_send = lambda outbound: setattr(two, "hang", None if outbound.text else hang)
        said = one.say("", location=SQUARE)
        await eventually(lambda: two.sends == 2)
        two.faults.append((OutcomeUnknown("stopped"), False))
        hang.set()
    two.hang, two.before_send = None, None
    two.faults.clear()
    async with bridge(tmp_path, [one, two], route()) as app:
        await eventually(lambda: [*two.shown.values()] == [SQUARE])
        await all_done(app)
        assert two.texts() == ["Anna", ""]
        assert two.posted()[1].reply_to == two.posted()[0].message_id
        one.delete(said)
        await eventually(lambda: two.texts() == [])


async def test_a_live_place_moves_at_most_once_in_a_while_and_ends_where_it_ended(tmp_path: Path) -> None:
    one, two, three = ScriptedPlatform("one"), Maps("two"), ScriptedPlatform("three")
    ends = tuple(end(f"{name}/c", options={"tally_every_s": 1.5}) for name in ("one", "two", "three"))
    async with bridge(tmp_path, [one, two, three], [Route(name="r", ends=ends)]) as app:
        live = msgspec.structs.replace(SQUARE, live=True)
        said = one.say("", location=live)
        await eventually(lambda: len(two.posted()) == 2)
        for step in range(1, 31):
            one.edit(said, "", location=msgspec.structs.replace(live, latitude=float(step)))
        await eventually(lambda: [*two.shown.values()] == [msgspec.structs.replace(live, latitude=30.0)], "the newest wins")
        await all_done(app)
        assert two.moves <= 3
        assert any("took its place" in rule for rule in skipped_by(app))
        over = msgspec.structs.replace(SQUARE, latitude=31.0, ended=True)
        one.edit(said, "", location=over)
        await eventually(lambda: [*two.shown.values()] == [over], "the end is told at once")
        await all_done(app)
        assert [*two.shown.values()] == [over], "and no earlier place comes behind it"


async def test_a_place_that_cannot_move_costs_nothing_else(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), Maps("two")
    async with bridge(tmp_path, [one, two], route()) as app:
        said = one.say("", location=SQUARE)
        await eventually(lambda: len(two.posted()) == 2)
        two.faults.extend([None, (ChangeRefused("nobody can change it"), False)])
        one.edit(said, "moved", location=msgspec.structs.replace(SQUARE, latitude=1.0))
        await eventually(lambda: two.texts() == ["Anna\nmoved", ""])
        await all_done(app)
        assert any("nobody can change it" in rule for rule in skipped_by(app))
        assert not await app._journal.dead_letters()
