"""The probe: what is missing, and what to click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import ProbeItem


async def test_probe_says_what_to_click(emulator: TelegramEmulator, chat: str, make_adapter: Callable[..., Any]) -> None:
    async def failing(*chats: str) -> dict[str, str]:
        return {item.name: item.action for item in await make_adapter().probe(chats) if not item.ok}

    assert await failing(chat) == {}
    emulator.promote(chat, admin=False)
    assert list(await failing(chat)) == ["sees reactions"]
    emulator.bot().sees_everything = False
    faults = await failing(chat)
    assert set(faults) == {"privacy mode", "reads all messages", "sees reactions"}
    assert "/setprivacy" in faults["privacy mode"]
    emulator.kick(chat)
    assert "chat" in await failing(chat)
    group = emulator.add_group("Old").chat_id
    new = emulator.migrate(group).chat_id
    assert new in (await failing(group))["chat"]
    emulator.world.queues[emulator.bot().user_id].webhook_url = "https://elsewhere.example"
    assert "webhook" in await failing()
    await emulator.refuse_connections(True)
    assert list(await failing()) == ["connection"]


async def test_probe_knows_a_wrong_token(make_adapter: Callable[..., Any]) -> None:
    for token in ("123456:" + "A" * 35, "nonsense"):
        [item] = await make_adapter(token=token).probe([])
        assert (item.name, item.ok) == ("token", False)
        assert "BotFather" in item.action


async def test_in_a_private_chat_everything_is_for_the_bot(emulator: TelegramEmulator, make_adapter: Callable[..., Any]) -> None:
    """Privacy mode is about groups (Telegram bots FAQ)."""
    emulator.bot().sees_everything = False
    chat = emulator.add_group("Anna")
    emulator.promote(chat.chat_id, admin=False)
    emulator.world.chats[int(chat.chat_id)].type = "private"
    items = await make_adapter().probe([chat.chat_id])
    assert [item.name for item in items if not item.ok] == []


async def test_probe_says_what_topics_need(emulator: TelegramEmulator, chat: str, make_adapter: Callable[..., Any]) -> None:
    """For ends that stand for all of them; a group without topics is none the worse elsewhere."""

    async def asked(chat_id: str) -> dict[str, ProbeItem]:
        found = [item for item in await make_adapter().probe([chat_id]) if item.every_thread or item.bars_threads]
        assert all(item.ok and item.action for item in found)
        return {item.name: item for item in found}

    (item,) = (await asked(chat)).values()
    assert (item.every_thread, item.bars_threads) == (True, True)
    assert "no forum" in item.detail
    forum = emulator.add_forum("forum")[0].chat_id
    assert await asked(forum) == {}
    emulator.promote(forum, admin=False)
    found = await asked(forum)
    assert {name: item.bars_threads for name, item in found.items()} == {"makes topics": True, "deletes topics": False}
    assert "Manage topics" in found["makes topics"].action
