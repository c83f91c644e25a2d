"""Event streams that repeat, swap, break off or carry nonsense: every message arrives once all the same, live."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import StreamFault
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually

DISTURBANCES = (StreamFault.REDELIVER, StreamFault.REORDER, StreamFault.POISON, StreamFault.DISCONNECT_CLEAN)


@pytest.mark.parametrize("origin", PLATFORMS)
async def test_every_message_arrives_once(world: World, origin: str) -> None:
    words: list[str] = []
    targets = [target for target in world.emulators if target != origin]
    for how in DISTURBANCES:
        for place in ("before", "amid", "after"):
            words.append(f"{place} {how.value}.")
            await world.say(origin, words[-1])
            if place != "after":
                await world.emulators[origin].disturb(how)
        for target in targets:
            await eventually(
                lambda target=target: all(world.copies(target, word) for word in words),
                what=f"{words} on {target}: {world.texts(target)}",
            )
    await world.say(origin, "the end.")
    for target in targets:
        await world.copy(target, "the end.")
        for word in words:
            assert len(world.copies(target, word)) == 1, f"{word} on {target}"
