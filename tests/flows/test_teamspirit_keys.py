"""A TeamSpirit account gets another API key while people talk: nothing is lost, doubled or late for good."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.emulator.outgoing import Webhook
from adapters.teamspirit.errors import CHECK_CHAT, CHECK_KEY
from bridge.accounts.state import AccountState
from tests.adapters.teamspirit.receiver import sign
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually, eventually_asked


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


async def call(webhook: Webhook, chat: str, text: str) -> int:
    """What a server says that has that registration; the status it gets."""
    said = {
        "event_id": f"e-{text}",
        "event": "typing",
        "time": "2026-11-26T12:00:00Z",
        "chat": {"id": chat},
        "user": {"id": "u-anna"},
    }
    body = json.dumps(said).encode()
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(webhook.url, content=body, headers=sign(body, webhook.key, webhook.secret))).status_code


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


async def test_two_refused_keys_wait_for_a_human_who_is_told_what_to_do(pair: World) -> None:
    """The key of bridge.yaml was revoked, and so is the one that a reload brings."""
    pair.account_options["teamspirit"] = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05}
    app = await pair.start_bridge()
    spirit = pair.emulators["teamspirit"]
    assert isinstance(spirit, TeamSpiritEmulator)
    spirit.world.new_api_key()
    spirit.world.revoke_older_keys()
    await pair.until_state("teamspirit", AccountState.PARKED)
    pair.account_options["teamspirit"]["api_key"] = "a-key-that-nobody-made"
    assert not await app.reload(pair.config())
    await pair.until_state("teamspirit", AccountState.PARKED)
    for name in ("slack", "teamspirit"):
        await pair.say(name, f"{name} says so meanwhile")
    told = (await app.report())["accounts"]["teamspirit"]
    assert told["action"] == CHECK_KEY
    assert "a-key-that-nobody-made" not in str(told)
    assert app.account_states()["slack"].state is AccountState.UP, "the other account is not disturbed"
    del pair.account_options["teamspirit"]["api_key"]
    assert not await app.reload(pair.config())
    await pair.until_state("teamspirit", AccountState.UP)
    await pair.copy("slack", "teamspirit says so meanwhile")
    await pair.copy("teamspirit", "slack says so meanwhile")


async def test_a_key_that_reads_and_may_not_send(pair: World) -> None:
    """What is said there goes on; what waits to be said there is told with what to do, and comes once the right is given."""
    pair.account_options["teamspirit"] = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05}
    app = await pair.start_bridge()
    spirit = pair.emulators["teamspirit"]
    spirit.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="POST /chats/*/messages", status=403))
    await pair.say("slack", "the key may not post this")

    async def advice() -> str:
        return str((await app.report())["accounts"]["teamspirit"])

    await eventually_asked(advice, holds=lambda told: CHECK_CHAT in told)
    await pair.say("teamspirit", "but it reads this")
    await pair.copy("slack", "but it reads this")
    assert app.account_states()["teamspirit"].state is AccountState.UP
    spirit.clear_faults()
    called = (sys.executable, "-m", "bridge.cli", "retry-now", "teamspirit", "-c", str(pair.folder / "bridge.yaml"))
    process = await asyncio.create_subprocess_exec(*called, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    await pair.copy("teamspirit", "the key may not post this")
    assert not (await app.report())["journal"]["dead"]


async def test_a_webhook_made_by_hand_gets_another_key_by_reload(pair: World) -> None:
    """Both keys are let in while `previous_key` is there, the old one no longer than that."""
    port = free_port()
    pair.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    path = "a-path-that-is-hard-to-guess"
    url = f"http://127.0.0.1:{port}/hooks/teamspirit/{path}"
    old, new = Webhook("w1", url, (), ()), Webhook("w2", url, (), ())
    shown = {"path": path, "key": old.key, "secret": old.secret}
    pair.account_options["teamspirit"] = {"receive": "webhook", "webhook": shown}
    app = await pair.start_bridge()
    chat = pair.chats["teamspirit"].chat_id
    seen = [await call(one, chat, f"{number}") for number, one in enumerate((old, new))]
    shown.update(key=new.key, secret=new.secret, previous_key=old.key, previous_secret=old.secret)
    assert not await app.reload(pair.config())
    await pair.until_state("teamspirit", AccountState.UP)
    seen += [await call(one, chat, f"overlap {number}") for number, one in enumerate((old, new))]
    del shown["previous_key"], shown["previous_secret"]
    assert not await app.reload(pair.config())
    await pair.until_state("teamspirit", AccountState.UP)
    seen += [await call(one, chat, f"after {number}") for number, one in enumerate((old, new))]
    assert seen == [200, 401, 200, 200, 401, 200]
