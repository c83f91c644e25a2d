"""Mattermost without a token in a whole bridge: incoming webhooks to it, an outgoing webhook from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.state import AccountState
from tests.adapters.teamspirit.mattermost_server import MattermostServer
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually

PATH = "a-path-hard-to-guess"


class WithWebhooks(World):
    """A Telegram chat and a Mattermost channel, which the bridge knows by its name."""

    def __init__(self, folder: Path, server: MattermostServer) -> None:
        super().__init__(folder, ("telegram",))
        self.server = server
        self.port = free_port()
        self.channel = server.add_channel("town-square")
        self.anna = server.add_user("anna", "Anna", "Petrova")
        self.hook = server.incoming_webhook(server.add_channel("elsewhere"))
        self.is_native = False

    def document(self) -> dict[str, Any]:
        document = super().document()
        hooks = {"incoming_webhook": self.hook, "webhook": {"path": PATH, "key": "outgoing-token"}}
        document["accounts"]["mm"] = {"platform": "teamspirit", "dialect": "mattermost", "sender_names": self.is_native, **hooks}
        document["routes"][0]["between"].append("mm/town-square")
        document["web"] = {"public": {"listen": f"127.0.0.1:{self.port}", "url": f"http://127.0.0.1:{self.port}"}}
        return document

    def posts(self) -> list[dict[str, Any]]:
        return [post for post in self.server.posts.values() if post["channel_id"] == self.channel and post["user_id"] != self.anna]

    async def arrived(self, needle: str) -> dict[str, Any]:
        """The bridge's only post that holds these words."""
        found = await eventually(
            lambda: [post for post in self.posts() if needle in post["message"]], what=f"{needle!r} among {self.posts()}"
        )
        assert len(found) == 1
        return found[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[WithWebhooks]:
    server = MattermostServer()
    await server.start()
    one = WithWebhooks(tmp_path, server)
    server.outgoing = (f"http://127.0.0.1:{one.port}/hooks/mm/{PATH}", "outgoing-token")
    await one.start_platforms()
    await one.start_bridge()
    await one.until_state("mm", AccountState.UP)
    yield one
    await one.stop_bridge()
    await one.stop_platforms()
    await server.stop()


async def test_what_is_said_arrives_on_both_sides_once(world: WithWebhooks) -> None:
    await world.say("telegram", "from *elsewhere* @channel <!channel>")
    post = await world.arrived("elsewhere")
    assert post["message"].startswith("**"), "the server may not show other names: the author is in the text"
    assert "@channel" not in post["message"]
    world.server.post(world.channel, world.anna, "from here")
    await world.copy("telegram", "from here")
    await world.say("telegram", "the last")
    await world.arrived("the last")
    assert len(world.posts()) == 2
    assert len(world.texts("telegram")) == 3, "what the bridge posted did not come back"


async def test_what_cannot_be_changed_costs_nothing_else(world: WithWebhooks) -> None:
    """An edit, a reaction, an answer and a deletion of a message of which no id is known; and answers to a person's post."""
    telegram: Any = world.emulators["telegram"]
    chat = world.chats["telegram"].chat_id
    message = await world.say("telegram", "the first")
    await world.arrived("the first")
    await telegram.edit(chat, message, "the first, mended")
    await telegram.react(chat, message, "Bert", "👍")
    await world.say("telegram", "an answer to it", reply_to=message)
    answer = await world.arrived("an answer to it")
    assert "the first" in answer["message"], "quoted"
    world.server.post(world.channel, world.anna, "a question")
    question = await world.copy("telegram", "a question")
    await world.say("telegram", "an answer to hers", reply_to=question.message_id)
    assert "a question" in (await world.arrived("an answer to hers"))["message"]
    await telegram.delete(chat, message)
    await world.say("telegram", "the last")
    await world.arrived("the last")
    assert world.app is not None
    dead = await world.app.journal.dead_letters()
    assert not dead


async def test_names_are_native_where_the_admin_says_so(world: WithWebhooks) -> None:
    world.is_native = world.server.names_may_be_overridden = True
    await world.stop_bridge()
    await world.start_bridge()
    await world.until_state("mm", AccountState.UP)
    await world.say("telegram", "hello")
    post = await world.arrived("hello")
    assert post["message"] == "hello"
    assert post["props"]["override_username"]
    assert post["props"]["override_username"] != "webhook"
