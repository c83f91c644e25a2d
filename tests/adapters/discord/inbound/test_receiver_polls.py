"""Votes are read beside the stream of events, and a failure there is no secret."""

from __future__ import annotations

import asyncio

import pytest

from adapters.discord.adapter import DiscordAdapter
from tests.adapters.discord.conftest import Bench
from tests.support.patience import PATIENCE_S, eventually


async def test_votes_that_cannot_be_handed_over_end_the_connection(
    bench: Bench, adapter: DiscordAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As what becomes of an event does: the supervisor connects again, and votes are read from then on."""
    monkeypatch.setattr("adapters.discord.inbound.poll_reader.READ_EVERY_S", 0.01)
    intake, emulator = bench.intake(), bench.emulator
    asked = await emulator.ask_poll(bench.chat, "Anna", "Where?", ["here", "there"])
    running = asyncio.create_task(adapter.run(intake))
    await eventually(lambda: "gateway" in intake.cursors, "caught up")

    async def fail() -> None:
        raise LookupError("whatever it is")

    intake.before_accept = fail
    await emulator.vote_for(bench.chat, asked, "Boris", [1])
    with pytest.raises(LookupError):
        await asyncio.wait_for(running, PATIENCE_S)
