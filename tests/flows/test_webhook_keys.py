"""Keys beside a running bridge: made, used, rotated and revoked by commands in another process; the page that makes them."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S, eventually_asked


class Keyed(World):
    """Two ends of a webhook account, whose messages go to a chat in Telegram."""

    url = ""

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"]["webhook"]["ends"] = {"alerts": {}, "contact": {"form": {"title": "From the site"}}}
        chat = f"telegram/{self.chats['telegram'].address}"
        document["routes"] = [{"name": "in", "from": ["webhook/alerts", "webhook/contact"], "to": [chat]}]
        return document

    async def command(self, *arguments: str, code: int = 0) -> Any:
        """What a command of another process says, as JSON."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge.cli", *arguments, "--json", "-c", str(self.folder / "bridge.yaml")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
        assert process.returncode == code, (out, err)
        return json.loads(out)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Keyed]:
    made = Keyed(tmp_path, ("telegram", "webhook"))
    port = free_port()
    made.url = f"http://127.0.0.1:{port}"
    made.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": made.url}}
    await made.start_platforms()
    await made.start_bridge()
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S), cookie_jar=jar) as made:
        yield made


async def status_of(client: aiohttp.ClientSession, url: str, **more: Any) -> int:
    async with client.post(url, **more) as answer:
        return answer.status


async def test_a_key_lives_and_dies_by_commands(world: Keyed, client: aiohttp.ClientSession) -> None:
    made = await world.command("keys", "create", "webhook/alerts", "--in", "--label", "Cron")
    assert await status_of(client, made["url"], data="the backup is done") == 200
    await world.copy("telegram", "the backup is done")
    rotated = await world.command("keys", "rotate", made["id"])
    assert await status_of(client, made["url"], data="by the old one") == 200
    assert (
        await status_of(client, f"{world.url}/in", data="by the new", headers={"Authorization": f"Bearer {rotated['key']}"}) == 200
    )
    await world.copy("telegram", "by the old one")
    await world.copy("telegram", "by the new")
    await world.command("keys", "revoke", made["id"])
    assert [await status_of(client, one["url"], data="too late") for one in (made, rotated)] == [401, 401]
    (listed,) = (await world.command("keys", "list", "--all"))["keys"]
    assert (listed["state"], listed["last_used_on"] is not None) == ("revoked", True)
    await world.stop_bridge()
    assert not world.copies("telegram", "too late")


async def test_both_keys_of_a_rotation_open_through_restarts(world: Keyed, client: aiohttp.ClientSession) -> None:
    old = await world.command("keys", "create", "webhook/alerts", "--in")
    new = await world.command("keys", "rotate", old["id"], "--overlap-days", "7")

    async def statuses(said: str) -> list[int]:
        return [await status_of(client, one["url"], data=f"{said} {number}") for number, one in enumerate((old, new))]

    await world.stop_bridge()
    await world.start_bridge()
    assert await statuses("overlap") == [200, 200]
    await world.stop_bridge()
    newest = await world.command("keys", "rotate", old["id"], "--overlap-days", "0")
    await world.start_bridge()
    assert await statuses("late") == [401, 401]
    assert await status_of(client, newest["url"], data="by the newest") == 200
    for text in ("overlap 0", "overlap 1", "by the newest"):
        await world.copy("telegram", text)
    assert not world.copies("telegram", "late")


async def test_what_was_refused_can_be_looked_at_and_replayed(world: Keyed, client: aiohttp.ClientSession) -> None:
    made = await world.command("keys", "create", "webhook/alerts", "--in")
    assert await status_of(client, made["url"], json={"colour": "red"}) == 422
    replayed = await world.command("hooks", "replay", made["id"], code=1)
    assert [one["status"] for one in replayed["replayed"]] == [422]


async def test_people_make_a_form_by_an_invitation(world: Keyed, client: aiohttp.ClientSession) -> None:
    invite = await world.command("keys", "invite", "in")
    assert invite["chats"] == ["webhook/alerts", "webhook/contact"]
    async with client.post(invite["url"]) as answer:
        page = await answer.text()
    assert f"goes to telegram/{world.chats['telegram'].address}" in page
    guard = re.findall(r'name="guard" value="(\w+)"', page)[0]
    wanted = {"chat": "webhook/contact", "what": "form", "guard": guard, "field": "message", "label": "Contact form"}
    async with client.post(f"{world.url}/keys/make", data=wanted) as answer:
        page = await answer.text()
    url = re.findall(r'action="(http[^"]*)"', unescape(unescape(page)))[0]
    (key,) = (await world.command("keys", "list"))["keys"]

    async def tested() -> str:
        async with client.post(f"{world.url}/keys/test", data={"guard": guard, "key": key["id"]}) as answer:
            return await answer.text()

    assert 'class="delivered"' in await tested()
    await world.copy("telegram", "A test message from the set-up page")
    assert await status_of(client, url, data={"message": "buy", "leave_this_empty": "x"}) == 200
    assert await status_of(client, url, data={"message": "What do you cost?", "leave_this_empty": ""}) == 200
    await world.copy("telegram", "What do you cost?")
    assert not world.copies("telegram", "buy")


async def test_a_bridge_that_comes_up_is_worth_waiting_for(world: Keyed, client: aiohttp.ClientSession) -> None:
    """A sender gives up what is answered 404 or 401; it comes again after 503."""
    made = await world.command("keys", "create", "webhook/alerts", "--in")
    await world.stop_bridge()
    await world.start_bridge(wait_up=False)

    async def posted() -> int:
        status = await status_of(client, made["url"], data="after the restart")
        assert status in (200, 503)
        return status

    await eventually_asked(posted, "the account", holds=lambda status: status == 200)
    await world.copy("telegram", "after the restart")
