"""A send of unknown outcome is found by reading back, whatever this machine's clock says, and none is taken for another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.common.platform_time import PlatformTime
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import BOT_PERMISSIONS, Author, Permission
from adapters.discord.snowflakes import snowflake_at
from bridge.model.adapter import OutboundEdit, OutboundFile, Sender
from bridge.model.errors import OutcomeUnknown
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound, outbound_file, shown

YEAR = timedelta(days=365)


async def test_a_send_of_unknown_outcome_is_found_where_no_application_is_told(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.world.tells_applications = False
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await adapter.send(outbound(bench, "warm up", token="t0"))
        bench.emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="POST /webhooks/*", times=1))
        with pytest.raises(OutcomeUnknown):
            await adapter.send(outbound(bench, "once"))
        found = await adapter.reconcile(outbound(bench, "once"), datetime.now(UTC))
    assert found is not None
    assert found.message_ids == (shown(bench)[-1].message_id,)


class WrongClock:
    """This machine's clock, off by so much; it can be set."""

    def __init__(self, off: timedelta) -> None:
        self.off = off

    def local_s(self) -> float:
        return (datetime.now(UTC) + self.off).timestamp()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.local_s(), UTC)

    def rule(self, adapter: DiscordAdapter) -> None:
        PlatformTime.__init__(adapter._transport.time, local_s=self.local_s)  # the same object, since every part has it


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("set_to", [YEAR, -YEAR, timedelta(0), timedelta(seconds=60)])
@pytest.mark.parametrize("off", [YEAR, -YEAR, timedelta(seconds=60), timedelta(seconds=-60), timedelta(0)])
async def test_a_wrong_clock_neither_loses_nor_finds_a_message(
    bench: Bench, off: timedelta, set_to: timedelta, restarted: bool
) -> None:
    clock = WrongClock(off)
    intake, adapter, later = bench.intake(), bench.adapter(), bench.adapter()
    clock.rule(adapter)
    await adapter.send(outbound(bench, "warm up", token="t0"))
    started = clock.now()
    bench.emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="POST /webhooks/*", times=1))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(outbound(bench, "once"))
    clock.off = set_to
    asked = later if restarted else adapter
    if restarted:
        clock.rule(later)
    asked._reconciliation.begin(intake)
    found = await asked.reconcile(outbound(bench, "once"), started)
    assert found is not None
    assert found.message_ids == (shown(bench)[-1].message_id,)
    assert await asked.reconcile(outbound(bench, "never said", token="t9"), started) is None


async def test_what_was_tried_here_is_not_taken_for_an_earlier_message(bench: Bench, adapter: DiscordAdapter) -> None:
    """The same words of an hour ago, which the journal knows no more: what this process tried began later, by Discord's clock."""
    world, bot = bench.emulator.world, bench.emulator.bot
    hook = world.add_webhook(int(bench.chat), "messenger-bridge", bot.user, bot.application_id)
    persona = Author(id=hook.id, username="Anna", display_name="Anna", is_bot=True)
    marks: dict[str, Any] = {"webhook_id": hook.id, "application_id": bot.application_id}
    an_hour_ago = int(snowflake_at(datetime.now(UTC) - timedelta(hours=1)))
    channel = world.channels[int(bench.chat)]
    bench.emulator.operations.post(channel, message_id=an_hour_ago, author=persona, content="ok", **marks)
    await adapter.send(outbound(bench, "warm up", token="t1"))
    bench.emulator.inject(Fault(kind=FaultKind.DROP, operation="POST /webhooks/*", times=1))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(outbound(bench, "ok", token="t2"))
    assert await adapter.reconcile(outbound(bench, "ok", token="t2"), datetime.now(UTC)) is None


@pytest.mark.parametrize("sender", [ANNA, None])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER])
async def test_an_unknown_outcome_is_told_by_reading_back(
    bench: Bench, adapter: DiscordAdapter, tmp_path: Path, sender: Sender | None, kind: FaultKind
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("note")
    same = outbound(bench, "same *text*  ", sender=sender, token="t0", files=(outbound_file(path),))
    await adapter.send(same)
    await bench.emulator.say(bench.chat, "Anna", "same *text*")
    started = datetime.now(UTC)
    bench.emulator.inject(Fault(kind=kind, operation="POST /*", times=1))
    second = outbound(bench, "same *text*  ", sender=sender, token="t1", files=(outbound_file(path),))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(second)
    found = await adapter.reconcile(second, started)
    if kind is FaultKind.DROP:
        assert found is None, "an earlier message of the same words is not this one"
    else:
        assert found is not None
        assert found.message_ids == (shown(bench)[-1].message_id,)
        await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, found), text=plain("edited"), has_files=True, sender=sender))
        assert shown(bench)[-1].text == "edited"


async def test_reading_back_leaves_out_what_the_journal_knows(bench: Bench) -> None:
    """After a crash the adapter itself remembers nothing; messages with a receipt are told by the intake."""
    before_crash = bench.adapter()
    started = datetime.now(UTC) - timedelta(seconds=1)
    receipt = await before_crash.send(outbound(bench, "ok", token="t0"))
    await before_crash.close()
    adapter, intake = bench.adapter(), bench.intake()
    intake.known_ids[bench.chat] = list(receipt.message_ids)
    async with bench.running(adapter, intake):
        assert await adapter.reconcile(outbound(bench, "ok", token="t1"), started) is None
    await adapter.close()


async def test_a_repeated_bot_message_is_recognised_by_its_nonce(bench: Bench) -> None:
    adapter = bench.adapter(post_as="bot")
    bench.emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="POST /*", times=1))
    message = outbound(bench, "once", sender=None)
    with pytest.raises(OutcomeUnknown):
        await adapter.send(message)
    receipt = await adapter.send(message)
    assert [m.message_id for m in shown(bench)] == list(receipt.message_ids)
    await adapter.close()


def _voice(path: Path, size_bytes: int) -> OutboundFile:
    path.write_bytes(b"OggS" + bytes(size_bytes - 4))
    attachment = Attachment(kind=AttachmentKind.VOICE, file_id="v", mime="audio/ogg", duration_s=1.5, waveform="AAEC")
    return OutboundFile(attachment=attachment, path=path, name="voice.ogg", mime="audio/ogg", size_bytes=size_bytes)


@pytest.mark.parametrize(("sender", "as_voice"), [(ANNA, True), (None, True), (None, False)])
async def test_a_voice_message_that_did_arrive_is_found_and_not_doubled(
    bench: Bench, adapter: DiscordAdapter, tmp_path: Path, sender: Sender | None, as_voice: bool
) -> None:
    """It has no words to be known by. Neither an earlier one of that size, nor another sound, nor a person's is taken for it."""
    if not as_voice:
        bench.emulator.set_permissions(BOT_PERMISSIONS & ~Permission.SEND_VOICE_MESSAGES)
    sound, other = _voice(tmp_path / "sound.ogg", 400), _voice(tmp_path / "other.ogg", 300)
    ours = outbound(bench, "", sender=sender, token="t1", files=(sound,))
    async with bench.running(adapter, bench.intake()):
        await adapter.send(outbound(bench, "", sender=sender, token="t0", files=(sound,)))
        same = Upload(name="v.ogg", mime="audio/ogg", content=bytes(400), kind="voice")
        await bench.emulator.say(bench.chat, "Anna", "", files=[same])
        started = datetime.now(UTC)
        bench.emulator.inject(Fault(kind=FaultKind.DROP, operation="POST /*", times=1))
        with pytest.raises(OutcomeUnknown):
            await adapter.send(ours)
        assert await adapter.reconcile(ours, started) is None, "it did not arrive"
        after_refusal = {} if as_voice else {"every": 2}
        bench.emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="POST /*", times=1, **after_refusal))
        with pytest.raises(OutcomeUnknown):
            await adapter.send(ours)
        arrived = shown(bench)[-1]
        await adapter.send(outbound(bench, "", sender=sender, token="t2", files=(other,)))
        found = await adapter.reconcile(ours, started)
        assert found is not None
        assert found.message_ids == (arrived.message_id,)
        assert await adapter.reconcile(ours, started) is None, "known by now, and not found for another one"
    kind = "voice" if as_voice else "audio"
    seen = [(file.kind, file.size_bytes) for message in shown(bench) for file in message.files]
    assert seen == [(kind, 400), ("voice", 400), (kind, 400), (kind, 300)]


async def test_a_file_whose_size_is_not_known_is_found_by_its_words(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    """It was converted before it was sent, and is not at hand now."""
    path = tmp_path / "Foxes.gif"
    path.write_bytes(b"GIF89a" + bytes(90))
    sent = outbound(bench, "look", files=(outbound_file(path, mime="image/gif", kind=AttachmentKind.ANIMATION),))
    unsized = msgspec.structs.replace(sent, files=(msgspec.structs.replace(sent.files[0], size_bytes=0),))
    async with bench.running(adapter, bench.intake()):
        started = datetime.now(UTC)
        await adapter.send(outbound(bench, "look", token="t0"))
        bench.emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="POST /webhooks/*", times=1))
        with pytest.raises(OutcomeUnknown):
            await adapter.send(sent)
        other = msgspec.structs.replace(unsized, text=plain("other words"))
        assert await adapter.reconcile(other, started) is None
        assert await adapter.reconcile(msgspec.structs.replace(sent, files=()), started) is None, "it has a file"
        found = await adapter.reconcile(unsized, started)
    assert found is not None
    assert found.message_ids == (shown(bench)[-1].message_id,)
