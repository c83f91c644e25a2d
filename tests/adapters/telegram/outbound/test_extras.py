"""Places and contacts through the adapter, as people in the emulated Telegram see them: posted, moved, ended, deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.outbound.extras import ENDLESS_S, live_period_s
from bridge.model.adapter import Outbound, OutboundDelete, OutboundEdit
from bridge.model.errors import ChangeRefused, ExtraRejected, MessageGone
from bridge.model.events import Contact, Location
from bridge.model.rich_text import EMPTY

POINT = Location(latitude=59.9386, longitude=30.3141, accuracy_m=20_000.0)
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def content(emulator: TelegramEmulator, chat: str) -> Callable[[str], Any]:
    def find(message_id: str) -> Any:
        return emulator.world.chats[int(chat)].messages[int(message_id)].content

    return find


def change(copy: Any, location: Location | None = None, contact: Contact | None = None) -> OutboundEdit:
    return OutboundEdit(token="e", copy=copy, text=EMPTY, location=location, contact=contact)


async def test_points_venues_and_contacts(adapter: Any, say: Callable[..., Outbound], content: Any) -> None:
    point = await adapter.send(say(location=POINT))
    assert content(point.message_ids[0]) == {"location": {"latitude": 59.9386, "longitude": 30.3141, "horizontal_accuracy": 1500.0}}
    for title, address, shown in (
        ("Palace", "6", ("Palace", "6")),
        ("Palace", "", ("Palace", "59.938600, 30.314100")),
        ("", "Main St 6", ("Main St 6", "59.938600, 30.314100")),
    ):
        venue = await adapter.send(say(location=msgspec.structs.replace(POINT, title=title, address=address)))
        found = content(venue.message_ids[0])["venue"]
        assert (found["title"], found["address"]) == shown
    ivan = Contact(name="Ivan Petrov", phone="+7 900", details=("✉ ivan@example.com",))
    person = await adapter.send(say(contact=ivan))
    found = content(person.message_ids[0])["contact"]
    assert (found["phone_number"], found["first_name"]) == ("+7 900", "Ivan Petrov")
    assert "EMAIL:ivan@example.com" in found["vcard"]


async def test_a_live_point_moves_and_ends(
    adapter: Any, say: Callable[..., Outbound], copy_of: Callable[..., Any], content: Any
) -> None:
    live = msgspec.structs.replace(POINT, live=True, live_until=datetime.now(UTC) + timedelta(hours=1), heading_deg=90.0)
    outbound = say(location=live)
    receipt = await adapter.send(outbound)
    number = receipt.message_ids[0]
    assert 3500 < content(number)["location"]["live_period"] <= 3600
    assert content(number)["location"]["heading"] == 90
    copy = copy_of(outbound, receipt)
    there = msgspec.structs.replace(live, latitude=1.0, heading_deg=361.5)
    moved = await adapter.edit(change(copy, there))
    assert content(number)["location"]["latitude"] == 1.0
    assert "heading" not in content(number)["location"]
    copy = msgspec.structs.replace(copy, adapter_data=moved.adapter_data)
    assert (await adapter.edit(change(copy, there))).adapter_data == moved.adapter_data, "the same again is no call that is refused"
    over = msgspec.structs.replace(there, live=False, live_until=None, ended=True, latitude=2.0)
    ended = await adapter.edit(change(copy, over))
    assert content(number)["location"] == {"latitude": 2.0, "longitude": 30.3141, "horizontal_accuracy": 1500.0}
    copy = msgspec.structs.replace(copy, adapter_data=ended.adapter_data)
    assert (await adapter.edit(change(copy, over))).adapter_data == ended.adapter_data
    with pytest.raises(ChangeRefused):
        await adapter.edit(change(copy, there))


async def test_what_ended_by_itself_needs_no_end(
    emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound], copy_of: Callable[..., Any]
) -> None:
    live = msgspec.structs.replace(POINT, live=True, live_until=datetime.now(UTC) + timedelta(minutes=5))
    outbound = say(location=live)
    copy = copy_of(outbound, await adapter.send(outbound))
    later = emulator.world.now() + 600
    emulator.world.now = lambda: later
    ended = await adapter.edit(change(copy, msgspec.structs.replace(live, live=False, live_until=None, ended=True)))
    assert ended.adapter_data.startswith("place:")
    with pytest.raises(ChangeRefused):
        await adapter.edit(change(copy, msgspec.structs.replace(live, latitude=3.0)))


async def test_what_stands_still_can_be_deleted_and_not_changed(
    adapter: Any, say: Callable[..., Outbound], copy_of: Callable[..., Any]
) -> None:
    outbound = say(location=POINT)
    copy = copy_of(outbound, await adapter.send(outbound))
    assert (await adapter.edit(change(copy, POINT))).adapter_data == copy.adapter_data
    with pytest.raises(ChangeRefused):
        await adapter.edit(change(copy, msgspec.structs.replace(POINT, latitude=0.0)))
    await adapter.delete(OutboundDelete(copy=copy))
    live = say(location=msgspec.structs.replace(POINT, live=True))
    gone = copy_of(live, await adapter.send(live))
    await adapter.delete(OutboundDelete(copy=gone))
    with pytest.raises(MessageGone):
        await adapter.edit(change(gone, msgspec.structs.replace(POINT, live=True, latitude=0.0)))


async def test_what_telegram_refuses_is_said_to_be_refused_as_such(adapter: Any, say: Callable[..., Outbound]) -> None:
    with pytest.raises(ExtraRejected):
        await adapter.send(say(contact=Contact(name="Ivan")))


@pytest.mark.parametrize(
    ("left_s", "period_s"),
    [(-10.0, 0), (59.0, 0), (60.0, 60), (3600.0, 3600), (90_000.0, 86_400), (10.0**12, 86_400), (None, ENDLESS_S)],
)
def test_how_long_a_point_may_move(left_s: float | None, period_s: int) -> None:
    until = None if left_s is None else min(NOW + timedelta(seconds=min(left_s, 10.0**9)), datetime.max.replace(tzinfo=UTC))
    assert live_period_s(Location(latitude=0, longitude=0, live=True, live_until=until), NOW) == period_s
    assert live_period_s(Location(latitude=0, longitude=0, live_until=until), NOW) == 0
