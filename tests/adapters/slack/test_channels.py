"""Where a channel's name leads: listed rarely, and again at once for a channel that was made since."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.channels import Channels
from adapters.slack.emulator import SlackEmulator
from bridge.model.errors import ChatDown, RetryLater
from tests.support.clock import ManualClock


class Workspace:
    """Answers conversations.list with the channels that there are, by their names."""

    def __init__(self, **channels: str) -> None:
        self.channels = channels
        self.listed = 0

    async def call(self, method: str, arguments: Any, **_: Any) -> dict[str, Any]:
        assert method == "conversations.list"
        self.listed += 1
        return {"ok": True, "channels": [{"id": id_, "name": name, "is_member": True} for name, id_ in self.channels.items()]}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_channel_that_was_made_since_the_last_listing_is_found(clock: ManualClock) -> None:
    workspace = Workspace(old="C1")
    transport: Any = workspace
    channels = Channels(transport, clock)
    assert await channels.resolve("#old") == "C1"
    workspace.channels["new"] = "C2"
    clock.forward(15)
    assert await channels.resolve("#new") == "C2"
    assert await channels.resolve("#old") == "C1"
    assert workspace.listed == 2


async def test_names_of_no_channel_list_no_more_than_now_and_then(clock: ManualClock) -> None:
    workspace = Workspace(old="C1")
    transport: Any = workspace
    channels = Channels(transport, clock)
    for number in range(20):
        clock.forward(0.1)
        with pytest.raises(ChatDown):
            await channels.resolve(f"#lost{number}")
    assert workspace.listed == 1


async def test_addresses(account: Any, emulator: SlackEmulator) -> None:
    adapter = account.build()
    chats = {name: emulator.add_chat(name).chat_id for name in ("general", "random", "old", "closed")}
    assert await adapter.resolve("#general") == chats["general"]
    assert await adapter.resolve("C024BE7LH") == "C024BE7LH"
    await adapter.resolve("#random")
    assert emulator.calls().count("conversations.list") == 1
    with pytest.raises(ChatDown):
        await adapter.resolve("#nowhere")
    emulator.archive_chat(chats["old"])
    emulator.remove_bot(chats["closed"])
    fresh = account.build()
    for address in ("#old", "#closed"):
        with pytest.raises(ChatDown):
            await fresh.resolve(address)
    await emulator.refuse_connections(True)
    with pytest.raises(RetryLater):
        await account.build().resolve("#general")
    await emulator.refuse_connections(False)
