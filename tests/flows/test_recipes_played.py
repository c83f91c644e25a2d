"""Each recipe of docs/recipes.md is started between emulators, and each command of the page runs with the recipe above it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from adapters.common.emulation.contract import Emulator
from adapters.registry import load_emulator
from adapters.slack.emulator.server import SlackEmulator
from tests.flows.process import Daemon
from tests.flows.test_newcomer import shell
from tests.support.doc_blocks import ROOT, blocks, commands, document
from tests.support.network import free_port

PAGE = ROOT / "docs" / "recipes.md"
AFTER_EACH_CHANGE = [["check"], ["check", "--diff"], ["reload"]]
NOT_KNOWN_HERE = {"trace": "it names a message of somebody's own workspace: the answer is that no route has that chat"}
"""Commands that end with 1, and why."""


class Recipe(NamedTuple):
    line: int
    text: str
    commands: list[list[str]]


def recipes() -> list[Recipe]:
    found: list[Recipe] = []
    for block in blocks("yaml", "console", pages=[PAGE]):
        if block.language == "yaml":
            found.append(Recipe(block.line, block.text, []))
        elif found:
            found[-1].commands.extend(commands(block))
        else:
            assert list(commands(block)) == AFTER_EACH_CHANGE
    return found


def test_every_command_stands_below_a_recipe() -> None:
    assert len(recipes()) > 10
    assert sum(len(one.commands) for one in recipes()) > 6


def bridge_yaml(recipe: Recipe, emulators: dict[str, Emulator], folder: Path) -> Path:
    whole: Any = document(yaml.safe_load(recipe.text))
    for name, emulator in emulators.items():
        whole["accounts"][name] |= emulator.account_options()
    for listener in whole.get("web", {}).values():
        listener["listen"] = f"127.0.0.1:{free_port()}"
    whole["journal"] = {"path": str(folder / "bridge.journal")}
    path = folder / "bridge.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: f"line-{recipe.line}")
async def test_a_recipe_starts_and_its_commands_work(recipe: Recipe, tmp_path: Path) -> None:
    whole = document(yaml.safe_load(recipe.text))
    assert whole is not None
    platforms = {name: account["platform"] for name, account in whole["accounts"].items()}
    emulators = {name: load_emulator(platform) for name, platform in platforms.items() if platform != "webhook"}
    for number, emulator in enumerate(emulators.values()):
        if isinstance(emulator, SlackEmulator):  # two companies have two apps
            emulator.workspace.bot_token += f"-{number}"
            emulator.workspace.app_token += f"-{number}"
        await emulator.start()
    path = bridge_yaml(recipe, emulators, tmp_path)
    daemon = Daemon(path)
    try:
        await daemon.start()
        for name in platforms:
            await daemon.until_notified(f"{name} up")
        for words in [*AFTER_EACH_CHANGE, *recipe.commands]:
            code, shown = await shell(*words, "--config", str(path))
            assert code == (1 if words[0] in NOT_KNOWN_HERE else 0), (words, shown)
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == 0
    finally:
        await daemon.kill()
        daemon.close()
        for emulator in emulators.values():
            await emulator.stop()
