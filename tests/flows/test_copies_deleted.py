"""A copy that somebody deleted where it stands: later changes of its original are left out there by name, and hold nothing up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.world import World
from tests.support.patience import eventually


@pytest.mark.parametrize(
    ("origin", "target"), [("discord", "telegram"), ("discord", "slack"), ("slack", "discord"), ("discord", "teamspirit")]
)
async def test_an_edit_of_a_copy_that_is_gone_is_skipped(tmp_path: Path, origin: str, target: str) -> None:
    world = World(tmp_path, (origin, target))
    await world.start_platforms()
    app = await world.start_bridge()
    try:
        chats = {name: chat.chat_id for name, chat in world.chats.items()}
        message_id = await world.say(origin, "meet at 5")
        copy = await world.copy(target, "meet at 5")
        await world.emulators[target].delete(chats[target], copy.message_id)
        await world.say(origin, "between")
        await world.copy(target, "between")
        await world.emulators[origin].edit(chats[origin], message_id, "meet at 6")
        await eventually(lambda: 'rule="copy_gone"' in app.metrics.expose()[0].decode(), what="the edit is skipped")
        await world.say(origin, "after")
        await world.copy(target, "after")
        assert await app._journal.dead_letters() == []
    finally:
        await world.stop_bridge()
        await world.stop_platforms()
