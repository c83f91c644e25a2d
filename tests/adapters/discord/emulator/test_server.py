"""The emulator as a window: who watches is told what changes."""

from __future__ import annotations

import asyncio

import pytest

from tests.adapters.discord.conftest import Bench
from tests.support.patience import eventually

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_changes_are_told_to_those_who_watch(bench: Bench) -> None:
    seen: list[tuple[str, str]] = []

    async def watch() -> None:
        async for change in bench.emulator.changes():
            seen.append((change.kind, change.message.text))

    watching = asyncio.create_task(watch())
    message = await bench.emulator.say(bench.chat, "Anna", "**a**")
    await bench.emulator.edit(bench.chat, message, "b")
    await bench.emulator.react(bench.chat, message, "Boris", "👍")
    await bench.emulator.delete(bench.chat, message)
    await eventually(lambda: len(seen) == 4)
    watching.cancel()
    assert seen == [("created", "a"), ("edited", "b"), ("reactions", "b"), ("deleted", "b")]
