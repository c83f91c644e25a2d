"""Events in the wrong order: messages after their own edits, edits after later ones, words that come back."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.emulator import SlackEmulator
from bridge.model.events import MessageEdited, ReactionsChanged
from bridge.model.rich_text import text_of
from tests.support.patience import eventually


async def test_a_message_after_its_own_edit_or_deletion(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    emulator.deliveries.retry_delays_s = (0.4,)
    emulator.deliveries.use(lambda delivery: False)
    edited = await emulator.say(chat, "Anna", "before")
    deleted = await emulator.say(chat, "Anna", "soon gone")
    emulator.deliveries.use(emulator.sockets.send)
    await emulator.edit(chat, edited, "after")
    await emulator.delete(chat, deleted)
    await emulator.say(chat, "Anna", "later")
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert account.intake.texts() == ["after", "later"]
    assert [event.meta.event_key for event in account.intake.duplicates] == [f"created:team:{chat}:{edited}"]
    assert account.intake.of(MessageEdited) == []
    assert list(account.intake.ignored_reasons.elements()) == ["deleted before it arrived"]


async def test_an_edit_after_a_later_one_is_no_news(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()
    ts = await emulator.say(chat, "Anna", "zero")
    await eventually(lambda: account.intake.texts() == ["zero"])
    emulator.deliveries.retry_delays_s = (0.4,)
    emulator.deliveries.use(lambda delivery: False)
    await emulator.edit(chat, ts, "one")
    emulator.deliveries.use(emulator.sockets.send)
    await emulator.edit(chat, ts, "two")
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["two"]
    await account.stop()
    emulator.deliveries.use(lambda delivery: False)
    await emulator.edit(chat, ts, "three")
    emulator.deliveries.retry_delays_s = ()
    await emulator.edit(chat, ts, "four")
    emulator.deliveries.use(emulator.sockets.send)
    await account.start(adapter)
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["two", "four"]


async def test_an_edit_of_an_old_message_stays_an_edit(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    ts = await emulator.say(chat, "Anna", "before the bridge")
    message = emulator.workspace.message(chat, ts)
    message.ts = "1600000000.000001"
    emulator.workspace.channels[chat].messages[message.ts] = message
    recent = await emulator.say(chat, "Anna", "just before the bridge")
    await account.start()
    await emulator.edit(chat, message.ts, "rewritten")
    await emulator.edit(chat, recent, "rewritten")
    await eventually(lambda: len(account.intake.of(MessageEdited)) == 2)
    assert account.intake.texts() == []


async def test_updates_of_an_app_within_one_second_all_arrive(account: Any, emulator: SlackEmulator) -> None:
    """First without a mark, then with one in whole seconds: older than the update before it, by its looks."""
    chat = account.chat()
    await account.start()
    first: dict[str, Any] = {"type": "message", "ts": "1795669643.100000", "text": "thinking...", "bot_id": "B9", "app_id": "A9"}
    part = {**first, "text": "part"}
    final = {**first, "text": "the answer", "edited": {"user": "B9", "ts": "1795669643.000000"}}
    better = {**final, "text": "the better answer"}
    emulator.deliveries.emit({**first, "channel": chat, "event_ts": first["ts"]})
    for old, new, at in (
        (first, part, "1795669643.400000"),
        (part, final, "1795669643.800000"),
        (final, better, "1795669643.900000"),
    ):
        change = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": chat, "ts": at, "event_ts": at}
        emulator.deliveries.emit({**change, "message": new, "previous_message": old})
    await eventually(lambda: len(account.intake.of(MessageEdited)) == 3)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == [
        "part",
        "the answer",
        "the better answer",
    ]


async def test_words_that_come_back_within_a_second_are_another_edit(account: Any, emulator: SlackEmulator) -> None:
    """A spinner's frames: the last one is what is shown, and a repeated delivery is still one."""
    chat = account.chat()
    await account.start()
    first: dict[str, Any] = {"type": "message", "ts": "1795669643.100000", "text": "-", "bot_id": "B9", "app_id": "A9"}
    emulator.deliveries.emit({**first, "channel": chat, "event_ts": first["ts"]})
    old = first
    for number, frame in enumerate("|-|-"):
        new = {**first, "text": frame, "edited": {"user": "B9", "ts": "1795669643.000000"}}
        at = f"1795669643.{number + 2}00000"
        change = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": chat, "ts": at, "event_ts": at}
        emulator.deliveries.emit({**change, "message": new, "previous_message": {**old, "text": "-" if frame == "|" else "|"}})
        old = new
    await eventually(lambda: len(account.intake.of(MessageEdited)) == 4)
    emulator.deliveries.redeliver_last()
    await eventually(lambda: account.intake.duplicates and emulator.deliveries.unsettled == 0)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["|", "-", "|", "-"]


@pytest.mark.parametrize("last", ["added", "removed"])
async def test_a_reaction_that_comes_again_after_a_later_one_of_the_same(account: Any, emulator: SlackEmulator, last: str) -> None:
    """Another person's, and another emoji, are others."""
    chat = account.chat()
    await account.start()
    ts = await emulator.say(chat, "Anna", "words")
    if last == "added":
        await emulator.react(chat, ts, "Boris", "👍")
    await eventually(lambda: account.intake.texts() == ["words"] and emulator.deliveries.unsettled == 0)
    before = len(account.intake.of(ReactionsChanged))
    emulator.deliveries.retry_delays_s = (0.4,)
    emulator.deliveries.use(lambda delivery: False)
    await emulator.react(chat, ts, "Boris", "👍", remove=last == "added")
    await emulator.react(chat, ts, "Carla", "👍")
    await emulator.react(chat, ts, "Boris", "🎉")
    emulator.deliveries.use(emulator.sockets.send)
    await emulator.react(chat, ts, "Boris", "👍", remove=last == "removed")
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    came = account.intake.of(ReactionsChanged)[before:]
    assert len(came) == 3
    boris = [event for event in came if "👍" in (*event.added, *event.removed) and event.meta.author.name == "Boris"]
    assert [bool(event.added) for event in boris] == [last == "added"]
    reason = "older than a change of the same reaction or pin that was here first"
    assert account.intake.ignored_reasons[reason] == 1
