"""How bridges and bots lost messages in 2024 to 2026, each as a whole flow: the daemon as a process where its death matters, else
the whole bridge in this one, with the real client libraries against the platforms' stand-in servers.

Each test names the public thread in which it was reported.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from bridge.accounts.state import AccountState
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually, eventually_asked

NOT_YET_S = 1.0
"""So long is looked for what must not happen, and takes milliseconds if it does. A slow machine only looks less closely."""


@asynccontextmanager
async def between(folder: Path, *platforms: str, kind: type[World] = World) -> AsyncIterator[tuple[World, Daemon]]:
    """Emulators of these platforms, joined by one route, and a daemon that is not started yet."""
    world = kind(folder, platforms)
    await world.start_platforms()
    daemon = Daemon(world.write_config())
    try:
        yield world, daemon
    finally:
        if daemon.process is not None and daemon.process.returncode is None:
            await daemon.kill()
        daemon.close()
        await world.stop_bridge()
        await world.stop_platforms()


async def up(world: World, daemon: Daemon) -> None:
    """The daemon runs, and every account is connected."""
    daemon.notified.clear()
    await daemon.start()
    for account in world.document()["accounts"]:
        await daemon.until_notified(f"{account} up")


def dead_letters(world: World) -> list[tuple[str, str]]:
    """Target and reason of everything that was given up."""
    query = "SELECT account, note FROM delivery JOIN lane ON lane.id = delivery.lane WHERE state IN (2, 3)"
    with contextlib.closing(sqlite3.connect(world.folder / "bridge.journal", timeout=60)) as journal:
        return [(str(account), str(note)) for account, note in journal.execute(query)]


def shown(world: World, platform: str, prefix: str) -> list[str]:
    """Copies that begin with this, in the order in which they stand there, each by its last line."""
    lines = [line for message in world.copies(platform, prefix) for line in message.text.splitlines()]
    return [line for line in lines if line.startswith(prefix)]


# -- 1 --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_restart_from_outside_keeps_telegrams_backlog(tmp_path: Path, end: signal.Signals) -> None:
    """NousResearch/hermes-agent#87040: a start that drops pending updates throws away what people said meanwhile."""
    async with between(tmp_path, "telegram", "discord") as (world, daemon):
        await up(world, daemon)
        await world.say("telegram", "said 00")
        await world.copy("discord", "said 00")
        for number in range(1, 20):
            await world.say("telegram", f"said {number:02}")
            if number == 5:
                daemon.signal(end)
                await daemon.ended()
        await up(world, daemon)
        expected = [f"said {number:02}" for number in range(20)]
        await eventually(lambda: len(shown(world, "discord", "said")) >= len(expected), what=f"all: {world.texts('discord')}")
        assert shown(world, "discord", "said") == expected


# -- 2 --------------------------------------------------------------------------------------------------------------------------


class ByHttp(World):
    """Platforms that call the bridge."""

    def __init__(self, folder: Path, platforms: Any) -> None:
        super().__init__(folder, platforms)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": self.url}}

    def document(self) -> dict[str, Any]:
        document = super().document()
        if slack := document["accounts"].get("slack"):
            emulator: Any = self.emulators["slack"]
            del slack["app_token"]
            slack |= {"events": "http", "signing_secret": emulator.http_sender.signing_secret}
        return document

    async def knock(self, door: str) -> None:
        """From now on the platform calls, where the administrator has to tell it where."""
        if door == "slack":
            emulator: Any = self.emulators["slack"]
            emulator.deliveries.retry_delays_s = (0.2,) * 600  # the retry after a minute, sooner
            await emulator.use_http_events(f"{self.url}/hooks/slack/events")

    def unconfirmed(self, door: str) -> int:
        emulator: Any = self.emulators[door]
        return int(emulator.deliveries.unsettled if door == "slack" else emulator.world.outgoing.undelivered)


@contextlib.contextmanager
def no_commit(journal: Path) -> Iterator[None]:
    """Somebody holds the journal: nothing can be committed."""
    with contextlib.closing(sqlite3.connect(journal, timeout=60, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")


@pytest.mark.parametrize("door", ["teamspirit", "slack"])
async def test_a_call_is_answered_200_only_after_the_commit(tmp_path: Path, door: str) -> None:
    """openclaw/openclaw#42157: answered 200, lost at the restart. Here the process dies between the call and the commit."""
    async with between(tmp_path, door, "discord", kind=ByHttp) as (world, daemon):
        assert isinstance(world, ByHttp)
        await up(world, daemon)
        await world.knock(door)
        await world.say(door, "before")
        await world.copy("discord", "before")
        await eventually(lambda: world.unconfirmed(door) == 0, what="the first call is answered")
        with no_commit(world.folder / "bridge.journal"):
            await world.say(door, "between the call and the commit")
            with contextlib.suppress(AssertionError):
                await eventually(lambda: world.unconfirmed(door) == 0, within_s=NOT_YET_S)
            assert world.unconfirmed(door) == 1, "it was confirmed before it was on disk"
            await daemon.kill()
        assert world.unconfirmed(door) == 1
        await up(world, daemon)
        await world.copy("discord", "between the call and the commit")
        await eventually(lambda: world.unconfirmed(door) == 0, what="confirmed once it was stored")


# -- 3 --------------------------------------------------------------------------------------------------------------------------


async def test_what_is_sent_while_discords_gateway_is_down_arrives(tmp_path: Path) -> None:
    """openclaw/openclaw#56610: sends in the seconds of a reconnect vanished. Sending does not depend on the gateway."""
    async with between(tmp_path, "teamspirit", "discord") as (world, _):
        await world.start_bridge()
        discord = world.emulators["discord"]
        discord.inject(Fault(kind=FaultKind.DROP, operation="GATEWAY"))
        await discord.disturb(StreamFault.DISCONNECT)
        await world.until_state("discord", AccountState.BACKOFF)
        for number in range(5):
            await world.say("teamspirit", f"sent {number}")
        await eventually(lambda: len(shown(world, "discord", "sent")) == 5, what=f"all five: {world.texts('discord')}")
        assert world.app is not None
        assert world.app.account_states()["discord"].state is not AccountState.UP, "the gateway was down all the time"
        await world.say("discord", "said meanwhile")
        discord.clear_faults()
        await world.copy("teamspirit", "said meanwhile")
        assert shown(world, "discord", "sent") == [f"sent {number}" for number in range(5)]


# -- 4 --------------------------------------------------------------------------------------------------------------------------


REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "telegram": (400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"}),
    "slack": (200, {"ok": False, "error": "msg_too_long"}),
    "discord": (400, {"code": 50035, "message": "Invalid Form Body", "errors": {"content": {"_errors": []}}}),
    "teamspirit": (413, {"error": {"code": "text_too_long", "message": "too long"}}),
}


class Poisonable(World):
    """The target refuses whatever says `poison`, whoever sends it and however often."""

    word = b"poison"
    tries = 0

    def answer(self, target: str) -> web.Response | None:
        """In the place of the target's own; None: none."""
        status, body = REFUSALS[target]
        return web.Response(status=status, body=json.dumps(body), content_type="application/json")

    async def start_platforms(self) -> None:
        target = list(self.emulators)[-1]
        emulator: Any = self.emulators[target]
        usual = emulator._faults

        @web.middleware
        async def refusing(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.method == "POST" and self.word in await request.read() and (answer := self.answer(target)):
                self.tries += 1
                return answer
            refused: web.StreamResponse = await usual(request, handler)
            return refused

        emulator._faults = refusing
        await super().start_platforms()


@pytest.mark.parametrize("target", ["telegram", "slack", "discord", "teamspirit"])
async def test_a_poison_message_ends_in_bounded_tries_and_holds_nobody_up(tmp_path: Path, target: str) -> None:
    """openclaw/openclaw#24353: one item that the platform never takes was tried for ever, with everything behind it."""
    origin, other = [name for name in ("slack", "discord", "telegram") if name != target][:2]
    async with between(tmp_path, origin, other, target, kind=Poisonable) as (world, _):
        assert isinstance(world, Poisonable)
        await world.start_bridge()
        await world.say(origin, "poison")
        for number in range(10):
            await world.say(origin, f"behind {number}")
        for platform in (other, target):
            await eventually(
                lambda platform=platform: len(shown(world, platform, "behind")) == 10, what=f"{platform}: {world.texts(platform)}"
            )
        await world.copy(other, "poison")
        assert 1 <= world.tries <= 5
        assert not world.copies(target, "poison")
        assert [account for account, _ in dead_letters(world)] == [target]


# -- 5 --------------------------------------------------------------------------------------------------------------------------


def _wrong_token(document: dict[str, Any]) -> None:
    document["accounts"]["discord"]["token"] = "MTIzNDU2Nzg5MDEyMzQ1Njc4.wrong.token-of-another-time-000000"


def _unreachable(document: dict[str, Any]) -> None:
    document["accounts"]["discord"] |= {"api_url": "http://127.0.0.1:9/api/v10", "gateway_url": "ws://127.0.0.1:9/"}


@pytest.mark.parametrize("missing", [_wrong_token, _unreachable])
async def test_an_account_that_is_missing_for_a_while_refuses_nothing(tmp_path: Path, missing: Callable[..., None]) -> None:
    """openclaw/openclaw#126800: an adapter that was not there was taken for a refusal; the entry and its file were destroyed."""
    content = bytes(range(256)) * 400
    async with between(tmp_path, "teamspirit", "discord") as (world, daemon):
        await up(world, daemon)
        await world.say("teamspirit", "before")
        await world.copy("discord", "before")
        daemon.signal(signal.SIGTERM)
        await daemon.ended()
        good = daemon.config.read_text()
        document = yaml.safe_load(good)
        missing(document)
        daemon.config.write_text(yaml.safe_dump(document))
        for life in range(2):
            daemon.notified.clear()
            await daemon.start()
            await daemon.until_notified("teamspirit up")
            await daemon.until_notified("discord parked" if missing is _wrong_token else "discord backoff")
            files = [Upload(name="plan.bin", mime="application/octet-stream", content=content)] if life == 0 else []
            await world.say("teamspirit", f"waits {life}", files=files)
            await eventually(lambda life=life: open_deliveries(world) == life + 1, what="accepted")
            assert dead_letters(world) == []
            await daemon.kill()
        daemon.config.write_text(good)
        await up(world, daemon)
        copy = await world.copy("discord", "waits 0")
        await world.copy("discord", "waits 1")
        assert [(file.name, file.size_bytes) for file in copy.files] == [("plan.bin", len(content))]
        assert copy.files[0].sha256 == hashlib.sha256(content).hexdigest()
        assert dead_letters(world) == []


def open_deliveries(world: World) -> int:
    with contextlib.closing(sqlite3.connect(world.folder / "bridge.journal", timeout=60)) as journal:
        return int(journal.execute("SELECT count(*) FROM delivery WHERE state IN (0, 1, 6)").fetchone()[0])


# -- 6, 7 -----------------------------------------------------------------------------------------------------------------------


async def advice(world: World, account: str) -> str:
    """Everything that health tells a human about an account."""
    assert world.app is not None
    return json.dumps((await world.app.report())["accounts"][account])


async def test_a_second_reader_of_a_slack_app_is_told(tmp_path: Path) -> None:
    """automagik-dev/omni#1185, openclaw#79938, #102439: each event went to one of two sockets, and both looked healthy for days."""
    async with between(tmp_path, "slack", "discord") as (world, _):
        await world.start_bridge()
        slack: Any = world.emulators["slack"]
        assert "another program" not in await advice(world, "slack")
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {slack.workspace.app_token}"}) as session:
            async with session.post(f"{slack.base_url}/api/apps.connections.open") as answer:
                url = (await answer.json())["url"]
            async with session.ws_connect(url):
                # a socket is told of the others when it is opened: Slack renews each within hours, here at once
                await slack.disturb(StreamFault.DISCONNECT_CLEAN)
                told = await eventually_asked(
                    lambda: advice(world, "slack"), holds=lambda said: "another program reads this app" in said
                )
                assert "its own Slack app" in told


async def test_a_poller_that_is_deaf_is_not_healthy(tmp_path: Path) -> None:
    """fabrahaingo/joel#339, llblab/pi-telegram#254: two programs poll one bot; the one that gets nothing looked healthy."""
    async with between(tmp_path, "telegram", "discord") as (world, _):
        await world.start_bridge()
        telegram: Any = world.emulators["telegram"]
        token = telegram.account_options()["token"]
        stolen: list[str] = []

        async def other_program() -> None:
            offset = 0
            async with aiohttp.ClientSession() as session:
                while True:
                    asked = {"timeout": 5, "offset": offset}
                    async with session.post(f"{telegram.base_url}/bot{token}/getUpdates", json=asked) as answer:
                        for update in (await answer.json()).get("result") or ():
                            offset = update["update_id"] + 1
                            stolen.append(update["message"]["text"])

        other = asyncio.create_task(other_program(), name="the other program")
        try:
            await world.until_state("telegram", AccountState.PARKED)
            assert world.app is not None
            assert not (await world.app.report())["ok"]
            told = await advice(world, "telegram")
            assert "another" in told, told
            await world.say("discord", "goes out all the same")
            await world.copy("telegram", "goes out all the same")
        finally:
            other.cancel()
            await asyncio.wait({other})
        await world.until_state("telegram", AccountState.UP)
        await world.say("telegram", "heard again")
        await world.copy("discord", "heard again")


# -- 8 --------------------------------------------------------------------------------------------------------------------------


async def test_the_budget_of_sessions_is_kept_over_restarts(tmp_path: Path) -> None:
    """anthropics/claude-plugins-official#3140, 42wim/matterbridge#2158: a crash loop begins so many sessions that Discord resets
    the token."""
    async with between(tmp_path, "teamspirit", "discord") as (world, daemon):
        discord: Any = world.emulators["discord"]
        discord.gateway.identify_limit = 10_000  # a server that tells of no shortage: the bridge's own count is what holds
        for life in range(3):
            await up(world, daemon)
            await discord.disturb(StreamFault.INVALIDATE_SESSION)  # nothing to resume: the next life begins a session
            await eventually(lambda life=life: discord.gateway.identifies >= life, what="a new session")
            await daemon.kill()
        counted = [json.loads(value)["count"] for value in cursors(world, "identifies")]
        assert counted
        assert max(counted) >= discord.gateway.identifies - 1, "each is counted before it is begun"
        begun = discord.gateway.identifies
        discord.gateway.identify_limit = begun + 20  # the last twenty of a day are left to people
        for _ in range(3):
            daemon.notified.clear()
            await daemon.start()
            await daemon.until_notified("discord parked")
            await daemon.kill()
        assert discord.gateway.identifies == begun
        assert "too many sessions" in daemon.output


def cursors(world: World, name: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(world.folder / "bridge.journal", timeout=60)) as journal:
        return [str(value) for (value,) in journal.execute("SELECT value FROM cursor WHERE name = ?", (name,))]


# -- 17 -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["folder is gone", "is no journal", "is a folder"])
async def test_an_absent_storage_refuses_and_mints_nothing(tmp_path: Path, what: str) -> None:
    """matrix-org/matrix-hookshot#1273: after a restart with its storage down, new secrets were made and the old hooks were dead."""
    async with between(tmp_path, "teamspirit", "telegram", kind=ByHttp) as (world, daemon):
        spirit: Any = world.emulators["teamspirit"]
        await up(world, daemon)
        await world.say("teamspirit", "before")
        await world.copy("telegram", "before")
        daemon.signal(signal.SIGTERM)
        await daemon.ended()
        hooks = {key: hook.secret for key, hook in spirit.world.outgoing.webhooks.items()}
        assert len(hooks) == 1
        journal, kept = tmp_path / "bridge.journal", tmp_path / "kept"
        document = yaml.safe_load(daemon.config.read_text())
        match what:
            case "folder is gone":
                journal = tmp_path / "not mounted" / "bridge.journal"
                document["journal"]["path"] = str(journal)
            case "is no journal":
                journal = tmp_path / "other.journal"
                journal.write_bytes(b"something else altogether" * 100)
                document["journal"]["path"] = str(journal)
            case _:
                journal = tmp_path / "folder"
                journal.mkdir()
                document["journal"]["path"] = str(journal)
        kept.write_text(daemon.config.read_text())
        daemon.config.write_text(yaml.safe_dump(document))
        calls = len(world.emulators["telegram"].calls())
        daemon.output = ""
        await daemon.start(ready=False)
        assert await daemon.ended() != 0
        assert str(journal) in daemon.output or str(journal.parent) in daemon.output, daemon.output
        assert not (tmp_path / "not mounted").exists()
        assert {key: hook.secret for key, hook in spirit.world.outgoing.webhooks.items()} == hooks
        assert len(world.emulators["telegram"].calls()) == calls, "nobody was asked for anything"
        daemon.config.write_text(kept.read_text())
        await world.say("teamspirit", "said meanwhile")
        await up(world, daemon)
        await world.copy("telegram", "said meanwhile")
        assert {key: hook.secret for key, hook in spirit.world.outgoing.webhooks.items()} == hooks


# -- 20 -------------------------------------------------------------------------------------------------------------------------


class BehindAProxy(Poisonable):
    """A proxy before the target answers the first sends with a page of its own."""

    word = b"said"

    def answer(self, target: str) -> web.Response | None:
        page = "<!doctype html><title>One moment, please</title>"
        return web.Response(text=page, content_type="text/html") if self.tries < 3 else None


@pytest.mark.parametrize("target", ["teamspirit", "telegram", "slack", "discord"])
async def test_delivered_is_only_what_has_a_native_id(tmp_path: Path, target: str) -> None:
    """outsourc-e/hermes-workspace#467: a send on a dead socket was logged as delivered. Here a proxy answers 200 with a page of its
    own: no id of a message is in it, so nothing was delivered."""
    origin = "discord" if target != "discord" else "slack"
    async with between(tmp_path, origin, target, kind=BehindAProxy) as (world, _):
        assert isinstance(world, BehindAProxy)
        await world.start_bridge()
        await world.say(origin, "said 0")
        await world.say(origin, "said 1")
        await eventually(lambda: len(shown(world, target, "said")) >= 2, what=f"both: {world.texts(target)}")
        assert shown(world, target, "said") == ["said 0", "said 1"]
        assert dead_letters(world) == []
        await eventually(lambda: open_deliveries(world) == 0, what="both are done")
        assert world.tries == 3


# -- 22 -------------------------------------------------------------------------------------------------------------------------


async def test_an_account_that_fails_parks_says_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    """matrix-org/matrix-hookshot#1082: gateways of one account failed, and everything stopped without a word."""
    async with between(tmp_path, "teamspirit", "telegram", "slack") as (world, daemon):
        await up(world, daemon)
        slack = world.emulators["slack"]
        slack.inject(Fault(kind=FaultKind.UNAUTHORIZED))
        await slack.disturb(StreamFault.DISCONNECT)
        await daemon.until_notified("slack parked")
        for number in range(5):
            await world.say("teamspirit", f"to telegram {number}")
            await world.say("telegram", f"to teamspirit {number}")
        await eventually(lambda: len(shown(world, "telegram", "to telegram")) == 5, what=f"{world.texts('telegram')}")
        await eventually(lambda: len(shown(world, "teamspirit", "to teamspirit")) == 5, what=f"{world.texts('teamspirit')}")
        await daemon.kill()
        assert re.search(r"account=slack.*parked|parked.*account=slack", daemon.output), daemon.output
        slack.clear_faults()
        await up(world, daemon)
        await eventually(lambda: len(shown(world, "slack", "to t")) == 10, what=f"what waited: {world.texts('slack')}")
