"""Doors by which platforms call the bridge, beside those of `test_losses_of_2026`: the process dies between a call and the commit,
or between the commit and the answer. Nothing is lost or doubled, whether the platform calls again or has to be read."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from tests.adapters.teamspirit.mattermost_server import TOKEN, MattermostServer
from tests.faults.test_losses_of_2026 import NOT_YET_S, between, no_commit, shown, up
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually

PATH = "a-path-hard-to-guess"
SECRET = "S"


class Called(World):
    """Discord, and an account `ts` whose platform calls the bridge."""

    def __init__(self, folder: Path, platforms: Any) -> None:
        super().__init__(folder, platforms)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.settings["web"] = {"public": {"listen": self.url.removeprefix("http://"), "url": self.url}}
        self.account: dict[str, Any] = {
            "platform": "teamspirit",
            "dialect": "teamspirit-webhooks",
            "webhook": {"path": PATH, "key": "K", "secret": SECRET},
            "chats": {"duty": {"incoming_webhook": "http://127.0.0.1:9/hooks/x", "id": "17"}},
        }
        self.chat = "duty"

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"]["ts"] = self.account
        document["routes"][0]["between"].append(f"ts/{self.chat}")
        return document

    async def call(self, text: str) -> int:
        """The messenger's call; returns the status, 0 if none came."""
        now = datetime.now(UTC).isoformat()
        user = {"id": "u1", "name": "anna", "display_name": "Anna"}
        message = {"id": f"id of {text}", "text": text, "sent_at": now}
        event = {"event_id": f"event of {text}", "event": "message.created", "time": now}
        body = json.dumps({**event, "chat": {"id": "17", "name": "Duty"}, "user": user, "message": message}).encode()
        at = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"X-TeamSpirit-Key": "K", "X-TeamSpirit-Timestamp": at, "X-TeamSpirit-Signature": f"sha256={signature}"}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{self.url}/hooks/ts/{PATH}", data=body, headers=headers) as answer,
            ):
                return answer.status
        except aiohttp.ClientError:
            return 0

    def accepted(self) -> int:
        """Events in the journal, as another process sees it."""
        with contextlib.closing(sqlite3.connect(self.folder / "bridge.journal", timeout=60)) as journal:
            return int(journal.execute("SELECT count(*) FROM event").fetchone()[0])


async def test_a_death_between_call_and_commit_is_no_200(tmp_path: Path) -> None:
    async with between(tmp_path, "discord", kind=Called) as (world, daemon):
        assert isinstance(world, Called)
        await up(world, daemon)
        assert await world.call("said before") == 200
        with no_commit(world.folder / "bridge.journal"):
            call = asyncio.create_task(world.call("said between"))
            done, _ = await asyncio.wait({call}, timeout=NOT_YET_S)
            assert not done, f"answered {call.result()} before it was on disk"
            await daemon.kill()
        assert await call == 0
        await up(world, daemon)
        assert await world.call("said between") == 200
        assert await world.call("said after") == 200
        await world.copy("discord", "said after")
        assert shown(world, "discord", "said") == ["said before", "said between", "said after"]


async def test_a_death_between_commit_and_answer_doubles_nothing(tmp_path: Path) -> None:
    async with between(tmp_path, "discord", kind=Called) as (world, daemon):
        assert isinstance(world, Called)
        await up(world, daemon)
        known = world.accepted()
        call = asyncio.create_task(world.call("said once"))
        await eventually(lambda: world.accepted() > known, what="it is on disk")
        await daemon.kill()
        assert await call in (0, 200)
        await up(world, daemon)
        assert await world.call("said once") == 200, "a platform whose answer was lost calls again"
        assert await world.call("said after") == 200
        await world.copy("discord", "said after")
        assert shown(world, "discord", "said") == ["said once", "said after"]


@asynccontextmanager
async def mattermost(world: Called) -> AsyncIterator[tuple[MattermostServer, str, str]]:
    """A server whose outgoing webhook leads to the bridge; channel and a person."""
    server = MattermostServer()
    await server.start()
    try:
        channel, anna = server.add_channel("town-square"), server.add_user("anna", "Anna", "Petrova")
        server.outgoing = (f"{world.url}/hooks/ts/{PATH}", "outgoing-token")
        slow = {"poll_interval_s": 30.0, "poll_idle_interval_s": 30.0}
        world.account = {
            **{"platform": "teamspirit", "dialect": "mattermost", "server": server.url, "api_key": TOKEN, **slow},
            "webhook": {"path": PATH, "key": "outgoing-token"},
        }
        world.chat = channel
        yield server, channel, anna
    finally:
        await server.stop()


async def test_mattermost_calls_once_and_is_read_after_a_death(tmp_path: Path) -> None:
    """Mattermost never calls again, whatever it was answered."""
    async with between(tmp_path, "discord", kind=Called) as (world, daemon):
        assert isinstance(world, Called)
        async with mattermost(world) as (server, channel, anna):
            world.write_config()
            await up(world, daemon)
            server.post(channel, anna, "said before")
            await world.copy("discord", "said before")
            calls = len(server.calls)
            with no_commit(world.folder / "bridge.journal"):
                server.post(channel, anna, "said between")
                await eventually(lambda: len(server.calls) > calls, what="the bridge was called, and reads")
                await daemon.kill()
            await up(world, daemon)
            server.post(channel, anna, "said after")
            await world.copy("discord", "said after")
            assert shown(world, "discord", "said") == ["said before", "said between", "said after"]
            await daemon.kill()
