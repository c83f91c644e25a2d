"""The emulator's guild: its JSON, and threads that are locked or archived."""

from __future__ import annotations

import pytest

from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.emulator.conftest import Client

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_json_has_exactly_the_content_type_that_clients_need(bench: Bench, call: Client) -> None:
    await call("GET", "/users/@me")
    assert call.headers["Content-Type"] == "application/json"


async def test_a_locked_thread_takes_nothing_and_an_archived_one_wakes_up(bench: Bench, call: Client) -> None:
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Topic")
    await bench.emulator.archive_thread(thread)
    assert (await call("POST", f"/channels/{thread}/messages", {"content": "x"}))[0] == 200
    _, channel = await call("GET", f"/channels/{thread}")
    assert channel["thread_metadata"]["archived"] is False
    await bench.emulator.archive_thread(thread, locked=True)
    assert (await call("POST", f"/channels/{thread}/messages", {"content": "x"}))[1]["code"] == 50083
