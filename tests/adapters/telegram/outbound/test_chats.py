"""Chats renamed through the adapter, where the bot may."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.telegram.emulator import TelegramEmulator
from bridge.model.errors import Rejected


async def test_a_chat_gets_its_name_and_the_same_again_is_a_success(emulator: TelegramEmulator, chat: str, adapter: Any) -> None:
    assert await adapter.rename_chat(chat, "War Room") == "War Room"
    assert emulator.world.chats[int(chat)].title == "War Room"
    assert await adapter.rename_chat(chat, "War Room") == "War Room"
    assert await adapter.rename_chat(chat, "x" * 300) == "x" * 128


async def test_without_the_right_it_is_refused(emulator: TelegramEmulator, chat: str, adapter: Any) -> None:
    emulator.promote(chat, admin=False)
    with pytest.raises(Rejected, match="not enough rights"):
        await adapter.rename_chat(chat, "War Room")
