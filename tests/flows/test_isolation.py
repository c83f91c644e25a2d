"""One account's wrong token, another's refused connections: the other pairs go on, and both heal without a restart."""

from __future__ import annotations

from adapters.common.emulation.contract import Fault, FaultKind
from bridge.accounts.state import AccountState
from tests.flows.world import World


async def test_a_wrong_token_and_refused_connections(quiet_world: World) -> None:
    slack, discord = quiet_world.emulators["slack"], quiet_world.emulators["discord"]
    slack.inject(Fault(kind=FaultKind.UNAUTHORIZED))
    await discord.refuse_connections(True)
    app = await quiet_world.start_bridge(wait_up=False)
    await quiet_world.all_up("telegram", "teamspirit")
    await quiet_world.until_state("slack", AccountState.PARKED)
    await quiet_world.until_state("discord", AccountState.BACKOFF)
    assert app.account_states()["slack"].action

    await quiet_world.say("telegram", "from telegram")
    await quiet_world.copy("teamspirit", "from telegram")
    await quiet_world.say("teamspirit", "from teamspirit")
    await quiet_world.copy("telegram", "from teamspirit")

    slack.clear_faults()
    await discord.refuse_connections(False)
    await quiet_world.all_up()
    for needle in ("from telegram", "from teamspirit"):
        await quiet_world.copy("slack", needle)
        await quiet_world.copy("discord", needle)
    await quiet_world.say("discord", "from discord")
    await quiet_world.copy("slack", "from discord")


async def test_a_token_revoked_while_running(world: World) -> None:
    slack = world.emulators["slack"]
    slack.inject(Fault(kind=FaultKind.UNAUTHORIZED))
    await world.say("telegram", "while revoked")
    await world.copy("discord", "while revoked")
    await world.until_state("slack", AccountState.PARKED)
    slack.clear_faults()
    await world.copy("slack", "while revoked")


async def test_connections_refused_while_running(world: World) -> None:
    discord = world.emulators["discord"]
    await discord.refuse_connections(True)
    await world.say("telegram", "while refused")
    await world.copy("slack", "while refused")
    await world.until_state("discord", AccountState.BACKOFF)
    await discord.refuse_connections(False)
    await world.copy("discord", "while refused")
    await world.all_up()
