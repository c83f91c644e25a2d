"""Heartbeats: an answer on a fast line is no sign of being behind, and a late one still is."""

from __future__ import annotations

import logging

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.inbound.gateway import Connection
from tests.adapters.discord.conftest import Bench


@pytest.mark.parametrize("late_s", [0.0, 12.0])
async def test_an_answer_is_measured_from_its_own_heartbeat(
    bench: Bench, adapter: DiscordAdapter, caplog: pytest.LogCaptureFixture, late_s: float
) -> None:
    connection = Connection(adapter._options, adapter._transport, "1")
    try:
        await connection.open(None)
        socket = connection._socket
        assert socket is not None
        keep_alive = socket._keep_alive
        assert keep_alive is not None
        keep_alive._last_send -= 41.3  # the heartbeat before
        await socket.send_heartbeat(
            keep_alive.get_payload()
        )  # as its thread does, which then hears of it late, or later than the answer
        keep_alive._last_send -= late_s
        with caplog.at_level(logging.WARNING, logger="discord.gateway"):
            keep_alive.ack()
        assert ("behind" in caplog.text) is bool(late_s)
    finally:
        await connection.close()
