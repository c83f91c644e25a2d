"""Authors' pictures on platforms that show a public address: their own by the bridge's listener, initials where there is none."""

from __future__ import annotations

import struct
import zlib

import pytest
from aiohttp import ClientSession

from adapters.common.emulation.contract import SeenMessage
from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.telegram.emulator.server import TelegramEmulator
from tests.flows.world import World
from tests.support.network import free_port

TARGETS = ("discord", "slack")


def png(shade: int, width: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + bytes([shade]) * width) * width
    header = struct.pack(">IIBBBBB", width, width, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
async def pictured(quiet_world: World) -> World:
    port = free_port()
    quiet_world.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    await quiet_world.start_bridge()
    return quiet_world


async def shown(message: SeenMessage) -> tuple[int, str, bytes]:
    """What the platform's servers get for the message's picture, without any cookie or key."""
    async with ClientSession() as session, session.get(message.author_avatar_url) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.status, answer.content_type, await answer.read()


async def test_a_telegram_users_picture_is_shown_and_follows_when_it_changes(
    pictured: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.files.faces._FRESH_S", 0.0)
    telegram = pictured.emulators["telegram"]
    assert isinstance(telegram, TelegramEmulator)
    await pictured.say("telegram", "without a picture")
    (anna,) = [person for person in telegram.world.people.values() if person.name == "Anna"]
    links = set()
    for number, small, large in ((1, png(10), png(11, 200)), (2, png(20), png(21, 160))):
        telegram.world.set_picture(anna, small, large)
        await pictured.say("telegram", f"picture {number}")
        for target in TARGETS:
            copy = await pictured.copy(target, f"picture {number}")
            assert telegram.token not in copy.author_avatar_url
            assert str(anna.user_id) not in copy.author_avatar_url
            assert await shown(copy) == (200, "image/png", large)
            links.add(copy.author_avatar_url)
    assert len(links) == 2, "the same for all who show it, another for another picture"


async def test_who_has_no_picture_has_initials(pictured: World) -> None:
    for origin in ("telegram", "teamspirit"):
        await pictured.say(origin, f"said on {origin}", person="Борис Petrov")
        seen = [await shown(await pictured.copy(target, f"said on {origin}")) for target in TARGETS]
        assert seen[0] == seen[1]
        status, mime, body = seen[0]
        assert (status, mime, body[:8]) == (200, "image/png", b"\x89PNG\r\n\x1a\n")


async def test_nothing_is_made_up_without_a_listener_or_when_it_is_switched_off(quiet_world: World) -> None:
    await quiet_world.start_bridge()
    await quiet_world.say("telegram", "no listener")
    assert "/faces/" not in (await quiet_world.copy("discord", "no listener")).author_avatar_url
    await quiet_world.stop_bridge()
    port = free_port()
    quiet_world.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    quiet_world.settings["media"] = {"avatars": False}
    await quiet_world.start_bridge()
    await quiet_world.say("telegram", "switched off")
    assert "/faces/" not in (await quiet_world.copy("discord", "switched off")).author_avatar_url


async def test_a_picture_that_only_the_account_may_open_is_handed_out(pictured: World) -> None:
    """TeamSpirit's own server, whose files need the key: the target's servers have none, and get none."""
    spirit = pictured.emulators["teamspirit"]
    assert isinstance(spirit, TeamSpiritEmulator)
    await pictured.say("teamspirit", "not yet", person="Vera")
    await pictured.copy("discord", "not yet")
    await pictured.stop_bridge()  # it knows her for an hour
    picture = png(99)
    stored = spirit.world.store.keep("vera.png", "image/png", picture)
    (vera,) = [user for user in spirit.world.state.users.values() if user.display_name == "Vera"]
    vera.avatar_url = f"{spirit.base_url}/api/v1/files/{stored.file_id}/content"
    async with ClientSession() as session, session.get(vera.avatar_url) as answer:
        assert answer.status == 401
    await pictured.start_bridge()
    await pictured.say("teamspirit", "with a picture", person="Vera")
    for target in TARGETS:
        copy = await pictured.copy(target, "with a picture")
        assert await shown(copy) == (200, "image/png", picture)
        assert spirit.world.api_key not in copy.author_avatar_url
    # one elsewhere is nothing that the key is shown to, and stays as it is
    vera.avatar_url = "https://pictures.example.com/vera.png"
    await pictured.stop_bridge()
    await pictured.start_bridge()
    await pictured.say("teamspirit", "with another", person="Vera")
    for target in TARGETS:
        assert (await pictured.copy(target, "with another")).author_avatar_url == vera.avatar_url
