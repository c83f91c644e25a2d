"""What its author deletes or rewords while it waits for a platform is never shown there as it was."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from bridge.accounts.state import AccountState
from tests.flows.world import World


@pytest.mark.parametrize("target", ["telegram", "slack", "teamspirit"])
async def test_a_platform_that_was_away_shows_messages_as_they_are_by_now(quiet_world: World, target: str) -> None:
    world, origin = quiet_world, quiet_world.emulators["discord"]
    chat = world.chats["discord"].chat_id
    await world.start_bridge()
    await world.say("discord", "before it went away")
    await world.copy(target, "before it went away")
    emulator: Any = world.emulators[target]

    def sends() -> int:
        return sum(fnmatchcase(call, emulator.sending_operation) for call in emulator.calls())

    before = sends()
    await emulator.refuse_connections(True)
    await world.until_state(target, AccountState.BACKOFF)
    head = await world.say("discord", "head of the line, first words", person="Anna")
    gone = await world.say("discord", "my password is xyzzy", person="Boris")
    typo = await world.say("discord", "third, first words", person="Clara")
    await origin.edit(chat, head, "head of the line, last words")
    await origin.edit(chat, typo, "third, last words")
    await origin.delete(chat, gone)
    await world.say("discord", "all of that is known", person="Dora")
    witness = "slack" if target != "slack" else "telegram"
    await world.copy(witness, "all of that is known")
    await emulator.refuse_connections(False)
    await world.copy(target, "all of that is known")
    shown = [one for one in world.seen(target) if one.is_bot]
    assert [one.text.rpartition("\n")[2] for one in shown] == [
        "before it went away",
        "head of the line, last words",
        "third, last words",
        "all of that is known",
    ]
    assert sends() - before == 3, "what was deleted was never sent"
    if target == "telegram":  # its emulator keeps what was deleted, and knows an edit that changes nothing
        assert not any(one.edited for one in shown)
        assert not [one for one in emulator.transcript(world.chats[target].chat_id) if "xyzzy" in one.text]


@pytest.mark.parametrize("target", ["telegram", "slack", "teamspirit"])
async def test_an_answer_that_waits_does_not_quote_what_was_taken_back(quiet_world: World, target: str) -> None:
    world, origin = quiet_world, quiet_world.emulators["discord"]
    chat = world.chats["discord"].chat_id
    await world.start_bridge()
    await world.say("discord", "before it went away")
    await world.copy(target, "before it went away")
    await world.emulators[target].refuse_connections(True)
    await world.until_state(target, AccountState.BACKOFF)
    gone = await world.say("discord", "my password is xyzzy", person="Boris")
    await world.say("discord", "you should not write that", person="Clara", reply_to=gone)
    typo = await world.say("discord", "first words", person="Boris")
    await world.say("discord", "you mean the last words", person="Clara", reply_to=typo)
    await origin.delete(chat, gone)
    await origin.edit(chat, typo, "better words")
    await world.say("discord", "all of that is known", person="Dora")
    await world.copy("slack" if target != "slack" else "telegram", "all of that is known")
    await world.emulators[target].refuse_connections(False)
    await world.copy(target, "all of that is known")
    shown = "\n".join(f"{one.text} {one.html} {one.reply_quote}" for one in world.seen(target))
    assert "you should not write that" in shown
    assert "you mean the last words" in shown
    assert "xyzzy" not in shown
    assert "first words" not in shown
