"""After a downtime: what was missed arrives once, in order, before what is new; what cannot be fetched is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator import SlackEmulator
from adapters.slack.emulator.records import Message
from adapters.slack.timestamps import to_ts
from bridge.model.adapter import Outbound
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited
from bridge.model.rich_text import plain, text_of
from tests.support.patience import PATIENCE_S, eventually


def forget_retries(emulator: SlackEmulator) -> None:
    """What Slack's own retries would bring within six minutes must not help."""
    emulator.deliveries.retry_delays_s = ()


async def test_missed_messages_threads_edits_and_deletions(account: Any, emulator: SlackEmulator) -> None:
    forget_retries(emulator)
    chat = account.chat()
    await emulator.say(chat, "Anna", "before the bridge")
    adapter = await account.start()
    old = await emulator.say(chat, "Anna", "old parent")
    doomed = await emulator.say(chat, "Anna", "doomed")
    kept = await emulator.say(chat, "Anna", "kept")
    in_thread = await emulator.say(chat, "Boris", "early reply", reply_to=old)
    await eventually(lambda: len(account.intake.texts()) == 4)
    account.intake.known_ids[chat] = [in_thread, kept, doomed, old]
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)

    await emulator.say(chat, "Anna", "missed one")
    await emulator.say(chat, "Boris", "missed reply", reply_to=old)
    await emulator.say(chat, "Anna", "missed two")
    await emulator.edit(chat, kept, "kept, edited")
    await emulator.delete(chat, doomed)
    await adapter.send(Outbound(token="ours", attempt=1, chat_id=chat, text=plain("our own")))
    assert len(account.intake.texts()) == 4

    await account.start(adapter)
    await emulator.say(chat, "Anna", "live again")
    await eventually(lambda: "live again" in account.intake.texts())
    assert account.intake.texts()[4:] == ["missed one", "missed reply", "missed two", "live again"]
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["kept, edited"]
    assert [event.message_id for event in account.intake.of(MessageDeleted)] == [doomed]
    reply = account.intake.of(MessageCreated)[5]
    assert (reply.meta.thread_id, reply.content.reply_to.message_id) == (old, old)
    assert [event.meta.delivery_id for event in account.intake.events if event.meta.sent_by_us] == ["ours"]

    await account.stop()
    await account.start(adapter)
    await emulator.say(chat, "Anna", "and again")
    await eventually(lambda: "and again" in account.intake.texts())
    assert len(account.intake.texts()) == 9
    assert len(account.intake.of(MessageDeleted)) == 1
    assert len(account.intake.of(MessageEdited)) == 1
    assert account.intake.gaps == []


async def test_history_has_the_keys_of_live_delivery(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()
    first = await emulator.say(chat, "Anna", "*one* :wave:")
    await emulator.say(chat, "Boris", "two", reply_to=first)
    await emulator.say(chat, "Anna", "three")
    await eventually(lambda: len(account.intake.texts()) == 3)
    live = {event.meta.event_key: event.content for event in account.intake.of(MessageCreated)}
    read = [event async for event in adapter.history(chat, to_ts(datetime.now(UTC) - timedelta(minutes=1)))]
    assert {event.meta.event_key: event.content for event in read if isinstance(event, MessageCreated)} == live
    assert [event.message_id async for event in adapter.history(chat, first)] == [event.message_id for event in read[1:]]


async def test_live_messages_wait_for_missed_ones(account: Any, emulator: SlackEmulator) -> None:
    forget_retries(emulator)
    chat, other = account.chat(), account.chat("other")
    adapter = await account.start()
    await emulator.say(chat, "Anna", "zero")
    await eventually(lambda: account.intake.texts() == ["zero"])
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)
    await emulator.say(chat, "Anna", "missed")
    emulator.inject(Fault(kind=FaultKind.LATENCY, operation="conversations.history", delay_s=0.3))
    connections = account.intake.connections
    account.task = asyncio.create_task(adapter.run(account.intake), name="adapter under test")
    await eventually(lambda: account.intake.connections > connections and emulator.sockets.open_count == 1)
    await emulator.say(chat, "Anna", "live")
    await emulator.say(other, "Anna", "elsewhere")
    await eventually(lambda: len(account.intake.texts()) == 4)
    assert [text for text in account.intake.texts() if text != "elsewhere"] == ["zero", "missed", "live"]
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_too_many_messages_leave_a_told_gap(account: Any, emulator: SlackEmulator) -> None:
    forget_retries(emulator)
    chat = account.chat()
    adapter = account.build(catch_up_messages=200)
    await account.start(adapter)
    await emulator.say(chat, "Anna", "seen")
    await eventually(lambda: account.intake.texts() == ["seen"])
    await account.stop()
    for number in range(450):
        await emulator.say(chat, "Anna", str(number))
    await account.start(adapter)
    await eventually(lambda: account.intake.texts()[-1] == "449")
    assert account.intake.texts() == ["seen", *map(str, range(250, 450))]
    [(where, since, until, _)] = account.intake.gaps
    assert where == chat
    assert since < until


async def test_what_was_said_without_the_bot_is_brought_when_it_is_back(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    await emulator.say(chat, "Anna", "seen")
    await eventually(lambda: account.intake.texts() == ["seen"])
    emulator.remove_bot(chat)
    await emulator.say(chat, "Anna", "unseen")
    await emulator.say(chat, "Boris", "unseen too")
    emulator.inject(Fault(kind=FaultKind.LATENCY, operation="conversations.history", delay_s=0.1))
    emulator.workspace.join(emulator.workspace.channels[chat], emulator.workspace.bot_user_id)
    await emulator.say(chat, "Anna", "live")
    await eventually(lambda: len(account.intake.texts()) == 4)
    assert account.intake.texts() == ["seen", "unseen", "unseen too", "live"]
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert not account.task.done()


async def test_a_long_thread_is_read_whole(account: Any, emulator: SlackEmulator) -> None:
    forget_retries(emulator)
    chat = account.chat()
    adapter = await account.start()
    parent = await emulator.say(chat, "Anna", "parent")
    await eventually(lambda: account.intake.texts() == ["parent"])
    await account.stop()
    for number in range(450):
        await emulator.say(chat, "Boris", str(number), reply_to=parent)
    await account.start(adapter)
    await eventually(lambda: account.intake.texts()[-1] == "449")
    assert account.intake.texts() == ["parent", *map(str, range(450))]
    assert {event.content.reply_to.excerpt for event in account.intake.of(MessageCreated)[1:]} == {"parent"}


async def test_history_that_cannot_be_read_is_told(account: Any, emulator: SlackEmulator) -> None:
    forget_retries(emulator)
    chat = account.chat()
    adapter = await account.start()
    await account.stop()
    await emulator.say(chat, "Anna", "missed")
    emulator.workspace.scopes.discard("channels:history")
    await account.start(adapter)
    await eventually(lambda: account.intake.gaps)
    assert account.intake.gaps[0][0] == chat
    assert "channels:history" in account.intake.notices[0][0]
    await emulator.say(chat, "Anna", "live")
    await eventually(lambda: account.intake.texts() == ["live"])
    await account.stop()
    emulator.workspace.scopes.add("channels:history")
    emulator.remove_bot(chat)
    await account.start(adapter)
    await eventually(lambda: len(account.intake.notices) == 2)
    assert "/invite" in account.intake.notices[1][1]


async def test_rate_limits_and_failures_while_catching_up(account: Any, emulator: SlackEmulator) -> None:
    forget_retries(emulator)
    chat = account.chat()
    adapter = await account.start()
    await account.stop()
    await emulator.say(chat, "Anna", "missed")
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="conversations.history", times=1, retry_after_s=0.05))
    await account.start(adapter)
    await eventually(lambda: account.intake.texts() == ["missed"])
    await account.stop()
    await emulator.say(chat, "Anna", "missed too")
    emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="conversations.history", times=1))
    await account.start(adapter)
    await eventually(lambda: account.intake.texts() == ["missed", "missed too"])


async def test_a_failure_of_the_core_ends_the_run_and_loses_nothing(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()

    async def full(*_: Any, **__: Any) -> None:
        raise OSError("no space left on device")

    accept, account.intake.accept = account.intake.accept, full
    await emulator.say(chat, "Anna", "kept by Slack")
    await asyncio.wait({account.task}, timeout=PATIENCE_S)
    assert isinstance(account.task.exception(), OSError)
    assert emulator.deliveries.unsettled == 1
    account.intake.accept = accept
    await account.start(adapter)
    await eventually(lambda: account.intake.texts() == ["kept by Slack"])


@pytest.mark.parametrize("method", ["reactions.get", "conversations.replies", "users.info", "conversations.info", "bots.info"])
@pytest.mark.parametrize("code", ["no_permission", "missing_scope", "method_not_supported_for_channel_type", "fatal_error"])
async def test_a_refused_side_look_up_throws_nothing_away(
    account: Any, emulator: SlackEmulator, method: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.inbound.backlog._RETRY_WAIT_S", 0.01)
    forget_retries(emulator)
    chat = account.chat()
    adapter = await account.start()
    parent = await emulator.say(chat, "Anna", "parent")
    doomed = await emulator.say(chat, "Anna", "doomed")
    await eventually(lambda: len(account.intake.texts()) == 2)
    account.intake.known_ids[chat] = [doomed, parent]
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)
    emulator.api.refusals = {method: code}
    await emulator.delete(chat, doomed)
    await emulator.say(chat, "Carla", "missed #general")
    await emulator.say(chat, "Boris", "a reply", reply_to=parent)
    await emulator.say(chat, "Anna", "missed too")
    await account.start(adapter)
    await emulator.say(chat, "Anna", "live")
    await eventually(lambda: "live" in account.intake.texts())
    words = account.intake.texts()
    assert [text[:6] for text in words if text.startswith("missed")] == ["missed", "missed"]
    assert account.intake.gaps == []
    assert not account.task.done()
    if method == "conversations.replies":
        assert "threads" in account.intake.notices[0][0], "replies that are missing are told"
    else:
        assert "a reply" in words
    assert [event.message_id for event in account.intake.of(MessageDeleted)] == ([] if method == "reactions.get" else [doomed])


async def test_an_odd_message_in_the_history_costs_only_itself(account: Any, emulator: SlackEmulator) -> None:
    forget_retries(emulator)
    chat = account.chat()
    adapter = await account.start()
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)
    await emulator.say(chat, "Anna", "one")
    odd = emulator.workspace.message(chat, await emulator.say(chat, "Anna", "two"))
    odd.edited = {"ts": "999999999999.000000", "user": 5}
    odd.attachments = [{"fields": 3, "text": "more", "title": 7}]
    await emulator.say(chat, "Anna", "three")
    await account.start(adapter)
    await eventually(lambda: len(account.intake.texts()) == 3)
    assert account.intake.texts() == ["one", "two\n7\nmore", "three"]


async def test_pages_of_what_is_not_understood_hide_nothing_before_or_behind_them(account: Any, emulator: SlackEmulator) -> None:
    """The history is read back from its newest page: one full of odd messages is passed, each is kept once, and nothing is gone."""
    forget_retries(emulator)
    chat = account.chat()
    adapter = await account.start()
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)
    as_it_is = emulator.workspace.wire

    def wire(message: Message) -> dict[str, Any]:
        shown = as_it_is(message)
        return {**shown, "channel": 5} if message.text.startswith("odd") else shown

    emulator.workspace.wire = wire  # type: ignore[method-assign]
    await emulator.say(chat, "Anna", "before them")
    for number in range(410):
        await emulator.say(chat, "Anna", f"odd {number}")
    for last in ("live", "live again"):
        await account.start(adapter)
        await emulator.say(chat, "Anna", last)
        await eventually(lambda last=last: last in account.intake.texts())
        await account.stop()
        await eventually(lambda: emulator.sockets.open_count == 0)
    texts = [text for text in account.intake.texts() if not text.startswith("odd")]
    assert texts == ["before them", "live", "live again"]
    assert len(account.intake.undecoded) == 410
    assert not account.intake.gaps
    assert not account.intake.of(MessageDeleted)


async def test_an_update_of_an_app_that_was_missed(account: Any, emulator: SlackEmulator) -> None:
    """It leaves no mark in the history: what the message said before the connection broke tells."""
    forget_retries(emulator)
    chat = account.chat()
    adapter = await account.start()
    card = emulator.workspace.message(chat, await emulator.say(chat, "Anna", "unused"))
    await eventually(lambda: account.intake.texts() == ["unused"])
    ts = emulator.workspace.clock.next()
    card.ts, card.user, card.text, card.blocks = ts, "U0APP00001", "Build 42", None
    channel = emulator.workspace.channels[chat]
    channel.messages = {ts: card}
    channel._ids[-1], channel._order[-1] = ts, int(ts.replace(".", ""))
    card.attachments = [{"text": "running"}]
    wire = {**emulator.workspace.wire(card), "bot_id": "B0CI000001", "app_id": "A0CI000001"}
    emulator.workspace.wire = lambda message: {**wire, "attachments": card.attachments}  # type: ignore[method-assign]
    emulator.deliveries.emit({**wire, "channel": chat, "event_ts": ts})
    await eventually(lambda: len(account.intake.texts()) == 2)
    await account.stop()
    await eventually(lambda: emulator.sockets.open_count == 0)
    card.attachments = [{"text": "passed"}]
    await account.start(adapter)
    await eventually(lambda: account.intake.of(MessageEdited))
    await account.stop()
    await account.start(adapter)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["Build 42\npassed"]
