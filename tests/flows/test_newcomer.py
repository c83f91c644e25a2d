"""A newcomer's path: init, check --online, run, test - with nothing but two bots' tokens and two chats."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import yaml

from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import PATIENCE_S, eventually


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, platforms=("telegram", "discord"))
    await world.start_platforms()
    yield world
    await world.stop_platforms()


async def shell(*arguments: str, typed: Sequence[str] = (), cwd: Path | None = None, **more: str) -> tuple[int, str]:
    """`messenger-bridge` as a newcomer calls it: the exit code, and all that is shown. `more`: variables."""
    environ = {name: value for name, value in os.environ.items() if name not in ("STATE_DIRECTORY", "MESSENGER_BRIDGE_CONFIG")}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge.cli", *arguments), env=environ | more, cwd=cwd,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        shown, _ = await running.communicate("".join(f"{line}\n" for line in typed).encode())
    assert running.returncode is not None
    text = shown.decode()
    assert "Traceback" not in text, text
    return running.returncode, text


def settings(world: World, platform: str) -> list[str]:
    """What only an emulator needs: its addresses."""
    options = world.emulators[platform].account_options().items()
    return [part for key, value in options if key != "token" for part in ("--set", f"{platform}.{key}={value}")]


async def test_from_nothing_to_a_bridge_that_works(rooms: World, tmp_path: Path) -> None:
    began_s = time.monotonic()
    path = tmp_path / "mine" / "bridge.yaml"
    path.parent.mkdir()
    tokens = {name: str(emulator.account_options()["token"]) for name, emulator in rooms.emulators.items()}
    await rooms.say("telegram", "the first words")
    given = [*settings(rooms, "telegram"), *settings(rooms, "discord")]
    typed = [
        *("telegram", "", "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "", tokens["telegram"]),  # the first token is a wrong one
        *("", "1"),  # listen for what was written there; that chat
        *("discord", "", tokens["discord"], "1"),
        *("", ""),  # no more messengers; the route is called lobby
    ]
    code, shown = await shell("init", "--config", str(path), *given, typed=typed)
    assert code == 0, shown
    assert "FAILED" in shown
    assert "ok  token" in shown
    document = yaml.safe_load(path.read_text())
    expected = [f"{name}/{rooms.chats[name].address}" for name in ("telegram", "discord")]
    assert document["routes"] == [{"name": "lobby", "between": expected}]
    for name, token in tokens.items():
        secret = path.parent / document["accounts"][name]["token_file"]
        assert secret.read_text() == f"{token}\n"
        assert secret.stat().st_mode & 0o777 == 0o600
        assert token not in path.read_text() + shown

    code, shown = await shell("init", "--config", str(path))
    assert code == 2
    assert "is there already" in shown

    code, shown = await shell("check", "--online", "--config", str(path))
    assert code == 0, shown

    daemon = Daemon(path)
    await daemon.start()
    await daemon.until_notified("telegram up")
    await daemon.until_notified("discord up")
    # who listened confirmed nothing: what was heard is relayed now
    assert (await rooms.copy("discord", "the first words")).is_bot
    code, shown = await shell("test", "lobby", "--config", str(path))
    assert code == 0, shown
    assert "all 2 directions work" in shown
    await eventually(lambda: not any(rooms.copies(name, "Test of the messenger bridge") for name in rooms.chats))
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    daemon.close()
    print(f"from nothing to a tested bridge: {time.monotonic() - began_s:.1f} s")


async def test_chats_are_listed_with_what_bridge_yaml_says(rooms: World) -> None:
    config = str(rooms.write_config())
    code, shown = await shell("chats", "discord", "--config", config)
    assert code == 0, shown
    assert f"discord/{rooms.chats['discord'].address}" in shown
    code, shown = await shell("chats", "telegram", "--config", config)
    assert code == 0, shown
    assert "messenger-bridge chats telegram --listen 60" in shown
    await rooms.say("telegram", "here")
    code, shown = await shell("chats", "telegram", "--listen", "3", "--config", config)
    assert code == 0, shown
    assert f"telegram/{rooms.chats['telegram'].chat_id}" in shown
    code, shown = await shell("chats", "discord", "telegram", "--config", config)
    assert code == 1
    assert "error: telegram: this platform's bots cannot list their chats" in shown
    code, shown = await shell("chats", "nobody", "--config", config)
    assert code == 2
    assert "there is no account 'nobody'; the accounts are discord, telegram" in shown


async def test_chats_with_the_same_names_are_a_route_to_paste(tmp_path: Path) -> None:
    world = World(tmp_path, platforms=("slack", "discord", "teamspirit"))
    await world.start_platforms()
    try:
        for emulator in world.emulators.values():
            for name in ("random", "help", f"of {emulator.platform}"):
                emulator.add_chat(name)
        path = world.write_config()
        code, shown = await shell("chats", "slack", "discord", "teamspirit", "--config", str(path))
        assert code == 0, shown
        (route,) = yaml.safe_load(shown)["routes"]
        assert {"help", "random"} <= set(route["each"])
        assert route["between"] == ["slack/#*", "discord/#*", "teamspirit/*"]
        config = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**config, "routes": [{**route, "each": ["help", "random"]}]}))
        code, shown = await shell("check", "--online", "--config", str(path))
        assert code == 0, shown
        code, shown = await shell("chats", "slack", "discord", "--listen", "3", "--config", str(path))
        assert (code, "--listen is for one account" in shown) == (2, True)
    finally:
        await world.stop_platforms()
