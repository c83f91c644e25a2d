"""What is ours is known by either mark of a webhook, also after a crash, and whatever this machine's clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.common.platform_time import PlatformTime
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.decode import decode
from adapters.discord.emulator.world import Author
from adapters.discord.snowflakes import snowflake_at
from bridge.model.errors import OutcomeUnknown
from tests.adapters.discord.payloads import context_of, message, one
from tests.support.patience import eventually

from .conftest import Bench
from .sending import outbound, shown

TOKEN = "mbabcdef-1-0"
YEAR = timedelta(days=365)


# -- marks --------------------------------------------------------------------------------------------------------------------


def test_either_mark_of_a_webhook_is_enough() -> None:
    for fields in ({"application_id": "2"}, {"application_id": None}, {}):
        data = message(webhook_id="50", author={"id": "50", "username": "Anna"}, **fields)
        assert one(context_of(own_webhooks={"50"}), "MESSAGE_CREATE", data).meta.sent_by_us
        assert one(context_of(), "MESSAGE_CREATE", data).meta.sent_by_us is (fields.get("application_id") == "2")


@pytest.mark.parametrize(
    "author",
    [
        {"author": {"id": "7", "username": "eve"}},
        {"author": {"id": "8", "username": "bot", "bot": True}, "application_id": "8"},
        {"author": {"id": "51", "username": "Anna"}, "webhook_id": "51", "application_id": "3"},
        {"author": {"id": "1", "username": "a webhook named like us"}, "webhook_id": "51"},
    ],
)
def test_a_mark_of_ours_on_somebody_elses_message_is_not_believed(author: dict[str, Any]) -> None:
    event = one(context_of(), "MESSAGE_CREATE", message(nonce=TOKEN, **author))
    assert (event.meta.sent_by_us, event.meta.delivery_id) == (False, "")
    own = one(context_of(), "MESSAGE_CREATE", message(nonce=TOKEN, author={"id": "1", "username": "we"}))
    assert (own.meta.sent_by_us, own.meta.delivery_id) == (True, TOKEN)


@pytest.mark.parametrize("crash", [False, True])
async def test_copies_do_not_come_back_where_no_application_is_told(bench: Bench, crash: bool) -> None:
    """The id of a webhook is on disk before it is used: a copy that is read after a crash is known, too."""
    bench.emulator.world.tells_applications = False
    intake, first, second = bench.intake(), bench.adapter(), bench.adapter()
    async with bench.running(first, intake):
        if not crash:
            await first.send(outbound(bench, "a copy"))
            await bench.emulator.say(bench.chat, "Anna", "behind it")
            await eventually(lambda: "behind it" in intake.texts())
    if crash:
        await first.send(outbound(bench, "a copy"))  # nobody listens any more
        bench.emulator.gateway.invalidate_sessions()
        async with bench.running(second, intake):
            await second.send(outbound(bench, "another copy", token="t2"))
            await bench.emulator.say(bench.chat, "Anna", "behind it")
            await eventually(lambda: "behind it" in intake.texts())
    assert intake.texts() == ["behind it"]
    assert len(bench.emulator.world.webhooks) == 1, "the webhook is found again"


async def test_a_server_that_knows_no_applications_is_served(bench: Bench) -> None:
    bench.emulator.world.tells_applications = False
    for operation in ("GET /oauth2/applications/@me", "GET /gateway/bot"):
        bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=operation, status=404))
    intake = bench.intake()
    for token in ("t1", "t2"):
        adapter = bench.adapter()
        async with bench.running(adapter, intake):
            await adapter.send(outbound(bench, "a copy", token=token))
            await bench.emulator.say(bench.chat, "Anna", f"behind {token}")
            await eventually(lambda: f"behind {token}" in intake.texts())  # noqa: B023
    assert intake.texts() == ["behind t1", "behind t2"]
    assert len(bench.emulator.world.webhooks) == 1


async def test_webhooks_of_before_are_asked_for_once(bench: Bench) -> None:
    """A journal of an earlier version has no list of them."""
    intake, first, second = bench.intake(), bench.adapter(), bench.adapter()
    bench.emulator.world.tells_applications = False
    await first.send(outbound(bench, "of an earlier version"))
    async with bench.running(second, intake):
        (webhook_id,) = bench.emulator.world.webhooks
        assert intake.cursors["webhooks"] == str(webhook_id)
    calls = list(bench.emulator.calls()).count("GET /channels/{channel}/webhooks")
    async with bench.running(bench.adapter(), intake):
        pass
    assert list(bench.emulator.calls()).count("GET /channels/{channel}/webhooks") == calls


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


async def test_a_freed_place_for_a_webhook_is_used_at_once(bench: Bench, adapter: DiscordAdapter) -> None:
    intake, world = bench.intake(), bench.emulator.world
    others = [world.add_webhook(int(bench.chat), f"other {n}", world.owner, None) for n in range(15)]
    async with bench.running(adapter, intake):
        assert (await adapter.send(outbound(bench, "by the bot", token="t1"))).adapter_data == "bot"
        del world.webhooks[others[0].id]
        bench.emulator.operations.announce_webhooks(int(bench.chat))
        await eventually(lambda: bench.chat in intake.restorations[1:], "the change is known")
        assert (await adapter.send(outbound(bench, "by webhook", token="t2"))).adapter_data.startswith("webhook:")


# -- clocks -------------------------------------------------------------------------------------------------------------------


class WrongClock:
    """This machine's clock, off by so much; it can be set."""

    def __init__(self, off: timedelta) -> None:
        self.off = off

    def local_s(self) -> float:
        return (datetime.now(UTC) + self.off).timestamp()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.local_s(), UTC)

    def rule(self, adapter: DiscordAdapter) -> None:
        time = adapter._transport.time = PlatformTime(local_s=self.local_s)
        adapter._attempts._time = time


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
    asked._intake = intake
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


def test_gateway_events_name_their_order_not_by_our_clock() -> None:
    data = message(timestamp="yesterday", edited_timestamp=None)
    decoded = decode("MESSAGE_CREATE", data, context_of(), position="")
    assert isinstance(decoded, list)
    assert decoded[0].meta.occurred_at.year == 2016, "of its id"
