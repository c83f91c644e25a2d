"""A TeamSpirit account gets another API key while people talk: nothing is lost, doubled or late for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.accounts.state import AccountState
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[World]:
    """TeamSpirit and Slack, not started."""
    world = World(tmp_path, platforms=("teamspirit", "slack"))
    await world.start_platforms()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


class Talk:
    """Somebody on either side who says one short sentence after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ended = asyncio.Event()
        self._tasks = [asyncio.create_task(self._on(platform), name=f"talk {platform}") for platform in ("teamspirit", "slack")]
        self.said: dict[str, list[str]] = {"teamspirit": [], "slack": []}

    async def _on(self, platform: str) -> None:
        while not self._ended.is_set():
            text = f"{platform} says {len(self.said[platform])};"
            await self._world.say(platform, text)
            self.said[platform].append(text)
            await asyncio.sleep(0.03)

    async def goes_on(self, sentences: int = 10) -> None:
        """Until so many more were said on both sides."""
        before = {platform: len(said) for platform, said in self.said.items()}
        await eventually(lambda: all(len(said) >= before[platform] + sentences for platform, said in self.said.items()))

    async def end(self) -> None:
        self._ended.set()
        await asyncio.gather(*self._tasks)

    async def arrived_once_and_in_order(self) -> None:
        for origin, target in (("teamspirit", "slack"), ("slack", "teamspirit")):
            said = self.said[origin]
            await eventually(lambda said=said, target=target: self._world.copies(target, said[-1]), what=f"the last on {target}")
            shown = " ".join(message.text for message in self._world.copies(target, f"{origin} says"))
            assert [shown.count(text) for text in said] == [1] * len(said)
            places = [shown.index(text) for text in said]
            assert places == sorted(places)


@pytest.mark.parametrize("receive", ["history", "webhook"])
@pytest.mark.parametrize("overlap", [True, False])
async def test_a_new_key_by_reload_while_people_talk(pair: World, receive: str, overlap: bool) -> None:
    """`overlap`: the old key works until the new one is in use; without it, the account waits for a human in between."""
    if receive == "webhook":
        port = free_port()
        pair.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    pair.account_options["teamspirit"] = {"receive": receive, "poll_interval_s": 0.05, "poll_idle_interval_s": 0.05}
    app = await pair.start_bridge()
    spirit = pair.emulators["teamspirit"]
    assert isinstance(spirit, TeamSpiritEmulator)
    talk = Talk(pair)
    await talk.goes_on()
    spirit.world.new_api_key()
    if not overlap:
        spirit.world.revoke_older_keys()
        await pair.until_state("teamspirit", AccountState.PARKED)
        await talk.goes_on()
    assert not await app.reload(pair.config())
    await pair.until_state("teamspirit", AccountState.UP)
    spirit.world.revoke_older_keys()
    await talk.goes_on()
    await talk.end()
    await talk.arrived_once_and_in_order()
    assert app.account_states()["teamspirit"].state is AccountState.UP
    assert not (await app.report())["journal"]["dead"]
    if receive == "webhook":
        assert len(spirit.world.outgoing.webhooks) == 1, "the registration outlives the key"
