"""Reactions with custom emoji: shown as the emoji that they stand for, asked for once, and never for long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.inbound.custom_emoji import MOST_IDS, CustomEmoji
from adapters.telegram.wire import Call
from bridge.model.errors import OutcomeUnknown, RetryLater
from tests.support.clock import ManualClock

THUMB, CAT = "5368324170671202286", "5368324170671202287"


def asked(emulator: TelegramEmulator) -> int:
    return emulator.calls().count("getCustomEmojiStickers")


async def test_it_is_the_emoji_that_it_stands_for(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    emulator.world.custom_emoji |= {THUMB: "👍", CAT: "❤"}
    async with receiving(adapter):
        message = await emulator.say(chat, "Anna", "one")
        await emulator.react(chat, message, "Bob", THUMB)
        await emulator.react(chat, message, "Bob", CAT)
        await emulator.react(chat, message, "Bob", THUMB, remove=True)
        await intake.until(lambda: len(intake.events) == 4)
    changes = [(event.added, event.removed) for event in intake.events[1:]]
    assert changes == [(("👍",), ()), (("❤️",), ()), ((), ("👍",))]
    assert asked(emulator) <= 2, "each is asked for once"


async def test_a_server_that_refuses_or_hangs_holds_up_nothing(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    emulator.world.custom_emoji |= {THUMB: "👍", CAT: "❤"}
    emulator.inject(Fault(kind=FaultKind.HANG, operation="getCustomEmojiStickers"))
    async with receiving(adapter):
        message = await emulator.say(chat, "Anna", "one")
        await emulator.react(chat, message, "Bob", THUMB)
        await emulator.react(chat, message, "Carla", CAT)
        await emulator.say(chat, "Anna", "two")
        await intake.until(lambda: len(intake.events) == 4)
    assert [event.added for event in intake.events[1:3]] == [(":custom:",), (":custom:",)]
    assert asked(emulator) == 1, "after a failure it rests"


class Server:
    """A transport that answers as told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[list[str]] = []

    async def call(self, call: Call, *, timeout_s: float | None = None) -> Any:
        assert call.method == "GetCustomEmojiStickers"
        assert timeout_s is not None
        assert timeout_s <= 3
        self.asked.append(call.params["custom_emoji_ids"])
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def reactions(*ids: str, old: Sequence[str] = ()) -> list[msgspec.Raw]:
    def wire(ids: Sequence[str]) -> list[Any]:
        return [{"type": "custom_emoji", "custom_emoji_id": each} for each in ids]

    body = {"old_reaction": wire(old), "new_reaction": wire(ids)}
    return [msgspec.Raw(msgspec.json.encode({"update_id": 1, "message_reaction": body}))]


def sticker(emoji_id: Any, emoji: Any) -> dict[str, Any]:
    return {"custom_emoji_id": emoji_id, "emoji": emoji}


async def test_what_is_known_is_not_asked_for_again() -> None:
    emoji, server = CustomEmoji(ManualClock()), Server([sticker("1", "🔥")])
    await emoji.learn(reactions("1", "2", old=["3"]), server)  # type: ignore[arg-type]
    await emoji.learn(reactions("1", "2", "3"), server)  # type: ignore[arg-type]
    assert server.asked == [["3", "1", "2"]]
    assert dict(emoji.known) == {"1": "🔥", "2": "", "3": ""}


@pytest.mark.parametrize("failure", [RetryLater("busy"), OutcomeUnknown("no answer")])
async def test_a_failure_is_followed_by_a_rest(failure: Exception) -> None:
    clock = ManualClock()
    emoji, server = CustomEmoji(clock), Server(failure)
    await emoji.learn(reactions("1"), server)  # type: ignore[arg-type]
    await emoji.learn(reactions("2"), server)  # type: ignore[arg-type]
    assert len(server.asked) == 1
    assert not emoji.known
    server.answer = [sticker("1", "🔥")]
    clock.forward(61)
    await emoji.learn(reactions("1"), server)  # type: ignore[arg-type]
    assert emoji.known["1"] == "🔥"


@pytest.mark.parametrize(
    "answer", [None, "no", [1, None], [sticker(None, "x")], [sticker("1", {"a": 1})], [sticker("1", "x" * 500)]]
)
async def test_an_odd_answer_means_no_emoji(answer: Any) -> None:
    emoji = CustomEmoji(ManualClock())
    await emoji.learn(reactions("1"), Server(answer))  # type: ignore[arg-type]
    assert emoji.known["1"] == ""


async def test_what_it_asks_and_remembers_is_bounded() -> None:
    emoji, server = CustomEmoji(ManualClock()), Server([])
    for start in range(0, 12_000, 400):
        await emoji.learn(reactions(*(str(each) for each in range(start, start + 400))), server)  # type: ignore[arg-type]
    assert {len(ids) for ids in server.asked} == {MOST_IDS}
    assert len(emoji.known) == 5000


async def test_what_is_no_reaction_asks_nothing() -> None:
    emoji, server = CustomEmoji(ManualClock()), Server([])
    text = msgspec.Raw(b'{"message": {"entities": [{"type": "custom_emoji", "custom_emoji_id": "1"}]}}')
    broken = msgspec.Raw(b'{"message_reaction": {"custom_emoji')
    odd = msgspec.Raw(b'{"message_reaction": ["custom_emoji_id"]}')
    await emoji.learn([text, broken, odd], server)  # type: ignore[arg-type]
    assert server.asked == []
