"""Files that their origin serves slowly or not whole: the same bytes arrive, or a line that says what is missing. Never a part."""

from __future__ import annotations

import hashlib
import random

import pytest

from adapters.common.emulation.contract import EmulatedFile, Fault, FaultKind, Upload
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually

DOWNLOADS = {
    "telegram": "file",
    "slack": "files.download",
    "discord": "GET /attachments/*",
    "teamspirit": "GET /files/*",
}
CONTENT = random.Random(7).randbytes(200_000)
REPORT = Upload(name="report.bin", mime="application/octet-stream", content=CONTENT)


def files_on(world: World, platform: str) -> list[EmulatedFile]:
    return [file for message in world.seen(platform) if message.is_bot for file in message.files]


@pytest.mark.parametrize("origin", PLATFORMS)
async def test_a_download_that_breaks_off_and_then_is_slow_arrives_whole(world: World, origin: str) -> None:
    emulator = world.emulators[origin]
    emulator.inject(Fault(kind=FaultKind.CUT_BODY, operation=DOWNLOADS[origin], after_bytes=70_000, times=2))
    emulator.inject(Fault(kind=FaultKind.SLOW_BODY, operation=DOWNLOADS[origin], bytes_per_s=400_000))
    await world.say(origin, "the report", files=[REPORT])
    for target in PLATFORMS:
        if target != origin:
            (file,) = await eventually(lambda target=target: files_on(world, target), what=f"a file on {target}")
            assert file.sha256 == hashlib.sha256(CONTENT).hexdigest()
            assert "could not be fetched" not in " ".join(world.texts(target))


@pytest.mark.parametrize("origin", PLATFORMS)
async def test_a_file_that_never_comes_whole_leaves_a_line(world: World, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_PATIENCE_S", 0.3)
    world.emulators[origin].inject(Fault(kind=FaultKind.CUT_BODY, operation=DOWNLOADS[origin], after_bytes=70_000))
    await world.say(origin, "the report", files=[REPORT])
    await world.say(origin, "and what comes after it")
    for target in PLATFORMS:
        if target != origin:
            line = await world.copy(target, "report.bin")
            assert "the report" in line.text
            assert "could not be fetched" in line.text
            await world.copy(target, "and what comes after it")
            assert files_on(world, target) == []
