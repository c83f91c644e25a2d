"""What people write while the bridge is down, or its connection is, arrives afterwards: in order, once, with edits and deletes."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import StreamFault
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually

COUNT = 30


async def everywhere_in_order(world: World, origin: str, words: list[str]) -> None:
    for target in world.emulators:
        if target == origin:
            continue
        await eventually(
            lambda target=target: world.copies(target, words[-1]), what=f"{words[-1]} on {target}: {world.texts(target)}"
        )
        shown = [message.text.rpartition("\n")[2] for message in world.seen(target) if message.is_bot and not message.deleted]
        assert [text for text in shown if text in set(words)] == words, target


@pytest.mark.parametrize("origin", PLATFORMS)
async def test_after_a_downtime(world: World, origin: str) -> None:
    emulator, chat = world.emulators[origin], world.chats[origin].chat_id
    before = await world.say(origin, "before")
    gone = await world.say(origin, "will be gone")
    for target in world.emulators:
        if target != origin:
            await world.copy(target, "will be gone")
    await world.stop_bridge()

    words = [f"while down {number}" for number in range(COUNT)]
    for text in words:
        await world.say(origin, text)
    await emulator.edit(chat, before, "before, corrected")
    if origin != "telegram":
        await emulator.delete(chat, gone)
    await world.start_bridge()
    await world.say(origin, "after")
    await everywhere_in_order(world, origin, [*words, "after"])
    for target in world.emulators:
        if target != origin:
            await world.copy(target, "before, corrected")
            if origin != "telegram":
                await eventually(lambda target=target: not world.copies(target, "will be gone"), what=f"deletion on {target}")


@pytest.mark.parametrize("how", [StreamFault.DISCONNECT, StreamFault.INVALIDATE_SESSION])
@pytest.mark.parametrize("origin", PLATFORMS)
async def test_over_lost_connections(world: World, origin: str, how: StreamFault) -> None:
    words = [f"through it all {number}" for number in range(COUNT)]
    for number, text in enumerate(words):
        await world.say(origin, text)
        if number % 10 == 5:
            await world.emulators[origin].disturb(how)
    await everywhere_in_order(world, origin, words)
