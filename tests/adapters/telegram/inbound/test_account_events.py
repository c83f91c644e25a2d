"""What keeps the bot from hearing in its chats, and what a human is told about it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.inbound.account_events import LOOK_AGAIN_S, Looks
from bridge.model.errors import AccountDown


async def test_being_removed_from_a_routed_chat_is_told(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    intake.chats = {chat}
    async with receiving(adapter):
        emulator.kick(chat)
        emulator.kick(emulator.add_chat("Not routed").chat_id)
        emulator.promote(chat, admin=False)
        await intake.until(lambda: len(intake.notices) == 2 and intake.ignored_reasons)
        assert intake.restorations == [chat], "back in the chat, though without rights"
        emulator.promote(chat)
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: intake.events)
    assert intake.restorations == [chat, chat]
    assert "removed from Team" in intake.notices[0][0]
    assert intake.notices[0][2] == chat
    assert "reactions" in intake.notices[1][0]


async def test_a_wrong_token_parks_the_account(emulator: TelegramEmulator, make_adapter: Any, intake: Any) -> None:
    for token in ("123456:" + "A" * 35, "nonsense"):
        with pytest.raises(AccountDown) as down:
            await make_adapter(token=token).run(intake)
        assert "BotFather" in down.value.action
        assert token not in down.value.reason + down.value.action


async def test_a_group_in_which_the_bot_hears_nothing_is_told_with_what_to_click(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    other = emulator.add_chat("Other").chat_id
    gone = emulator.add_chat("Gone").chat_id
    emulator.promote(chat, admin=False)
    emulator.kick(gone)
    bot = emulator.bot()
    bot.sees_everything = False
    intake.chats = {chat, other, gone, "555"}
    async with receiving(adapter):
        await intake.until(lambda: {told[2] for told in intake.notices} >= {chat, gone})
        told = {chat_id: (reason, action) for reason, action, chat_id in intake.notices}
        assert set(told) == {chat, gone}
        assert "sees no messages" in told[chat][0]
        assert "/setprivacy" in told[chat][1]
        assert "remove the bot from the chat and add it again" in told[chat][1]
        assert "add the bot" in told[gone][1]
        emulator.promote(other, admin=False)
        await intake.until(lambda: intake.notices[-1][2] == other)
        assert "sees no messages" in intake.notices[-1][0]
    bot.sees_everything = True
    intake.notices.clear()
    async with receiving(adapter):
        emulator.promote(other)
        emulator.promote(other, admin=False)
        await intake.until(lambda: any(chat_id == other for _, _, chat_id in intake.notices))
    assert {chat_id: reason for reason, _, chat_id in intake.notices if chat_id != gone} == {
        other: "the bot is no administrator of Other: it sees no reactions there"
    }


async def test_privacy_mode_that_is_switched_off_is_no_longer_told(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    other = emulator.add_chat("Other").chat_id
    for group in (chat, other):
        emulator.promote(group, admin=False)
    emulator.bot().sees_everything = False
    intake.chats = {chat, other}
    async with receiving(adapter):
        await intake.until(lambda: {told[2] for told in intake.notices} == {chat, other})
        assert all("sees no messages" in reason for reason, _, _ in intake.notices)
        emulator.bot().sees_everything = True
        emulator.kick(chat)
        emulator.promote(chat, admin=False)  # removed and added again, as it was told
        await intake.until(lambda: "sees no reactions" in intake.notices[-1][0])
        before = intake.restorations.count(other)
    async with receiving(adapter):
        await intake.until(lambda: intake.restorations.count(other) > before)


def test_a_connection_that_comes_and_goes_does_not_ask_again_and_again() -> None:
    now = 0.0
    looks = Looks(lambda: now)
    assert [looks.due("-1", sees_all=False) for _ in range(3)] == [True, False, False]
    assert looks.due("-2", sees_all=False)
    assert looks.due("-1", sees_all=True), "privacy mode was changed"
    now = LOOK_AGAIN_S
    assert looks.due("-1", sees_all=False)


async def test_a_look_at_the_chats_that_fails_harms_nothing(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    intake.chats = {chat}
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="getChatMember", times=100, status=502))
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "heard")
        await intake.until(lambda: "heard" in intake.texts())
    assert intake.notices == []
