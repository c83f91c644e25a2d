"""The package costs little to import, and two accounts live beside each other."""

from __future__ import annotations

import subprocess
import sys

from tests.adapters.discord.conftest import Bench
from tests.support.patience import PATIENCE_S, eventually


async def test_two_accounts_with_different_servers_live_in_one_process(bench: Bench) -> None:
    from adapters.discord.emulator import DiscordEmulator

    second = DiscordEmulator()
    await second.start()
    other = Bench(second)
    async with bench.running(bench.adapter(), here := bench.intake()), other.running(other.adapter(), there := other.intake()):
        await bench.emulator.say(bench.chat, "Anna", "here")
        await second.say(other.chat, "Boris", "there")
        await eventually(lambda: here.texts() == ["here"] and there.texts() == ["there"])
    await other.close()


def test_the_package_imports_nothing_heavy() -> None:
    code = "import sys, adapters.discord; print([m for m in ('discord', 'pydantic', 'aiohttp') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert result.stdout.strip() == "[]"
