"""What `check --online` says: the right click, and none where nothing is wrong but the moment."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter, ProbeItem
from bridge.model.errors import RetryLater
from tests.adapters.teamspirit.harness import make_adapter, options_of

LIST, READ = "GET /chats", "GET /chats/{chat}/messages"


@pytest.fixture
def chat(emulator: TeamSpiritEmulator) -> str:
    return emulator.add_chat("team").chat_id


def failing(emulator: TeamSpiritEmulator, operation: str, status: int, times: int = 99) -> None:
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=operation, status=status, times=times))


async def item(adapter: Adapter, name: str, *chats: str) -> ProbeItem:
    return next(one for one in await adapter.probe(chats) if one.name == name)


@pytest.mark.parametrize(
    ("status", "why", "what"),
    [(403, "the bot may not list chats", "let the bot list"), (404, "does not list chats", "the chat's id")],
)
async def test_names_that_cannot_be_looked_up(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, status: int, why: str, what: str
) -> None:
    """Neither the chat nor the bot in it is what is wrong."""
    failing(emulator, LIST, status)
    assert (await item(adapter, f"chat {chat}", chat)).ok, "an id needs no list"
    found = await item(adapter, "chat squad", "squad")
    assert not found.ok
    assert why in found.detail
    assert what in found.action
    assert not found.action.startswith("add the bot")
    assert await adapter.resolve(chat) == chat


async def test_a_dialect_without_a_list_of_chats(emulator: TeamSpiritEmulator, chat: str) -> None:
    adapter = make_adapter(options_of(emulator, overrides={"operations": {"chats": None}}))
    found = await item(adapter, "chat squad", "squad")
    assert "cannot look up names" in found.detail
    assert "the chat's id" in found.action
    assert (await item(adapter, f"chat {chat}", chat)).ok
    await adapter.close()


async def test_a_name_that_nobody_has(adapter: Adapter, chat: str) -> None:
    found = await item(adapter, "chat other", "other")
    assert found.action.startswith("add the bot to the chat")


@pytest.mark.parametrize("status", [500, 502, 503, 429])
async def test_trouble_that_passes_is_told_as_such(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, status: int) -> None:
    failing(emulator, LIST, status, times=1)
    with pytest.raises(RetryLater):
        await adapter.resolve("a name")
    failing(emulator, READ, status, times=1)
    found = await item(adapter, f"chat {chat}", chat)
    assert (found.ok, found.temporary, found.action) == (False, True, "")
    failing(emulator, "GET /me", status, times=1)
    found = await item(adapter, "identity")
    assert (found.ok, found.temporary, found.action) == (False, True, "")


async def test_a_history_that_is_refused_is_not_the_bots_absence(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    failing(emulator, READ, 400)
    found = await item(adapter, f"chat {chat}", chat)
    assert "history" in found.action
    assert not found.temporary
