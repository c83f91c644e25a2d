"""Files that a chat cannot take, as links to the bridge's own listener: they open the file, until the message is deleted."""

from __future__ import annotations

import asyncio
import random
import re

import pytest
from aiohttp import ClientSession

from adapters.common.emulation.contract import SeenMessage, Upload
from tests.flows.world import PLATFORMS, World
from tests.support.network import free_port
from tests.support.patience import eventually_asked

CONTENT = random.Random(11).randbytes(300_000)
REPORT = Upload(name="report 1.bin", mime="application/octet-stream", content=CONTENT)


@pytest.fixture
async def linked(quiet_world: World) -> World:
    port = free_port()
    quiet_world.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    quiet_world.route_options["max_file_mb"] = 0.2
    return quiet_world


def link_in(message: SeenMessage) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/files/[\w-]+/report_1\.bin", message.html or message.text)
    assert found is not None, message
    return found[0]


async def fetched(url: str) -> tuple[int, bytes]:
    async with ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.read()


@pytest.mark.parametrize("origin", PLATFORMS)
async def test_a_file_over_the_limit_is_a_link_on_every_target(linked: World, origin: str) -> None:
    await linked.start_bridge()
    await linked.say(origin, "the report", files=[REPORT])
    urls = {}
    for target in set(PLATFORMS) - {origin}:
        copy = await linked.copy(target, "report 1.bin")
        assert "larger than the 0.2 MB allowed here" in copy.text
        assert "300 kB" in copy.text
        urls[target] = link_in(copy)
    for url in urls.values():
        assert await fetched(url) == (200, CONTENT)
    # after a restart too, and nothing was stored for it
    await linked.stop_bridge()
    await linked.start_bridge()
    url = urls.popitem()[1]
    assert await fetched(url) == (200, CONTENT)
    await linked.stop_bridge()
    linked.settings["media"] = {"links": False}
    await linked.start_bridge()
    assert (await fetched(url))[0] == 404


@pytest.mark.parametrize("origin", ["teamspirit", "slack", "discord"])  # Telegram tells bots of no deletion
async def test_a_deleted_message_takes_its_links_away(linked: World, origin: str) -> None:
    await linked.start_bridge()
    said = await linked.say(origin, "the report", files=[REPORT])
    url = link_in(await linked.copy("telegram", "report 1.bin"))
    assert (await fetched(url))[0] == 200
    await linked.emulators[origin].delete(linked.chats[origin].chat_id, said)
    await eventually_asked(lambda: fetched(url), "the link is gone", holds=lambda answer: answer == (404, b"not found\n"))


async def test_what_is_not_relayed_has_no_link(linked: World) -> None:
    linked.route_options["files"] = False
    await linked.start_bridge()
    await linked.say("discord", "the report", files=[REPORT])
    for target in ("telegram", "slack", "teamspirit"):
        copy = await linked.copy(target, "report 1.bin")
        assert "files are not relayed here" in copy.text
        assert "/files/" not in copy.html + copy.text


async def test_without_a_public_listener_there_is_a_line(quiet_world: World) -> None:
    quiet_world.route_options["max_file_mb"] = 0.2
    await quiet_world.start_bridge()
    await quiet_world.say("discord", "the report", files=[REPORT])
    for target in ("telegram", "slack", "teamspirit"):
        copy = await quiet_world.copy(target, "report 1.bin")
        assert "📎 report 1.bin (300 kB) - larger than the 0.2 MB allowed here" in copy.text
        assert "http" not in copy.html + copy.text


async def test_many_ask_for_one_link_at_once(linked: World) -> None:
    await linked.start_bridge()
    await linked.say("slack", "the report", files=[REPORT])
    url = link_in(await linked.copy("discord", "report 1.bin"))
    assert {body for _, body in await asyncio.gather(*(fetched(url) for _ in range(5)))} == {CONTENT}
