"""No token in any log line, at the most talkative level, through every kind of failure."""

from __future__ import annotations

import asyncio

from adapters.common.emulation.contract import Emulator, Fault, FaultKind
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import eventually


async def test_no_secret_is_ever_logged(quiet_world: World) -> None:
    quiet_world.settings["log"] = {"level": "debug", "format": "json"}
    daemon = Daemon(quiet_world.write_config())
    secrets = {
        value
        for emulator in quiet_world.emulators.values()
        for key, value in emulator.account_options().items()
        if "token" in key or "key" in key
    }
    assert len(secrets) >= 5
    try:
        await daemon.start()
        for platform in quiet_world.emulators:
            await daemon.until_notified(f"{platform} up")
        for kind in (FaultKind.DROP, FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.UNAUTHORIZED):
            for emulator in quiet_world.emulators.values():
                emulator.inject(Fault(kind=kind, times=3, retry_after_s=0.1))
            for platform in quiet_world.emulators:
                await quiet_world.say(platform, f"{kind} from {platform}")
            await asyncio.gather(*(refuse_for_a_moment(emulator) for emulator in quiet_world.emulators.values()))
            for emulator in quiet_world.emulators.values():
                emulator.clear_faults()
        await eventually(lambda: any("unauthorized from telegram" in text for text in quiet_world.texts("discord")))
    finally:
        await daemon.kill()
        daemon.close()
    assert len(daemon.output.splitlines()) > 20
    leaked = [line for line in daemon.output.splitlines() if any(secret in line for secret in secrets)]
    assert not leaked, leaked[0]
    for secret in secrets:
        assert secret.rpartition(":")[2] not in daemon.output, "the secret half of a token"


async def refuse_for_a_moment(emulator: Emulator) -> None:
    await emulator.refuse_connections(True)
    await emulator.refuse_connections(False)
