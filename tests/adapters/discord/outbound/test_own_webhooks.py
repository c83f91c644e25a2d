"""What is ours is known by the ids of our webhooks, also after a crash and without an application."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import outbound
from tests.support.patience import eventually


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
