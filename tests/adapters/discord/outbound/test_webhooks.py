"""The webhooks of channels: found again, made anew, done without, and asked for again."""

from __future__ import annotations

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.adapter import OutboundDelete, OutboundEdit
from bridge.model.errors import ChangeRefused
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound, shown
from tests.support.patience import eventually


async def test_a_freed_place_for_a_webhook_is_used_at_once(bench: Bench, adapter: DiscordAdapter) -> None:
    intake, world = bench.intake(), bench.emulator.world
    others = [world.add_webhook(int(bench.chat), f"other {n}", world.owner, None) for n in range(15)]
    async with bench.running(adapter, intake):
        assert (await adapter.send(outbound(bench, "by the bot", token="t1"))).adapter_data == "bot"
        del world.webhooks[others[0].id]
        bench.emulator.operations.announce_webhooks(int(bench.chat))
        await eventually(lambda: bench.chat in intake.restorations[1:], "the change is known")
        assert (await adapter.send(outbound(bench, "by webhook", token="t2"))).adapter_data.startswith("webhook:")


async def test_the_webhook_is_found_again_after_a_restart(bench: Bench, adapter: DiscordAdapter) -> None:
    first = await adapter.send(outbound(bench))
    restarted = bench.adapter()
    await restarted.edit(OutboundEdit(token="e", copy=copy_of(bench, first), text=plain("edited after restart"), sender=ANNA))
    second = await restarted.send(outbound(bench, "again"))
    await restarted.close()
    assert first.adapter_data == second.adapter_data
    assert len(bench.emulator.world.webhooks) == 1
    assert [m.text for m in shown(bench)] == ["edited after restart", "again"]


async def test_a_deleted_webhook_is_made_anew(bench: Bench, adapter: DiscordAdapter) -> None:
    first = await adapter.send(outbound(bench))
    bench.emulator.world.webhooks.clear()
    second = await adapter.send(outbound(bench, "again"))
    assert [m.text for m in shown(bench)] == ["hello", "again"]
    assert first.adapter_data != second.adapter_data
    with pytest.raises(ChangeRefused, match="webhook"):
        await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, first), text=plain("too late")))
    await adapter.delete(OutboundDelete(copy=copy_of(bench, first)))
    assert [m.text for m in shown(bench)] == ["again"], "the bot may still delete it"


@pytest.mark.parametrize("obstacle", ["permission", "fifteen webhooks"])
async def test_without_a_webhook_the_bot_posts_with_the_name_in_the_text(
    bench: Bench, adapter: DiscordAdapter, obstacle: str
) -> None:
    if obstacle == "permission":
        bench.emulator.deny(bench.chat, Permission.MANAGE_WEBHOOKS)
    else:
        for number in range(15):
            bench.emulator.world.add_webhook(int(bench.chat), f"theirs {number}", bench.emulator.world.owner, None)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        receipt = await adapter.send(outbound(bench))
        await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited"), sender=ANNA))
    (message,) = shown(bench)
    assert (message.author_name, message.text, message.html) == ("Bridge", "Anna\nedited", "<b>Anna</b><br>edited")
    assert intake.notices
    assert intake.notices[0][2] == bench.chat


async def test_a_webhook_is_asked_for_again_once_the_right_is_given_back(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.deny(bench.chat, Permission.MANAGE_WEBHOOKS)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await adapter.send(outbound(bench))
        intake.restorations.clear()
        bench.emulator.deny(bench.chat, Permission(0))
        await eventually(lambda: bench.chat in intake.restorations)
        await adapter.send(outbound(bench, "again", token="t2"))
    assert [m.author_name for m in shown(bench)] == ["Bridge", "Anna"]
