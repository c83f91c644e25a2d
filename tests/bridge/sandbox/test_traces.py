"""What the page is told about a message: its mark, and the story of its copies; with the running bridge and two messengers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.registry import load_platform
from bridge.sandbox.inside import Inside, page_setup
from bridge.sandbox.rooms import PAGE_ROOMS
from bridge.sandbox.traces import MOST_ASKED, Asked, Mark
from bridge.sandbox.world import Sandbox
from tests.support.patience import PATIENCE_S, eventually_asked

ORIGIN, TARGET = "slack", "discord"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(tmp_path, manifests=load_platform, platforms=(ORIGIN, TARGET), rooms=PAGE_ROOMS) as running:
        await running.wait_connected(PATIENCE_S)
        yield running


async def say(sandbox: Sandbox, room: str, platform: str, text: str) -> Asked:
    chat_id = sandbox.rooms[room][platform].chat_id
    message_id = await sandbox.emulators[platform].say(chat_id, "Anna", text)
    return Asked(platform=platform, chat_id=chat_id, message_id=message_id)


async def test_a_mark_goes_from_waiting_over_dead_to_delivered(sandbox: Sandbox) -> None:
    inside = Inside(sandbox)
    refusal = Fault(kind=FaultKind.SERVER_ERROR, operation="POST /webhooks/*", status=400)
    sandbox.emulators[TARGET].inject(refusal)
    asked = await say(sandbox, "lobby", ORIGIN, "refused at first")

    async def dead() -> bool:
        return await inside.marks([asked]) == [Mark(dead=1)]

    await eventually_asked(dead)
    told = await inside.trace(asked)
    (line,) = told.steps[0].lines
    assert (told.steps[0].what, line.target, line.state) == ("message", TARGET, "dead")
    assert "refused" in line.why
    sandbox.emulators[TARGET].clear_faults()
    await inside.retry([line.delivery_id])

    async def delivered() -> bool:
        return await inside.marks([asked]) == [Mark(delivered=1)]

    await eventually_asked(delivered)
    (line,) = (await inside.trace(asked)).steps[0].lines
    assert line.state == "delivered"
    assert line.at is not None
    assert await inside.marks([asked] * (MOST_ASKED + 5)) == [Mark(delivered=1)] * MOST_ASKED, "bounded"


async def test_a_copy_and_a_change_are_told_too(sandbox: Sandbox) -> None:
    inside = Inside(sandbox)
    asked = await say(sandbox, "lobby", ORIGIN, "said once")
    there = sandbox.rooms["lobby"][TARGET].chat_id

    async def copied() -> bool:
        return any(message.text == "said once" for message in sandbox.emulators[TARGET].transcript(there))

    await eventually_asked(copied)
    await sandbox.emulators[ORIGIN].edit(asked.chat_id, asked.message_id, "said twice")

    async def changed() -> bool:
        return [step.what for step in (await inside.trace(asked)).steps] == ["message", "edit"]

    await eventually_asked(changed)
    (copy,) = [message for message in sandbox.emulators[TARGET].transcript(there) if message.is_bot]
    told = await inside.trace(Asked(platform=TARGET, chat_id=there, message_id=copy.message_id))
    assert told.note == f"This is a copy. Anna said it in {ORIGIN}."


async def test_what_no_route_takes_says_so(sandbox: Sandbox) -> None:
    inside = Inside(sandbox)
    heard = await say(sandbox, "news", ORIGIN, "from the first")

    async def known() -> bool:
        return await inside.marks([heard]) == [Mark(delivered=1)]

    await eventually_asked(known)
    unheard = await say(sandbox, "news", TARGET, "from another")
    assert await inside.marks([unheard]) == [Mark()]
    assert "No route relays" in (await inside.trace(unheard)).note
    nowhere = Asked(platform=ORIGIN, chat_id=heard.chat_id, message_id="17.0")
    assert "does not know this message" in (await inside.trace(nowhere)).note


async def test_the_page_knows_its_rooms(sandbox: Sandbox) -> None:
    setup = page_setup(sandbox)
    assert [room.name for room in setup.rooms] == [plan.name for plan in PAGE_ROOMS]
    by_name = {room.name: room for room in setup.rooms}
    assert by_name["news"].chats[ORIGIN].relayed
    assert not by_name["news"].chats[TARGET].relayed
    assert by_name["lobby"].chats[TARGET].relayed
    assert by_name["projects"].chats[TARGET].names_threads
    status = await Inside(sandbox).status()
    assert {(chat.platform, chat.chat_id) for chat in status.chats} == {
        (platform, chat.chat_id) for platform, _, chat in sandbox.chats()
    }
    discord = sandbox.rooms["projects"][TARGET].chat_id
    await sandbox.emulators[TARGET].start_thread(discord, "Anna", "Website")  # type: ignore[attr-defined]
    (there,) = [chat for chat in (await Inside(sandbox).status()).chats if chat.chat_id == discord]
    assert [thread.name for thread in there.threads] == ["Website"]
