"""The teamspirit-webhooks dialect: no API key, an incoming webhook for each chat to send, an outgoing one to receive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import (
    Adapter,
    Deletes,
    Edits,
    OpensFiles,
    Outbound,
    OutboundFile,
    Reacts,
    ReadsHistory,
    Reconciles,
    Sender,
)
from bridge.model.capabilities import Feature, Support
from bridge.model.errors import AccountDown, ChatDown, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, MessageDeleted
from bridge.model.rich_text import plain
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, running, summary
from tests.support.intake import RecordingIntake

PATH = "a-path-hard-to-guess"
SEND = "POST /hooks/{key}"


@pytest.fixture
def chat(emulator: TeamSpiritEmulator, intake: RecordingIntake) -> str:
    """Routed by the name that the admin gave it."""
    intake.chats.add("duty")
    return emulator.add_chat("duty").chat_id


@pytest.fixture
async def bare(emulator: TeamSpiritEmulator, web: PublicWeb, chat: str) -> AsyncIterator[Adapter]:
    hook = emulator.outgoing_webhook(f"{web.public_url}/hooks/spirit/{PATH}", [chat])
    options: dict[str, Any] = {
        "dialect": "teamspirit-webhooks",
        "webhook": {"path": PATH, "key": hook.key, "secret": hook.secret},
        "chats": {"duty": {"incoming_webhook": emulator.incoming_webhook(chat)}},
        "request_timeout_s": 1.0,
    }
    made = make_adapter(options, web)
    yield made
    await made.close()


def outbound(text: str = "hello", **fields: Any) -> Outbound:
    return Outbound(**{"token": "mbabcdef-1-0", "attempt": 1, "chat_id": "duty", "text": plain(text), **fields})


async def test_both_directions(emulator: TeamSpiritEmulator, bare: Adapter, intake: RecordingIntake, chat: str) -> None:
    async with running(bare, intake):
        assert await bare.resolve("duty") == "duty"
        receipt = await bare.send(outbound("a *b*", sender=Sender(name="Anna", avatar_url="https://example.com/a.png")))
        shown = emulator.transcript(chat)[0]
        assert receipt.message_ids == (shown.message_id,)
        assert (shown.author_name, shown.author_avatar_url, shown.text) == ("Anna", "https://example.com/a.png", "a *b*")
        message = await emulator.say(chat, "Bert", "answer")
        await intake.wait(1)
        await emulator.edit(chat, message, "answered")
        await emulator.delete(chat, message)
        await intake.wait(3)
    assert summary(intake) == ["+answer", "~answered", "-"]
    assert all(event.meta.origin.chat_id == "duty" for event in intake.foreign())


async def test_our_own_messages_are_known_by_the_answer(
    emulator: TeamSpiritEmulator, bare: Adapter, intake: RecordingIntake, chat: str
) -> None:
    """Also when the echo overtakes the answer."""
    async with running(bare, intake):
        emulator.inject(Fault(kind=FaultKind.LATENCY, operation=SEND, delay_s=0.05))
        await asyncio.gather(*(bare.send(outbound(f"{number}", token=f"mbabcdef-{number}-0")) for number in range(5)))
        await emulator.say(chat, "Bert", "hers")
        await intake.wait(1)
        await intake.until(lambda: len(intake.own()) == 5)
    assert summary(intake) == ["+hers"]


async def test_what_the_dialect_lacks_is_declared(bare: Adapter, tmp_path: Path) -> None:
    for ability in (Edits, Deletes, Reacts, OpensFiles, ReadsHistory, Reconciles):
        assert not isinstance(bare, ability)
    capabilities = bare.capabilities
    assert capabilities.level(Feature.EDIT) is Support.DROPPED
    assert capabilities.level(Feature.DOCUMENT) is Support.CONVERTED
    assert capabilities.level(Feature.REPLY) is Support.CONVERTED
    assert capabilities.level(Feature.SENDER_NAME) is Support.FULL
    assert capabilities.limits.upload_bytes == 0
    (tmp_path / "f").write_bytes(b"x")
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="elsewhere")
    file = OutboundFile(attachment=attachment, path=tmp_path / "f", name="f", mime="text/plain", size_bytes=1)
    with pytest.raises(Rejected):
        await bare.send(outbound(files=(file,)))


async def test_an_edit_that_comes_before_its_message_is_handed_over_at_once(
    emulator: TeamSpiritEmulator, bare: Adapter, intake: RecordingIntake, chat: str
) -> None:
    """The core keeps it for its message, however long that takes: no timer does."""
    async with running(bare, intake):
        # in one lane the second call would wait for the first to be answered: a server that calls in parallel is what this is about
        first = emulator.world.outgoing.webhooks.copy()
        emulator.world.outgoing.webhooks.clear()
        message = await emulator.say(chat, "Bert", "one")
        emulator.world.outgoing.webhooks.update(first)
        created = {"event": "message.created", **body_of(emulator, chat, message)}
        await emulator.edit(chat, message, "two")
        await intake.wait(1)
        emulator.world.outgoing.webhooks["second"] = emulator.outgoing_webhook(
            next(iter(first.values())).url, [chat], ["message.created"]
        )
        second = emulator.world.outgoing.webhooks["second"]
        second.key, second.secret = next(iter(first.values())).key, next(iter(first.values())).secret
        emulator.world.outgoing.webhooks = {"second": second}
        emulator.world.outgoing.emit(created, chat)
        await intake.wait(2)
    assert summary(intake) == ["~two", "+one"]


def body_of(emulator: TeamSpiritEmulator, chat: str, message_id: str) -> dict[str, Any]:
    chats = emulator.world.state.chats[chat]
    message = chats.by_id[message_id]
    return {"event_id": "e1", "chat": chats.wire(), "user": message.user.wire(), "message": message.wire()}


async def test_an_edit_of_an_old_message_does_not_wait_for_ever(
    emulator: TeamSpiritEmulator, bare: Adapter, intake: RecordingIntake, chat: str
) -> None:
    message = await emulator.say(chat, "Bert", "before we were there")
    emulator.world.outgoing.webhooks, kept = {}, emulator.world.outgoing.webhooks
    await asyncio.sleep(0)
    emulator.world.outgoing.webhooks = kept
    async with running(bare, intake):
        await emulator.delete(chat, message)
        await intake.until(lambda: bool(intake.of(MessageDeleted)))


@pytest.mark.parametrize(
    "disturbance", [StreamFault.DISCONNECT, StreamFault.REDELIVER, StreamFault.POISON], ids=lambda one: one.value
)
async def test_disturbances_lose_and_double_nothing(
    emulator: TeamSpiritEmulator, bare: Adapter, intake: RecordingIntake, chat: str, disturbance: StreamFault
) -> None:
    async with running(bare, intake) as run:
        for number in range(4):
            await emulator.say(chat, "Anna", f"{number}")
            await emulator.disturb(disturbance)
        await intake.wait(4)
        assert not run.task.done()
    assert sorted(summary(intake)) == ["+0", "+1", "+2", "+3"]


async def test_errors_of_a_webhook_concern_its_chat(emulator: TeamSpiritEmulator, bare: Adapter, chat: str) -> None:
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation=SEND, times=1, retry_after_s=2))
    with pytest.raises(RetryLater):
        await bare.send(outbound())
    emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation=SEND, times=1))
    with pytest.raises(OutcomeUnknown):
        await bare.send(outbound())
    emulator.world.incoming.clear()
    with pytest.raises(ChatDown) as down:
        await bare.send(outbound())
    assert "incoming_webhook" in down.value.action
    with pytest.raises(ChatDown):
        await bare.resolve("elsewhere")


async def test_without_a_public_url_a_human_must_act(emulator: TeamSpiritEmulator, chat: str, intake: RecordingIntake) -> None:
    options = {
        "dialect": "teamspirit-webhooks",
        "webhook": {"path": PATH, "key": "k", "secret": "s"},
        "chats": {"duty": {"incoming_webhook": emulator.incoming_webhook(chat)}},
    }
    adapter = make_adapter(options)
    with pytest.raises(AccountDown) as caught:
        await adapter.run(intake)
    assert "web.public" in caught.value.action
    await adapter.close()


async def test_the_webhooks_url_is_in_no_error(emulator: TeamSpiritEmulator, bare: Adapter, chat: str) -> None:
    key = next(iter(emulator.world.incoming))
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=SEND, times=1))
    with pytest.raises(OutcomeUnknown) as caught:
        await bare.send(outbound())
    assert key not in str(caught.value)
    await emulator.refuse_connections(True)
    with pytest.raises((RetryLater, OutcomeUnknown)) as later:
        await bare.send(outbound())
    assert key not in str(later.value)
    assert key not in repr(later.value.__context__)
    await emulator.refuse_connections(False)


async def test_probe_shows_the_url_to_enter(bare: Adapter, web: PublicWeb) -> None:
    items = {item.name: item for item in await bare.probe(["duty"])}
    assert items["receiving"].ok
    assert f"{web.public_url}/hooks/spirit/{PATH}" in items["receiving"].detail
    assert items["chat duty"].ok
