"""What an account can do beside sending, by its dialect: new names of chats."""

from __future__ import annotations

import pytest

from bridge.model.abilities import RenamesChats
from bridge.model.errors import Rejected
from tests.adapters.teamspirit.harness import make_adapter
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options
from tests.adapters.teamspirit.pachca_server import PachcaServer
from tests.adapters.teamspirit.test_adapter_pachca import options as of_pachca
from tests.adapters.teamspirit.test_adapter_rocketchat import RocketChatServer
from tests.adapters.teamspirit.test_adapter_rocketchat import options as of_rocketchat


async def test_mattermost_gives_the_shown_name() -> None:
    server = MattermostServer()
    await server.start()
    channel = server.add_channel("town-square")
    adapter = make_adapter(account_options(server))
    assert isinstance(adapter, RenamesChats)
    assert await adapter.rename_chat(channel, "War Room") == "War Room"
    assert server.channels[channel]["display_name"] == "War Room"
    assert await adapter.rename_chat(channel, "W" * 100) == "W" * 64
    server.may_change = False
    with pytest.raises(Rejected):
        await adapter.rename_chat(channel, "Secret")
    await adapter.close()
    await server.stop()


async def test_pachca() -> None:
    server = PachcaServer()
    await server.start()
    chat = server.add_chat("duty")
    adapter = make_adapter(of_pachca(server))
    assert isinstance(adapter, RenamesChats)
    assert await adapter.rename_chat(str(chat), "On duty") == "On duty"
    assert server.chats[chat]["name"] == "On duty"
    await adapter.close()
    await server.stop()


@pytest.mark.parametrize("kind", ["c", "p"])
async def test_rocketchat_writes_names_small_and_without_spaces(kind: str) -> None:
    server = RocketChatServer()
    await server.start()
    room = server.add_room("duty", kind)
    adapter = make_adapter(of_rocketchat(server))
    assert isinstance(adapter, RenamesChats)
    assert await adapter.resolve("duty") == room
    assert await adapter.rename_chat(room, "War Room") == "war-room"
    with pytest.raises(Rejected):
        await adapter.rename_chat(room, "Комната")
    assert server.rooms[room]["name"] == "war-room"
    await adapter.close()
    await server.stop()


def test_a_dialect_without_the_call_has_no_such_method() -> None:
    assert not isinstance(make_adapter({"server": "https://im.example.com", "api_key": "key"}), RenamesChats)
