"""The pages that lead to a first bridge, played: their commands in their order, with what a newcomer types."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.registry import load_platform
from tests.flows.process import Daemon
from tests.flows.test_newcomer import shell
from tests.flows.world import World
from tests.support.doc_blocks import ROOT, blocks, commands
from tests.support.patience import eventually

THE_WAY = [["init"], ["check", "--online"], ["run"], ["test", "lobby"]]
ANSWERED = {"discord": ("token",), "telegram": ("token",), "slack": ("bot_token", "app_token"), "teamspirit": ("server", "api_key")}
"""What a newcomer is asked for, in this order. All else of an emulator's account is its address."""


def of_page(platform: str) -> list[list[str]]:
    page = ROOT / "docs" / f"first-bridge-{platform}.md"
    return [words for block in blocks("console", pages=[page]) for words in commands(block)]


@pytest.mark.parametrize("platform", ANSWERED)
def test_every_page_goes_the_same_way(platform: str) -> None:
    said = of_page(platform)
    assert [words for words in said if words in THE_WAY] == THE_WAY
    page = (ROOT / "docs" / f"first-bridge-{platform}.md").read_text(encoding="utf-8")
    assert f"\nHow to make the bot, click by click: docs/first-bridge-{platform}.md\n" in page
    fields = load_platform(platform).options().model_fields
    for key in ANSWERED[platform]:
        assert f"\n{platform}.{key} ({fields[key].description}):\n" in page, "as init asks for it"


def typed(world: World, platform: str) -> list[str]:
    options = world.emulators[platform].account_options()
    listening = [""] if platform == "telegram" else []  # Enter, after something was written in the chat
    return [platform, "", *(str(options[key]) for key in ANSWERED[platform]), *listening, "1"]


def addresses(world: World, platform: str) -> list[str]:
    options = world.emulators[platform].account_options().items()
    return [part for key, value in options if key not in ANSWERED[platform] for part in ("--set", f"{platform}.{key}={value}")]


async def play(world: World, platform: str, config: Path) -> None:
    """What the page says beside the way: it works in the state that the reader is in there."""
    for words in of_page(platform):
        if words in THE_WAY or words[0] == "init":
            continue
        shorter = ["3" if word == "60" else word for word in words]
        await world.say(platform, "while it is looked for")
        code, shown = await shell(*shorter, "--config", str(config))
        assert code == 0, shown


@pytest.mark.parametrize("pair", [("telegram", "discord"), ("slack", "teamspirit")])
async def test_the_pages_lead_to_a_bridge_that_works(pair: Sequence[str], tmp_path: Path) -> None:
    world = World(tmp_path, platforms=pair)
    await world.start_platforms()
    try:
        await on_the_way(world, pair, tmp_path / "mine" / "bridge.yaml")
    finally:
        await world.stop_platforms()


def written(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


async def on_the_way(world: World, pair: Sequence[str], path: Path) -> None:
    path.parent.mkdir()
    config = ("--config", str(path))
    await world.say(pair[0], "the first words")
    init, check, _run, test = THE_WAY
    given = [part for platform in pair for part in addresses(world, platform)]
    code, shown = await shell(*init, *config, *given, typed=[*(line for one in pair for line in typed(world, one)), "", ""])
    assert code == 0, shown
    document = written(path)
    assert list(document["accounts"]) == list(pair)
    assert [end.partition("/")[0] for end in document["routes"][0]["between"]] == list(pair)
    for platform in pair:
        await play(world, platform, path)
    code, shown = await shell(*check, *config)
    assert code == 0, shown
    daemon = Daemon(path)
    await daemon.start()
    try:
        for platform in pair:
            await daemon.until_notified(f"{platform} up")
        code, shown = await shell(*test, *config)
        assert code == 0, shown
        assert "all 2 directions work" in shown
        await world.say(pair[0], "and now a person")
        await world.copy(pair[1], "and now a person")
        await eventually(lambda: not any(world.copies(name, "Test of the messenger bridge") for name in pair))
    finally:
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == 0
        daemon.close()
